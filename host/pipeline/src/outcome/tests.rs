use super::*;
use crate::failure::BoxFailure;
use crate::fixture::{Refused, at, key_of};
use crate::gather::GatherError;
use crate::plan::Precondition;
use crate::ports::Violation;
use crate::rotation::RotationId;
use crate::spec::StoreName;

fn store() -> StoreName {
    StoreName { kind: "SecretStore".to_owned(), name: "vault".to_owned() }
}

fn synced(plan: &Plan, rotated: &[Rotated], missing: &[MissingRemote]) -> Outcome {
    Outcome::synced(&Synced { target: "app", plan, rotated, missing, next: Some(at(60)) })
}

#[test]
fn each_plan_has_its_reason_and_its_binding() {
    let gone = Precondition { uid: String::new(), resource_version: String::new() };
    for (plan, reason, bound) in [
        (Plan::Keep(Kept::Same), "SecretSynced", true),
        (Plan::Keep(Kept::Retained), "SecretSynced", true),
        (Plan::Keep(Kept::NoTarget), "SecretSynced", false),
        (Plan::Keep(Kept::TargetMissing), "SecretMissing", false),
        (Plan::Keep(Kept::DeletedBefore), "SecretDeleted", false),
        (Plan::Delete(gone), "SecretDeleted", false),
    ] {
        let outcome = synced(&plan, &[], &[]);
        assert!(outcome.ready.status && outcome.refreshed && outcome.failure.is_none());
        assert_eq!(outcome.ready.reason, reason, "{plan:?}");
        assert_eq!(outcome.binding.is_some(), bound, "{plan:?}");
        assert_eq!(outcome.next, Next::At(at(60)));
        assert_eq!(outcome.events.len(), usize::from(matches!(plan, Plan::Delete(_))), "{plan:?}");
    }
}

#[test]
fn what_only_is_monitored_is_an_event_and_no_failure() {
    let violation = Violation {
        policy: "Policy team/strong".to_owned(),
        rule: "too-short".to_owned(),
        about: "It is too short.".to_owned(),
        key: "password".to_owned(),
    };
    let monitored = Monitored { violations: vec![violation], failures: vec!["failed to judge".to_owned()] };
    let outcome = synced(&Plan::Keep(Kept::Same), &[], &[]).monitored(&monitored);
    assert!(outcome.ready.status && outcome.failure.is_none());
    let said: Vec<(&str, &str)> =
        outcome.events.iter().map(|event| (event.reason, event.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (
                "PolicyViolated",
                "published all the same, since the policy only monitors: password breaks too-short of Policy team/strong: It is too short."
            ),
            ("PolicyFailed", "failed to judge"),
        ]
    );
}

#[test]
fn rotations_and_missing_secrets_are_events() {
    let rotated =
        |occasion| Rotated { key: key_of("db"), id: RotationId::parse(&"a".repeat(32)).unwrap(), occasion };
    let missing = [MissingRemote { store: store(), key: "k".to_owned() }];
    let outcome = synced(&Plan::Keep(Kept::Same), &[rotated(Occasion::Scheduled)], &missing);
    let events: Vec<String> =
        outcome.events.iter().map(|event| format!("{} {}", event.reason, event.message)).collect();
    assert_eq!(
        events,
        [
            "MissingProviderSecret SecretStore/vault has no secret k; it is left out".to_owned(),
            format!("Rotated Password/db#0 rotated (scheduled), rotation {}", "a".repeat(32)),
        ]
    );
    let lost = synced(&Plan::Keep(Kept::Same), &[rotated(Occasion::ValueLost)], &[]);
    assert!(lost.events[0].warning && lost.events[0].reason == VALUE_LOST);
    assert!(lost.ready.message.contains("the value of Password/db#0 was lost"), "{}", lost.ready.message);
}

#[test]
fn the_first_values_of_a_new_target_are_part_of_its_event() {
    let rotated =
        |occasion| Rotated { key: key_of("db"), id: RotationId::parse(&"a".repeat(32)).unwrap(), occasion };
    let outcome =
        synced(&Plan::Create(Box::default()), &[rotated(Occasion::Initial), rotated(Occasion::Forced)], &[]);
    let events: Vec<_> = outcome.events.iter().map(|event| (event.reason, event.message.as_str())).collect();
    let id = "a".repeat(32);
    assert_eq!(
        events,
        [
            ("Rotated", format!("Password/db#0 rotated (forced), rotation {id}").as_str()),
            ("Created", format!("created Secret app; Password/db#0 generated, rotation {id}").as_str()),
        ]
    );
}

#[test]
fn a_failure_says_what_failed_on_what_and_what_to_do() {
    let source: BoxFailure = Refused("permission denied", Reason::StoreDenied).into();
    let denied = GatherError::Read { store: store(), key: "db".to_owned(), source };
    let outcome = Outcome::failed(&denied);
    assert_eq!(outcome.ready.message, "failed to read key db in SecretStore/vault: permission denied");
    assert_eq!((outcome.ready.status, outcome.ready.reason), (false, "SecretSyncedError"));
    assert_eq!(outcome.events[0].reason, "UpdateFailed");
    assert_eq!(outcome.failure, Some(Failed { reason: Reason::StoreDenied, blame: Blame::Store }));
    assert_eq!((outcome.refreshed, outcome.next), (false, Next::Backoff));
    let missing = GatherError::Missing { store: store(), key: "db".to_owned() };
    let want = "failed to read key db in SecretStore/vault: there is no such secret; create it, or set target.deletionPolicy to Delete or Merge to go on without it";
    assert_eq!(Outcome::failed(&missing).ready.message, want);
}

#[test]
fn push_outcomes_have_esos_reasons() {
    let pushed = Outcome::pushed(1, 2, &[], None);
    assert_eq!((pushed.ready.status, pushed.ready.reason, pushed.next), (true, "Synced", Next::WhenChanged));
    assert_eq!(pushed.ready.message, "3 remote secrets are up to date, 1 written now");
    assert!(Outcome::pushed(0, 3, &[], None).events.is_empty(), "nothing written, nothing to say");
    let failed = Outcome::push_failed(&Refused("no", Reason::StoreDenied));
    assert_eq!((failed.ready.status, failed.ready.reason), (false, "Errored"));
    let gone = Outcome::source_deleted("source");
    assert_eq!((gone.ready.status, gone.ready.reason), (false, "SourceDeleted"));
}
