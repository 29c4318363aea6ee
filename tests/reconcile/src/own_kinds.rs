//! The kinds of keymill.dev: named in place of ESO's, checked when they change, and absent where they are not defined.

use api::{ExternalSecret, Generator, PushSecret, SecretStore};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::DeleteParams;
use kube::{Api, ResourceExt};
use serde_json::{Value as Json, json};

use crate::fixture::{INTERVAL, external_secret, push_secret, vault_store};
use crate::history::text;
use crate::world::{World, run};

fn generator(name: &str, component: &str, config: Json) -> Json {
    let reference = json!({"kind": "BuiltIn", "name": component});
    json!({"metadata": {"name": name}, "spec": {"componentRef": reference, "config": config}})
}

fn password_config(length: i64) -> Json {
    json!({"length": length, "symbols": 0, "noUpper": false, "allowRepeat": true})
}

fn generator_ref(name: &str) -> Json {
    json!({"apiVersion": "keymill.dev/v1alpha1", "kind": "Generator", "name": name})
}

/// An ExternalSecret whose values a Generator makes.
fn generated(name: &str, generator: &str) -> Json {
    let mut object = external_secret(name, "Owner");
    object["spec"]["dataFrom"] = json!([{"sourceRef": {"generatorRef": generator_ref(generator)}}]);
    object
}

/// The Ready condition of a Generator: its reason and its message.
async fn said(world: &World, name: &str) -> (String, String) {
    let status = world.all::<Generator>().get(name).await.unwrap().status.unwrap_or_default();
    let condition = status.conditions.into_iter().next();
    condition.map(|one| (one.reason.unwrap(), one.message.unwrap())).unwrap_or_default()
}

/// What the Ready condition of an ExternalSecret says.
async fn complaint(world: &World, name: &str) -> String {
    let status = world.all::<ExternalSecret>().get(name).await.unwrap().status.unwrap_or_default();
    status.conditions.into_iter().next().and_then(|one| one.message).unwrap_or_default()
}

#[test]
fn a_generator_makes_values_for_both_kinds_and_says_what_it_is() {
    run(async |world: World| {
        world.give_token().await;
        world.create::<SecretStore>(vault_store("kv", "kv:8200")).await;
        world.create::<Generator>(generator("mine", "password", password_config(31))).await;
        world.create::<ExternalSecret>(generated("app", "mine")).await;
        let mut push = push_secret("push", "app", &["kv"], "None");
        push["spec"]["selector"] = json!({"generatorRef": generator_ref("mine")});
        push["spec"]["data"] = json!([{"match": {"secretKey": "password", "remoteRef": {"remoteKey": "pushed", "property": "password"}}}]);
        world.create::<PushSecret>(push).await;
        let operator = world.start().await;
        world.synced("app").await;
        assert_eq!(world.password("app").await.len(), 31);
        world.until("pushed", || world.is_ready::<PushSecret>("push")).await;
        assert_eq!(world.pushed_now("pushed").await.unwrap().len(), 31);
        world.ready::<Generator>("checked", "mine").await;
        let found = world.all::<Generator>().get("mine").await.unwrap();
        let status = found.status.clone().unwrap();
        assert_eq!(status.observed_generation, found.metadata.generation);
        assert!(status.component_digest.unwrap().starts_with("sha256:"));
        operator.gate.take_log();
        world.settle(10).await;
        let about = operator.gate.take_log().iter().filter(|seen| seen.is_of("generators")).count();
        assert_eq!(about, 0, "a Generator at rest costs nothing");
        operator.stop().await;
    });
}

#[test]
fn all_that_is_wrong_with_a_config_is_said_with_its_place() {
    run(async |world: World| {
        world.create::<Generator>(generator("mine", "password", json!({"length": "x", "sybmols": 3}))).await;
        world.create::<ExternalSecret>(generated("app", "mine")).await;
        let operator = world.start().await;
        world.until("checked", async || said(&world, "mine").await.0 == "InvalidConfig").await;
        let (_, message) = said(&world, "mine").await;
        for part in ["/length: must be of the type", "\"sybmols\" is not known here", "correct the config"] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
        world.until("refused", async || complaint(&world, "app").await.contains("/length")).await;
        assert!(world.secret("app").await.is_none(), "nothing is published");
        let spec = json!({"spec": {"config": {"length": 20, "sybmols": null}}});
        world.patch::<Generator>("mine", spec).await;
        world.ready::<Generator>("corrected", "mine").await;
        world.synced("app").await;
        assert_eq!(world.password("app").await.len(), 20);
        operator.stop().await;
    });
}

#[test]
fn a_component_that_there_is_not_is_named() {
    run(async |world: World| {
        world.create::<Generator>(generator("mine", "pasword", json!({}))).await;
        // A component of another world is none of this.
        world.create::<Generator>(generator("policy", "length", json!({"min": 1}))).await;
        let operator = world.start().await;
        for name in ["mine", "policy"] {
            world.until("checked", async || said(&world, name).await.0 == "ComponentNotFound").await;
        }
        let (_, message) = said(&world, "mine").await;
        assert!(message.contains("find the component pasword: there is no such generator"), "{message}");
        operator.stop().await;
    });
}

#[test]
fn a_config_counts_at_the_next_rotation_or_at_once_if_asked() {
    for at_once in [false, true] {
        run(async |world: World| {
            world.create::<Generator>(generator("mine", "password", password_config(20))).await;
            world.create::<ExternalSecret>(generated("app", "mine")).await;
            if at_once {
                world.annotate("app", "keymill.dev/rotate-on-config-change", "true").await;
            }
            let operator = world.start().await;
            world.synced("app").await;
            world.patch::<Generator>("mine", json!({"spec": {"config": {"length": 30}}})).await;
            world.settle(5).await;
            let length = world.password("app").await.len();
            assert_eq!(length, if at_once { 30 } else { 20 }, "at once: {at_once}");
            world.settle(INTERVAL).await;
            assert_eq!(world.password("app").await.len(), 30);
            operator.stop().await;
        });
    }
}

#[test]
fn without_the_definitions_everything_else_goes_on() {
    run(async |world: World| {
        let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
        for definition in api::crds().iter().filter(|one| one.spec.group == "keymill.dev") {
            drop(definitions.delete(&definition.name_any(), &DeleteParams::default()).await.unwrap());
        }
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.synced("app").await;
        let unwatched: Vec<_> = operator.context.loops().into_iter().filter(|one| !one.listed).collect();
        assert!(unwatched.is_empty(), "{unwatched:?}");
        let troubled: Vec<_> = operator.context.loops().into_iter().filter_map(|one| one.trouble).collect();
        assert!(troubled.is_empty(), "{troubled:?}");
        for definition in api::crds().into_iter().filter(|one| one.spec.group == "keymill.dev") {
            definitions.create(&kube::api::PostParams::default(), &definition).await.unwrap();
        }
        world.settle(1).await;
        world.create::<Generator>(generator("mine", "uuid", json!({}))).await;
        world.create::<ExternalSecret>(uuid("late", "mine")).await;
        world.synced("late").await;
        let late: Secret = world.secret("late").await.unwrap();
        assert_eq!(text(&late)["uuid"].len(), 36);
        world.ready::<Generator>("seen when it was defined", "mine").await;
        operator.stop().await;
    });
}

fn uuid(name: &str, generator: &str) -> Json {
    let mut object = generated(name, generator);
    object["spec"]["target"] = json!({"name": name});
    object
}
