//! Go's regular expressions on the `regex` crate.
//!
//! Both are RE2's grammar; they differ in classes: Go's `\d`, `\s`, `\w`, `\b` are ASCII, and inside brackets
//! Go knows no nested classes and no `&&`, `--`, `~~`.

use regex::Regex;

/// Compiles a pattern with Go's meaning.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&translate(pattern))
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    while let Some(character) = characters.next() {
        let first = std::mem::take(&mut class_start);
        match character {
            '\\' => match characters.next() {
                Some(escaped) => out.push_str(&escape(escaped, in_class)),
                None => out.push('\\'),
            },
            '[' if in_class && characters.peek() == Some(&':') => {
                // A POSIX class such as [:alpha:] is the same in both.
                out.push('[');
                for inner in characters.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                class_start = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' if in_class && first => out.push_str("\\]"),
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
            }
            '-' if in_class && characters.peek() == Some(&'-') => out.push_str("\\-"),
            other => out.push(other),
        }
    }
    out
}

fn escape(escaped: char, in_class: bool) -> String {
    match (escaped, in_class) {
        ('d', true) => "0-9".to_owned(),
        ('w', true) => "0-9A-Za-z_".to_owned(),
        ('s', true) => "\\t\\n\\x0C\\r ".to_owned(),
        ('d', false) => "[0-9]".to_owned(),
        ('w', false) => "[0-9A-Za-z_]".to_owned(),
        ('s', false) => "[\\t\\n\\x0C\\r ]".to_owned(),
        ('D', false) => "[^0-9]".to_owned(),
        ('W', false) => "[^0-9A-Za-z_]".to_owned(),
        ('S', false) => "[^\\t\\n\\x0C\\r ]".to_owned(),
        ('b' | 'B', false) => format!("(?-u:\\{escaped})"),
        // \C and \Q..\E have no counterpart; the regex crate refuses them, as a pattern that does not
        // compile.
        (other, _) => format!("\\{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn check(pattern: &str, text: &str, matches: bool) {
        assert_eq!(compile(pattern).unwrap().is_match(text), matches, "{pattern} on {text}");
    }

    #[test]
    fn classes_mean_what_they_mean_in_go() {
        check(r"^\d+$", "123", true);
        check(r"^\d+$", "١٢٣", false);
        check(r"^[\d]+$", "١٢٣", false);
        check(r"^\w+$", "é", false);
        check(r"^\W$", "é", true);
        check(r"^[^[a]+$", "x", true);
        check(r"^[^[a]+$", "[", false);
        check(r"^[a&&b]+$", "&", true);
        check(r"^[]a]+$", "]", true);
        check(r"^[[:alpha:]]+$", "ab", true);
        check(r"^[-._a-zA-Z0-9]+$", "a-b.c", true);
        check(r"\bfoo\b", "a foo b", true);
    }

    #[test]
    fn what_does_not_compile_is_an_error() {
        assert!(compile("(").is_err());
        assert!(compile("(?=a)").is_err());
    }
}
