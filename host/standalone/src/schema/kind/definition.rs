//! CustomResourceDefinitions, except inside their schemas.

use serde_json::Value;

use super::super::cause::{Cause, Path};
use super::super::{Schema, name, parse};
use crate::names;

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 9] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password", "duration"];
const MAX_SELECTABLE: usize = 8;

/// All that is wrong with a definition, except inside its schemas.
pub(crate) fn check(definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_name(definition, &mut causes);
    check_group(definition, &mut causes);
    check_scope(definition, &mut causes);
    check_names(definition, &mut causes);
    check_versions(definition, &mut causes);
    check_conversion(definition, &mut causes);
    causes
}

/// What is wrong with the change from an older definition.
pub(super) fn check_change(definition: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(old) = old {
        check_unchanged(definition, old, &mut causes);
        check_stored(definition, &mut causes);
    }
    causes
}

/// Whether all versions have the same there.
pub(crate) fn is_shared(definition: &Value, name: &str) -> bool {
    let mut all = versions(definition).map(|(_, version)| version.get(name));
    let first = all.next();
    first.is_some_and(|first| all.all(|other| other == first))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn versions(definition: &Value) -> impl Iterator<Item = (usize, &Value)> {
    definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn check_name(definition: &Value, causes: &mut Vec<Cause>) {
    let name = text(definition, "/metadata/name");
    if !name.is_empty()
        && name != format!("{}.{}", text(definition, "/spec/names/plural"), text(definition, "/spec/group"))
    {
        causes.push(Cause::invalid(
            "metadata.name",
            &Value::from(name),
            "must be spec.names.plural+\".\"+spec.group",
        ));
    }
}

fn check_group(definition: &Value, causes: &mut Vec<Cause>) {
    let group = text(definition, "/spec/group");
    let problem = names::subdomain(group);
    if group.is_empty() {
        causes.push(Cause::required("spec.group", ""));
    } else if let Some(problem) = problem {
        causes.push(Cause::invalid("spec.group", &Value::from(group), &problem));
    } else if !group.contains('.') {
        causes.push(Cause::invalid(
            "spec.group",
            &Value::from(group),
            "should be a domain with at least one dot",
        ));
    }
}

fn check_scope(definition: &Value, causes: &mut Vec<Cause>) {
    match text(definition, "/spec/scope") {
        "" => causes.push(Cause::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => causes.push(Cause::not_supported(
            "spec.scope",
            &Value::from(other),
            &["Cluster", "Namespaced"].map(Value::from),
        )),
    }
}

fn check_names(definition: &Value, causes: &mut Vec<Cause>) {
    let at = Path::Child(&Path::Root, "spec");
    let at = at.child("names");
    for name in ["plural", "singular", "kind", "listKind"] {
        let value = text(definition, &format!("/spec/names/{name}"));
        let mixed = name == "kind" || name == "listKind";
        let problems = name::label_1035(&if mixed { value.to_lowercase() } else { value.to_owned() });
        // The other names follow from the kind.
        let given = matches!(name, "plural" | "kind") || text(definition, "/spec/names/kind").is_empty();
        if value.is_empty() {
            causes.extend(given.then(|| Cause::required(at.child(name), "")));
        } else if !problems.is_empty() {
            let prefix = if mixed { "may have mixed case, but should otherwise match: " } else { "" };
            causes.push(Cause::invalid(
                at.child(name),
                &Value::from(value),
                &format!("{prefix}{}", problems.join(",")),
            ));
        }
    }
    let (kind, list_kind) = (text(definition, "/spec/names/kind"), text(definition, "/spec/names/listKind"));
    if !kind.is_empty() && kind == list_kind {
        causes.push(Cause::invalid(
            at.child("listKind"),
            &Value::from(list_kind),
            "kind and listKind may not be the same",
        ));
    }
    for list in ["shortNames", "categories"] {
        let below = at.child(list);
        for (index, value) in
            parse::strings(definition.pointer(&format!("/spec/names/{list}"))).iter().enumerate()
        {
            let problems = name::label_1035(value);
            if !problems.is_empty() {
                causes.push(Cause::invalid(
                    below.index(index),
                    &Value::from(value.as_str()),
                    &problems.join(","),
                ));
            }
        }
    }
}

fn check_versions(definition: &Value, causes: &mut Vec<Cause>) {
    let at = Path::Child(&Path::Root, "spec");
    let at = at.child("versions");
    let (mut names, mut storages) = (Vec::new(), 0_usize);
    for (index, version) in versions(definition) {
        let below = at.index(index);
        let name = text(version, "/name");
        let problems = name::label_1035(name);
        if !problems.is_empty() {
            causes.push(Cause::invalid(below.child("name"), &Value::from(name), &problems.join(",")));
        }
        names.push(name);
        storages += usize::from(flag(version, "storage"));
        check_version(version, below, causes);
    }
    let spec = Path::Child(&Path::Root, "spec");
    let given = definition.pointer("/spec/versions").unwrap_or(&Value::Null);
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() != count {
        causes.push(Cause::invalid(at, given, "must contain unique version names"));
    }
    if storages != 1 {
        causes.push(Cause::invalid(at, given, "must have exactly one version marked as storage version"));
    }
    if let Some((_, first)) = versions(definition).next() {
        let name = text(first, "/name");
        let problems = name::label_1035(name);
        if !problems.is_empty() {
            causes.push(Cause::invalid(spec.child("version"), &Value::from(name), &problems.join(",")));
        }
    }
    for (index, version) in versions(definition) {
        let below = at.index(index);
        check_shown(definition, version, (index, below), spec, causes);
    }
    if storages != 1 {
        let detail = "must have at least one stored version";
        causes.push(Cause::invalid("status.storedVersions", &Value::Null, detail));
    }
}

/// Columns and selectable fields, which stand in the definition where all versions have the same.
fn check_shown(
    definition: &Value,
    version: &Value,
    (index, at): (usize, Path<'_>),
    spec: Path<'_>,
    causes: &mut Vec<Cause>,
) {
    let place = |name| match is_shared(definition, name) {
        true => Some(spec).filter(|_| index == 0),
        false => Some(at),
    };
    if let Some(at) = place("additionalPrinterColumns") {
        let columns = at.child("additionalPrinterColumns");
        let given = version.get("additionalPrinterColumns").and_then(Value::as_array);
        for (index, column) in given.into_iter().flatten().enumerate() {
            check_column(column, columns.index(index), causes);
        }
    }
    if let Some(at) = place("selectableFields") {
        let schema = version.pointer("/schema/openAPIV3Schema");
        check_selectable(version, schema, at.child("selectableFields"), causes);
    }
}

fn check_version(version: &Value, at: Path<'_>, causes: &mut Vec<Cause>) {
    let schema = version.pointer("/schema/openAPIV3Schema");
    let at_schema = at.child("schema");
    if schema.is_none_or(Value::is_null) {
        causes.push(Cause::required(at_schema.child("openAPIV3Schema"), ""));
    }
    if let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) {
        let below = at.child("deprecationWarning");
        let value = Value::from(warning);
        if !flag(version, "deprecated") {
            causes.push(Cause::invalid(below, &value, "can only be set for deprecated versions"));
        } else if warning.is_empty() {
            causes.push(Cause::invalid(below, &value, "must not be an empty string"));
        } else if warning.len() > 256 {
            causes.push(Cause::invalid(below, &value, "must be <= 256 characters long"));
        }
    }
}

fn check_column(column: &Value, at: Path<'_>, causes: &mut Vec<Cause>) {
    if text(column, "/name").is_empty() {
        causes.push(Cause::required(at.child("name"), ""));
    }
    let kind = text(column, "/type");
    let must = format!("must be one of {}", COLUMN_TYPES.join(","));
    if kind.is_empty() {
        causes.push(Cause::required(at.child("type"), &must));
    } else if !COLUMN_TYPES.contains(&kind) {
        causes.push(Cause::invalid(at.child("type"), &Value::from(kind), &must));
    }
    let format = text(column, "/format");
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        let must = format!("must be one of {}", COLUMN_FORMATS.join(","));
        causes.push(Cause::invalid(at.child("format"), &Value::from(format), &must));
    }
    let path = text(column, "/jsonPath");
    if path.is_empty() {
        causes.push(Cause::required(at.child("JSONPath"), ""));
    } else if !path.starts_with('.') {
        causes.push(Cause::invalid(
            at.child("JSONPath"),
            &Value::from(path),
            "must be a simple json path starting with .",
        ));
    }
}

fn check_selectable(version: &Value, schema: Option<&Value>, at: Path<'_>, causes: &mut Vec<Cause>) {
    let fields = version.get("selectableFields").and_then(Value::as_array);
    // A schema that does not parse is reported by itself.
    let Some((fields, schema)) = fields.zip(schema.and_then(|schema| Schema::parse(schema).ok())) else {
        return;
    };
    let mut seen: Vec<String> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let path = text(field, "/jsonPath");
        let value = Value::from(path);
        let below = at.index(index);
        let below = below.child("jsonPath");
        if path.is_empty() {
            causes.push(Cause::required(below, ""));
            continue;
        }
        match schema.selectable(path) {
            Err(problem) => causes.push(Cause::invalid(below, &value, &problem)),
            Ok(shown) if seen.contains(&shown) => causes.push(Cause::duplicate(below, &value)),
            Ok(shown) => seen.push(shown),
        }
    }
    if seen.len() > MAX_SELECTABLE {
        let (actual, limit) = (
            u64::try_from(seen.len()).unwrap_or(u64::MAX),
            u64::try_from(MAX_SELECTABLE).unwrap_or(u64::MAX),
        );
        causes.push(Cause::too_many(at, actual, limit));
    }
}

fn check_conversion(definition: &Value, causes: &mut Vec<Cause>) {
    match text(definition, "/spec/conversion/strategy") {
        "" | "None" => {}
        // With one version there is nothing to convert.
        "Webhook" if versions(definition).count() < 2 => {}
        "Webhook" => causes.push(Cause::forbidden(
            "spec.conversion.strategy",
            "this API server calls no webhooks to convert between versions",
        )),
        other => {
            let names = ["None", "Webhook"].map(Value::from);
            causes.push(Cause::not_supported("spec.conversion.strategy", &Value::from(other), &names));
        }
    }
    if definition.pointer("/spec/preserveUnknownFields") == Some(&Value::Bool(true)) {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.push(Cause::invalid("spec.preserveUnknownFields", &Value::Bool(true), detail));
    }
}

fn check_unchanged(definition: &Value, old: &Value, causes: &mut Vec<Cause>) {
    for (pointer, field) in [
        ("/spec/scope", "spec.scope"),
        ("/spec/names/kind", "spec.names.kind"),
        ("/spec/group", "spec.group"),
        ("/spec/names/plural", "spec.names.plural"),
    ] {
        if text(definition, pointer) != text(old, pointer) {
            causes.push(Cause::invalid(field, &Value::from(text(definition, pointer)), "field is immutable"));
        }
    }
}

fn check_stored(definition: &Value, causes: &mut Vec<Cause>) {
    let at = Path::Child(&Path::Root, "status");
    let at = at.child("storedVersions");
    for (index, stored) in parse::strings(definition.pointer("/status/storedVersions")).iter().enumerate() {
        if !versions(definition).any(|(_, version)| text(version, "/name") == stored) {
            let detail = format!(
                "missing from spec.versions; {stored} was previously a storage version, and must remain in spec.versions until a storage \
                 migration ensures no data remains persisted in {stored} and removes {stored} from status.storedVersions"
            );
            causes.push(Cause::invalid(at.index(index), &Value::from(stored.as_str()), &detail));
        }
    }
}
