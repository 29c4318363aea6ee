//! Templates that draw or are costly, on the real runtime: keys that the host makes, salts, serial numbers, slow hashes. The
//! same rotation renders the same bytes and another one others; what a render may spend ends with a rule, not with the host
//! stopping it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::HEXLOWER;
use runtime::{
    Entry, Limits, Meter, RenderError, Scope, StreamKey, TemplateComponent, TemplateText, Used, World,
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

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
    (rendered.map(|all| all.rendered[0].entries[0].value.expose_secret().to_vec()), used)
}

/// What a template draws is a promise: the same over upgrades of the engine, the host and every crate under them. A failure here means
/// that Secrets would change; mend the code, never the answer.
#[test]
fn the_same_rotation_draws_the_same_in_every_release() {
    let engine = go();
    for (text, answer) in [
        ("{{ randAlphaNum 24 }}", "108af26216abcb668d578b3da655e3fb"),
        ("{{ randAscii 24 }}", "1599a8a726b6ed2fa92d2aca0d0c50d1"),
        ("{{ randBytes 24 }}", "05f7395915825004c8911883b7e286f7"),
        ("{{ randInt 1 1000000000 }}", "f2a5356d5b0b906dbb537e92601e6503"),
        ("{{ shuffle \"abcdefghijklmnop\" }}", "2ff57709516f271b9cd60399703d2764"),
        ("{{ uuidv4 }}", "098da8caff39454d323ff9eda9f956cb"),
        ("{{ bcrypt \"pw\" }}", "8f544395ee7eaa080c016c23e9f90da2"),
        ("{{ htpasswd \"user\" \"pw\" \"bcrypt\" }}", "f096ac4254f26a521cc144b9993c6a0d"),
        ("{{ encryptAES \"key\" \"text\" }}", "f5b2303d4a4b75c1bd65e1128b01368d"),
        ("{{ genPrivateKey \"rsa\" }}", "73a836497581a97cab6fbcd0ee37a1b8"),
        ("{{ genPrivateKey \"ecdsa\" }}", "1efdc1701aa48deaa7c3ac4e8f482646"),
        ("{{ genPrivateKey \"ed25519\" }}", "b4e1af929c3810ba427d83341382f776"),
        ("{{ genPrivateKey \"dsa\" }}", "069e6e645792a7b205381a56b73a9549"),
        ("{{ (genSelfSignedCert \"x\" nil nil 1).Cert }}", "9fa6ac14979bcf084fcb4e32f76da5ab"),
        ("{{ (genCAWithKey \"x\" 1 .ec).Cert }}", "ab3e2d451b90e0847c266a1a549c988a"),
        (
            "{{ $ca := genCA \"x\" 1 }}{{ (genSignedCert \"y\" nil nil 1 $ca).Cert }}",
            "88f7511c017375ef785b3d7ba2e97ffa",
        ),
        (
            "{{ $c := genCAWithKey \"x\" 1 .ec }}{{ pemToPkcs12 $c.Cert .ec }}",
            "8744a19ea4080f505f0a9c2eeaae9de7",
        ),
        (
            "{{ $c := genCAWithKey \"x\" 1 .ec }}{{ pemTruststoreToPKCS12Pass $c.Cert \"pw\" }}",
            "c18bb8d10c999c327901eaffc85a0b39",
        ),
    ] {
        let one = render(&engine, 1, text).0.unwrap();
        assert_eq!(&HEXLOWER.encode(&Sha256::digest(&one))[..32], answer, "{text}");
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
