//! Counting and choosing among all strings of a language: from each state, so many ways to go on; the number of completions of each
//! state follows backwards; one uniform number below the total then picks one string, each exactly as likely as any other. The work is
//! bounded before it is done: a table that would be too large is refused.

use std::collections::HashMap;
use std::hash::Hash;

use super::natural::Natural;
use crate::error::RecipeFault;

/// What a table may hold, over all steps: moves, and 64-bit limbs of counts (16 MiB).
const MOVES: usize = 400_000;
const LIMBS: usize = 2_000_000;

/// A language of strings of a fixed number of symbols.
pub(super) trait Language {
    /// What of a prefix decides how it may go on.
    type State: Clone + Eq + Hash;

    /// Before the first symbol.
    fn start(&self) -> Self::State;

    /// The ways to go on after `step` symbols.
    fn moves(&self, step: usize, state: &Self::State, moves: &mut Vec<Move<Self::State>>);

    /// Whether a whole string that ends in `state` belongs.
    fn accepts(&self, state: &Self::State) -> bool;
}

/// `ways` symbols of one group, which all lead to the same state.
pub(super) struct Move<S> {
    pub(super) group: u32,
    pub(super) ways: u32,
    pub(super) next: S,
}

/// One symbol of a chosen string: the group, and which of its ways.
pub(super) type Choice = (u32, u32);

/// The counted table of a language.
pub(super) struct Counted {
    /// `layers[n]` are the states after `n` symbols; the first has one.
    layers: Vec<Vec<Node>>,
}

struct Node {
    steps: Vec<Step>,
    completions: Natural,
}

struct Step {
    group: u32,
    ways: u32,
    next: usize,
}

impl Counted {
    pub(super) fn build<L: Language>(language: &L, length: usize) -> Result<Self, RecipeFault> {
        let mut layers = explore(language, length)?;
        count(&mut layers)?;
        Ok(Self { layers })
    }

    /// How many strings the language has.
    pub(super) fn total(&self) -> Natural {
        let start = self.layers.first().and_then(|layer| layer.first());
        start.map_or_else(Natural::zero, |node| node.completions.clone())
    }

    /// The string with this rank; one-to-one from the numbers below the total.
    pub(super) fn unrank(&self, mut rank: Natural) -> Vec<Choice> {
        let mut choices = Vec::with_capacity(self.layers.len());
        let mut at = 0;
        for pair in self.layers.windows(2) {
            let [layer, next] = pair else { break };
            let Some((choice, to)) = layer.get(at).and_then(|node| choose(node, next, &mut rank)) else {
                break;
            };
            choices.push(choice);
            at = to;
        }
        choices
    }
}

/// The way whose completions hold the rank, which is then counted within them.
fn choose(node: &Node, next: &[Node], rank: &mut Natural) -> Option<(Choice, usize)> {
    for step in &node.steps {
        let completions = &next.get(step.next)?.completions;
        for way in 0..step.ways {
            if *rank < *completions {
                return Some(((step.group, way), step.next));
            }
            rank.subtract(completions);
        }
    }
    None
}

fn explore<L: Language>(language: &L, length: usize) -> Result<Vec<Vec<Node>>, RecipeFault> {
    let mut layers = Vec::with_capacity(length + 1);
    let mut states = vec![language.start()];
    let mut left = MOVES;
    let mut moves = Vec::new();
    for step in 0..length {
        let mut following = Index::default();
        let mut layer = Vec::with_capacity(states.len());
        for state in &states {
            moves.clear();
            language.moves(step, state, &mut moves);
            left = left.checked_sub(moves.len() + 1).ok_or(RecipeFault::TooComplex)?;
            let steps = moves.drain(..).filter(|next| next.ways > 0);
            let steps =
                steps.map(|next| Step { group: next.group, ways: next.ways, next: following.of(next.next) });
            layer.push(Node { steps: steps.collect(), completions: Natural::zero() });
        }
        layers.push(layer);
        states = following.states;
    }
    let last = states.iter().map(|state| Node {
        steps: Vec::new(),
        completions: if language.accepts(state) { Natural::one() } else { Natural::zero() },
    });
    layers.push(last.collect());
    Ok(layers)
}

/// The states of a layer in the order in which they were first reached.
struct Index<S> {
    positions: HashMap<S, usize>,
    states: Vec<S>,
}

impl<S> Default for Index<S> {
    fn default() -> Self {
        Self { positions: HashMap::new(), states: Vec::new() }
    }
}

impl<S: Clone + Eq + Hash> Index<S> {
    fn of(&mut self, state: S) -> usize {
        let next = self.states.len();
        let states = &mut self.states;
        *self.positions.entry(state).or_insert_with_key(|state| {
            states.push(state.clone());
            next
        })
    }
}

fn count(layers: &mut [Vec<Node>]) -> Result<(), RecipeFault> {
    let mut left = LIMBS;
    for at in (0..layers.len().saturating_sub(1)).rev() {
        let (before, after) = layers.split_at_mut(at + 1);
        let (Some(layer), Some(next)) = (before.last_mut(), after.first()) else {
            break;
        };
        for node in layer {
            for step in &node.steps {
                if let Some(following) = next.get(step.next) {
                    node.completions.add_scaled(&following.completions, step.ways);
                }
            }
            left = left.checked_sub(node.completions.limbs()).ok_or(RecipeFault::TooComplex)?;
        }
    }
    Ok(())
}
