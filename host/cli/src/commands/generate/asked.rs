//! Which generator is asked, with which config, and for whom: from a manifest or from flags.

use std::path::Path;

use api::ComponentKind;
use api::names::group;
use runtime::Owner;
use serde_json::{Value as Json, json};

use crate::args::Generate;
use crate::config::Config;
use crate::ending::Ending;
use crate::manifest::{self, Manifest};

/// What is asked.
pub(super) struct Asked {
    /// As the catalog finds it.
    pub(super) component: String,
    pub(super) config: Config,
    pub(super) owner: Owner,
}

/// A generator's kind, its component, and where a ClusterGenerator holds its config.
struct Kind {
    kind: &'static str,
    component: &'static str,
    key: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { kind: "Password", component: "password", key: "passwordSpec" },
    Kind { kind: "UUID", component: "uuid", key: "uuidSpec" },
    Kind { kind: "Fake", component: "fake", key: "fakeSpec" },
];

const CLUSTER: &str = "ClusterGenerator";
/// Our own kind.
const CONFIGURED: &str = "Generator";

impl Asked {
    pub(super) fn of(args: &Generate) -> Result<Self, Ending> {
        match (&args.manifest, &args.component) {
            (Some(manifest), _) => Self::of_file(manifest),
            (None, Some(component)) => Ok(Self {
                component: component.clone(),
                config: Config::of_flag("--config", &args.config)?,
                owner: Owner { namespace: "default".to_owned(), name: "generate".to_owned() },
            }),
            (None, None) => Err(Ending::usage("generate: name a manifest or a --component")),
        }
    }

    fn of_file(path: &Path) -> Result<Self, Ending> {
        let name = path.display();
        let manifests =
            manifest::read(path).map_err(|error| Ending::failed(format!("read {name}: {error}")))?;
        if let Some(bad) = manifests.bad.first() {
            return Err(Ending::failed(format!("read {bad}")));
        }
        let mut generators = manifests.good.iter().filter(|manifest| is_generator(manifest));
        match (generators.next(), generators.next()) {
            (Some(generator), None) => Self::of_manifest(generator),
            (Some(one), Some(other)) => Err(Ending::failed(format!(
                "choose a generator: {name} holds {} and {}, and one is wanted",
                one.title(),
                other.title()
            ))),
            (None, _) => {
                let titles: Vec<String> = manifests.good.iter().map(Manifest::title).collect();
                let holds = if titles.is_empty() { "nothing".to_owned() } else { titles.join(", ") };
                Err(Ending::failed(format!("find a generator: {name} holds {holds}; {}", supported())))
            }
        }
    }

    fn of_manifest(manifest: &Manifest) -> Result<Self, Ending> {
        let origin = format!("{}, {}", manifest.file.display(), manifest.title());
        let failed = |what: String| Ending::failed(format!("read {origin}: {what}"));
        if manifest.kind() == CONFIGURED {
            return Self::configured(manifest, origin);
        }
        let (kind, place) = if manifest.kind() == CLUSTER {
            let wrapped = manifest.text_at("/spec/kind");
            let kind =
                find(wrapped).ok_or_else(|| failed(format!("spec.kind is {wrapped:?}; {}", supported())))?;
            (kind, format!("/spec/generator/{}", kind.key))
        } else {
            let kind = find(manifest.kind()).ok_or_else(|| failed(supported()))?;
            (kind, "/spec".to_owned())
        };
        let json = match manifest.object.pointer(&place) {
            Some(config) => config.clone(),
            None if place == "/spec" => json!({}),
            None => {
                return Err(failed(format!(
                    "spec.generator.{} is missing, which belongs to {}",
                    kind.key, kind.kind
                )));
            }
        };
        Ok(Self {
            component: kind.component.to_owned(),
            config: Config { json: without_nulls(json), origin, place },
            owner: owner(manifest),
        })
    }

    /// Of our own kind, which names its component.
    fn configured(manifest: &Manifest, origin: String) -> Result<Self, Ending> {
        let kind = manifest.text_at("/spec/componentRef/kind");
        if kind != ComponentKind::BuiltIn.as_str() {
            return Err(Ending::failed(format!(
                "read {origin}: spec.componentRef.kind is {kind:?}; without a cluster it can be BuiltIn"
            )));
        }
        let json = manifest.object.pointer("/spec/config").cloned().unwrap_or(Json::Null);
        Ok(Self {
            component: manifest.text_at("/spec/componentRef/name").to_owned(),
            config: Config { json: without_nulls(json), origin, place: "/spec/config".to_owned() },
            owner: owner(manifest),
        })
    }
}

fn owner(manifest: &Manifest) -> Owner {
    Owner { namespace: manifest.namespace().to_owned(), name: manifest.name().to_owned() }
}

fn is_generator(manifest: &Manifest) -> bool {
    match (manifest.api_version().split_once('/').map(|(group, _)| group), manifest.kind()) {
        (Some(group::GENERATORS), kind) => kind == CLUSTER || find(kind).is_some(),
        (Some(group::KEYMILL), kind) => kind == CONFIGURED,
        _ => false,
    }
}

fn find(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.kind == kind)
}

fn supported() -> String {
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.kind).collect();
    format!(
        "generators are {} and {CLUSTER} of {}, and {CONFIGURED} of {}",
        kinds.join(", "),
        group::GENERATORS,
        group::KEYMILL
    )
}

/// A key without a value is a key left out, as it is for a cluster.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Null => json!({}),
        Json::Object(map) => Json::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, Json, &str), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, text).unwrap();
        match (Asked::of_file(&path), expected) {
            (Ok(asked), Ok((component, config, place))) => {
                assert_eq!((asked.component.as_str(), &asked.config.json), (component, &config), "{text}");
                assert_eq!(asked.config.place, place, "{text}");
            }
            (Err(ending), Err(expected)) => {
                assert!(format!("{ending:?}").contains(expected), "{ending:?} lacks {expected}");
            }
            (asked, _) => panic!("{text}: {:?}", asked.map(|asked| asked.component)),
        }
    }

    fn manifest(kind: &str, spec: &str) -> String {
        format!(
            "{{apiVersion: generators.external-secrets.io/v1alpha1, kind: {kind}, metadata: {{name: x}}{spec}}}\n"
        )
    }

    #[test]
    fn the_kind_names_the_component_and_the_spec_is_its_config() {
        let password = manifest("Password", ", spec: {length: 7, digits: null}");
        check(&password, Ok(("password", json!({"length": 7}), "/spec")));
        check(&manifest("UUID", ""), Ok(("uuid", json!({}), "/spec")));
        check(
            &manifest("Fake", ", spec: {data: {a: b}}"),
            Ok(("fake", json!({"data": {"a": "b"}}), "/spec")),
        );
        let cluster = manifest("ClusterGenerator", ", spec: {kind: UUID, generator: {uuidSpec: {}}}");
        check(&cluster, Ok(("uuid", json!({}), "/spec/generator/uuidSpec")));
        check(
            &configured("{kind: BuiltIn, name: password}", ", config: {length: 9, digits: null}"),
            Ok(("password", json!({"length": 9}), "/spec/config")),
        );
        check(&configured("{kind: BuiltIn, name: uuid}", ""), Ok(("uuid", json!({}), "/spec/config")));
        let beside = format!("{{apiVersion: v1, kind: Secret, metadata: {{name: z}}}}\n---\n{password}");
        check(&beside, Ok(("password", json!({"length": 7}), "/spec")));
    }

    fn configured(component: &str, config: &str) -> String {
        format!(
            "{{apiVersion: keymill.dev/v1alpha1, kind: Generator, metadata: {{name: x}}, spec: {{componentRef: {component}{config}}}}}\n"
        )
    }

    #[test]
    fn what_is_no_generator_is_said() {
        check(
            &configured("{kind: Component, name: mine}", ""),
            Err(r#"spec.componentRef.kind is \"Component\"; without a cluster it can be BuiltIn"#),
        );
        check(
            &manifest("SSHKey", ""),
            Err("holds SSHKey/x; generators are Password, UUID, Fake and ClusterGenerator"),
        );
        check(
            "{apiVersion: v1, kind: Password, metadata: {name: x}}",
            Err("holds Password/x; generators are"),
        );
        check("", Err("holds nothing; generators are"));
        let two = format!("{}---\n{}", manifest("UUID", ""), manifest("Fake", ""));
        check(&two, Err("holds UUID/x and Fake/x, and one is wanted"));
        let cluster = manifest("ClusterGenerator", ", spec: {kind: SSHKey, generator: {sshKeySpec: {}}}");
        check(&cluster, Err(r#"spec.kind is \"SSHKey\"; generators are"#));
        let cluster = manifest("ClusterGenerator", ", spec: {kind: UUID, generator: {fakeSpec: {}}}");
        check(&cluster, Err("spec.generator.uuidSpec is missing, which belongs to UUID"));
    }
}
