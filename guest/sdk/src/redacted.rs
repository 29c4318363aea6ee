//! A key with secret bytes, as the host hands it in. It cannot be printed: `Debug` shows the key and how many bytes.
//! It is not zeroed either: the whole memory of an instance dies with the call.

use std::fmt;

use crate::bindings::types;

/// A key and its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its bytes, as they are: nothing is encoded.
    pub value: Vec<u8>,
}

impl Entry {
    /// An entry of these.
    pub fn new(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    pub(crate) fn all(entries: Vec<types::Entry>) -> Vec<Self> {
        entries.into_iter().map(Self::from).collect()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("value", &Bytes(&self.value)).finish()
    }
}

impl From<types::Entry> for Entry {
    fn from(entry: types::Entry) -> Self {
        Self { key: entry.key, value: entry.value }
    }
}

impl From<Entry> for types::Entry {
    fn from(entry: Entry) -> Self {
        Self { key: entry.key, value: entry.value }
    }
}

/// Bytes that show their number only.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(
            format!("{:?}", Entry::new("password", "canary")),
            r#"Entry { key: "password", value: <6 bytes> }"#
        );
    }
}
