//! The component. Its config is `{"do": "<deed>"}`.

use exports::keymill::guest::judge::{Guest, Request, Violation};
use keymill::guest::types::{Description, Doc, Problem};

mod bindings {
    wit_bindgen::generate!({ world: "policy", path: "../../../../wit" });
}
use bindings::{exports, keymill};

struct Hostile;

#[expect(unsafe_code, reason = "generated: the canonical ABI reads and writes raw memory")]
mod export {
    use super::{Hostile, bindings};
    bindings::export!(Hostile with_types_in bindings);
}

impl Guest for Hostile {
    fn describe() -> Description {
        let rule = |name: &str| Doc { name: name.to_owned(), about: "It is so.".to_owned() };
        Description {
            name: "hostile".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Misbehaves as its config says.".to_owned(),
            config_schema: "{}".to_owned(),
            fields: Vec::new(),
            rules: vec![rule("a-rule"), rule("b-rule")],
            wants: Vec::new(),
        }
    }

    fn validate(_: String) -> Vec<Problem> {
        Vec::new()
    }

    fn evaluate(request: Request) -> Vec<Violation> {
        let deed = request.config.split('"').nth(3).unwrap_or("");
        let secret =
            request.candidates.first().map_or("", |first| std::str::from_utf8(&first.value).unwrap_or(""));
        let violation = |rule: &str, key: &str| Violation { rule: rule.to_owned(), key: key.to_owned() };
        match deed {
            "by-rule" => vec![violation(secret, "password")],
            "by-key" => vec![violation("a-rule", secret)],
            "by-order" => vec![
                violation("b-rule", "password"),
                violation("a-rule", "password"),
                violation("b-rule", "password"),
            ],
            "flood" => (0..50_000).map(|_| violation("a-rule", "password")).collect(),
            "abort" => core::arch::wasm32::unreachable(),
            _ => Vec::new(),
        }
    }
}
