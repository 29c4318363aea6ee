//! The lists as a filter: sorted fingerprints of 48 bits, searched by halves. It never misses an entry. A text that is not in the lists is
//! taken for one with a chance of 93855 / 2^48, 1 in 3 billion; a Bloom filter of that rate would be as large.

use crate::fingerprint;

const FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/filter.bin"));

/// Whether the lists have this text, nearly certainly; it is in lower case.
pub(crate) fn contains(text: &str) -> bool {
    let (fingerprints, _) = FILTER.as_chunks::<{ fingerprint::BYTES }>();
    fingerprints.binary_search(&fingerprint::of(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LISTS: [&str; 2] = [include_str!("../passwords.txt"), include_str!("../words.txt")];

    #[test]
    fn every_entry_of_the_lists_is_found() {
        assert_eq!(LISTS.map(|list| list.lines().count()), [30_000, 63_855]);
        for entry in LISTS.iter().flat_map(|list| list.lines()) {
            assert!(contains(entry), "{entry}");
        }
    }

    /// A chance of 1 in 3 billion cannot be measured, but its two factors can: of 24 bits at either end of a fingerprint, texts that are
    /// not in the lists meet those of the filter as often as chance would have it.
    #[test]
    fn a_text_that_is_not_in_it_is_found_by_chance_alone() {
        const PROBES: u32 = 1_000_000;
        let (all, _) = FILTER.as_chunks::<{ fingerprint::BYTES }>();
        assert_eq!(all.len(), 93_855, "no two entries have the same fingerprint");
        for half in [0..3, 3..6] {
            let of = |fingerprint: &[u8; fingerprint::BYTES]| fingerprint[half.clone()].to_vec();
            let known: BTreeSet<Vec<u8>> = all.iter().map(of).collect();
            let probes = (0..PROBES).map(|number| fingerprint::of(&format!("no password {number}")));
            let found = probes.filter(|fingerprint| known.contains(&of(fingerprint))).count();
            let expected = f64::from(PROBES) * known.len() as f64 / 2_f64.powi(24);
            // Five standard deviations of a count of rare events.
            let off = (found as f64 - expected).abs() / expected.sqrt();
            assert!(off < 5.0, "{found} found, {expected} expected");
        }
        assert_eq!((0..PROBES).filter(|number| contains(&format!("no password {number}"))).count(), 0);
    }
}
