//! The list of common passwords as a filter: sorted fingerprints of 40 bits, searched by halves. It never misses a password of the list. A
//! text that is not in it is taken for one with a chance of 30000 / 2^40, 1 in 36 million; a Bloom filter of that rate would be as large.

use crate::fingerprint;

const FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/filter.bin"));

/// Whether the list has this text, nearly certainly; it is in lower case.
pub(crate) fn contains(text: &str) -> bool {
    let (fingerprints, _) = FILTER.as_chunks::<{ fingerprint::BYTES }>();
    fingerprints.binary_search(&fingerprint::of(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = include_str!("../passwords.txt");

    #[test]
    fn every_password_of_the_list_is_found() {
        assert_eq!(LIST.lines().count(), 30_000);
        for password in LIST.lines() {
            assert!(contains(password), "{password}");
        }
    }

    #[test]
    fn a_text_that_is_not_in_it_is_found_once_in_36_million() {
        let fingerprints = FILTER.len() / fingerprint::BYTES;
        let rate = fingerprints as f64 / 2_f64.powi(40);
        assert!(rate < 1.0 / 36e6, "{rate}");
        // As the fingerprints are spread, so is the rate: each sixteenth holds about its share.
        let (all, _) = FILTER.as_chunks::<{ fingerprint::BYTES }>();
        for sixteenth in 0..16 {
            let share = all.iter().filter(|fingerprint| fingerprint[0] >> 4 == sixteenth).count();
            assert!((1700..2050).contains(&share), "{share} begin with {sixteenth:x}");
        }
        // No list has these; of a million one is found by chance in 37 runs, and the texts are the same in each.
        let found = (0..1_000_000).filter(|number| contains(&format!("no password {number}"))).count();
        assert_eq!(found, 0);
    }
}
