//! Status conditions, as all kinds report them.
//!
//! The reasons are constants in [`crate::names::reason`]; when a condition's time may change is the controller's to
//! decide.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// One aspect of an object's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect this condition is about.
    #[serde(rename = "type")]
    #[schemars(schema_with = "schema::string")]
    pub type_: ConditionType,
    /// Whether it holds: True, False or Unknown.
    #[schemars(schema_with = "schema::string")]
    pub status: ConditionStatus,
    /// Short CamelCase cause of the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened, to what, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub last_transition_time: Option<Time>,
}

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConditionType {
    /// The object does what its spec says.
    Ready,
    /// The target was deleted because the store no longer has the value.
    Deleted,
    /// Another controller's condition, kept as it is.
    #[serde(untagged)]
    Other(String),
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be said.
    Unknown,
    /// Not a status that Kubernetes knows, kept as it is.
    #[serde(untagged)]
    Other(String),
}

/// The condition of the type in a list, if there is one.
pub(crate) fn find<'a>(conditions: &'a [Condition], type_: &ConditionType) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == *type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_conditions_are_kept() {
        let text = r#"{"type":"Progressing","status":"Maybe"}"#;
        let condition: Condition = serde_json::from_str(text).unwrap();
        assert_eq!(condition.type_, ConditionType::Other("Progressing".to_owned()));
        assert_eq!(serde_json::to_string(&condition).unwrap(), text);
    }

    #[test]
    fn known_conditions_are_found_by_type() {
        let text = r#"[{"type":"Deleted","status":"False"},{"type":"Ready","status":"True"}]"#;
        let conditions: Vec<Condition> = serde_json::from_str(text).unwrap();
        assert_eq!(
            find(&conditions, &ConditionType::Ready).map(|ready| &ready.status),
            Some(&ConditionStatus::True)
        );
        assert_eq!(find(&[], &ConditionType::Ready), None);
    }
}
