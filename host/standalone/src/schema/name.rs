//! The syntaxes of names of kinds and of data keys, each with its messages. Those of objects and labels are
//! in `crate::names`.

use std::sync::LazyLock;

use regex::Regex;

macro_rules! syntax {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^(?:{})$", $pattern)).ok());)*
    };
}

const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const DATA_KEY: &str = "[-._a-zA-Z0-9]+";

syntax! {
    LABEL_1035_SYNTAX = LABEL_1035;
    DATA_KEY_SYNTAX = DATA_KEY;
}

fn fits(syntax: &LazyLock<Option<Regex>>, text: &str) -> bool {
    syntax.as_ref().is_some_and(|syntax| syntax.is_match(text))
}

fn examples(rule: &str, examples: &[&str], pattern: &str) -> String {
    let quoted: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{pattern}')", quoted.join(" or "))
}

/// A DNS-1035 label, as the name of a kind or version.
pub(super) fn label_1035(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 63);
    if !fits(&LABEL_1035_SYNTAX, text) {
        let rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end \
                    with an alphanumeric character";
        problems.push(examples(rule, &["my-name", "abc-123"], LABEL_1035));
    }
    problems
}

/// A key of a Secret's or ConfigMap's data.
pub(super) fn data_key(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 253);
    if !fits(&DATA_KEY_SYNTAX, text) {
        let rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        problems.push(examples(rule, &["key.name", "KEY_NAME", "key-name"], DATA_KEY));
    }
    match text {
        "." => problems.push("must not be '.'".to_owned()),
        ".." => problems.push("must not be '..'".to_owned()),
        _ if text.starts_with("..") => problems.push("must not start with '..'".to_owned()),
        _ => {}
    }
    problems
}

fn too_long(text: &str, limit: usize) -> Vec<String> {
    if text.len() > limit { vec![format!("must be no more than {limit} characters")] } else { Vec::new() }
}
