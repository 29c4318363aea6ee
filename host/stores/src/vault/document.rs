//! The JSON of secrets: out of an answer, and into a request.
//!
//! Scalars are cut out of the answer as they are, without being parsed, so numbers keep their digits. Keys are sorted, as
//! Go does it: the same secret is the same text, whichever server it comes from. Secret text is never held in a type that
//! can be printed, and the buffers that it passes through are zeroed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pipeline::{Document, Marks, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::request::Reply;

/// Where version 1 has no metadata, ESO keeps it under this key inside the secret.
const METADATA_KEY: &str = "custom_metadata";
/// The deepest nesting that is read; that of serde_json.
const DEEPEST: u8 = 128;

/// One version of a secret.
#[derive(Deserialize)]
pub(super) struct Secret<'a> {
    /// Null when that version was deleted.
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    pub(super) metadata: Version,
}

/// What is known of one version.
#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) version: u64,
    /// None when the server does not send it with the data, as old ones do not.
    #[serde(default, deserialize_with = "present")]
    pub(super) custom_metadata: Option<Option<Marks>>,
}

/// What is known of a secret.
#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) current_version: u64,
    #[serde(default)]
    pub(super) custom_metadata: Option<Marks>,
    #[serde(default)]
    pub(super) created_time: Option<String>,
    #[serde(default)]
    pub(super) delete_version_after: Option<String>,
}

/// The names in a folder.
#[derive(Deserialize)]
pub(super) struct Names {
    pub(super) keys: Vec<String>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Marks>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Reply {
    /// The `data` of the answer. No source in the error: it would quote the answer.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice::<Envelope<T>>(&self.body)
            .map(|envelope| envelope.data)
            .map_err(|_| Refusal::BadAnswer)
    }

    /// The version in the answer; also a 404 has one when the version was deleted or destroyed.
    pub(super) fn secret(&self) -> Result<Secret<'_>, Refusal> {
        #[derive(Deserialize)]
        struct Borrowed<'a> {
            #[serde(borrow)]
            data: Secret<'a>,
        }
        serde_json::from_slice::<Borrowed>(&self.body).map(|body| body.data).map_err(|_| Refusal::BadAnswer)
    }

    /// The secret of version 1 in the answer, as text.
    pub(super) fn plain(&self) -> Result<&RawValue, Refusal> {
        #[derive(Deserialize)]
        struct Borrowed<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
        }
        serde_json::from_slice::<Borrowed>(&self.body).map(|body| body.data).map_err(|_| Refusal::BadAnswer)
    }
}

/// A document from the server's text. Nothing but an object is one.
pub(super) fn document(text: &RawValue) -> Result<Document, Refusal> {
    entries(text.get().as_bytes()).map_err(|_| Refusal::BadAnswer)?;
    let mut sorted = Zeroizing::new(Vec::with_capacity(text.get().len()));
    sort(text, &mut sorted, DEEPEST).map_err(|_| Refusal::BadAnswer)?;
    Ok(Document::Json(Value::from(sorted.as_slice())))
}

/// Copies the text with the keys of all its objects in order and without white space.
fn sort(text: &RawValue, sorted: &mut Vec<u8>, depth: u8) -> Result<(), DocumentError> {
    let depth = depth.checked_sub(1).ok_or(DocumentError::Encode)?;
    let mut separator = None;
    match text.get().as_bytes().first() {
        Some(b'{') => {
            sorted.push(b'{');
            for (key, value) in entries(text.get().as_bytes())? {
                sorted.extend(separator.replace(b','));
                serde_json::to_writer(&mut *sorted, &key).map_err(|_| DocumentError::Encode)?;
                sorted.push(b':');
                sort(value, sorted, depth)?;
            }
            sorted.push(b'}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> =
                serde_json::from_str(text.get()).map_err(|_| DocumentError::Encode)?;
            sorted.push(b'[');
            for item in items {
                sorted.extend(separator.replace(b','));
                sort(item, sorted, depth)?;
            }
            sorted.push(b']');
        }
        Some(_) | None => sorted.extend_from_slice(text.get().as_bytes()),
    }
    Ok(())
}

/// The text to store for a document: always a JSON object.
pub(super) fn text(document: &Document) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    match document {
        Document::Json(text) | Document::Bytes(text) => {
            entries(text.expose())?;
            Ok(text.expose().to_vec().into())
        }
        Document::Map(fields) => {
            let mut texts = BTreeMap::new();
            for (key, value) in fields {
                let text = std::str::from_utf8(value.expose())
                    .map_err(|_| DocumentError::NotText { key: key.clone() })?;
                texts.insert(key.as_str(), text);
            }
            encode(&texts, fields.values().map(Value::len).sum())
        }
    }
}

/// A secret of version 1 as what it holds and the marks that ESO keeps inside it.
pub(super) fn split(text: &RawValue) -> Result<(Document, Marks), Refusal> {
    let mut all = entries(text.get().as_bytes()).map_err(|_| Refusal::BadAnswer)?;
    let marks = all.remove(METADATA_KEY).map(RawValue::get).map(serde_json::from_str::<Marks>);
    let Some(Ok(marks)) = marks else {
        return Ok((document(text)?, Marks::new()));
    };
    let rest = encode(&all, text.get().len()).map_err(|_| Refusal::BadAnswer)?;
    Ok((Document::Json(Value::from(rest.as_slice())), marks))
}

/// The text to store under version 1: the document with the marks inside.
pub(super) fn joined(document: &Document, marks: &Marks) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let text = text(document)?;
    let marks = serde_json::value::to_raw_value(marks).map_err(|_| DocumentError::Encode)?;
    let mut all = entries(&text)?;
    all.insert(Cow::Borrowed(METADATA_KEY), &marks);
    encode(&all, text.len() + marks.get().len())
}

/// The body of a versioned write.
pub(super) fn versioned(text: &[u8], cas: u64) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    #[derive(Serialize)]
    struct Options {
        cas: u64,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        options: Options,
        data: &'a RawValue,
    }
    let data = serde_json::from_slice(text).map_err(|_| DocumentError::NotAnObject)?;
    encode(&Body { options: Options { cas }, data }, text.len())
}

/// JSON in a buffer that is large enough from the start, so that it leaves no copies behind when it grows.
pub(super) fn encode<T: Serialize>(body: &T, content: usize) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
    let mut text = Zeroizing::new(Vec::with_capacity(content * 2 + 1024));
    serde_json::to_writer(&mut *text, body).map_err(|_| DocumentError::Encode)?;
    Ok(text)
}

fn entries(text: &[u8]) -> Result<BTreeMap<Cow<'_, str>, &RawValue>, DocumentError> {
    serde_json::from_slice(text).map_err(|_| DocumentError::NotAnObject)
}

/// Values that cannot become a secret in Vault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DocumentError {
    /// Without a property the value is the document.
    #[error("the value is not a JSON object")]
    NotAnObject,
    /// JSON has only text.
    #[error("the value of {key:?} is not UTF-8 text")]
    NotText {
        /// Of which key.
        key: String,
    },
    /// The text could not be written. No source: it would quote the value.
    #[error("the value cannot be encoded")]
    Encode,
}

#[cfg(test)]
mod tests {
    use pipeline::Fields;

    use super::*;

    fn json(text: &str) -> Document {
        Document::Json(Value::from(text))
    }

    fn shown(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).expect("JSON is text")
    }

    #[test]
    fn any_object_is_stored_and_nothing_else() {
        let fields: Fields =
            [("b".to_owned(), Value::from("1\"")), ("a".to_owned(), Value::from("ü"))].into();
        for (document, expected) in [
            (json(r#"{"n":1.50,"big":12345678901234567890}"#), r#"{"n":1.50,"big":12345678901234567890}"#),
            (Document::Bytes(Value::from("{}")), "{}"),
            (Document::Map(fields), r#"{"a":"ü","b":"1\""}"#),
        ] {
            assert_eq!(shown(&text(&document).expect(expected)), expected);
        }
        for refused in ["", "plain", "[1]", "\"x\"", "null", "{\"a\":1} x"] {
            assert_eq!(text(&json(refused)), Err(DocumentError::NotAnObject), "{refused}");
        }
        let binary: Fields = [("k".to_owned(), Value::new(vec![0xff]))].into();
        assert_eq!(text(&Document::Map(binary)), Err(DocumentError::NotText { key: "k".to_owned() }));
    }

    #[test]
    fn what_is_read_is_sorted_and_otherwise_as_it_is() {
        for (theirs, expected) in [
            ("{}", "{}"),
            (r#"{"b":1.50,"a":12345678901234567890}"#, r#"{"a":12345678901234567890,"b":1.50}"#),
            (
                r#"{ "z" : [ {"y":1, "x":"\u003c"}, [ ], null ], "a\"b": true }"#,
                r#"{"a\"b":true,"z":[{"x":"\u003c","y":1},[],null]}"#,
            ),
        ] {
            let raw: &RawValue = serde_json::from_str(theirs).expect("JSON");
            assert_eq!(document(raw).expect(theirs), json(expected), "{theirs}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let raw: Result<&RawValue, _> = serde_json::from_str(&deep);
        assert!(raw.map_err(|_| ()).and_then(|raw| document(raw).map_err(|_| ())).is_err());
    }

    #[test]
    fn a_versioned_write_carries_the_document_unchanged() {
        let body = versioned(br#"{"n":1.0}"#, 3).expect("a body");
        assert_eq!(shown(&body), r#"{"options":{"cas":3},"data":{"n":1.0}}"#);
    }

    #[test]
    fn marks_of_version_1_live_inside_and_come_out_again() {
        let marks: Marks = [("managed-by".to_owned(), "external-secrets".to_owned())].into();
        let stored = joined(&json(r#"{"p":"x","n":1.0}"#), &marks).expect("a body");
        assert_eq!(
            shown(&stored),
            r#"{"custom_metadata":{"managed-by":"external-secrets"},"n":1.0,"p":"x"}"#
        );
        let raw: &RawValue = serde_json::from_slice(&stored).expect("JSON");
        assert_eq!(split(raw).expect("both"), (json(r#"{"n":1.0,"p":"x"}"#), marks));
        for (theirs, left) in
            [(r#"{"p":"x"}"#, r#"{"p":"x"}"#), (r#"{"custom_metadata":"x"}"#, r#"{"custom_metadata":"x"}"#)]
        {
            let raw: &RawValue = serde_json::from_str(theirs).expect("JSON");
            assert_eq!(split(raw).expect("both"), (json(left), Marks::new()), "{theirs}");
        }
    }
}
