//! The fake provider: its secrets stand in the store's own spec. For tests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{InlineSecret, schema};

/// A store whose secrets stand in its own spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FakeProvider {
    /// The secrets.
    pub data: Vec<FakeProviderData>,
    /// What a check of the store answers: 0 valid, 1 unknown, 2 in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub validation_result: Option<i64>,
}

/// One secret of a fake store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FakeProviderData {
    /// Name of the secret.
    pub key: String,
    /// Its value, in plain text.
    pub value: InlineSecret,
    /// The version that has this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
