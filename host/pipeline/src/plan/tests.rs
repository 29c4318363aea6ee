use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{checked, controller, fields, meta, texts};
use crate::hash;
use crate::target::OwnFields;

const HASH: &str = "reconcile.external-secrets.io/data-hash";
const MANAGED: &str = "reconcile.external-secrets.io/managed";
const CREATED_BY: &str = "reconcile.external-secrets.io/created-by";
const ROTATION: &str = "keymill.dev/rotation";

fn spec(target: Json) -> CheckedSpec {
    checked(json!({
        "secretStoreRef": {"name": "vault"},
        "target": target,
        "data": [{"secretKey": "k", "remoteRef": {"key": "k"}}],
    }))
}

fn shaped(data: &[(&str, &str)]) -> Shaped {
    Shaped { data: fields(data), ..Shaped::default() }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn ours() -> OwnerReference {
    controller("external-secrets.io/v1", "ExternalSecret", "app", "uid-1")
}

/// A Secret that somebody else made.
fn foreign(data: &[(&str, &str)]) -> TargetView {
    TargetView {
        uid: "uid-t".to_owned(),
        resource_version: "7".to_owned(),
        secret_type: "Opaque".to_owned(),
        data: fields(data),
        ..TargetView::default()
    }
}

fn planned(target: Json, view: Option<TargetView>, shaped: &Shaped) -> Result<Plan, PlanError> {
    let view = view.map_or(Found::Missing, Found::Found);
    plan(&spec(target), &meta(), &view, shaped, None)
}

fn patch(target: Json, view: TargetView, shaped: &Shaped) -> Patch {
    match planned(target, Some(view), shaped).unwrap() {
        Plan::Patch(patch) => *patch,
        other => panic!("not a patch: {other:?}"),
    }
}

/// The Secret after the patch, as the API server would show it.
fn after(view: &TargetView, patch: &Patch) -> TargetView {
    let mut view = view.clone();
    view.own.data.extend(patch.data.set.keys().cloned());
    view.own.labels.extend(patch.labels.set.keys().cloned());
    view.own.annotations.extend(patch.annotations.set.keys().cloned());
    view.data = patch.result.data.clone();
    view.labels = patch.result.labels.clone();
    view.annotations = patch.result.annotations.clone();
    view.finalizers = patch.result.finalizers.clone();
    view.owners = patch.result.owners.clone();
    view.immutable = patch.result.immutable;
    view
}

#[test]
fn a_missing_target_is_created_where_the_policy_says_so() {
    for (policy, want) in [
        ("Owner", None),
        ("Orphan", None),
        ("CreateOrMerge", None),
        ("Merge", Some(Kept::TargetMissing)),
        ("None", Some(Kept::NoTarget)),
    ] {
        let plan = planned(json!({"creationPolicy": policy}), None, &shaped(&[("k", "v1")])).unwrap();
        match (plan, want) {
            (Plan::Create(desired), None) => {
                assert_eq!(desired.name, "app");
                assert_eq!(desired.secret_type, "Opaque");
                assert_eq!(
                    desired.annotations[HASH],
                    "a196772fd1769e42e0abe6c50f86a622d07a926297d5b9eadd59785c"
                );
                assert_eq!(desired.labels[MANAGED], "true");
                assert_eq!(desired.labels.contains_key(CREATED_BY), policy == "Owner", "{policy}");
                assert_eq!(
                    desired.owners,
                    if policy == "Owner" { vec![ours()] } else { Vec::new() },
                    "{policy}"
                );
                assert!(!desired.immutable);
            }
            (Plan::Keep(kept), Some(want)) => assert_eq!(kept, want, "{policy}"),
            (plan, _) => panic!("{policy}: {plan:?}"),
        }
    }
}

#[test]
fn owner_takes_over_and_merge_joins() {
    for (policy, want) in [
        ("Owner", &[("k", "v1")][..]),
        ("Orphan", &[("k", "v1")]),
        ("Merge", &[("k", "v1"), ("user", "ada")]),
        ("CreateOrMerge", &[("k", "v1"), ("user", "ada")]),
    ] {
        let mut view = foreign(&[("user", "ada"), ("k", "old")]);
        view.labels = map(&[("team", "a")]);
        let patch = patch(json!({"creationPolicy": policy}), view, &shaped(&[("k", "v1")]));
        assert_eq!(patch.result.data, fields(want), "{policy}");
        assert_eq!(patch.result.labels["team"], "a", "{policy}");
        assert_eq!(patch.result.owners.is_empty(), policy != "Owner", "{policy}");
        assert_eq!(patch.owners_change, policy == "Owner", "{policy}");
        assert_eq!(
            patch.expected,
            Precondition { uid: "uid-t".to_owned(), resource_version: "7".to_owned() }
        );
        assert_eq!(texts(&patch.data.set), map(&[("k", "v1")]), "{policy}");
        let gone = if matches!(policy, "Owner" | "Orphan") { vec!["user".to_owned()] } else { Vec::new() };
        assert_eq!(patch.data.remove, gone, "{policy}");
    }
    let merged = patch(
        json!({"creationPolicy": "CreateOrMerge"}),
        foreign(&[("user", "ada"), ("k", "old")]),
        &shaped(&[("k", "v1")]),
    );
    assert_eq!(merged.result.annotations[HASH], "b05d1f28940d07feba95ed98aff87442502de4c054e7ad3e6077d970");
}

#[test]
fn planning_again_on_the_result_writes_nothing() {
    for policy in ["Owner", "Orphan", "Merge", "CreateOrMerge"] {
        let target = json!({"creationPolicy": policy});
        let wanted = Shaped {
            labels: map(&[("l", "1")]),
            annotations: map(&[("a", "2")]),
            finalizers: vec!["example.org/wait".to_owned()],
            ..shaped(&[("k", "v1")])
        };
        let view = foreign(&[("user", "ada")]);
        let patch = patch(target.clone(), view.clone(), &wanted);
        let again = planned(target, Some(after(&view, &patch)), &wanted).unwrap();
        assert_eq!(again, Plan::Keep(Kept::Same), "{policy}");
    }
}

#[test]
fn what_we_no_longer_write_goes_and_what_others_wrote_stays() {
    let mut view = foreign(&[("ours", "1"), ("theirs", "2")]);
    view.labels = map(&[("ours", "1"), ("theirs", "2")]);
    view.annotations = map(&[("ours", "1"), ("theirs", "2")]);
    let ours = || ["ours".to_owned()].into();
    view.own = OwnFields { data: ours(), labels: ours(), annotations: ours() };
    let patch = patch(json!({"creationPolicy": "Merge"}), view, &shaped(&[("k", "v1")]));
    assert_eq!(texts(&patch.result.data), map(&[("k", "v1"), ("theirs", "2")]));
    assert_eq!(patch.data.remove, ["ours"]);
    assert_eq!(patch.labels.remove, ["ours"]);
    assert_eq!(patch.annotations.remove, ["ours"]);
    assert_eq!(patch.result.labels["theirs"], "2");
}

#[test]
fn a_policy_that_is_not_owner_gives_the_target_up() {
    let mut view = foreign(&[("k", "v1")]);
    view.owners = vec![ours()];
    view.labels = map(&[(CREATED_BY, &hash::created_by("shop", "app"))]);
    let patch = patch(json!({"creationPolicy": "Orphan"}), view, &shaped(&[("k", "v1")]));
    assert!(patch.result.owners.is_empty());
    assert_eq!(patch.labels.remove, [CREATED_BY]);
}

#[test]
fn what_belongs_to_others_is_refused() {
    let es = controller("external-secrets.io/v1beta1", "ExternalSecret", "first", "uid-0");
    let cluster = controller("postgresql.cnpg.io/v1", "Cluster", "db", "uid-c");
    for (policy, owner, refused) in [
        ("Owner", &es, true),
        ("Merge", &es, true),
        ("Orphan", &es, true),
        ("None", &es, false),
        ("Owner", &cluster, true),
        ("Merge", &cluster, false),
        ("CreateOrMerge", &cluster, false),
    ] {
        let mut view = foreign(&[("user", "ada")]);
        view.owners = vec![owner.clone()];
        let planned = planned(json!({"creationPolicy": policy}), Some(view), &shaped(&[("k", "v1")]));
        assert_eq!(planned.is_err(), refused, "{policy} {}", owner.kind);
        if let Err(error) = planned {
            let want =
                format!("write Secret shop/app: it is owned by another {}, {}", owner.kind, owner.name);
            assert_eq!(error.to_string(), want);
            assert_eq!(error.reason(), Reason::TargetNotOwned);
        }
    }
}

#[test]
fn types_are_guarded() {
    let with_type = |wanted: &str| Shaped { secret_type: Some(wanted.to_owned()), ..shaped(&[("k", "v1")]) };
    for (existing, wanted, want) in [
        ("Opaque", Some("Opaque"), None),
        ("", Some("Opaque"), None),
        ("kubernetes.io/basic-auth", None, None),
        (
            "Opaque",
            Some("kubernetes.io/tls"),
            Some("write Secret shop/app: its type is Opaque and the template asks for kubernetes.io/tls"),
        ),
        (
            "kubernetes.io/service-account-token",
            None,
            Some(
                "write Secret shop/app: Secrets of type kubernetes.io/service-account-token are not written",
            ),
        ),
        (
            "keymill.dev/rotation",
            None,
            Some("write Secret shop/app: Secrets of type keymill.dev/rotation are not written"),
        ),
    ] {
        let view = TargetView { secret_type: existing.to_owned(), ..foreign(&[]) };
        let shaped = wanted.map_or_else(|| shaped(&[("k", "v1")]), with_type);
        let planned = planned(json!({"creationPolicy": "Merge"}), Some(view), &shaped);
        assert_eq!(planned.err().map(|error| error.to_string()).as_deref(), want, "{existing} {wanted:?}");
    }
    let Plan::Create(desired) = planned(json!({}), None, &with_type("kubernetes.io/tls")).unwrap() else {
        panic!()
    };
    assert_eq!(desired.secret_type, "kubernetes.io/tls");
}

#[test]
fn an_immutable_target_keeps_its_data() {
    let Plan::Create(made) = planned(json!({"immutable": true}), None, &shaped(&[("k", "v1")])).unwrap()
    else {
        panic!()
    };
    assert!(made.immutable);
    let view = |immutable| TargetView { immutable, owners: vec![ours()], ..foreign(&[("k", "v1")]) };
    let frozen = patch(json!({"immutable": true}), view(true), &shaped(&[("k", "v2")]));
    assert!(frozen.data.is_empty() && !frozen.immutable_changes);
    assert_eq!(frozen.result.annotations[HASH], "a196772fd1769e42e0abe6c50f86a622d07a926297d5b9eadd59785c");
    let freezing = patch(json!({"immutable": true}), view(false), &shaped(&[("k", "v2")]));
    assert!(freezing.immutable_changes);
    assert_eq!(texts(&freezing.data.set), map(&[("k", "v2")]));
    let error = planned(json!({}), Some(view(true)), &shaped(&[("k", "v2")])).unwrap_err();
    assert_eq!(error.to_string(), "write Secret shop/app: it is immutable and its data would change");
    assert!(planned(json!({}), Some(view(true)), &shaped(&[("k", "v1")])).is_ok());
}

#[test]
fn the_rotation_is_on_the_target() {
    let id = RotationId::parse(&"a".repeat(32)).unwrap();
    for (policy, before, want) in [
        ("Owner", None, "a".repeat(32)),
        ("Owner", Some("b".repeat(32)), "a".repeat(32)),
        ("Merge", None, format!("app:{}", "a".repeat(32))),
        ("Merge", Some("other:1,app:0".to_owned()), format!("app:{},other:1", "a".repeat(32))),
    ] {
        let mut view = foreign(&[("k", "v1")]);
        view.annotations.extend(before.clone().map(|before| (ROTATION.to_owned(), before)));
        let planned = plan(
            &spec(json!({"creationPolicy": policy})),
            &meta(),
            &Found::Found(view),
            &shaped(&[("k", "v1")]),
            Some(&id),
        );
        let Plan::Patch(patch) = planned.unwrap() else { panic!() };
        assert_eq!(patch.result.annotations[ROTATION], want, "{policy} {before:?}");
    }
    let mut view = foreign(&[("k", "v1")]);
    view.annotations = map(&[(ROTATION, "old")]);
    assert_eq!(
        patch(json!({}), view, &shaped(&[("k", "v1")])).annotations.remove,
        [ROTATION],
        "nothing is generated any more"
    );
}

#[test]
fn our_marks_win_over_a_template_that_sets_them() {
    let wanted = Shaped {
        labels: map(&[(MANAGED, "no")]),
        annotations: map(&[(HASH, "x")]),
        ..shaped(&[("k", "v1")])
    };
    let Plan::Create(desired) = planned(json!({}), None, &wanted).unwrap() else { panic!() };
    assert_eq!(desired.labels[MANAGED], "true");
    assert_ne!(desired.annotations[HASH], "x");
}

#[test]
fn without_values_the_deletion_policy_decides() {
    let owned = TargetView { owners: vec![ours()], ..foreign(&[("k", "v1")]) };
    let expected = Precondition { uid: "uid-t".to_owned(), resource_version: "7".to_owned() };
    for (policy, view, want) in [
        ("Retain", Some(owned.clone()), Plan::Keep(Kept::Retained)),
        ("Retain", None, Plan::Keep(Kept::Retained)),
        ("Delete", Some(owned), Plan::Delete(expected)),
        ("Delete", Some(foreign(&[("k", "v1")])), Plan::Keep(Kept::Retained)),
        ("Delete", None, Plan::Keep(Kept::DeletedBefore)),
    ] {
        let nothing = Shaped { nothing_left: true, ..Shaped::default() };
        assert_eq!(planned(json!({"deletionPolicy": policy}), view, &nothing).unwrap(), want, "{policy}");
    }
}

#[test]
fn a_lost_key_leaves_a_merged_target_with_the_others() {
    let mut view = foreign(&[("user", "ada"), ("k", "v1")]);
    view.own.data = ["k".to_owned()].into();
    let patch = patch(json!({"creationPolicy": "Merge", "deletionPolicy": "Merge"}), view, &shaped(&[]));
    assert_eq!(patch.data.remove, ["k"]);
    assert_eq!(patch.result.annotations[HASH], "eada44bf0d724fa57b72c2822a6e07dc1ffcb34dbf165889872f449f");
}

#[test]
fn only_what_an_earlier_name_left_behind_is_deleted() {
    let owned = || TargetView { owners: vec![ours()], ..foreign(&[]) };
    let candidates =
        [("app".to_owned(), owned()), ("old".to_owned(), owned()), ("foreign".to_owned(), foreign(&[]))];
    let names = |target: Json| {
        leftovers(&spec(target), &meta(), &candidates).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["old"]);
    assert_eq!(names(json!({"creationPolicy": "Orphan"})), Vec::<&str>::new());
}
