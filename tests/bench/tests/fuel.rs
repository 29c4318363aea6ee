//! The gate: fuel is deterministic, so a component or an SDK that becomes dearer shows here and nowhere else.

use bench::{call, engine, load, password_config};
use runtime::GenerateRequest;

/// What the built-in password generator may use for CloudNativePG's example.
const PASSWORD_FUEL: u64 = 30_000;

#[test]
fn the_password_generator_stays_within_its_fuel() {
    let fuel = || {
        let password = load(&engine(None).unwrap(), "generator", "password").unwrap();
        let generator = password.generator().unwrap();
        let config = password_config();
        generator.generate(&call(), GenerateRequest::new(&config)).unwrap().fuel
    };
    let used = fuel();
    assert!(used <= PASSWORD_FUEL, "it used {used} and may use {PASSWORD_FUEL}");
    assert!(used > PASSWORD_FUEL / 2, "it used only {used}: lower the gate");
    assert_eq!(used, fuel(), "fuel is deterministic");
}
