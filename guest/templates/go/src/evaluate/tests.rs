use crate::draw::{Draw, KeyKind};
use crate::engine::{Entry, Request, Scope, Template, render};
use crate::lexer::Delimiters;
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

fn run(text: &str, data: &[(&str, &str)]) -> Result<String, (u32, Rule, Option<String>)> {
    let request = Request {
        templates: vec![Template { key: "out", text, scope: Scope::Values }],
        data: data.iter().map(|(key, value)| Entry { key, value: value.as_bytes() }).collect(),
        delimiters: Delimiters::default(),
    };
    let rendered = render(&request, &mut NoDraw).map_err(|fault| (fault.column, fault.rule, fault.name))?;
    Ok(String::from_utf8_lossy(&rendered[0][0].1).into_owned())
}

fn check(text: &str, expected: &str) {
    assert_eq!(run(text, &[("user", "alice"), ("empty", "")]).as_deref(), Ok(expected), "{text}");
}

fn refuse(text: &str, column: u32, rule: Rule, name: Option<&str>) {
    let seen = run(text, &[("user", "alice"), ("empty", "")]);
    assert_eq!(seen, Err((column, rule, name.map(str::to_owned))), "{text}");
}

#[test]
fn control() {
    for (text, expected) in [
        ("{{ if .empty }}a{{ else if .user }}b{{ end }}", "b"),
        ("{{ with .empty }}a{{ else with 5 }}{{ . }}{{ end }}", "5"),
        ("{{ if $a := .empty }}{{ else if $b := 1 }}{{ $b }}[{{ $a }}]{{ end }}", "1[]"),
        ("{{ range $i, $v := . }}{{ $i }}={{ $v }};{{ end }}", "empty=;user=alice;"),
        ("{{ range 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "02"),
        ("{{ range $i := 9 }}{{ if eq $i 2 }}{{ break }}{{ end }}{{ $i }}{{ end }}", "01"),
        ("{{ range 0 }}a{{ else }}b{{ end }}", "b"),
        ("{{ $x := 1 }}{{ range 3 }}{{ $x = . }}{{ end }}{{ $x }}", "2"),
        ("{{ $i := 9 }}{{ range $i = 2 }}{{ end }}{{ $i }}", "1"),
        (
            "{{ define \"T\" }}<{{ . }}>{{ end }}{{ template \"T\" .user }}{{ template \"T\" }}",
            "<alice><<no value>>",
        ),
        ("{{ block \"B\" .user }}[{{ . }}]{{ end }}", "[alice]"),
        ("{{ range 2 }}{{ range 0 }}{{ else }}a{{ break }}b{{ end }}c{{ end }}", "acac"),
        ("{{ range 2 }}{{ range 0 }}{{ else }}a{{ continue }}b{{ end }}c{{ end }}", "aa"),
        ("{{ semver \"1.2.3\" | deepCopy }}", "0.0.0"),
        ("{{ $ = 1 }}{{ $ }}", "1"),
    ] {
        check(text, expected);
    }
}

#[test]
fn faults_name_what_the_text_names() {
    for (text, column, rule, name) in [
        ("{{ .nope }}", 4, Rule::MissingKey, Some("nope")),
        ("ab{{ .user.sub }}", 6, Rule::NoField, Some("sub")),
        ("{{ $x = 1 }}", 4, Rule::UnknownVariable, Some("$x")),
        ("{{ 1 | printf }}", 8, Rule::ArgumentType, Some("printf")),
        ("{{ printf 1 }}", 11, Rule::ArgumentType, Some("printf")),
        ("{{ not }}", 4, Rule::ArgumentCount, Some("not")),
        ("{{ index .user 99 }}", 4, Rule::OutOfRange, Some("index")),
        ("{{ template \"nope\" }}", 4, Rule::UnknownTemplate, Some("nope")),
        ("{{ .user 1 }}", 4, Rule::NotAFunction, Some("user")),
        ("{{ 1 2 }}", 4, Rule::NotAFunction, None),
        ("{{ nil }}", 4, Rule::NilCommand, None),
        ("{{ range .user }}{{ end }}", 10, Rule::NotIterable, None),
        ("{{ 18446744073709551615 }}", 4, Rule::BadLiteral, None),
    ] {
        refuse(text, column, rule, name);
    }
}

#[test]
fn arguments_are_checked_in_gos_way() {
    check("{{ and .empty (index .user 99) }}|{{ or .user (index .user 99) }}", "|alice");
    check("{{ printf \"%d\" 'a' }} {{ printf \"%v\" nil }}", "97 <nil>");
    refuse("{{ printf nil }}", 11, Rule::ArgumentType, Some("printf"));
    refuse("{{ eq 1 }}", 4, Rule::ArgumentCount, Some("eq"));
}

#[test]
fn what_does_not_end_is_ended() {
    for (text, rule) in [
        ("{{ define \"R\" }}{{ template \"R\" . }}{{ end }}{{ template \"R\" . }}", Rule::Recursion),
        ("{{ range 1000000000 }}{{ end }}", Rule::Work),
        (
            "{{ range 100000 }}{{ print \"0123456789012345678901234567890123456789012345678901\" }}{{ end }}",
            Rule::Size,
        ),
        ("{{ range 9000 }}{{ range 9000 }}{{ end }}{{ end }}", Rule::Work),
    ] {
        assert_eq!(run(text, &[]).map_err(|(_, rule, _)| rule), Err(rule), "{text}");
    }
}
