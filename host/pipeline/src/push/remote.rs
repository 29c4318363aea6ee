//! One remote secret: what it is, what it is to be, and whether that differs.
//!
//! Documents are compared by what they mean, so that the order of keys and the way a number is written cause no new version.
//! Properties that are not ours keep their text.

use api::push_secret::UpdatePolicy;
use serde_json::value::RawValue;
use serde_json::{Number, Value as Json};

use super::entries::{Content, PushEntry};
use super::error::PushError;
use crate::field::{Fields, Value};
use crate::ports::{Document, Found, Remote};
use crate::shape::{members, object_text, property_value, raw_members};
use crate::spec::StoreName;

/// What to do with one remote secret.
#[derive(Debug, Clone, PartialEq)]
pub enum RemotePlan {
    /// Write the whole of it.
    Write {
        /// What is to be there.
        document: Document,
    },
    /// Delete it.
    Delete,
    /// Write nothing.
    Keep,
}

/// Plans the entries that go to one remote key.
///
/// # Errors
/// When somebody else's secret is there, or what is there cannot take the property.
pub fn plan_remote(
    store: &StoreName,
    key: &str,
    remote: &Remote,
    entries: &[&PushEntry],
    update: UpdatePolicy,
) -> Result<RemotePlan, PushError> {
    let wanted =
        entries.iter().filter(|entry| update == UpdatePolicy::Replace || !exists(&remote.document, entry));
    let wanted: Vec<&&PushEntry> = wanted.collect();
    if wanted.is_empty() {
        return Ok(RemotePlan::Keep);
    }
    let place = Place { store, key };
    if let (Found::Found(_), false) = (&remote.document, remote.managed) {
        return Err(PushError::NotManaged { store: store.clone(), key: key.to_owned() });
    }
    let mut document = match &remote.document {
        Found::Found(document) => document.clone(),
        Found::Missing => Document::Map(Fields::new()),
    };
    for entry in wanted {
        document = place.put(document, entry)?;
    }
    match &remote.document {
        Found::Found(there) if same(there, &document) => Ok(RemotePlan::Keep),
        _ => Ok(RemotePlan::Write { document }),
    }
}

/// Whether the very place that an entry goes to is taken.
fn exists(document: &Found<Document>, entry: &PushEntry) -> bool {
    match (document, entry.property()) {
        (Found::Missing, _) => false,
        (Found::Found(_), None) => true,
        (Found::Found(document), Some(property)) => property_value(document, property).is_ok(),
    }
}

struct Place<'a> {
    store: &'a StoreName,
    key: &'a str,
}

impl Place<'_> {
    fn put(&self, document: Document, entry: &PushEntry) -> Result<Document, PushError> {
        match (&entry.content, entry.property()) {
            (Content::Whole(fields), None) => Ok(Document::Map(fields.clone())),
            (Content::One(value), None) => Ok(Document::Bytes(value.clone())),
            (Content::Whole(fields), Some(property)) => self.set(document, property, object_text(fields)),
            (Content::One(value), Some(property)) => self.set(document, property, value.clone()),
        }
    }

    fn set(&self, document: Document, property: &str, value: Value) -> Result<Document, PushError> {
        let (store, key) = (|| self.store.clone(), || self.key.to_owned());
        let text = match document {
            Document::Map(mut fields) => {
                fields.insert(property.to_owned(), value);
                return Ok(Document::Map(fields));
            }
            Document::Json(text) | Document::Bytes(text) => text,
        };
        let members = raw_members(text.expose());
        let mut members = members
            .map_err(|_| PushError::NotAnObject {
                store: store(),
                key: key(),
                property: property.to_owned(),
            })?
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.get().to_owned()))
            .collect::<Vec<_>>();
        let value = std::str::from_utf8(value.expose());
        let value = value.map_err(|_| PushError::NotText {
            store: store(),
            key: key(),
            property: property.to_owned(),
        })?;
        let value = Json::from(value).to_string();
        match members.iter_mut().find(|(name, _)| name == property) {
            Some((_, there)) => *there = value,
            None => members.push((property.to_owned(), value)),
        }
        Ok(Document::Json(object(&members)))
    }
}

/// The text of an object whose values are JSON texts.
fn object(members: &[(String, String)]) -> Value {
    let members = members.iter().map(|(name, value)| format!("{}:{value}", Json::from(name.as_str())));
    Value::from(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

/// Takes properties out; what is left of the document, none when that is nothing.
pub(super) fn without(document: &Document, properties: &[&str]) -> Option<Document> {
    let is_gone = |name: &str| properties.contains(&name);
    match document {
        Document::Map(fields) => {
            let left: Fields = fields
                .iter()
                .filter(|(name, _)| !is_gone(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            (!left.is_empty()).then_some(Document::Map(left))
        }
        Document::Json(text) | Document::Bytes(text) => {
            let members = raw_members(text.expose()).ok()?;
            let left = members.into_iter().filter(|(name, _)| !is_gone(name));
            let left: Vec<(String, String)> = left
                .map(|(name, value): (_, &RawValue)| (name.into_owned(), value.get().to_owned()))
                .collect();
            (!left.is_empty()).then(|| Document::Json(object(&left)))
        }
    }
}

/// Whether two documents mean the same.
pub(super) fn same(there: &Document, wanted: &Document) -> bool {
    match (there, wanted) {
        (Document::Map(there), Document::Map(wanted)) => there == wanted,
        // A store of entries keeps a JSON object as texts.
        (Document::Map(there), Document::Json(wanted) | Document::Bytes(wanted)) => {
            members(wanted.expose()).is_ok_and(|wanted| *there == wanted.into_iter().collect::<Fields>())
        }
        (Document::Json(there) | Document::Bytes(there), Document::Map(wanted)) => {
            let text = wanted.values().all(|value| std::str::from_utf8(value.expose()).is_ok());
            text && same_json(there, &object_text(wanted))
        }
        (
            Document::Json(there) | Document::Bytes(there),
            Document::Json(wanted) | Document::Bytes(wanted),
        ) => there == wanted || same_json(there, wanted),
    }
}

fn same_json(there: &Value, wanted: &Value) -> bool {
    let parse = |value: &Value| serde_json::from_slice::<Json>(value.expose()).ok();
    match (parse(there), parse(wanted)) {
        // Only objects: text that happens to be a number is text.
        (Some(there @ Json::Object(_)), Some(wanted @ Json::Object(_))) => equal(&there, &wanted),
        _ => false,
    }
}

fn equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => equal_numbers(one, other),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|there| equal(value, there)))
        }
        (one, other) => one == other,
    }
}

/// `1`, `1.0` and `1e0` are the same number; two integers are compared as integers.
fn equal_numbers(one: &Number, other: &Number) -> bool {
    one == other || ((one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64())
}
