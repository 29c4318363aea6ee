//! Kill and restart: `keymill run` is killed at random moments while a hundred objects rotate every second and are pushed to Vault.
//!
//! Whatever moment it was: nothing is published that was not recorded before, no Secret is half of one rotation and half of another,
//! no slot rotates twice, Vault goes forward only and ends with what the Secrets have, and deletion leaves nothing behind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::cluster::Cluster;
use crate::form::{self, Choices};

mod history;
mod load;

use history::{History, text};
use load::MOUNT;

const OBJECTS: usize = 100;
/// A process lives until it has written records and targets fewer times than this.
const WRITES_MAX: u64 = 100;
/// For a hundred objects on a machine that has other work.
const SETTLED: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_and_repeats_nothing() {
    let Some(cluster) = Cluster::start().await else { return };
    let kills = if support::is_full() { 200 } else { 20 };
    let mut choices = Choices::new();
    let seed = choices.seed;
    form::say(&format!("kills: {kills} with KEYMILL_SEED={seed}"));

    cluster.mount(MOUNT).await;
    let secrets: Api<Secret> = Api::default_namespaced(cluster.client.clone());
    let before = names(&secrets).await;
    let list = secrets.list_metadata(&ListParams::default().limit(1)).await.unwrap();
    let from = list.metadata.resource_version.unwrap();
    let history = Arc::new(History::default());
    let watch = tokio::spawn(Arc::clone(&history).follow(secrets.clone(), from));
    create_load(&cluster).await;

    let started = Instant::now();
    let caught = kill_repeatedly(&cluster, &history, &mut choices, kills).await;
    assert_eq!(
        history.published(),
        OBJECTS,
        "who was carried out longest ago comes first: everybody has had a turn"
    );
    let program = cluster.run(&[]);
    slow_down(&cluster).await;
    let settled = settle(&cluster, &history, &secrets).await;
    settled.unwrap_or_else(|error| panic!("{error:#}\n{}", program.output()));
    let elapsed = started.elapsed();
    check_counts(&history, elapsed);
    check_store(&cluster, &history, &mut choices).await;

    let expected = |name: &String| !before.contains(name) && name != "vault-token";
    let there: BTreeSet<String> = names(&secrets).await.into_iter().filter(expected).collect();
    assert_eq!(there, with_records(), "there are other Secrets than the targets and their records");
    delete_load(&cluster).await;
    wait(&history, "no Secret and no record is left", || !history.alive().iter().any(expected)).await;
    check_store_is_empty(&cluster).await;
    assert_eq!(history.problems(), Vec::<String>::new(), "{}", program.output());
    watch.abort();
    report(&history, kills, caught, elapsed);
}

/// Lives of random length; how many deaths found a rotation that was recorded and not published. One in ten dies while it starts,
/// the others after a number of writes, so that a slow machine does not kill them all before they work.
async fn kill_repeatedly(cluster: &Cluster, history: &History, choices: &mut Choices, kills: usize) -> usize {
    let mut caught = 0;
    for _ in 0..kills {
        let before = history.counts().versions();
        let program = cluster.run(&[]);
        if choices.below(10) > 0 {
            let writes = choices.below(WRITES_MAX);
            wait(history, "the process writes", || history.counts().versions() >= before + writes).await;
            tokio::time::sleep(Duration::from_millis(choices.below(30))).await;
        } else {
            tokio::time::sleep(Duration::from_millis(choices.below(1000))).await;
        }
        let output = program.kill().unwrap();
        assert!(!output.contains("panicked"), "{output}");
        // What it had written by then is seen by then.
        tokio::time::sleep(Duration::from_millis(50)).await;
        caught += usize::from(history.unpublished() > 0);
        assert_eq!(history.problems(), Vec::<String>::new(), "{output}");
    }
    assert!(caught > 0, "no kill hit a rotation in the middle");
    caught
}

async fn create_load(cluster: &Cluster) {
    for document in load::shared(&cluster.kv.address, cluster.kv.token()) {
        cluster.apply(document).await.unwrap();
    }
    let pairs = futures::stream::iter((0..OBJECTS).flat_map(|number| load::pair(&load::name(number))));
    pairs.for_each_concurrent(8, async |document| cluster.apply(document).await.unwrap()).await;
}

/// Ends the rotation, so that all can settle: a longer interval never makes a new value.
async fn slow_down(cluster: &Cluster) {
    let objects = cluster.objects("external-secrets.io/v1", "ExternalSecret", "default");
    let patch = json!({"spec": {"refreshInterval": "24h"}});
    for number in 0..OBJECTS {
        let name = load::name(number);
        objects.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }
}

/// Waits until Vault has what the Secrets have, and those their last rotation. An error says who does not, and what its objects say.
async fn settle(cluster: &Cluster, history: &History, secrets: &Api<Secret>) -> anyhow::Result<()> {
    let settled = support::until("Vault has what the Secrets have", SETTLED, async || {
        let behind = behind(cluster, secrets).await?;
        Ok((behind.is_empty() && history.unpublished() == 0).then_some(()))
    });
    let Err(error) = settled.await else { return Ok(()) };
    let behind = behind(cluster, secrets).await?;
    let mut said = vec![format!("{} unpublished, behind: {}", history.unpublished(), behind.join(", "))];
    if let Some(name) = behind.first() {
        for (version, kind) in [("v1", "ExternalSecret"), ("v1alpha1", "PushSecret")] {
            let objects = cluster.objects(&format!("external-secrets.io/{version}"), kind, "default");
            said.push(serde_json::to_string(&objects.get(name).await?)?);
        }
        said.push(format!("{:?}", secrets.get(name).await?.metadata));
    }
    Err(error.context(said.join("\n")))
}

/// Whose entry in Vault is not what its Secret has.
async fn behind(cluster: &Cluster, secrets: &Api<Secret>) -> anyhow::Result<Vec<String>> {
    let mut behind = Vec::new();
    for number in 0..OBJECTS {
        let name = load::name(number);
        let data = secrets.get_opt(&name).await?.map(|secret| text(&secret));
        if data.is_none() || cluster.kv.data(MOUNT, &name).await? != data {
            behind.push(name);
        }
    }
    Ok(behind)
}

/// Every rotation was due, and every object kept rotating.
fn check_counts(history: &History, elapsed: Duration) {
    let (objects, least, most) = history.rotations();
    assert_eq!(objects, OBJECTS);
    assert!(least >= 1, "an object never rotated");
    let slots = elapsed.as_millis() / load::INTERVAL.as_millis() + 1;
    assert!(u128::try_from(most).unwrap() <= slots, "{most} rotations in {slots} slots");
}

/// Every value that Vault ever had of some objects was recorded, in that order.
async fn check_store(cluster: &Cluster, history: &History, choices: &mut Choices) {
    for _ in 0..10 {
        let name = load::name(usize::try_from(choices.below(OBJECTS as u64)).unwrap());
        let latest = cluster.kv.latest(MOUNT, &name).await.unwrap().unwrap();
        let mut values = Vec::new();
        for version in 1..=latest {
            let data = cluster.kv.version(MOUNT, &name, version).await.unwrap().unwrap();
            let value = data.get("password").unwrap().clone();
            assert_eq!(data, load::data(&value), "version {version} of {name} is of two rotations");
            values.push(value);
        }
        history.went_forward(&name, &values).unwrap();
    }
}

async fn delete_load(cluster: &Cluster) {
    for (version, kind) in [("v1alpha1", "PushSecret"), ("v1", "ExternalSecret")] {
        let objects = cluster.objects(&format!("external-secrets.io/{version}"), kind, "default");
        objects.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
        let what = format!("the {kind}s are gone");
        let gone = support::until(&what, SETTLED, async || {
            Ok(objects.list(&ListParams::default()).await?.items.is_empty().then_some(()))
        });
        gone.await.unwrap();
    }
}

async fn check_store_is_empty(cluster: &Cluster) {
    let list = cluster.kv.get(&format!("{MOUNT}/metadata?list=true")).await.unwrap();
    assert_eq!(list, None, "deletionPolicy Delete left something in Vault");
}

async fn wait(history: &History, what: &str, done: impl Fn() -> bool) {
    let waited = support::until(what, SETTLED, async || Ok(done().then_some(()))).await;
    waited.unwrap_or_else(|error| {
        panic!(
            "{error:#}: {} published, {:?}, {:?}",
            history.published(),
            history.counts(),
            history.problems()
        )
    });
}

async fn names(secrets: &Api<Secret>) -> BTreeSet<String> {
    let list = secrets.list_metadata(&ListParams::default()).await.unwrap();
    list.items.into_iter().filter_map(|secret| secret.metadata.name).collect()
}

/// The targets and their records.
fn with_records() -> BTreeSet<String> {
    (0..OBJECTS)
        .map(load::name)
        .flat_map(|name| [format!("keymill-rotation-externalsecret-{name}"), name])
        .collect()
}

fn report(history: &History, kills: usize, caught: usize, elapsed: Duration) {
    let counts = history.counts();
    let (_, least, most) = history.rotations();
    form::say(&format!(
        "kills: {kills} in {:.0} s, {caught} of them with rotations recorded and not yet published",
        elapsed.as_secs_f64()
    ));
    form::say(&format!(
        "kills: {} rotations ({least} to {most} an object), {} versions of records, {} of targets; none wrong",
        counts.rotations, counts.record_versions, counts.target_versions
    ));
}
