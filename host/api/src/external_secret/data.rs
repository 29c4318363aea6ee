//! The entries of an ExternalSecret: what is read from where.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rewrite::Rewrite;
use crate::{GeneratorRef, StoreRef, schema};

/// One value under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataEntry {
    /// The key in the target.
    #[schemars(schema_with = "schema::data_key")]
    pub secret_key: String,
    /// Where the value lives in the store.
    pub remote_ref: RemoteRef,
    /// A store for this entry only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<SourceRef>,
}

/// Many values at once, by exactly one of extract, find and sourceRef.generatorRef.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataFromEntry {
    /// All properties of one remote secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<RemoteRef>,
    /// All remote secrets that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// How the keys are renamed, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rewrite>,
    /// A store for this entry only, or the generator that makes the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<SourceRef>,
}

/// Where the values of a [`DataFromEntry`] come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DataFromSource<'a> {
    /// All properties of one remote secret.
    Extract(&'a RemoteRef),
    /// All remote secrets that match.
    Find(&'a Find),
    /// A generator.
    Generator(&'a GeneratorRef),
}

impl DataFromEntry {
    /// The one source that is given; `None` when there is none or more than one, which validation reports.
    #[must_use]
    pub fn source(&self) -> Option<DataFromSource<'_>> {
        match (&self.extract, &self.find, self.generator_ref()) {
            (Some(remote), None, None) => Some(DataFromSource::Extract(remote)),
            (None, Some(find), None) => Some(DataFromSource::Find(find)),
            (None, None, Some(generator)) => Some(DataFromSource::Generator(generator)),
            _ => None,
        }
    }

    /// The generator, when there is one.
    #[must_use]
    pub fn generator_ref(&self) -> Option<&GeneratorRef> {
        self.source_ref.as_ref()?.generator_ref.as_ref()
    }

    /// The entry's own store, when there is one.
    #[must_use]
    pub fn store_ref(&self) -> Option<&StoreRef> {
        self.source_ref.as_ref()?.store_ref.as_ref()
    }
}

impl DataEntry {
    /// The entry's own store, when there is one.
    #[must_use]
    pub fn store_ref(&self) -> Option<&StoreRef> {
        self.source_ref.as_ref()?.store_ref.as_ref()
    }
}

/// Exactly one source for an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct SourceRef {
    /// A store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ref: Option<StoreRef>,
    /// A generator; only in dataFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_ref: Option<GeneratorRef>,
}

/// A value in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteRef {
    /// Name or path of the remote secret, as the store spells it.
    pub key: String,
    /// A path inside the remote secret; the whole of it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// A version of the remote secret; the newest when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the value or the metadata of the remote secret is read; None, the value, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MetadataPolicy")]
    pub metadata_policy: Option<MetadataPolicy>,
    /// How characters that no key may have are replaced; Default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ConversionStrategy")]
    pub conversion_strategy: Option<ConversionStrategy>,
    /// How the value is decoded; None, not at all, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DecodingStrategy")]
    pub decoding_strategy: Option<DecodingStrategy>,
    /// Whether a value with a null byte fails the refresh; Ignore when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NullBytePolicy")]
    pub null_byte_policy: Option<NullBytePolicy>,
}

impl RemoteRef {
    /// What is read, [`MetadataPolicy::None`] when left out.
    #[must_use]
    pub fn metadata_policy(&self) -> MetadataPolicy {
        self.metadata_policy.unwrap_or_default()
    }

    /// How keys are made valid, [`ConversionStrategy::Default`] when left out.
    #[must_use]
    pub fn conversion_strategy(&self) -> ConversionStrategy {
        self.conversion_strategy.unwrap_or_default()
    }

    /// How values are decoded, [`DecodingStrategy::None`] when left out.
    #[must_use]
    pub fn decoding_strategy(&self) -> DecodingStrategy {
        self.decoding_strategy.unwrap_or_default()
    }

    /// What a null byte does, [`NullBytePolicy::Ignore`] when left out.
    #[must_use]
    pub fn null_byte_policy(&self) -> NullBytePolicy {
        self.null_byte_policy.unwrap_or_default()
    }
}

/// Which remote secrets are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Find {
    /// Where in the store the search begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A condition on the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FindName>,
    /// Tags that the remote secret must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How characters that no key may have are replaced; Default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ConversionStrategy")]
    pub conversion_strategy: Option<ConversionStrategy>,
    /// How the values are decoded; None, not at all, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DecodingStrategy")]
    pub decoding_strategy: Option<DecodingStrategy>,
    /// Whether a value with a null byte fails the refresh; Ignore when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NullBytePolicy")]
    pub null_byte_policy: Option<NullBytePolicy>,
}

impl Find {
    /// How keys are made valid, [`ConversionStrategy::Default`] when left out.
    #[must_use]
    pub fn conversion_strategy(&self) -> ConversionStrategy {
        self.conversion_strategy.unwrap_or_default()
    }

    /// How values are decoded, [`DecodingStrategy::None`] when left out.
    #[must_use]
    pub fn decoding_strategy(&self) -> DecodingStrategy {
        self.decoding_strategy.unwrap_or_default()
    }

    /// What a null byte does, [`NullBytePolicy::Ignore`] when left out.
    #[must_use]
    pub fn null_byte_policy(&self) -> NullBytePolicy {
        self.null_byte_policy.unwrap_or_default()
    }
}

/// A condition on the name of a remote secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindName {
    /// A regular expression that some part of the name matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regexp: Option<String>,
}

/// What of a remote secret is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MetadataPolicy {
    /// Its value.
    #[default]
    None,
    /// Its metadata.
    Fetch,
}

/// How characters that no key may have are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConversionStrategy {
    /// Each by an underscore.
    #[default]
    Default,
    /// Each by its code point, as _U0021_.
    Unicode,
}

/// How a value is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DecodingStrategy {
    /// As base64, else as base64url, else not at all.
    Auto,
    /// As base64.
    Base64,
    /// As base64 in the alphabet of URLs.
    #[serde(rename = "Base64URL")]
    Base64Url,
    /// Not at all.
    #[default]
    None,
}

/// What a null byte in a value does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum NullBytePolicy {
    /// Nothing.
    #[default]
    Ignore,
    /// The refresh fails.
    Fail,
}
