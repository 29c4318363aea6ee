//! Structural schemas: what the fields of a kind mean, and what is done with them.
//!
//! A [`Schema`] is parsed once, when its CustomResourceDefinition is written, and reports every problem it
//! finds then. Afterwards it defaults, prunes and validates objects as kube-apiserver does, in its words, and
//! tells server-side apply and strategic merge how a field merges. Built-in kinds use the same type, with
//! schemas of our own.
//!
//! It does no I/O, knows nothing of storage, and never changes an object while validating it.
//!
//! # Differences
//!
//! From kube-apiserver:
//! - CEL rules are checked for variables and fields that do not exist, but not for types and functions: a
//!   rule that compares a text with a number fails when it runs. They have no cost budget. Lists of type set
//!   and map compare in order.
//! - An invalid field of a built-in kind is a problem of the object (422) unless the API asks
//!   [`misfit`](crate::resource::ResourceInfo::misfit) first; kube-apiserver's decoder answers 400.
//! - A CustomResourceDefinition with several versions cannot have a conversion webhook.
//! - Formats `isbn`, `creditcard`, `ssn`, `rgbcolor` and `password` are not checked.

mod builtin;
mod cause;
mod cel_value;
mod defaults;
mod field_path;
mod format;
mod keyword;
pub(crate) mod kind;
mod merge;
mod misfit;
mod name;
mod node;
mod number;
mod parse;
mod pattern;
mod prune;
mod rule;
mod structural;
#[cfg(test)]
mod tests;
mod unique;
mod validate;
mod variable;

pub(crate) use builtin::definitions;
pub use cause::{Cause, Reason, summary};
pub use merge::{Field, MergeKind, PatchStrategy};
pub(crate) use node::Node;

use serde_json::Value;

/// A parsed structural schema (the `openAPIV3Schema` of apiextensions.k8s.io/v1).
#[derive(Debug)]
pub struct Schema {
    root: Node,
    source: Value,
    /// Whether it is one of ours. Values of built-in kinds, which may be secret, are then in no message.
    built_in: bool,
    /// What a built-in kind asks beyond its schema.
    contents: Option<kind::Contents>,
}

impl Schema {
    /// Parses and checks a schema.
    ///
    /// # Errors
    ///
    /// Every problem, with paths below the schema (`properties[spec].type`): not structural, unknown keyword
    /// values, patterns and CEL rules that do not compile, defaults that do not validate.
    pub fn parse(source: &Value) -> Result<Self, Vec<Cause>> {
        let root = parse::parse(source)?;
        Ok(Self { root, source: source.clone(), built_in: false, contents: None })
    }

    /// The schema of a built-in kind, by its name in OpenAPI.
    pub(crate) fn builtin(name: &str) -> Self {
        let source = builtin::resolved(name);
        let root = parse::parse_own(&source).unwrap_or_default();
        Self { root, source, built_in: true, contents: kind::contents(name) }
    }

    /// The schema as it was given, for OpenAPI.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Fills in defaults: top down, so that a default inside a default applies, but never creating a parent
    /// that has none. Removes nulls of fields that are not nullable.
    pub fn apply_defaults(&self, object: &mut Value) {
        defaults::apply(object, &self.root);
    }

    /// Removes fields that the schema does not know; their paths in order.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(object, &self.root)
    }

    /// All problems of an object. With `old`, problems that stand unchanged in both are forgiven (as since
    /// Kubernetes 1.33), and transition rules run.
    pub fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<Cause> {
        if self.built_in {
            let kind = new.get("kind").and_then(Value::as_str).unwrap_or_default();
            let misfits = self.misfits(new, kind).into_iter();
            let of_types =
                misfits.map(|misfit| Cause::new(Reason::TypeInvalid, misfit.field, None, &misfit.problem));
            return of_types.chain(self.contents.iter().flat_map(|check| check(new, old))).collect();
        }
        let mut causes = validate::validate(&self.root, new, old);
        causes.extend(unique::validate(&self.root, new, old));
        // CEL sees only objects of the right shape, so that a rule never fails on a type.
        let is_misshapen = |cause: &Cause| {
            matches!(cause.reason, Reason::Required | Reason::TooLong | Reason::TooMany | Reason::TypeInvalid)
        };
        if !causes.iter().any(is_misshapen) {
            causes.extend(rule::validate(&self.root, new, old));
        } else if rule::has_rules(&self.root) {
            causes.push(Cause::invalid(
                "<nil>",
                &Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing errors to \
                 complete validation",
            ));
        }
        causes
    }

    /// The path of a field that field selectors may use, as it is shown; or what is wrong with it.
    pub(crate) fn selectable(&self, path: &str) -> Result<String, String> {
        let (shown, node) = field_path::resolve(&self.root, path, false)
            .map_err(|problem| format!("is an invalid path: {problem}"))?;
        if shown == "metadata" || shown.starts_with("metadata.") {
            let declared = self.source.pointer("/properties/metadata").is_some();
            let problem = if declared {
                "must not point to fields in metadata"
            } else {
                "is an invalid path: does not refer to a valid field"
            };
            return Err(problem.to_owned());
        }
        match node.kind {
            Some(node::Type::String | node::Type::Boolean | node::Type::Integer) => Ok(shown),
            _ => Err("must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.".to_owned()),
        }
    }

    /// Why a typed decoder would not take the object: its first misfit.
    pub(crate) fn misfit(&self, object: &Value, kind: &str) -> Option<String> {
        self.misfits(object, kind).into_iter().next().map(|misfit| misfit.problem)
    }

    /// Of a built-in kind everything is decoded, of others the metadata.
    fn misfits(&self, object: &Value, kind: &str) -> Vec<misfit::Misfit> {
        if self.built_in {
            return misfit::find(object, &self.root, kind, "");
        }
        let metadata = object.get("metadata").zip(self.root.properties.get("metadata"));
        metadata.map(|(metadata, node)| misfit::find(metadata, node, "ObjectMeta", "")).unwrap_or_default()
    }

    /// The root, from where [`Field`] walks down.
    pub fn field(&self) -> Field<'_> {
        Field::of(&self.root)
    }
}
