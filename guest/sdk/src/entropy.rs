//! Randomness from the host's CSPRNG, for what a recipe cannot say. Prefer a [`crate::Recipe`]: a guest that computes with random
//! bytes itself leaves the host without the exact entropy.
//!
//! Streams are independent: adding a use of one does not change another. In a template name the stream after the key being
//! rendered; there the same rotation gives the same bytes. Crates that draw through `getrandom` reach the stream `getrandom`
//! once [`crate::getrandom_backend!`] is invoked.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::KeySpec;

/// `count` bytes of this stream.
pub fn bytes(stream: &str, count: u32) -> Vec<u8> {
    host::bytes(stream, count)
}

/// A private key (PKCS#8, DER), made by the host: guests are slow at it.
pub fn key(stream: &str, spec: KeySpec) -> Vec<u8> {
    host::key(stream, spec)
}

/// A stream as a source for crates that take a `rand_core` generator.
#[derive(Clone, Debug)]
pub struct Stream {
    name: String,
}

impl Stream {
    /// The stream of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        fill(&self.name, buffer);
        Ok(())
    }
}

impl TryCryptoRng for Stream {}

/// The host counts bytes per call, so a buffer is asked for as a whole. It answers with as many as asked or traps.
fn fill(stream: &str, buffer: &mut [u8]) {
    let count = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    let drawn = host::bytes(stream, count);
    buffer.copy_from_slice(&drawn);
}

#[cfg(target_arch = "wasm32")]
use crate::bindings::generator::keymill::guest::entropy as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native as host;

/// Lets crates that draw through `getrandom` draw from the host: write `keymill_sdk::getrandom_backend!();` once in the
/// component's crate. Not in a policy, which has no imports; without it such a crate does not link.
#[macro_export]
macro_rules! getrandom_backend {
    () => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[unsafe(no_mangle)]
            unsafe extern "Rust" fn __getrandom_v03_custom(
                buffer: *mut u8,
                length: usize,
            ) -> ::core::result::Result<(), $crate::entropy::GetrandomError> {
                // SAFETY: `getrandom` hands over `length` writable bytes at `buffer`.
                unsafe { $crate::entropy::fill_for_getrandom(buffer, length) }
            }
        };
    };
}

#[doc(hidden)]
pub use getrandom::Error as GetrandomError;

/// What [`getrandom_backend!`] expands to.
///
/// # Safety
/// `buffer` must point to `length` writable bytes, which may be uninitialised.
///
/// # Errors
/// If there are more than a host call can give.
#[doc(hidden)]
#[expect(unsafe_code, reason = "getrandom's interface to a custom backend is a raw pointer")]
pub unsafe fn fill_for_getrandom(buffer: *mut u8, length: usize) -> Result<(), GetrandomError> {
    let count = u32::try_from(length).map_err(|_| GetrandomError::UNEXPECTED)?;
    let drawn = bytes("getrandom", count);
    if drawn.len() != length {
        return Err(GetrandomError::UNEXPECTED);
    }
    // SAFETY: both ranges are `length` bytes long, and a fresh vector does not overlap the caller's buffer.
    unsafe { std::ptr::copy_nonoverlapping(drawn.as_ptr(), buffer, length) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;

    #[test]
    fn streams_are_independent_and_advance() {
        let (mut one, mut other) = (Stream::new("one"), Stream::new("other"));
        let drawn = [one.next_u64(), one.next_u64(), other.next_u64()];
        assert_ne!(drawn[0], drawn[1]);
        assert_ne!(drawn[0], drawn[2]);
        let mut buffer = [0; 33];
        one.fill_bytes(&mut buffer);
        assert_ne!(buffer, [0; 33]);
    }

    #[test]
    #[expect(unsafe_code, reason = "what it tests is unsafe")]
    fn getrandom_fills_the_whole_buffer() {
        let mut buffer = [0; 33];
        // SAFETY: the buffer is as long as is said.
        unsafe { fill_for_getrandom(buffer.as_mut_ptr(), 32) }.expect("the host gives 32 bytes");
        assert_eq!(buffer[32], 0);
        assert_ne!(buffer[24..32], [0; 8]);
    }
}
