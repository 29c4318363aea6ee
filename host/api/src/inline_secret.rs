//! Secret text that stands in a spec itself.
//!
//! A few fields of ESO's kinds hold a secret in plain text (the fake store, the Fake generator) or may hold one (headers,
//! the config of a provider that we do not have). They must survive reading and writing of the object, for the object is
//! where they live; they must not survive `Debug`. So both types here serialise, and neither can be printed.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Secret text in a spec: no revealing `Debug`, zeroed on drop.
#[derive(Clone, Default)]
pub struct InlineSecret(SecretString);

impl InlineSecret {
    /// The text. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for InlineSecret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for InlineSecret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for InlineSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Compares specs with each other; never used to check a credential, so it need not take constant time.
impl PartialEq for InlineSecret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for InlineSecret {}

impl Serialize for InlineSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for InlineSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for InlineSecret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "InlineSecret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// The config of a component, or of a provider or generator that keymill does not have, as it was written. It may hold secrets, so `Debug`
/// shows its keys at most.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RawObject(pub serde_json::Map<String, serde_json::Value>);

impl From<RawObject> for serde_json::Value {
    fn from(object: RawObject) -> Self {
        Self::Object(object.0)
    }
}

impl fmt::Debug for RawObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_reveals_nothing() {
        let secret = InlineSecret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        let raw: RawObject = serde_json::from_str(r#"{"password": {"value": "hunter2"}}"#).unwrap();
        assert_eq!(format!("{raw:?}"), r#"{"password"}"#);
    }

    /// Whatever holds secret text in a spec, with the text in every place that may.
    #[test]
    fn no_kind_prints_its_secrets() {
        fn check<K: serde::de::DeserializeOwned + fmt::Debug + Serialize>(spec: &str) {
            let text = format!("{{metadata: {{name: example}}, spec: {spec}}}");
            let object: K = serde_saphyr::from_str(&text).unwrap();
            let printed = format!("{object:?} {object:#?}");
            assert!(!printed.contains("hunter2"), "{printed}");
            assert!(
                serde_json::to_string(&object).unwrap().contains("hunter2"),
                "{spec} is written as it was read"
            );
        }
        check::<crate::SecretStore>("{provider: {fake: {data: [{key: a, value: hunter2}]}}}");
        check::<crate::SecretStore>("{provider: {vault: {server: s, headers: {a: hunter2}}}}");
        check::<crate::ClusterSecretStore>("{provider: {secretserver: {password: {value: hunter2}}}}");
        check::<crate::Fake>("{data: {a: hunter2}}");
        check::<crate::Generator>(
            "{componentRef: {kind: BuiltIn, name: fake}, config: {data: {a: hunter2}}}",
        );
        check::<crate::ClusterGenerator>("{kind: Fake, generator: {fakeSpec: {data: {a: hunter2}}}}");
        check::<crate::ClusterGenerator>(
            "{kind: Webhook, generator: {webhookSpec: {headers: {a: hunter2}}}}",
        );
    }

    #[test]
    fn text_survives_a_round_trip() {
        let secret: InlineSecret = serde_json::from_str(r#""hunter2""#).unwrap();
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""hunter2""#);
        assert!(serde_json::from_str::<InlineSecret>("2").is_err());
    }
}
