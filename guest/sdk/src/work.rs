//! Room for work that is slow on purpose: in a template engine, a hash of a password, a key derivation, a signature.
//!
//! A call's fuel and deadline are made for everything else. What a call may ask for together is bounded; the host ends one that
//! asks for more.

/// Asks for that many millions of fuel more, and the time that goes with them. Natively it does nothing.
pub fn heavy(millions: u32) {
    host::heavy(millions);
}

#[cfg(target_arch = "wasm32")]
use crate::bindings::template::keymill::guest::work as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native as host;
