//! What becomes of a template.

use crate::corpus::{Corpus, pick};

type Next<'n> = &'n mut dyn FnMut() -> u64;

/// A few bytes are changed, doubled, left out or moved; what is no text any more is made one as the host does.
pub(crate) fn bytes(text: &str, next: Next<'_>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=pick(next, 4) {
        let at = pick(next, bytes.len() + 1);
        match pick(next, 5) {
            0 => bytes.insert(at, (next() >> 20) as u8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] ^= 1 << pick(next, 8),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + pick(next, 8)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = pick(next, bytes.len() + 1);
                bytes.splice(to..to, part);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The tokens of two templates are mixed with words.
pub(crate) fn tokens(corpus: &Corpus, next: Next<'_>) -> String {
    let mut tokens = split(corpus.one(next));
    let other = split(corpus.one(next));
    for _ in 0..=pick(next, 5) {
        let at = pick(next, tokens.len() + 1);
        match pick(next, 4) {
            0 => tokens.insert(at, corpus.word(next)),
            1 if at < tokens.len() => drop(tokens.remove(at)),
            2 if at < tokens.len() => tokens[at] = corpus.word(next),
            _ if !other.is_empty() => {
                let from = pick(next, other.len());
                let to = (from + pick(next, 6)).min(other.len());
                tokens.splice(at..at, other[from..to].iter().copied());
            }
            _ => {}
        }
    }
    tokens.concat()
}

/// Names and literals become others, so that most of it still parses.
pub(crate) fn names(corpus: &Corpus, next: Next<'_>) -> String {
    let mut tokens = split(corpus.one(next));
    let is_word = |token: &&str| token.chars().all(|c| c.is_alphanumeric() || c == '.');
    for _ in 0..=pick(next, 3) {
        let at = pick(next, tokens.len().max(1));
        if tokens.get(at).is_some_and(is_word) {
            tokens[at] = corpus.word(next);
        }
    }
    tokens.concat()
}

/// Runs of letters and digits, and everything else one by one.
fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let length =
            if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}
