//! How many characters of which alphabet, and whether that many can be drawn.
//!
//! Without repeats the alphabets compete: a symbol that is also a letter may be used up by the letters. A config is
//! refused unless drawing letters, then digits, then symbols can never run out, whatever was drawn before; where that does
//! not hold, ESO loops forever sooner or later.

use std::collections::BTreeSet;

use keymill_sdk::{Problems, Rule};

use crate::config::Config;

const NEGATIVE: Rule = Rule::new(
    "negative-count",
    "A count is negative. Use 0 for none, or leave it out for a quarter of the length.",
);
const TOO_LONG: Rule = Rule::new("too-long", "The password would be longer than 4096 characters.");
const EXCEED_LENGTH: Rule = Rule::new(
    "counts-exceed-length",
    "Digits and symbols together are more than the length. Raise length, or lower digits or symbols; one that is left out is a quarter of the length.",
);
const LETTERS: Rule = Rule::new(
    "letters-exceed-available",
    "Without repeats there are not enough letters: 52, or 26 with noUpper. Lower length, raise digits or symbols, or set allowRepeat.",
);
const DIGITS: Rule = Rule::new(
    "digits-exceed-available",
    "Without repeats there are not enough digits: 10. Lower digits (a quarter of the length if left out), or set allowRepeat.",
);
const SYMBOLS: Rule = Rule::new(
    "symbols-exceed-available",
    "Without repeats there are not enough symbols. Characters that are given twice count once, and letters and digits that the password may have used already do not count. Lower symbols, add to symbolCharacters, or set allowRepeat.",
);

/// The rules about counts.
pub(crate) const RULES: &[Rule] = &[NEGATIVE, TOO_LONG, EXCEED_LENGTH, LETTERS, DIGITS, SYMBOLS];

/// The longest password. ESO has no bound; with repeats its time grows with the square.
pub(crate) const MAX_LENGTH: i64 = 4096;
/// The most keys of one config. Even the longest passwords in hex then fit into a Secret (with ASCII symbols).
pub(crate) const MAX_KEYS: i64 = 64;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const LETTERS_OF_BOTH_CASES: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT_CHARACTERS: &str = "0123456789";
const DEFAULT_SYMBOLS: &str = "~!@#$%^&*()_+`-={}|[]\\:\"<>?,./";
const DEFAULT_LENGTH: i64 = 24;

/// What the config asks for, with its defaults; not necessarily possible.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    length: i64,
    digits: i64,
    symbols: i64,
}

/// Counts that are not negative.
pub(crate) struct Drawable {
    pub(crate) letters: u32,
    pub(crate) digits: u32,
    pub(crate) symbols: u32,
}

impl Counts {
    /// The defaults are ESO's: a length of 24 if 0 or less, and a quarter of the length, rounded down.
    pub(crate) fn of(config: &Config) -> Self {
        let length = config.length.filter(|length| *length > 0).unwrap_or(DEFAULT_LENGTH);
        let quarter = length / 4;
        Self { length, digits: config.digits.unwrap_or(quarter), symbols: config.symbols.unwrap_or(quarter) }
    }

    /// The counts to draw; none if one is negative or the sum exceeds the length.
    pub(crate) fn drawable(self) -> Option<Drawable> {
        let letters = self.length.checked_sub(self.digits)?.checked_sub(self.symbols)?;
        let count = |count: i64| u32::try_from(count).ok();
        Some(Drawable {
            letters: count(letters)?,
            digits: count(self.digits)?,
            symbols: count(self.symbols)?,
        })
    }
}

/// The characters to choose from.
pub(crate) struct Alphabets {
    pub(crate) letters: &'static str,
    pub(crate) digits: &'static str,
    pub(crate) symbols: String,
}

impl Alphabets {
    /// Each character once, in the order given: a character given twice is not likelier.
    pub(crate) fn of(config: &Config) -> Self {
        let symbols = config.symbol_characters.as_deref().filter(|characters| !characters.is_empty());
        let mut seen = BTreeSet::new();
        Self {
            letters: if config.no_upper { LOWER } else { LETTERS_OF_BOTH_CASES },
            digits: DIGIT_CHARACTERS,
            symbols: symbols.unwrap_or(DEFAULT_SYMBOLS).chars().filter(|c| seen.insert(*c)).collect(),
        }
    }
}

/// Adds what is wrong with the counts. What follows from another problem is not told as well.
pub(crate) fn validate(config: &Config, problems: &mut Problems) {
    let counts = Counts::of(config);
    let before = [
        (counts.digits < 0, &NEGATIVE, "/digits"),
        (counts.symbols < 0, &NEGATIVE, "/symbols"),
        (counts.length > MAX_LENGTH, &TOO_LONG, "/length"),
    ];
    for (broken, rule, path) in before {
        problems.add_if(broken, rule, path);
    }
    if before.iter().any(|(broken, ..)| *broken) {
        return;
    }
    match counts.drawable() {
        None if counts.digits > counts.length => problems.add(&EXCEED_LENGTH, "/digits"),
        None => problems.add(&EXCEED_LENGTH, given(config, &["/symbols", "/digits"])),
        Some(drawable) if !config.allow_repeat => validate_distinct(config, &drawable, problems),
        Some(_) => {}
    }
}

fn validate_distinct(config: &Config, counts: &Drawable, problems: &mut Problems) {
    let alphabets = Alphabets::of(config);
    let available = |alphabet: &str| u32::try_from(alphabet.chars().count()).unwrap_or(u32::MAX);
    let shared = |alphabet: &str| {
        let shared = alphabets.symbols.chars().filter(|c| alphabet.contains(*c)).count();
        u32::try_from(shared).unwrap_or(u32::MAX)
    };
    let used_up = shared(alphabets.letters).min(counts.letters) + shared(alphabets.digits).min(counts.digits);
    let symbols = available(&alphabets.symbols) - used_up;
    problems.add_if(counts.letters > available(alphabets.letters), &LETTERS, given(config, &["/length"]));
    problems.add_if(
        counts.digits > available(alphabets.digits),
        &DIGITS,
        given(config, &["/digits", "/length"]),
    );
    problems.add_if(
        counts.symbols > symbols,
        &SYMBOLS,
        given(config, &["/symbols", "/symbolCharacters", "/length"]),
    );
}

/// The first of these places that the config has, so that a problem points at something which is there.
fn given(config: &Config, places: &[&'static str]) -> &'static str {
    let is_given = |place: &&str| match *place {
        "/length" => config.length.is_some(),
        "/digits" => config.digits.is_some(),
        "/symbols" => config.symbols.is_some(),
        "/symbolCharacters" => config.symbol_characters.is_some(),
        _ => false,
    };
    places.iter().copied().find(|place| is_given(place)).unwrap_or_default()
}
