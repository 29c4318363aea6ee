//! The secret bytes on their way to the target.
//!
//! A `Value` cannot be printed, is zeroed on drop and compares in constant time. Nothing here knows where it came from.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;

/// Fields by key, in key order.
pub type Fields = BTreeMap<String, Value>;

/// Secret bytes. `Debug` says how many there are, nothing more.
#[derive(Clone)]
pub struct Value(SecretSlice<u8>);

impl Value {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves. Whoever calls this is a place where a secret leaves: a target, a store, a guest.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Value {}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} secret bytes>", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_length_only() {
        let fields: Fields = [("password".to_owned(), Value::from("correct horse"))].into();
        assert_eq!(format!("{fields:?}"), r#"{"password": <13 secret bytes>}"#);
    }

    #[test]
    fn equality_is_that_of_the_bytes() {
        assert_eq!(Value::from("a"), Value::from("a"));
        assert_ne!(Value::from("a"), Value::from("b"));
        assert_ne!(Value::from("a"), Value::from("aa"));
    }
}
