//! From a source to what goes to the stores: the template, and the keys of dataTo.

use std::collections::BTreeMap;

use api::push_secret::PushConversionStrategy;
use jiff::Timestamp;

use super::error::PushError;
use super::spec::{CheckedPush, DataTo};
use crate::field::Fields;
use crate::gather::renaming::rename;
use crate::meta::Meta;
use crate::ports::{GeneratedField, Marks};
use crate::shape::{Monitored, Rendering, ShapeError, Shapers, assemble, judge, reverse_unicode};

/// The mark that names the source: `namespace/name`.
const SOURCE: &str = "keymill.dev/source";
/// The mark that says which version of the source it was.
const SOURCE_VERSION: &str = "keymill.dev/source-version";
/// The mark that names the rotation.
const ROTATION: &str = "keymill.dev/rotation";

/// A source, shaped.
#[derive(Debug, Clone, PartialEq)]
pub struct PushShaped {
    /// The source's values, with the template's on top.
    pub fields: Fields,
    /// Which part of the template gave a key; the others are the source's.
    pub origins: BTreeMap<String, String>,
    /// For each dataTo entry the matched keys and the names they got.
    pub(crate) matched: Vec<Vec<Matched>>,
    /// What is kept beside each remote secret.
    pub marks: Marks,
    /// What policies have to say that do not enforce.
    pub monitored: Monitored,
    /// Whether the template drew something: then its rotation is to be recorded.
    pub drew: bool,
}

/// A key of the source that a dataTo entry matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    /// In the source.
    pub(crate) key: String,
    /// After conversion.
    pub(crate) converted: String,
    /// After the rewrite: the remote key.
    pub(crate) renamed: String,
}

/// What a source is, besides its values.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The Secret's name; the generator's identity when it was generated.
    pub name: &'a str,
    /// The Secret's resourceVersion.
    pub version: Option<&'a str>,
    /// The rotation that the values are of.
    pub rotation: Option<&'a str>,
    /// The rotation that the template draws in.
    pub drawn_in: &'a str,
    /// The present, as the template sees it.
    pub time: Timestamp,
}

/// Shapes one source.
///
/// # Errors
/// When a template fails, or a policy does not accept a value.
pub async fn shape_push(
    shapers: &Shapers,
    spec: &CheckedPush,
    meta: &Meta,
    origin: Origin<'_>,
    source: (&Fields, &[GeneratedField]),
) -> Result<PushShaped, PushError> {
    let failed = |source| PushError::Shape { source };
    let (fields, generated) = source;
    let (mut fields, mut origins, mut drew) = (fields.clone(), BTreeMap::new(), false);
    if let Some(template) = &spec.template {
        let stream = format!("{}/{}/{}", meta.uid, origin.name, origin.drawn_in);
        let rendering = Rendering { meta, fields: &fields, stream: &stream, now: origin.time };
        let assembled = assemble(shapers, template, &rendering).await.map_err(failed)?;
        fields.extend(assembled.data);
        origins = assembled.origins;
        drew = assembled.drew;
    }
    let monitored = judge(shapers, "PushSecret", meta, &fields, generated).await.map_err(failed)?;
    let mut matched = Vec::new();
    for entry in &spec.data_to {
        matched.push(match_keys(shapers, meta, entry, &fields, origin.time).await.map_err(failed)?);
    }
    Ok(PushShaped { fields, origins, matched, marks: marks(meta, origin), monitored, drew })
}

async fn match_keys(
    shapers: &Shapers,
    meta: &Meta,
    entry: &DataTo,
    fields: &Fields,
    now: Timestamp,
) -> Result<Vec<Matched>, ShapeError> {
    let mut matched = Vec::new();
    for key in fields.keys() {
        let converted = convert(key, entry.conversion);
        if entry.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&converted)) {
            continue;
        }
        // One key at a time: two that get the same name must both be seen.
        let one: Fields = [(converted.clone(), crate::field::Value::from(""))].into();
        let renamed = rename(shapers.engine.as_ref(), meta, now, one, &entry.rewrite).await?;
        let renamed = renamed.into_keys().next().unwrap_or_default();
        matched.push(Matched { key: key.clone(), converted, renamed });
    }
    Ok(matched)
}

pub(super) fn convert(key: &str, strategy: PushConversionStrategy) -> String {
    match strategy {
        PushConversionStrategy::None => key.to_owned(),
        PushConversionStrategy::ReverseUnicode => reverse_unicode(key),
    }
}

fn marks(meta: &Meta, origin: Origin<'_>) -> Marks {
    let mut marks = Marks::from([(SOURCE.to_owned(), format!("{}/{}", meta.namespace, origin.name))]);
    marks.extend(origin.version.map(|version| (SOURCE_VERSION.to_owned(), version.to_owned())));
    marks.extend(origin.rotation.map(|rotation| (ROTATION.to_owned(), rotation.to_owned())));
    marks
}
