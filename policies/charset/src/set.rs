//! A set of characters: classes by name, characters by themselves, or both together.

use keymill_sdk::Schema;
use serde::Deserialize;

/// The set; empty if the config names nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    #[serde(default)]
    classes: Vec<Class>,
    #[serde(default)]
    characters: String,
}

/// Declares the classes: name, characters, one row each.
macro_rules! classes {
    ($($variant:ident, $name:literal, $contains:expr;)+) => {
        #[derive(Clone, Copy, Debug, Deserialize)]
        enum Class {
            $(#[serde(rename = $name)] $variant,)+
        }

        const NAMES: &[&str] = &[$($name),+];

        impl Class {
            fn contains(self, character: char) -> bool {
                let contains: fn(char) -> bool = match self { $(Self::$variant => $contains,)+ };
                contains(character)
            }
        }
    };
}

classes! {
    Lower, "lower", |c| c.is_ascii_lowercase();
    Upper, "upper", |c| c.is_ascii_uppercase();
    Digit, "digit", |c| c.is_ascii_digit();
    // ASCII punctuation, no space.
    Symbol, "symbol", |c| c.is_ascii_punctuation();
    // What every format takes as it is: RFC 3986.
    Unreserved, "unreserved", |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    // What can be typed: ASCII without control characters, with space.
    Printable, "printable", |c| matches!(c, ' '..='~');
}

impl Set {
    pub(crate) fn contains(&self, character: char) -> bool {
        self.classes.iter().any(|class| class.contains(character)) || self.characters.contains(character)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.classes.is_empty() && self.characters.is_empty()
    }

    /// Whether `test` holds of any character in it.
    pub(crate) fn any(&self, test: impl Fn(char) -> bool) -> bool {
        let ascii = (0..=127).map(char::from);
        ascii.chain(self.characters.chars()).any(|c| self.contains(c) && test(c))
    }
}

/// The schema of a set.
pub(crate) fn schema(about: &str) -> Schema {
    let classes = "ASCII classes. symbol: punctuation. unreserved: letters, digits and -._~, safe in a URI. printable: from space to ~.";
    Schema::object()
        .optional("classes", Schema::array(Schema::one_of(NAMES)).about(classes))
        .optional("characters", Schema::string().about("Single characters."))
        .keyword("minProperties", 1)
        .about(about)
}
