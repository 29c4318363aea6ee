//! Admission with the real components: what is refused, in which words, and what is let through. The controllers are not running; that
//! they say the same is shown once. And the certificate that it is served with, over the years.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{ExternalSecret, SecretStore};
use controller::{Admission, AdmissionKeeper, Clock, Engines, Metrics, OperatorKey};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::components;
use crate::fixture::{NAMESPACE, external_secret, push_secret, vault_store};
use crate::history::text;
use crate::world::{World, catalog, run};

const CANARY: &str = "canary-of-a-value";

fn admission(client: &Client) -> Admission {
    admission_with(Engines::new(catalog(), OperatorKey::new([0; 32])), client)
}

fn admission_with(engines: Engines, client: &Client) -> Admission {
    Admission::new(engines, client.clone(), "default".to_owned(), Metrics::default())
}

/// The creation of an object.
fn review(group: &str, kind: &str, object: &Json) -> String {
    let name = object["metadata"]["name"].clone();
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": {"group": group, "version": "v1", "kind": kind}, "operation": "CREATE",
        "name": name, "namespace": NAMESPACE, "object": object, "oldObject": null,
    }});
    review.to_string()
}

/// What is answered when an object is created.
async fn answer(client: &Client, group: &str, kind: &str, object: &Json) -> Json {
    let written = admission(client).review(review(group, kind, object).as_bytes()).await.unwrap();
    let answer: Json = serde_json::from_slice(&written).unwrap();
    assert!(!answer.to_string().contains(CANARY), "{answer}");
    answer["response"].clone()
}

/// The problems, or nothing when it is allowed without a word.
async fn problems(world: &World, kind: &str, object: &Json) -> String {
    let group = match kind {
        "Password" | "UUID" | "Fake" | "ClusterGenerator" => "generators.external-secrets.io",
        "Generator" | "Policy" | "ClusterPolicy" => "keymill.dev",
        _ => "external-secrets.io",
    };
    let response = answer(&world.client, group, kind, object).await;
    assert_eq!(response.get("warnings"), None, "{response}");
    if response["allowed"] == true {
        return String::new();
    }
    assert_eq!(
        (&response["status"]["code"], &response["status"]["reason"]),
        (&json!(422), &json!("Invalid"))
    );
    let message = response["status"]["message"].as_str().unwrap();
    let about = format!("failed to read the spec of {kind} {NAMESPACE}/it: ");
    message.strip_prefix(&about).unwrap_or_else(|| panic!("{message}")).to_owned()
}

#[test]
fn what_keymill_has_not_yet_is_let_through_with_a_warning() {
    run(async |world: World| {
        let aws = json!({"metadata": {"name": "it"}, "spec": {"provider": {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}}});
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        let target = with(external_secret("it", "Owner"), "/spec/target/manifest", manifest);
        for (kind, object, words) in [
            ("SecretStore", aws, "spec.provider.aws: is not a provider that keymill has"),
            ("ExternalSecret", target, "spec.target.manifest: names a target that is not a Secret"),
        ] {
            let response = answer(&world.client, "external-secrets.io", kind, &object).await;
            assert_eq!(response["allowed"], true, "{response}");
            assert!(response["warnings"][0].as_str().unwrap().contains(words), "{response}");
        }
    });
}

fn templated(template: Json) -> Json {
    let mut object = external_secret("it", "Owner");
    object["spec"]["target"]["template"] = template;
    object
}

fn with(mut object: Json, pointer: &str, value: Json) -> Json {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(field.to_owned(), value);
    object
}

fn configured(component: &str, config: Json) -> Json {
    let reference = json!({"kind": "BuiltIn", "name": component});
    json!({"metadata": {"name": "it"}, "spec": {"componentRef": reference, "config": config}})
}

const UNKNOWN_FUNCTION: &str = "there is no function of this name";

#[test]
fn templates_are_refused_with_key_line_column_and_function() {
    let push =
        with(push_secret("it", "app", &["kv"], "None"), "/spec/template", json!({"data": {"a": "{{ if }}"}}));
    let renaming =
        json!([{"extract": {"key": "k"}, "rewrite": [{"transform": {"template": "{{ .value | upcase }}"}}]}]);
    let renaming = with(
        with(external_secret("it", "Owner"), "/spec/secretStoreRef", json!({"name": "kv"})),
        "/spec/dataFrom",
        renaming,
    );
    let several = json!({
        "data": {"tls.crt": "a\n  {{ .x | nope }}", "good": "{{ .x | upper }}", "open": "{{ .x"},
        "metadata": {"labels": {"app": "{{ env \"HOME\" }}"}},
        "templateFrom": [{"literal": "{{ end }}"}, {"configMap": {"name": "m", "items": [{"key": "k"}]}}],
    });
    run(async |world: World| {
        for (kind, object, expected) in [
            ("ExternalSecret", external_secret("it", "Owner"), String::new()),
            (
                "ExternalSecret",
                templated(several),
                format!(
                    "spec.target.template.templateFrom[0].literal: template `literal`, line 1, column 4: the text is not a template: something unexpected stands here; \
                     spec.target.template.data[open]: template `open`, line 1, column 6: an action, comment, string or parenthesis is not closed; \
                     spec.target.template.data[tls.crt]: template `tls.crt`, line 2, column 11, `nope`: {UNKNOWN_FUNCTION}; \
                     spec.target.template.metadata.labels[app]: template `app`, line 1, column 4, `env`: {UNKNOWN_FUNCTION}"
                ),
            ),
            (
                "ExternalSecret",
                renaming,
                format!(
                    "spec.dataFrom[0].rewrite[0].transform.template: template `transform`, line 1, column 13, `upcase`: {UNKNOWN_FUNCTION}"
                ),
            ),
            (
                "PushSecret",
                push,
                "spec.template.data[a]: template `a`, line 1, column 7: the text is not a template: something unexpected stands here".to_owned(),
            ),
        ] {
            assert_eq!(problems(&world, kind, &object).await, expected);
        }
    });
}

#[test]
fn specs_are_refused_with_every_problem() {
    let both = json!({"deletionPolicy": "Delete", "creationPolicy": "Merge", "template": {"data": {"a": "{{ nope }}"}}});
    let both = with(
        with(external_secret("it", "Owner"), "/spec/target", both),
        "/spec/data",
        json!([{"secretKey": "a", "remoteRef": {"key": "k"}}]),
    );
    let store = with(vault_store("it", "kv:8200"), "/spec/conditions", json!([{"namespaceRegexes": ["("]}]));
    let fake = json!({"metadata": {"name": "it"}, "spec": {"data": {"": CANARY}}});
    let password = |length: i64| json!({"metadata": {"name": "it"}, "spec": {"length": length, "digits": 9, "noUpper": false, "allowRepeat": true}});
    let cluster = json!({"metadata": {"name": "it"}, "spec": {"kind": "Password", "generator": {"passwordSpec": password(4)["spec"]}}});
    run(async |world: World| {
        for (kind, object, expected) in [
            (
                "ExternalSecret",
                both,
                &[
                    "spec.target.deletionPolicy: ",
                    "spec.data[0]: has no store",
                    "spec.target.template.data[a]: ",
                ][..],
            ),
            (
                "ExternalSecret",
                with(external_secret("it", "Owner"), "/spec/refreshInterval", json!("soon")),
                &["spec: ", "soon", "kubectl explain"],
            ),
            ("SecretStore", vault_store("it", "kv:8200"), &[]),
            ("SecretStore", store, &["spec.conditions[0].namespaceRegexes[0]: is not a regular expression"]),
            (
                "SecretStore",
                json!({"metadata": {"name": "it"}, "spec": {"provider": {}}}),
                &["spec.provider: names none"],
            ),
            (
                "PushSecret",
                with(push_secret("it", "app", &["kv"], "None"), "/spec/selector", json!({})),
                &["spec.selector: needs exactly one"],
            ),
            ("Password", password(24), &[]),
            ("Password", password(4), &["spec"]),
            ("ClusterGenerator", cluster, &["spec.generator.passwordSpec"]),
            ("Fake", fake, &["spec.data"]),
            ("Generator", configured("password", json!({"length": 24})), &[]),
            (
                "Generator",
                configured("password", json!({"length": "x", "lenght": CANARY})),
                &["spec.config.length: ", "spec.config"],
            ),
            ("Policy", configured("length", json!({"min": 12})), &[]),
            ("Policy", configured("length", json!({"min": "12"})), &["spec.config.min: "]),
            ("Component", configured("length", json!({"min": "12"})), &[]),
        ] {
            let found = problems(&world, kind, &object).await;
            assert_eq!(found.is_empty(), expected.is_empty(), "{object}: {found}");
            for words in expected {
                assert!(found.contains(words), "{words:?} is not in {found:?}");
            }
        }
    });
}

#[test]
fn what_is_another_controllers_is_let_through() {
    run(async |world: World| {
        let foreign = with(vault_store("theirs", "kv:8200"), "/spec/controller", json!("other"));
        world.create::<SecretStore>(foreign.clone()).await;
        world.create::<SecretStore>(vault_store("ours", "kv:8200")).await;
        assert_eq!(problems(&world, "SecretStore", &with(foreign, "/spec/provider", json!({}))).await, "");
        for (store, refused) in [("theirs", false), ("ours", true), ("nobody's", true)] {
            assert_eq!(
                !problems(&world, "ExternalSecret", &bad_of_store(store)).await.is_empty(),
                refused,
                "{store}"
            );
        }
        let push =
            |stores: &[&str]| with(push_secret("it", "app", stores, "None"), "/spec/selector", json!({}));
        for (stores, refused) in [(&["theirs"][..], false), (&["theirs", "ours"], true)] {
            assert_eq!(
                !problems(&world, "PushSecret", &push(stores)).await.is_empty(),
                refused,
                "{stores:?}"
            );
        }
    });
}

#[test]
fn what_cannot_be_checked_is_let_through_with_a_warning() {
    run(async |world: World| {
        let engine = with(
            templated(json!({"data": {"a": "{{ nope }}"}})),
            "/metadata/annotations",
            json!({"keymill.dev/template-engine": "jinja"}),
        );
        let kubernetes = json!({"metadata": {"name": "it"}, "spec": {"provider": {"kubernetes": {
            "server": {"url": "https://k"}, "auth": {"serviceAccount": {"name": "reader"}},
        }}}});
        for (group, kind, object, words) in [
            (
                "keymill.dev",
                "Generator",
                configured("nobody's", json!({})),
                "config not checked: failed to find the component nobody's",
            ),
            (
                "keymill.dev",
                "Generator",
                with(configured("mine", json!({})), "/spec/componentRef/kind", json!("Component")),
                "config not checked: failed to use Component default/mine: nothing serves for it",
            ),
            (
                "external-secrets.io",
                "ExternalSecret",
                engine,
                "templates not checked: failed to find the component jinja",
            ),
            ("external-secrets.io", "SecretStore", kubernetes, "neither caBundle nor caProvider"),
        ] {
            let response = answer(&world.client, group, kind, &object).await;
            assert_eq!(response["allowed"], true, "{response}");
            let warning = response["warnings"][0].as_str().unwrap();
            assert!(warning.contains(words), "{warning}");
        }
    });
}

/// Where the controllers run it is known what serves for a Component.
#[test]
fn what_serves_for_a_component_is_asked() {
    run(async |world: World| {
        components::populate(&world).await;
        let operator = world.start().await;
        components::serves(&world, &components::built_in("generator", "password")).await;
        let admission = admission_with(operator.engines.clone(), &world.client);
        for (length, allowed) in [(json!(24), true), (json!("long"), false)] {
            let object = configured("mine", json!({"length": length}));
            let object = with(object, "/spec/componentRef/kind", json!("Component"));
            let answer =
                admission.review(review("keymill.dev", "Generator", &object).as_bytes()).await.unwrap();
            let answer: Json = serde_json::from_slice(&answer).unwrap();
            let response = &answer["response"];
            assert_eq!((&response["allowed"], response.get("warnings")), (&json!(allowed), None), "{answer}");
            assert_eq!(answer.to_string().contains("spec.config.length: "), !allowed, "{answer}");
        }
        operator.stop().await;
    });
}

/// Of a refused store's faults nobody can say whose they are.
#[test]
fn doubt_about_the_class_lets_through() {
    run(async |world: World| {
        let unreachable = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("down"))
        });
        let client = Client::new(unreachable, NAMESPACE);
        let object = with(
            templated(json!({"data": {"a": "{{ nope }}"}})),
            "/spec/secretStoreRef",
            json!({"name": "kv"}),
        );
        let object = with(object, "/spec/data", json!([{"secretKey": "a", "remoteRef": {"key": "k"}}]));
        let response = answer(&client, "external-secrets.io", "ExternalSecret", &object).await;
        assert_eq!(response["allowed"], true, "{response}");
        assert!(
            response["warnings"][0].as_str().unwrap().contains("failed to read SecretStore default/kv"),
            "{response}"
        );
        drop(world);
    });
}

/// An ExternalSecret that is refused if its store is ours.
fn bad_of_store(store: &str) -> Json {
    let bad = templated(json!({"data": {"a": "{{ nope }}"}}));
    let storeref = json!({"storeRef": {"name": store}});
    with(bad, "/spec/data", json!([{"secretKey": "a", "remoteRef": {"key": "k"}, "sourceRef": storeref}]))
}

/// With an API server that never answers, every look takes all its time: the first are told so, the next not waited for, and the last do
/// not come to their turn.
#[test]
fn time_and_places_are_bounded() {
    run(async |world: World| {
        let silent = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, std::io::Error>>()
        });
        let admission = admission(&Client::new(silent, NAMESPACE));
        let body = review("external-secrets.io", "ExternalSecret", &bad_of_store("kv"));
        let answers = futures::future::join_all((0..12).map(|_| async {
            match admission.review(body.as_bytes()).await {
                Ok(answer) => {
                    let answer: Json = serde_json::from_slice(&answer).unwrap();
                    assert_eq!(answer["response"]["allowed"], true, "{answer}");
                    answer["response"]["warnings"][0].as_str().unwrap().to_owned()
                }
                Err(error) => error.to_string(),
            }
        }));
        let mut answers = answers.await;
        answers.sort();
        let (mut expected, repeat) = (Vec::new(), |text: &str| vec![text.to_owned(); 4]);
        expected.extend(repeat("not checked within 4s"));
        expected.extend(repeat("not checked: the API server did not answer within 3s"));
        expected.extend(repeat("review the object: too many are under review"));
        assert_eq!(answers, expected);
        drop(world);
    });
}

#[test]
fn the_controller_says_the_same() {
    run(async |world: World| {
        let object = templated(json!({"data": {"a": "\n{{ nope }}"}}));
        let found = problems(&world, "ExternalSecret", &object).await;
        let fault = found.strip_prefix("spec.target.template.data[a]: ").unwrap().to_owned();
        world.create::<ExternalSecret>(object).await;
        let operator = world.start().await;
        let says = async || {
            let status = world.all::<ExternalSecret>().get("it").await.unwrap().status.unwrap_or_default();
            let message = status.conditions.into_iter().next().and_then(|one| one.message);
            message.is_some_and(|message| message.contains(&fault))
        };
        world.until(&fault, says).await;
        operator.stop().await;
    });
}

/// A clock that is set by hand.
#[derive(Clone)]
struct Days(Arc<AtomicI64>);

impl Clock for Days {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-25T16:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(24 * self.0.load(Ordering::Relaxed))
    }
}

/// The authorities in the Secret, by what the text of each is.
async fn authorities(world: &World) -> Vec<String> {
    let secret = world.secret("keymill-admission").await;
    let text = secret.map(|secret| text(&secret).remove("ca.crt").unwrap()).unwrap_or_default();
    let end = "-----END CERTIFICATE-----\n";
    text.split_inclusive(end).map(str::to_owned).collect()
}

#[test]
fn replicas_share_one_certificate_and_renew_it_in_time() {
    run(async |world: World| {
        let days = Days(Arc::default());
        let stop = CancellationToken::new();
        let mut served: Vec<_> = (0..2)
            .map(|_| {
                let clock = Arc::new(days.clone());
                let keeper = AdmissionKeeper::new(world.client.clone(), clock, "keymill".to_owned());
                let served = keeper.served();
                tokio::spawn(keeper.keep(stop.clone()));
                served
            })
            .collect();
        for one in &mut served {
            assert!(one.wait_for(Option::is_some).await.is_ok());
        }
        let first = authorities(&world).await;
        assert_eq!(first.len(), 1);
        for (day, renewed) in [(200, false), (260, true), (400, false), (520, true)] {
            let before = authorities(&world).await;
            days.0.store(day, Ordering::Relaxed);
            world.settle(120).await;
            let after = authorities(&world).await;
            for one in &mut served {
                assert_eq!(one.has_changed().unwrap(), renewed, "day {day}");
                drop(one.borrow_and_update());
            }
            let kept = if renewed { after.last().unwrap() } else { &after[0] };
            assert_eq!((kept, after != before), (&before[0], renewed), "day {day}");
            assert!(after.len() <= 2, "of those before only the last one is trusted");
        }
        world.delete::<Secret>("keymill-admission").await;
        world.settle(120).await;
        assert_eq!(authorities(&world).await.len(), 1, "one that was deleted is made anew");
        stop.cancel();
    });
}
