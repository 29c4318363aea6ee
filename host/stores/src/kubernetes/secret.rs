//! Between Secrets and documents.

use std::collections::BTreeMap;

use api::names::secret_type::ROTATION;
use k8s_openapi::ByteString;
use k8s_openapi::api::authorization::v1::SelfSubjectRulesReview;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pipeline::{Document, Fields, Found, Marks, Remote, Revision, Value};
use serde_json::value::RawValue;

const LONGEST_NAME: usize = 253;

/// Whether it is a rotation record, which no store shows.
pub(super) fn is_record(secret: &Secret) -> bool {
    secret.type_.as_deref() == Some(ROTATION)
}

/// Its data.
pub(super) fn document(secret: Secret) -> Document {
    let data = secret.data.unwrap_or_default();
    Document::Map(data.into_iter().map(|(key, bytes)| (key, Value::new(bytes.0))).collect())
}

/// Its labels and annotations.
pub(super) fn metadata(secret: &Secret) -> Document {
    let (annotations, labels) = (&secret.metadata.annotations, &secret.metadata.labels);
    let none = BTreeMap::new();
    let shown = serde_json::json!({
        "annotations": annotations.as_ref().unwrap_or(&none),
        "labels": labels.as_ref().unwrap_or(&none),
    });
    Document::Json(Value::from(shown.to_string()))
}

/// What a writer has to know.
pub(super) fn remote(found: Option<Secret>) -> Remote {
    let Some(secret) = found else {
        let marks = Marks::new();
        return Remote { document: Found::Missing, managed: true, marks, revision: Revision::Absent };
    };
    Remote {
        managed: true,
        marks: secret.metadata.annotations.clone().unwrap_or_default(),
        revision: Revision::At(secret.metadata.resource_version.clone().unwrap_or_default()),
        document: Found::Found(document(secret)),
    }
}

/// A new Secret.
pub(super) fn empty(name: &str, namespace: &str) -> Secret {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ObjectMeta::default()
    };
    Secret { metadata, type_: Some("Opaque".to_owned()), ..Secret::default() }
}

/// The data of a Secret for a document: its fields, or those of its JSON object; text as it is, all else as JSON.
pub(super) fn data(document: &Document) -> Result<BTreeMap<String, ByteString>, ContentError> {
    match document {
        Document::Map(fields) => Ok(bytes(fields)),
        Document::Json(text) | Document::Bytes(text) => {
            let entries: BTreeMap<String, &RawValue> =
                serde_json::from_slice(text.expose()).map_err(|_| ContentError::NotAnObject)?;
            Ok(entries.into_iter().map(|(key, value)| (key, ByteString(plain(value)))).collect())
        }
    }
}

fn bytes(fields: &Fields) -> BTreeMap<String, ByteString> {
    fields.iter().map(|(key, value)| (key.clone(), ByteString(value.expose().to_vec()))).collect()
}

fn plain(value: &RawValue) -> Vec<u8> {
    match serde_json::from_str::<String>(value.get()) {
        Ok(text) => text.into_bytes(),
        Err(_) => value.get().as_bytes().to_vec(),
    }
}

/// The selector for labels; none when no label can be like that.
#[expect(clippy::option_option, reason = "no selector and a selector that fits nothing are two things")]
pub(super) fn selector(tags: &BTreeMap<String, String>) -> Option<Option<String>> {
    let plain = |text: &str| text.chars().all(|char| char.is_ascii_alphanumeric() || "._-/".contains(char));
    if !tags.iter().all(|(name, value)| plain(name) && !name.is_empty() && plain(value)) {
        return None;
    }
    let terms: Vec<_> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some((!terms.is_empty()).then(|| terms.join(",")))
}

/// Whether a list of rights has that to get Secrets.
pub(super) fn may_get(review: &SelfSubjectRulesReview) -> bool {
    let has = |all: Option<&Vec<String>>, one: &str| {
        all.is_some_and(|all| all.iter().any(|each| each == one || each == "*"))
    };
    review.status.as_ref().is_some_and(|status| {
        status.resource_rules.iter().any(|rule| {
            let any_name = rule.resource_names.as_ref().is_none_or(Vec::is_empty);
            let group =
                rule.api_groups.as_ref().is_none_or(Vec::is_empty) || has(rule.api_groups.as_ref(), "");
            any_name && group && has(rule.resources.as_ref(), "secrets") && has(Some(&rule.verbs), "get")
        })
    })
}

/// A name ends up in a URL, so it must be one.
pub(super) fn check_name(name: &str) -> Result<(), ContentError> {
    let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-' || char == '.';
    let ends = |edge: Option<char>| edge.is_some_and(|char| char.is_ascii_alphanumeric());
    let fits = name.len() <= LONGEST_NAME && name.chars().all(plain);
    if fits && ends(name.chars().next()) && ends(name.chars().next_back()) {
        Ok(())
    } else {
        Err(ContentError::Name)
    }
}

/// Names and values that make no Secret.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ContentError {
    /// The key is no name.
    #[error("the key is not the name of a Secret")]
    Name,
    /// Without a property the value is the whole data.
    #[error("the value is not a JSON object")]
    NotAnObject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_never_reach_a_url() {
        for (name, fits) in [
            ("db", true),
            ("a.b-c9", true),
            ("", false),
            ("..", false),
            ("a/../b", false),
            ("a?x", false),
            ("A", false),
            ("-a", false),
            ("a.", false),
        ] {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
        assert!(check_name(&"a".repeat(254)).is_err());
    }

    #[test]
    fn documents_become_data() {
        let json = Document::Json(Value::from(r#"{"text":"a\"b","n":1.50,"o":{"x":[1]}}"#));
        let data = data(&json).expect("an object");
        let shown: Vec<_> =
            data.iter().map(|(key, bytes)| (key.as_str(), String::from_utf8_lossy(&bytes.0))).collect();
        assert_eq!(shown, [("n", "1.50".into()), ("o", r#"{"x":[1]}"#.into()), ("text", "a\"b".into())]);
        assert_eq!(super::data(&Document::Bytes(Value::from("plain"))), Err(ContentError::NotAnObject));
    }

    #[test]
    fn a_selector_cannot_be_widened_by_a_tag() {
        let tags = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(selector(&BTreeMap::new()), Some(None));
        assert_eq!(selector(&tags("a.b/c", "d_e")), Some(Some("a.b/c=d_e".to_owned())));
        for (name, value) in
            [("a", "b,c"), ("a,b", "c"), ("", "x"), ("a", "b=c"), ("!a", ""), ("a in (b)", "")]
        {
            assert_eq!(selector(&tags(name, value)), None, "{name}={value}");
        }
    }

    #[test]
    fn rights_are_read_as_kubernetes_means_them() {
        for (rule, may) in [
            (serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}), true),
            (serde_json::json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}), true),
            (serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}), false),
            (serde_json::json!({"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]}), false),
            (serde_json::json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}), false),
            (
                serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"], "verbs": ["get"]}),
                false,
            ),
        ] {
            let status =
                serde_json::json!({"incomplete": false, "nonResourceRules": [], "resourceRules": [rule]});
            let review =
                serde_json::from_value(serde_json::json!({"metadata": {}, "spec": {}, "status": status}));
            assert_eq!(may_get(&review.expect("a review")), may, "{rule}");
        }
    }
}
