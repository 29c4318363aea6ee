//! So many characters of each alphabet, in order or shuffled, on demand with no character twice. Parts whose alphabets share no
//! character do not influence each other; those that do, and must be distinct, are chosen by counting all assignments (`counted`), so
//! what is impossible is told at once and what is possible is uniform.
//!
//! Entropy: exact unless shuffled parts overlap without being equal. Then a string can come about in several ways, and the bound is what
//! it would be without the shuffling inside the overlap.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::counted::{Counted, Language, Move};
use super::{DrawError, Drawn, PerCharacter, distinct, one_width, utf8};
use crate::bindings::generate::Picks;
use crate::entropy::Entropy;
use crate::error::RecipeFault;
use crate::random::Random;

const PARTS: usize = 64;
const CHARACTERS: usize = 16_384;

pub(super) fn draw(picks: &Picks, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    let parts = parts(picks)?;
    let clusters = clusters(&parts);
    let length: usize = parts.iter().map(|part| part.count).sum();
    let mut characters = Zeroizing::new(vec!['\0'; length]);
    let mut entropy = Entropy { bits: 0.0, exact: true };
    for cluster in &clusters {
        let bits = cluster.draw(&parts, picks.distinct, random, &mut characters)?;
        entropy.bits += bits;
        entropy.exact &= !picks.shuffle || cluster.equal;
    }
    if picks.shuffle {
        shuffle(&mut characters, random)?;
        entropy.bits += interleavings(clusters.iter().map(|cluster| cluster.count(&parts)));
    }
    Ok(Drawn {
        bytes: utf8(&characters),
        entropy,
        fixed: one_width(parts.iter().flat_map(|part| &part.alphabet)) || fixed_widths(&parts),
        key: None,
    })
}

struct Part {
    alphabet: Vec<char>,
    count: usize,
    /// Where its characters stand before shuffling.
    start: usize,
}

fn parts(picks: &Picks) -> Result<Vec<Part>, RecipeFault> {
    let wanted = picks.parts.iter().filter(|part| part.count > 0);
    let mut parts = Vec::new();
    let mut length = 0_usize;
    for pick in wanted {
        let alphabet = distinct(&pick.alphabet);
        if alphabet.is_empty() {
            return Err(RecipeFault::Empty);
        }
        let (start, count) = (length, pick.count as usize);
        length = length.saturating_add(count);
        parts.push(Part { alphabet, count, start });
    }
    if !(1..=CHARACTERS).contains(&length) || parts.len() > PARTS {
        return Err(RecipeFault::Size("picks: between 1 and 16384 characters of at most 64 parts"));
    }
    Ok(parts)
}

/// Each part has characters of one width, so the whole has one length whatever is drawn.
fn fixed_widths(parts: &[Part]) -> bool {
    parts.iter().all(|part| one_width(&part.alphabet))
}

/// Parts that are connected by shared characters, by index.
struct Cluster {
    parts: Vec<usize>,
    /// All of them have the same alphabet.
    equal: bool,
}

/// Joins the parts that share characters.
fn clusters(parts: &[Part]) -> Vec<Cluster> {
    let mut cluster_of: Vec<usize> = (0..parts.len()).collect();
    let mut holder = PerCharacter::default();
    for (i, part) in parts.iter().enumerate() {
        for &character in &part.alphabet {
            if let Some(other) = holder.first(character, i) {
                join(&mut cluster_of, other, i);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, &cluster) in cluster_of.iter().enumerate() {
        members.entry(cluster).or_default().push(i);
    }
    members.into_values().map(|indices| cluster(parts, indices)).collect()
}

fn join(cluster_of: &mut [usize], a: usize, b: usize) {
    let (Some(&from), Some(&to)) = (cluster_of.get(b), cluster_of.get(a)) else {
        return;
    };
    if from == to {
        return;
    }
    for cluster in cluster_of.iter_mut().filter(|cluster| **cluster == from) {
        *cluster = to;
    }
}

fn cluster(parts: &[Part], indices: Vec<usize>) -> Cluster {
    let alphabet = |i: &usize| -> BTreeSet<char> {
        let part = parts.get(*i);
        part.into_iter().flat_map(|part| &part.alphabet).copied().collect()
    };
    let equal = match indices.as_slice() {
        [first, others @ ..] if !others.is_empty() => {
            let first = alphabet(first);
            others.iter().all(|other| alphabet(other) == first)
        }
        _ => true,
    };
    Cluster { parts: indices, equal }
}

impl Cluster {
    fn members<'a>(&'a self, parts: &'a [Part]) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter_map(|&i| parts.get(i))
    }

    fn count(&self, parts: &[Part]) -> usize {
        self.members(parts).map(|part| part.count).sum()
    }

    /// Draws the characters of its parts into their places; returns log2 of how many ways there were.
    fn draw(
        &self,
        parts: &[Part],
        no_repeats: bool,
        random: &mut Random<'_>,
        characters: &mut [char],
    ) -> Result<f64, DrawError> {
        if !no_repeats {
            return self.draw_freely(parts, random, characters);
        }
        if self.equal {
            return self.deal(parts, random, characters);
        }
        self.assign(parts, random, characters)
    }

    fn draw_freely(
        &self,
        parts: &[Part],
        random: &mut Random<'_>,
        characters: &mut [char],
    ) -> Result<f64, DrawError> {
        let mut bits = 0.0;
        for part in self.members(parts) {
            for place in characters.iter_mut().skip(part.start).take(part.count) {
                let index = random.index(part.alphabet.len())?;
                *place = part.alphabet.get(index).copied().unwrap_or_default();
            }
            bits += part.count as f64 * (part.alphabet.len() as f64).log2();
        }
        Ok(bits)
    }

    /// One alphabet: deals its characters out like cards.
    fn deal(
        &self,
        parts: &[Part],
        random: &mut Random<'_>,
        characters: &mut [char],
    ) -> Result<f64, DrawError> {
        let alphabet = self.members(parts).next().map(|part| part.alphabet.clone());
        let mut deck = Zeroizing::new(alphabet.unwrap_or_default());
        if self.count(parts) > deck.len() {
            return Err(too_few());
        }
        let mut bits = 0.0;
        for part in self.members(parts) {
            for place in characters.iter_mut().skip(part.start).take(part.count) {
                bits += (deck.len() as f64).log2();
                let index = random.index(deck.len())?;
                *place = deck.swap_remove(index);
            }
        }
        Ok(bits)
    }

    /// Alphabets that overlap: one of all assignments, counted.
    fn assign(
        &self,
        parts: &[Part],
        random: &mut Random<'_>,
        characters: &mut [char],
    ) -> Result<f64, DrawError> {
        let mut assignment = Assignment::new(self.members(parts));
        if assignment.wanted.len() > assignment.pool.values().map(Vec::len).sum() {
            return Err(too_few());
        }
        let counted = Counted::build(&assignment, assignment.wanted.len())?;
        let total = counted.total();
        if total.is_zero() {
            return Err(too_few());
        }
        let choices = Zeroizing::new(counted.unrank(total.random_below(random)?));
        let places = self.members(parts).flat_map(|part| part.start..part.start + part.count);
        for (place, &(group, way)) in places.zip(choices.iter()) {
            if let Some(place) = characters.get_mut(place) {
                *place = assignment.take(group, way).unwrap_or_default();
            }
        }
        Ok(total.log2())
    }
}

fn too_few() -> DrawError {
    RecipeFault::Impossible("more distinct characters are wanted than its alphabets have").into()
}

/// The language of distinct characters from overlapping alphabets: characters are grouped by the parts that they belong to, and what
/// matters of a prefix is how many of each group are left.
struct Assignment {
    /// Characters by the set of parts that may take them.
    pool: BTreeMap<Vec<usize>, Vec<char>>,
    /// The part whose turn it is at each step.
    wanted: Vec<usize>,
}

impl Assignment {
    fn new<'a>(parts: impl Iterator<Item = &'a Part>) -> Self {
        let mut takers: BTreeMap<char, Vec<usize>> = BTreeMap::new();
        let mut wanted = Vec::new();
        for (i, part) in parts.enumerate() {
            wanted.extend(std::iter::repeat_n(i, part.count));
            for &character in &part.alphabet {
                takers.entry(character).or_default().push(i);
            }
        }
        let mut pool: BTreeMap<Vec<usize>, Vec<char>> = BTreeMap::new();
        for (character, parts) in takers {
            pool.entry(parts).or_default().push(character);
        }
        Self { pool, wanted }
    }

    fn take(&mut self, group: u32, way: u32) -> Option<char> {
        let characters = self.pool.values_mut().nth(group as usize)?;
        let way = way as usize;
        (way < characters.len()).then(|| characters.remove(way))
    }
}

impl Language for Assignment {
    type State = Vec<u32>;

    fn start(&self) -> Vec<u32> {
        self.pool.values().map(|group| u32::try_from(group.len()).unwrap_or(u32::MAX)).collect()
    }

    fn moves(&self, step: usize, left: &Vec<u32>, moves: &mut Vec<Move<Vec<u32>>>) {
        let Some(part) = self.wanted.get(step) else { return };
        for (i, takers) in self.pool.keys().enumerate() {
            let Some(&ways) = left.get(i) else { continue };
            if ways == 0 || !takers.contains(part) {
                continue;
            }
            let mut next = left.clone();
            if let Some(count) = next.get_mut(i) {
                *count -= 1;
            }
            let group = u32::try_from(i).unwrap_or(u32::MAX);
            moves.push(Move { group, ways, next });
        }
    }

    fn accepts(&self, _: &Vec<u32>) -> bool {
        true
    }
}

/// Every order equally likely (Fisher and Yates).
fn shuffle(characters: &mut [char], random: &mut Random<'_>) -> Result<(), DrawError> {
    for last in (1..characters.len()).rev() {
        characters.swap(last, random.index(last + 1)?);
    }
    Ok(())
}

/// log2 of the number of ways to interleave sequences of these lengths.
fn interleavings(counts: impl Iterator<Item = usize>) -> f64 {
    let mut total = 0_usize;
    let mut bits = 0.0;
    for count in counts {
        for i in 1..=count {
            total += 1;
            bits += (total as f64).log2() - (i as f64).log2();
        }
    }
    bits
}

#[cfg(test)]
mod tests;
