//! A template engine that does whatever the first template's text says, for the tests of the host. On other targets than wasm32 it is
//! empty.

#[cfg(target_arch = "wasm32")]
mod hostile;
