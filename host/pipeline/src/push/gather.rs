//! The values of a PushSecret whose source is a generator.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::PushError;
use super::spec::CheckedPush;
use crate::decide::Refresh;
use crate::field::Fields;
use crate::gather::{Rotated, Rotating, raw_fields};
use crate::meta::Meta;
use crate::ports::{Found, GeneratedField, Generators};
use crate::rotation::Record;

/// What was gathered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GatheredPush {
    /// The generated values by key; empty when the source is a Secret.
    pub fields: Fields,
    /// The same with their entropy.
    pub generated: Vec<GeneratedField>,
    /// The record as it is to be from now on.
    pub record: Record,
    /// Whether it differs from the one that there is: then it is written before anything else.
    pub record_changed: bool,
    /// What rotated.
    pub rotated: Vec<Rotated>,
}

/// Keeps or makes the generated values; does nothing when the source is a Secret.
///
/// # Errors
/// When a value could not be had.
pub async fn gather_push(
    generators: &Arc<dyn Generators>,
    spec: &CheckedPush,
    meta: &Meta,
    record: &Found<Record>,
    refresh: &Refresh,
    now: Timestamp,
) -> Result<GatheredPush, PushError> {
    let Some(generator) = spec.generator() else {
        return Ok(GatheredPush::default());
    };
    let rotating = Rotating { generators: generators.as_ref(), meta, record, now };
    let settled = rotating.settle([generator].into_iter(), &refresh.entries).await;
    let settled = settled.map_err(|source| PushError::Gather { source })?;
    let values = settled.values(&generator.key).map_err(|source| PushError::Gather { source })?;
    Ok(GatheredPush {
        fields: raw_fields(&values.fields),
        generated: values.fields.values().cloned().collect(),
        record_changed: settled.changed,
        record: settled.record,
        rotated: settled.rotated,
    })
}
