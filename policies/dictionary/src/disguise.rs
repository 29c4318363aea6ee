//! What a value is without its disguise: the forms in which it is looked up.

/// Fewer characters are left by chance, and the list has words as short.
const LEAST: usize = 4;
/// No password of a list is longer.
const MOST: usize = 256;

/// In lower case; if `disguises`, also without what stands before the letters, behind them or both, and with substitutes undone in each
/// of these. At most six, and none of a text that is longer than any password of a list.
pub(crate) fn forms(text: &str, disguises: bool) -> Vec<String> {
    if text.len() > MOST {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    let mut forms = vec![lower.clone()];
    if disguises {
        // `dragon1` is dragon and a digit; in `dr4gon` the digit is a letter; in `$ecret1` and `99pas$` an edge is one too.
        let bare = lower.trim_matches(is_decoration);
        let (end, start) = (lower.trim_end_matches(is_decoration), lower.trim_start_matches(is_decoration));
        let revealed = [bare, end, start, &lower].map(|form| form.chars().map(letter).collect());
        for form in [bare.to_owned()].into_iter().chain(revealed) {
            if form.chars().count() >= LEAST && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

fn is_decoration(character: char) -> bool {
    !character.is_alphabetic()
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
        check("P@ssw0rd2026!", &["p@ssw0rd2026!", "p@ssw0rd", "password", "password2o26i"]);
        check("**dr4gon1", &["**dr4gon1", "dr4gon", "dragon", "**dragon", "dragoni", "**dragoni"]);
        check("$ecret1!", &["$ecret1!", "ecret", "secret", "ecretii", "secretii"]);
        check("99pas$", &["99pas$", "99pas", "pass", "99pass"]);
        check("1234567", &["1234567", "i2eas6t"]);
        check("a1", &["a1"]);
        assert_eq!(forms("Dr4gon1", false), ["dr4gon1"]);
        assert!(forms(&"a".repeat(257), true).is_empty());
    }
}
