//! A config against its component's JSON Schema. The schema's own words are not shown: they would quote the config, which may hold a
//! secret. The host words each problem from the rule that is broken and what the schema asks, with the place as a JSON Pointer.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

use crate::error::Problem;

/// No config has more problems worth reading.
const PROBLEMS: usize = 50;

/// A compiled schema.
pub(crate) struct Schema {
    validator: Validator,
}

impl Schema {
    /// References to other documents are not followed: nothing is fetched or read.
    ///
    /// # Errors
    /// What is wrong with the schema, in jsonschema's words: the schema is public.
    pub(crate) fn new(schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options().with_draft(Draft::Draft202012);
        let validator = options.build(schema).map_err(|error| error.to_string())?;
        Ok(Self { validator })
    }

    pub(crate) fn problems(&self, config: &Value) -> Vec<Problem> {
        let errors = self.validator.iter_errors(config).take(PROBLEMS);
        errors.map(|error| problem(&error)).collect()
    }
}

fn problem(error: &ValidationError<'_>) -> Problem {
    Problem { path: error.instance_path().as_str().to_owned(), rule: None, message: message(error.kind()) }
}

fn message(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as K;
    match kind {
        K::Required { property } => format!("{property} is required"),
        K::Type { kind } => format!("must be {}", type_name(kind)),
        K::AdditionalProperties { unexpected } | K::UnevaluatedProperties { unexpected } => {
            format!("{} is not known here", quoted(unexpected))
        }
        K::Minimum { limit } => format!("must be at least {limit}"),
        K::Maximum { limit } => format!("must be at most {limit}"),
        K::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        K::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        K::MinLength { limit } => format!("must have at least {limit} characters"),
        K::MaxLength { limit } => format!("must have at most {limit} characters"),
        K::MinItems { limit } => format!("must have at least {limit} items"),
        K::MaxItems { limit } => format!("must have at most {limit} items"),
        K::MinProperties { limit } => format!("must have at least {limit} keys"),
        K::MaxProperties { limit } => format!("must have at most {limit} keys"),
        K::Pattern { pattern } => format!("must match {pattern}"),
        K::Format { format } => format!("must be of the format {format}"),
        K::Enum { options } => format!("must be one of {options}"),
        K::Constant { expected_value } => format!("must be {expected_value}"),
        K::UniqueItems => "must not hold the same item twice".to_owned(),
        other => format!("breaks the schema's `{}`", other.keyword()),
    }
}

fn type_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => format!("of the type {kind}"),
        TypeKind::Multiple(kinds) => {
            let names: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
            format!("of one of the types {}", names.join(", "))
        }
    }
}

/// The names of keys, not their values.
fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(config: Value) -> Vec<(String, String)> {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["length"],
            "properties": {
                "length": {"type": "integer", "minimum": 1, "maximum": 64},
                "symbols": {"type": ["string", "null"], "pattern": "^[a-z]+$"},
                "kind": {"enum": ["a", "b"]},
                "rows": {"type": "array", "items": {"type": "string"}}
            }
        });
        let problems = Schema::new(&schema).unwrap().problems(&config);
        problems.into_iter().map(|p| (p.path, p.message)).collect()
    }

    #[test]
    fn words_each_problem_with_its_place_and_without_the_value() {
        let one = |path: &str, message: &str| vec![(path.to_owned(), message.to_owned())];
        assert_eq!(check(json!({"length": 3})), []);
        assert_eq!(check(json!({})), one("", "\"length\" is required"));
        assert_eq!(check(json!({"length": 65})), one("/length", "must be at most 64"));
        assert_eq!(check(json!({"length": "hunter2"})), one("/length", "must be of the type integer"));
        assert_eq!(check(json!({"length": 1, "extra": "hunter2"})), one("", "\"extra\" is not known here"));
        assert_eq!(check(json!({"length": 1, "symbols": "HUNTER2"})), one("/symbols", "must match ^[a-z]+$"));
        assert_eq!(
            check(json!({"length": 1, "kind": "hunter2"})),
            one("/kind", "must be one of [\"a\",\"b\"]")
        );
        assert_eq!(
            check(json!({"length": 1, "rows": ["x", 5]})),
            one("/rows/1", "must be of the type string")
        );
    }

    #[test]
    fn refuses_what_is_no_schema() {
        assert!(Schema::new(&json!({"type": 5})).is_err());
        assert!(Schema::new(&json!({"$ref": "https://example.org/schema"})).is_err());
    }
}
