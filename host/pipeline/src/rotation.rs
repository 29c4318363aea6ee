//! The rotation record: what was generated, when and why.
//!
//! A record is one Secret per object that generates, or whose template draws. It is written before anything else uses its values, and whoever finds it
//! adopts it. Ids derive from the object, the entry and what triggered the rotation, never from the clock, so that a retry
//! and a second replica name the same rotation by the same id. Previous values are not kept here yet; only their id is.

use std::collections::BTreeMap;
use std::fmt;

use api::names::group;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::meta::Meta;
use crate::ports::{Generated, Occasion};

mod codec;
#[cfg(test)]
mod tests;

pub use codec::RecordError;

/// Which entry of an object: its generator, and which of several entries with that generator. Moving entries around changes no
/// key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(String);

impl EntryKey {
    /// The `occurrence`th entry, from 0, that names the generator.
    #[must_use]
    pub fn new(api_version: &str, kind: &str, name: &str, occurrence: usize) -> Self {
        Self(format!("{}#{occurrence}", identity(api_version, kind, name)))
    }

    /// What the target's template draws. No generator's identity is without a `/`.
    #[must_use]
    pub fn template() -> Self {
        Self("template".to_owned())
    }

    /// What a PushSecret's template draws for one source.
    #[must_use]
    pub fn template_of(source: &str) -> Self {
        Self(format!("template:{source}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which generator: `Password/db`, or with its group when that is not ESO's, `Generator.keymill.dev/db`.
#[must_use]
pub fn identity(api_version: &str, kind: &str, name: &str) -> String {
    match api_version.split_once('/').map_or("", |(group, _)| group) {
        group::GENERATORS | "" => format!("{kind}/{name}"),
        group => format!("{kind}.{group}/{name}"),
    }
}

/// Hexadecimal digits of an id.
const ID_LENGTH: usize = 32;

/// The name of one rotation: 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RotationId(String);

impl RotationId {
    /// The id of the rotation of `entry` of the object `uid` that `trigger` asks for.
    #[must_use]
    pub fn derive(uid: &str, entry: &EntryKey, trigger: &Trigger<'_>) -> Self {
        let words = trigger.words();
        Self(digest([uid, entry.as_str()].into_iter().chain(words.iter().map(String::as_str))))
    }

    /// An id that was written down; none when the text is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid =
            text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What asks for a rotation, in terms of what is stored: the same state gives the same trigger whoever looks and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger<'a> {
    /// The object has no values yet, or none for this entry. The combined id of the others and the generation of the spec that
    /// asks for it tell an entry that comes back from the one that went.
    Initial(Option<&'a RotationId>, i64),
    /// The slot after a rotation is due.
    Slot(&'a RotationId),
    /// Somebody set the force-sync annotation to this value.
    Forced(Option<&'a RotationId>, &'a str),
    /// The generator's config has this digest now.
    Config(&'a RotationId, &'a str),
    /// The value of a rotation is about to expire.
    Expiry(&'a RotationId),
    /// Nobody has the value any more; what is still known of it.
    Lost(&'a [String]),
}

impl Trigger<'_> {
    fn words(&self) -> Vec<String> {
        let id = |id: &RotationId| id.as_str().to_owned();
        match self {
            Trigger::Initial(others, generation) => {
                vec!["initial".to_owned(), others.map(id).unwrap_or_default(), generation.to_string()]
            }
            Trigger::Slot(previous) => vec!["slot".to_owned(), id(previous)],
            Trigger::Forced(previous, value) => {
                vec!["forced".to_owned(), previous.map(id).unwrap_or_default(), (*value).to_owned()]
            }
            Trigger::Config(previous, digest) => {
                vec!["config".to_owned(), id(previous), (*digest).to_owned()]
            }
            Trigger::Expiry(previous) => vec!["expiry".to_owned(), id(previous)],
            Trigger::Lost(known) => ["lost".to_owned()].into_iter().chain(known.iter().cloned()).collect(),
        }
    }
}

/// Everything that an object has generated and still uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    entries: BTreeMap<EntryKey, RecordEntry>,
}

/// One entry's last rotation.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordEntry {
    /// Its name.
    pub id: RotationId,
    /// The rotation before it.
    pub previous: Option<RotationId>,
    /// The raw values and the generator's state.
    pub held: Held,
    /// Digest of the generator's config at that time; empty when it is not known.
    pub config_digest: String,
    /// Why it rotated.
    pub occasion: Occasion,
    /// When it rotated.
    pub rotated_at: Timestamp,
    /// When the value is worthless.
    pub expires_at: Option<Timestamp>,
    /// The force-sync annotation at that time.
    pub force_sync: Option<String>,
}

/// Whether the record has the values.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// It has.
    Values(Generated),
    /// Only the target has them: somebody else generated them (adoption), or the record was lost.
    OnTarget,
}

impl RecordEntry {
    /// The values, if the record has them.
    #[must_use]
    pub fn values(&self) -> Option<&Generated> {
        match &self.held {
            Held::Values(generated) => Some(generated),
            Held::OnTarget => None,
        }
    }

    /// Whether the record has the values.
    #[must_use]
    pub fn holds_values(&self) -> bool {
        self.values().is_some()
    }
}

impl Record {
    /// The entry, if there is one.
    #[must_use]
    pub fn get(&self, key: &EntryKey) -> Option<&RecordEntry> {
        self.entries.get(key)
    }

    /// All entries, by key.
    pub fn entries(&self) -> impl Iterator<Item = (&EntryKey, &RecordEntry)> {
        self.entries.iter()
    }

    /// Whether nothing was generated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A record of one entry.
    pub(crate) fn of(key: EntryKey, entry: RecordEntry) -> Self {
        Self { entries: [(key, entry)].into() }
    }

    pub(crate) fn set(&mut self, key: EntryKey, entry: RecordEntry) {
        self.entries.insert(key, entry);
    }

    /// The rotation id of the whole object: the entry's own when there is one, a hash over all otherwise. The order of the
    /// entries in the manifest does not count.
    #[must_use]
    pub fn rotation_id(&self) -> Option<RotationId> {
        let mut ids = self.entries.iter();
        match (ids.next(), ids.next()) {
            (None, _) => None,
            (Some((_, only)), None) => Some(only.id.clone()),
            (Some(_), Some(_)) => {
                let words = self.entries.iter().flat_map(|(key, entry)| [key.as_str(), entry.id.as_str()]);
                Some(RotationId(digest(words)))
            }
        }
    }
}

/// The name of the Secret that holds the record of an object, `keymill-rotation-<kind>-<name>` in lower case, cut and hashed when that is
/// longer than a name may be.
#[must_use]
pub fn record_name(kind: &str, name: &str) -> String {
    const LENGTH_MAX: usize = 253;
    const HASH_LENGTH: usize = 16;
    let full = format!("keymill-rotation-{}-{name}", kind.to_ascii_lowercase());
    if full.len() <= LENGTH_MAX {
        return full;
    }
    let hash: String = digest([full.as_str()]).chars().take(HASH_LENGTH).collect();
    let head: String = full.chars().take(LENGTH_MAX - HASH_LENGTH - 1).collect();
    format!("{}-{hash}", head.trim_end_matches(['-', '.']))
}

/// The rotation id that the ExternalSecret `name` published, from the annotation's text: the id alone, or `name:id` pairs with
/// commas between them where several may merge into one target.
pub(crate) fn published<'a>(annotation: &'a str, name: &str) -> Option<&'a str> {
    let pairs = || annotation.split(',');
    let own =
        pairs().find_map(|pair| pair.split_once(':').filter(|(owner, _)| *owner == name).map(|(_, id)| id));
    own.or_else(|| pairs().find(|pair| !pair.is_empty() && !pair.contains(':')))
}

/// The annotation's text once `object` has published `id`.
pub(crate) fn publish(
    annotation: Option<&str>,
    object: &Meta,
    id: Option<&RotationId>,
    shared: bool,
) -> Option<String> {
    if !shared {
        return id.map(|id| id.as_str().to_owned());
    }
    let others = annotation.unwrap_or_default().split(',');
    let others = others.filter(|pair| pair.split_once(':').is_some_and(|(owner, _)| owner != object.name));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.extend(id.map(|id| format!("{}:{id}", object.name)));
    pairs.sort();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

/// The first 32 hexadecimal digits of SHA-256 over the words, each with its length.
fn digest<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    HEXLOWER.encode(&hash.finalize()).chars().take(ID_LENGTH).collect()
}
