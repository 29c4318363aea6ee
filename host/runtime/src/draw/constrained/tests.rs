use std::collections::BTreeSet;

use super::*;
use crate::bindings::generate::Class;
use crate::random::tests::Script;

fn constraints(length: u32, classes: &[(&str, u32, Option<u32>)]) -> Constraints {
    Constraints {
        length,
        classes: classes
            .iter()
            .map(|(alphabet, min, max)| Class { alphabet: (*alphabet).to_owned(), min: *min, max: *max })
            .collect(),
        first: None,
        last: None,
        no_equal_neighbours: false,
        forbidden: vec![],
    }
}

/// Every string over the classes' characters that obeys, found by trying them all.
fn brute_force(constraints: &Constraints) -> BTreeSet<String> {
    let union: BTreeSet<char> = constraints.classes.iter().flat_map(|class| class.alphabet.chars()).collect();
    let mut strings = vec![String::new()];
    for _ in 0..constraints.length {
        strings =
            strings.iter().flat_map(|string| union.iter().map(move |c| format!("{string}{c}"))).collect();
    }
    strings.into_iter().filter(|string| obeys(constraints, string)).collect()
}

fn obeys(constraints: &Constraints, string: &str) -> bool {
    let counted = constraints.classes.iter().all(|class| {
        let count = string.chars().filter(|c| class.alphabet.contains(*c)).count();
        count >= class.min as usize && class.max.is_none_or(|max| count <= max as usize)
    });
    let characters: Vec<char> = string.chars().collect();
    let edge =
        |set: &Option<String>, c: Option<&char>| set.as_ref().is_none_or(|set| set.contains(*c.unwrap()));
    counted
        && edge(&constraints.first, characters.first())
        && edge(&constraints.last, characters.last())
        && !(constraints.no_equal_neighbours && characters.windows(2).any(|pair| pair[0] == pair[1]))
        && !constraints.forbidden.iter().any(|text| string.contains(text))
}

/// The ranks below the total give each string that obeys exactly once.
fn check(constraints: &Constraints) {
    let expected = brute_force(constraints);
    let space = match Space::new(constraints) {
        Ok(space) => space,
        Err(RecipeFault::Impossible(_)) => {
            assert!(expected.is_empty(), "{constraints:?} is possible");
            return;
        }
        Err(fault) => panic!("{constraints:?}: {fault}"),
    };
    let total = expected.len() as u128;
    assert!(space.total == Natural::from(total), "{constraints:?}: {total} strings");
    let unranked: Vec<String> =
        (0..total).map(|rank| space.string(Natural::from(rank)).iter().collect()).collect();
    assert_eq!(unranked.iter().cloned().collect::<BTreeSet<_>>(), expected, "{constraints:?}");
    assert_eq!(unranked.len(), expected.len());
}

#[test]
fn unrank_is_one_to_one_onto_the_valid_strings() {
    let some = |text: &str| Some(text.to_owned());
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    check(&constraints(3, &[("ab", 0, None)]));
    check(&constraints(4, &[("ab", 1, None), ("01", 1, Some(2)), ("-", 0, Some(1))]));
    check(&constraints(4, &[("abc", 2, None), ("bcd", 2, None)]));
    check(&constraints(4, &[("abc", 2, Some(3)), ("bcd", 0, Some(2)), ("aabb", 1, None)]));
    check(&constraints(1, &[("ä€x", 0, None)]));
    check(&constraints(5, &[("ab", 4, None), ("01", 2, None)]));
    check(&Constraints {
        first: some("ax"),
        last: some("0"),
        ..constraints(4, &[("abc", 1, None), ("01", 1, None)])
    });
    check(&Constraints { first: some("x"), ..constraints(2, &[("abc", 0, None)]) });
    check(&Constraints { no_equal_neighbours: true, ..constraints(5, &[("abc", 0, None), ("01", 1, None)]) });
    check(&Constraints { no_equal_neighbours: true, ..constraints(3, &[("a", 0, None)]) });
    check(&Constraints { forbidden: texts(&["ab", "bba", "xyz"]), ..constraints(5, &[("abc", 0, None)]) });
    check(&Constraints { forbidden: texts(&["aab", "ab"]), ..constraints(5, &[("abc", 0, None)]) });
    check(&Constraints { forbidden: texts(&["aba", "cab", "bab"]), ..constraints(6, &[("abc", 1, None)]) });
    check(&Constraints {
        first: some("ab"),
        last: some("b0"),
        no_equal_neighbours: true,
        forbidden: texts(&["a0", "ba"]),
        ..constraints(5, &[("ab", 1, Some(3)), ("01", 2, None)])
    });
}

/// Every combination of what can be said of three characters in two overlapping classes, for each small length.
#[test]
fn unrank_is_one_to_one_for_every_small_policy() {
    let edges = [None, Some("ab".to_owned()), Some("c".to_owned())];
    let texts: [&[&str]; 4] = [&[], &["ab", "ca"], &["aa", "bab"], &["b", "cc"]];
    let bounds = [(0, None), (1, Some(2)), (2, None), (0, Some(0))];
    let mut policies = 0;
    for length in 1..=4 {
        for (first, second) in bounds.iter().flat_map(|one| bounds.iter().map(move |two| (one, two))) {
            for (edge, forbidden) in
                edges.iter().flat_map(|edge| texts.iter().map(move |texts| (edge, texts)))
            {
                for no_equal_neighbours in [false, true] {
                    check(&Constraints {
                        first: edge.clone(),
                        last: edges[policies % 3].clone(),
                        no_equal_neighbours,
                        forbidden: forbidden.iter().map(|text| (*text).to_owned()).collect(),
                        ..constraints(length, &[("ab", first.0, first.1), ("bc", second.0, second.1)])
                    });
                    policies += 1;
                }
            }
        }
    }
    assert_eq!(policies, 4 * 16 * 12 * 2);
}

/// The source gives every byte once; what a byte that is too large falls back to is not counted. Then each string comes equally often:
/// not a statistic, but all there is.
#[test]
fn every_string_is_drawn_by_equally_many_bytes() {
    let policy = Constraints {
        first: Some("ab".to_owned()),
        no_equal_neighbours: true,
        forbidden: vec!["bc".to_owned()],
        ..constraints(4, &[("abc", 2, None), ("01", 1, Some(2))])
    };
    let strings = brute_force(&policy);
    let bits = strings.len().next_power_of_two();
    assert!((64..=256).contains(&bits) && bits != strings.len(), "{} strings", strings.len());
    let mut hits = std::collections::BTreeMap::new();
    for byte in 0..=255_u8 {
        let script = Script::new([vec![byte], vec![0; 7]].concat());
        let drawn = draw(&policy, &mut Random::new(&script)).unwrap();
        assert_eq!(drawn.entropy.bits, (strings.len() as f64).log2());
        if usize::from(byte) % bits < strings.len() {
            *hits.entry(String::from_utf8(drawn.bytes.to_vec()).unwrap()).or_insert(0) += 1;
        }
    }
    assert_eq!(hits.keys().cloned().collect::<BTreeSet<_>>(), strings);
    assert!(hits.values().all(|n| *n == 256 / bits), "{hits:?}");
}

#[test]
fn counts_what_openbao_rejects_its_way_to() {
    let lower = "abcdefghijklmnopqrstuvwxyz";
    let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let digits = "0123456789";
    let bits = |constraints: &Constraints| Space::new(constraints).unwrap().total.log2();
    let default = constraints(20, &[(lower, 1, None), (upper, 1, None), (digits, 1, None), ("-", 1, None)]);
    assert!((bits(&default) - 117.6).abs() < 0.05, "{}", bits(&default));
    let five_each =
        constraints(20, &[(lower, 5, None), (upper, 5, None), (digits, 5, None), ("!@#$", 5, None)]);
    assert!((bits(&five_each) - 107.1).abs() < 0.05, "{}", bits(&five_each));
}

#[test]
fn refuses_in_bounded_time() {
    let fault = |constraints: &Constraints| Space::new(constraints).err();
    let impossible = fault(&constraints(3, &[("ab", 2, None), ("01", 2, None)]));
    assert!(matches!(impossible, Some(RecipeFault::Impossible(_))));
    assert_eq!(fault(&constraints(3, &[])), Some(RecipeFault::Empty));
    assert!(matches!(fault(&constraints(0, &[("a", 0, None)])), Some(RecipeFault::Size(_))));
    assert!(matches!(fault(&constraints(5000, &[("a", 0, None)])), Some(RecipeFault::Size(_))));
    let empty = Constraints { forbidden: vec![String::new()], ..constraints(2, &[("a", 0, None)]) };
    assert!(matches!(fault(&empty), Some(RecipeFault::Impossible(_))));
    let alphabets: Vec<String> = (0..32_u8).map(|i| char::from(b'A' + i).to_string()).collect();
    let many: Vec<_> = alphabets.iter().map(|alphabet| (alphabet.as_str(), 100, None)).collect();
    assert_eq!(fault(&constraints(4096, &many)), Some(RecipeFault::TooComplex));
}
