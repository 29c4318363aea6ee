//! The record as the data of a Secret: one JSON document per entry.
//!
//! Reading is strict. What cannot be read is an error and never "no record", since that would generate anew. Base64 text of
//! values is wiped when it has been used.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{EntryKey, Held, Record, RecordEntry, RotationId, digest};
use crate::failure::{Blame, Failure, Reason, Retry};
use crate::field::{Fields, Value};
use crate::ports::{Entropy, Generated, GeneratedField, Occasion};

/// The version of the format that is written. Previous values will be added under another.
const VERSION: u32 = 1;

const PREFIX: &str = "entry-";

/// Why a record cannot be used.
#[derive(Debug, Error)]
pub enum RecordError {
    /// It is not what was written.
    #[error("read {key} of the rotation record: {problem}")]
    Damaged {
        /// The key in the Secret.
        key: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A later keymill wrote it.
    #[error("read {key} of the rotation record: it has version {version} and this keymill reads version 1")]
    Version {
        /// The key in the Secret.
        key: String,
        /// Its version.
        version: u32,
    },
    /// It could not be written as text.
    #[error("write the entry {entry} of the rotation record")]
    Encode {
        /// The entry.
        entry: EntryKey,
    },
}

impl Failure for RecordError {
    fn reason(&self) -> Reason {
        match self {
            RecordError::Damaged { .. } | RecordError::Version { .. } => Reason::ReferenceMissing,
            RecordError::Encode { .. } => Reason::Internal,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            RecordError::Damaged { .. } => Blame::Cluster,
            RecordError::Version { .. } | RecordError::Encode { .. } => Blame::Host,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            RecordError::Damaged { .. } | RecordError::Version { .. } | RecordError::Encode { .. } => {
                Retry::WhenChanged
            }
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            RecordError::Damaged { .. } => {
                "restore the record from a backup, or delete it to have the value that the target has kept until the next rotation"
            }
            RecordError::Version { .. } => "run the keymill that wrote it, or a later one",
            RecordError::Encode { .. } => "",
        }
    }
}

impl Record {
    /// The data of the Secret.
    ///
    /// # Errors
    /// When an entry has no text form, which is a fault of keymill.
    pub fn encode(&self) -> Result<Fields, RecordError> {
        let encode = |(key, entry): (&EntryKey, &RecordEntry)| {
            let text = serde_json::to_vec(&Stored::of(key, entry));
            let text = text.map_err(|_| RecordError::Encode { entry: key.clone() })?;
            Ok((data_key(key), Value::new(text)))
        };
        self.entries.iter().map(encode).collect()
    }

    /// The record in the data of its Secret.
    ///
    /// # Errors
    /// When any of it is not what `encode` wrote.
    pub fn decode(data: &Fields) -> Result<Self, RecordError> {
        let mut record = Self::default();
        for (key, value) in data {
            let (entry_key, entry) = decode(key, value)?;
            record.entries.insert(entry_key, entry);
        }
        Ok(record)
    }
}

fn decode(key: &str, value: &Value) -> Result<(EntryKey, RecordEntry), RecordError> {
    let damaged = |problem| RecordError::Damaged { key: key.to_owned(), problem };
    // serde_json's errors can quote what they could not read.
    let version: Versioned = serde_json::from_slice(value.expose())
        .map_err(|_| damaged("it is not a JSON object with a version"))?;
    if version.version != VERSION {
        return Err(RecordError::Version { key: key.to_owned(), version: version.version });
    }
    let stored: Stored =
        serde_json::from_slice(value.expose()).map_err(|_| damaged("a part is missing or not valid"))?;
    let (entry_key, entry) = stored.entry().map_err(damaged)?;
    if data_key(&entry_key) != key {
        return Err(damaged("it is stored under the key of another entry"));
    }
    Ok((entry_key, entry))
}

/// A key of the Secret; the entry's own has characters that such a key may not have.
fn data_key(key: &EntryKey) -> String {
    format!("{PREFIX}{}", digest([key.as_str()]))
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    version: u32,
    entry: String,
    id: String,
    previous: Option<String>,
    values: Option<StoredValues>,
    config_digest: String,
    occasion: String,
    rotated_at: Timestamp,
    expires_at: Option<Timestamp>,
    force_sync: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredValues {
    fields: BTreeMap<String, StoredField>,
    state: Option<Bytes>,
    /// In milliseconds.
    lives: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredField {
    value: Bytes,
    bits: Option<f64>,
    exact: Option<bool>,
}

/// Secret bytes, base64 in the text.
struct Bytes(Value);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(self.0.expose())))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl Visitor<'_> for Visit {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
                BASE64.decode(text.as_bytes()).map(Value::new).map(Bytes).map_err(|_| E::custom("not base64"))
            }
        }

        deserializer.deserialize_str(Visit).map_err(|_| D::Error::custom("not base64"))
    }
}

impl Stored {
    fn of(key: &EntryKey, entry: &RecordEntry) -> Self {
        Self {
            version: VERSION,
            entry: key.as_str().to_owned(),
            id: entry.id.as_str().to_owned(),
            previous: entry.previous.as_ref().map(|id| id.as_str().to_owned()),
            values: entry.values().map(StoredValues::of),
            config_digest: entry.config_digest.clone(),
            occasion: entry.occasion.as_str().to_owned(),
            rotated_at: entry.rotated_at,
            expires_at: entry.expires_at,
            force_sync: entry.force_sync.clone(),
        }
    }

    fn entry(self) -> Result<(EntryKey, RecordEntry), &'static str> {
        let id = |text: &str| RotationId::parse(text).ok_or("an id is not 32 hexadecimal digits");
        let entry = RecordEntry {
            id: id(&self.id)?,
            previous: self.previous.as_deref().map(id).transpose()?,
            held: match self.values {
                Some(values) => Held::Values(values.generated()?),
                None => Held::OnTarget,
            },
            config_digest: self.config_digest,
            occasion: occasion(&self.occasion).ok_or("its occasion is none that is known")?,
            rotated_at: self.rotated_at,
            expires_at: self.expires_at,
            force_sync: self.force_sync,
        };
        Ok((EntryKey(self.entry), entry))
    }
}

impl StoredValues {
    fn of(generated: &Generated) -> Self {
        let field = |field: &GeneratedField| StoredField {
            value: Bytes(field.value.clone()),
            bits: field.entropy.map(|entropy| entropy.bits),
            exact: field.entropy.map(|entropy| entropy.exact),
        };
        Self {
            fields: generated.fields.iter().map(|(key, value)| (key.clone(), field(value))).collect(),
            state: generated.state.clone().map(Bytes),
            lives: generated.expires_in.map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn generated(self) -> Result<Generated, &'static str> {
        let field = |field: StoredField| {
            let entropy = match (field.bits, field.exact) {
                (Some(bits), Some(exact)) => Some(Entropy { bits, exact }),
                (None, None) => None,
                _ => return Err("the entropy of a field is half there"),
            };
            Ok(GeneratedField { value: field.value.0, entropy })
        };
        let fields = self.fields.into_iter().map(|(key, value)| Ok((key, field(value)?)));
        Ok(Generated {
            fields: fields.collect::<Result<_, &'static str>>()?,
            state: self.state.map(|state| state.0),
            expires_in: self.lives.map(Duration::from_millis),
        })
    }
}

fn occasion(word: &str) -> Option<Occasion> {
    [
        Occasion::Initial,
        Occasion::Scheduled,
        Occasion::Forced,
        Occasion::ConfigChanged,
        Occasion::Expired,
        Occasion::ValueLost,
    ]
    .into_iter()
    .find(|occasion| occasion.as_str() == word)
}
