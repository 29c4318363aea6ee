//! How much is unknown about a value: min-entropy in bits, and whether that is exact. Each value knows which draws it depends on and
//! which of them it gives back whole; from that follows what a concatenation or a derivation is worth. Every number is a lower bound
//! that holds against somebody who knows the recipe; it is exact where the recipe is one-to-one.

use std::collections::BTreeMap;

/// Min-entropy of one field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entropy {
    /// Bits; a lower bound unless `exact`.
    pub bits: f64,
    /// Whether `bits` is log2 of the number of equally likely values.
    pub exact: bool,
}

/// What a value owes to which draws.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// The draws that it depends on, by index of their value.
    draws: BTreeMap<u32, Drawn>,
    /// Bits from draws that cannot be read back from it, and that stand nowhere else in it.
    floor: f64,
    /// Every value that the recipe can give has this many bytes.
    fixed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Drawn {
    entropy: Entropy,
    /// The draw can be read back from the value.
    readable: bool,
}

impl Trace {
    /// Of a literal.
    pub(crate) fn literal() -> Self {
        Self { fixed: true, ..Self::default() }
    }

    /// Of a draw that stands at `index`.
    pub(crate) fn draw(index: u32, entropy: Entropy, fixed: bool) -> Self {
        let drawn = Drawn { entropy, readable: true };
        Self { draws: BTreeMap::from([(index, drawn)]), floor: 0.0, fixed }
    }

    /// Of the concatenation of `parts`. It can be taken apart again if at most one part varies in length.
    pub(crate) fn concatenation(parts: &[&Self]) -> Self {
        let varying = parts.iter().filter(|part| !part.fixed).count();
        let fixed = varying == 0;
        if varying > 1 {
            return Self { floor: undivided_floor(parts), draws: unreadable(parts), fixed };
        }
        let mut whole = Self { fixed, ..Self::default() };
        for part in parts {
            for (&index, drawn) in &part.draws {
                let kept = whole.draws.entry(index).or_insert(*drawn);
                kept.readable |= drawn.readable;
            }
        }
        whole.floor = parts.iter().enumerate().map(|(i, part)| part.lone_floor(i, parts)).sum();
        whole
    }

    /// Of a one-to-one transformation of it. `fixed` says whether it keeps lengths fixed.
    pub(crate) fn one_to_one(self, keeps_length: bool) -> Self {
        let fixed = self.fixed && keeps_length;
        Self { fixed, ..self }
    }

    /// Of a digest of it, which gives nothing back and can hold at most `bits`; its length is fixed.
    pub(crate) fn digest(self, bits: f64) -> Self {
        let floor = self.bits().min(bits);
        let draws = unreadable(&[&self]);
        Self { draws, floor, fixed: true }
    }

    /// `None` if no draw stands in it: then nobody here can say.
    pub(crate) fn entropy(&self) -> Option<Entropy> {
        let exact = self.draws.values().all(|drawn| drawn.readable && drawn.entropy.exact);
        let bits = self.bits();
        (!self.draws.is_empty()).then_some(Entropy { bits, exact })
    }

    fn bits(&self) -> f64 {
        let readable = self.draws.values().filter(|drawn| drawn.readable);
        readable.map(|drawn| drawn.entropy.bits).sum::<f64>() + self.floor
    }

    /// Its floor within a concatenation: counted if no other part shares a draw with it, else those bits may be the same ones.
    fn lone_floor(&self, at: usize, parts: &[&Self]) -> f64 {
        if self.alone(at, parts) { self.floor } else { 0.0 }
    }

    fn alone(&self, at: usize, parts: &[&Self]) -> bool {
        let others = parts.iter().enumerate().filter(|(i, _)| *i != at);
        others.flat_map(|(_, part)| part.draws.keys()).all(|index| !self.draws.contains_key(index))
    }
}

/// Where the parts cannot be told apart: for any values of the others, one part alone still makes as many strings as it can.
fn undivided_floor(parts: &[&Trace]) -> f64 {
    let lone = parts.iter().enumerate().filter(|(i, part)| part.alone(*i, parts));
    lone.map(|(_, part)| part.bits()).fold(0.0, f64::max)
}

fn unreadable(parts: &[&Trace]) -> BTreeMap<u32, Drawn> {
    let draws = parts.iter().flat_map(|part| &part.draws);
    draws.map(|(&index, &drawn)| (index, Drawn { readable: false, ..drawn })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(index: u32, bits: f64, fixed: bool) -> Trace {
        Trace::draw(index, Entropy { bits, exact: true }, fixed)
    }

    fn check(trace: &Trace, bits: f64, exact: bool) {
        assert_eq!(trace.entropy(), Some(Entropy { bits, exact }));
    }

    #[test]
    fn a_literal_is_worth_nothing_that_we_vouch_for() {
        assert_eq!(Trace::literal().entropy(), None);
    }

    #[test]
    fn a_draw_counts_once_however_often_it_stands() {
        let password = draw(0, 100.0, true);
        check(&Trace::concatenation(&[&password, &Trace::literal(), &password]), 100.0, true);
    }

    #[test]
    fn one_varying_part_can_still_be_told_apart() {
        let escaped = draw(0, 100.0, true).one_to_one(false);
        let user = draw(1, 20.0, true);
        check(&Trace::concatenation(&[&user, &Trace::literal(), &escaped]), 120.0, true);
    }

    #[test]
    fn two_varying_parts_are_worth_the_better_one() {
        let (a, b) = (draw(0, 100.0, false), draw(1, 20.0, false));
        check(&Trace::concatenation(&[&a, &b]), 100.0, false);
        // Of the same draw they might complement each other to a constant.
        check(&Trace::concatenation(&[&a, &a.clone().one_to_one(false)]), 0.0, false);
    }

    #[test]
    fn a_digest_is_bounded_and_never_exact() {
        check(&draw(0, 300.0, true).digest(256.0), 256.0, false);
        check(&draw(0, 50.0, true).digest(256.0), 50.0, false);
        let password = draw(0, 50.0, true);
        // Beside its own password a digest adds nothing, and takes nothing away.
        check(&Trace::concatenation(&[&password, &password.clone().digest(256.0)]), 50.0, true);
        check(&Trace::concatenation(&[&draw(1, 8.0, true), &password.digest(256.0)]), 58.0, false);
    }
}
