//! The definitions against what is committed, against ESO's facts, and against kube-apiserver's rules.
//!
//! `KEYMILL_BLESS=1 cargo test -p keymill-api` writes the committed files anew.

mod facts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// Whether committed files are written anew instead of compared.
#[expect(clippy::disallowed_methods, reason = "a switch for developers; nothing but tests reads it")]
pub(super) fn is_blessing() -> bool {
    std::env::var("KEYMILL_BLESS").is_ok_and(|value| value == "1")
}

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a text with the committed one, or commits it.
fn check_committed(path: &Path, text: &str) {
    if is_blessing() {
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is not what the types say; KEYMILL_BLESS=1 cargo test -p keymill-api writes it anew",
        path.display()
    );
}

#[test]
fn committed_files_are_the_definitions() {
    let folder = in_crate("../deploy/crds");
    let expected: BTreeMap<String, String> = crds()
        .iter()
        .map(|crd| {
            let name = format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural);
            (name, format!("---\n{}", serde_saphyr::to_string(crd).unwrap()))
        })
        .collect();
    for (name, text) in &expected {
        check_committed(&folder.join(name), text);
    }
    let found =
        std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    for name in found {
        assert!(expected.contains_key(&name), "{name} in deploy/crds is no definition of ours");
    }
}

#[test]
fn yaml_holds_all_definitions_in_order() {
    let yaml = crds_yaml().unwrap();
    let documents: Vec<CustomResourceDefinition> =
        yaml.split("---\n").skip(1).map(|text| serde_saphyr::from_str(text).unwrap()).collect();
    assert_eq!(documents, crds());
    let kinds: Vec<&str> = documents.iter().map(|crd| crd.spec.names.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "ExternalSecret",
            "SecretStore",
            "ClusterSecretStore",
            "PushSecret",
            "ClusterGenerator",
            "Fake",
            "Password",
            "UUID",
            "Generator",
            "Policy",
            "ClusterPolicy",
            "Component",
            "ClusterComponent",
            "Grant"
        ]
    );
}

/// The schema of each kind, with the kind.
fn schemas() -> Vec<(String, JSONSchemaProps)> {
    let schema = |crd: CustomResourceDefinition| {
        let version = crd.spec.versions.into_iter().next().unwrap();
        (crd.spec.names.kind, version.schema.unwrap().open_api_v3_schema.unwrap())
    };
    crds().into_iter().map(schema).collect()
}

#[test]
fn schemas_are_structural() {
    for (kind, schema) in schemas() {
        check_structural(&schema, &kind);
    }
}

/// The rules of apiextensions for structural schemas, as far as ours can break them.
fn check_structural(schema: &JSONSchemaProps, path: &str) {
    assert_eq!(
        (&schema.ref_path, &schema.one_of, &schema.all_of, &schema.not),
        (&None, &None, &None, &None),
        "{path}"
    );
    assert_eq!(schema.any_of.is_some(), schema.x_kubernetes_int_or_string == Some(true), "{path}: anyOf");
    let typeless = schema.x_kubernetes_int_or_string == Some(true)
        || schema.x_kubernetes_preserve_unknown_fields == Some(true) && schema.properties.is_none();
    assert!(schema.type_.is_some() || typeless, "{path} has no type");
    assert!(
        schema.properties.is_none() || schema.additional_properties.is_none(),
        "{path}: properties and a map"
    );
    assert!(schema.unique_items.is_none() && schema.title.is_none() && schema.id.is_none(), "{path}");
    for name in schema.required.iter().flatten() {
        assert!(
            schema.properties.as_ref().unwrap().contains_key(name),
            "{path} requires {name}, which it does not have"
        );
    }
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        assert!(property.description.is_some(), "{path} has no description for kubectl explain");
        check_structural(property, &path);
    }
    if let Some(items) = &schema.items {
        let JSONSchemaPropsOrArray::Schema(items) = items else { panic!("{path}: a list of item schemas") };
        check_structural(items, &format!("{path}[]"));
    }
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => check_structural(values, &format!("{path}{{}}")),
        Some(JSONSchemaPropsOrBool::Bool(_)) => panic!("{path}: additionalProperties is a flag"),
        None => {}
    }
}

/// `kubectl explain` shows our words; the derive must not put any of its own there, nor Rust's markup.
#[test]
fn descriptions_are_for_readers_of_kubectl_explain() {
    let yaml = crds_yaml().unwrap();
    for word in ["Auto-generated", "[`", "]`", "::", "Option<", "Vec<"] {
        assert!(!yaml.contains(word), "a description contains {word}");
    }
}

/// kube puts the description of an enum in the place of the field's when the field is an `Option`; `schemars(with)` on
/// the field prevents it.
#[test]
fn optional_enums_keep_the_description_of_the_field() {
    for (kind, schema) in schemas() {
        check_enums(&schema, &kind);
    }
}

fn check_enums(schema: &JSONSchemaProps, path: &str) {
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        let required = schema.required.iter().flatten().any(|required| required == name);
        if property.enum_.is_some() && property.default.is_none() && !required {
            let description = property.description.as_deref().unwrap_or_default();
            assert!(
                description.contains("when left out") || path.contains(".status."),
                "{path}: {description}"
            );
        }
        check_enums(property, &path);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        check_enums(items, &format!("{path}[]"));
    }
}
