//! Fills recipes as the host does, but from a seed and without cryptography. Draws go through one stream of the native
//! stand-in, so they are reproducible; the tiny bias of a remainder does not matter to a test.

use std::collections::BTreeSet;

use data_encoding::{BASE32, BASE64, BASE64URL, HEXLOWER};

use crate::{
    Entry, Transform, bindings::generator::exports::keymill::guest::generate as wit, native, redacted::Bytes,
};

/// What a recipe gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Filled {
    /// The fields, in the order of the recipe.
    pub fields: Vec<Entry>,
    /// The state, if there is one.
    pub state: Option<Vec<u8>>,
    /// When the values expire, if they do.
    pub expires_in: Option<u64>,
    /// The keys of the fields that hold a marker, since only the host can fill them.
    pub marked: BTreeSet<String>,
}

impl Filled {
    /// A field as text; none if there is no such field, or it is not UTF-8.
    pub fn text(&self, key: &str) -> Option<&str> {
        let entry = super::entry(&self.fields, key)?;
        std::str::from_utf8(&entry.value).ok()
    }
}

impl std::fmt::Debug for Filled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filled")
            .field("fields", &self.fields)
            .field("state", &self.state.as_deref().map(Bytes))
            .field("expires_in", &self.expires_in)
            .field("marked", &self.marked)
            .finish()
    }
}

pub(super) fn fill(output: wit::Output) -> Result<Filled, String> {
    let mut values: Vec<Part> = Vec::new();
    for source in output.values {
        let value = match source {
            wit::Source::Draw(draw) => fill_draw(draw)?,
            wit::Source::Derive(wit::Derivation { parts, via }) => transform(&via, &join(&parts, &values)?),
        };
        values.push(value);
    }
    let mut fields: Vec<Entry> = Vec::new();
    let mut marked = BTreeSet::new();
    for wit::Field { key, value } in output.fields {
        if super::entry(&fields, &key).is_some() {
            return Err(format!("the field {key} is there twice"));
        }
        let value = join(&value, &values)?;
        if value.marked {
            marked.insert(key.clone());
        }
        fields.push(Entry::new(key, value.bytes));
    }
    Ok(Filled { fields, state: output.state, expires_in: output.expires_in, marked })
}

/// Bytes, and whether a marker stands among them.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    marked: bool,
}

fn join(segments: &[wit::Segment], values: &[Part]) -> Result<Part, String> {
    let mut joined = Part::default();
    for segment in segments {
        match segment {
            wit::Segment::Literal(bytes) => joined.bytes.extend(bytes),
            wit::Segment::Value(index) => {
                let value = usize::try_from(*index).ok().and_then(|index| values.get(index));
                let value = value.ok_or_else(|| format!("value {index} is not an earlier one"))?;
                joined.bytes.extend(&value.bytes);
                joined.marked |= value.marked;
            }
        }
    }
    Ok(joined)
}

fn fill_draw(draw: wit::Draw) -> Result<Part, String> {
    let marked = matches!(draw, wit::Draw::Key(_));
    let bytes = match draw {
        wit::Draw::Picks(picks) => String::from_iter(fill_picks(picks)?).into_bytes(),
        wit::Draw::Constrained(constraints) => fill_constrained(&constraints)?.into_bytes(),
        wit::Draw::Words(words) => fill_words(&words)?.into_bytes(),
        wit::Draw::Bytes(count) => native::bytes(STREAM, count),
        wit::Draw::Key(spec) => format!("<key {:?}>", spec.algorithm).into_bytes(),
    };
    Ok(Part { bytes, marked })
}

fn fill_picks(picks: wit::Picks) -> Result<Vec<char>, String> {
    let mut drawn = Vec::new();
    for wit::Pick { alphabet, count } in picks.parts {
        let mut alphabet = distinct(&alphabet);
        for _ in 0..count {
            if picks.distinct {
                alphabet.retain(|c| !drawn.contains(c));
            }
            drawn.push(one_of(&alphabet).ok_or("an alphabet has no character left")?);
        }
    }
    if picks.shuffle {
        shuffle(&mut drawn);
    }
    Ok(drawn)
}

fn fill_constrained(constraints: &wit::Constraints) -> Result<String, String> {
    const TRIES: usize = 10_000;
    for _ in 0..TRIES {
        let candidate = sketch(constraints)?;
        if obeys(constraints, &candidate) {
            return Ok(candidate.into_iter().collect());
        }
    }
    Err(format!("no string in {TRIES} tries obeys the constraints; the host can tell whether there is one"))
}

/// The minima of all classes, then any allowed characters, shuffled: likely, not certain, to obey.
fn sketch(constraints: &wit::Constraints) -> Result<Vec<char>, String> {
    let mut drawn = Vec::new();
    for class in &constraints.classes {
        let alphabet = distinct(&class.alphabet);
        for _ in 0..class.min {
            drawn.push(one_of(&alphabet).ok_or("a class has no characters")?);
        }
    }
    let open = constraints.classes.iter().filter(|class| class.max.is_none_or(|max| max > class.min));
    let open = distinct(&open.map(|class| class.alphabet.as_str()).collect::<String>());
    while u32::try_from(drawn.len()).is_ok_and(|length| length < constraints.length) {
        drawn.push(one_of(&open).ok_or("the classes allow too few characters")?);
    }
    shuffle(&mut drawn);
    Ok(drawn)
}

fn obeys(constraints: &wit::Constraints, candidate: &[char]) -> bool {
    let allowed = |at: Option<&char>, alphabet: &Option<String>| match (at, alphabet) {
        (Some(c), Some(alphabet)) => alphabet.contains(*c),
        _ => true,
    };
    let within = |class: &wit::Class| {
        let count = candidate.iter().filter(|c| class.alphabet.contains(**c)).count();
        let max = class.max.unwrap_or(u32::MAX);
        u32::try_from(count).is_ok_and(|count| (class.min..=max).contains(&count))
    };
    let text: String = candidate.iter().collect();
    u32::try_from(candidate.len()) == Ok(constraints.length)
        && constraints.classes.iter().all(within)
        && allowed(candidate.first(), &constraints.first)
        && allowed(candidate.last(), &constraints.last)
        && !(constraints.no_equal_neighbours && candidate.windows(2).any(|pair| pair.first() == pair.last()))
        && !constraints.forbidden.iter().any(|forbidden| text.contains(forbidden.as_str()))
}

fn fill_words(words: &wit::Words) -> Result<String, String> {
    let mut drawn = Vec::new();
    for _ in 0..words.count {
        let word = index_below(words.word_list.len()).and_then(|index| words.word_list.get(index));
        let word = word.ok_or("the word list is empty")?;
        let mut letters = word.chars();
        drawn.push(match letters.next() {
            Some(first) if words.capitalize => first.to_uppercase().chain(letters).collect(),
            _ => word.clone(),
        });
    }
    Ok(drawn.join(&words.separator))
}

fn transform(via: &Transform, input: &Part) -> Part {
    let &Part { bytes: ref input, mut marked } = input;
    let text = String::from_utf8_lossy(input);
    let mut marker = |name: &str| {
        marked = true;
        format!("<{name} {text}>")
    };
    let output = match via {
        Transform::Join => return Part { bytes: input.clone(), marked },
        Transform::Base64 => BASE64.encode(input),
        Transform::Base64url => BASE64URL.encode(input),
        Transform::Base32 => BASE32.encode(input),
        Transform::Hex => HEXLOWER.encode(input),
        Transform::UriUserinfo | Transform::UriQuery => percent(input),
        Transform::Pgpass => text.replace('\\', "\\\\").replace(':', "\\:"),
        Transform::JsonString => serde_json::Value::from(text.as_ref()).to_string(),
        Transform::SingleQuote => format!("'{}'", text.replace('\'', "'\\''")),
        Transform::Sha256Hex => marker("sha256"),
        Transform::Bcrypt(cost) => marker(&format!("bcrypt {cost}")),
        Transform::ScramSha256(rounds) => marker(&format!("scram-sha-256 {rounds}")),
        Transform::Pkcs8Pem => marker("pkcs8"),
        Transform::PublicPem => marker("public"),
        Transform::OpensshPrivate(comment) => marker(&format!("openssh-private {comment}")),
        Transform::OpensshPublic(comment) => marker(&format!("openssh-public {comment}")),
        Transform::RawPrivate => marker("raw-private"),
        Transform::RawPublic => marker("raw-public"),
        Transform::JwkPrivate => marker("jwk-private"),
        Transform::JwkPublic => marker("jwk-public"),
        Transform::JwkThumbprint => marker("jwk-thumbprint"),
        Transform::Bech32(prefix) => marker(&format!("bech32 {prefix}")),
    };
    Part { bytes: output.into_bytes(), marked }
}

/// Escapes all but the unreserved characters of RFC 3986: right in user-info and in a query.
fn percent(input: &[u8]) -> String {
    let mut escaped = String::new();
    for &byte in input {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// The one stream that all draws of a recipe come from.
const STREAM: &str = "recipe";

fn distinct(alphabet: &str) -> Vec<char> {
    let mut characters: Vec<char> = alphabet.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    characters
}

fn one_of(characters: &[char]) -> Option<char> {
    characters.get(index_below(characters.len())?).copied()
}

fn shuffle(characters: &mut [char]) {
    for last in (1..characters.len()).rev() {
        if let Some(other) = index_below(last + 1) {
            characters.swap(last, other);
        }
    }
}

/// An index below `count`; none if there is none.
fn index_below(count: usize) -> Option<usize> {
    let word = native::bytes(STREAM, 8).into_iter().fold(0, |word: u64, byte| word << 8 | u64::from(byte));
    let count = u64::try_from(count).ok()?;
    usize::try_from(word.checked_rem(count)?).ok()
}

#[cfg(test)]
mod tests {
    use crate::{Constraints, Picks, Recipe};

    use super::*;

    fn filled(build: impl FnOnce(&mut Recipe)) -> Result<Filled, String> {
        let mut recipe = Recipe::new();
        build(&mut recipe);
        native::begin(1, 0);
        fill(recipe.finish().into_contract())
    }

    #[test]
    fn fills_picks_and_derivations() {
        let filled = filled(|recipe| {
            let password = recipe.picks(Picks::new().pick("ab", 2).pick("0123", 3).shuffle().distinct());
            let encoded = recipe.derive(Transform::Hex, ("u:", password));
            recipe.field("password", password);
            recipe.field("auth", ("Basic ", encoded, "."));
        })
        .expect("fillable");
        let password = filled.text("password").expect("text");
        let mut sorted: Vec<char> = password.chars().collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 5);
        assert!(sorted.ends_with(&['a', 'b']));
        let auth = format!("Basic {}.", HEXLOWER.encode(format!("u:{password}").as_bytes()));
        assert_eq!(filled.text("auth"), Some(auth.as_str()));
    }

    #[test]
    fn unpadded_base64_is_that_of_so_many_bytes() {
        for bytes in 1..=64 {
            let filled = filled(|recipe| {
                let plain = recipe.picks(Picks::base64_unpadded(bytes));
                let url = recipe.picks(Picks::base64url_unpadded(bytes));
                recipe.field("plain", plain);
                recipe.field("url", url);
            })
            .expect("fillable");
            let encodings = [("plain", data_encoding::BASE64_NOPAD), ("url", data_encoding::BASE64URL_NOPAD)];
            for (key, encoding) in encodings {
                let text = filled.text(key).expect("text");
                let decoded = encoding.decode(text.as_bytes()).expect("zeros below what is left");
                assert_eq!(u32::try_from(decoded.len()), Ok(bytes), "{text}");
            }
        }
    }

    #[test]
    fn obeys_constraints() {
        let constraints = Constraints::new(12)
            .class("ab", 1, Some(2))
            .class("xyz-", 5, None)
            .first("ab")
            .last("xyz")
            .no_equal_neighbours()
            .forbid("zx");
        let filled = filled(|recipe| {
            let drawn = recipe.constrained(constraints.clone());
            recipe.field("f", drawn);
        })
        .expect("fillable");
        let text = filled.text("f").expect("text");
        assert_eq!(text.len(), 12);
        assert!(text.starts_with(['a', 'b']) && text.ends_with(['x', 'y', 'z']) && !text.contains("zx"));
    }

    #[test]
    fn escapes() {
        let check = |via, input: &str, expected: &str| {
            let filled = filled(|recipe| {
                let value = recipe.derive(via, input);
                recipe.field("f", value);
            });
            assert_eq!(filled.expect("fillable").text("f"), Some(expected));
        };
        check(Transform::UriUserinfo, "a/b@c é", "a%2Fb%40c%20%C3%A9");
        check(Transform::Pgpass, r"a:b\c", r"a\:b\\c");
        check(Transform::JsonString, "a\"b", r#""a\"b""#);
        check(Transform::SingleQuote, "it's", r"'it'\''s'");
        check(Transform::Base32, "fo", "MZXQ====");
        check(Transform::Bcrypt(12), "pw", "<bcrypt 12 pw>");
    }

    #[test]
    fn knows_which_fields_hold_a_marker() {
        let filled = filled(|recipe| {
            let key = recipe.key(crate::KeySpec { algorithm: crate::KeyAlgorithm::X25519, bits: None });
            let raw = recipe.derive(Transform::RawPublic, key);
            let text = recipe.derive(Transform::Base64, raw);
            recipe.field("key", ("k:", text));
            recipe.field("plain", "p");
        })
        .expect("fillable");
        assert_eq!(filled.marked.into_iter().collect::<Vec<_>>(), ["key"]);
    }

    #[test]
    fn says_what_cannot_be_filled() {
        let few = filled(|recipe| {
            recipe.picks(Picks::new().pick("aaa", 2).distinct());
        });
        assert_eq!(few, Err("an alphabet has no character left".to_owned()));
        let twice = filled(|recipe| {
            recipe.field("k", "a");
            recipe.field("k", "b");
        });
        assert_eq!(twice, Err("the field k is there twice".to_owned()));
    }
}
