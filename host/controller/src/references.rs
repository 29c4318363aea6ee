//! Who refers to what: the index behind every watch.
//!
//! A reconcile says what its object read (target, store, generator, template sources, push source). A change of one of these
//! wakes the objects that named it, in constant time, whatever the number of objects. Nothing here touches the cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::{Nudge, ObjectRef};

/// What an object is to the one that refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// What it writes.
    Target,
    /// Where it reads a template.
    TemplateSource,
    /// Where it reads values.
    Store,
    /// Where it pushes values.
    PushStore,
    /// What makes its values.
    Generator,
    /// What it pushes.
    PushSource,
    /// What a store authenticates with.
    Credential,
}

impl Role {
    /// What a change of such an object means for a refresh, beyond that somebody should look. Values in a store count at the next
    /// refresh, and so does where the store is: whoever asked for an interval asked for no more.
    const fn nudge(self) -> Option<Nudge> {
        match self {
            Role::TemplateSource => Some(Nudge::TemplateSource),
            Role::PushStore => Some(Nudge::Store),
            Role::Target | Role::Store | Role::Generator | Role::PushSource | Role::Credential => None,
        }
    }
}

/// Any Secret of a namespace: for those that choose by labels.
#[must_use]
pub(crate) fn any_secret(namespace: &str) -> ObjectRef {
    ObjectRef::namespaced("Secret", namespace, "*")
}

/// What an object refers to, and as what.
pub(crate) type Referents = BTreeMap<ObjectRef, Role>;

/// Referrers by what they refer to. Keys on both sides are kind, namespace and name.
#[derive(Debug, Default)]
pub(crate) struct References {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    referrers: HashMap<ObjectRef, HashMap<ObjectRef, Edge>>,
    referents: HashMap<ObjectRef, Referents>,
    nudges: HashMap<ObjectRef, Nudge>,
    /// What was last seen of what nudges.
    seen: HashMap<ObjectRef, String>,
}

/// How one object refers to another.
#[derive(Debug, Clone)]
struct Edge {
    role: Role,
    known: Known,
}

/// What the referrer itself has seen of the object last, by reading or by writing it: an event that says the same is no news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Known {
    /// Nothing.
    #[default]
    Unread,
    /// It is not there.
    Missing,
    /// It has this resourceVersion.
    Version(Box<str>),
}

/// What a watch saw of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// Its resourceVersion.
    pub(crate) version: &'a str,
    /// What stays while nothing about it changes that anything is made with: a store's spec, all of a Secret; empty when it is gone.
    pub(crate) content: &'a str,
    /// Whether it was there when the watch began: it may have changed before, but not since.
    pub(crate) first: bool,
}

impl References {
    /// Replaces what `referrer` refers to.
    pub(crate) fn set(&self, referrer: &ObjectRef, referents: Referents) {
        let mut inner = self.lock();
        let before = inner.referents.insert(referrer.clone(), referents.clone()).unwrap_or_default();
        for gone in before.keys().filter(|referent| !referents.contains_key(referent)) {
            inner.forget(gone, referrer);
        }
        for (referent, role) in referents {
            let edges = inner.referrers.entry(referent).or_default();
            match edges.get_mut(referrer) {
                Some(edge) => edge.role = role,
                None => {
                    edges.insert(referrer.clone(), Edge { role, known: Known::default() });
                }
            }
        }
    }

    /// Forgets a referrer that is gone.
    pub(crate) fn remove(&self, referrer: &ObjectRef) {
        let mut inner = self.lock();
        inner.nudges.remove(referrer);
        for referent in inner.referents.remove(referrer).unwrap_or_default().keys() {
            inner.forget(referent, referrer);
        }
    }

    /// Whom a change of `referent` to this version concerns, in order. What it means to each is kept until its next reconcile asks.
    /// To the one who read or wrote that version it is no news; to everybody else it is. What merely was listed again, or changed its
    /// status, wakes and means nothing.
    #[must_use]
    pub(crate) fn changed(&self, referent: &ObjectRef, sight: Sight<'_>) -> Vec<ObjectRef> {
        let mut inner = self.lock();
        let now =
            if sight.content.is_empty() { Known::Missing } else { Known::Version(sight.version.into()) };
        let found: BTreeMap<ObjectRef, Role> = inner
            .referrers
            .get(referent)
            .into_iter()
            .flatten()
            .filter(|(_, edge)| edge.known != now)
            .map(|(referrer, edge)| (referrer.clone(), edge.role))
            .collect();
        let is_new = inner.is_new(referent, sight, found.values().any(|role| role.nudge().is_some()));
        for (referrer, role) in &found {
            if let Some(nudge) = role.nudge().filter(|_| is_new) {
                inner.nudges.insert(referrer.clone(), nudge);
            }
        }
        found.into_keys().collect()
    }

    /// Whom it concerns that of a kind only `listed` is there: those that know of others. A watch that lost its place has missed their end.
    #[must_use]
    pub(crate) fn unlisted(&self, kind: &str, listed: &HashSet<ObjectRef>) -> Vec<ObjectRef> {
        let inner = self.lock();
        let gone = inner
            .referrers
            .iter()
            .filter(|(referent, _)| referent.kind == kind && !listed.contains(referent));
        let knows = |edge: &Edge| matches!(edge.known, Known::Version(_));
        let found: BTreeSet<ObjectRef> = gone
            .flat_map(|(_, edges)| edges)
            .filter(|(_, edge)| knows(edge))
            .map(|(referrer, _)| referrer.clone())
            .collect();
        found.into_iter().collect()
    }

    /// Takes what changed around an object since the last time.
    #[must_use]
    pub(crate) fn take_nudge(&self, referrer: &ObjectRef) -> Option<Nudge> {
        self.lock().nudges.remove(referrer)
    }

    /// Gives a nudge back that could not be answered yet.
    pub(crate) fn nudge_again(&self, referrer: &ObjectRef, nudge: Option<Nudge>) {
        if let Some(nudge) = nudge {
            self.lock().nudges.entry(referrer.clone()).or_insert(nudge);
        }
    }

    /// All objects that refer to anything.
    #[must_use]
    pub(crate) fn referrers(&self) -> Vec<ObjectRef> {
        self.lock().referents.keys().cloned().collect()
    }

    /// The stores that an object uses.
    #[must_use]
    pub(crate) fn stores_of(&self, referrer: &ObjectRef) -> Vec<ObjectRef> {
        let inner = self.lock();
        let referents = inner.referents.get(referrer).into_iter().flatten();
        referents
            .filter(|(_, role)| matches!(role, Role::Store | Role::PushStore))
            .map(|(object, _)| object.clone())
            .collect()
    }

    /// Whether anybody refers to the object.
    #[must_use]
    pub(crate) fn has(&self, referent: &ObjectRef) -> bool {
        self.lock().referrers.contains_key(referent)
    }

    /// Remembers the version in which `referrer` has just read or written what it refers to; none when it is not there.
    pub(crate) fn saw(&self, referrer: &ObjectRef, referent: &ObjectRef, version: Option<&str>) {
        if let Some(edge) = self.lock().referrers.get_mut(referent).and_then(|edges| edges.get_mut(referrer))
        {
            edge.known = version.map_or(Known::Missing, |version| Known::Version(version.into()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The maps are consistent between statements that can panic: none can.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether the content is another than at the last sight, which is remembered for whatever somebody is made with and for stores.
    fn is_new(&mut self, referent: &ObjectRef, sight: Sight<'_>, nudges: bool) -> bool {
        if !nudges && !referent.kind.ends_with("SecretStore") {
            return true;
        }
        if sight.content.is_empty() {
            return self.seen.remove(referent).is_some();
        }
        match self.seen.insert(referent.clone(), sight.content.to_owned()) {
            Some(before) => before != sight.content,
            None => !sight.first,
        }
    }

    fn forget(&mut self, referent: &ObjectRef, referrer: &ObjectRef) {
        if let Some(referrers) = self.referrers.get_mut(referent) {
            referrers.remove(referrer);
            if referrers.is_empty() {
                remove(&mut self.referrers, referent);
                remove(&mut self.seen, referent);
            }
        }
    }
}

fn remove<K: Hash + Eq, V>(map: &mut HashMap<K, V>, key: &K) {
    map.remove(key);
    if map.capacity() > 64 && map.len() * 4 < map.capacity() {
        map.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> ObjectRef {
        ObjectRef::namespaced("Secret", "default", name)
    }

    fn sight(version: &str) -> Sight<'_> {
        Sight { version, content: version, first: false }
    }

    fn referrer(name: &str) -> ObjectRef {
        ObjectRef::namespaced("ExternalSecret", "default", name)
    }

    #[test]
    fn a_change_wakes_those_that_named_it() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target), (secret("y"), Role::Target)].into());
        references.set(&referrer("b"), [(secret("y"), Role::TemplateSource)].into());
        assert_eq!(references.changed(&secret("x"), sight("1")), [referrer("a")]);
        assert_eq!(references.changed(&secret("y"), sight("1")), [referrer("a"), referrer("b")]);
        assert!(references.changed(&secret("z"), sight("1")).is_empty());
    }

    #[test]
    fn a_nudge_is_kept_until_it_is_answered() {
        let references = References::default();
        references
            .set(&referrer("a"), [(secret("x"), Role::TemplateSource), (secret("y"), Role::Target)].into());
        let _woken = references.changed(&secret("y"), sight("1"));
        assert_eq!(references.take_nudge(&referrer("a")), None);
        let _woken = references.changed(&secret("x"), sight("1"));
        let nudge = references.take_nudge(&referrer("a"));
        assert_eq!(nudge, Some(Nudge::TemplateSource));
        references.nudge_again(&referrer("a"), nudge);
        assert_eq!(references.take_nudge(&referrer("a")), nudge);
        assert_eq!(references.take_nudge(&referrer("a")), None);
    }

    #[test]
    fn a_referrer_that_changed_its_mind_is_not_woken_any_more() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
        references.set(&referrer("a"), [(secret("y"), Role::Target)].into());
        assert!(references.changed(&secret("x"), sight("1")).is_empty());
        references.remove(&referrer("a"));
        assert!(references.changed(&secret("y"), sight("1")).is_empty());
        assert!(references.lock().referrers.is_empty());
    }

    #[test]
    fn our_own_write_is_no_news_to_us_and_news_to_whoever_pushes_it() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
        references.set(&referrer("p"), [(secret("x"), Role::PushSource)].into());
        references.saw(&referrer("a"), &secret("x"), Some("7"));
        assert_eq!(references.changed(&secret("x"), sight("7")), [referrer("p")]);
        assert_eq!(references.changed(&secret("x"), sight("8")), [referrer("a"), referrer("p")]);
    }

    #[test]
    fn what_was_read_is_no_news_and_its_end_is() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
        references.saw(&referrer("a"), &secret("x"), Some("7"));
        references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
        assert!(references.changed(&secret("x"), sight("7")).is_empty(), "listed again");
        let gone = Sight { version: "7", content: "", first: false };
        assert_eq!(references.changed(&secret("x"), gone), [referrer("a")]);
        references.saw(&referrer("a"), &secret("x"), None);
        assert!(references.changed(&secret("x"), gone).is_empty());
        assert_eq!(references.changed(&secret("x"), sight("8")), [referrer("a")], "made again");
    }

    #[test]
    fn what_a_list_lacks_wakes_those_that_know_it() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
        references.set(&referrer("b"), [(secret("y"), Role::Target)].into());
        references.set(&referrer("c"), [(secret("z"), Role::Target)].into());
        references.saw(&referrer("a"), &secret("x"), Some("7"));
        references.saw(&referrer("b"), &secret("y"), Some("7"));
        references.saw(&referrer("c"), &secret("z"), None);
        assert_eq!(references.unlisted("Secret", &[secret("x")].into()), [referrer("b")]);
        assert!(references.unlisted("ConfigMap", &HashSet::new()).is_empty());
    }

    #[test]
    fn what_is_listed_again_or_changes_its_status_is_looked_at_and_means_nothing() {
        let references = References::default();
        let store = ObjectRef::namespaced("SecretStore", "default", "s");
        let see = |version, content, first| {
            let woken = references.changed(&store, Sight { version, content, first });
            (woken.len(), references.take_nudge(&referrer("a")))
        };
        assert_eq!(see("1", "g1", true), (0, None));
        references.set(&referrer("a"), [(store.clone(), Role::PushStore)].into());
        assert_eq!(see("1", "g1", false), (1, None), "listed again");
        assert_eq!(see("2", "g1", false), (1, None), "its status");
        assert_eq!(see("3", "g2", false), (1, Some(Nudge::Store)), "its spec");
        references.set(&referrer("a"), [(store.clone(), Role::Store)].into());
        assert_eq!(see("4", "g3", false), (1, None), "its spec, to whoever reads from it");
    }

    #[test]
    fn a_template_that_appears_is_news_unless_it_was_there() {
        for (first, nudge) in [(true, None), (false, Some(Nudge::TemplateSource))] {
            let references = References::default();
            references.set(&referrer("a"), [(secret("x"), Role::TemplateSource)].into());
            let sight = Sight { version: "1", content: "1", first };
            assert_eq!(references.changed(&secret("x"), sight), [referrer("a")]);
            assert_eq!(references.take_nudge(&referrer("a")), nudge, "{first}");
        }
    }
}
