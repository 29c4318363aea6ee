//! Diagnostics. The host drops them in any call that was given a secret or drew one; natively they go nowhere.

#[cfg(target_arch = "wasm32")]
use crate::bindings::generator::keymill::guest::log as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native as host;

pub use crate::bindings::generator::keymill::guest::log::Level;

/// Writes one line.
pub fn write(level: Level, message: &str) {
    host::write(level, message);
}
