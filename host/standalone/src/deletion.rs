//! Delete: preconditions, finalizers, propagation; one object or a collection.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::call::Call;
use crate::kinds::DEFINITIONS;
use crate::object;
use crate::objects::{Draft, Place};
use crate::query;
use crate::read;
use crate::rules;
use crate::schema::Cause;
use crate::status::Failure;

/// Waits for the dependents that block their owner's deletion.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Waits until the dependents have lost their reference to the owner.
pub(crate) const ORPHAN: &str = "orphan";

/// What becomes of the objects that are owned by a deleted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// `DeleteOptions`.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) dry_run: bool,
    uid: Option<String>,
    resource_version: Option<String>,
    propagation: Option<Propagation>,
}

impl DeleteOptions {
    /// From the body where there is one, else from the query.
    pub(crate) fn parse(call: &Call<'_>, body: &Value) -> Result<Self, Failure> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        if let Some(kind) = text("/kind").filter(|kind| kind != "DeleteOptions") {
            return Err(Failure::bad_request(format!("{kind} cannot be handled as a DeleteOptions")));
        }
        let orphan = body.get("orphanDependents").and_then(Value::as_bool);
        let given = text("/propagationPolicy").or_else(|| call.options.propagation.clone());
        let dry_run: Vec<String> =
            object::strings(body.get("dryRun")).into_iter().map(str::to_owned).collect();
        let mut causes = Vec::new();
        let policy = given.as_deref().map_or(Ok(None), |given| parse_propagation(given).map(Some));
        let propagation = match (orphan, policy) {
            (Some(_), Ok(Some(_))) => {
                let why = "orphanDependents and deletionPropagation cannot be both set";
                causes.push(Cause::invalid("propagationPolicy", &given.into(), why));
                None
            }
            (Some(true), Ok(None)) => Some(Propagation::Orphan),
            (Some(false), Ok(None)) => Some(Propagation::Background),
            (None, Ok(policy)) => policy,
            (_, Err(cause)) => {
                causes.push(cause);
                None
            }
        };
        if dry_run.iter().any(|value| value != "All") {
            causes.push(query::wrong_dry_run(&dry_run));
        }
        if !causes.is_empty() {
            return Err(Failure::invalid_kind("meta.k8s.io", "DeleteOptions", "", &causes));
        }
        Ok(Self {
            dry_run: call.options.dry_run || !dry_run.is_empty(),
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            propagation,
        })
    }
}

fn parse_propagation(text: &str) -> Result<Propagation, Cause> {
    match text {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let supported = ["Foreground", "Background", "Orphan", "nil"].map(Value::from);
            Err(Cause::not_supported("propagationPolicy", &other.into(), &supported))
        }
    }
}

/// What a delete came to.
pub(crate) enum Deleted {
    /// Gone; the object as it was last.
    Now(Arc<Value>),
    /// It waits for finalizers; the object as it is now.
    Later(Arc<Value>),
}

/// DELETE of one object.
pub(crate) fn delete(call: &Call<'_>, options: &DeleteOptions) -> Result<Deleted, Failure> {
    if call.info.builtin
        && call.info.plural == "namespaces"
        && rules::IMMORTAL_NAMESPACES.contains(&call.name.as_str())
    {
        return Err(Failure::forbidden(&call.info, &call.name, "this namespace may not be deleted"));
    }
    call.api.objects.change(options.dry_run, |draft| {
        let place = call.place(&call.name);
        let old = draft.get(&place).ok_or_else(|| call.missing())?;
        check_preconditions(call, options, &old)?;
        Ok(delete_object(draft, &place, &old, options.propagation, &call.now()))
    })
}

/// DELETE of all selected objects; returns them.
pub(crate) fn delete_collection(
    call: &Call<'_>,
    options: &DeleteOptions,
) -> Result<Vec<Arc<Value>>, Failure> {
    call.api.objects.change(options.dry_run, |draft| {
        let selected = read::selected(call, draft.before())?;
        for (place, object) in &selected {
            delete_object(draft, place, object, options.propagation, &call.now());
        }
        Ok(selected.into_iter().map(|(_, object)| object).collect())
    })
}

/// What a delete says that needs no object: `Status` of success.
pub(crate) fn success(call: &Call<'_>, deleted: &Value) -> Value {
    let mut details =
        json!({"name": object::name(deleted), "kind": call.info.plural, "uid": object::uid(deleted)});
    if !call.info.group.is_empty() {
        object::fields(&mut details).insert("group".to_owned(), call.info.group.clone().into());
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// Removes an object, or marks it as deleting while something holds it.
pub(crate) fn delete_object(
    draft: &mut Draft<'_>,
    place: &Place,
    old: &Arc<Value>,
    propagation: Option<Propagation>,
    now: &str,
) -> Deleted {
    let mut finalizers = finalizers_for(old, propagation);
    let cleanup = rules::CLEANUP_FINALIZER.to_owned();
    if &*place.kind == DEFINITIONS && !object::is_deleting(old) && !finalizers.contains(&cleanup) {
        finalizers.push(cleanup);
    }
    let is_namespace = &*place.kind == "/namespaces";
    let held = is_namespace && !object::strings(old.pointer("/spec/finalizers")).is_empty();
    if finalizers.is_empty() && !held {
        return Deleted::Now(draft.remove(place).unwrap_or_else(|| old.clone()));
    }
    let mut new = (**old).clone();
    object::set_metadata(
        &mut new,
        "finalizers",
        Some(finalizers.into()).filter(|list: &Value| list != &json!([])),
    );
    if !object::is_deleting(old) {
        object::set_metadata(&mut new, "deletionTimestamp", Some(now.into()));
        // What ends by itself is given no time to do so.
        if !is_namespace && &*place.kind != DEFINITIONS {
            object::set_metadata(&mut new, "deletionGracePeriodSeconds", Some(0.into()));
        }
        let generation = object::generation(old);
        if generation > 0 {
            object::set_metadata(&mut new, "generation", Some((generation + 1).into()));
        }
        if is_namespace {
            object::child(&mut new, "status").insert("phase".to_owned(), "Terminating".into());
        }
    }
    if new == **old { Deleted::Later(old.clone()) } else { Deleted::Later(draft.put(place, new)) }
}

/// The finalizers after a delete: the propagation that is asked for replaces one that was asked for before.
fn finalizers_for(old: &Value, propagation: Option<Propagation>) -> Vec<String> {
    let mut finalizers: Vec<String> = object::finalizers(old).into_iter().map(str::to_owned).collect();
    if let Some(propagation) = propagation {
        finalizers.retain(|name| name != FOREGROUND && name != ORPHAN);
        match propagation {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
        }
    }
    finalizers
}

fn check_preconditions(call: &Call<'_>, options: &DeleteOptions, old: &Value) -> Result<(), Failure> {
    let checks = [
        (&options.uid, object::uid(old), "UID", "deleted and then recreated"),
        (&options.resource_version, object::resource_version(old), "ResourceVersion", "modified"),
    ];
    for (wanted, found, what, happened) in checks {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != found) {
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object \
                 might have been {happened}"
            );
            return Err(Failure::other_object(&call.info, &call.name, &why));
        }
    }
    Ok(())
}
