//! What a value is without its disguise: the forms in which it is looked up.

/// Fewer characters are left by chance, and the list has words as short.
const LEAST: usize = 4;
/// No password of a list is longer.
const MOST: usize = 256;

/// In lower case; if `disguises`, also without what surrounds the letters, each with and without substitutes. At most four, and none of a
/// text that is longer than any password of a list.
pub(crate) fn forms(text: &str, disguises: bool) -> Vec<String> {
    if text.len() > MOST {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    let mut forms = vec![lower.clone()];
    if disguises {
        // `dragon1` is dragon and a digit; in `dr4gon` the digit is a letter; `p@ss` must not lose its edge before it is a letter.
        let revealed: String = lower.chars().map(letter).collect();
        let both = bare(&lower).chars().map(letter).collect();
        for form in [bare(&lower).to_owned(), revealed, both] {
            if form.chars().count() >= LEAST && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// Without digits and punctuation at its edges.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// The letter that a character is used for.
fn letter(character: char) -> char {
    match character {
        '4' | '@' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' | '+' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_through_a_disguise() {
        let check = |text: &str, expected: &[&str]| assert_eq!(forms(text, true), expected, "{text}");
        check("password", &["password"]);
        check("P@ssw0rd2026!", &["p@ssw0rd2026!", "p@ssw0rd", "password2o26i", "password"]);
        check("**dr4gon1", &["**dr4gon1", "dr4gon", "**dragoni", "dragon"]);
        check("1234567", &["1234567", "i2eas6t"]);
        check("a1", &["a1"]);
        assert_eq!(forms("Dr4gon1", false), ["dr4gon1"]);
        assert!(forms(&"a".repeat(257), true).is_empty());
    }
}
