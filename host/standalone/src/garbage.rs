//! What a cluster's controllers do and clients rely on: objects go when their owners are gone, owners wait for the
//! dependents that block them, a deleted namespace or definition takes its objects with it, and old Events go.
//!
//! One pass looks at everything, and is made only after a change that can matter; in between the task sleeps.
//! When in doubt about an owner (its kind is not served) nothing is deleted.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::Inner;
use crate::clock;
use crate::deletion::{self, FOREGROUND, ORPHAN, Propagation};
use crate::kinds::{DEFINITIONS, Table};
use crate::object;
use crate::objects::{Change, Draft, Place, State};
use crate::rules;
use crate::status::Failure;

/// How long an Event is kept.
const EVENT_SECONDS: i64 = 3600;
const EVENTS: &str = "/events";
const NAMESPACES: &str = "/namespaces";

pub(crate) async fn collect_always(api: Arc<Inner>) {
    let mut latest = api.objects.latest();
    let mut seen = 0;
    loop {
        let matters = {
            let state = api.objects.now();
            let matters =
                seen == 0 || state.history.after(seen).is_none_or(|mut changes| changes.any(can_matter));
            seen = state.version;
            matters
        };
        if matters {
            collect(&api);
        }
        if latest.changed().await.is_err() {
            return;
        }
    }
}

/// Passes until nothing is left to do. A failure of the database is logged, and the next change tries again.
fn collect(api: &Inner) {
    loop {
        match pass(api) {
            Ok(true) => {}
            Ok(false) => return,
            Err(failure) => {
                tracing::error!(%failure, "garbage collection stopped");
                return;
            }
        }
    }
}

fn can_matter(change: &Change) -> bool {
    let owners = |object: &Option<Arc<Value>>| {
        object.as_ref().and_then(|object| object.pointer("/metadata/ownerReferences").cloned())
    };
    let is_new_event = &*change.place.kind == EVENTS && change.old.is_none();
    match &change.new {
        None => true,
        Some(new) => {
            let new_owners = owners(&change.new);
            is_new_event
                || object::is_deleting(new)
                || (new_owners.is_some() && new_owners != owners(&change.old))
        }
    }
}

/// One look at everything; says whether something changed.
fn pass(api: &Inner) -> Result<bool, Failure> {
    let kinds = api.kinds.now();
    let now = api.clock.now();
    let (changed, renewed) = api.objects.change(false, |draft| {
        let before = draft.before();
        let graph = Graph::of(before, &kinds);
        let mut pass = Pass { draft, now: clock::seconds(now) };
        for (place, object) in before.all() {
            pass.dependent(&graph, place, object);
            if object::is_deleting(object) {
                pass.owner(&graph, place, object);
            }
        }
        pass.containers(before);
        pass.old_events(before, now);
        let changed = pass.draft.has_changes();
        Ok((changed, pass.draft.touches(DEFINITIONS)))
    })?;
    if renewed {
        api.kinds.renew(|| api.objects.now());
    }
    Ok(changed)
}

/// Who owns whom.
struct Graph<'a> {
    kinds: &'a Table,
    by_uid: HashMap<&'a str, (&'a Place, &'a Arc<Value>)>,
    dependents: HashMap<&'a str, Vec<(&'a Place, &'a Value)>>,
}

/// What an owner reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Solid,
    /// It is being deleted, and waits for its dependents.
    Waiting,
    Gone,
}

impl<'a> Graph<'a> {
    fn of(state: &'a State, kinds: &'a Table) -> Self {
        let mut graph = Self { kinds, by_uid: HashMap::new(), dependents: HashMap::new() };
        for (place, object) in state.all() {
            graph.by_uid.insert(object::uid(object), (place, object));
            for owner in object::owners(object) {
                graph.dependents.entry(object::text(owner, "/uid")).or_default().push((place, owner));
            }
        }
        graph
    }

    fn owner(&self, dependent: &Place, reference: &Value) -> Owner {
        match self.by_uid.get(object::text(reference, "/uid")) {
            Some((place, owner)) if place.namespace.is_empty() || place.namespace == dependent.namespace => {
                let waits = object::is_deleting(owner) && object::finalizers(owner).contains(&FOREGROUND);
                if waits { Owner::Waiting } else { Owner::Solid }
            }
            _ => {
                let (version, kind) =
                    (object::text(reference, "/apiVersion"), object::text(reference, "/kind"));
                if self.kinds.find_kind(version, kind).is_some() { Owner::Gone } else { Owner::Solid }
            }
        }
    }

    fn dependents(&self, uid: &str) -> &[(&'a Place, &'a Value)] {
        self.dependents.get(uid).map_or(&[], Vec::as_slice)
    }
}

struct Pass<'d, 'a> {
    draft: &'d mut Draft<'a>,
    now: String,
}

impl Pass<'_, '_> {
    fn delete(&mut self, place: &Place, propagation: Propagation) {
        if let Some(object) = self.draft.get(place).filter(|object| !object::is_deleting(object)) {
            deletion::delete_object(self.draft, place, &object, Some(propagation), &self.now);
        }
    }

    /// Deletes a dependent that no living owner keeps, and drops its references to dead ones otherwise.
    fn dependent(&mut self, graph: &Graph<'_>, place: &Place, object: &Arc<Value>) {
        let owners: Vec<(&Value, Owner)> =
            object::owners(object).map(|reference| (reference, graph.owner(place, reference))).collect();
        let has = |kind: Owner| owners.iter().any(|(_, owner)| *owner == kind);
        if has(Owner::Solid) {
            if has(Owner::Gone) || has(Owner::Waiting) {
                let kept = owners.iter().filter(|(_, owner)| *owner == Owner::Solid);
                self.set_owners(place, kept.map(|(reference, _)| (*reference).clone()).collect());
            }
        } else if has(Owner::Waiting) {
            let has_dependents = !graph.dependents(object::uid(object)).is_empty();
            self.delete(
                place,
                if has_dependents { Propagation::Foreground } else { Propagation::Background },
            );
        } else if has(Owner::Gone) {
            self.delete(place, Propagation::Background);
        }
    }

    /// Lets a deleting owner go when its dependents allow it.
    fn owner(&mut self, graph: &Graph<'_>, place: &Place, object: &Arc<Value>) {
        let uid = object::uid(object);
        let finalizers = object::finalizers(object);
        if finalizers.contains(&ORPHAN) {
            for (dependent, _) in graph.dependents(uid) {
                self.disown(dependent, uid);
            }
            self.release(place, ORPHAN);
        }
        if finalizers.contains(&FOREGROUND) {
            let blocks = |reference: &Value| reference.get("blockOwnerDeletion") == Some(&Value::Bool(true));
            if !graph.dependents(uid).iter().any(|(_, reference)| blocks(reference)) {
                self.release(place, FOREGROUND);
            }
        }
    }

    fn disown(&mut self, place: &Place, uid: &str) {
        let Some(object) = self.draft.get(place) else {
            return;
        };
        let kept =
            object::owners(&object).filter(|reference| object::text(reference, "/uid") != uid).cloned();
        self.set_owners(place, kept.collect());
    }

    fn set_owners(&mut self, place: &Place, owners: Vec<Value>) {
        if let Some(object) = self.draft.get(place) {
            let mut new = (*object).clone();
            object::set_metadata(
                &mut new,
                "ownerReferences",
                Some(owners).filter(|list| !list.is_empty()).map(Value::from),
            );
            self.draft.put(place, new);
        }
    }

    /// Takes a finalizer away, and removes the object when it was the last thing that held it.
    fn release(&mut self, place: &Place, finalizer: &str) {
        let Some(object) = self.draft.get(place) else {
            return;
        };
        let mut new = (*object).clone();
        let kept: Vec<&str> =
            object::finalizers(&object).into_iter().filter(|name| *name != finalizer).collect();
        let holds_spec = !object::strings(object.pointer("/spec/finalizers")).is_empty();
        let is_namespace = &*place.kind == NAMESPACES;
        if kept.is_empty() && !(is_namespace && holds_spec) {
            self.draft.remove(place);
            return;
        }
        object::set_metadata(
            &mut new,
            "finalizers",
            Some(kept).filter(|list| !list.is_empty()).map(Value::from),
        );
        self.draft.put(place, new);
    }

    /// Empties namespaces and definitions that are being deleted, and removes those that are empty.
    fn containers(&mut self, before: &State) {
        let deleting = |kind: &'static str| {
            before.all().filter(move |(place, object)| &*place.kind == kind && object::is_deleting(object))
        };
        for (place, _) in deleting(NAMESPACES) {
            let inside = before.all().filter(|(inner, _)| inner.namespace == place.name);
            if self.empty(inside.map(|(inner, _)| inner)) {
                self.end_namespace(place);
            }
        }
        for (place, definition) in deleting(DEFINITIONS) {
            let spec = |name: &str| object::text(definition, &format!("/spec/{name}"));
            let kind = format!("{}/{}", spec("group"), spec("names/plural"));
            let instances = before.all().filter(|(inner, _)| *inner.kind == *kind);
            if self.empty(instances.map(|(inner, _)| inner)) {
                self.release(place, rules::CLEANUP_FINALIZER);
            }
        }
    }

    /// Deletes the objects; says whether none is left.
    fn empty<'p>(&mut self, places: impl Iterator<Item = &'p Place>) -> bool {
        let mut is_empty = true;
        for place in places {
            self.delete(place, Propagation::Background);
            is_empty &= self.draft.get(place).is_none();
        }
        is_empty
    }

    fn end_namespace(&mut self, place: &Place) {
        let Some(namespace) = self.draft.get(place) else {
            return;
        };
        if object::finalizers(&namespace).is_empty() {
            self.draft.remove(place);
        } else if !object::strings(namespace.pointer("/spec/finalizers")).is_empty() {
            let mut new = (*namespace).clone();
            object::child(&mut new, "spec").shift_remove("finalizers");
            self.draft.put(place, new);
        }
    }

    fn old_events(&mut self, before: &State, now: Timestamp) {
        let is_old = |event: &Value| {
            let texts =
                ["/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/metadata/creationTimestamp"];
            let times =
                texts.iter().filter_map(|pointer| object::text(event, pointer).parse::<Timestamp>().ok());
            times.max().is_some_and(|last| now.as_second().saturating_sub(last.as_second()) > EVENT_SECONDS)
        };
        for (place, _) in before.all().filter(|(place, event)| &*place.kind == EVENTS && is_old(event)) {
            self.draft.remove(place);
        }
    }
}
