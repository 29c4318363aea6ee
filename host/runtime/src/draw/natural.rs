//! Natural numbers as large as counting needs, with the four operations that it needs. Zeroed on drop: the number that is drawn to
//! choose a string is the string.

use std::cmp::Ordering;

use zeroize::Zeroize;

use crate::error::RandomError;
use crate::random::Random;

/// A natural number: 64-bit limbs, the lowest first, the highest not zero.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Natural(Vec<u64>);

impl Natural {
    pub(super) fn zero() -> Self {
        Self::default()
    }

    pub(super) fn one() -> Self {
        Self(vec![1])
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn limbs(&self) -> usize {
        self.0.len()
    }

    /// Adds `other * times`.
    pub(super) fn add_scaled(&mut self, other: &Self, times: u32) {
        if times == 0 || other.is_zero() {
            return;
        }
        let length = self.0.len().max(other.0.len()) + 1;
        self.0.resize(length, 0);
        let mut carry: u128 = 0;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let factor = other.0.get(i).copied().unwrap_or(0);
            let sum = u128::from(*limb) + u128::from(factor) * u128::from(times) + carry;
            *limb = low(sum);
            carry = sum >> 64;
        }
        self.trim();
    }

    /// Subtracts `other`, which must not be larger.
    pub(super) fn subtract(&mut self, other: &Self) {
        debug_assert!(*self >= *other, "a natural number cannot go below zero");
        let mut borrow = false;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let (less, first) = limb.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            *limb = less;
            borrow = first || second;
        }
        self.trim();
    }

    /// log2; of zero it is minus infinity.
    pub(super) fn log2(&self) -> f64 {
        let mut value = 0.0_f64;
        // The three highest limbs hold more digits than a double can tell apart.
        for limb in self.0.iter().rev().take(3) {
            value = value * 2.0_f64.powi(64) + *limb as f64;
        }
        let below = self.0.len().saturating_sub(3);
        value.log2() + 64.0 * below as f64
    }

    /// Uniform over everything below this number, by rejection.
    pub(super) fn random_below(&self, random: &mut Random<'_>) -> Result<Self, RandomError> {
        let top = self.0.last().ok_or(RandomError)?;
        let mask = u64::MAX >> top.leading_zeros();
        // At least every second candidate is below; this many refusals in a row mean a broken source.
        for _ in 0..256 {
            let mut limbs = vec![0; self.0.len()];
            for limb in &mut limbs {
                let mut bytes = [0; 8];
                random.fill(&mut bytes)?;
                *limb = u64::from_le_bytes(bytes);
                bytes.zeroize();
            }
            if let Some(top) = limbs.last_mut() {
                *top &= mask;
            }
            let mut candidate = Self(limbs);
            candidate.trim();
            if candidate < *self {
                return Ok(candidate);
            }
        }
        Err(RandomError)
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

fn low(wide: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    {
        wide as u64
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Drop for Natural {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
impl From<u128> for Natural {
    fn from(value: u128) -> Self {
        let mut natural = Self(vec![low(value), low(value >> 64)]);
        natural.trim();
        natural
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::tests::Script;

    #[test]
    fn agrees_with_128_bits() {
        let samples = [0, 1, 2, 93, u128::from(u64::MAX), u128::from(u64::MAX) + 1, 1 << 90];
        for a in samples {
            for b in samples {
                let mut sum = Natural::from(a);
                sum.add_scaled(&Natural::from(b), 94);
                assert!(sum == Natural::from(a + 94 * b), "{a} + 94 * {b}");
                assert_eq!(Natural::from(a).cmp(&Natural::from(b)), a.cmp(&b));
                if a >= b {
                    let mut difference = Natural::from(a);
                    difference.subtract(&Natural::from(b));
                    assert!(difference == Natural::from(a - b), "{a} - {b}");
                }
            }
            if a > 0 {
                assert!((Natural::from(a).log2() - (a as f64).log2()).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn log2_of_large_powers() {
        let mut power = Natural::one();
        for _ in 0..50 {
            let mut next = Natural::zero();
            next.add_scaled(&power, 94);
            power = next;
        }
        assert!((power.log2() - 50.0 * 94.0_f64.log2()).abs() < 1e-9);
    }

    #[test]
    fn random_below_takes_each_value_equally_often() {
        let bound = Natural::from(5);
        let mut hits = [0; 5];
        for byte in 0..=255_u8 {
            // The eighth byte on is a second candidate, far above the mask's reach: 1.
            let script = Script::new([vec![byte], vec![0; 7], vec![1], vec![0; 7]].concat());
            let value = bound.random_below(&mut Random::new(&script)).unwrap();
            let accepted = byte & 7 < 5;
            let expected = if accepted { u128::from(byte & 7) } else { 1 };
            assert!(value == Natural::from(expected), "byte {byte}");
            if accepted {
                hits[usize::from(byte & 7)] += 1;
            }
        }
        assert_eq!(hits, [32; 5]);
    }
}
