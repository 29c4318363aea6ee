//! Policies: a value that one which enforces does not accept is never published, and the last one stays.

use api::{ClusterPolicy, ExternalSecret, Policy, PushSecret, SecretStore};
use http::Method;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::{Value as Json, json};

use crate::fixture::{INTERVAL, external_secret, foreign_target, push_secret, vault_store};
use crate::gate::{Fault, Gate, Refusal};
use crate::world::{Operator, World, run};

/// A policy that wants so many characters of the password.
fn policy(name: &str, min: i64, more: Json) -> Json {
    let mut object = json!({
        "metadata": {"name": name},
        "spec": {
            "componentRef": {"kind": "BuiltIn", "name": "length"}, "config": {"min": min}, "fields": ["password"],
        },
    });
    object["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// What the Ready condition of an ExternalSecret says.
async fn complaint(world: &World, name: &str) -> String {
    let status = world.all::<ExternalSecret>().get(name).await.unwrap().status.unwrap_or_default();
    let condition = status.conditions.into_iter().next();
    condition
        .filter(|one| one.status == api::ConditionStatus::False)
        .and_then(|one| one.message)
        .unwrap_or_default()
}

/// The events of a reason: how often, and the last text.
async fn events(world: &World, reason: &str) -> (i32, String) {
    let events = world.all::<Event>().list(&ListParams::default()).await.unwrap().items;
    let of_reason: Vec<Event> =
        events.into_iter().filter(|event| event.reason.as_deref() == Some(reason)).collect();
    let count = of_reason.iter().map(|event| event.count.unwrap_or(1)).sum();
    (count, of_reason.last().and_then(|event| event.message.clone()).unwrap_or_default())
}

async fn synced(world: &World) -> Operator {
    world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
    let operator = world.start().await;
    world.synced("app").await;
    operator
}

#[test]
fn a_value_that_is_not_accepted_is_never_published() {
    run(async |world: World| {
        world.create::<Policy>(policy("long", 30, json!({}))).await;
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.until("refused", async || !complaint(&world, "app").await.is_empty()).await;
        let message = complaint(&world, "app").await;
        assert!(message.contains("password breaks too-short of Policy default/long"), "{message}");
        world.settle(20).await;
        assert!(world.secret("app").await.is_none());
        assert!(world.secret("keymill-rotation-externalsecret-app").await.is_none(), "nor recorded");
        world.ready::<Policy>("checked", "long").await;
        operator.gate.take_log();
        world.patch::<Policy>("long", json!({"spec": {"config": {"min": 20}}})).await;
        world.settle(1).await;
        assert!(
            world.is_ready::<ExternalSecret>("app").await,
            "a change of the policy wakes whom it refuses"
        );
        assert_eq!(world.check().order.len(), 1);
        operator.stop().await;
    });
}

#[test]
fn what_was_published_last_stays() {
    run(async |world: World| {
        let operator = synced(&world).await;
        let first = world.password("app").await;
        let versions = world.history.of("app").len();
        world.create::<Policy>(policy("long", 30, json!({}))).await;
        world.settle(2 * INTERVAL).await;
        let message = complaint(&world, "app").await;
        assert!(message.contains("password breaks too-short of Policy default/long"), "{message}");
        assert!(!message.contains(&first), "no condition holds a value");
        assert_eq!((world.password("app").await, world.history.of("app").len()), (first, versions));
        assert_eq!(world.check().order.len(), 1);
        world.delete::<Policy>("long").await;
        world.settle(1).await;
        assert!(world.is_ready::<ExternalSecret>("app").await);
        assert_eq!(world.check().order.len(), 2, "the slot was due");
        operator.stop().await;
    });
}

#[test]
fn who_monitors_only_reports_and_once() {
    run(async |world: World| {
        world.create::<Policy>(policy("long", 30, json!({"mode": "Monitor"}))).await;
        let operator = synced(&world).await;
        world.settle(1).await;
        let (_, text) = events(&world, "PolicyViolated").await;
        assert!(text.contains("published all the same"), "{text}");
        assert!(text.contains("password breaks too-short of Policy default/long"), "{text}");
        assert!(!text.contains(&world.password("app").await));
        for note in ["1", "2", "3"] {
            world.annotate("app", "note", note).await;
            world.settle(2).await;
        }
        assert_eq!(events(&world, "PolicyViolated").await.0, 1, "the same remark is made once");
        world.patch::<Policy>("long", json!({"spec": {"mode": "Enforce"}})).await;
        world.settle(1).await;
        assert!(world.is_ready::<ExternalSecret>("app").await, "nothing is published, so nothing is judged");
        world.settle(INTERVAL).await;
        assert!(complaint(&world, "app").await.contains("too-short"));
        operator.stop().await;
    });
}

#[test]
fn a_policy_that_cannot_judge_accepts_nothing_if_it_enforces() {
    let wrong: [(Json, &str, &str); 3] = [
        (json!({"config": {"minimum": 3}}), "InvalidConfig", "\"minimum\" is not known here"),
        (json!({"config": {"min": 9, "max": 3}}), "InvalidConfig", "min is more than max"),
        (
            json!({"componentRef": {"kind": "BuiltIn", "name": "lenght"}}),
            "ComponentNotFound",
            "there is no such policy",
        ),
    ];
    for (more, reason, text) in wrong {
        for mode in ["Enforce", "Monitor"] {
            run(async |world: World| {
                let mut object = policy("broken", 3, more.clone());
                object["spec"]["mode"] = mode.into();
                world.create::<Policy>(object).await;
                world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
                let operator = world.start().await;
                world.settle(5).await;
                let status = world.all::<Policy>().get("broken").await.unwrap().status.unwrap();
                assert_eq!(status.conditions[0].reason.as_deref(), Some(reason));
                let said = status.conditions[0].message.clone().unwrap();
                assert!(said.contains(text), "{said}");
                let complaint = complaint(&world, "app").await;
                if mode == "Enforce" {
                    assert!(complaint.contains("evaluate Policy default/broken"), "{complaint}");
                    assert!(complaint.contains(text), "{complaint}");
                    assert!(world.secret("app").await.is_none());
                } else {
                    assert!(world.is_ready::<ExternalSecret>("app").await, "{complaint}");
                    let (count, said) = events(&world, "PolicyFailed").await;
                    assert!(count == 1 && said.contains(text), "{count}: {said}");
                }
                operator.stop().await;
            });
        }
    }
}

#[test]
fn a_policy_judges_what_it_names() {
    let selected = json!({"objects": {"selector": {"matchLabels": {"tier": "db"}}}});
    for (more, refused) in [
        (json!({}), true),
        (json!({"objects": {"kinds": ["PushSecret"]}}), false),
        (json!({"objects": {"kinds": ["ExternalSecret"], "names": ["app"]}}), true),
        (json!({"objects": {"names": ["other"]}}), false),
        (selected, false),
        (json!({"fields": ["pgpass"]}), false),
        (json!({"fields": ["nothing"]}), false),
    ] {
        run(async |world: World| {
            world.create::<Policy>(policy("long", 30, more.clone())).await;
            world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
            let operator = world.start().await;
            world.settle(5).await;
            assert_eq!(!complaint(&world, "app").await.is_empty(), refused, "{more}");
            assert_eq!(world.secret("app").await.is_none(), refused, "{more}");
            operator.stop().await;
        });
    }
}

#[test]
fn a_cluster_policy_judges_the_namespaces_that_it_names() {
    for (namespaces, refused) in [(json!([]), true), (json!(["default"]), true), (json!(["other"]), false)] {
        run(async |world: World| {
            let object = policy("long", 30, json!({"namespaces": namespaces}));
            let object: ClusterPolicy = serde_json::from_value(object).unwrap();
            let policies: Api<ClusterPolicy> = Api::all(world.client.clone());
            policies.create(&PostParams::default(), &object).await.unwrap();
            world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
            let operator = world.start().await;
            world.settle(5).await;
            let message = complaint(&world, "app").await;
            assert_eq!(
                message.contains("too-short of ClusterPolicy long"),
                refused,
                "{namespaces}: {message}"
            );
            let status = policies.get("long").await.unwrap().status.unwrap();
            assert_eq!(status.conditions[0].status, api::ConditionStatus::True);
            operator.stop().await;
        });
    }
}

#[test]
fn nothing_is_pushed_that_is_not_accepted() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<Secret>(foreign_target("source")).await;
        world.create::<Policy>(policy("long", 30, json!({"objects": {"kinds": ["PushSecret"]}}))).await;
        world.create::<PushSecret>(push_secret("push", "source", &["kv"], "None")).await;
        let operator = world.start().await;
        world.settle(10).await;
        assert!(!world.is_ready::<PushSecret>("push").await);
        assert_eq!(world.pushed_now("pushed").await, None);
        world.patch::<Policy>("long", json!({"spec": {"mode": "Monitor"}})).await;
        world.ready::<PushSecret>("let through", "push").await;
        world.settle(1).await;
        assert!(events(&world, "PolicyViolated").await.1.contains("password breaks too-short"));
        operator.stop().await;
    });
}

/// What may exist is not taken for absent.
#[test]
fn as_long_as_policies_cannot_be_listed_nothing_is_published() {
    run(async |world: World| {
        world.create::<Policy>(policy("long", 30, json!({}))).await;
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let gate = Gate::open();
        gate.plan(|seen| match seen.method == Method::GET && seen.is_of("policies") {
            true => Fault::Refuse(Refusal::Status(403, 0)),
            false => Fault::None,
        });
        let operator = world.start_behind(gate, Gate::open()).await;
        world.settle(30).await;
        let message = complaint(&world, "app").await;
        assert!(message.contains("list the policies: they were not listed yet"), "{message}");
        assert!(world.secret("app").await.is_none());
        operator.gate.plan(|_| Fault::None);
        world.until("judged", async || complaint(&world, "app").await.contains("too-short")).await;
        operator.stop().await;
    });
}
