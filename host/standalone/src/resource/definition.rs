//! From a CustomResourceDefinition to the kinds that it adds.

use std::sync::Arc;

use serde_json::Value;

use super::{CUSTOM_VERBS, ResourceInfo};
use crate::schema::kind::{check_definition, is_shared};
use crate::schema::{Cause, Schema};
use crate::table::{Column, Columns};

/// One resource for each version, or all that is wrong.
pub(super) fn resources(definition: &Value) -> Result<Vec<ResourceInfo>, Vec<Cause>> {
    let mut causes = check_definition(definition);
    let mut resources = Vec::new();
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    for (index, version) in versions.into_iter().flatten().enumerate() {
        match resource(definition, version) {
            Ok(resource) => resources.push(resource),
            Err(found) => {
                // What all versions have in common is one field of the definition, for kube-apiserver.
                let prefix = match is_shared(definition, "schema") {
                    true if index > 0 => continue,
                    true => "spec.validation.openAPIV3Schema".to_owned(),
                    false => format!("spec.versions[{index}].schema.openAPIV3Schema"),
                };
                causes.extend(found.into_iter().map(|cause| cause.below(&prefix)));
            }
        }
    }
    if causes.is_empty() { Ok(resources) } else { Err(causes) }
}

fn resource(definition: &Value, version: &Value) -> Result<ResourceInfo, Vec<Cause>> {
    let text =
        |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = text("/spec/names/kind");
    let or = |given: String, default: String| if given.is_empty() { default } else { given };
    let schema = version.pointer("/schema/openAPIV3Schema").map(Schema::parse).transpose()?;
    Ok(ResourceInfo {
        group: text("/spec/group"),
        version: version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        plural: text("/spec/names/plural"),
        singular: or(text("/spec/names/singular"), kind.to_lowercase()),
        list_kind: or(text("/spec/names/listKind"), format!("{kind}List")),
        kind,
        namespaced: text("/spec/scope") == "Namespaced",
        short_names: strings(definition.pointer("/spec/names/shortNames")),
        categories: strings(definition.pointer("/spec/names/categories")),
        verbs: CUSTOM_VERBS.to_vec(),
        has_status: version.pointer("/subresources/status").is_some_and(Value::is_object),
        subresources: Vec::new(),
        columns: columns(version),
        selectable_fields: selectable(version),
        schema: schema.map(Arc::new),
        storage: flag(version, "storage"),
        served: flag(version, "served"),
        deprecated: flag(version, "deprecated"),
        deprecation_warning: version.get("deprecationWarning").and_then(Value::as_str).map(str::to_owned),
        builtin: false,
    })
}

fn columns(version: &Value) -> Columns {
    let declared = version.get("additionalPrinterColumns").and_then(Value::as_array);
    match declared {
        Some(declared) if !declared.is_empty() => {
            Columns::Declared(declared.iter().filter_map(Column::parse).collect())
        }
        _ => Columns::Builtin(crate::table::BuiltinColumns::NameAndAge),
    }
}

fn selectable(version: &Value) -> Vec<String> {
    let fields = version.get("selectableFields").and_then(Value::as_array);
    let paths = fields.into_iter().flatten().filter_map(|field| field.get("jsonPath")?.as_str());
    paths.map(|path| path.trim_start_matches('.').to_owned()).collect()
}

fn flag(version: &Value, name: &str) -> bool {
    version.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
