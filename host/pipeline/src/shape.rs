//! From what was gathered to what is published: property, rewrite, conversion, decoding and merge; then the template port, then
//! the policy port.
//!
//! Everything here is a function of its arguments up to the ports. A value that cannot be shaped fails the whole, so that a
//! target is never partly new. Errors name keys, paths and places, never a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::external_secret::DeletionPolicy;

use crate::field::Fields;
use crate::gather::Gathered;
use crate::meta::Meta;
use crate::ports::{Policies, ReadSecret, TemplateEngine};
use crate::spec::CheckedSpec;

mod conversion;
mod decoding;
mod document;
mod error;
mod judge;
mod pattern;
mod property;
mod rewrite;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use conversion::{check_keys, convert, reverse_unicode};
pub(crate) use decoding::{check_null_bytes, decode};
pub(crate) use document::{entries, object_text, property_value, whole};
pub use error::ShapeError;
pub use judge::Monitored;
pub(crate) use judge::judge;
pub use pattern::{Pattern, PatternError};
pub(crate) use property::{members, raw_members};
pub(crate) use rewrite::{merge, rename, renamed};
pub(crate) use template::{Rendering, assemble};

/// What shaping asks.
#[derive(Clone)]
pub struct Shapers {
    /// Renders templates.
    pub engine: Arc<dyn TemplateEngine>,
    /// Reads the ConfigMaps and Secrets that hold templates.
    pub templates: Arc<dyn ReadSecret>,
    /// Judges what is to be published.
    pub policies: Arc<dyn Policies>,
}

impl std::fmt::Debug for Shapers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shapers")
    }
}

/// What is to be published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shaped {
    /// The keys that we write.
    pub data: Fields,
    /// The labels that we write.
    pub labels: BTreeMap<String, String>,
    /// The annotations that we write.
    pub annotations: BTreeMap<String, String>,
    /// Finalizers of the template.
    pub finalizers: Vec<String>,
    /// The template's type, if it names one.
    pub secret_type: Option<String>,
    /// What policies have to say that do not enforce.
    pub monitored: Monitored,
    /// Whether the stores had no value at all and the deletionPolicy is not to go on without; then the rest is empty.
    pub nothing_left: bool,
    /// Whether the template drew something: then its rotation is to be recorded.
    pub drew: bool,
    /// Which part of the template gave a key of the data; the others are as they were gathered.
    pub origins: BTreeMap<String, String>,
}

/// Shapes what was gathered for an ExternalSecret.
///
/// # Errors
/// When a template cannot be read or rendered, its result may not be written, or a policy does not accept it.
pub async fn shape(
    shapers: &Shapers,
    spec: &CheckedSpec,
    meta: &Meta,
    gathered: &Gathered,
) -> Result<Shaped, ShapeError> {
    if gathered.fields.is_empty() && spec.target.deletion != DeletionPolicy::Merge {
        return Ok(Shaped { nothing_left: true, ..Shaped::default() });
    }
    let mut shaped = match &spec.target.template {
        None => template::without(meta, gathered.fields.clone()),
        Some(wanted) => {
            let id = gathered.drawing_id();
            let stream = format!("{}/{}", meta.uid, id.as_ref().map_or("", |id| id.as_str()));
            let rendering = Rendering { meta, fields: &gathered.fields, stream: &stream, now: gathered.time };
            let assembled = assemble(shapers, wanted, &rendering).await?;
            template::onto(wanted, gathered.fields.clone(), assembled)
        }
    };
    conversion::check_target_keys(&shaped.data)?;
    template::check_type(&shaped, spec.target.template.as_ref())?;
    shaped.monitored = judge(shapers, "ExternalSecret", meta, &shaped.data, &gathered.generated).await?;
    Ok(shaped)
}
