//! Whether SASLprep (RFC 4013) takes a text, and why not. `stringprep` decides; it does not say why, so the reason is found
//! here. Of several reasons one is told.

use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// Why a text cannot be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// Nothing would be left of it.
    Empty,
    /// A character is prohibited (section 2.3).
    Prohibited,
    /// Right-to-left and left-to-right characters mix (section 2.4).
    Bidirectional,
    /// A character is not assigned in Unicode 3.2 (section 2.5).
    Unassigned,
}

/// Why SASLprep forbids `text`; none if it does not.
pub(crate) fn forbids(text: &str) -> Option<Forbidden> {
    match stringprep::saslprep(text) {
        Ok(prepared) => (prepared.is_empty() && !text.is_empty()).then_some(Forbidden::Empty),
        Err(_) => Some(reason(&normalized(text))),
    }
}

/// Sections 2.1 and 2.2: spaces mapped, what is mapped to nothing left out, then NFKC.
fn normalized(text: &str) -> String {
    let kept = text.chars().filter(|c| !tables::commonly_mapped_to_nothing(*c));
    kept.map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c }).nfkc().collect()
}

/// Each answer but the last is checked, so each is true; the last is what remains.
fn reason(normalized: &str) -> Forbidden {
    if normalized.contains(tables::unassigned_code_point) {
        Forbidden::Unassigned
    } else if mixes_directions(normalized) {
        Forbidden::Bidirectional
    } else {
        Forbidden::Prohibited
    }
}

fn mixes_directions(normalized: &str) -> bool {
    let has_right = normalized.contains(tables::bidi_r_or_al);
    let framed = normalized.starts_with(tables::bidi_r_or_al) && normalized.ends_with(tables::bidi_r_or_al);
    has_right && (!framed || normalized.contains(tables::bidi_l))
}
