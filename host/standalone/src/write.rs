//! Create, update, patch and apply: from what a request brings to what is stored.
//!
//! Every write is one change of the store. Ownership is settled on what the client wants; after it the server's own
//! fields are set, the result is validated, and nothing is written when it equals what is there.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::body;
use crate::call::Call;
use crate::conversion;
use crate::object;
use crate::objects::{Draft, Place};
use crate::ownership::{self, Applied, Operation};
use crate::patch::{self, Edit, PatchKind};
use crate::query;
use crate::rules;
use crate::schema::{Cause, Reason};
use crate::status::Failure;

/// A stored object, and whether the request made it.
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) created: bool,
}

/// POST of an object.
pub(crate) fn create(call: &Call<'_>, mut new: Value) -> Result<Written, Failure> {
    call.check_identity(&mut new)?;
    let unknown = call.read(&mut new)?;
    give_name(call, &mut new)?;
    // What follows from the name.
    rules::on_read(&call.info, &mut new);
    call.judge_unknown(&unknown)?;
    let written = call.api.objects.change(call.options.dry_run, |draft| {
        let blank = rules::blank(&call.storage());
        wipe(&mut new);
        own(call, &blank, &mut new);
        insert(call, draft, new)
    })?;
    Ok(Written { object: written, created: true })
}

/// PUT of an object.
pub(crate) fn update(call: &Call<'_>, mut new: Value) -> Result<Written, Failure> {
    call.check_identity(&mut new)?;
    let unknown = call.read(&mut new)?;
    call.judge_unknown(&unknown)?;
    call.api.objects.change(call.options.dry_run, |draft| {
        match draft.get(&call.place(&call.name)) {
            Some(old) => {
                if object::resource_version(&new).is_empty() && !rules::may_update_blindly(&call.info) {
                    let cause = Cause::invalid(
                        "metadata.resourceVersion",
                        &json!(0),
                        "must be specified for an update",
                    );
                    // Of all refusals, this one names the resource in place of the kind.
                    let (group, plural) = (&call.info.group, &call.info.plural);
                    return Err(Failure::invalid_kind(group, plural, &call.name, &[cause]));
                }
                check_uid(call, &old, &new)?;
                check_version(call, &old, &new)?;
                own(call, &old, &mut new);
                replace(call, draft, &old, new)
            }
            None if call.subresource.is_empty() && rules::may_create_on_update(&call.info) => {
                let blank = rules::blank(&call.storage());
                own(call, &blank, &mut new);
                Ok(Written { object: insert(call, draft, new)?, created: true })
            }
            None => Err(call.missing()),
        }
    })
}

/// PATCH of an object.
pub(crate) fn patch(call: &Call<'_>, kind: PatchKind, bytes: &[u8]) -> Result<Written, Failure> {
    check_patch_options(call, kind)?;
    match kind {
        PatchKind::Apply => apply(call, body::yaml(bytes)?),
        PatchKind::Edit(how) => edit(call, how, &body::json(bytes)?),
    }
}

fn edit(call: &Call<'_>, how: Edit, patch: &Value) -> Result<Written, Failure> {
    call.api.objects.change(call.options.dry_run, |draft| {
        let old = draft.get(&call.place(&call.name)).ok_or_else(|| call.missing())?;
        let served = conversion::served(&call.info, &old);
        let mut new = patch::patched(how, &served, patch, call.field())?;
        if call.info.builtin && object::text(&new, "/kind") != call.info.kind {
            return Err(bad_patch());
        }
        call.check_identity(&mut new)?;
        let unknown = call.read(&mut new)?;
        call.judge_unknown(&unknown).map_err(|_| bad_patch())?;
        check_version(call, &old, &new)?;
        own(call, &old, &mut new);
        replace(call, draft, &old, new)
    })
}

/// A patch that makes something else of the object. kube-apiserver quotes the result, which may be a Secret.
fn bad_patch() -> Failure {
    let why = "it makes an object that cannot be read";
    Failure::invalid_kind("", "", "", &[Cause::new(Reason::Invalid, "patch", None, why)])
}

/// Server-side apply: makes the object where there is none.
fn apply(call: &Call<'_>, mut config: Value) -> Result<Written, Failure> {
    check_config(call, &config)?;
    if object::name(&config).is_empty() && call.api.objects.now().get(&call.place(&call.name)).is_some() {
        // The object has its name already.
        object::set_metadata(&mut config, "name", Some(call.name.clone().into()));
    }
    call.check_identity(&mut config)?;
    conversion::stored(&call.info, &call.storage(), &mut config);
    call.api.objects.change(call.options.dry_run, |draft| {
        let old = draft.get(&call.place(&call.name));
        if old.is_none() && !call.subresource.is_empty() {
            return Err(call.missing());
        }
        if old.is_none() && !object::uid(&config).is_empty() {
            let uid = object::uid(&config);
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Failure::conflict(&call.info, &call.name, &why));
        }
        if let Some(old) = &old {
            check_version(call, old, &config)?;
        }
        let before = old.clone().unwrap_or_else(|| Arc::new(rules::blank(&call.storage())));
        let force = call.options.force == Some(true);
        let applied = call.writing(Operation::Apply, &before, &config, |writing| {
            ownership::apply(writing, &before, &config, force)
        });
        let mut new = match applied {
            Applied::Merged(new) => new,
            Applied::Conflicts(conflicts) => return Err(Failure::apply_conflict(&conflicts)),
        };
        rules::on_read(&call.storage(), &mut new);
        call.apply_defaults(&mut new);
        match &old {
            Some(old) => replace(call, draft, old, new),
            None => {
                // There was no version that this one could be meant for.
                object::set_metadata(&mut new, "resourceVersion", None);
                Ok(Written { object: insert(call, draft, new)?, created: true })
            }
        }
    })
}

/// What an applied configuration must be, whatever the object is.
fn check_config(call: &Call<'_>, config: &Value) -> Result<(), Failure> {
    if !config.is_object() {
        return Err(Failure::bad_request("error decoding YAML: it is no object"));
    }
    let (found, kind) = (object::text(config, "/apiVersion"), object::text(config, "/kind"));
    let expected = call.info.api_version();
    if call.info.builtin && (found != expected || kind != call.info.kind) {
        let (group, version) = found.split_once('/').unwrap_or(("", found));
        return Err(Failure::bad_request(format!("invalid object type: {group}/{version}, Kind={kind}")));
    }
    if found != expected {
        return Err(Failure::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {found}, expected: {expected}"
        )));
    }
    if config.pointer("/metadata/managedFields").is_some_and(|given| !given.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let errors = ownership::problems(config, call.field());
    let errors = match errors.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        several => format!("errors:\n  {}", several.join("\n  ")),
    };
    Err(Failure::unforeseen(format!(
        "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {errors}",
        object::namespace(config),
        object::name(config),
        call.info.group,
        call.info.version,
        call.info.kind,
    )))
}

/// The client takes over what it changed.
fn own(call: &Call<'_>, old: &Value, new: &mut Value) {
    call.writing(Operation::Update, old, &new.clone(), |writing| ownership::update(writing, old, new));
}

fn check_patch_options(call: &Call<'_>, kind: PatchKind) -> Result<(), Failure> {
    let mut causes = match (kind, call.options.force) {
        (PatchKind::Apply, _) if call.options.field_manager.is_empty() => {
            vec![Cause::required("fieldManager", "is required for apply patch")]
        }
        (PatchKind::Edit(_), Some(_)) => {
            vec![Cause::forbidden("force", "may not be specified for non-apply patch")]
        }
        (PatchKind::Apply | PatchKind::Edit(_), _) => Vec::new(),
    };
    causes.extend(call.options.invalid.iter().cloned());
    match causes.as_slice() {
        [] => Ok(()),
        causes => Err(Failure::invalid_kind("meta.k8s.io", "PatchOptions", "", causes)),
    }
}

fn give_name(call: &Call<'_>, new: &mut Value) -> Result<(), Failure> {
    const MOST_PREFIX: usize = 58;
    if !object::name(new).is_empty() {
        return Ok(());
    }
    let prefix: String = object::text(new, "/metadata/generateName").chars().take(MOST_PREFIX).collect();
    if prefix.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(Failure::invalid(&call.info, "", &[cause]));
    }
    let name = format!("{prefix}{}", random_suffix()?);
    object::set_metadata(new, "name", Some(name.into()));
    Ok(())
}

/// Five characters without vowels, as in names that Kubernetes generates.
fn random_suffix() -> Result<String, Failure> {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).map_err(|_| Failure::internal("the operating system gave no randomness"))?;
    let characters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
    Ok(characters.map(|byte| char::from(*byte)).collect())
}

/// The UID, where the request gives one, must be that of the stored object.
fn check_uid(call: &Call<'_>, old: &Value, new: &Value) -> Result<(), Failure> {
    let (wanted, found) = (object::uid(new), object::uid(old));
    if wanted.is_empty() || wanted == found {
        return Ok(());
    }
    let Place { kind, namespace, name } = call.place(&call.name);
    let parts = ["/registry", kind.trim_start_matches('/'), &namespace, &name];
    let key = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
         failed: UID in precondition: {wanted}, UID in object meta: {found}"
    );
    Err(Failure::conflict(&call.info, &call.name, &why))
}

/// The version, where the request gives one, must be that of the stored object.
fn check_version(call: &Call<'_>, old: &Value, new: &Value) -> Result<(), Failure> {
    let wanted = object::resource_version(new);
    if matches!(wanted, "" | "0") || wanted == object::resource_version(old) {
        return Ok(());
    }
    match wanted.parse::<u64>() {
        Ok(_) => Err(Failure::modified(&call.info, &call.name)),
        Err(_) => Err(Failure::unforeseen(query::unsigned_syntax(wanted))),
    }
}

/// Stores an object that is not there yet.
fn insert(call: &Call<'_>, draft: &mut Draft<'_>, mut new: Value) -> Result<Arc<Value>, Failure> {
    let name = object::name(&new).to_owned();
    if !object::resource_version(&new).is_empty() {
        return Err(Failure::unforeseen("resourceVersion should not be set on objects to be created"));
    }
    call.check_namespace(draft, &name)?;
    let now = call.now();
    wipe(&mut new);
    let metadata = object::metadata(&mut new);
    metadata.insert("uid".to_owned(), uuid::Uuid::new_v4().to_string().into());
    metadata.insert("creationTimestamp".to_owned(), now.clone().into());
    rules::on_create(&call.storage(), &mut new, &now);
    call.validate(&new, None)?;
    rules::finalizer_warnings(&call.info, &new).into_iter().for_each(|text| call.warn(text));
    let place = call.place(&name);
    if draft.get(&place).is_some() {
        return Err(Failure::already_exists(&call.info, &name));
    }
    Ok(store(call, draft, &place, new))
}

/// Removes what only the server sets.
fn wipe(new: &mut Value) {
    let metadata = object::metadata(new);
    for name in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        metadata.shift_remove(name);
    }
}

/// Stores an object in place of another, or removes it when that was all that held its deletion up.
fn replace(
    call: &Call<'_>,
    draft: &mut Draft<'_>,
    old: &Arc<Value>,
    mut new: Value,
) -> Result<Written, Failure> {
    let before = old.get("metadata").and_then(Value::as_object);
    object::carry(object::metadata(&mut new), before, "creationTimestamp");
    for name in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        if new.pointer(&format!("/metadata/{name}")).is_none() {
            object::carry(object::metadata(&mut new), before, name);
        }
    }
    object::carry(object::metadata(&mut new), before, "generation");
    rules::on_update(&call.storage(), old, &mut new, &call.subresource, &call.now());
    object::carry(object::metadata(&mut new), before, "resourceVersion");
    call.validate(&new, Some(old))?;
    let place = call.place(&call.name);
    if object::is_deleting(&new) && is_released(call, &new) {
        draft.remove(&place);
        return Ok(Written { object: Arc::new(new), created: false });
    }
    let object = if is_same(old, &new) { old.clone() } else { store(call, draft, &place, new) };
    Ok(Written { object, created: false })
}

/// Whether nothing changed but, at most, when which manager wrote.
fn is_same(old: &Value, new: &Value) -> bool {
    let timeless = |value: &Value| {
        let mut value = value.clone();
        let entries = value.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            object::fields(entry).shift_remove("time");
        }
        value
    };
    old == new || timeless(old) == timeless(new)
}

/// Whether nothing holds a deletion up any more.
fn is_released(call: &Call<'_>, value: &Value) -> bool {
    let is_namespace = call.info.builtin && call.info.plural == "namespaces";
    let held = is_namespace && !object::strings(value.pointer("/spec/finalizers")).is_empty();
    object::finalizers(value).is_empty() && !held
}

fn store(call: &Call<'_>, draft: &mut Draft<'_>, place: &Place, new: Value) -> Arc<Value> {
    if call.options.dry_run {
        // What is never stored has no version of its own.
        return Arc::new(new);
    }
    draft.put(place, new)
}
