//! Templates that draw or are costly, on the real runtime: keys that the host makes, salts, serial numbers, slow hashes. The
//! same rotation renders the same bytes and another one others; what a render may spend ends with a rule, not with the host
//! stopping it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{
    Entry, Limits, Meter, RenderError, Scope, StreamKey, TemplateComponent, TemplateText, Used, World,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::builtin;

const RSA_2048: &str = include_str!("../templates/keys/rsa-2048.pem");
const RSA_4096: &str = include_str!("../templates/keys/rsa-4096.pem");
const EC: &str = include_str!("../templates/keys/ecdsa-p256.pem");

#[derive(Default)]
struct Fuel(Mutex<u64>);

impl Meter for Fuel {
    fn used(&self, used: &Used) {
        *self.0.lock().unwrap() = used.fuel;
    }
}

fn go() -> TemplateComponent {
    builtin::load("template", "go").template().unwrap()
}

/// What a template renders under that rotation's key, and the fuel that it took. The deadline is generous: this machine may
/// be busy, and fuel is what is looked at.
fn render(engine: &TemplateComponent, rotation: u8, text: &str) -> (Result<Vec<u8>, RenderError>, u64) {
    let fuel = Arc::new(Fuel::default());
    let limits = Limits { deadline: Duration::from_secs(120), ..Limits::of(World::Template) };
    let call = builtin::call()
        .with_limits(limits)
        .with_stream_key(StreamKey::new([rotation; 32]))
        .with_meter(Arc::clone(&fuel) as _);
    let template = TemplateText { key: "key".to_owned(), text: text.to_owned(), scope: Scope::Values };
    let data = [Entry::new("rsa2", RSA_2048), Entry::new("rsa4", RSA_4096), Entry::new("ec", EC)];
    let rendered = engine.render(&call, &[template], &data, &json!({}));
    let used = *fuel.0.lock().unwrap();
    (rendered.map(|rendered| rendered[0].entries[0].value.expose_secret().to_vec()), used)
}

#[test]
fn the_same_rotation_draws_the_same() {
    let engine = go();
    for text in [
        "{{ randAlphaNum 24 }}",
        "{{ uuidv4 }}",
        "{{ bcrypt \"pw\" }}",
        "{{ htpasswd \"user\" \"pw\" \"bcrypt\" }}",
        "{{ encryptAES \"key\" \"text\" }}",
        "{{ genPrivateKey \"ecdsa\" }}",
        "{{ genPrivateKey \"ed25519\" }}",
        "{{ genPrivateKey \"dsa\" }}",
        "{{ genSelfSignedCert \"x\" nil nil 1 }}",
        "{{ (genCAWithKey \"x\" 1 .ec).Cert }}",
        "{{ $ca := genCA \"x\" 1 }}{{ genSignedCert \"y\" nil nil 1 $ca }}",
        "{{ $c := genCAWithKey \"x\" 1 .ec }}{{ pemToPkcs12 $c.Cert .ec }}",
        "{{ $c := genCAWithKey \"x\" 1 .ec }}{{ pemTruststoreToPKCS12Pass $c.Cert \"pw\" }}",
    ] {
        let one = render(&engine, 1, text).0.unwrap();
        assert_eq!(render(&engine, 1, text).0.unwrap(), one, "{text}");
        assert_ne!(render(&engine, 2, text).0.unwrap(), one, "{text}");
    }
}

/// The engine's account (`limits.rs`) is in millions of instructions; what a function takes must not be more than it says.
#[test]
fn what_is_costly_costs_no_more_than_its_account_says() {
    let engine = go();
    for (text, millions) in [
        ("{{ bcrypt \"pw\" }}", 760),
        ("{{ derivePassword 1 \"long\" \"a\" \"b\" \"c\" }}", 6_600),
        ("{{ (genCAWithKey \"x\" 1 .rsa2).Cert }}", 80 + 160),
        ("{{ (genCAWithKey \"x\" 1 .rsa4).Cert }}", 80 + 1_280),
        ("{{ (genCAWithKey \"x\" 1 .ec).Cert }}", 80 + 300),
        ("{{ genPrivateKey \"dsa\" }}", 300),
        // 3 * 2048 iterations to write, as many to read.
        (
            "{{ $c := genCAWithKey \"x\" 1 .ec }}{{ pemToPkcs12 $c.Cert .ec | b64dec | pkcs12cert }}",
            3 * 80 + 300 + 6 * 41,
        ),
    ] {
        let (rendered, fuel) = render(&engine, 1, text);
        assert!(rendered.is_ok(), "{text}: {rendered:?}");
        assert!(fuel <= millions * 1_000_000, "{text} takes {fuel}");
    }
}

#[test]
fn the_account_ends_before_the_hosts_fuel() {
    let engine = go();
    for (text, expected) in [
        ("{{ range 18 }}{{ bcrypt \"\" }}{{ end }}", None),
        ("{{ range 19 }}{{ bcrypt \"\" }}{{ end }}", Some("work-limit")),
        ("{{ range 2 }}{{ derivePassword 1 \"pin\" \"\" \"\" \"\" }}{{ end }}", None),
        ("{{ range 3 }}{{ derivePassword 1 \"pin\" \"\" \"\" \"\" }}{{ end }}", Some("work-limit")),
        ("{{ range 8 }}{{ genPrivateKey \"ed25519\" }}{{ end }}", None),
        ("{{ range 9 }}{{ genPrivateKey \"ed25519\" }}{{ end }}", Some("work-limit")),
    ] {
        match (render(&engine, 1, text).0, expected) {
            (Ok(_), None) => {}
            (Err(RenderError::Fault(fault)), Some(rule)) => assert_eq!(fault.rule, rule, "{text}"),
            (other, _) => panic!("{text}: {:?}", other.map(|value| value.len())),
        }
    }
}
