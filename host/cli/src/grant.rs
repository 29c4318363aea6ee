//! Grants from the command line: a label that the component wants, and the file that stands behind it.
//!
//! A label that was not granted stays denied. Prefixes of a Vault are granted by the operator only; here they are refused.

use std::path::Path;
use std::sync::Arc;

use runtime::{Capability, Description, Grant, Grants};

use crate::ending::Ending;
use crate::manifest::{self, Manifest};
use crate::objects::Granted;

/// Reads `LABEL=FILE` for each text.
pub(crate) fn parse(texts: &[String], description: &Description) -> Result<Grants, Ending> {
    let mut grants = Grants::none();
    for text in texts {
        let (label, what) = text
            .split_once('=')
            .filter(|(label, what)| !label.is_empty() && !what.is_empty())
            .ok_or_else(|| Ending::usage(format!("read --grant {text:?}: say LABEL=FILE")))?;
        let failed = |what: String| format!("grant {label}: {what}");
        let want = description.want(label);
        match want.map(|want| want.capability) {
            Some(Capability::Kube) => {
                let manifest = only(Path::new(what)).map_err(|what| Ending::failed(failed(what)))?;
                let granted = Granted::of(&manifest);
                let granted = granted.map_err(|wrong| Ending::failed(failed(format!("{what}: {wrong}"))))?;
                grants = grants.with(label, Grant::Kube(Arc::new(granted)));
            }
            Some(Capability::Vault | Capability::Http | Capability::Previous) => {
                let what = "only a Secret or ConfigMap can be granted on the command line, and this label wants another capability";
                return Err(Ending::usage(failed(what.to_owned())));
            }
            None => {
                return Err(Ending::usage(failed(format!(
                    "{} wants {}",
                    description.name,
                    wants(description)
                ))));
            }
        }
    }
    Ok(grants)
}

fn wants(description: &Description) -> String {
    let labels: Vec<&str> = description.wants.iter().map(|want| want.label.as_str()).collect();
    if labels.is_empty() {
        "no grant".to_owned()
    } else {
        format!("only {}", labels.join(", "))
    }
}

/// The only manifest in a file.
fn only(path: &Path) -> Result<Manifest, String> {
    let name = path.display();
    let mut manifests = manifest::read(path).map_err(|error| format!("read {name}: {error}"))?;
    if let Some(bad) = manifests.bad.first() {
        return Err(format!("read {bad}"));
    }
    match (manifests.good.pop(), manifests.good.len()) {
        (Some(manifest), 0) => Ok(manifest),
        (None, _) => Err(format!("{name} holds no manifest")),
        (Some(_), more) => Err(format!("{name} holds {} manifests, and one is wanted", more + 1)),
    }
}

#[cfg(test)]
mod tests {
    use runtime::Want;

    use super::*;

    fn check(grant: &str, expected: Result<&[&str], &str>) {
        let want = |label: &str, capability| Want {
            label: label.to_owned(),
            capability,
            about: "A label.".to_owned(),
        };
        let description = Description {
            name: "probe".to_owned(),
            version: "1".to_owned(),
            summary: "Probes.".to_owned(),
            config_schema: Arc::new(serde_json::Value::Bool(true)),
            fields: vec![],
            rules: vec![],
            wants: vec![want("db", Capability::Kube), want("store", Capability::Vault)],
        };
        match (parse(&[grant.to_owned()], &description), expected) {
            (Ok(grants), Ok(labels)) => {
                assert_eq!(
                    grants.labels().map(|(label, _)| label).collect::<Vec<_>>(),
                    labels,
                    "{grant}"
                );
            }
            (Err(ending), Err(expected)) => {
                assert!(
                    format!("{ending:?}").contains(expected),
                    "{ending:?} lacks {expected}"
                );
            }
            (found, expected) => panic!("{grant}: {found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_label_is_bound_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.yaml");
        std::fs::write(
            &path,
            "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: z}}",
        )
        .unwrap();
        check(&format!("db={}", path.display()), Ok(&["db"]));
        check(
            &format!("other={}", path.display()),
            Err("grant other: probe wants only db, store"),
        );
        check(
            "store=http://127.0.0.1:8200/v1/secret",
            Err("grant store: only a Secret or ConfigMap can be granted"),
        );
        check(
            "db=/nowhere/secret.yaml",
            Err("grant db: read /nowhere/secret.yaml: No such file"),
        );
        check("db", Err("say LABEL=FILE"));
        std::fs::write(&path, "{apiVersion: v1, kind: Pod, metadata: {name: a}}").unwrap();
        check(
            &format!("db={}", path.display()),
            Err("Pod/a is neither a Secret nor a ConfigMap"),
        );
    }
}
