//! Template engines that lie about places, keys and names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use components::TEMPLATE;
use runtime::{
    Call, CallError, Entry, Limits, Meter, Reason, RenderError, Renderings, Scope, StreamKey,
    TemplateComponent, TemplateText, Used, World,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::attack::{CANARY, assert_silent, call, load};

fn hostile() -> TemplateComponent {
    load(TEMPLATE).template().unwrap()
}

fn templates(texts: &[(&str, &str)]) -> Vec<TemplateText> {
    let text = |(key, text): &(&str, &str)| TemplateText {
        key: (*key).to_owned(),
        text: (*text).to_owned(),
        scope: Scope::Values,
    };
    texts.iter().map(text).collect()
}

fn keyed(byte: u8) -> Call {
    call().with_stream_key(StreamKey::new([byte; 32]))
}

fn render(call: &Call, texts: &[(&str, &str)]) -> Result<Renderings, RenderError> {
    hostile().render(call, &templates(texts), &[Entry::new("password", CANARY)], &json!({}))
}

fn values(call: &Call, texts: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let rendered = render(call, texts).unwrap().rendered;
    rendered.iter().map(|rendered| rendered.entries[0].value.expose_secret().to_vec()).collect()
}

#[test]
fn a_fault_says_nothing_of_the_data() {
    for deed in [
        "leak-by-rule",
        "leak-by-name",
        "leak-by-line",
        "leak-by-column",
        "other-key",
        "more-keys",
        "other-index",
    ] {
        let error = render(&keyed(1), &[("uri", deed)]).unwrap_err();
        assert_silent(&error);
        match error {
            RenderError::Call(error) => assert_eq!(error.reason(), Some(Reason::BadOutput), "{deed}"),
            RenderError::Fault(fault) => panic!("{deed}: {fault:?}"),
        }
    }
    match render(&keyed(1), &[("uri", "broken")]) {
        Err(RenderError::Fault(fault)) => {
            assert_eq!(
                fault.to_string(),
                "template `uri`, line 1, column 3, `roke`: The template is broken."
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn validate_is_held_to_the_same() {
    let validate = |deed| hostile().validate(&templates(&[("uri", deed)]), &json!({}));
    assert_eq!(validate("fine").unwrap(), vec![]);
    assert_eq!(validate("broken").unwrap()[0].rule, "broken");
    assert!(matches!(validate("leak-by-name"), Err(CallError::BadOutput { .. })));
}

#[test]
fn the_same_rotation_renders_the_same_bytes() {
    for deed in ["random", "key"] {
        let one = values(&keyed(1), &[("a", deed), ("b", "")]);
        assert_eq!(one, values(&keyed(1), &[("a", deed), ("b", "")]), "{deed}");
        assert_ne!(one[0], one[1], "another key, another stream");
        assert_ne!(one[0], values(&keyed(2), &[("a", deed)])[0], "another rotation, other bytes");
        assert_eq!(one[0], values(&keyed(1), &[("a", deed)])[0], "one template more disturbs no other");
    }
    assert_eq!(values(&keyed(1), &[("a", "clock")])[0], b"1700000000");
}

#[test]
fn who_renders_knows_whether_something_was_drawn() {
    for (deed, drew) in [("random", true), ("key", true), ("clock", false), ("", false)] {
        assert_eq!(render(&keyed(1), &[("a", deed)]).unwrap().drew, drew, "{deed}");
    }
}

#[test]
fn randomness_needs_a_stream_key() {
    assert_eq!(stopped(&call(), "random"), Reason::HostDenied);
}

#[derive(Default)]
struct Fuel(AtomicU64);

impl Meter for Fuel {
    fn used(&self, used: &Used) {
        self.0.store(used.fuel, Ordering::SeqCst);
    }
}

#[test]
fn heavy_work_must_be_asked_for_and_ends() {
    let small = Limits { fuel: 10_000_000, heavy: 30, ..Limits::of(World::Template) };
    for (deed, reason, millions) in [
        ("spin", Reason::Fuel, 9..11),
        ("ask-and-spin", Reason::Fuel, 29..31),
        ("ask-for-more", Reason::HostDenied, 0..2),
        ("ask-for-all", Reason::HostDenied, 0..2),
    ] {
        let fuel = Arc::new(Fuel::default());
        let call = keyed(1).with_limits(small).with_meter(Arc::clone(&fuel) as _);
        assert_eq!(stopped(&call, deed), reason, "{deed}");
        let used = fuel.0.load(Ordering::SeqCst) / 1_000_000;
        assert!(millions.contains(&used), "{deed} used {used} millions");
    }
}

/// Should fuel be counted wrongly, time ends what was asked for too.
#[test]
fn heavy_work_has_a_deadline() {
    let deadline = Duration::from_millis(20);
    let limits = Limits { fuel: u64::MAX / 2, deadline, heavy: 20, ..Limits::of(World::Template) };
    assert_eq!(stopped(&keyed(1).with_limits(limits), "ask-and-spin"), Reason::Deadline);
}

#[test]
fn nothing_heavy_is_done_for_a_validation() {
    let validated = hostile().validate(&templates(&[("a", "ask")]), &json!({}));
    assert_eq!(validated.unwrap_err().reason(), Some(Reason::HostDenied));
}

/// Why the engine was stopped, in time and silence.
fn stopped(call: &Call, deed: &str) -> Reason {
    crate::attack::reason(Duration::from_secs(60), || {
        render(call, &[("a", deed)]).map_err(|error| match error {
            RenderError::Call(error) => error,
            RenderError::Fault(fault) => panic!("{fault:?}"),
        })
    })
}
