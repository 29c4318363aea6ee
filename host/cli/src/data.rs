//! Maps of values that somebody wrote or piped in: YAML or JSON, one document or several.
//!
//! Every value must be a string: what YAML takes for a number or a date has lost its text. Messages name the file, the document,
//! the key and the place, never a value.

use std::io::Read as _;
use std::path::Path;

use pipeline::{Fields, Value};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::ending::Ending;

/// Text and the name that messages give it.
pub(crate) struct Source {
    pub(crate) name: String,
    text: Zeroizing<String>,
}

impl Source {
    /// A file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Ending> {
        if path == Path::new("-") {
            return Self::standard_input();
        }
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Ending::failed(format!("read {name}: {error}")))?;
        Self::new(name, bytes)
    }

    pub(crate) fn standard_input() -> Result<Self, Ending> {
        let name = "standard input".to_owned();
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Ending::failed(format!("read {name}: {error}")))?;
        Self::new(name, bytes)
    }

    fn new(name: String, bytes: Vec<u8>) -> Result<Self, Ending> {
        let bytes = Zeroizing::new(bytes);
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Self { text: Zeroizing::new(text.to_owned()), name }),
            Err(_) => Err(Ending::failed(format!("read {name}: it is not UTF-8 text"))),
        }
    }

    /// All its maps; at least one.
    pub(crate) fn maps(&self) -> Result<Vec<Fields>, Ending> {
        let failed = |what: String| Ending::failed(format!("read values from {}: {what}", self.name));
        let documents = documents(&self.text).map_err(failed)?;
        if documents.is_empty() {
            return Err(failed("there are none; a YAML or JSON map of strings is wanted".to_owned()));
        }
        let many = documents.len() > 1;
        let maps = documents.into_iter().enumerate().map(|(index, document)| {
            let place = if many { format!("document {}: ", index + 1) } else { String::new() };
            fields(document).map_err(|what| failed(format!("{place}{what}")))
        });
        maps.collect()
    }

    /// Its only map.
    pub(crate) fn map(&self) -> Result<Fields, Ending> {
        let mut maps = self.maps()?;
        match (maps.pop(), maps.len()) {
            (Some(map), 0) => Ok(map),
            (_, more) => {
                let count = more + 1;
                Err(Ending::failed(format!(
                    "read values from {}: it holds {count} documents, and one is wanted",
                    self.name
                )))
            }
        }
    }
}

/// JSON values one after the other, as `generate -o json` prints them, or YAML documents.
fn documents(text: &str) -> Result<Vec<Json>, String> {
    let json: Result<Vec<Json>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    if let Ok(documents) = json {
        return Ok(documents);
    }
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| match error.location() {
        Some(place) => format!("it is not YAML at line {}, column {}", place.line(), place.column()),
        None => "it is not YAML".to_owned(),
    })
}

fn fields(document: Json) -> Result<Fields, String> {
    let Json::Object(map) = document else {
        return Err(format!("it is {}, and a map of keys to strings is wanted", article(&document)));
    };
    let field = |(key, value)| match value {
        Json::String(text) => Ok((key, Value::from(text))),
        other => Err(format!("the value of {key:?} is {}, not a string: put it in quotes", article(&other))),
    };
    map.into_iter().map(field).collect()
}

fn article(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<(String, String)>>, String> {
        let source = Source { name: "data.yaml".to_owned(), text: Zeroizing::new(text.to_owned()) };
        let maps = source.maps().map_err(|ending| format!("{ending:?}"))?;
        let pair = |(key, value): (String, Value)| (key, String::from_utf8(value.expose().to_vec()).unwrap());
        Ok(maps.into_iter().map(|map| map.into_iter().map(pair).collect()).collect())
    }

    #[test]
    fn yaml_and_json_are_read_alike() {
        let one = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "x y".to_owned())];
        for text in [
            "{a: '1', b: x y}",
            "a: \"1\"\nb: x y\n",
            "{\"a\": \"1\", \"b\": \"x y\"}",
            "# c\n---\na: '1'\nb: x y",
        ] {
            assert_eq!(read(text), Ok(vec![one.clone()]), "{text}");
        }
        for text in [
            "{\"a\":\"1\",\"b\":\"x y\"}\n{\"a\":\"1\",\"b\":\"x y\"}\n",
            "a: '1'\nb: x y\n---\na: '1'\nb: x y\n",
        ] {
            assert_eq!(read(text), Ok(vec![one.clone(), one.clone()]), "{text}");
        }
        assert_eq!(read("a: !!binary \"MQ==\"\nb: x y"), Ok(vec![one]));
    }

    #[test]
    fn what_is_no_map_of_strings_is_refused_without_its_values() {
        for (text, expected) in [
            ("", "there are none"),
            ("hunter2", "it is a string, and a map of keys to strings is wanted"),
            ("a: hunter2\nb: 4711", "the value of \\\"b\\\" is a number, not a string: put it in quotes"),
            ("{\"a\": {\"hunter2\": 4711}}", "the value of \\\"a\\\" is a map"),
            ("a: hunter2\n---\nb: [4711]", "document 2: the value of \\\"b\\\" is a list"),
            ("a: [hunter2, 4711", "it is not YAML at line 1, column"),
            ("a: hunter2\na: 4711", "it is not YAML at line 2, column 1"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(expected), "{refused} lacks {expected}");
            assert!(!refused.contains("hunter2") && !refused.contains("4711"), "{refused}");
        }
    }
}
