//! Renaming keys and merging objects, as a dataFrom entry asks for it.
//!
//! Two keys that become the same one are not an error in ESO, where one of them wins at random; here the one that comes later in the
//! alphabet wins. Rendering a key is the caller's: it needs a port.

use std::collections::BTreeMap;

use api::external_secret::{MergeConflictPolicy, MergePriorityPolicy, MergeStrategy, RewriteMerge};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::{Pattern, ShapeError, property};
use crate::field::{Fields, Value};

/// Replaces what matches in each key.
pub(crate) fn rename(fields: Fields, pattern: &Pattern, target: &str) -> Fields {
    fields.into_iter().map(|(key, value)| (pattern.replace_all(&key, target), value)).collect()
}

/// Gives the keys their new names, which are in the order of the keys.
pub(crate) fn renamed(fields: Fields, names: Vec<String>) -> Fields {
    names.into_iter().zip(fields.into_values()).collect()
}

/// Merges the values, which are JSON objects, into one.
pub(crate) fn merge(fields: Fields, options: &RewriteMerge) -> Result<Fields, ShapeError> {
    let merged = members(&fields, options)?;
    match options.strategy {
        MergeStrategy::Extract => merged.into_iter().map(|(key, value)| Ok((key, field(value)?))).collect(),
        MergeStrategy::Json if options.into.is_empty() => Err(ShapeError::MergeInto),
        MergeStrategy::Json => {
            let object: BTreeMap<&str, Json> = merged
                .iter()
                .map(|(key, value)| Ok((key.as_str(), sorted(value)?)))
                .collect::<Result<_, ShapeError>>()?;
            let text = serde_json::to_vec(&object).map_err(|_| ShapeError::NotAnObject)?;
            let mut fields = fields.clone();
            fields.insert(options.into.clone(), Value::new(text));
            Ok(fields)
        }
    }
}

/// The members of all objects, by key: others first in the order of the alphabet, then those with priority in their order.
fn members<'a>(
    fields: &'a Fields,
    options: &RewriteMerge,
) -> Result<BTreeMap<String, &'a RawValue>, ShapeError> {
    let mut merged: BTreeMap<String, (&str, &RawValue)> = BTreeMap::new();
    for key in order(fields, options)? {
        let Some((key, value)) = fields.get_key_value(key) else {
            continue;
        };
        let members = property::raw_members(value.expose());
        for (name, value) in members.map_err(|_| ShapeError::MergeNotAnObject { key: key.clone() })? {
            let before = merged.insert(name.to_string(), (key, value));
            if let Some((first, _)) = before.filter(|_| options.conflict_policy == MergeConflictPolicy::Error)
            {
                let (property, first, second) = (name.into_owned(), first.to_owned(), key.clone());
                return Err(ShapeError::MergeConflict { property, first, second });
            }
        }
    }
    Ok(merged.into_iter().map(|(name, (_, value))| (name, value)).collect())
}

fn order<'a>(fields: &'a Fields, options: &'a RewriteMerge) -> Result<Vec<&'a String>, ShapeError> {
    let missing = options.priority.iter().find(|key| !fields.contains_key(*key));
    if let Some(key) = missing.filter(|_| options.priority_policy == MergePriorityPolicy::Strict) {
        return Err(ShapeError::MergePriority { key: key.clone() });
    }
    let others = fields.keys().filter(|key| !options.priority.contains(key));
    Ok(others.chain(&options.priority).collect())
}

/// A member as bytes: strings raw, numbers without an exponent, objects and arrays as JSON with sorted keys.
fn field(value: &RawValue) -> Result<Value, ShapeError> {
    if value.get().starts_with(['{', '[']) {
        let text = serde_json::to_vec(&sorted(value)?).map_err(|_| ShapeError::NotAnObject)?;
        return Ok(Value::new(text));
    }
    property::text(value, false)
}

fn sorted(value: &RawValue) -> Result<Json, ShapeError> {
    let mut json: Json = serde_json::from_str(value.get()).map_err(|_| ShapeError::NotAnObject)?;
    json.sort_all_objects();
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    fn check(options: RewriteMerge, input: &[(&str, &str)], want: Result<&[(&str, &str)], &str>) {
        match (merge(fields(input), &options), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, fields(want), "{options:?}"),
            (Err(got), Err(want)) => assert_eq!(got.to_string(), want, "{options:?}"),
            (got, want) => panic!("{options:?}: {got:?}, not {want:?}"),
        }
    }

    fn ignore() -> RewriteMerge {
        RewriteMerge { conflict_policy: MergeConflictPolicy::Ignore, ..RewriteMerge::default() }
    }

    fn priority(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn objects_are_spread_into_keys() {
        let input =
            [("app-a", r#"{"u":"1","p":2.50,"o":{"z":1,"a":null}}"#), ("app-b", r#"{"q":"3","n":null}"#)];
        let want = [("n", ""), ("o", r#"{"a":null,"z":1}"#), ("p", "2.5"), ("q", "3"), ("u", "1")];
        check(RewriteMerge::default(), &input, Ok(&want));
    }

    #[test]
    fn a_conflict_is_an_error_unless_it_is_ignored() {
        let input = [("app-a", r#"{"u":"1","x":"a"}"#), ("app-b", r#"{"u":"2","y":"b"}"#)];
        let error = "merge: property u is in both app-a and app-b, and conflictPolicy is Error";
        check(RewriteMerge::default(), &input, Err(error));
        check(ignore(), &input, Ok(&[("u", "2"), ("x", "a"), ("y", "b")]));
        let priority = RewriteMerge { priority: priority(&["app-a"]), ..RewriteMerge::default() };
        check(
            priority,
            &input,
            Err("merge: property u is in both app-b and app-a, and conflictPolicy is Error"),
        );
    }

    #[test]
    fn priority_wins_the_later_the_more() {
        let input = [
            ("app-a", r#"{"u":"1","v":"1"}"#),
            ("app-b", r#"{"u":"2","v":"2"}"#),
            ("app-c", r#"{"u":"3","w":"3"}"#),
        ];
        let want = [("u", "1"), ("v", "1"), ("w", "3")];
        check(RewriteMerge { priority: priority(&["app-b", "app-a"]), ..ignore() }, &input, Ok(&want));
        let strict = RewriteMerge { priority: priority(&["app-z"]), ..ignore() };
        check(
            strict.clone(),
            &input,
            Err("merge: app-z has priority, does not exist, and priorityPolicy is Strict"),
        );
        let lenient = RewriteMerge { priority_policy: MergePriorityPolicy::IgnoreNotFound, ..strict };
        check(lenient, &input, Ok(&[("u", "3"), ("v", "2"), ("w", "3")]));
    }

    #[test]
    fn strategy_json_writes_the_object_beside_the_others() {
        let input = [("app-a", r#"{"u":"1"}"#), ("app-b", r#"{"v":{"y":2,"x":1}}"#)];
        let options = RewriteMerge {
            strategy: MergeStrategy::Json,
            into: "merged".to_owned(),
            ..RewriteMerge::default()
        };
        let want = [input[0], input[1], ("merged", r#"{"u":"1","v":{"x":1,"y":2}}"#)];
        check(options, &input, Ok(&want));
        let nowhere = RewriteMerge { strategy: MergeStrategy::Json, ..RewriteMerge::default() };
        check(nowhere, &input, Err("merge: strategy JSON needs a key in `into`"));
    }

    #[test]
    fn a_value_that_is_no_object_is_named_and_not_shown() {
        let input = [("app-a", r#"{"u":"1"}"#), ("app-b", "text")];
        check(RewriteMerge::default(), &input, Err("merge: the value of app-b is not a JSON object"));
    }

    #[test]
    fn keys_are_renamed_by_a_pattern_or_by_names() {
        let input = || fields(&[("db_pw", "b"), ("db_user", "a"), ("x", "c")]);
        let pattern = Pattern::compile("^db_").unwrap();
        assert_eq!(rename(input(), &pattern, "DB-"), fields(&[("DB-pw", "b"), ("DB-user", "a"), ("x", "c")]));
        let names = ["C", "B", "A"].map(str::to_owned).to_vec();
        assert_eq!(renamed(input(), names), fields(&[("A", "c"), ("B", "a"), ("C", "b")]));
        let all = Pattern::compile(".*").unwrap();
        assert_eq!(rename(input(), &all, "same"), fields(&[("same", "c")]), "the last one wins");
    }
}
