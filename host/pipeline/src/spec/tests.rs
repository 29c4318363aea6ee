use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{external_secret, password};

fn check(spec: Json, want: &[&str]) {
    let problems = match CheckedSpec::parse(&external_secret(spec.clone())) {
        Ok(_) => Vec::new(),
        Err(SpecError::Invalid { problems, .. }) => {
            problems.iter().map(|problem| problem.path.clone()).collect()
        }
    };
    assert_eq!(problems, want, "{spec}");
}

#[test]
fn all_problems_are_reported_with_their_paths() {
    let store = json!({"name": "vault"});
    let data = json!([{"secretKey": "k", "remoteRef": {"key": "k"}}]);
    check(json!({"secretStoreRef": store, "data": data}), &[]);
    check(
        json!({"secretStoreRef": store, "data": data, "target": {"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}}),
        &["spec.target.manifest"],
    );
    let windows = json!({"kind": "deny", "windows": [
        {"schedule": "@daily", "duration": "1h"}, {"schedule": "99 * * * *", "duration": "1h"}, {"schedule": "* 99 * * *", "duration": "1h"},
    ]});
    check(
        json!({"secretStoreRef": store, "data": data, "syncWindows": windows}),
        &["spec.syncWindows.windows[1].schedule", "spec.syncWindows.windows[2].schedule"],
    );
    let rewrite = json!([{"regexp": {"source": "(", "target": ""}}]);
    check(
        json!({"secretStoreRef": store, "dataFrom": [{"extract": {"key": "k"}, "rewrite": rewrite}]}),
        &["spec.dataFrom[0].rewrite[0].regexp.source"],
    );
    check(json!({"data": data}), &["spec.data[0]"]);
}

#[test]
fn the_message_names_the_object_and_every_field() {
    let error = CheckedSpec::parse(&external_secret(
        json!({"data": [{"secretKey": "k", "remoteRef": {"key": "k"}}]}),
    ))
    .unwrap_err();
    let message = crate::outcome::message(&error);
    assert!(
        message.starts_with("failed to read the spec of ExternalSecret shop/app: spec.data[0]: "),
        "{message}"
    );
    assert!(message.ends_with("; correct these fields and apply the manifest again"), "{message}");
}

#[test]
fn equal_generators_are_told_apart_by_their_occurrence() {
    let spec = crate::fixture::checked(json!({"dataFrom": [password("a"), password("b"), password("a")]}));
    let keys: Vec<&str> = spec.generators().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["Password/a#0", "Password/b#0", "Password/a#1"]);
}

#[test]
fn template_sources_are_named_for_the_watches() {
    let template = json!({"templateFrom": [
        {"configMap": {"name": "c", "items": [{"key": "k"}]}},
        {"secret": {"name": "s", "items": [{"key": "k"}]}},
        {"literal": "a: b"},
    ]});
    let spec =
        crate::fixture::checked(json!({"dataFrom": [password("a")], "target": {"template": template}}));
    let names: Vec<String> = spec.template_sources("shop").iter().map(ToString::to_string).collect();
    assert_eq!(names, ["ConfigMap shop/c", "Secret shop/s"]);
}
