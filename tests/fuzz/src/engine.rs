//! What must be true of every answer of the engine.

use template_go::draw::{Draw, KeyKind};
use template_go::engine::{self, Entry, Request, Scope, Template};
use template_go::fault::Fault;
use template_go::lexer::Delimiters;

/// With bytes that are no text, and values of every shape.
const DATA: &[(&str, &[u8])] = &[
    ("a", b"alpha"),
    ("b", b""),
    ("x", b"\xff\x00\xc3"),
    ("pw", "p@ss:w/rd %2F+\u{fc}".as_bytes()),
    ("json", b"{\"k\":[1,2.5,null]}"),
    ("n", b"-7"),
    ("pem", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
];

/// Parses: what is wrong has its place and its name in the text.
pub(crate) fn validate(text: &str, (left, right): (&str, &str)) {
    let templates = [Template { key: "out", text, scope: Scope::Values }];
    for fault in engine::validate(&templates, Delimiters { left, right }) {
        check(text, &fault);
    }
}

/// Renders twice: the same answer, and never a fault that the host would refuse. What a KeysAndValues text holds is YAML of anybody's.
pub(crate) fn render(text: &str) {
    for scope in [Scope::Values, Scope::KeysAndValues] {
        let request = Request {
            templates: vec![Template { key: "out", text, scope }],
            data: DATA.iter().map(|(key, value)| Entry { key, value }).collect(),
            delimiters: Delimiters::default(),
        };
        let one = engine::render(&request, &mut Counting(0));
        assert_eq!(one, engine::render(&request, &mut Counting(0)), "{text:?}");
        if let Err(fault) = one {
            check(text, &fault);
        }
    }
}

/// As the host checks it.
fn check(text: &str, fault: &Fault) {
    let line = text.split('\n').nth(fault.line as usize - 1);
    let line = line.unwrap_or_else(|| panic!("{text:?}: no line {}", fault.line));
    assert!(fault.column as usize <= line.chars().count() + 1, "{text:?}: {fault:?}");
    if let Some(name) = &fault.name {
        assert!(!name.is_empty() && text.contains(name.as_str()), "{text:?}: {fault:?}");
    }
}

/// Gives 0, 1, 2, ...; the time is fixed, and a key is none.
struct Counting(u8);

impl Draw for Counting {
    fn bytes(&mut self, _: &str, len: u32) -> Vec<u8> {
        (0..len)
            .map(|_| {
                self.0 = self.0.wrapping_add(1);
                self.0
            })
            .collect()
    }

    fn key(&mut self, _: &str, _: KeyKind) -> Vec<u8> {
        vec![0x30, 0]
    }

    fn now(&mut self) -> u64 {
        1_790_000_000
    }
}
