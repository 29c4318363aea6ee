//! The template of a target, shared by ExternalSecret and PushSecret.
//!
//! What a template means is the template engine's business; here is only what a manifest may say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::external_secret::DecodingStrategy;
use crate::names::{annotation, secret_type};
use crate::problem::Problems;
use crate::schema;

/// How the target is made from the values that were gathered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Type of the Secret that is made, such as kubernetes.io/basic-auth.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Version of the template language.
    #[serde(default)]
    pub engine_version: EngineVersion,
    /// Labels, annotations and finalizers of the target. Values are templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<TemplateMetadata>,
    /// Whether the gathered values themselves go into the target beside what the template makes.
    #[serde(default)]
    pub merge_policy: MergePolicy,
    /// The target's data: key to template. Wins over templateFrom.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
    /// More templates, from ConfigMaps, from Secrets or written here; rendered in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub template_from: Vec<TemplateFrom>,
}

/// Versions of the template language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EngineVersion {
    /// Go templates with ESO's and sprig's functions.
    #[default]
    #[serde(rename = "v2")]
    V2,
}

/// What becomes of the gathered values when there is a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MergePolicy {
    /// Only what the template makes is in the target.
    #[default]
    Replace,
    /// The gathered values are in the target, and what the template makes on top of them.
    Merge,
}

/// Metadata of the target. Values are templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateMetadata {
    /// Annotations of the target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels of the target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Finalizers of the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
}

/// Templates from one place: a ConfigMap, a Secret, or literal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateFrom {
    /// A ConfigMap that holds templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<TemplateRef>,
    /// A Secret that holds templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<TemplateRef>,
    /// Which part of the target is made: Data, Annotations or Labels; for a target that is not a Secret, any path.
    #[serde(default = "target_data")]
    pub target: String,
    /// A template written here, which renders to a YAML map of keys and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub literal: Option<String>,
    /// How the rendered values are decoded on their way into the target; None, not at all, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DecodingStrategy")]
    pub values_decoding_strategy: Option<DecodingStrategy>,
}

impl Default for TemplateFrom {
    fn default() -> Self {
        Self {
            config_map: None,
            secret: None,
            target: target_data(),
            literal: None,
            values_decoding_strategy: None,
        }
    }
}

fn target_data() -> String {
    "Data".to_owned()
}

/// The part of the target that a [`TemplateFrom`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateTarget<'a> {
    /// The Secret's data.
    Data,
    /// The annotations.
    Annotations,
    /// The labels.
    Labels,
    /// A dotted path; only in a target that is not a Secret.
    Path(&'a str),
}

/// Where the template of a [`TemplateFrom`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateSource<'a> {
    /// In a ConfigMap.
    ConfigMap(&'a TemplateRef),
    /// In a Secret.
    Secret(&'a TemplateRef),
    /// In the manifest.
    Literal(&'a str),
}

impl TemplateFrom {
    /// The part of the target, by the name that upstream compares without regard to case.
    #[must_use]
    pub fn target(&self) -> TemplateTarget<'_> {
        match self.target.to_ascii_lowercase().as_str() {
            "" | "data" => TemplateTarget::Data,
            "annotations" => TemplateTarget::Annotations,
            "labels" => TemplateTarget::Labels,
            _ => TemplateTarget::Path(&self.target),
        }
    }

    /// The templates, in upstream's order: ConfigMap, Secret, literal. Each that is given is rendered.
    pub fn sources(&self) -> impl Iterator<Item = TemplateSource<'_>> {
        let config_map = self.config_map.as_ref().map(TemplateSource::ConfigMap);
        let secret = self.secret.as_ref().map(TemplateSource::Secret);
        let literal = self.literal.as_deref().map(TemplateSource::Literal);
        config_map.into_iter().chain(secret).chain(literal)
    }

    /// How the rendered values are decoded: not at all when left out.
    #[must_use]
    pub fn values_decoding_strategy(&self) -> DecodingStrategy {
        self.values_decoding_strategy.unwrap_or_default()
    }
}

/// A ConfigMap or Secret that holds templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateRef {
    /// Name of the ConfigMap or Secret, in the namespace of this object.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// The keys that hold templates.
    pub items: Vec<TemplateRefItem>,
}

/// A key that holds a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateRefItem {
    /// The key in the ConfigMap or Secret.
    #[schemars(schema_with = "schema::data_key")]
    pub key: String,
    /// What the template renders to.
    #[serde(default)]
    pub template_as: TemplateScope,
}

/// What a template renders to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TemplateScope {
    /// The value of the key that it stands under.
    #[default]
    Values,
    /// A YAML map of keys and values.
    KeysAndValues,
}

impl Template {
    /// Reports what no template may make, and parts that the target does not have.
    pub(crate) fn check(&self, target_is_secret: bool, problems: &mut Problems) {
        match self.type_.as_deref() {
            Some(secret_type::BOOTSTRAP_TOKEN) => problems.report_field(
                "type",
                format!("{} lets a node join the cluster: no template may make it", secret_type::BOOTSTRAP_TOKEN),
            ),
            Some(secret_type::SERVICE_ACCOUNT_TOKEN) if self.may_name_service_account() => problems.report_field(
                "type",
                format!(
                    "{} with the annotation {} would be given a ServiceAccount's token: no template may make it",
                    secret_type::SERVICE_ACCOUNT_TOKEN,
                    annotation::SERVICE_ACCOUNT_NAME
                ),
            ),
            _ => {}
        }
        problems.each("templateFrom", &self.template_from, |problems, from| {
            from.check(target_is_secret, problems)
        });
    }

    /// Whether the target may carry the annotation for which the cluster fills a token in. What a template for
    /// annotations renders to is not known yet, so it may.
    fn may_name_service_account(&self) -> bool {
        let named = self
            .metadata
            .as_ref()
            .is_some_and(|metadata| metadata.annotations.contains_key(annotation::SERVICE_ACCOUNT_NAME));
        named || self.template_from.iter().any(|from| from.target() == TemplateTarget::Annotations)
    }
}

impl TemplateFrom {
    fn check(&self, target_is_secret: bool, problems: &mut Problems) {
        if self.sources().next().is_none() {
            problems.report("needs one of configMap, secret and literal");
        }
        match self.target() {
            TemplateTarget::Path(path) if target_is_secret => problems.report_field(
                "target",
                format!("`{path}` is no part of a Secret: use Data, Annotations or Labels"),
            ),
            TemplateTarget::Path(_)
            | TemplateTarget::Data
            | TemplateTarget::Annotations
            | TemplateTarget::Labels => {}
        }
    }
}
