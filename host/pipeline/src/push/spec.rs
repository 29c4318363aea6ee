//! The checked PushSecret, and the source that it reads.

use api::external_secret::RefreshPolicy;
use api::names::annotation;
use api::push_secret::{
    PushConversionStrategy, PushDeletionPolicy, PushSecretData, PushSecretDataTo, PushSecretRewriteRule,
    PushSecretStoreRef, PushSource, UpdatePolicy,
};
use api::{Problem, PushSecret, Template};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value as Json;

use crate::failure::ObjectRef;
use crate::field::{Fields, Value};
use crate::rotation::EntryKey;
use crate::shape::Pattern;
use crate::spec::{GeneratorEntry, Refresh, Rewrite, SpecError, template_sources};

/// A PushSecret's spec, checked.
#[derive(Debug, Clone)]
pub struct CheckedPush {
    pub(crate) refresh: Refresh,
    pub(crate) stores: Vec<PushSecretStoreRef>,
    pub(crate) update: UpdatePolicy,
    pub(crate) deletion: PushDeletionPolicy,
    pub(crate) source: SourceName,
    pub(crate) data: Vec<PushSecretData>,
    pub(crate) data_to: Vec<DataTo>,
    pub(crate) template: Option<Template>,
}

/// Where the values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceName {
    /// The Secret of that name.
    Secret(String),
    /// All Secrets with these labels.
    Secrets(LabelSelector),
    /// What a generator makes.
    Generator(GeneratorEntry),
}

/// One dataTo entry.
#[derive(Debug, Clone)]
pub(crate) struct DataTo {
    pub(crate) store: PushSecretStoreRef,
    /// All matched keys as one document there; each under a remote key of its own when absent.
    pub(crate) bundle: Option<String>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) rewrite: Vec<Rewrite>,
    pub(crate) metadata: Option<Json>,
    pub(crate) conversion: PushConversionStrategy,
}

/// A source Secret as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSecret {
    /// Its name.
    pub name: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// When it was written last, as far as `managedFields` tells.
    pub changed_at: Option<Timestamp>,
    /// The rotation that it carries.
    pub rotation: Option<String>,
    /// Its data.
    pub data: Fields,
}

impl SourceSecret {
    /// As the API server gave it.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let meta = &secret.metadata;
        let written =
            meta.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref()).map(|time| time.0);
        let annotations = meta.annotations.as_ref();
        let data = secret.data.iter().flatten();
        Self {
            name: meta.name.clone().unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
            changed_at: written.max(),
            rotation: annotations.and_then(|annotations| annotations.get(annotation::ROTATION)).cloned(),
            data: data.map(|(key, bytes)| (key.clone(), Value::from(bytes.0.as_slice()))).collect(),
        }
    }
}

impl CheckedPush {
    /// Checks a PushSecret.
    ///
    /// # Errors
    /// With all problems and their paths.
    pub fn parse(object: &PushSecret) -> Result<Self, SpecError> {
        let mut problems = object.validate();
        let found = problems.len();
        let checked = check(object, &mut problems);
        // What both find, validation has said already.
        if found > 0 {
            problems.truncate(found);
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, name) = (text(&object.metadata.namespace), text(&object.metadata.name));
        match checked {
            Some(checked) if problems.is_empty() => Ok(checked),
            _ => Err(SpecError::Invalid {
                object: ObjectRef::namespaced("PushSecret", &namespace, &name),
                problems,
            }),
        }
    }

    /// Where the values come from.
    #[must_use]
    pub fn source(&self) -> &SourceName {
        &self.source
    }

    /// The generator, when the values come from one.
    #[must_use]
    pub fn generator(&self) -> Option<&GeneratorEntry> {
        match &self.source {
            SourceName::Generator(entry) => Some(entry),
            SourceName::Secret(_) | SourceName::Secrets(_) => None,
        }
    }

    /// The stores that it names, by name or by labels.
    #[must_use]
    pub fn store_refs(&self) -> &[PushSecretStoreRef] {
        &self.stores
    }

    /// Whether what was pushed is deleted when it is not wanted any more; then the object needs its finalizer.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.deletion == PushDeletionPolicy::Delete
    }

    /// Whether it has a template.
    #[must_use]
    pub const fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// The ConfigMaps and Secrets that its template is read from.
    #[must_use]
    pub fn template_sources(&self, namespace: &str) -> Vec<ObjectRef> {
        self.template.as_ref().map(|template| template_sources(template, namespace)).unwrap_or_default()
    }
}

fn check(object: &PushSecret, problems: &mut Vec<Problem>) -> Option<CheckedPush> {
    let spec = &object.spec;
    let mut data_to = Vec::new();
    for (index, entry) in spec.data_to.iter().enumerate() {
        data_to.push(check_data_to(&format!("spec.dataTo[{index}]"), entry, problems));
    }
    let source = match spec.selector.source() {
        Some(PushSource::Secret(name)) => Some(SourceName::Secret(name.to_owned())),
        Some(PushSource::Secrets(labels)) => Some(SourceName::Secrets(labels.clone())),
        Some(PushSource::Generator(generator)) => Some(SourceName::Generator(GeneratorEntry {
            key: EntryKey::new(&generator.api_version, generator.kind.as_str(), &generator.name, 0),
            api_version: generator.api_version.clone(),
            kind: generator.kind.as_str().to_owned(),
            name: generator.name.clone(),
        })),
        None => {
            let message = "needs exactly one of secret, with a name or a selector, and generatorRef";
            problems.push(Problem { path: "spec.selector".to_owned(), message: message.to_owned() });
            None
        }
    };
    Some(CheckedPush {
        refresh: Refresh {
            policy: RefreshPolicy::Periodic,
            interval: spec.refresh_interval.to_std(),
            windows: None,
        },
        stores: spec.secret_store_refs.clone(),
        update: spec.update_policy,
        deletion: spec.deletion_policy,
        source: source?,
        data: spec.data.clone(),
        data_to: data_to.into_iter().collect::<Option<_>>()?,
        template: spec.template.clone(),
    })
}

fn check_data_to(path: &str, entry: &PushSecretDataTo, problems: &mut Vec<Problem>) -> Option<DataTo> {
    let mut report =
        |path: String, message: &str| problems.push(Problem { path, message: message.to_owned() });
    let mut compile = |path: String, text: &str| match Pattern::compile(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            report(path, &format!("is not a regular expression: {}", error.message));
            None
        }
    };
    let regexp =
        entry.match_.as_ref().and_then(|wanted| wanted.regexp.as_deref()).filter(|regexp| !regexp.is_empty());
    let pattern = match regexp {
        Some(regexp) => Some(compile(format!("{path}.match.regexp"), regexp)?),
        None => None,
    };
    let mut rewrite = Vec::new();
    for (index, step) in entry.rewrite.iter().enumerate() {
        let path = format!("{path}.rewrite[{index}]");
        rewrite.push(match step.rule() {
            Some(PushSecretRewriteRule::Regexp(regexp)) => Rewrite::Regexp {
                pattern: compile(format!("{path}.regexp.source"), &regexp.source)?,
                target: regexp.target.clone(),
            },
            Some(PushSecretRewriteRule::Transform(transform)) => {
                Rewrite::Transform { template: transform.template.clone() }
            }
            None => {
                report(path, "needs exactly one of regexp and transform");
                return None;
            }
        });
    }
    let Some(store) = entry.store_ref.clone() else {
        report(format!("{path}.storeRef"), "is missing: name one of spec.secretStoreRefs");
        return None;
    };
    Some(DataTo {
        store,
        bundle: entry.remote_key.clone().filter(|key| !key.is_empty()),
        pattern,
        rewrite,
        metadata: entry.metadata.clone(),
        conversion: entry.conversion_strategy,
    })
}
