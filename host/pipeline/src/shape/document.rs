//! What a store holds under a key, as a whole, in parts, or one part of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{ShapeError, property};
use crate::field::{Fields, Value};
use crate::ports::Document;

/// The whole, as one value: bytes and JSON as they are, entries as the text of a JSON object of strings.
pub(crate) fn whole(document: &Document) -> Value {
    match document {
        Document::Bytes(value) | Document::Json(value) => value.clone(),
        Document::Map(fields) => object_text(fields),
    }
}

/// Entries as the text of a JSON object of strings. Bytes that are not UTF-8 are replaced, as Go replaces them.
pub(crate) fn object_text(fields: &Fields) -> Value {
    let object: BTreeMap<&str, Cow<'_, str>> =
        fields.iter().map(|(key, value)| (key.as_str(), String::from_utf8_lossy(value.expose()))).collect();
    // Strings under strings always serialise.
    Value::new(serde_json::to_vec(&object).unwrap_or_default())
}

/// One property of it.
pub(crate) fn property_value(document: &Document, property: &str) -> Result<Value, ShapeError> {
    let found = match document {
        Document::Bytes(value) => property::find(value.expose(), property, false)?,
        Document::Json(value) => property::find(value.expose(), property, true)?,
        Document::Map(fields) => in_map(fields, property)?,
    };
    found.ok_or_else(|| ShapeError::PropertyMissing { property: property.to_owned() })
}

/// An entry by its name, else a path into the JSON of the entry that the path begins with.
fn in_map(fields: &Fields, property: &str) -> Result<Option<Value>, ShapeError> {
    if let Some(value) = fields.get(property) {
        return Ok(Some(value.clone()));
    }
    let Some((key, path)) =
        property.split_once('.').filter(|(key, path)| !key.is_empty() && !path.is_empty())
    else {
        return Ok(None);
    };
    match fields.get(key) {
        Some(value) => property::find(value.expose(), path, false),
        None => Ok(None),
    }
}

/// All its entries; with a property, those of the object that is there.
pub(crate) fn entries(document: &Document, property: Option<&str>) -> Result<Fields, ShapeError> {
    let text = match (document, property) {
        (Document::Map(fields), None) => return Ok(fields.clone()),
        (document, None) => whole(document),
        (document, Some(property)) => property_value(document, property)?,
    };
    let mut fields = Fields::new();
    for (key, value) in property::members(text.expose())? {
        fields.insert(key, value);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    fn map() -> Document {
        Document::Map(fields(&[
            ("user", "ada"),
            ("a.b", "dotted"),
            ("json", r#"{"x":{"y":"z"}}"#),
            ("quote", "\""),
        ]))
    }

    #[test]
    fn the_whole_of_entries_is_a_json_object() {
        let want = r#"{"a.b":"dotted","json":"{\"x\":{\"y\":\"z\"}}","quote":"\"","user":"ada"}"#;
        assert_eq!(whole(&map()), Value::from(want));
        assert_eq!(whole(&Document::Bytes(Value::from("raw"))), Value::from("raw"));
    }

    #[test]
    fn a_property_of_entries_is_an_entry_or_a_path_into_one() {
        for (property, want) in [
            ("user", Some("ada")),
            ("a.b", Some("dotted")),
            ("json.x.y", Some("z")),
            ("nope", None),
            ("nope.x", None),
            (".x", None),
        ] {
            assert_eq!(property_value(&map(), property).ok(), want.map(Value::from), "{property}");
        }
    }

    #[test]
    fn entries_of_a_document() {
        let json = || Document::Json(Value::from(r#"{"db":{"user":"ada","pw":"p"},"x":"y"}"#));
        assert_eq!(entries(&json(), Some("db")).unwrap(), fields(&[("user", "ada"), ("pw", "p")]));
        assert_eq!(entries(&json(), None).unwrap().len(), 2);
        assert_eq!(entries(&map(), None).unwrap().len(), 4);
        assert_eq!(entries(&map(), Some("json")).unwrap(), fields(&[("x", r#"{"y":"z"}"#)]));
        assert!(entries(&Document::Bytes(Value::from("just text")), None).is_err());
        assert!(entries(&json(), Some("x")).is_err());
    }
}
