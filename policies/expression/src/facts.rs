//! What an expression may ask of a value: its key, what can be counted of its text, and what the host knows of how it was drawn. Never the
//! value itself, so that no expression compares it with anything.

use cel::{Context, Value};
use keymill_sdk::Candidate;

/// Declares the names: what each is, and where it comes from. One row each.
macro_rules! facts {
    ($($name:literal, $about:literal, $value:expr;)+) => {
        /// Every name with what it is.
        pub(crate) const NAMES: &[(&str, &str)] = &[$(($name, $about)),+];

        /// The names of one value.
        pub(crate) fn context(candidate: &Candidate, text: &str) -> Context<'static> {
            let mut context = Context::default();
            $(
                let value: fn(&Candidate, &str) -> Value = $value;
                context.add_variable_from_value($name, value(candidate, text));
            )+
            context
        }
    };
}

facts! {
    "key", "the field's key", |candidate, _| candidate.key.as_str().into();
    "length", "characters", |_, text| count(text, |_| true);
    "lower", "of them, ASCII letters in lower case", |_, text| count(text, |c| c.is_ascii_lowercase());
    "upper", "ASCII letters in upper case", |_, text| count(text, |c| c.is_ascii_uppercase());
    "digits", "ASCII digits", |_, text| count(text, |c| c.is_ascii_digit());
    "symbols", "ASCII punctuation", |_, text| count(text, |c| c.is_ascii_punctuation());
    "others", "all others: blanks, control characters, what is not ASCII",
        |_, text| count(text, |c| !c.is_ascii_graphic());
    "distinct", "different characters",
        |_, text| integer(text.chars().collect::<std::collections::BTreeSet<_>>().len());
    "bits", "min-entropy that the host vouches for, 0.0 if it does not",
        |candidate, _| candidate.bits.unwrap_or(0.0).into();
    "exact", "whether bits is exact, and not a lower bound", |candidate, _| candidate.exact.into();
}

fn count(text: &str, counts: fn(&char) -> bool) -> Value {
    integer(text.chars().filter(counts).count())
}

fn integer(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
