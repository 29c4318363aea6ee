//! What an attacker expects: words of the context with decoration, and runs of characters.

/// The shortest part of a name that counts as a word of its own.
const PART: usize = 3;
/// The shortest run: three characters may follow one another by chance.
const RUN: usize = 3;
/// Longer values are not compared: nobody types them, and a comparison costs length times words.
const COMPARED: usize = 4096;

/// The letters of a word in lower case.
pub(crate) fn folded(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphabetic())
}

/// The words that names are and have as parts (`shop-frontend`: shop and frontend), folded.
pub(crate) fn words<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for name in names {
        let parts = name.split(|c: char| !c.is_alphabetic()).filter(|part| part.chars().count() >= PART);
        words.extend(parts.chain([name]).map(|part| folded(part).collect()));
    }
    words.retain(|word| !word.is_empty());
    words.sort_unstable();
    words.dedup();
    words
}

/// Whether the letters of `text` are these words and nothing else, whatever stands between them; there must be a letter.
pub(crate) fn is_words(text: &str, words: &[String]) -> bool {
    let letters: String = folded(text).collect();
    if letters.is_empty() || letters.len() > COMPARED {
        return false;
    }
    // Which places a sequence of words can reach; the bytes of words end between characters.
    let mut reached = vec![false; letters.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for at in 0..letters.len() {
        if reached.get(at) != Some(&true) {
            continue;
        }
        let Some(rest) = letters.get(at..) else { continue };
        for word in words.iter().filter(|word| rest.starts_with(word.as_str())) {
            if let Some(end) = reached.get_mut(at + word.len()) {
                *end = true;
            }
        }
    }
    reached.last() == Some(&true)
}

/// Whether `text` is nothing but runs of at least three equal, rising or falling characters, however it is divided into them: aaaa, 1234,
/// zyx, 123444.
pub(crate) fn is_runs(text: &str) -> bool {
    let mut codes = text.chars().flat_map(char::to_lowercase).map(|c| i64::from(u32::from(c)));
    let Some(mut last) = codes.next() else { return false };
    // Whether all before the last character is runs, and all with it.
    let (mut before, mut whole) = (true, false);
    // The longest run that ends in the last character and begins after runs; 0 if there is none of two.
    let (mut step, mut length) = (0, 0);
    for code in codes {
        let next = code - last;
        let longer = if next == step && length > 0 { length + 1 } else { 0 };
        let begun = if before { 2 } else { 0 };
        length = if (-1..=1).contains(&next) { longer.max(begun) } else { 0 };
        (before, whole) = (whole, length >= RUN);
        (last, step) = (code, next);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_runs() {
        let check = |text: &str, expected: bool| assert_eq!(is_runs(text), expected, "{text}");
        for text in [
            "aaa",
            "aaaaaa",
            "1234abcd",
            "zyx987",
            "aaabbb",
            "ABCdef",
            "111222333",
            "123444",
            "111123",
            "abccba",
            "aaaabc321",
        ] {
            check(text, true);
        }
        for text in ["", "a", "ab", "aab", "abd", "1234x", "x1234", "12a34b", "acegik", "aaabb"] {
            check(text, false);
        }
    }

    #[test]
    fn finds_words() {
        let words = words(["shop-frontend", "Ärzte", "ab"].into_iter());
        assert_eq!(words, ["ab", "frontend", "shop", "shopfrontend", "ärzte"]);
        let check = |text: &str, expected: bool| assert_eq!(is_words(text, &words), expected, "{text}");
        for text in ["Shop2026!", "shop-FRONTEND", "ÄRZTE1ärzte", "s.h.o.p", "abababshop"] {
            check(text, true);
        }
        for text in ["", "2026!", "shopx", "my shop", "frontent"] {
            check(text, false);
        }
    }
}
