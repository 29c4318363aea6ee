//! The closed list of what can be wrong with a template or with one rendering of it.
//!
//! A rule is all that leaves the engine when something fails: no message is ever built from data, so no message can
//! carry a secret. The host prints the rule's text beside the template's key, line and column, and the name that the
//! template itself uses at that place.

/// Declares the enum, its stable name and the sentence that a user reads, one row each.
macro_rules! rules {
    ($($variant:ident, $name:literal, $about:literal;)+) => {
        /// Why a template was refused or a rendering failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = $about] $variant,)+
        }

        impl Rule {
            /// Every rule, in the order in which the component declares them.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// The stable name, as it stands in the component's description and in faults.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)+ }
            }

            /// What a user reads: what is wrong and, where it helps, what to write instead.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Rule::$variant => $about,)+ }
            }
        }
    };
}

/// For sources of randomness that end by a rule.
impl std::fmt::Display for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.about())
    }
}

impl std::error::Error for Rule {}

rules! {
    Syntax, "syntax", "the text is not a template: something unexpected stands here";
    Unclosed, "unclosed", "an action, comment, string or parenthesis is not closed";
    MissingEnd, "missing-end", "an if, with, range, define or block has no matching end";
    BadLiteral, "bad-literal", "this is not a valid number, character or string";
    UnknownFunction, "unknown-function", "there is no function of this name";
    UnknownVariable, "unknown-variable", "the variable is not declared here";
    UnknownTemplate, "unknown-template", "no template of this name is defined in the text";
    DuplicateTemplate, "duplicate-template", "a template of this name is defined twice";
    OutsideRange, "outside-range", "break and continue work only inside range";
    MissingKey, "missing-key", "there is no such key; write `index . \"key\"` where it may be absent";
    NoField, "no-field", "a value of this type has no such field or method";
    NotAFunction, "not-a-function", "arguments are given to something that takes none";
    NilCommand, "nil-command", "nil cannot stand alone; it can only be an argument";
    ArgumentCount, "argument-count", "the function is called with the wrong number of arguments";
    ArgumentType, "argument-type", "an argument has the wrong type; convert it, for example with `int` or `toString`";
    NotIterable, "not-iterable", "range works on lists, dicts and whole numbers only";
    NotComparable, "not-comparable", "values of these types cannot be compared; convert one of them";
    OutOfRange, "out-of-range", "an index or a size lies outside what the value has";
    DivisionByZero, "division-by-zero", "a number is divided by zero";
    BadArgument, "bad-argument", "the function refuses the content of an argument";
    NotPem, "not-pem", "there is no PEM block where one must be, or something else stands beside it";
    NotACertificate, "not-a-certificate", "this is not an X.509 certificate";
    NotAChain, "not-a-chain", "the certificates do not form one chain with one leaf";
    NotAKey, "not-a-key", "this is not a key of a kind that the function takes";
    Undecryptable, "undecryptable", "this cannot be decrypted: another password or key, another algorithm, or damaged";
    Failed, "failed", "the template called `fail`";
    NotYaml, "not-yaml", "the rendered text is not YAML";
    NotAMap, "not-a-map", "the rendered text is not a YAML map of keys to scalars";
    NullKey, "null-key", "the rendered YAML has a key that is null";
    Recursion, "recursion-limit", "templates or expressions nest too deeply";
    Nesting, "nesting-limit", "a value nests too deeply, or contains itself";
    Size, "size-limit", "a text or a list grows too large";
    Work, "work-limit", "rendering takes too many steps";
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn names_are_unique_and_kebab_case() {
        for (at, rule) in Rule::ALL.iter().enumerate() {
            assert!(rule.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.name());
            assert!(!Rule::ALL[..at].iter().any(|other| other.name() == rule.name()), "{}", rule.name());
        }
    }
}
