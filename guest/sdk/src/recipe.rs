//! What a generator answers: values to draw or derive, and fields made of literals and values. The host draws with its own
//! CSPRNG, so the guest never sees a value, and the host knows the entropy: exact where the recipe is one-to-one.
//!
//! Nothing is checked here: the host refuses what it cannot fill (an empty alphabet, more distinct characters than there
//! are), and a generator's `validate` should have named such a config before.

use std::fmt;

use crate::{KeySpec, bindings::generator::exports::keymill::guest::generate as wit};

pub use crate::bindings::generator::exports::keymill::guest::generate::Transform;

/// Builds an [`Output`].
#[derive(Debug, Default)]
pub struct Recipe {
    output: Output,
}

/// A value of a recipe, to be put into fields and derivations. Means nothing in another recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(u32);

impl Recipe {
    /// A recipe without values and fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws characters from alphabets, so many from each.
    pub fn picks(&mut self, picks: Picks) -> Value {
        self.source(wit::Source::Draw(wit::Draw::Picks(picks.0)))
    }

    /// Draws uniformly over all strings that obey the constraints.
    pub fn constrained(&mut self, constraints: Constraints) -> Value {
        self.source(wit::Source::Draw(wit::Draw::Constrained(constraints.0)))
    }

    /// Draws `count` words of the list, each independently, joined by `separator`.
    pub fn words(&mut self, list: Vec<String>, count: u32, separator: &str, capitalize: bool) -> Value {
        let words = wit::Words { word_list: list, count, separator: separator.to_owned(), capitalize };
        self.source(wit::Source::Draw(wit::Draw::Words(words)))
    }

    /// Draws that many bytes. They are not text: derive an encoding of them.
    pub fn bytes(&mut self, count: u32) -> Value {
        self.source(wit::Source::Draw(wit::Draw::Bytes(count)))
    }

    /// Draws a key pair; derive from it what a consumer reads.
    pub fn key(&mut self, spec: KeySpec) -> Value {
        self.source(wit::Source::Draw(wit::Draw::Key(spec)))
    }

    /// Derives a value: the parts joined, then transformed. `recipe.derive(Transform::Base64, (user, ":", password))`.
    pub fn derive(&mut self, via: Transform, parts: impl IntoSegments) -> Value {
        self.source(wit::Source::Derive(wit::Derivation { parts: contract(parts), via }))
    }

    /// A key and what it holds: `recipe.field("uri", ("postgres://app:", escaped, "@db/app"))`.
    pub fn field(&mut self, key: impl Into<String>, parts: impl IntoSegments) {
        self.output.0.fields.push(wit::Field { key: key.into(), value: contract(parts) });
    }

    /// What `cleanup` and the next rotation will need. As secret as the value.
    pub fn state(&mut self, state: impl Into<Vec<u8>>) {
        self.output.0.state = Some(state.into());
    }

    /// The values are worthless after that many seconds: the host refreshes before.
    pub fn expires_in(&mut self, seconds: u64) {
        self.output.0.expires_in = Some(seconds);
    }

    /// The answer.
    pub fn finish(self) -> Output {
        self.output
    }

    fn source(&mut self, source: wit::Source) -> Value {
        let values = &mut self.output.0.values;
        // A recipe of more values than u32 counts does not fit into a guest's memory.
        let index = u32::try_from(values.len()).unwrap_or(u32::MAX);
        values.push(source);
        Value(index)
    }
}

/// A finished recipe. Its literals may be secret, so `Debug` shows keys and counts only.
pub struct Output(wit::Output);

impl Output {
    /// The recipe as the contract has it; for tests and harnesses.
    pub fn into_contract(self) -> wit::Output {
        self.0
    }
}

impl Default for Output {
    fn default() -> Self {
        Self(wit::Output { values: Vec::new(), fields: Vec::new(), state: None, expires_in: None })
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.0.fields.iter().map(|field| &field.key).collect();
        f.debug_struct("Output")
            .field("values", &self.0.values.len())
            .field("fields", &keys)
            .field("expires_in", &self.0.expires_in)
            .finish_non_exhaustive()
    }
}

/// Characters from alphabets, concatenated in the order given unless shuffled.
#[derive(Clone, Debug)]
pub struct Picks(wit::Picks);

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Picks {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(wit::Picks { parts: Vec::new(), shuffle: false, distinct: false })
    }

    /// Base64 (RFC 4648 section 4) of so many uniform bytes, without padding. Drawn as text, since the transformations pad.
    pub fn base64_unpadded(bytes: u32) -> Self {
        Self::encoded(BASE64, bytes)
    }

    /// The same in base64url (RFC 4648 section 5).
    pub fn base64url_unpadded(bytes: u32) -> Self {
        Self::encoded(BASE64URL, bytes)
    }

    /// Six bits a character; the last one has those that are left, and zeros below them.
    fn encoded(alphabet: &str, bytes: u32) -> Self {
        let groups = (bytes / 3).saturating_mul(4);
        let every = |step: usize| alphabet.chars().step_by(step).collect::<String>();
        match bytes % 3 {
            0 => Self::new().pick(alphabet, groups),
            1 => Self::new().pick(alphabet, groups.saturating_add(1)).pick(every(16), 1),
            _ => Self::new().pick(alphabet, groups.saturating_add(2)).pick(every(4), 1),
        }
    }

    /// `count` characters, each uniform over the distinct characters of `alphabet`.
    #[must_use]
    pub fn pick(mut self, alphabet: impl Into<String>, count: u32) -> Self {
        self.0.parts.push(wit::Pick { alphabet: alphabet.into(), count });
        self
    }

    /// All in a uniformly random order.
    #[must_use]
    pub fn shuffle(mut self) -> Self {
        self.0.shuffle = true;
        self
    }

    /// No character twice in the whole.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.0.distinct = true;
        self
    }
}

impl Default for Picks {
    fn default() -> Self {
        Self::new()
    }
}

/// Which strings may be drawn; each of them equally likely.
#[derive(Clone, Debug)]
pub struct Constraints(wit::Constraints);

impl Constraints {
    /// Strings of `length` characters, of no class yet.
    pub fn new(length: u32) -> Self {
        Self(wit::Constraints {
            length,
            classes: Vec::new(),
            first: None,
            last: None,
            no_equal_neighbours: false,
            forbidden: Vec::new(),
        })
    }

    /// Characters that may stand in it: at least `min` of them, at most `max`.
    #[must_use]
    pub fn class(mut self, alphabet: impl Into<String>, min: u32, max: Option<u32>) -> Self {
        self.0.classes.push(wit::Class { alphabet: alphabet.into(), min, max });
        self
    }

    /// The characters that may be first.
    #[must_use]
    pub fn first(mut self, alphabet: impl Into<String>) -> Self {
        self.0.first = Some(alphabet.into());
        self
    }

    /// The characters that may be last.
    #[must_use]
    pub fn last(mut self, alphabet: impl Into<String>) -> Self {
        self.0.last = Some(alphabet.into());
        self
    }

    /// No character beside itself.
    #[must_use]
    pub fn no_equal_neighbours(mut self) -> Self {
        self.0.no_equal_neighbours = true;
        self
    }

    /// A text that must not stand in it.
    #[must_use]
    pub fn forbid(mut self, text: impl Into<String>) -> Self {
        self.0.forbidden.push(text.into());
        self
    }
}

/// A literal or a value.
pub struct Segment(wit::Segment);

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            wit::Segment::Literal(bytes) => write!(f, "Literal(<{} bytes>)", bytes.len()),
            wit::Segment::Value(index) => write!(f, "Value({index})"),
        }
    }
}

impl From<Value> for Segment {
    fn from(value: Value) -> Self {
        Self(wit::Segment::Value(value.0))
    }
}

impl From<&str> for Segment {
    fn from(text: &str) -> Self {
        Self(wit::Segment::Literal(text.as_bytes().to_vec()))
    }
}

impl From<String> for Segment {
    fn from(text: String) -> Self {
        Self(wit::Segment::Literal(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Segment {
    fn from(bytes: Vec<u8>) -> Self {
        Self(wit::Segment::Literal(bytes))
    }
}

/// Whatever a field or a derivation can be made of: a value, a literal, or a tuple or list of them.
pub trait IntoSegments {
    /// The segments, in order.
    fn into_segments(self) -> Vec<Segment>;
}

impl IntoSegments for Vec<Segment> {
    fn into_segments(self) -> Self {
        self
    }
}

macro_rules! one_segment {
    ($($part:ty)*) => {
        $(impl IntoSegments for $part {
            fn into_segments(self) -> Vec<Segment> {
                vec![self.into()]
            }
        })*
    };
}

one_segment! { Value &str String Vec<u8> }

macro_rules! tuple_of_segments {
    ($($part:ident)*) => {
        impl<$($part: Into<Segment>),*> IntoSegments for ($($part,)*) {
            #[expect(non_snake_case, reason = "a type parameter and its value share the macro's name")]
            fn into_segments(self) -> Vec<Segment> {
                let ($($part,)*) = self;
                vec![$($part.into()),*]
            }
        }
    };
}

tuple_of_segments! { A B }
tuple_of_segments! { A B C }
tuple_of_segments! { A B C D }
tuple_of_segments! { A B C D E }
tuple_of_segments! { A B C D E F }
tuple_of_segments! { A B C D E F G }
tuple_of_segments! { A B C D E F G H }
tuple_of_segments! { A B C D E F G H I }
tuple_of_segments! { A B C D E F G H I J }

fn contract(parts: impl IntoSegments) -> Vec<wit::Segment> {
    parts.into_segments().into_iter().map(|Segment(segment)| segment).collect()
}
