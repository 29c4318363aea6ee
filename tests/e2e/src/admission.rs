//! Admission by a real kube-apiserver: the configuration that `host/deploy` ships, but for the address, which is on loopback here, and
//! `keymill run` with the shipped rights behind it.

use std::time::Duration;

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value as Json, json};
use support::Program;

use crate::cluster::Cluster;
use crate::dev::SOON;

const EXTERNAL: &str = "external-secrets.io/v1";
const GENERATORS: &str = "generators.external-secrets.io/v1alpha1";
const OWN: &str = "keymill.dev/v1alpha1";
/// Longer than between two looks of the operator.
const LOOKED: Duration = Duration::from_secs(120);

/// The shipped configuration, as it comes from an installation: nobody is trusted yet.
fn configuration(port: u16) -> Json {
    let operator = support::root().join("host/deploy/operator.yaml");
    let all: Vec<Json> = serde_saphyr::from_multiple(&std::fs::read_to_string(operator).unwrap()).unwrap();
    let mut found = all.into_iter().find(|one| one["kind"] == "ValidatingWebhookConfiguration").unwrap();
    let call = found.pointer_mut("/webhooks/0/clientConfig").unwrap();
    assert_eq!(call["service"]["path"], "/validate");
    *call = json!({"url": format!("https://127.0.0.1:{port}/validate"), "caBundle": ""});
    found
}

fn object(api_version: &str, kind: &str, name: &str, spec: Json) -> Json {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn templated(name: &str, text: &str) -> Json {
    let generator = json!({"apiVersion": GENERATORS, "kind": "Password", "name": "pw"});
    let spec = json!({
        "refreshInterval": "1h",
        "target": {"template": {"data": {"tls.crt": text}}},
        "dataFrom": [{"sourceRef": {"generatorRef": generator}}],
    });
    object(EXTERNAL, "ExternalSecret", name, spec)
}

const BAD: &str = "line one\n  {{ .password | nope }}";
const FAULT: &str = "spec.target.template.data[tls.crt]: template `tls.crt`, line 2, column 18, `nope`: there is no function of this name";

/// Why the API server does not take an object; nothing if it does. Nothing is kept.
async fn refusal(cluster: &Cluster, object: &Json) -> Option<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap();
    let namespace = if text("/kind").starts_with("Cluster") { "" } else { "default" };
    let objects = cluster.objects(text("/apiVersion"), text("/kind"), namespace);
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let parameters = PostParams { dry_run: true, ..PostParams::default() };
    match objects.create(&parameters, &object).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) => {
            assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{status:?}");
            Some(status.message.clone())
        }
        Err(error) => panic!("{error}"),
    }
}

async fn admits(cluster: &Cluster) {
    support::until("a bad object is refused", LOOKED, async || {
        Ok(refusal(cluster, &templated("probe", BAD)).await.map(drop))
    })
    .await
    .unwrap();
}

fn operator(cluster: &Cluster, port: u16) -> Program {
    cluster.run(&[format!("--admission-listen=127.0.0.1:{port}")])
}

/// Each with what must be said of it; nothing is said of a good one.
fn cases() -> Vec<(Json, &'static [&'static str])> {
    let password =
        |length: u32| json!({"length": length, "digits": 9, "noUpper": false, "allowRepeat": true});
    let configured = |component: &str, config: Json| json!({"componentRef": {"kind": "BuiltIn", "name": component}, "config": config});
    let push = |template: &str| {
        json!({
            "secretStoreRefs": [{"name": "kv"}], "selector": {"secret": {"name": "s"}}, "template": {"data": {"a": template}},
        })
    };
    let store = |regex: &str| json!({"provider": {"fake": {"data": []}}, "conditions": [{"namespaceRegexes": [regex]}]});
    let both = json!({
        "target": {"deletionPolicy": "Delete", "creationPolicy": "Merge", "template": {"data": {"a": "{{ end }}"}}},
        "data": [{"secretKey": "a", "remoteRef": {"key": "k"}}],
    });
    let large = format!("{{{{ .password }}}}{}", "x".repeat(900_000));
    vec![
        (templated("good", "{{ .password | upper }}"), &[]),
        (templated("good", &large), &[]),
        (
            templated("bad", BAD),
            &[
                "admission webhook \"validate.keymill.dev\" denied the request",
                "ExternalSecret default/bad",
                FAULT,
            ],
        ),
        (
            object(EXTERNAL, "ExternalSecret", "bad", both),
            &["spec.target.deletionPolicy: ", "spec.data[0]: ", "spec.target.template.data[a]: "],
        ),
        (object("external-secrets.io/v1alpha1", "PushSecret", "good", push("{{ .a }}")), &[]),
        (
            object("external-secrets.io/v1alpha1", "PushSecret", "bad", push("{{ if }}")),
            &["spec.template.data[a]: template `a`, line 1, column 7"],
        ),
        (object(EXTERNAL, "SecretStore", "good", store("^a$")), &[]),
        (object(EXTERNAL, "SecretStore", "bad", store("(")), &["spec.conditions[0].namespaceRegexes[0]: "]),
        (
            object(EXTERNAL, "ClusterSecretStore", "bad", store("(")),
            &["spec.conditions[0].namespaceRegexes[0]: "],
        ),
        (object(GENERATORS, "Password", "good", password(24)), &[]),
        (object(GENERATORS, "Password", "bad", password(4)), &["Password default/bad: spec"]),
        (object(OWN, "Generator", "good", configured("password", password(24))), &[]),
        (
            object(OWN, "Generator", "bad", configured("password", json!({"length": "long"}))),
            &["spec.config.length: "],
        ),
        (object(OWN, "Policy", "good", configured("length", json!({"min": 9}))), &[]),
        (object(OWN, "Policy", "bad", configured("length", json!({"min": -1}))), &["spec.config.min: "]),
        (
            object(OWN, "ClusterPolicy", "bad", configured("length", json!({"min": -1}))),
            &["spec.config.min: "],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_refuses_what_keymill_would_find_fault_with() {
    let Some(cluster) = Cluster::start().await else { return };
    let port = servers::free_port().unwrap();
    cluster.apply(configuration(port)).await.unwrap();
    // Nobody answers: it is let through.
    cluster.apply(templated("before", BAD)).await.unwrap();

    let first = operator(&cluster, port);
    admits(&cluster).await;
    for (object, expected) in cases() {
        let refused = refusal(&cluster, &object).await;
        assert_eq!(refused.is_some(), !expected.is_empty(), "{refused:?} of {}", object["metadata"]);
        for words in expected {
            assert!(
                refused.as_deref().unwrap_or_default().contains(words),
                "{words:?} is not in {refused:?}"
            );
        }
    }
    let (taken, said) = cluster.kubectl_apply(&templated("bad", BAD));
    assert!(!taken);
    assert_eq!(said, format!("The ExternalSecret \"bad\" is invalid: {FAULT}\n"));
    let (taken, said) = cluster.kubectl_apply(&templated("good", "{{ .password }}"));
    assert!(taken, "{said}");
    bad_objects_are_not_held(&cluster).await;

    let secrets = cluster.objects("v1", "Secret", "keymill-system");
    let made = secrets.get("keymill-admission").await.unwrap();
    first.kill().unwrap();
    cluster.apply(templated("between", BAD)).await.unwrap();
    let second = operator(&cluster, port);
    admits(&cluster).await;
    let kept = secrets.get("keymill-admission").await.unwrap();
    assert_eq!(
        made.metadata.resource_version, kept.metadata.resource_version,
        "a certificate outlives its process"
    );
    // As who applies the file again does: nobody is trusted any more, for a while.
    cluster.apply(configuration(port)).await.unwrap();
    let configurations =
        cluster.objects("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "");
    support::until("the bundle is back", LOOKED, async || {
        let found = configurations.get("keymill").await?;
        Ok((found.data["webhooks"][0]["clientConfig"]["caBundle"] == kept.data["data"]["ca.crt"])
            .then_some(()))
    })
    .await
    .unwrap();
    admits(&cluster).await;
    drop(second);
}

/// A bad object from before can be labelled, let go and deleted, and be corrected; it cannot be made another bad one.
async fn bad_objects_are_not_held(cluster: &Cluster) {
    let objects = cluster.objects(EXTERNAL, "ExternalSecret", "default");
    let patch =
        async |patch: Json| objects.patch("before", &PatchParams::default(), &Patch::Merge(patch)).await;
    patch(json!({"metadata": {"labels": {"team": "shop"}, "finalizers": ["example.com/hold"]}}))
        .await
        .unwrap();
    let other = patch(json!({"spec": {"refreshInterval": "2h"}})).await.unwrap_err();
    assert!(other.to_string().contains(FAULT), "{other}");
    drop(objects.delete("before", &DeleteParams::default()).await.unwrap());
    patch(json!({"metadata": {"finalizers": null}})).await.unwrap();
    support::until("it is gone", SOON, async || Ok(objects.get_opt("before").await?.is_none().then_some(())))
        .await
        .unwrap();
}
