use keymill_sdk::testing::{self, Filled, NoValue};

use super::DatabaseUrl;

#[test]
fn cases_hold() {
    let cases = include_str!("../../../../tests/conformance/generators/database-url/cases.yaml");
    assert_eq!(testing::generator_cases::<DatabaseUrl>(cases), Ok(17));
}

/// Every symbol that may be asked for, and a user, a database and an option that need escapes.
const NASTY: &str = r##"{"host": "::1", "database": "app/a:b", "username": "o\"brien@x", "length": 200,
    "symbols": "!\"#$%&()*+,-./:;<=>?@[]^_`{|}~", "options": {"application_name": "a b&c"}}"##;

/// Each reader gets back what the password is.
#[test]
fn every_format_is_read_back() {
    for seed in 0..50 {
        let filled = testing::generate::<DatabaseUrl>(NASTY, seed).expect("nothing to refuse");
        let password = text(&filled, "password");
        let uri = text(&filled, "uri");
        let userinfo = between(uri, "postgresql://", "@[::1]:5432/app%2Fa%3Ab?application_name=a%20b%26c");
        assert_eq!(
            userinfo.split_once(':').map(|(user, pass)| (decoded(user), decoded(pass))),
            Some(("o\"brien@x".into(), password.into()))
        );
        let jdbc = text(&filled, "jdbc-uri");
        let before = "jdbc:postgresql://[::1]:5432/app%2Fa%3Ab?user=o%22brien%40x&password=";
        assert_eq!(decoded(between(jdbc, before, "&application_name=a%20b%26c")), password);
        let line = between(text(&filled, "pgpass"), r#"\:\:1:5432:app/a\:b:o"brien@x:"#, "\n");
        assert_eq!(line.replace("\\:", ":").replace("\\\\", "\\"), password);
        let conninfo = text(&filled, "conninfo");
        let before = r#"host='::1' port='5432' dbname='app/a:b' user='o"brien@x' password='"#;
        assert_eq!(between(conninfo, before, "' application_name='a b&c'"), password);
        let env = text(&filled, "env");
        assert_eq!(env.matches('\'').count(), 12, "two quotes for each of six lines");
        let raw = text(&filled, "env-raw").lines().map(|line| line.split_once('=').expect("an equals sign"));
        let parts = [
            ("DATABASE_URL", uri),
            ("DATABASE_HOST", "::1"),
            ("DATABASE_PORT", "5432"),
            ("DATABASE_NAME", "app/a:b"),
            ("DATABASE_USERNAME", "o\"brien@x"),
            ("DATABASE_PASSWORD", password),
        ];
        assert_eq!(raw.collect::<Vec<_>>(), parts);
        for (name, value) in parts {
            assert_eq!(of_a_shell(env, name), value);
        }
        let object: Vec<&str> = text(&filled, "json").split("\"password\":").collect();
        assert_eq!(object[0], r#"{"username":"o\"brien@x","#);
        let quoted = format!("\"{}\"", password.replace('"', "\\\""));
        assert_eq!(
            object[1],
            format!(r#"{quoted},"engine":"postgresql","host":"::1","port":5432,"dbname":"app/a:b"}}"#)
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let config = r#"{"host": "a b", "port": 0, "database": "", "username": "o'brien", "options": {"a b": "c", "password": "\\"}, "length": 1, "symbols": "ab"}"#;
    let Err(NoValue::Invalid(problems)) = testing::generate::<DatabaseUrl>(config, 1) else {
        panic!("this must be refused")
    };
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.rule.as_str(), problem.path.as_str())).collect();
    let expected = [
        ("invalid-host", "/host"),
        ("invalid-port", "/port"),
        ("not-portable", "/database"),
        ("not-portable", "/username"),
        ("invalid-option", "/options/a b"),
        ("invalid-option", "/options/password"),
        ("not-portable", "/options/password"),
        ("too-short", "/length"),
        ("invalid-symbols", "/symbols"),
    ];
    assert_eq!(told, expected);
}

fn text<'a>(filled: &'a Filled, key: &str) -> &'a str {
    filled.text(key).expect("a field of text")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.strip_prefix(before).unwrap_or_else(|| panic!("{text} begins with {before}"));
    rest.strip_suffix(after).unwrap_or_else(|| panic!("{text} ends with {after}"))
}

/// What a POSIX shell makes of a variable of this file.
fn of_a_shell(env: &str, variable: &str) -> String {
    let script = format!("{env}printf %s \"${variable}\"");
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("a shell");
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).expect("text")
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&hex, 16).expect("two hex digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).expect("text")
}
