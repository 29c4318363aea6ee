//! Components that users bring: they are tried, serve, are replaced without a rotation, and what serves goes on when what comes is bad.

use api::component::ComponentStatus;
use api::{Component, ExternalSecret, Generator, Policy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Secret};
use kube::ResourceExt;
use kube::api::ListParams;
use runtime::Digest;
use serde_json::{Value as Json, json};

use crate::fixture::{INTERVAL, external_secret};
use crate::world::{World, run};

/// The bytes of a built-in generator or policy.
pub(crate) fn built_in(world: &str, name: &str) -> Vec<u8> {
    let found = bundle::BUILTINS.iter().find(|one| one.world == world && one.name == name);
    found.unwrap().bytes.to_vec()
}

/// The same component under another digest: with one more section that means nothing.
fn version(bytes: &[u8], text: &str) -> Vec<u8> {
    let name = b"version";
    let size = u8::try_from(1 + name.len() + text.len()).unwrap();
    let section = [&[0, size, u8::try_from(name.len()).unwrap()][..], name, text.as_bytes()].concat();
    [bytes, &section].concat()
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

fn config_map(bytes: &[u8]) -> Json {
    json!({"metadata": {"name": "bytes"}, "binaryData": {"component.wasm": STANDARD.encode(bytes)}})
}

fn component(kind: &str) -> Json {
    json!({"metadata": {"name": "mine"}, "spec": {"source": {kind: {"name": "bytes", "key": "component.wasm"}}}})
}

fn reference() -> Json {
    json!({"kind": "Component", "name": "mine"})
}

/// As the world's own Password asks for.
fn config() -> Json {
    crate::fixture::password("pw")["spec"].clone()
}

fn generated(name: &str) -> Json {
    let mut object = external_secret(name, "Owner");
    let generator = json!({"apiVersion": "keymill.dev/v1alpha1", "kind": "Generator", "name": "mine"});
    object["spec"]["dataFrom"] = json!([{"sourceRef": {"generatorRef": generator}}]);
    object
}

/// A Component that serves the password generator, a Generator, and an ExternalSecret whose values it makes.
pub(crate) async fn populate(world: &World) {
    world.create::<ConfigMap>(config_map(&built_in("generator", "password"))).await;
    world.create::<Component>(component("configMap")).await;
    world
        .create::<Generator>(
            json!({"metadata": {"name": "mine"}, "spec": {"componentRef": reference(), "config": config()}}),
        )
        .await;
    world.create::<ExternalSecret>(generated("app")).await;
}

async fn status(world: &World) -> ComponentStatus {
    world.all::<Component>().get("mine").await.unwrap().status.unwrap_or_default()
}

/// The digest that serves, by the status.
async fn serving(world: &World) -> Option<String> {
    status(world).await.serving.map(|serving| serving.digest)
}

/// What is at the source from now on.
async fn replace(world: &World, bytes: &[u8]) {
    let data = json!({"binaryData": {"component.wasm": STANDARD.encode(bytes)}});
    world.patch::<ConfigMap>("bytes", data).await;
}

pub(crate) async fn serves(world: &World, bytes: &[u8]) {
    let expected = Some(digest(bytes));
    world.until("it serves", async || serving(world).await == expected).await;
    world.ready::<Component>("ready", "mine").await;
}

/// Waits until it says that it does not take what is at the source; the words.
async fn refused(world: &World, bytes: &[u8]) -> String {
    let expected = digest(bytes);
    let is_refused = async || status(world).await.refused.is_some_and(|refused| refused.digest == expected);
    world.until("it is refused", is_refused).await;
    assert!(!world.is_ready::<Component>("mine").await);
    status(world).await.refused.unwrap().message
}

#[test]
fn new_bytes_serve_from_the_next_rotation_on() {
    run(async |world: World| {
        populate(&world).await;
        let operator = world.start().await;
        world.synced("app").await;
        let first = built_in("generator", "password");
        serves(&world, &first).await;
        let said = status(&world).await.serving.unwrap();
        assert_eq!((said.world.as_str(), said.name.as_str()), ("generator", "password"));
        assert!(said.imports.iter().all(|import| import.starts_with("keymill:guest/")), "{:?}", said.imports);
        assert!(said.config_schema["properties"]["length"].is_object());
        let before = world.password("app").await;
        assert_eq!(before.len(), 24);
        let second = version(&first, "2");
        replace(&world, &second).await;
        serves(&world, &second).await;
        world.settle(2).await;
        assert_eq!(world.password("app").await, before, "another component is no reason to rotate");
        let accepted = async || {
            let generator = world.all::<Generator>().get("mine").await.unwrap();
            generator.status.unwrap().component_digest == Some(digest(&second))
        };
        world.until("the Generator says by which it was accepted", accepted).await;
        world.settle(INTERVAL + 5).await;
        assert_ne!(world.password("app").await, before, "it rotates with the new one");
        operator.stop().await;
    });
}

#[test]
fn what_serves_goes_on_when_what_comes_is_bad() {
    run(async |world: World| {
        populate(&world).await;
        let operator = world.start().await;
        world.synced("app").await;
        let good = built_in("generator", "password");
        serves(&world, &good).await;
        for (bytes, words) in [
            (b"no component".to_vec(), "read the component"),
            (good[..good.len() / 2].to_vec(), "read the component"),
            (built_in("policy", "length"), "it is a policy, and Generator default/mine uses a generator"),
            (built_in("generator", "passphrase"), "with the config of Generator default/mine"),
        ] {
            replace(&world, &bytes).await;
            let said = refused(&world, &bytes).await;
            assert!(said.contains(words), "{words} is not in: {said}");
            assert_eq!(serving(&world).await, Some(digest(&good)), "{said}");
            assert!(world.is_ready::<Generator>("mine").await);
        }
        world.delete::<ConfigMap>("bytes").await;
        world.until("it says so", async || complaint(&world).await.contains("it does not exist")).await;
        let before = world.password("app").await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.until("rotated", async || world.password("app").await != before).await;
        world.create::<ConfigMap>(config_map(&version(&good, "3"))).await;
        serves(&world, &version(&good, "3")).await;
        assert_eq!(status(&world).await.refused, None, "what was refused once is over");
        operator.stop().await;
    });
}

async fn complaint(world: &World) -> String {
    let conditions = status(world).await.conditions;
    conditions.into_iter().next().and_then(|one| one.message).unwrap_or_default()
}

#[test]
fn a_restart_lets_nothing_in_that_was_refused() {
    run(async |world: World| {
        populate(&world).await;
        let operator = world.start().await;
        world.synced("app").await;
        serves(&world, &built_in("generator", "password")).await;
        let other = built_in("generator", "passphrase");
        replace(&world, &other).await;
        refused(&world, &other).await;
        operator.stop().await;
        let operator = world.start().await;
        world.settle(5 * 60).await;
        assert_eq!(serving(&world).await, None, "there is nothing else, and it is not let in");
        assert!(refused(&world, &other).await.contains("Generator default/mine"));
        let said = world.all::<Generator>().get("mine").await.unwrap().status.unwrap();
        let said = said.conditions.into_iter().next().unwrap().message.unwrap();
        assert!(said.contains("use Component default/mine: nothing serves for it"), "{said}");
        assert_eq!(world.password("app").await.len(), 24, "what was published stays");
        replace(&world, &built_in("generator", "password")).await;
        serves(&world, &built_in("generator", "password")).await;
        world.until("accepted", || world.is_ready::<Generator>("mine")).await;
        world.synced("app").await;
        operator.stop().await;
    });
}

#[test]
fn a_digest_that_is_asked_for_keeps_all_others_out() {
    run(async |world: World| {
        populate(&world).await;
        let good = built_in("generator", "password");
        let pinned = json!({"spec": {"digest": digest(&good)}});
        world.patch::<Component>("mine", pinned).await;
        let operator = world.start().await;
        serves(&world, &good).await;
        let second = version(&good, "2");
        replace(&world, &second).await;
        let said = refused(&world, &second).await;
        assert!(said.contains(&format!("spec.digest asks for {}", digest(&good))), "{said}");
        world.patch::<Component>("mine", json!({"spec": {"digest": digest(&second)}})).await;
        serves(&world, &second).await;
        operator.stop().await;
    });
}

#[test]
fn a_policy_from_a_secret_judges_and_is_replaced() {
    run(async |world: World| {
        let bytes = built_in("policy", "length");
        let data = json!({"component.wasm": STANDARD.encode(&bytes)});
        world.create::<Secret>(json!({"metadata": {"name": "bytes"}, "data": data})).await;
        world.create::<Component>(component("secret")).await;
        let config = json!({"min": 100});
        let spec = json!({"componentRef": reference(), "config": config, "fields": ["password"]});
        world.create::<Policy>(json!({"metadata": {"name": "long"}, "spec": spec})).await;
        world.create::<ExternalSecret>(external_secret("app", "Owner")).await;
        let operator = world.start().await;
        world.ready::<Policy>("accepted", "long").await;
        let refused = async || {
            let app = world.all::<ExternalSecret>().get("app").await.unwrap();
            let said = app.status.and_then(|status| status.conditions.into_iter().next());
            said.and_then(|one| one.message).is_some_and(|message| message.contains("Policy default/long"))
        };
        world.until("it is not long enough", refused).await;
        assert!(world.secret("app").await.is_none());
        world.patch::<Policy>("long", json!({"spec": {"config": {"min": 10}}})).await;
        world.synced("app").await;
        operator.stop().await;
    });
}

#[test]
fn a_component_that_is_gone_serves_nobody() {
    run(async |world: World| {
        populate(&world).await;
        let operator = world.start().await;
        world.synced("app").await;
        let before = world.password("app").await;
        world.delete::<Component>("mine").await;
        world.until("the Generator says so", async || !world.is_ready::<Generator>("mine").await).await;
        world.annotate("app", "external-secrets.io/force-sync", "1").await;
        world.settle(5).await;
        assert!(!world.is_ready::<ExternalSecret>("app").await);
        assert_eq!(world.password("app").await, before, "what was published stays");
        let made = world.create::<Component>(component("configMap")).await;
        assert_eq!(made.name_any(), "mine");
        world.until("rotated", async || world.password("app").await != before).await;
        operator.stop().await;
    });
}

async fn passwords(world: &World, names: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        all.push(world.password(name).await);
    }
    all
}

#[test]
fn a_swap_drops_no_call() {
    let swaps = if support::is_full() { 1000 } else { 50 };
    run(async |world: World| {
        populate(&world).await;
        let names: Vec<String> = (0..10).map(|number| format!("app-{number}")).collect();
        for name in &names {
            let mut object = generated(name);
            object["spec"]["refreshInterval"] = json!("1s");
            world.create::<ExternalSecret>(object).await;
        }
        let operator = world.start().await;
        for name in &names {
            world.synced(name).await;
        }
        let before = passwords(&world, &names).await;
        let good = built_in("generator", "password");
        for swap in 0..swaps {
            let bytes = version(&good, if swap % 2 == 0 { "even" } else { "odd" });
            replace(&world, &bytes).await;
            serves(&world, &bytes).await;
            for name in &names {
                assert!(world.is_ready::<ExternalSecret>(name).await, "{name} after {swap} swaps");
            }
        }
        world.settle(5).await;
        let events = world.all::<Event>().list(&ListParams::default()).await.unwrap();
        let warnings = events.items.iter().filter(|event| event.type_.as_deref() == Some("Warning"));
        assert_eq!(warnings.map(|event| event.message.clone().unwrap()).collect::<Vec<_>>(), [""; 0]);
        let after = passwords(&world, &names).await;
        assert!(before.iter().zip(&after).all(|(before, after)| before != after), "they rotated meanwhile");
        println!("{swaps} swaps, {} values meanwhile", world.check().order.len());
        operator.stop().await;
    });
}

#[test]
fn a_wrong_key_of_a_secret_is_not_told_by_its_bytes() {
    run(async |world: World| {
        let value = "hunter2-hunter2";
        world
            .create::<Secret>(json!({"metadata": {"name": "bytes"}, "stringData": {"component.wasm": value}}))
            .await;
        world.create::<Component>(component("secret")).await;
        let operator = world.start().await;
        world.until("it says so", async || complaint(&world).await.contains("is no WebAssembly")).await;
        let said = serde_json::to_string(&world.all::<Component>().get("mine").await.unwrap()).unwrap();
        let events = world.all::<Event>().list(&ListParams::default()).await.unwrap();
        let events = serde_json::to_string(&events).unwrap();
        for told in [value, &digest(value.as_bytes()), "0x68"] {
            assert!(!said.contains(told) && !events.contains(told), "{told}: {said} {events}");
        }
        operator.stop().await;
    });
}
