//! What bounds one call of the engine, and the account that is kept of it.
//!
//! The host limits fuel, time and memory from outside; these limits lie below it, so that an ordinary runaway
//! template (`repeat 1000000000 "x"`, `until 1000000000`, a template that calls itself) ends with a rule and a
//! position instead of an abort. They are a property of the engine, equal on every machine, and not configurable.

use crate::rule::Rule;

/// The longest text that a function may return, and the longest rendering of one template.
pub const TEXT_BYTES: usize = 4 << 20;
/// The longest list that a function may return.
pub const LIST_ITEMS: usize = 1 << 17;
/// How deep values may nest (lists in lists, JSON, YAML).
pub const VALUE_DEPTH: usize = 200;
/// How deep actions, parentheses and template calls may nest.
pub const CALL_DEPTH: usize = 150;
/// Bytes and steps that one call may spend together; a step counts as `STEP` bytes.
const WORK: usize = 96 << 20;
const STEP: usize = 32;
const NODE: usize = 1024;

/// What is left of the work that one call may do.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    pub(crate) const fn new() -> Self {
        Self { left: WORK }
    }

    /// Accounts for one step of evaluation: a node walked, an argument evaluated, an element visited.
    pub(crate) fn step(&mut self) -> Result<(), Rule> {
        self.bytes(STEP)
    }

    /// Accounts for `count` steps that a function is about to do.
    pub(crate) fn steps(&mut self, count: usize) -> Result<(), Rule> {
        self.bytes(count.saturating_mul(STEP))
    }

    /// Accounts for a dict or a tree's node that is about to be made, which takes far more memory than a step.
    pub(crate) fn node(&mut self) -> Result<(), Rule> {
        self.bytes(NODE)
    }

    /// Accounts for `count` bytes produced.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Rule> {
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Rule::Work),
        }
    }
}

/// Refuses a text that would be longer than [`TEXT_BYTES`], before it is built.
pub(crate) fn check_text(bytes: usize) -> Result<(), Rule> {
    if bytes > TEXT_BYTES { Err(Rule::Size) } else { Ok(()) }
}

/// Refuses a list that would be longer than [`LIST_ITEMS`], before it is built.
pub(crate) fn check_list(items: usize) -> Result<(), Rule> {
    if items > LIST_ITEMS { Err(Rule::Size) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new();
        assert_eq!(budget.bytes(WORK), Ok(()));
        assert_eq!(budget.step(), Err(Rule::Work));
        assert_eq!(Budget::new().steps(usize::MAX), Err(Rule::Work));
    }

    #[test]
    fn sizes_are_refused_before_they_are_built() {
        assert_eq!(check_text(TEXT_BYTES), Ok(()));
        assert_eq!(check_text(TEXT_BYTES + 1), Err(Rule::Size));
        assert_eq!(check_list(LIST_ITEMS + 1), Err(Rule::Size));
    }
}
