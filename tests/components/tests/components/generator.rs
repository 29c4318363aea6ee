//! Hostile and well-behaved generators: each is stopped with its stable reason, and the engine serves on.

use std::sync::Arc;
use std::time::Duration;

use components::GENERATOR;
use runtime::{
    Call, CallError, Entry, GenerateRequest, Generated, GeneratorComponent, Grant, Grants, KubeCapability,
    Lease, Limits, Reason, Refusal, SecretBytes, VaultCapability, VaultReply, World,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::attack::{CANARY, Captured, assert_silent, call, load, reason};

fn hostile() -> GeneratorComponent {
    load(GENERATOR).generator().unwrap()
}

/// Its config holds the canary, as a real one may hold a secret.
fn config(deed: &str) -> Value {
    json!({"do": deed, "data": CANARY})
}

fn generate(call: &Call, deed: &str) -> Result<Generated, CallError> {
    hostile().generate(call, GenerateRequest::new(&config(deed)))
}

fn check(deed: &str, expected: Reason) {
    let mut limits = Limits::of(World::Generator);
    limits.deadline = Duration::from_secs(5);
    let call = call().with_limits(limits);
    assert_eq!(reason(Duration::from_secs(8), || generate(&call, deed)), expected, "{deed}");
    let after = generate(&call, "nothing").expect("the engine serves on");
    assert_eq!(after.fields[0].value.expose_secret().len(), 20, "after {deed}");
}

#[test]
fn what_is_limited_ends_the_call() {
    check("loop", Reason::Fuel);
    check("allocate", Reason::Memory);
    check("recurse", Reason::Stack);
    check("trap", Reason::GuestAbort);
    check("divide", Reason::GuestAbort);
    check("out-of-bounds", Reason::GuestAbort);
    check("ask-forever", Reason::HostDenied);
    check("draw-much", Reason::HostDenied);
    check("many-keys", Reason::HostDenied);
    check("weak-key", Reason::HostDenied);
}

#[test]
fn the_deadline_stops_what_fuel_would_not() {
    let mut limits = Limits::of(World::Generator);
    limits.deadline = Duration::from_millis(50);
    limits.fuel = u64::MAX;
    let call = call().with_limits(limits);
    assert_eq!(reason(Duration::from_secs(1), || generate(&call, "loop")), Reason::Deadline);
    // Bulk instructions are not interrupted inside, only between.
    assert_eq!(reason(Duration::from_secs(5), || generate(&call, "copy-forever")), Reason::Deadline);
}

#[test]
fn fuel_is_deterministic_and_stops_before_the_deadline() {
    let mut limits = Limits::of(World::Generator);
    limits.fuel = 100_000;
    let starved = call().with_limits(limits);
    assert_eq!(reason(Duration::from_secs(1), || generate(&starved, "loop")), Reason::Fuel);
    let used: Vec<u64> = (0..3).map(|_| generate(&call(), "nothing").unwrap().fuel).collect();
    assert_eq!(used[0], used[1]);
    assert_eq!(used[1], used[2]);
    limits.fuel = used[0];
    assert!(generate(&call().with_limits(limits), "nothing").is_ok());
    limits.fuel = used[0] / 2;
    assert_eq!(
        reason(Duration::from_secs(1), || generate(&call().with_limits(limits), "nothing")),
        Reason::Fuel
    );
}

#[test]
fn memory_within_its_limit_is_served() {
    let mut limits = Limits::of(World::Generator);
    limits.memory = 96 << 20;
    assert!(generate(&call().with_limits(limits), "allocate-a-little").is_ok());
    limits.memory = 32 << 20;
    let call = call().with_limits(limits);
    assert_eq!(reason(Duration::from_secs(2), || generate(&call, "allocate-a-little")), Reason::Memory);
}

#[test]
fn lies_about_the_output_are_bad_output() {
    for deed in [
        "bad-index",
        "duplicate-key",
        "bad-key",
        "empty-value",
        "flood-bytes",
        "flood-fields",
        "flood-name",
        "forward",
        "self",
        "not-a-key",
        "impossible",
        "empty-alphabet",
        "expired",
        "big-state",
    ] {
        check(deed, Reason::BadOutput);
    }
}

#[test]
fn slow_derivations_are_bounded_together() {
    let outcome = reason(Duration::from_secs(60), || generate(&call(), "slow"));
    assert_eq!(outcome, Reason::BadOutput);
}

#[test]
fn a_guest_draws_only_while_it_generates() {
    let validate = |deed: &str| hostile().validate(&config(deed));
    let within = Duration::from_secs(3);
    assert_eq!(reason(within, || validate("loop-in-validate")), Reason::Fuel);
    assert_eq!(reason(within, || validate("draw-in-validate")), Reason::HostDenied);
    assert_eq!(reason(within, || validate("lie-in-validate")), Reason::BadOutput);
    let problems = validate("leak-in-validate").unwrap();
    assert!(!format!("{problems:?}").contains(CANARY), "{problems:?}");
}

#[test]
fn problems_are_the_schemas_and_then_the_guests() {
    let problems = hostile().validate(&json!({"to": "do"})).unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "\"do\" is required");
    let problems = hostile().validate(&config("invalid")).unwrap();
    assert_eq!(problems[0].path, "/do");
    assert_eq!(problems[0].message, "The host denied it.");
    let refused = hostile().generate(&call(), GenerateRequest::new(&json!({})));
    assert!(matches!(refused, Err(CallError::InvalidConfig(problems)) if problems.len() == 1));
}

/// An object and a prefix that serve whatever reaches them.
struct Willing;

impl KubeCapability for Willing {
    fn read(&self, _: Duration) -> Result<Vec<Entry>, Refusal> {
        Ok(vec![Entry::new("password", CANARY)])
    }

    fn token(&self, _: Duration) -> Result<SecretBytes, Refusal> {
        Err(Refusal::Missing)
    }
}

impl VaultCapability for Willing {
    fn read(&self, path: &str, _: &[(String, String)], _: Duration) -> Result<VaultReply, Refusal> {
        assert_eq!(path, "a/b");
        Ok(VaultReply { body: b"{}".to_vec().into(), lease: None })
    }

    fn write(&self, _: &str, _: SecretBytes, _: Duration) -> Result<VaultReply, Refusal> {
        Err(Refusal::Denied)
    }

    fn keys(&self, _: &str, _: Duration) -> Result<Vec<String>, Refusal> {
        Err(Refusal::Denied)
    }

    fn delete(&self, _: &str, _: Duration) -> Result<(), Refusal> {
        Err(Refusal::Denied)
    }

    fn renew(&self, _: &str, _: u64, _: Duration) -> Result<Lease, Refusal> {
        Err(Refusal::Denied)
    }

    fn revoke(&self, _: &str, _: Duration) -> Result<(), Refusal> {
        Err(Refusal::Denied)
    }
}

fn check_asked(grants: &Grants, deed: &str, expected: &str) {
    match generate(&call().with_grants(grants.clone()), deed) {
        Err(CallError::Refused(rule)) => assert_eq!(rule.name, expected, "{deed}"),
        other => panic!("{deed}: {other:?}"),
    }
}

#[test]
fn a_label_without_a_grant_is_denied() {
    let none = Grants::none();
    for deed in ["read-object", "read-undeclared", "token", "read-prefix", "escape-prefix", "previous"] {
        check_asked(&none, deed, "denied");
    }
    let granted = Grants::none()
        .with("object", Grant::Kube(Arc::new(Willing)))
        .with("undeclared", Grant::Kube(Arc::new(Willing)))
        .with("prefix", Grant::Vault(Arc::new(Willing)));
    check_asked(&granted, "read-object", "served");
    check_asked(&granted, "read-prefix", "served");
    check_asked(&granted, "read-undeclared", "denied");
    check_asked(&granted, "escape-prefix", "denied");
    check_asked(&granted, "token", "denied");
    let crossed = Grants::none().with("object", Grant::Vault(Arc::new(Willing)));
    check_asked(&crossed, "read-object", "denied");
}

#[test]
fn previous_values_need_a_grant() {
    let previous = [Entry::new("password", CANARY)];
    let state = SecretBytes::from(CANARY.as_bytes().to_vec());
    let config = config("previous");
    let request = GenerateRequest { config: &config, previous: &previous, state: Some(&state) };
    let asked = |grants: Grants| match hostile().generate(&call().with_grants(grants), request.clone()) {
        Err(CallError::Refused(rule)) => rule.name,
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(Grants::none()), "denied");
    assert_eq!(asked(Grants::none().with("before", Grant::Previous)), "served");
}

#[test]
fn a_slow_host_call_does_not_use_up_the_guests_time() {
    struct Slow;
    impl KubeCapability for Slow {
        fn read(&self, _: Duration) -> Result<Vec<Entry>, Refusal> {
            std::thread::sleep(Duration::from_millis(300));
            Ok(vec![])
        }

        fn token(&self, _: Duration) -> Result<SecretBytes, Refusal> {
            Err(Refusal::Denied)
        }
    }
    let mut limits = Limits::of(World::Generator);
    limits.deadline = Duration::from_millis(100);
    let grants = Grants::none().with("object", Grant::Kube(Arc::new(Slow)));
    let outcome = generate(&call().with_grants(grants).with_limits(limits), "read-object");
    assert!(matches!(outcome, Err(CallError::Refused(rule)) if rule.name == "served"));
}

#[test]
fn a_secret_reaches_no_log() {
    let log = Captured::new();
    let previous = [Entry::new("password", CANARY)];
    let config = config("log-all");
    let grants = Grants::none().with("before", Grant::Previous);
    let tainted = call().with_grants(grants).with_log(log.clone());
    let request = GenerateRequest { config: &config, previous: &previous, state: None };
    hostile().generate(&tainted, request.clone()).unwrap();
    assert_eq!(log.lines(), Vec::<String>::new());
    let public = Call { config_is_public: true, ..tainted };
    hostile().generate(&public, request).unwrap();
    assert_eq!(log.lines(), Vec::<String>::new(), "it was given the previous value and drew");
}

#[test]
fn nothing_shows_what_was_generated() {
    let generated = generate(&call(), "nothing").unwrap();
    let password = String::from_utf8(generated.fields[0].value.expose_secret().to_vec()).unwrap();
    assert!(!format!("{generated:?}").contains(&password));
    let entropy = generated.fields[0].entropy.unwrap();
    // 26 letters, 20 of them, none twice: log2(26! / 6!).
    assert!(entropy.exact && (entropy.bits - 78.89).abs() < 0.01, "{entropy:?}");
    let error = generate(&call(), "duplicate-key").unwrap_err();
    assert_silent(&error);
}

#[test]
fn the_clock_stands_at_the_rotation() {
    let generated = generate(&call(), "clock").unwrap();
    assert_eq!(generated.fields[0].value.expose_secret(), b"1700000000");
    assert_eq!(generated.fields[0].entropy, None);
}

#[test]
fn cleanup_may_refuse_by_a_declared_rule() {
    let cleanup = |state: &[u8]| hostile().cleanup(&call(), &config("nothing"), &state.to_vec().into());
    assert!(cleanup(b"anything").is_ok());
    assert!(matches!(cleanup(b"refuse"), Err(CallError::Refused(rule)) if rule.name == "denied"));
}

#[test]
fn many_calls_at_once_do_not_disturb_each_other() {
    let threads: Vec<_> = (0..4)
        .map(|i| {
            std::thread::spawn(move || {
                for _ in 0..50 {
                    match i {
                        0 => assert_eq!(
                            reason(Duration::from_secs(5), || generate(&call(), "trap")),
                            Reason::GuestAbort
                        ),
                        1 => assert_eq!(
                            reason(Duration::from_secs(5), || generate(&call(), "allocate")),
                            Reason::Memory
                        ),
                        _ => assert!(generate(&call(), "nothing").is_ok()),
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
