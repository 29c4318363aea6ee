use super::*;

fn check(text: &str, expected: Result<(), (usize, Rule)>) {
    let seen = parse("main", text, Delimiters::default()).map(|_| ()).map_err(|place| (place.at, place.rule));
    assert_eq!(seen, expected, "{text}");
}

#[test]
fn parses() {
    for text in [
        "",
        "{{ .a.b | print }}",
        "{{ if .a }}{{ else if .b }}{{ else }}{{ end }}",
        "{{ with .a }}{{ else with .b }}{{ end }}",
        "{{ range $i, $v := . }}{{ break }}{{ else }}{{ end }}",
        "{{ range $i, $v := . }}{{ if . }}{{ continue }}{{ end }}{{ end }}",
        "{{ define `a b` }}x{{ end }}{{ template `a b` . }}",
        "{{ define \"a\" }} {{ end }}{{ define \"a\" }}x{{ end }}",
        "{{ block \"a\" . }}{{ end }}",
        "{{ ($).x }}{{ $x := 1 }}{{ $x = 2 }}{{ $nope = 1 }}",
        "{{ .a | }}",
        "{{ and nil 1 }}",
    ] {
        check(text, Ok(()));
    }
}

#[test]
fn refuses() {
    for (text, at, rule) in [
        ("{{ }}", 3, Rule::Syntax),
        ("{{ | print }}", 3, Rule::Syntax),
        ("{{ if true }}", 13, Rule::MissingEnd),
        ("x{{ end }}", 4, Rule::Syntax),
        ("{{ if .a }}{{ else }}{{ else }}{{ end }}", 24, Rule::Syntax),
        ("{{ if .a }}{{ else with .b }}{{ end }}", 19, Rule::Syntax),
        ("{{ range . }}{{ else if . }}{{ end }}", 21, Rule::Syntax),
        ("{{ nope }}", 3, Rule::UnknownFunction),
        ("{{ if false }}{{ env \"A\" }}{{ end }}", 17, Rule::UnknownFunction),
        ("{{ $x }}", 3, Rule::UnknownVariable),
        ("{{ if $x := 1 }}{{ end }}{{ $x }}", 28, Rule::UnknownVariable),
        ("{{ define \"a\" }}{{ $x }}{{ end }}", 19, Rule::UnknownVariable),
        ("{{ $a, $b := 1 }}", 5, Rule::Syntax),
        ("{{ range $a, $b, $c := . }}{{ end }}", 15, Rule::Syntax),
        ("{{ break }}", 3, Rule::OutsideRange),
        ("{{ range . }}{{ block \"b\" . }}{{ break }}{{ end }}{{ end }}", 33, Rule::OutsideRange),
        ("{{ define \"a\" }}x{{ end }}{{ define \"a\" }}y{{ end }}", 26, Rule::DuplicateTemplate),
        ("{{ if true }}{{ define \"a\" }}{{ end }}{{ end }}", 16, Rule::Syntax),
        ("{{ template $x }}", 12, Rule::Syntax),
        ("{{ \"a\".b }}", 6, Rule::Syntax),
        ("{{ .a. }}", 5, Rule::Syntax),
        ("{{ 1 | 2 }}", 7, Rule::NotAFunction),
        ("{{ print (1 }}", 12, Rule::Unclosed),
        ("{{ \"\\z\" }}", 3, Rule::BadLiteral),
        ("{{ ()}}", 4, Rule::Syntax),
    ] {
        check(text, Err((at, rule)));
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(1000), ")".repeat(1000));
    check(&deep, Err((3 + CALL_DEPTH - 1, Rule::Recursion)));
    let chain = format!("{{{{ if .a }}}}{}{{{{ end }}}}", "{{ else if .a }}".repeat(1000));
    check(&chain, Ok(()));
}
