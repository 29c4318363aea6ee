//! Paths into JSON, as ESO finds a property: the literal top-level key first, then a path with gjson's meaning.
//!
//! A path is keys with dots between them; a backslash takes the next character as it is; `*` and `?` match within a key; a
//! number is the index into an array, `#` its length, and `#.x` collects `x` of all its elements. Queries, modifiers and
//! multipaths are refused. The text of what is found is that of the document, not one that was printed anew.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ShapeError;
use crate::field::Value;

/// Finds a property in the text of a JSON document. `exact_numbers`: a number under a literal top-level key keeps its text, as where a store
/// decodes its documents itself; otherwise it is printed without an exponent.
pub(super) fn find(
    document: &[u8],
    property: &str,
    exact_numbers: bool,
) -> Result<Option<Value>, ShapeError> {
    let document = parse(document)?;
    if let Some(members) = object(document)
        && let Some((_, value)) = members.iter().find(|(key, _)| key == property)
    {
        return text(value, exact_numbers).map(Some);
    }
    let path = parts(property)?;
    match walk(document, &path) {
        None => Ok(None),
        Some(Found::Raw(value)) => text(value, false).map(Some),
        Some(Found::Made(text)) => Ok(Some(Value::from(text))),
    }
}

/// The members of a JSON object with their values as bytes: strings raw, null empty, all else as JSON text.
pub(crate) fn members(document: &[u8]) -> Result<Vec<(String, Value)>, ShapeError> {
    let members = object(parse(document)?).ok_or(ShapeError::NotAnObject)?;
    members.into_iter().map(|(key, value)| Ok((key.into_owned(), text(value, true)?))).collect()
}

/// The members of a JSON object as they stand in the text.
pub(crate) fn raw_members(document: &[u8]) -> Result<Vec<(Cow<'_, str>, &RawValue)>, ShapeError> {
    object(parse(document)?).ok_or(ShapeError::NotAnObject)
}

/// The bytes that a JSON value stands for.
pub(super) fn text(value: &RawValue, exact_numbers: bool) -> Result<Value, ShapeError> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str::<String>(json).map(Value::from).map_err(|_| ShapeError::NotAnObject)
        }
        Some(b'n') => Ok(Value::from("")),
        Some(b'-' | b'0'..=b'9') if !exact_numbers => Ok(Value::from(number(json))),
        _ => Ok(Value::from(json)),
    }
}

/// A number without an exponent, as Go prints a float; an integer as it stands.
fn number(json: &str) -> String {
    let integer = json.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match json.parse::<f64>() {
        Ok(number) if !integer => number.to_string(),
        _ => json.to_owned(),
    }
}

fn parse(document: &[u8]) -> Result<&RawValue, ShapeError> {
    serde_json::from_slice(document).map_err(|_| ShapeError::NotAnObject)
}

/// What a path found: a part of the document, or a text made of several parts.
enum Found<'a> {
    Raw(&'a RawValue),
    Made(String),
}

fn walk<'a>(value: &'a RawValue, path: &[Part]) -> Option<Found<'a>> {
    let Some((part, rest)) = path.split_first() else {
        return Some(Found::Raw(value));
    };
    if let Some(elements) = array(value) {
        return match part {
            Part::All if rest.is_empty() => Some(Found::Made(elements.len().to_string())),
            Part::All => Some(Found::Made(collect(&elements, rest))),
            Part::Key(key) => walk(elements.get(key.index()?).copied()?, rest),
        };
    }
    let Part::Key(key) = part else { return None };
    let (_, value) = object(value)?.into_iter().find(|(name, _)| key.matches(name))?;
    walk(value, rest)
}

/// The array of what `path` finds in each element; elements without it are left out.
fn collect(elements: &[&RawValue], path: &[Part]) -> String {
    let found = elements.iter().filter_map(|element| walk(element, path));
    let texts: Vec<String> = found
        .map(|found| match found {
            Found::Raw(value) => value.get().to_owned(),
            Found::Made(text) => text,
        })
        .collect();
    format!("[{}]", texts.join(","))
}

/// One part of a path.
#[derive(Debug)]
enum Part {
    /// A key or an index.
    Key(Key),
    /// `#`
    All,
}

#[derive(Debug, Default)]
struct Key(Vec<Symbol>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Symbol {
    Is(char),
    One,
    Any,
}

impl Key {
    fn index(&self) -> Option<usize> {
        let digits = self.0.iter().map(|symbol| match symbol {
            Symbol::Is(digit) if digit.is_ascii_digit() => Some(*digit),
            Symbol::Is(_) | Symbol::One | Symbol::Any => None,
        });
        digits.collect::<Option<String>>()?.parse().ok()
    }

    fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        // The positions in the pattern that may be reached after each character.
        let mut reached = vec![false; self.0.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        self.skip_any(&mut reached);
        for character in name {
            let mut next = vec![false; reached.len()];
            for ((index, symbol), _) in
                self.0.iter().enumerate().zip(&reached).filter(|(_, reached)| **reached)
            {
                let to = match symbol {
                    Symbol::Any => Some(index),
                    Symbol::One => Some(index + 1),
                    Symbol::Is(wanted) => (*wanted == character).then_some(index + 1),
                };
                if let Some(slot) = to.and_then(|to| next.get_mut(to)) {
                    *slot = true;
                }
            }
            self.skip_any(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }

    /// `*` also matches nothing.
    fn skip_any(&self, reached: &mut [bool]) {
        for (index, symbol) in self.0.iter().enumerate() {
            let skips = *symbol == Symbol::Any && reached.get(index).copied().unwrap_or(false);
            if let Some(slot) = reached.get_mut(index + 1).filter(|_| skips) {
                *slot = true;
            }
        }
    }
}

fn parts(property: &str) -> Result<Vec<Part>, ShapeError> {
    let unsupported =
        |part: &str| ShapeError::PropertyUnsupported { property: property.to_owned(), part: part.to_owned() };
    let mut parts = Vec::new();
    let mut key = Key::default();
    let mut start = true;
    let mut characters = property.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '.' => {
                parts.push(part(std::mem::take(&mut key)));
                start = true;
                continue;
            }
            '@' | '!' | '{' | '[' if start => return Err(unsupported(&character.to_string())),
            '|' => return Err(unsupported("|")),
            '#' if start && characters.peek() == Some(&'(') => return Err(unsupported("#(")),
            '*' => key.0.push(Symbol::Any),
            '?' => key.0.push(Symbol::One),
            '\\' => key.0.extend(characters.next().map(Symbol::Is)),
            other => key.0.push(Symbol::Is(other)),
        }
        start = false;
    }
    parts.push(part(key));
    Ok(parts)
}

fn part(key: Key) -> Part {
    if key.0 == [Symbol::Is('#')] { Part::All } else { Part::Key(key) }
}

fn array(value: &RawValue) -> Option<Vec<&RawValue>> {
    value.get().starts_with('[').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

fn object(value: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    value
        .get()
        .starts_with('{')
        .then(|| serde_json::from_str::<Members<'_>>(value.get()).ok())
        .flatten()
        .map(|members| members.0)
}

/// The members of an object in its order, without copying values.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(key), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

/// A key; borrowed from the text where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{
        "user": "ada", "port": 5432, "tls": true, "ratio": 0.25, "big": 1.5e3, "one": 1.0, "none": null, "quoted": "a\"\u00e9",
        "db": {"hosts": ["a", "b"], "auth": {"user": "u1", "pw" : "p1"}, "a.b": "dotted"},
        "x.y": "literal", "list": [{"n": 1, "s": "p"}, {"n": 2}, {"s": "q"}], "deep": [[1, 2], [3]], "@pretty": "key", "7": "seven"
    }"##;

    fn check(property: &str, want: Option<&str>) {
        let found = find(DOCUMENT.as_bytes(), property, false).unwrap();
        let found = found.map(|value| String::from_utf8(value.expose().to_vec()).unwrap());
        assert_eq!(found.as_deref(), want, "{property}");
    }

    #[test]
    fn properties_are_found_as_eso_finds_them() {
        for (property, want) in [
            ("user", Some("ada")),
            ("port", Some("5432")),
            ("tls", Some("true")),
            ("ratio", Some("0.25")),
            ("big", Some("1500")),
            ("one", Some("1")),
            ("none", Some("")),
            ("quoted", Some("a\"é")),
            ("password", None),
            ("db.hosts.1", Some("b")),
            ("db.hosts.2", None),
            ("db.hosts.x", None),
            ("db.hosts", Some(r#"["a", "b"]"#)),
            ("db.auth", Some(r#"{"user": "u1", "pw" : "p1"}"#)),
            ("db.auth.user", Some("u1")),
            ("db.auth.user.more", None),
            (r"db.a\.b", Some("dotted")),
            ("x.y", Some("literal")),
            ("@pretty", Some("key")),
            ("7", Some("seven")),
            ("db.hosts.#", Some("2")),
            ("list.#", Some("3")),
            ("list.#.n", Some("[1,2]")),
            ("list.#.s", Some(r#"["p","q"]"#)),
            ("list.#.none", Some("[]")),
            ("deep.#.0", Some("[1,3]")),
            ("deep.#.#", Some("[2,1]")),
            ("db.a*h.user", Some("u1")),
            ("db.?uth.pw", Some("p1")),
            (r"db.\*uth.pw", None),
            ("us*r*", Some("ada")),
            ("", None),
        ] {
            check(property, want);
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (property, part) in [
            ("list.#(n==1).s", "#("),
            ("@this.user", "@"),
            ("db.@keys", "@"),
            ("{user,port}", "{"),
            ("db.[hosts]", "["),
            ("user|@base64", "|"),
            ("!true", "!"),
        ] {
            let error = find(DOCUMENT.as_bytes(), property, false).unwrap_err().to_string();
            assert_eq!(error, format!("find property {property}: `{part}` is not supported in a path"));
        }
    }

    #[test]
    fn a_store_that_decodes_its_documents_keeps_top_level_numbers() {
        let find = |property| find(br#"{"n":1.50,"o":{"n":1.50}}"#, property, true).unwrap().unwrap();
        assert_eq!(find("n").expose(), b"1.50");
        assert_eq!(find("o.n").expose(), b"1.5");
    }

    #[test]
    fn the_first_of_two_equal_keys_counts() {
        assert_eq!(find(br#"{"a":"1","a":"2"}"#, "a", false).unwrap(), Some(Value::from("1")));
    }

    #[test]
    fn text_that_is_no_json_is_an_error_without_the_text() {
        for text in ["just text", "", "{", "\u{feff}{}"] {
            let error = find(text.as_bytes(), "a", false).unwrap_err().to_string();
            assert_eq!(error, "read the value as a JSON object: it is not one", "{text:?}");
        }
        assert!(find(b"\xff", "a", false).is_err());
    }

    #[test]
    fn members_are_bytes() {
        let members = members(
            br#"{"user":"ada","port":5432,"e":1e3,"on":false,"o":{"b":1,"a":[1,2]},"l":["x"],"n":null}"#,
        )
        .unwrap();
        let want = [
            ("user", "ada"),
            ("port", "5432"),
            ("e", "1e3"),
            ("on", "false"),
            ("o", r#"{"b":1,"a":[1,2]}"#),
            ("l", r#"["x"]"#),
            ("n", ""),
        ];
        let want: Vec<_> = want.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        assert_eq!(members, want);
        assert!(super::members(b"[1]").is_err());
    }
}
