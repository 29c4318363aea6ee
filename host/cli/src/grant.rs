//! Grants from the command line: a label that the component wants, and what stands behind it: a file for an object of the cluster,
//! an address for a prefix of a Vault.
//!
//! A label that was not granted stays denied. The token for a Vault comes from the environment, as Vault's own client has it; why a
//! Vault refused is said on standard error, since the component learns no more than that it did.

use std::path::Path;
use std::sync::Arc;

use controller::{Bridge, VaultPrefix};
use runtime::{Capability, Description, Grant, Grants};
use stores::Clients;
use stores::vault::prefix::{Access, Address, Prefix};
use tokio::runtime::{Builder, Handle};

use crate::ending::{Ending, chain, say};
use crate::environment;
use crate::manifest::{self, Manifest};
use crate::objects::Granted;

/// Reads `LABEL=FILE` or `LABEL=URL` for each text.
pub(crate) fn parse(texts: &[String], description: &Description) -> Result<Grants, Ending> {
    let mut grants = Grants::none();
    for text in texts {
        let (label, what) = text
            .split_once('=')
            .filter(|(label, what)| !label.is_empty() && !what.is_empty())
            .ok_or_else(|| Ending::usage(format!("read --grant {text:?}: say LABEL=FILE or LABEL=URL")))?;
        grants = grants.with(label, grant(label, what, description)?);
    }
    Ok(grants)
}

/// What stands behind one label.
fn grant(label: &str, what: &str, description: &Description) -> Result<Grant, Ending> {
    let failed = |what: String| format!("grant {label}: {what}");
    match description.want(label).map(|want| want.capability) {
        Some(Capability::Kube) => {
            let granted = object(what).map_err(|wrong| Ending::failed(failed(wrong)))?;
            Ok(Grant::Kube(Arc::new(granted)))
        }
        Some(Capability::Vault) => {
            let address = what
                .parse()
                .map_err(|error| Ending::usage(failed(chain(&error))))?;
            let prefix = prefix(label, &address).map_err(|wrong| Ending::failed(failed(wrong)))?;
            Ok(Grant::Vault(Arc::new(prefix)))
        }
        Some(Capability::Http | Capability::Previous) => Err(Ending::usage(failed(
            "only a Secret, a ConfigMap or a prefix of a Vault can be granted on the command line, and this label wants another \
             capability"
                .to_owned(),
        ))),
        None => Err(Ending::usage(failed(format!(
            "{} wants {}",
            description.name,
            wants(description)
        )))),
    }
}

/// The Secret or ConfigMap in a file.
fn object(file: &str) -> Result<Granted, String> {
    Granted::of(&only(Path::new(file))?).map_err(|wrong| format!("{file}: {wrong}"))
}

/// A prefix of a Vault, reached with what the environment says.
fn prefix(label: &str, address: &Address) -> Result<VaultPrefix, String> {
    let token = environment::vault_token().ok_or("find a token for the Vault: set $VAULT_TOKEN")?;
    let authorities = environment::vault_authorities()
        .map(|file| std::fs::read(&file).map_err(|error| format!("read {}: {error}", file.display())))
        .transpose()?;
    let access = Access { token, namespace: environment::vault_namespace(), authorities };
    let clients = Clients::new(stores::Addresses::new());
    let prefix = Prefix::open(address, &access, &clients).map_err(|error| chain(&error))?;
    let handle = background().map_err(|error| format!("start a thread for the Vault: {error}"))?;
    let label = label.to_owned();
    let told = move |error: &(dyn std::error::Error + 'static)| {
        say(&format!("grant {label}: failed to {}\n", chain(error)));
    };
    Ok(VaultPrefix::new(prefix, Bridge::new(handle, told)))
}

/// A runtime on a thread of its own, which ends with the process: the guest's thread waits for what it does.
fn background() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("grants".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

fn wants(description: &Description) -> String {
    let labels: Vec<&str> = description.wants.iter().map(|want| want.label.as_str()).collect();
    if labels.is_empty() { "no grant".to_owned() } else { format!("only {}", labels.join(", ")) }
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
            wants: vec![
                want("db", Capability::Kube),
                want("store", Capability::Vault),
                want("before", Capability::Previous),
            ],
        };
        match (parse(&[grant.to_owned()], &description), expected) {
            (Ok(grants), Ok(labels)) => {
                assert_eq!(grants.labels().map(|(label, _)| label).collect::<Vec<_>>(), labels, "{grant}");
            }
            (Err(ending), Err(expected)) => {
                assert!(format!("{ending:?}").contains(expected), "{ending:?} lacks {expected}");
            }
            (found, expected) => panic!("{grant}: {found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_label_is_bound_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.yaml");
        std::fs::write(&path, "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {x: z}}")
            .unwrap();
        check(&format!("db={}", path.display()), Ok(&["db"]));
        check(&format!("other={}", path.display()), Err("grant other: probe wants only db, store, before"));
        check(
            "before=values.yaml",
            Err("grant before: only a Secret, a ConfigMap or a prefix of a Vault can be granted"),
        );
        check("db=/nowhere/secret.yaml", Err("grant db: read /nowhere/secret.yaml: No such file"));
        check("db", Err("say LABEL=FILE or LABEL=URL"));
        std::fs::write(&path, "{apiVersion: v1, kind: Pod, metadata: {name: a}}").unwrap();
        check(&format!("db={}", path.display()), Err("Pod/a is neither a Secret nor a ConfigMap"));
    }

    /// How a token and a server fare is shown by the cases and tests that run the binary.
    #[test]
    fn an_address_of_a_prefix_is_checked() {
        for address in ["secret.yaml", "http://127.0.0.1:8200", "http://127.0.0.1:8200/v1/"] {
            check(&format!("store={address}"), Err("grant store: find the path after /v1/ in the address"));
        }
        check(
            "store=http://127.0.0.1:8200/v1/secret/../sys",
            Err("grant store: use a path with a relative segment"),
        );
    }
}
