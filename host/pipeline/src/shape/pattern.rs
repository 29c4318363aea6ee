//! Go's regular expressions on Rust's.
//!
//! Both are RE2. What differs is translated: `\d`, `\w`, `\s` and `\b` are ASCII in Go, `\Q...\E` quotes, and a class holds no
//! classes and no set operations. `replace_all` expands `$1` and `${name}` as Go does.

use std::borrow::Cow;

use regex::{Captures, Regex};
use thiserror::Error;

/// A compiled regular expression with Go's meaning.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// A text that is not a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("compile `{pattern}` as a regular expression: {message}")]
pub struct PatternError {
    /// The text.
    pub pattern: String,
    /// What is wrong, in the words of the regex crate.
    pub message: String,
}

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// When it is not a regular expression, or one that needs too much memory.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        Regex::new(&translate(pattern)).map(Self).map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            PatternError { pattern: pattern.to_owned(), message: last.to_owned() }
        })
    }

    /// The expression for the regex crate.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.0
    }

    /// Whether it matches somewhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Replaces every match; `$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar.
    #[must_use]
    pub fn replace_all(&self, text: &str, target: &str) -> String {
        self.0.replace_all(text, |captures: &Captures<'_>| expand(captures, target)).into_owned()
    }
}

fn expand(captures: &Captures<'_>, target: &str) -> String {
    let mut expanded = String::new();
    let mut rest = target;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            after
        } else if let Some((name, after)) = group_name(after) {
            expanded.push_str(group(captures, name));
            after
        } else {
            // Not a name: the dollar stands for itself.
            expanded.push('$');
            after
        };
    }
    expanded.push_str(rest);
    expanded
}

/// The name behind a dollar, the longest possible, and what follows it.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}').filter(|(name, _)| !name.is_empty() && name.chars().all(is_word));
    }
    let length = text.find(|character| !is_word(character)).unwrap_or(text.len());
    text.split_at_checked(length).filter(|(name, _)| !name.is_empty())
}

/// A group by number or name; nothing when there is no such group or it took no part.
fn group<'a>(captures: &Captures<'a>, name: &str) -> &'a str {
    let found = match name.parse::<usize>() {
        // Go takes no number with a leading zero.
        Ok(number) if name == "0" || !name.starts_with('0') => captures.get(number),
        _ => captures.name(name),
    };
    found.map_or("", |found| found.as_str())
}

fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    // Characters of the class that we are in, the opening ones not counted.
    let mut class: Option<usize> = None;
    while let Some(character) = characters.next() {
        match (character, class) {
            ('\\', Some(count)) => {
                translated.push_str(&escape(characters.next(), true));
                class = Some(count + 1);
            }
            ('\\', None) if characters.peek() == Some(&'Q') => {
                characters.next();
                translated.push_str(&regex::escape(&quoted(&mut characters)));
            }
            ('\\', None) => translated.push_str(&escape(characters.next(), false)),
            ('[', None) => {
                translated.push('[');
                if characters.peek() == Some(&'^') {
                    translated.extend(characters.next());
                }
                class = Some(0);
            }
            ('[', Some(count)) => {
                // A class such as [:alpha:] is the same in both.
                let named = characters.peek() == Some(&':');
                translated.push_str(if named { "[" } else { r"\[" });
                class = Some(count + 1);
                if named {
                    for inner in characters.by_ref() {
                        translated.push(inner);
                        if inner == ']' {
                            break;
                        }
                    }
                }
            }
            (']', Some(0)) => {
                translated.push_str(r"\]");
                class = Some(1);
            }
            (']', Some(_)) => {
                translated.push(']');
                class = None;
            }
            ('&' | '~', Some(count)) => {
                translated.push('\\');
                translated.push(character);
                class = Some(count + 1);
            }
            (other, state) => {
                translated.push(other);
                class = state.map(|count| count + 1);
            }
        }
    }
    translated
}

fn escape(escaped: Option<char>, in_class: bool) -> Cow<'static, str> {
    Cow::Borrowed(match (escaped, in_class) {
        (Some('d'), false) => "[0-9]",
        (Some('D'), _) => "[^0-9]",
        (Some('w'), false) => "[0-9A-Za-z_]",
        (Some('W'), _) => "[^0-9A-Za-z_]",
        (Some('s'), false) => r"[\t\n\f\r ]",
        (Some('S'), _) => r"[^\t\n\f\r ]",
        (Some('d'), true) => "0-9",
        (Some('w'), true) => "0-9A-Za-z_",
        (Some('s'), true) => r"\t\n\f\r ",
        (Some('b'), false) => r"(?-u:\b)",
        (Some('B'), false) => r"(?-u:\B)",
        (Some(other), _) => return Cow::Owned(format!("\\{other}")),
        (None, _) => "\\",
    })
}

/// The text up to `\E`, or to the end.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.peek() == Some(&'E') {
            characters.next();
            break;
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_is_replaced_as_go_replaces_it() {
        for (pattern, text, target, want) in [
            ("^db_", "db_user", "DB-", "DB-user"),
            ("^(.*)-(.*)$", "user-db", "${2}.${1}", "db.user"),
            ("(a)(b)", "ab", "$2$1", "ba"),
            ("(a)(b)", "ab", "$1x", ""),
            ("(a)(b)", "ab", "${1}x", "ax"),
            ("(?P<n>a)", "xa", "$n-$$-${n}", "xa-$-a"),
            ("(?<n>a)", "xa", "$n", "xa"),
            ("a", "a", "$", "$"),
            ("a", "a", "$ ${} ${b", "$ ${} ${b"),
            ("a", "a", "$9", ""),
            ("(a)", "a", "$01", ""),
            ("a", "banana", "", "bnn"),
            ("a*", "baaac", "X", "XbXcX"),
            ("", "ab", "-", "-a-b-"),
        ] {
            let pattern = Pattern::compile(pattern).unwrap();
            assert_eq!(pattern.replace_all(text, target), want, "{pattern:?} {target}");
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, matches) in [
            (r"^\d$", "5", true),
            (r"^\d$", "٥", false),
            (r"^\w+$", "a_1", true),
            (r"^\w+$", "é", false),
            (r"^[\w-]+$", "a-1", true),
            (r"^[^\W]$", "a", true),
            (r"^[^\W]$", "-", false),
            (r"^\S$", "\u{a0}", true),
            (r"\bé", "aé", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^\Q(", "(", true),
            (r"^[[]$", "[", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]a]$", "]", false),
            (r"^[[:alpha:]]+$", "ab", true),
            (r"^[\]]$", "]", true),
            (r"^\pL$", "é", true),
        ] {
            assert_eq!(Pattern::compile(pattern).unwrap().is_match(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_reason() {
        let error = Pattern::compile("(").unwrap_err();
        assert_eq!(error.to_string(), "compile `(` as a regular expression: unclosed group");
        assert!(Pattern::compile("(?=a)").is_err());
        assert!(Pattern::compile("\\").is_err());
        assert!(Pattern::compile("a{1000}{1000}{1000}").is_err());
    }
}
