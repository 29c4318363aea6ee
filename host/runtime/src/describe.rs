//! Asking a component to describe itself, and checking what it says. It runs once per digest, before the component has seen anything, so
//! what it says can be shown, within bounds: one line each, no control characters, unique names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bindings::types;
use crate::description::{Description, FieldDoc, RuleDoc, Want};
use crate::engine::Shared;
use crate::error::{DescriptionFault, LoadError};
use crate::key_syntax;
use crate::limits::LoadLimits;
use crate::linked::Prepared;
use crate::run::run;
use crate::schema::Schema;
use crate::state::State;

const NAME_BYTES: usize = 64;
const TEXT_BYTES: usize = 1024;
const SCHEMA_BYTES: usize = 64 << 10;
const ITEMS: usize = 256;

/// A checked description with its compiled schema.
pub(crate) struct Described {
    pub(crate) description: Arc<Description>,
    pub(crate) schema: Schema,
}

pub(crate) fn describe(
    engine: &Shared,
    prepared: &Prepared,
    limits: &LoadLimits,
) -> Result<Described, LoadError> {
    let state = State::describing(limits.describe);
    let finished = run(engine, "describe", state, |store| match prepared {
        Prepared::Generator(pre) => {
            pre.instantiate(&mut *store)?.keymill_guest_generate().call_describe(store)
        }
        Prepared::Template(pre) => pre.instantiate(&mut *store)?.keymill_guest_render().call_describe(store),
        Prepared::Policy(pre) => pre.instantiate(&mut *store)?.keymill_guest_judge().call_describe(store),
    });
    let raw = finished.map_err(LoadError::Describe)?.answer;
    check(raw).map_err(LoadError::Description)
}

fn check(raw: types::Description) -> Result<Described, DescriptionFault> {
    name("component name", &raw.name)?;
    text("the version", &raw.version, NAME_BYTES)?;
    text("the summary", &raw.summary, TEXT_BYTES)?;
    let (schema, value) = schema(&raw.config_schema)?;
    let fields = raw.fields.iter().map(|field| (field.name.as_str(), field.about.as_str()));
    items("fields", "field", fields, key_syntax::is_key)?;
    let rules = raw.rules.iter().map(|rule| (rule.name.as_str(), rule.about.as_str()));
    items("rules", "rule", rules, is_name)?;
    let wants = raw.wants.iter().map(|want| (want.label.as_str(), want.about.as_str()));
    items("wants", "label", wants, is_name)?;
    let description = Arc::new(Description {
        name: raw.name,
        version: raw.version,
        summary: raw.summary,
        config_schema: Arc::new(value),
        fields: raw.fields.into_iter().map(field).collect(),
        rules: raw.rules.into_iter().map(rule).collect(),
        wants: raw.wants.into_iter().map(want).collect(),
    });
    Ok(Described { description, schema })
}

fn schema(text: &str) -> Result<(Schema, serde_json::Value), DescriptionFault> {
    if text.len() > SCHEMA_BYTES {
        return Err(DescriptionFault::Text { what: "the config schema".to_owned(), limit: SCHEMA_BYTES });
    }
    let shown = |text: String| DescriptionFault::Schema(text.escape_debug().take(300).collect());
    let value = serde_json::from_str(text).map_err(|error| shown(error.to_string()))?;
    let schema = Schema::new(&value).map_err(shown)?;
    Ok((schema, value))
}

/// A list of named texts: not too many, each name valid and unique, each text one line.
fn items<'a>(
    list: &'static str,
    what: &'static str,
    items: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    valid: impl Fn(&str) -> bool,
) -> Result<(), DescriptionFault> {
    let count = items.len();
    if count > ITEMS {
        return Err(DescriptionFault::TooMany { what: list, count, limit: ITEMS });
    }
    let mut seen = BTreeSet::new();
    for (name, about) in items {
        if !valid(name) {
            let name = name.escape_debug().take(NAME_BYTES).collect();
            return Err(DescriptionFault::Name { what, name });
        }
        if !seen.insert(name) {
            return Err(DescriptionFault::Duplicate { what, name: name.to_owned() });
        }
        text(&format!("the text of {what} `{name}`"), about, TEXT_BYTES)?;
    }
    Ok(())
}

fn name(what: &'static str, name: &str) -> Result<(), DescriptionFault> {
    if is_name(name) {
        return Ok(());
    }
    let name = name.escape_debug().take(NAME_BYTES).collect();
    Err(DescriptionFault::Name { what, name })
}

/// Lower-case letters, digits and inner hyphens, starting with a letter: a label's value, a file's name, a metric's word.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(inner)
}

fn text(what: &str, text: &str, limit: usize) -> Result<(), DescriptionFault> {
    if text.trim().is_empty() || text.len() > limit || text.contains(char::is_control) {
        let what = what.to_owned();
        return Err(DescriptionFault::Text { what, limit });
    }
    Ok(())
}

fn field(field: types::FieldDoc) -> FieldDoc {
    FieldDoc { name: field.name, about: field.about, sensitivity: field.sensitivity }
}

fn rule(rule: types::Doc) -> RuleDoc {
    RuleDoc { name: rule.name, about: rule.about }
}

fn want(want: types::Want) -> Want {
    Want { label: want.label, capability: want.capability, about: want.about }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> types::Description {
        types::Description {
            name: "probe".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Probes.".to_owned(),
            config_schema: "{}".to_owned(),
            fields: vec![],
            rules: vec![],
            wants: vec![],
        }
    }

    fn doc(name: &str) -> types::Doc {
        types::Doc { name: name.to_owned(), about: "It is so.".to_owned() }
    }

    fn fault(change: impl FnOnce(&mut types::Description)) -> Option<String> {
        let mut raw = raw();
        change(&mut raw);
        check(raw).err().map(|fault| fault.to_string())
    }

    #[test]
    fn accepts_a_good_one() {
        assert_eq!(fault(|d| d.rules = vec![doc("too-short"), doc("rule-2")]), None);
    }

    #[test]
    fn refuses_what_could_not_be_shown() {
        for (change, expected) in [
            ((|d| d.name = "Probe".to_owned()) as fn(&mut types::Description), "is not a valid name"),
            (|d| d.name = String::new(), "is not a valid name"),
            (|d| d.summary = "two\nlines".to_owned(), "the summary is empty"),
            (|d| d.summary = "x".repeat(TEXT_BYTES + 1), "the summary is empty"),
            (|d| d.version = " ".to_owned(), "the version is empty"),
            (|d| d.config_schema = "{".to_owned(), "not a JSON Schema"),
            (|d| d.config_schema = r#"{"type": 1}"#.to_owned(), "not a JSON Schema"),
            (|d| d.rules = vec![doc("a"), doc("a")], "rule `a` is declared twice"),
            (|d| d.rules = vec![doc("-")], "rule `-` is not a valid name"),
            (|d| d.rules = (0..257).map(|i| doc(&format!("r{i}"))).collect(), "257 rules are declared"),
        ] {
            let fault = fault(change).unwrap_or_default();
            assert!(fault.contains(expected), "{fault:?} lacks {expected:?}");
        }
    }
}
