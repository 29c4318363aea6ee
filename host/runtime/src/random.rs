//! Where randomness comes from: the operating system's CSPRNG, read in blocks, and never anything else. A failure gives no value
//! rather than a weaker one. A test may put another source in its place; nothing else may.

use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize;

use crate::error::RandomError;

/// A source of uniformly random bytes.
pub trait RandomSource: Send + Sync {
    /// Fills `bytes` whole, or fails.
    ///
    /// # Errors
    /// [`RandomError`] when there are none; the caller then has no value.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's CSPRNG.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        SysRng.try_fill_bytes(bytes).map_err(|_| RandomError)
    }
}

const BLOCK: usize = 256;
/// A uniform source is refused at least every second time at worst; this many times in a row means that it is broken.
const REJECTIONS: usize = 256;

/// A buffered reader of one call's random bytes; what it has read and not used is zeroed with it.
pub(crate) struct Random<'a> {
    source: &'a dyn RandomSource,
    block: [u8; BLOCK],
    used: usize,
}

impl<'a> Random<'a> {
    pub(crate) fn new(source: &'a dyn RandomSource) -> Self {
        Self { source, block: [0; BLOCK], used: BLOCK }
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if bytes.len() > BLOCK {
            return self.source.fill(bytes);
        }
        for byte in bytes {
            *byte = self.byte()?;
        }
        Ok(())
    }

    /// Uniform over `0..bound`, by rejection: a value of the range's uneven rest is thrown away. `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u32) -> Result<u32, RandomError> {
        let width = if bound <= 1 << 8 { 1 } else { 4 };
        let range: u64 = 1 << (8 * width);
        let fair = range - range % u64::from(bound.max(1));
        for _ in 0..REJECTIONS {
            let mut value: u64 = 0;
            for _ in 0..width {
                value = value << 8 | u64::from(self.byte()?);
            }
            if value < fair {
                return u32::try_from(value % u64::from(bound)).map_err(|_| RandomError);
            }
        }
        Err(RandomError)
    }

    /// Uniform over `0..bound` for an index.
    pub(crate) fn index(&mut self, bound: usize) -> Result<usize, RandomError> {
        let bound = u32::try_from(bound).map_err(|_| RandomError)?;
        self.below(bound).map(|index| index as usize)
    }

    fn byte(&mut self) -> Result<u8, RandomError> {
        if self.used == BLOCK {
            self.source.fill(&mut self.block)?;
            self.used = 0;
        }
        let byte = self.block.get_mut(self.used).ok_or(RandomError)?;
        self.used += 1;
        Ok(std::mem::take(byte))
    }
}

impl Drop for Random<'_> {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl TryRng for Random<'_> {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.fill(bytes)
    }
}

impl TryCryptoRng for Random<'_> {}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Gives out these bytes in order, then fails.
    pub(crate) struct Script(Mutex<std::vec::IntoIter<u8>>);

    impl Script {
        pub(crate) fn new(bytes: Vec<u8>) -> Self {
            Self(Mutex::new(bytes.into_iter()))
        }
    }

    impl RandomSource for Script {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            let mut left = self.0.lock().unwrap();
            if left.len() == 0 {
                return Err(RandomError);
            }
            // A block may be longer than what is left of a script: the rest repeats a byte that no test below accepts twice.
            for byte in bytes {
                *byte = left.next().unwrap_or(0);
            }
            Ok(())
        }
    }

    #[test]
    fn every_byte_of_the_source_falls_on_each_value_equally_often() {
        for bound in 1..=256_u32 {
            let fair = 256 - 256 % bound;
            let mut hits = vec![0_u32; bound as usize];
            for byte in 0..fair {
                let script = Script::new(vec![u8::try_from(byte).unwrap()]);
                hits[Random::new(&script).below(bound).unwrap() as usize] += 1;
            }
            assert!(hits.iter().all(|&n| n == 256 / bound), "bound {bound}: {hits:?}");
            for byte in fair..256 {
                let script = Script::new(vec![u8::try_from(byte).unwrap(), 7]);
                assert_eq!(
                    Random::new(&script).below(bound),
                    Ok(7 % bound),
                    "byte {byte} must be rejected for bound {bound}"
                );
            }
        }
    }

    #[test]
    fn a_broken_source_gives_an_error_and_no_value() {
        assert_eq!(Random::new(&Script::new(vec![])).below(10), Err(RandomError));
        let stuck = Script::new(vec![255; 4096]);
        assert_eq!(Random::new(&stuck).below(10), Err(RandomError));
    }
}
