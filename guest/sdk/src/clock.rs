//! The time of this call's rotation. Constant within a call, so it measures nothing.

#[cfg(target_arch = "wasm32")]
use crate::bindings::generator::keymill::guest::clock as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native as host;

/// Seconds since 1970.
pub fn now() -> u64 {
    host::now()
}
