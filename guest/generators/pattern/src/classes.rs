//! A set of characters: classes by name, characters by themselves, or both together. The same words as the policy `charset`.

use std::collections::BTreeSet;

use keymill_sdk::Schema;
use serde::Deserialize;

/// The set; empty if the config names nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    #[serde(default)]
    pub(crate) classes: Vec<Class>,
    #[serde(default)]
    pub(crate) characters: String,
}

/// Declares the classes: name and characters, one row each.
macro_rules! classes {
    ($($variant:ident, $name:literal, $characters:expr;)+) => {
        #[derive(Clone, Copy, Debug, Deserialize)]
        pub(crate) enum Class {
            $(#[serde(rename = $name)] $variant,)+
        }

        const NAMES: &[&str] = &[$($name),+];

        impl Class {
            fn characters(self) -> &'static str {
                match self { $(Self::$variant => $characters,)+ }
            }
        }
    };
}

classes! {
    Lower, "lower", "abcdefghijklmnopqrstuvwxyz";
    Upper, "upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    Digit, "digit", "0123456789";
    // ASCII punctuation, no blank.
    Symbol, "symbol", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    // Punctuation that no URI and no shell minds.
    SafeSymbol, "safe-symbol", "-._~";
}

impl Set {
    /// Its characters, each once.
    pub(crate) fn distinct(&self) -> BTreeSet<char> {
        let named = self.classes.iter().flat_map(|class| class.characters().chars());
        named.chain(self.characters.chars()).collect()
    }

    pub(crate) fn of(class: Class) -> Self {
        Self { classes: vec![class], characters: String::new() }
    }
}

/// The schema of a set.
pub(crate) fn schema(about: &str) -> Schema {
    let classes = "ASCII classes. symbol: punctuation. safe-symbol: -._~, which no URI and no shell minds.";
    Schema::object()
        .optional("classes", Schema::array(Schema::one_of(NAMES)).about(classes))
        .optional("characters", Schema::string().keyword("maxLength", 256).about("Single characters."))
        .keyword("minProperties", 1)
        .about(about)
}
