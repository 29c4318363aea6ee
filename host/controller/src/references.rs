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
    /// The component that it configures.
    Component,
    /// Where a component's bytes are.
    ComponentSource,
}

impl Role {
    /// What a change of such an object means for a refresh, beyond that somebody should look. Values in a store count at the next
    /// refresh, and so does where the store is: whoever asked for an interval asked for no more.
    const fn nudge(self) -> Option<Nudge> {
        match self {
            Role::TemplateSource => Some(Nudge::TemplateSource),
            Role::PushStore => Some(Nudge::Store),
            Role::Target
            | Role::Store
            | Role::Generator
            | Role::PushSource
            | Role::Credential
            | Role::Component
            | Role::ComponentSource => None,
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
    nudges: HashMap<ObjectRef, Heard>,
    /// How many nudges there have been.
    nudged: u64,
    /// What was last seen of what nudges.
    seen: HashMap<ObjectRef, String>,
}

/// One nudge of an object, as told from all later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// What it means.
    pub(crate) nudge: Nudge,
    number: u64,
}

/// How one object refers to another.
#[derive(Debug, Clone)]
struct Edge {
    role: Role,
    known: Known,
    write: Write,
}

/// Whether the referrer is writing what it refers to. The watch may be faster than the answer that says which version that made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Write {
    /// It is not.
    #[default]
    Idle,
    /// It is.
    UnderWay,
    /// It is, and a watch has shown this meanwhile.
    Seen(Known),
}

/// What the referrer has seen of the object last, by reading it, by writing it or by being woken: an event that says the same is no news.
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
                    edges.insert(
                        referrer.clone(),
                        Edge { role, known: Known::default(), write: Write::default() },
                    );
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

    /// Whom a change of `referent` to this version concerns, in order. What it means to each is kept until a look has answered it.
    /// To the one who read or wrote that version or was woken by it, it is no news; to everybody else it is. Whoever is writing it is
    /// told when the write has ended. What merely changed its status wakes and means nothing; what was listed again does not wake.
    #[must_use]
    pub(crate) fn changed(&self, referent: &ObjectRef, sight: Sight<'_>) -> Vec<ObjectRef> {
        let mut inner = self.lock();
        let now =
            if sight.content.is_empty() { Known::Missing } else { Known::Version(sight.version.into()) };
        let edges = inner.referrers.get_mut(referent).into_iter().flatten();
        let found: BTreeMap<ObjectRef, Role> = edges
            .filter_map(|(referrer, edge)| edge.is_news(&now).then(|| (referrer.clone(), edge.role)))
            .collect();
        let is_new = inner.is_new(referent, sight, found.values().any(|role| role.nudge().is_some()));
        for (referrer, role) in &found {
            if let Some(nudge) = role.nudge().filter(|_| is_new) {
                inner.nudged += 1;
                let heard = Heard { nudge, number: inner.nudged };
                inner.nudges.insert(referrer.clone(), heard);
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

    /// What changed around an object and was not answered yet.
    #[must_use]
    pub(crate) fn nudge(&self, referrer: &ObjectRef) -> Option<Heard> {
        self.lock().nudges.get(referrer).copied()
    }

    /// A look has answered what it had heard. What came since is kept.
    pub(crate) fn answered(&self, referrer: &ObjectRef, heard: Option<Heard>) {
        let mut inner = self.lock();
        if heard.is_some() && inner.nudges.get(referrer).copied() == heard {
            remove(&mut inner.nudges, referrer);
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

    /// Who refers to the object, in order.
    #[must_use]
    pub(crate) fn of(&self, referent: &ObjectRef) -> Vec<ObjectRef> {
        let inner = self.lock();
        let found: BTreeSet<&ObjectRef> =
            inner.referrers.get(referent).into_iter().flat_map(HashMap::keys).collect();
        found.into_iter().cloned().collect()
    }

    /// Whether anybody refers to the object.
    #[must_use]
    pub(crate) fn has(&self, referent: &ObjectRef) -> bool {
        self.lock().referrers.contains_key(referent)
    }

    /// Remembers the version in which `referrer` has just read what it refers to; none when it is not there.
    pub(crate) fn saw(&self, referrer: &ObjectRef, referent: &ObjectRef, version: Option<&str>) {
        if let Some(edge) = self.lock().edge(referrer, referent) {
            edge.known = version.map_or(Known::Missing, |version| Known::Version(version.into()));
        }
    }

    /// From here to [`References::wrote`] the referrer is not woken by what it writes.
    pub(crate) fn writes(&self, referrer: &ObjectRef, referent: &ObjectRef) {
        if let Some(edge) = self.lock().edge(referrer, referent) {
            edge.write = Write::UnderWay;
        }
    }

    /// Remembers the version that a write has made; none when it failed or its answer was lost. Whether a watch has shown another meanwhile,
    /// so that the referrer is to be woken.
    #[must_use]
    pub(crate) fn wrote(&self, referrer: &ObjectRef, referent: &ObjectRef, version: Option<&str>) -> bool {
        let mut inner = self.lock();
        let Some(edge) = inner.edge(referrer, referent) else { return false };
        if let Some(version) = version {
            edge.known = Known::Version(version.into());
        }
        match std::mem::take(&mut edge.write) {
            Write::Seen(seen) => seen != edge.known,
            Write::Idle | Write::UnderWay => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The maps are consistent between statements that can panic: none can.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Edge {
    /// Whether the referrer is to be woken by this. It is woken by it once: its look reads what it needs.
    fn is_news(&mut self, now: &Known) -> bool {
        match &mut self.write {
            Write::Idle if self.known == *now => false,
            Write::Idle => {
                self.known = now.clone();
                true
            }
            write => {
                *write = Write::Seen(now.clone());
                false
            }
        }
    }
}

impl Inner {
    fn edge(&mut self, referrer: &ObjectRef, referent: &ObjectRef) -> Option<&mut Edge> {
        self.referrers.get_mut(referent)?.get_mut(referrer)
    }

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
    fn a_change_wakes_those_that_named_it_once() {
        let references = References::default();
        references.set(&referrer("a"), [(secret("x"), Role::Target), (secret("y"), Role::Target)].into());
        references.set(&referrer("b"), [(secret("y"), Role::TemplateSource)].into());
        assert_eq!(references.changed(&secret("x"), sight("1")), [referrer("a")]);
        assert_eq!(references.changed(&secret("y"), sight("1")), [referrer("a"), referrer("b")]);
        assert!(references.changed(&secret("z"), sight("1")).is_empty());
        assert!(references.changed(&secret("y"), sight("1")).is_empty(), "listed again");
    }

    #[test]
    fn a_nudge_is_kept_until_it_is_answered() {
        let references = References::default();
        references
            .set(&referrer("a"), [(secret("x"), Role::TemplateSource), (secret("y"), Role::Target)].into());
        let _woken = references.changed(&secret("y"), sight("1"));
        assert_eq!(references.nudge(&referrer("a")), None);
        let _woken = references.changed(&secret("x"), sight("1"));
        let first = references.nudge(&referrer("a"));
        assert_eq!(first.map(|heard| heard.nudge), Some(Nudge::TemplateSource));
        let _woken = references.changed(&secret("x"), sight("2"));
        references.answered(&referrer("a"), first);
        let second = references.nudge(&referrer("a"));
        assert_eq!(second.map(|heard| heard.nudge), Some(Nudge::TemplateSource), "it came during the look");
        references.answered(&referrer("a"), second);
        assert_eq!(references.nudge(&referrer("a")), None);
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
    fn a_watch_that_is_faster_than_the_answer_wakes_nobody_unless_it_shows_something_else() {
        for (shown, answer, woken) in [
            (&[][..], Some("7"), false),
            (&["7"], Some("7"), false),
            (&["6", "7"], Some("7"), false),
            (&["7", "8"], Some("7"), true),
            (&["7"], None, true),
            (&[], None, false),
        ] {
            let references = References::default();
            references.set(&referrer("a"), [(secret("x"), Role::Target)].into());
            references.writes(&referrer("a"), &secret("x"));
            for version in shown {
                assert!(references.changed(&secret("x"), sight(version)).is_empty(), "{shown:?} {answer:?}");
            }
            assert_eq!(references.wrote(&referrer("a"), &secret("x"), answer), woken, "{shown:?} {answer:?}");
            assert_eq!(references.changed(&secret("x"), sight("9")), [referrer("a")], "the write has ended");
        }
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
            let heard = references.nudge(&referrer("a"));
            references.answered(&referrer("a"), heard);
            (woken.len(), heard.map(|heard| heard.nudge))
        };
        assert_eq!(see("1", "g1", true), (0, None));
        references.set(&referrer("a"), [(store.clone(), Role::PushStore)].into());
        assert_eq!(see("1", "g1", false), (1, None), "seen for the first time by whoever refers to it now");
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
            let heard = references.nudge(&referrer("a"));
            assert_eq!(heard.map(|heard| heard.nudge), nudge, "{first}");
        }
    }
}
