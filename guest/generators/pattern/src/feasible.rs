//! Whether any password obeys all rules together, and whether the host can count those that do. It walks through the same prefixes as the
//! host's `constrained` draw, which gives up above a number of them: what passes here the host can draw.
//!
//! Of a prefix only this matters: how many characters of each class it has, as far as the class's bounds ask; how much of a forbidden
//! text stands at its end; and, where neighbours must differ, the group of its last character.

use std::collections::{BTreeMap, VecDeque};

use keymill_sdk::{Problems, Rule};

use crate::config::Config;

const CONTRADICTION: Rule = Rule::new(
    "contradiction",
    "No password obeys all of this: the length, the least and most of each class, what may stand first and last, and the forbidden texts contradict each other.",
);
const TOO_COMPLEX: Rule = Rule::new(
    "too-complex",
    "There are too many ways to obey this to count them. Lower length or some min, leave out some max, or forbid fewer texts.",
);

/// The rules about all of it together.
pub(crate) const RULES: &[Rule] = &[CONTRADICTION, TOO_COMPLEX];

/// Fewer than the host's 400000 moves and 2000000 limbs of 64 bits.
const MOVES: usize = 300_000;
const LIMBS: usize = 1_500_000;

/// Says so if nothing obeys, or too much to count. The rules must be right one by one.
pub(crate) fn validate(config: &Config, problems: &mut Problems) {
    match Rules::of(config).walk() {
        Walk::Possible => {}
        Walk::Impossible => problems.add(&CONTRADICTION, ""),
        Walk::TooComplex => problems.add(&TOO_COMPLEX, ""),
    }
}

enum Walk {
    Possible,
    Impossible,
    TooComplex,
}

struct Rules {
    length: usize,
    bounds: Vec<Bound>,
    groups: Vec<(Traits, usize)>,
    no_equal_neighbours: bool,
    forbidden: Forbidden,
}

struct Bound {
    min: u32,
    max: Option<u32>,
}

/// What the rules can tell of a character; characters with equal traits are one group.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Traits {
    /// By class, in order.
    classes: Vec<bool>,
    first: bool,
    last: bool,
    /// Which character of the forbidden texts it is.
    spelled: Option<usize>,
}

impl Rules {
    fn of(config: &Config) -> Self {
        let classes: Vec<String> = config.classes.iter().map(|class| config.characters(&class.of)).collect();
        let first = config.first.as_ref().map(|set| config.characters(set));
        let last = config.last.as_ref().map(|set| config.characters(set));
        let allowed = |set: &Option<String>, c: char| set.as_ref().is_none_or(|set| set.contains(c));
        let possible = |c: char| classes.iter().any(|class| class.contains(c));
        let texts: Vec<&String> = config.forbidden.iter().filter(|text| text.chars().all(possible)).collect();
        let forbidden = Forbidden::of(&texts);
        let mut characters: Vec<char> = classes.iter().flat_map(|class| class.chars()).collect();
        characters.sort_unstable();
        characters.dedup();
        let mut groups = BTreeMap::new();
        for c in characters {
            let traits = Traits {
                classes: classes.iter().map(|class| class.contains(c)).collect(),
                first: allowed(&first, c),
                last: allowed(&last, c),
                spelled: forbidden.spelled(c),
            };
            *groups.entry(traits).or_insert(0) += 1;
        }
        Self {
            length: usize::try_from(config.length).unwrap_or(usize::MAX),
            bounds: config.classes.iter().map(|class| Bound { min: class.min, max: class.max }).collect(),
            groups: groups.into_iter().collect(),
            no_equal_neighbours: config.no_equal_neighbours,
            forbidden,
        }
    }

    fn walk(&self) -> Walk {
        let mut prefixes = vec![Prefix::default()];
        let (mut moves, mut limbs) = (0, 0);
        for step in 0..self.length {
            let mut longer = Vec::new();
            moves += prefixes.len();
            for prefix in &prefixes {
                moves += self.go_on(step, *prefix, &mut longer);
            }
            limbs += prefixes.len() * self.limbs_of_rest(self.length - step);
            if moves > MOVES || limbs > LIMBS {
                return Walk::TooComplex;
            }
            longer.sort_unstable();
            longer.dedup();
            prefixes = longer;
        }
        if prefixes.iter().any(|prefix| self.is_enough(*prefix)) { Walk::Possible } else { Walk::Impossible }
    }

    /// At least as many as the number of ways to write so many more characters has.
    fn limbs_of_rest(&self, characters: usize) -> usize {
        let alphabet: usize = self.groups.iter().map(|(_, size)| size).sum();
        let bits = usize::try_from(alphabet.checked_ilog2().unwrap_or(0) + 1).unwrap_or(usize::MAX);
        characters * bits / 64 + 1
    }

    /// Adds the prefixes that follow, and says how many moves that takes the host, which also counts those of no character.
    fn go_on(&self, step: usize, prefix: Prefix, longer: &mut Vec<Prefix>) -> usize {
        let mut moves = 0;
        for (index, (traits, size)) in self.groups.iter().enumerate() {
            if step == 0 && !traits.first || step + 1 == self.length && !traits.last {
                continue;
            }
            let last = if self.no_equal_neighbours { index + 1 } else { 0 };
            let spelled = self.forbidden.step(prefix.spelled(), traits.spelled);
            let counted = self.counted(prefix, traits);
            let (Some(spelled), Some(counted)) = (spelled, counted) else { continue };
            moves += 1;
            let beside_itself = self.no_equal_neighbours && *size == 1 && prefix.last_group() == index + 1;
            if !beside_itself {
                longer.push(counted.ending(spelled, last));
            }
        }
        moves
    }

    /// With one more of these classes, each counted only as far as it matters; none above a maximum.
    fn counted(&self, mut prefix: Prefix, traits: &Traits) -> Option<Prefix> {
        for (class, bound) in self.bounds.iter().enumerate() {
            if traits.classes.get(class) != Some(&true) {
                continue;
            }
            let count = prefix.count(class);
            match bound.max {
                Some(max) if count >= max => return None,
                None if count >= bound.min => {}
                _ => prefix = prefix.with_one_more(class),
            }
        }
        Some(prefix)
    }

    fn is_enough(&self, prefix: Prefix) -> bool {
        self.bounds.iter().enumerate().all(|(class, bound)| prefix.count(class) >= bound.min)
    }
}

/// A prefix in one number: 9 bits for each of 8 classes, 9 for how much is spelled, and above them the last group plus one, 0 for none.
/// The config's bounds keep each below 512, but for groups, which have the rest.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Prefix(u128);

const FIELD_BITS: usize = 9;
const FIELD: u128 = (1 << FIELD_BITS) - 1;
const SPELLED_AT: usize = 8 * FIELD_BITS;
const LAST_AT: usize = 9 * FIELD_BITS;

impl Prefix {
    fn count(self, class: usize) -> u32 {
        u32::try_from(self.0 >> (class * FIELD_BITS) & FIELD).unwrap_or(u32::MAX)
    }

    fn with_one_more(self, class: usize) -> Self {
        Self(self.0 + (1 << (class * FIELD_BITS)))
    }

    fn spelled(self) -> usize {
        usize::try_from(self.0 >> SPELLED_AT & FIELD).unwrap_or(usize::MAX)
    }

    fn last_group(self) -> usize {
        usize::try_from(self.0 >> LAST_AT).unwrap_or(usize::MAX)
    }

    fn ending(self, spelled: usize, last_group: usize) -> Self {
        let counts = self.0 & ((1 << SPELLED_AT) - 1);
        Self(counts | (spelled as u128) << SPELLED_AT | (last_group as u128) << LAST_AT)
    }
}

/// Which beginning of a forbidden text stands at a prefix's end, the longest one (Aho and Corasick).
struct Forbidden {
    /// The characters that the texts are made of, in order.
    characters: Vec<char>,
    /// By beginning and character, the beginning that follows.
    next: Vec<Vec<usize>>,
    /// The beginnings that end with a whole text.
    whole: Vec<bool>,
}

impl Forbidden {
    fn of(texts: &[&String]) -> Self {
        let mut characters: Vec<char> = texts.iter().flat_map(|text| text.chars()).collect();
        characters.sort_unstable();
        characters.dedup();
        let mut children: Vec<BTreeMap<char, usize>> = vec![BTreeMap::new()];
        let mut whole = vec![false];
        for text in texts {
            let end = grow(&mut children, text);
            whole.resize(children.len(), false);
            if let Some(whole) = whole.get_mut(end) {
                *whole = true;
            }
        }
        let mut forbidden = Self { characters, next: vec![Vec::new(); children.len()], whole };
        forbidden.link(&children);
        forbidden
    }

    /// Breadth first, so that what a beginning falls back to is linked before it.
    fn link(&mut self, children: &[BTreeMap<char, usize>]) {
        let mut queue = VecDeque::from([(0, 0)]);
        while let Some((at, fallback)) = queue.pop_front() {
            let ends = self.is_whole(at) || self.is_whole(fallback);
            let mut row = Vec::with_capacity(self.characters.len());
            for (index, character) in self.characters.iter().enumerate() {
                let back = if at == 0 { 0 } else { self.after(fallback, index) };
                let child = children.get(at).and_then(|children| children.get(character));
                row.push(child.copied().unwrap_or(back));
                queue.extend(child.map(|child| (*child, back)));
            }
            if let (Some(next), Some(whole)) = (self.next.get_mut(at), self.whole.get_mut(at)) {
                *next = row;
                *whole = ends;
            }
        }
    }

    fn spelled(&self, character: char) -> Option<usize> {
        self.characters.binary_search(&character).ok()
    }

    /// What stands at the end after one more character; none if that completes a text. Another character than theirs begins anew.
    fn step(&self, at: usize, spelled: Option<usize>) -> Option<usize> {
        let to = spelled.map_or(0, |index| self.after(at, index));
        (!self.is_whole(to)).then_some(to)
    }

    fn after(&self, at: usize, index: usize) -> usize {
        self.next.get(at).and_then(|row| row.get(index)).copied().unwrap_or(0)
    }

    fn is_whole(&self, at: usize) -> bool {
        self.whole.get(at).copied().unwrap_or(false)
    }
}

/// Adds a text's beginnings and says which is the whole.
fn grow(children: &mut Vec<BTreeMap<char, usize>>, text: &str) -> usize {
    let mut at = 0;
    for character in text.chars() {
        let new = children.len();
        let Some(known) = children.get_mut(at) else { break };
        at = *known.entry(character).or_insert(new);
        if at == new {
            children.push(BTreeMap::new());
        }
    }
    at
}
