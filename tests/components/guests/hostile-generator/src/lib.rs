//! A generator that does whatever its config says, for the tests of the host: it loops, allocates, traps, recurses, floods, lies, asks for
//! what it was not given, and tries to tell what it saw. On other targets than wasm32 it is empty.

#[cfg(target_arch = "wasm32")]
mod hostile;
