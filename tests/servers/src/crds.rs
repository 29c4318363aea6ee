//! CustomResourceDefinitions, applied and waited for.

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::http::Http;
use crate::process;

/// Applies all that a YAML stream defines and waits until the API server serves it. Without conversion: there is no webhook.
pub(crate) fn apply(http: &Http, yaml: &str) -> Result<()> {
    let definitions: Vec<Json> = serde_saphyr::from_multiple(yaml).context("read the definitions")?;
    let mut names = Vec::new();
    for mut definition in definitions {
        if let Some(spec) = definition.pointer_mut("/spec").and_then(Json::as_object_mut) {
            spec.remove("conversion");
        }
        let name =
            definition.pointer("/metadata/name").and_then(Json::as_str).context("a CRD has no name")?;
        let name = name.to_owned();
        apply_one(http, &name, &definition)?;
        names.push(name);
    }
    names.iter().try_for_each(|name| established(http, name))
}

fn path(name: &str) -> String {
    format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
}

fn apply_one(http: &Http, name: &str, definition: &Json) -> Result<()> {
    let path = format!("{}?fieldManager=servers&force=true", path(name));
    match http.call_as("PATCH", &path, "application/apply-patch+yaml", Some(definition))? {
        (200 | 201, _) => Ok(()),
        (status, answer) => anyhow::bail!("apply the CRD {name}: {status} {answer}"),
    }
}

fn established(http: &Http, name: &str) -> Result<()> {
    let wanted = json!({"type": "Established", "status": "True"});
    let is_wanted =
        |condition: &Json| ["type", "status"].iter().all(|field| condition.get(field) == wanted.get(field));
    process::until(&format!("the CRD {name} is established"), || {
        let found = http.expect("GET", &path(name), None).ok()?;
        let conditions = found.pointer("/status/conditions")?.as_array()?;
        conditions.iter().any(is_wanted).then_some(())
    })
}
