//! The gate: fuel is deterministic, so a component or an SDK that becomes dearer shows here and nowhere else.

use bench::{Templates, call, engine, load, password_config};
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

/// What the default template engine may use for a database's six keys, and for a hundred.
const SIX_KEYS_FUEL: u64 = 300_000;
const HUNDRED_KEYS_FUEL: u64 = 9_500_000;

#[test]
fn the_template_engine_stays_within_its_fuel() {
    let engine = engine(None).unwrap();
    let go = load(&engine, "template", "go").unwrap();
    for (templates, bound) in
        [(Templates::of_a_database(), SIX_KEYS_FUEL), (Templates::of_a_hundred(), HUNDRED_KEYS_FUEL)]
    {
        let used = templates.fuel(&go).unwrap();
        assert!(used <= bound, "it used {used} and may use {bound}");
        assert!(used > bound / 2, "it used only {used}: lower the gate");
        assert_eq!(templates.fuel(&go).unwrap(), used, "fuel is deterministic");
    }
}
