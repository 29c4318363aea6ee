use std::collections::BTreeMap;

use super::*;
use crate::bindings::generate::Pick;
use crate::random::SystemRandom;
use crate::random::tests::Script;

fn picks(parts: &[(&str, u32)], shuffle: bool, distinct: bool) -> Picks {
    Picks {
        parts: parts
            .iter()
            .map(|(alphabet, count)| Pick { alphabet: (*alphabet).to_owned(), count: *count })
            .collect(),
        shuffle,
        distinct,
    }
}

fn once(picks: &Picks) -> Result<(String, Entropy, bool), DrawError> {
    let drawn = draw(picks, &mut Random::new(&SystemRandom))?;
    let text = String::from_utf8(drawn.bytes.to_vec()).unwrap();
    Ok((text, drawn.entropy, drawn.fixed))
}

fn fault(picks: &Picks) -> RecipeFault {
    match once(picks) {
        Err(DrawError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// How often each string comes, over every sequence of source bytes below `radix` that the draw can read.
fn exhaustive(picks: &Picks, radixes: &[u8]) -> BTreeMap<String, u32> {
    let mut sources = vec![vec![]];
    for &radix in radixes {
        sources = sources
            .into_iter()
            .flat_map(|bytes: Vec<u8>| (0..radix).map(move |byte| [bytes.clone(), vec![byte]].concat()))
            .collect();
    }
    let mut hits = BTreeMap::new();
    for source in sources {
        let script = Script::new(source);
        let drawn = draw(picks, &mut Random::new(&script)).unwrap();
        *hits.entry(String::from_utf8(drawn.bytes.to_vec()).unwrap()).or_default() += 1;
    }
    hits
}

fn check_entropy(picks: &Picks, bits: f64, exact: bool) {
    let (text, entropy, _) = once(picks).unwrap();
    assert!((entropy.bits - bits).abs() < 1e-6, "{text}: {entropy:?}, not {bits}");
    assert_eq!(entropy.exact, exact, "{text}");
}

#[test]
fn every_string_comes_equally_often() {
    // Two of three, one of two, then the shuffle: places 3 and 2. Source bytes run over a multiple of each bound.
    let hits = exhaustive(&picks(&[("abc", 2), ("01", 1)], true, false), &[3, 3, 2, 3, 2]);
    assert_eq!(hits.len(), 3 * 3 * 2 * 3);
    assert!(hits.values().all(|&n| n == 2), "{hits:?}");
    let hits = exhaustive(&picks(&[("abc", 2), ("01", 1)], true, true), &[3, 2, 2, 3, 2]);
    assert_eq!(hits.len(), 3 * 2 * 2 * 3);
    assert!(hits.values().all(|&n| n == 2), "{hits:?}");
    let hits = exhaustive(&picks(&[("aab", 1), ("cc", 1)], false, false), &[2, 1]);
    assert_eq!(hits, BTreeMap::from([("ac".to_owned(), 1), ("bc".to_owned(), 1)]));
}

#[test]
fn entropy_is_log2_of_the_number_of_strings() {
    let log2 = f64::log2;
    check_entropy(&picks(&[("abcd", 10)], false, false), 20.0, true);
    check_entropy(&picks(&[("abcd", 10)], true, false), 20.0, true);
    check_entropy(&picks(&[("abcd", 3)], true, true), log2(24.0), true);
    check_entropy(&picks(&[("ab", 2), ("01", 2)], true, false), 4.0 + log2(6.0), true);
    check_entropy(&picks(&[("ab", 1), ("ba", 1)], true, false), 2.0, true);
    // Overlapping: what is sure without the shuffle. In order, everything is exact.
    check_entropy(&picks(&[("ab", 1), ("bc", 1)], true, false), 2.0, false);
    check_entropy(&picks(&[("ab", 1), ("bc", 1)], false, false), 2.0, true);
    // ab, ac, bc: three distinct assignments.
    check_entropy(&picks(&[("ab", 1), ("bc", 1)], false, true), log2(3.0), true);
    check_entropy(
        &picks(&[("ab", 1), ("bc", 1), ("xyz", 1)], true, true),
        log2(3.0) + log2(3.0) + log2(3.0),
        false,
    );
}

#[test]
fn the_manifest_of_cloudnative_pg_has_its_known_bits() {
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let published = picks(&[(letters, 32), ("0123456789", 5), ("-_$@", 5)], true, false);
    let (text, entropy, fixed) = once(&published).unwrap();
    assert_eq!(text.len(), 42);
    assert_eq!(text.chars().filter(char::is_ascii_digit).count(), 5);
    assert!((entropy.bits - 247.5).abs() < 0.1 && entropy.exact && fixed, "{entropy:?}");
}

#[test]
fn overlapping_distinct_parts_never_repeat_and_are_uniform() {
    let overlapping = picks(&[("abc", 2), ("bcd", 2)], false, true);
    let mut hits: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..6000 {
        let (text, ..) = once(&overlapping).unwrap();
        let letters: BTreeSet<char> = text.chars().collect();
        assert_eq!(letters.len(), 4, "{text}");
        *hits.entry(text).or_default() += 1;
    }
    // ab|cd, ac|bd with d last or first: a and d must both stand: a in the first two, d in the last two: 8 strings, 750 each.
    assert_eq!(hits.len(), 8, "{hits:?}");
    assert!(hits.values().all(|&n| (560..940).contains(&n)), "{hits:?}");
}

#[test]
fn tells_what_is_impossible_at_once() {
    let impossible =
        |parts: &[(&str, u32)]| matches!(fault(&picks(parts, true, true)), RecipeFault::Impossible(_));
    assert!(impossible(&[("0123456789", 11)]));
    assert!(impossible(&[("aaaa", 2)]));
    assert!(impossible(&[("ab", 2), ("ab", 1)]));
    assert!(impossible(&[("ab", 2), ("abc", 2)]));
    assert!(impossible(&[("ab", 1), ("bc", 1), ("ac", 2)]));
    assert_eq!(fault(&picks(&[("", 1)], true, false)), RecipeFault::Empty);
    assert!(matches!(fault(&picks(&[("a", 0)], true, false)), RecipeFault::Size(_)));
    assert!(matches!(fault(&picks(&[("a", u32::MAX), ("b", 1)], true, false)), RecipeFault::Size(_)));
}

#[test]
fn characters_of_several_bytes_stay_whole() {
    let (text, _, fixed) = once(&picks(&[("ä€😀", 20)], true, false)).unwrap();
    assert_eq!(text.chars().count(), 20);
    assert!(text.chars().all(|c| "ä€😀".contains(c)));
    assert!(!fixed);
    assert!(once(&picks(&[("äö", 3), ("ab", 3)], true, false)).unwrap().2);
}
