//! The digests and names that ESO leaves on a target, bit for bit.
//!
//! A target that ESO wrote must look valid to us and the other way round, else a migration rewrites every Secret. ESO hashes
//! the text that Go's `%+v` gives for the value; here that text goes piecewise into the hash and is never built, since it
//! holds secrets.

use std::collections::BTreeMap;

use api::names::field_manager;
use data_encoding::HEXLOWER;
use sha3::{Digest, Sha3_224};

use crate::field::Fields;

/// The `data-hash` of a target: lower-case hex SHA3-224 of its data as Go prints a `map[string][]byte`.
#[must_use]
pub fn data_hash(data: &Fields) -> String {
    let mut hash = Sha3_224::new();
    hash.update(b"map[");
    for (index, (key, value)) in data.iter().enumerate() {
        separate(&mut hash, index);
        hash.update(key);
        hash.update(b":[");
        for (index, byte) in value.expose().iter().enumerate() {
            separate(&mut hash, index);
            decimal(&mut hash, *byte);
        }
        hash.update(b"]");
    }
    hash.update(b"]");
    HEXLOWER.encode(&hash.finalize())
}

/// The `syncedResourceVersion` of an object: its generation and a hash of its labels and annotations.
#[must_use]
pub fn synced_version(
    generation: i64,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> String {
    let mut hash = Sha3_224::new();
    hash.update(b"{annotations:");
    text_map(&mut hash, annotations);
    hash.update(b" labels:");
    text_map(&mut hash, labels);
    hash.update(b"}");
    format!("{generation}-{}", HEXLOWER.encode(&hash.finalize()))
}

/// The value of the `created-by` label of a target that the ExternalSecret `namespace`/`name` owns.
#[must_use]
pub fn created_by(namespace: &str, name: &str) -> String {
    HEXLOWER.encode(&Sha3_224::digest(format!("{namespace}/{name}")))
}

/// The field manager under which the ExternalSecret `name` writes its target.
#[must_use]
pub fn field_manager(name: &str) -> String {
    let plain = format!("{}{name}", field_manager::EXTERNAL_SECRET_PREFIX);
    if plain.len() <= field_manager::LENGTH_MAX {
        return plain;
    }
    let digest = HEXLOWER.encode(&Sha3_224::digest(name));
    format!("{}{}{digest}", field_manager::EXTERNAL_SECRET_PREFIX, field_manager::SHA3_INFIX)
}

fn separate(hash: &mut Sha3_224, index: usize) {
    if index > 0 {
        hash.update(b" ");
    }
}

fn decimal(hash: &mut Sha3_224, byte: u8) {
    if byte >= 100 {
        hash.update([b'0' + byte / 100]);
    }
    if byte >= 10 {
        hash.update([b'0' + byte / 10 % 10]);
    }
    hash.update([b'0' + byte % 10]);
}

fn text_map(hash: &mut Sha3_224, map: &BTreeMap<String, String>) {
    hash.update(b"map[");
    for (index, (key, value)) in map.iter().enumerate() {
        separate(hash, index);
        hash.update(key);
        hash.update(b":");
        hash.update(value);
    }
    hash.update(b"]");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::Value;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    #[test]
    fn data_hashes_are_those_of_eso() {
        for (data, want) in [
            (&[("password", "abc")][..], "4a6b2381bbcb1e4fff12db04e740b8d9d49f4ea05fed12eb9b2d2d73"),
            (&[], "74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b"),
            // Recorded from ESO 2.9.0.
            (&[("a", "a"), ("b", "b")], "c8871cbcb0b48557cd0e9775a7555dadf47c71e7ce355057ed1d06e1"),
            (&[("k", "a\0b")], "4865c1a4703c86c8da0867fea6c5a4a6add72c9c6cb0a187645ef26a"),
            (
                &[("k", "v1"), ("new", "1"), ("user", "bob")],
                "d6f7ff05521a01b5e1657a3aae10a60e77c83d1bab0b5fb36d42c76f",
            ),
        ] {
            assert_eq!(
                data_hash(&fields(data)),
                want,
                "{:?}",
                data.iter().map(|(key, _)| key).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn the_synced_version_hashes_annotations_then_labels() {
        let annotations = [("a".to_owned(), "b".to_owned())].into();
        let want = "3-bf2e191ffa050d7e5617bad52426046fb9b3f137ba45f6c09b8f320b";
        assert_eq!(synced_version(3, &BTreeMap::new(), &annotations), want);
        assert_ne!(synced_version(3, &annotations, &BTreeMap::new()), want);
    }

    #[test]
    fn created_by_hashes_namespace_and_name() {
        assert_eq!(created_by("default", "app"), "681d4a0ad0265d19b46750f5b00fc5b34b830c155fc5af351e695744");
    }

    #[test]
    fn a_field_manager_over_63_bytes_is_hashed() {
        let prefix = "externalsecrets.external-secrets.io/";
        for (name, want) in [
            ("app", "app"),
            // 36 + 27 = 63: the longest that is written out.
            ("abcdefghijklmnopqrstuvwxyz0", "abcdefghijklmnopqrstuvwxyz0"),
            (
                "my-very-long-external-secret-name",
                "sha3/1af3e295f052e8de7a0e2ba66592bc7c2930bb20ca287bcd1e8c931f",
            ),
        ] {
            assert_eq!(field_manager(name), format!("{prefix}{want}"), "{name}");
        }
    }

    proptest! {
        #[test]
        fn the_hash_is_that_of_the_text_that_go_prints(data: std::collections::BTreeMap<String, Vec<u8>>) {
            let entries: Vec<String> = data
                .iter()
                .map(|(key, value)| {
                    let bytes: Vec<String> = value.iter().map(u8::to_string).collect();
                    format!("{key}:[{}]", bytes.join(" "))
                })
                .collect();
            let want = HEXLOWER.encode(&Sha3_224::digest(format!("map[{}]", entries.join(" "))));
            let fields: Fields = data.into_iter().map(|(key, value)| (key, Value::new(value))).collect();
            prop_assert_eq!(data_hash(&fields), want);
        }
    }
}
