//! The example of a policy that first monitors and then enforces, step by step as its README says.

use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;

use crate::dev::{Dev, Place, SOON};

const VIOLATION: &str = "password breaks too-short of Policy default/long-enough";

async fn remarked(dev: &Dev) {
    let events: Api<Event> = Api::namespaced(dev.client.clone(), "default");
    let said = async || {
        let found = events.list(&ListParams::default().fields("reason=PolicyViolated")).await?;
        Ok(found.items.into_iter().filter_map(|event| event.message).find(|text| text.contains(VIOLATION)))
    };
    support::until("the event of the violation", SOON, said).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_monitors_then_enforces() {
    let place = Place::example("policy-rollout");
    let dev = place.start().await;
    let first = dev.secret_when("api-key", "the first key", |seen| seen.key("password").len() == 12).await;
    remarked(&dev).await;
    let [status, _, _] = dev.ready_when(&dev.external_secrets(), "api-key", "SecretSynced").await;
    assert_eq!(status, "True", "it is published all the same");

    place.edit("policy.yaml", "mode: Monitor", "mode: Enforce");
    let policies = dev.objects("keymill.dev/v1alpha1", "Policy", "policies");
    let enforced = async || {
        let policy = policies.get("long-enough").await?;
        Ok((policy.data["spec"]["mode"] == "Enforce").then_some(()))
    };
    support::until("the policy is applied", SOON, enforced).await.unwrap();
    dev.ready_when(&policies, "long-enough", "Accepted").await;
    place.edit("external-secret.yaml", "force-sync: \"1\"", "force-sync: \"2\"");
    let [_, _, message] = dev.ready_when(&dev.external_secrets(), "api-key", "SecretSyncedError").await;
    assert!(message.contains(VIOLATION), "{message}");
    assert_eq!(dev.secret("api-key").await.unwrap().unwrap(), first, "the last key stays");

    place.edit("generator.yaml", "length: 12", "length: 24");
    dev.secret_when("api-key", "a key that is long enough", |seen| seen.key("password").len() == 24).await;
    dev.ready_when(&dev.external_secrets(), "api-key", "SecretSynced").await;
}
