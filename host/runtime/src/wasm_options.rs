//! How wasmtime is told to run untrusted guests. Each option has its reason; what is not said is wasmtime's default. What a feature
//! of the crate leaves out (async, GC, threads, WASI, core dumps) cannot be switched on here at all.

use std::num::NonZeroUsize;

use wasmtime::{Config, OptLevel, Strategy};

/// The wasm stack of one call, in bytes; a thread that calls guests needs at least four times as much. More is a stack overflow.
pub const WASM_STACK_BYTES: usize = 512 << 10;
/// Images up to this size are mapped copy-on-write, so that a fresh instance costs microseconds.
const DENSE_IMAGE_BYTES: u64 = 64 << 20;

pub(crate) fn wasm_options() -> Config {
    let mut config = Config::new();
    config
        // Two bounds on time: fuel is deterministic, the epoch is the backstop should fuel be counted wrongly.
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        // Winch has had more advisories, and lacks tail calls.
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // The operator has other work on its cores; compiling is rare.
        .parallel_compilation(false)
        // Same bytes on every node.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // A backtrace carries names that the guest chose.
        .wasm_backtrace_max_frames(None::<NonZeroUsize>)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(DENSE_IMAGE_BYTES);
    narrow(&mut config);
    config
}

/// Every proposal that is on is attack surface. Tail calls, SIMD and several memories stay: JavaScript engines need them.
fn narrow(config: &mut Config) {
    config
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_stack_switching(false)
        .shared_memory(false)
        .wasm_component_model_implements(true);
}
