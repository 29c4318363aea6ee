//! Observe: reads what a decision about an ExternalSecret depends on, and tells the index what the object refers to.

use std::collections::BTreeMap;

use api::ExternalSecret;
use api::names::finalizer::EXTERNAL_SECRET;
use pipeline::{
    CheckedSpec, EntryKey, Found, Meta, ObjectRef, Precondition, Record, Status, TargetView, record_name,
};

use crate::context::Context;
use crate::failure::SyncError;
use crate::finalizers;
use crate::references::{Referents, Role};
use crate::secrets::{Age, Reading};

/// Everything that was read.
pub(crate) struct Observed {
    pub(crate) spec: CheckedSpec,
    pub(crate) meta: Meta,
    pub(crate) status: Status,
    pub(crate) record: Found<Record>,
    /// Whether it is known that there is this record, or none; an object that generates nothing has one only if its template draws.
    pub(crate) knows_record: bool,
    /// Where the record is written to: the version that was read.
    pub(crate) record_version: Option<Precondition>,
    pub(crate) target: Found<TargetView>,
    pub(crate) config_digests: BTreeMap<EntryKey, String>,
}

/// Whether the record of an object without generators is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DrawnRecord {
    /// If the target says that its template drew.
    IfPublished,
    /// Whatever the target says: the template has drawn.
    Read,
}

/// Reads Secrets of that age and everything else as it is now; nothing when the object belongs to another controller class.
pub(crate) async fn observe(
    object: &ExternalSecret,
    reference: &ObjectRef,
    context: &Context,
    age: Age,
    drawn: DrawnRecord,
) -> Result<Option<Observed>, SyncError> {
    let meta = Meta::from(&object.metadata);
    let spec = CheckedSpec::parse(object)?;
    context.references.set(reference, referents(&spec, &meta));
    if context.is_foreign(&spec, &meta.namespace).await? {
        return Ok(None);
    }
    let reading = Reading::new(context, reference, age);
    // One after the other: a record that is read after the target is at least as new, so no older value is put over a newer one.
    let target = reading.secret(spec.target_name()).await?;
    let target = target.map_or(Found::Missing, |kept| Found::Found(TargetView::of(kept.secret(), &meta)));
    let published = matches!(&target, Found::Found(view) if view.rotation_of(&meta).is_some());
    let recorded = spec.generators().next().is_some() || published || drawn == DrawnRecord::Read;
    let is_new = is_new(object, reference, context).await;
    let (record, record_version) =
        if recorded && !is_new { reading.record(&meta).await? } else { (Found::Missing, None) };
    let config_digests = context.config_digests(&meta, spec.generators()).await;
    let status = Status::of(object.status.as_ref());
    let knows_record = recorded || is_new;
    Ok(Some(Observed { spec, meta, status, record, knows_record, record_version, target, config_digests }))
}

/// Whether nobody has looked at the object yet, as far as can be told without a request: whoever did has left a status, the finalizer, or a
/// record that was there when this process began. Its record is not asked for: creating it fails if there is one all the same, and the next
/// look reads it.
async fn is_new(object: &ExternalSecret, reference: &ObjectRef, context: &Context) -> bool {
    let untouched = object.status.is_none()
        && object.metadata.generation == Some(1)
        && !finalizers::has(object, EXTERNAL_SECRET)
        && !context.activity.has_looked(reference, 1);
    let namespace = reference.namespace.as_deref().unwrap_or_default();
    let record = record_name(&reference.kind, &reference.name);
    untouched && !context.snapshot.holds(namespace, &record).await
}

fn referents(spec: &CheckedSpec, meta: &Meta) -> Referents {
    let namespace = meta.namespace.as_str();
    let mut referents = Referents::new();
    for store in spec.stores() {
        referents.insert(scoped(&store.kind, namespace, &store.name), Role::Store);
    }
    for generator in spec.generators() {
        referents.insert(scoped(&generator.kind, namespace, &generator.name), Role::Generator);
    }
    referents
        .extend(spec.template_sources(namespace).into_iter().map(|source| (source, Role::TemplateSource)));
    referents.insert(ObjectRef::namespaced("Secret", namespace, spec.target_name()), Role::Target);
    if spec.generators().next().is_some() {
        let name = record_name("ExternalSecret", &meta.name);
        referents.insert(ObjectRef::namespaced("Secret", namespace, &name), Role::Target);
    }
    referents
}

/// Kinds whose name begins with `Cluster` live outside namespaces.
pub(crate) fn scoped(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    if kind.starts_with("Cluster") {
        ObjectRef::cluster(kind, name)
    } else {
        ObjectRef::namespaced(kind, namespace, name)
    }
}
