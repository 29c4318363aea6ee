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

/// What costly functions may spend in one call, apart from other work, in millions of wasm instructions: eighteen bcrypt hashes,
/// or two passwords from a master password. The host is asked for each before it is done and allows as much.
const COSTLY: usize = 14_000;

/// Keys that one call may have the host make; the host's own limit is the same.
const KEYS: usize = 8;

/// What takes far more time than its arguments show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Costly {
    /// bcrypt at cost 10.
    Bcrypt,
    /// scrypt as `derivePassword` uses it.
    Scrypt,
    /// That many iterations of a hash under a password.
    Iterations(u32),
    /// Reading a private key.
    ReadKey,
    /// Signing or decrypting with an RSA key of that many bits.
    Rsa(usize),
    /// Signing with an elliptic curve, or making a DSA key.
    Curve,
}

impl Costly {
    /// Measured in the component and rounded up (`cargo test -p conformance drawing` compares).
    fn units(self) -> usize {
        match self {
            Self::Bcrypt => 760,
            Self::Scrypt => 6_600,
            Self::Iterations(count) => usize::try_from(count).unwrap_or(usize::MAX).div_ceil(50),
            Self::ReadKey => 80,
            Self::Rsa(bits) => bits.div_ceil(1024).saturating_pow(3).saturating_mul(20),
            Self::Curve => 300,
        }
    }
}

/// What is left of the work that one call may do.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    costly: usize,
    keys: usize,
}

impl Budget {
    pub(crate) const fn new() -> Self {
        Self { left: WORK, costly: COSTLY, keys: KEYS }
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

    /// Accounts for something costly that is about to be done, and asks the host for room.
    pub(crate) fn costly(&mut self, what: Costly) -> Result<(), Rule> {
        let units = what.units();
        self.costly = self.costly.checked_sub(units).ok_or(Rule::Work)?;
        keymill_sdk::work::heavy(u32::try_from(units).map_err(|_| Rule::Work)?);
        Ok(())
    }

    /// Accounts for a key that the host is about to make.
    pub(crate) fn key(&mut self) -> Result<(), Rule> {
        self.keys = self.keys.checked_sub(1).ok_or(Rule::Work)?;
        Ok(())
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
    fn what_is_costly_has_its_own_account() {
        for (what, times) in [
            (Costly::Bcrypt, 18),
            (Costly::Scrypt, 2),
            (Costly::Iterations(2048), 341),
            (Costly::Iterations(1), COSTLY),
            (Costly::Iterations(700_001), 0),
            (Costly::Iterations(u32::MAX), 0),
            (Costly::Rsa(8192), 1),
            (Costly::Rsa(usize::MAX), 0),
        ] {
            let mut budget = Budget::new();
            for _ in 0..times {
                assert_eq!(budget.costly(what), Ok(()), "{what:?}");
            }
            assert_eq!(budget.costly(what), Err(Rule::Work), "{what:?}");
            assert_eq!(budget.bytes(WORK), Ok(()), "{what:?}");
        }
    }

    #[test]
    fn keys_are_counted() {
        let mut budget = Budget::new();
        for _ in 0..KEYS {
            assert_eq!(budget.key(), Ok(()));
        }
        assert_eq!(budget.key(), Err(Rule::Work));
    }

    #[test]
    fn sizes_are_refused_before_they_are_built() {
        assert_eq!(check_text(TEXT_BYTES), Ok(()));
        assert_eq!(check_text(TEXT_BYTES + 1), Err(Rule::Size));
        assert_eq!(check_list(LIST_ITEMS + 1), Err(Rule::Size));
    }
}
