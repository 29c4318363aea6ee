//! A source of randomness that is the operating system's, until a case names a seed. Values drawn from a seed are no secrets: anybody can
//! draw them again. So this is for tests and authors' cases, and nothing that serves may hold one.

use std::sync::{Mutex, PoisonError};

use chacha20::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use runtime::{RandomError, RandomSource, SystemRandom};

/// See the module.
#[derive(Debug, Default)]
pub struct SeededRandom {
    stream: Mutex<Option<ChaCha20Rng>>,
}

impl SeededRandom {
    /// Does `work` with everything drawn from that seed, on whichever thread it is drawn.
    pub fn with<T>(&self, seed: u64, work: impl FnOnce() -> T) -> T {
        let mut bytes = [0; 32];
        for (byte, seed) in bytes.iter_mut().zip(seed.to_le_bytes()) {
            *byte = seed;
        }
        self.set(Some(ChaCha20Rng::from_seed(bytes)));
        let done = work();
        self.set(None);
        done
    }

    fn set(&self, stream: Option<ChaCha20Rng>) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }
}

impl RandomSource for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        match self.stream.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(stream) => {
                stream.fill_bytes(bytes);
                Ok(())
            }
            None => SystemRandom.fill(bytes),
        }
    }
}
