//! Words of a list, joined. Words that become equal (twice in the list, or by their capital) count once, so that each is equally likely.
//! Entropy is exact if the words can be read back from the string: none of them begins another (as where all are of one length), or the
//! separator is one character that stands in none. Otherwise a string may be read in several ways, at most one for each sequence of word
//! lengths, and those are taken off.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::{DrawError, Drawn, VALUE_BYTES};
use crate::bindings::generate::Words;
use crate::entropy::Entropy;
use crate::error::RecipeFault;
use crate::random::Random;

const COUNT: u32 = 256;
const SEPARATOR_BYTES: usize = 64;

pub(super) fn draw(words: &Words, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    let list = list(words);
    if list.is_empty() {
        return Err(RecipeFault::Empty.into());
    }
    if !(1..=COUNT).contains(&words.count) || words.separator.len() > SEPARATOR_BYTES {
        return Err(RecipeFault::Size("words: between 1 and 256, joined by at most 64 bytes").into());
    }
    let longest = list.iter().map(String::len).max().unwrap_or(0);
    let bytes = (longest + words.separator.len()) * words.count as usize;
    if bytes > VALUE_BYTES {
        return Err(RecipeFault::Size("words: at most 65536 bytes together").into());
    }
    let mut text = Zeroizing::new(Vec::with_capacity(bytes));
    for i in 0..words.count {
        if i > 0 {
            text.extend_from_slice(words.separator.as_bytes());
        }
        let index = random.index(list.len())?;
        text.extend_from_slice(list.get(index).map(String::as_bytes).unwrap_or_default());
    }
    let fixed = lengths(&list).len() == 1;
    Ok(Drawn { bytes: text, entropy: entropy(words, &list), fixed, key: None })
}

/// The distinct words, as they will stand.
fn list(words: &Words) -> Vec<String> {
    let as_set = |word: &String| {
        if words.capitalize { capitalized(word) } else { word.clone() }
    };
    let set: BTreeSet<String> = words.word_list.iter().filter(|word| !word.is_empty()).map(as_set).collect();
    set.into_iter().collect()
}

fn capitalized(word: &str) -> String {
    let mut rest = word.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

fn lengths(list: &[String]) -> BTreeSet<usize> {
    list.iter().map(String::len).collect()
}

fn entropy(words: &Words, list: &[String]) -> Entropy {
    let count = f64::from(words.count);
    let bits = count * (list.len() as f64).log2();
    let mut separator = words.separator.chars();
    let separated = match (separator.next(), separator.next()) {
        (Some(one), None) => !list.iter().any(|word| word.contains(one)),
        _ => false,
    };
    if separated || words.count == 1 || none_begins_another(list) {
        return Entropy { bits, exact: true };
    }
    // All lengths but the last are free: the last follows from the string's.
    let readings = (count - 1.0) * (lengths(list).len() as f64).log2();
    Entropy { bits: (bits - readings).max(0.0), exact: false }
}

/// Of sorted distinct words: one that begins another begins its neighbour. Then each word ends where it first can, whatever follows.
fn none_begins_another(list: &[String]) -> bool {
    list.is_sorted_by(|word, next| !next.starts_with(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn words(list: &[&str], count: u32, separator: &str, capitalize: bool) -> Words {
        Words {
            word_list: list.iter().map(|word| (*word).to_owned()).collect(),
            count,
            separator: separator.to_owned(),
            capitalize,
        }
    }

    fn once(words: &Words) -> Result<(String, Entropy, bool), DrawError> {
        let drawn = draw(words, &mut Random::new(&SystemRandom))?;
        Ok((String::from_utf8(drawn.bytes.to_vec()).unwrap(), drawn.entropy, drawn.fixed))
    }

    fn check(words: &Words, bits: f64, exact: bool) {
        let (text, entropy, _) = once(words).unwrap();
        assert!((entropy.bits - bits).abs() < 1e-9, "{text}: {entropy:?}, not {bits}");
        assert_eq!(entropy.exact, exact, "{text}");
    }

    #[test]
    fn joins_so_many_words_of_the_list() {
        let (text, ..) = once(&words(&["apple", "äpfel"], 5, "-", true)).unwrap();
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(parts.len(), 5);
        assert!(parts.iter().all(|part| ["Apple", "Äpfel"].contains(part)), "{text}");
    }

    #[test]
    fn knows_when_words_can_be_read_back() {
        check(&words(&["a", "bb", "ccc", "dddd"], 6, "-", false), 12.0, true);
        check(&words(&["aa", "bb", "cc", "dd"], 6, "", false), 12.0, true);
        check(&words(&["a", "bb", "cba", "dd"], 6, "", false), 12.0, true);
        check(&words(&["a", "ab", "b", "dd"], 6, "", false), 12.0 - 5.0, false);
        check(&words(&["a", "bb", "a-c", "dd"], 2, "-", false), 4.0 - 3.0_f64.log2(), false);
        check(&words(&["a", "bb", "a-c", "dd"], 2, "::", false), 4.0 - 3.0_f64.log2(), false);
        check(&words(&["a", "A", "b", "b"], 3, "-", true), 3.0, true);
        check(&words(&["a", "aa"], 1, "", false), 1.0, true);
    }

    #[test]
    fn refuses_nothing_and_too_much() {
        let fault = |words: &Words| once(words).err();
        assert_eq!(fault(&words(&[""], 2, "", false)), Some(DrawError::Fault(RecipeFault::Empty)));
        assert!(matches!(fault(&words(&["a"], 0, "", false)), Some(DrawError::Fault(RecipeFault::Size(_)))));
        assert!(matches!(
            fault(&words(&["a"], 257, "", false)),
            Some(DrawError::Fault(RecipeFault::Size(_)))
        ));
        let long = "x".repeat(1000);
        assert!(matches!(
            fault(&words(&[&long], 100, "", false)),
            Some(DrawError::Fault(RecipeFault::Size(_)))
        ));
    }
}
