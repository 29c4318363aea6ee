//! Template engines that lie about places, keys and names.

use std::time::Duration;

use components::TEMPLATE;
use runtime::{
    Call, CallError, Entry, Reason, RenderError, Rendered, Scope, StreamKey, TemplateComponent, TemplateText,
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

fn render(call: &Call, texts: &[(&str, &str)]) -> Result<Vec<Rendered>, RenderError> {
    hostile().render(call, &templates(texts), &[Entry::new("password", CANARY)], &json!({}))
}

fn values(call: &Call, texts: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let rendered = render(call, texts).unwrap();
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
fn randomness_needs_a_stream_key() {
    let outcome = crate::attack::reason(Duration::from_secs(2), || {
        render(&call(), &[("a", "random")]).map_err(|error| match error {
            RenderError::Call(error) => error,
            RenderError::Fault(fault) => panic!("{fault:?}"),
        })
    });
    assert_eq!(outcome, Reason::HostDenied);
}
