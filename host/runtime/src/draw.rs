//! Carrying out a draw: the guest says what it wants, the host's randomness decides. Every draw is uniform over what it can give, or its
//! entropy is a stated bound; an impossible one is told in bounded time, before anything is drawn.

mod constrained;
mod counted;
pub(crate) mod key;
mod natural;
mod picks;
mod words;

use zeroize::Zeroizing;

use crate::bindings::generate::Draw;
use crate::bindings::types::KeyAlgorithm;
use crate::entropy::Entropy;
use crate::error::{RandomError, RecipeFault};
use crate::random::Random;

/// The longest value that may be drawn, in bytes.
const VALUE_BYTES: usize = 64 << 10;

/// A drawn value.
pub(crate) struct Drawn {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) entropy: Entropy,
    /// Whatever is drawn has this many bytes.
    pub(crate) fixed: bool,
    /// If it is a private key, PKCS#8 DER.
    pub(crate) key: Option<KeyAlgorithm>,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DrawError {
    Fault(RecipeFault),
    Random(RandomError),
}

impl From<RecipeFault> for DrawError {
    fn from(fault: RecipeFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RandomError> for DrawError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

pub(crate) fn draw(draw: &Draw, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    match draw {
        Draw::Picks(picks) => picks::draw(picks, random),
        Draw::Constrained(constraints) => constrained::draw(constraints, random),
        Draw::Words(words) => words::draw(words, random),
        Draw::Bytes(count) => bytes(*count, random),
        Draw::Key(spec) => key::draw(spec, random),
    }
}

fn bytes(count: u32, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    let count = count as usize;
    if !(1..=VALUE_BYTES).contains(&count) {
        return Err(RecipeFault::Size("bytes: between 1 and 65536 can be drawn").into());
    }
    let mut bytes = Zeroizing::new(vec![0; count]);
    random.fill(&mut bytes)?;
    let bits = 8.0 * count as f64;
    Ok(Drawn { bytes, entropy: Entropy { bits, exact: true }, fixed: true, key: None })
}

/// The distinct characters of an alphabet, in the order of their first occurrence.
fn distinct(alphabet: &str) -> Vec<char> {
    let mut seen = PerCharacter::default();
    alphabet.chars().filter(|c| seen.first(*c, ()).is_none()).collect()
}

/// What was noted first for each character. Alphabets are ASCII nearly always, so those characters need no search.
struct PerCharacter<T> {
    ascii: [Option<T>; 128],
    others: std::collections::BTreeMap<char, T>,
}

impl<T: Copy> Default for PerCharacter<T> {
    fn default() -> Self {
        Self { ascii: [None; 128], others: std::collections::BTreeMap::new() }
    }
}

impl<T: Copy> PerCharacter<T> {
    /// What was noted before; else notes this.
    fn first(&mut self, character: char, note: T) -> Option<T> {
        match self.ascii.get_mut(character as usize) {
            Some(slot @ None) => {
                *slot = Some(note);
                None
            }
            Some(known) => *known,
            None => match self.others.entry(character) {
                std::collections::btree_map::Entry::Occupied(known) => Some(*known.get()),
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(note);
                    None
                }
            },
        }
    }
}

/// Whether every string of so many of these characters has the same number of bytes.
fn one_width<'a>(characters: impl IntoIterator<Item = &'a char>) -> bool {
    let mut widths = characters.into_iter().map(|c| c.len_utf8());
    let first = widths.next();
    widths.all(|width| Some(width) == first)
}

/// Characters as UTF-8, in one allocation, so that no copy is left behind.
fn utf8(characters: &[char]) -> Zeroizing<Vec<u8>> {
    let bytes = characters.iter().map(|c| c.len_utf8()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(bytes));
    let mut buffer = Zeroizing::new([0; 4]);
    for character in characters {
        text.extend_from_slice(character.encode_utf8(buffer.as_mut()).as_bytes());
    }
    text
}
