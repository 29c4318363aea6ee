//! A config on its way to a guest: checked against the schema, then shown to the guest, whose problems come back as rules and places.
//! The guest's words are those of its description; a place that does not exist in the config is cut back to the part that does.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::bindings::types;
use crate::describe::Described;
use crate::error::{BadOutput, Problem};
use crate::fill::at_most;

const PROBLEMS: usize = 256;

/// A config as the guest sees it.
pub(crate) fn text(config: &Value) -> Zeroizing<String> {
    Zeroizing::new(config.to_string())
}

/// The schema's problems and then the guest's, without those at a place where the schema has one already.
pub(crate) fn problems(
    described: &Described,
    config: &Value,
    guests: &[types::Problem],
) -> Result<Vec<Problem>, BadOutput> {
    at_most("problems", guests.len(), PROBLEMS)?;
    let mut problems = described.schema.problems(config);
    let by_schema = problems.len();
    for (index, problem) in guests.iter().enumerate() {
        let Some(rule) = described.description.rule(&problem.rule) else {
            return Err(BadOutput::UndeclaredRule { what: "problem", index });
        };
        let path = existing(config, &problem.path);
        if problems.iter().take(by_schema).any(|known| known.path == path) {
            continue;
        }
        let problem = Problem { path, rule: Some(rule.name.clone()), message: rule.about.clone() };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    Ok(problems)
}

/// As much of a JSON Pointer as the config has.
fn existing(config: &Value, path: &str) -> String {
    let mut path = path;
    while config.pointer(path).is_none() {
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_one_that_exists() {
        let config = json!({"a": {"b": [1, 2]}});
        for (path, expected) in [
            ("", ""),
            ("/a/b/1", "/a/b/1"),
            ("/a/b/7", "/a/b"),
            ("/a/hunter2", "/a"),
            ("/x/y", ""),
            ("no pointer", ""),
        ] {
            assert_eq!(existing(&config, path), expected, "{path}");
        }
    }
}
