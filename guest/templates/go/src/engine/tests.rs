use super::*;
use crate::draw::KeyKind;
use crate::rule::Rule;

struct NoDraw;

impl Draw for NoDraw {
    fn bytes(&mut self, _: &str, _: u32) -> Vec<u8> {
        Vec::new()
    }

    fn key(&mut self, _: &str, _: KeyKind) -> Vec<u8> {
        Vec::new()
    }

    fn now(&mut self) -> u64 {
        0
    }
}

fn template<'r>(key: &'r str, text: &'r str, scope: Scope) -> Template<'r> {
    Template { key, text, scope }
}

fn request<'r>(templates: Vec<Template<'r>>) -> Request<'r> {
    let data = vec![Entry { key: "user", value: b"ali\xff" }];
    Request { templates, data, delimiters: Delimiters::default() }
}

#[test]
fn templates_render_in_order() {
    let request = request(vec![
        template("b", "{{ .user }}", Scope::Values),
        template("", "{{ range 2 }}k{{ . }}: {{ . }}\n{{ end }}", Scope::KeysAndValues),
    ]);
    let rendered = render(&request, &mut NoDraw).expect("both render");
    let entry = |key: &str, value: &[u8]| (key.to_owned(), value.to_vec());
    assert_eq!(rendered, [vec![entry("b", b"ali\xff")], vec![entry("k0", b"0"), entry("k1", b"1")]]);
}

#[test]
fn the_first_fault_is_the_answer() {
    let request = request(vec![
        template("a", "fine", Scope::Values),
        template("b", "\n  {{ .nope }}", Scope::Values),
        template("c", "{{", Scope::Values),
    ]);
    let fault = render(&request, &mut NoDraw).expect_err("b faults");
    let expected =
        Fault { index: 1, line: 2, column: 6, rule: Rule::MissingKey, name: Some("nope".to_owned()) };
    assert_eq!(fault, expected);
}

#[test]
fn validate_reports_every_template() {
    let templates = [
        template("a", "{{ nope }}", Scope::Values),
        template("b", "{{ .fine }}", Scope::Values),
        template("c", "{{ if }}", Scope::Values),
    ];
    let faults: Vec<_> =
        validate(&templates, Delimiters::default()).into_iter().map(|f| (f.index, f.rule)).collect();
    assert_eq!(faults, [(0, Rule::UnknownFunction), (2, Rule::Syntax)]);
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", request(vec![]));
    assert!(shown.contains("4 bytes") && !shown.contains("ali"), "{shown}");
}
