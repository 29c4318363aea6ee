//! Uniform over all strings that obey the constraints: length, how many of each class, which may be first and last, no equal
//! neighbours, forbidden texts. Counted exactly (`counted`), so the entropy is log2 of the number of such strings and an impossible
//! policy is told at once. Characters that the constraints cannot tell apart are counted as one group, which keeps the table small.

use std::collections::BTreeMap;

use super::counted::{Choice, Counted, Language, Move};
use super::natural::Natural;
use super::{DrawError, Drawn, distinct, one_width, utf8};
use crate::bindings::generate::Constraints;
use crate::entropy::Entropy;
use crate::error::RecipeFault;
use crate::random::Random;

const LENGTH: u32 = 4096;
const CLASSES: usize = 32;
const CHARACTERS: usize = 4096;
const FORBIDDEN_CHARACTERS: usize = 256;

pub(super) fn draw(constraints: &Constraints, random: &mut Random<'_>) -> Result<Drawn, DrawError> {
    let space = Space::new(constraints)?;
    let rank = space.total.random_below(random)?;
    let characters = space.string(rank);
    let bits = space.total.log2();
    Ok(Drawn {
        bytes: utf8(&characters),
        entropy: Entropy { bits, exact: true },
        fixed: one_width(space.rules.groups.iter().flat_map(|group| &group.characters)),
        key: None,
    })
}

/// All strings that obey, counted.
struct Space {
    rules: Rules,
    counted: Counted,
    total: Natural,
}

impl Space {
    fn new(constraints: &Constraints) -> Result<Self, RecipeFault> {
        let rules = Rules::new(constraints)?;
        let counted = Counted::build(&rules, rules.length)?;
        let total = counted.total();
        if total.is_zero() {
            return Err(RecipeFault::Impossible(
                "its length, classes and forbidden texts contradict each other",
            ));
        }
        Ok(Self { rules, counted, total })
    }

    fn string(&self, rank: Natural) -> zeroize::Zeroizing<Vec<char>> {
        let choices = zeroize::Zeroizing::new(self.counted.unrank(rank));
        let mut characters = zeroize::Zeroizing::new(Vec::with_capacity(choices.len()));
        for &choice in choices.iter() {
            if let Some(character) = self.rules.character(choice, characters.last().copied()) {
                characters.push(character);
            }
        }
        characters
    }
}

struct Rules {
    length: usize,
    groups: Vec<Group>,
    bounds: Vec<Bound>,
    no_equal_neighbours: bool,
    forbidden: Forbidden,
}

/// Characters that no constraint tells apart.
struct Group {
    characters: Vec<char>,
    traits: Traits,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Traits {
    /// The classes that they belong to, as bits.
    classes: u32,
    first: bool,
    last: bool,
    /// The one character, if a forbidden text holds it.
    spelled: Option<char>,
}

struct Bound {
    min: u32,
    max: Option<u32>,
}

impl Rules {
    fn new(constraints: &Constraints) -> Result<Self, RecipeFault> {
        if !(1..=LENGTH).contains(&constraints.length) || constraints.classes.len() > CLASSES {
            return Err(RecipeFault::Size(
                "constrained: between 1 and 4096 characters of at most 32 classes",
            ));
        }
        let members = members(constraints)?;
        let forbidden = Forbidden::new(&constraints.forbidden, &members)?;
        Ok(Self {
            length: constraints.length as usize,
            groups: groups(constraints, &members, &forbidden),
            bounds: constraints
                .classes
                .iter()
                .map(|class| Bound { min: class.min, max: class.max })
                .collect(),
            no_equal_neighbours: constraints.no_equal_neighbours,
            forbidden,
        })
    }

    /// The character behind a choice; with no equal neighbours, the ways of its own group skip the one before.
    fn character(&self, (group, way): Choice, before: Option<char>) -> Option<char> {
        let characters = &self.groups.get(group as usize)?.characters;
        let skipped = before.filter(|_| self.no_equal_neighbours);
        let skipped = skipped.and_then(|c| characters.iter().position(|other| *other == c));
        let way = way as usize;
        let at = if skipped.is_some_and(|skipped| way >= skipped) { way + 1 } else { way };
        characters.get(at).copied()
    }

    /// The counts after one more character of these classes, each counted only as far as it matters; `None` above a maximum.
    fn counts(&self, counts: &[u32], classes: u32) -> Option<Vec<u32>> {
        let mut after = counts.to_vec();
        for (i, (count, bound)) in after.iter_mut().zip(&self.bounds).enumerate() {
            if classes >> i & 1 == 1 {
                match bound.max {
                    Some(max) if *count >= max => return None,
                    Some(_) => *count += 1,
                    None => *count = (*count + 1).min(bound.min),
                }
            }
        }
        Some(after)
    }
}

/// What of a prefix matters.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Prefix {
    counts: Vec<u32>,
    /// How much of a forbidden text stands at its end.
    spelled: usize,
    /// The group of its last character, where neighbours matter.
    last: Option<usize>,
}

impl Language for Rules {
    type State = Prefix;

    fn start(&self) -> Prefix {
        Prefix { counts: vec![0; self.bounds.len()], spelled: 0, last: None }
    }

    fn moves(&self, step: usize, prefix: &Prefix, moves: &mut Vec<Move<Prefix>>) {
        for (i, group) in self.groups.iter().enumerate() {
            let traits = &group.traits;
            let outside = step == 0 && !traits.first || step + 1 == self.length && !traits.last;
            let repeats = u32::from(self.no_equal_neighbours && prefix.last == Some(i));
            let counts = self.counts(&prefix.counts, traits.classes);
            let spelled = self.forbidden.step(prefix.spelled, traits.spelled);
            if let (false, Some(counts), Some(spelled)) = (outside, counts, spelled) {
                let size = u32::try_from(group.characters.len()).unwrap_or(u32::MAX);
                let last = self.no_equal_neighbours.then_some(i);
                moves.push(Move {
                    group: u32::try_from(i).unwrap_or(u32::MAX),
                    ways: size.saturating_sub(repeats),
                    next: Prefix { counts, spelled, last },
                });
            }
        }
    }

    fn accepts(&self, prefix: &Prefix) -> bool {
        prefix.counts.iter().zip(&self.bounds).all(|(count, bound)| *count >= bound.min)
    }
}

/// Every character that may stand in a string, with its classes as bits, in the order of the classes.
fn members(constraints: &Constraints) -> Result<Vec<(char, u32)>, RecipeFault> {
    let mut positions = BTreeMap::new();
    let mut members: Vec<(char, u32)> = Vec::new();
    for (i, class) in constraints.classes.iter().enumerate() {
        for character in distinct(&class.alphabet) {
            let at = *positions.entry(character).or_insert(members.len());
            match members.get_mut(at) {
                Some((_, classes)) => *classes |= 1 << i,
                None => members.push((character, 1 << i)),
            }
        }
    }
    match members.len() {
        0 => Err(RecipeFault::Empty),
        1..=CHARACTERS => Ok(members),
        _ => Err(RecipeFault::TooComplex),
    }
}

fn groups(constraints: &Constraints, members: &[(char, u32)], forbidden: &Forbidden) -> Vec<Group> {
    let allowed = |alphabet: &Option<String>, c: char| alphabet.as_ref().is_none_or(|set| set.contains(c));
    let mut by_traits: BTreeMap<Traits, Vec<char>> = BTreeMap::new();
    for &(character, classes) in members {
        let traits = Traits {
            classes,
            first: allowed(&constraints.first, character),
            last: allowed(&constraints.last, character),
            spelled: forbidden.spells(character).then_some(character),
        };
        by_traits.entry(traits).or_default().push(character);
    }
    let groups = by_traits.into_iter();
    groups.map(|(traits, characters)| Group { characters, traits }).collect()
}

/// Recognises forbidden texts as a string grows (Aho and Corasick).
struct Forbidden {
    nodes: Vec<Spelled>,
}

/// A prefix of a forbidden text.
#[derive(Default)]
struct Spelled {
    next: BTreeMap<char, usize>,
    /// The longest other prefix that it ends with.
    shorter: usize,
    /// It ends with a whole forbidden text.
    whole: bool,
}

impl Forbidden {
    fn new(texts: &[String], members: &[(char, u32)]) -> Result<Self, RecipeFault> {
        let possible = |text: &&String| text.chars().all(|c| members.iter().any(|(member, _)| *member == c));
        let mut nodes = vec![Spelled::default()];
        let total: usize = texts.iter().map(|text| text.chars().count()).sum();
        if total > FORBIDDEN_CHARACTERS {
            return Err(RecipeFault::TooComplex);
        }
        for text in texts.iter().filter(possible) {
            if text.is_empty() {
                return Err(RecipeFault::Impossible("the empty text is forbidden, and stands everywhere"));
            }
            insert(&mut nodes, text);
        }
        let mut forbidden = Self { nodes };
        forbidden.link();
        Ok(forbidden)
    }

    fn spells(&self, character: char) -> bool {
        self.nodes.iter().any(|node| node.next.contains_key(&character))
    }

    /// Where a prefix stands after one more character; `None` if a forbidden text is then complete. A character that no forbidden text
    /// holds starts anew.
    fn step(&self, mut at: usize, spelled: Option<char>) -> Option<usize> {
        let Some(character) = spelled else { return Some(0) };
        loop {
            let node = self.nodes.get(at)?;
            match node.next.get(&character) {
                Some(&to) => return self.nodes.get(to).filter(|node| !node.whole).map(|_| to),
                None if at == 0 => return Some(0),
                None => at = node.shorter,
            }
        }
    }

    /// Breadth first: the shorter prefix of each node is linked before the node is.
    fn link(&mut self) {
        let mut queue = std::collections::VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            let Some(node) = self.nodes.get(at) else { continue };
            let children: Vec<(char, usize)> = node.next.iter().map(|(c, to)| (*c, *to)).collect();
            let shorter = node.shorter;
            for (character, to) in children {
                let target = if at == 0 { 0 } else { self.longest(shorter, character) };
                let whole = self.nodes.get(target).is_some_and(|node| node.whole);
                if let Some(child) = self.nodes.get_mut(to) {
                    child.shorter = target;
                    child.whole |= whole;
                }
                queue.push_back(to);
            }
        }
    }

    fn longest(&self, mut at: usize, character: char) -> usize {
        while let Some(node) = self.nodes.get(at) {
            match node.next.get(&character) {
                Some(&to) => return to,
                None if at == 0 => break,
                None => at = node.shorter,
            }
        }
        0
    }
}

fn insert(nodes: &mut Vec<Spelled>, text: &str) {
    let mut at = 0;
    for character in text.chars() {
        let fresh = nodes.len();
        let Some(node) = nodes.get_mut(at) else { return };
        at = *node.next.entry(character).or_insert(fresh);
        if at == fresh {
            nodes.push(Spelled::default());
        }
    }
    if let Some(node) = nodes.get_mut(at) {
        node.whole = true;
    }
}

#[cfg(test)]
mod tests;
