//! A policy that does whatever its config says, for the tests of the host. On other targets than wasm32 it is empty.

#[cfg(target_arch = "wasm32")]
mod hostile;
