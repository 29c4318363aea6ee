//! Hostile components, as `build.rs` compiled them. Each is a whole component of its world that does what its config or its template says;
//! the tests beside this crate assert what the host makes of it. One behaves well: it shows what grants give.

/// A hostile generator.
pub const GENERATOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-generator.wasm"));
/// A hostile template engine.
pub const TEMPLATE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-template.wasm"));
/// A hostile policy.
pub const POLICY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile-policy.wasm"));
/// A generator that publishes a seed that it is granted to read, and how often it was asked.
pub const KEEPER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keeper.wasm"));
/// A generator that publishes what it is granted to read.
pub const READER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reader.wasm"));
