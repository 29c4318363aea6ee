//! What is refused before it runs: imports that are not ours, sizes, malformed bytes.

use components::{GENERATOR, POLICY, TEMPLATE};
use runtime::{Digest, LoadError, LoadLimits, World};

use crate::attack::{ENGINE, load};

fn refused(text: &str) -> LoadError {
    let bytes = wat::parse_str(text).unwrap();
    ENGINE.load(&bytes, &LoadLimits::default()).unwrap_err()
}

#[test]
fn a_component_is_known_by_its_binary() {
    let generator = load(GENERATOR);
    assert_eq!(generator.world(), World::Generator);
    assert_eq!(generator.digest(), Digest::of(GENERATOR));
    assert_eq!(generator.size(), GENERATOR.len());
    assert_eq!(generator.description().name, "hostile");
    assert!(
        generator.imports().contains(&"keymill:guest/vault@0.1.0".to_owned()),
        "{:?}",
        generator.imports()
    );
    assert_eq!(load(TEMPLATE).world(), World::Template);
    let policy = load(POLICY);
    assert!(
        policy.imports().iter().all(|import| import == "keymill:guest/types@0.1.0"),
        "{:?}",
        policy.imports()
    );
}

#[test]
fn loading_the_same_bytes_again_is_free() {
    let _kept = load(GENERATOR);
    let started = std::time::Instant::now();
    for _ in 0..10 {
        load(GENERATOR);
    }
    // Hashing is all that is left.
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    assert!(ENGINE.find(&Digest::of(GENERATOR)).is_some());
    assert!(ENGINE.find(&Digest::of(b"never loaded")).is_none());
}

#[test]
fn wasi_is_refused_by_name() {
    let error = refused(
        r#"(component
            (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
            (instance $i)
            (export "keymill:guest/judge@0.1.0" (instance $i)))"#,
    );
    assert!(
        matches!(&error, LoadError::Imports(names) if *names == ["wasi:random/random@0.2.0"]),
        "{error:?}"
    );
    assert!(error.to_string().contains("wasi:random/random@0.2.0"), "{error}");
}

#[test]
fn a_wrong_shape_is_refused_before_it_runs() {
    let error = refused(r#"(component (instance $i) (export "keymill:guest/judge@0.1.0" (instance $i)))"#);
    assert!(matches!(error, LoadError::Compile(_)), "{error:?}");
    let error = refused("(component)");
    assert!(matches!(error, LoadError::NoWorld { .. }), "{error:?}");
    let error = refused("(module)");
    assert!(matches!(error, LoadError::Malformed(_)), "{error:?}");
    let modules = "(core module (memory 1))".to_owned() + &"(core instance (instantiate 0))".repeat(500);
    let error = refused(&format!(
        r#"(component {modules} (instance $i) (export "keymill:guest/judge@0.1.0" (instance $i)))"#
    ));
    assert!(matches!(error, LoadError::TooManyParts { count: 501, .. }), "{error:?}");
}

#[test]
fn size_is_checked_before_anything_reads_the_bytes() {
    let limits = LoadLimits { component_bytes: 1000, ..LoadLimits::default() };
    let error = ENGINE.load(&vec![0; 1001], &limits).unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { bytes: 1001, limit: 1000 }), "{error:?}");
}

#[test]
fn every_truncation_and_bit_flip_is_refused_or_harmless() {
    let limits = LoadLimits::default();
    for cut in (0..POLICY.len()).step_by(POLICY.len() / 40) {
        assert!(ENGINE.load(&POLICY[..cut], &limits).is_err(), "cut at {cut}");
    }
    for at in (8..POLICY.len()).step_by(POLICY.len() / 60) {
        let mut bytes = POLICY.to_vec();
        bytes[at] ^= 1 << (at % 8);
        // Whatever it became: an error or a component, never a panic or a hang.
        let _ = ENGINE.load(&bytes, &limits);
    }
}

#[test]
fn a_component_that_loops_while_it_starts_is_stopped() {
    let mut limits = LoadLimits::default();
    limits.describe.fuel = 1000;
    let error = ENGINE.load(&distinct(POLICY), &limits).unwrap_err();
    assert!(
        matches!(&error, LoadError::Describe(call) if call.reason() == Some(runtime::Reason::Fuel)),
        "{error:?}"
    );
}

/// The same component under another digest: a custom section more.
fn distinct(bytes: &[u8]) -> Vec<u8> {
    [bytes, b"\0\x02\x01x"].concat()
}
