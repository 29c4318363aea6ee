//! A template engine's case: templates and data, and what is rendered, or which fault. Everything in it is data of the case, so what came
//! is shown. A case is rendered twice, since the same rotation must give the same bytes.

use std::collections::BTreeMap;

use runtime::{
    Entry, Occasion, RenderError, Renderings, Scope, StreamKey, TemplateComponent, TemplateFault,
    TemplateText,
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Ran, call};

/// Templates, the data that they see, and exactly one of `rendered`, `fault` and `invalid`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateCase {
    /// What it shows.
    pub name: String,
    /// The engine's config.
    #[serde(default = "empty")]
    pub config: Value,
    /// Templates of values, by key.
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
    /// Templates of keys with their values, by a name.
    #[serde(default)]
    pub maps: BTreeMap<String, String>,
    /// What the templates see.
    #[serde(default)]
    pub data: BTreeMap<String, String>,
    /// Every key that is rendered, and its value.
    pub rendered: Option<BTreeMap<String, String>>,
    /// The fault that ends the rendering instead.
    pub fault: Option<FaultAt>,
    /// The faults that can be told without data, all of them.
    #[serde(default)]
    pub invalid: Vec<FaultAt>,
}

/// A fault: a rule, and where. Only what is said is compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultAt {
    /// The rule's name.
    pub rule: String,
    /// The template's key.
    pub key: String,
    /// Counted from 1.
    pub line: Option<u32>,
    /// In characters, counted from 1.
    pub column: Option<u32>,
    /// What of the text it is about.
    pub name: Option<String>,
}

pub(crate) fn ran(engine: &TemplateComponent, case: &TemplateCase) -> Ran {
    let misses = match (&case.rendered, &case.fault, case.invalid.as_slice()) {
        (Some(rendered), None, []) => {
            let mut misses = invalid_misses(engine, case);
            misses.extend(rendered_misses(engine, case, rendered));
            misses
        }
        (None, Some(fault), []) => fault_misses(engine, case, fault),
        (None, None, [_, ..]) => invalid_misses(engine, case),
        _ => vec!["needs exactly one of rendered, fault and invalid".to_owned()],
    };
    Ran { name: case.name.clone(), misses }
}

/// One call, as the case says.
pub(crate) fn render(engine: &TemplateComponent, case: &TemplateCase) -> Result<Renderings, RenderError> {
    let call = call(Occasion::Initial).with_stream_key(StreamKey::new([1; 32]));
    engine.render(&call, &templates(case), &data(case), &case.config)
}

pub(crate) fn data(case: &TemplateCase) -> Vec<Entry> {
    case.data.iter().map(|(key, value)| Entry::new(key, value.as_bytes())).collect()
}

/// Values first, each by key.
pub(crate) fn templates(case: &TemplateCase) -> Vec<TemplateText> {
    let template = |scope: Scope| {
        move |(key, text): (&String, &String)| TemplateText { key: key.clone(), text: text.clone(), scope }
    };
    let values = case.templates.iter().map(template(Scope::Values));
    values.chain(case.maps.iter().map(template(Scope::KeysAndValues))).collect()
}

fn empty() -> Value {
    json!({})
}

fn rendered_misses(
    engine: &TemplateComponent,
    case: &TemplateCase,
    expected: &BTreeMap<String, String>,
) -> Vec<String> {
    let (came, again) = match (render(engine, case), render(engine, case)) {
        (Ok(came), Ok(again)) => (texts(&came), texts(&again)),
        (Err(error), _) | (_, Err(error)) => return vec![format!("is not rendered: {error}")],
    };
    let mut misses = Vec::new();
    if came != again {
        misses.push("renders other bytes when it renders again".to_owned());
    }
    for (key, expected) in expected {
        match came.get(key) {
            Some(came) if came == expected => {}
            Some(came) => misses.push(format!("{key} is {came:?}, not {expected:?}")),
            None => misses.push(format!("has no key {key}")),
        }
    }
    let unexpected = came.keys().filter(|key| !expected.contains_key(*key));
    misses.extend(unexpected.map(|key| format!("has an unexpected key {key}")));
    misses
}

fn texts(renderings: &Renderings) -> BTreeMap<String, String> {
    let entries = renderings.rendered.iter().flat_map(|rendered| &rendered.entries);
    let text = |entry: &Entry| String::from_utf8_lossy(entry.value.expose_secret()).into_owned();
    entries.map(|entry| (entry.key.clone(), text(entry))).collect()
}

fn fault_misses(engine: &TemplateComponent, case: &TemplateCase, expected: &FaultAt) -> Vec<String> {
    match render(engine, case) {
        Ok(_) => vec![format!("renders: expected {}", said(expected))],
        Err(RenderError::Fault(came)) if is(expected, &came) => Vec::new(),
        Err(RenderError::Fault(came)) => vec![format!("expected {}: {} came", said(expected), told(&came))],
        Err(RenderError::Call(error)) => vec![format!("is not rendered: {error}")],
    }
}

fn invalid_misses(engine: &TemplateComponent, case: &TemplateCase) -> Vec<String> {
    let came = match engine.validate(&templates(case), &case.config) {
        Ok(came) => came,
        Err(error) => return vec![format!("is not validated: {error}")],
    };
    let untold = case.invalid.iter().filter(|expected| !came.iter().any(|came| is(expected, came)));
    let untold = untold.map(|expected| format!("expected {} without data: it is not told", said(expected)));
    let unexpected = came.iter().filter(|came| !case.invalid.iter().any(|expected| is(expected, came)));
    untold.chain(unexpected.map(|came| format!("{} is told without data", told(came)))).collect()
}

fn is(expected: &FaultAt, came: &TemplateFault) -> bool {
    expected.rule == came.rule
        && expected.key == came.key
        && expected.line.is_none_or(|line| line == came.line)
        && expected.column.is_none_or(|column| column == came.column)
        && expected.name.as_ref().is_none_or(|name| Some(name) == came.name.as_ref())
}

fn told(came: &TemplateFault) -> String {
    said(&FaultAt {
        rule: came.rule.clone(),
        key: came.key.clone(),
        line: Some(came.line),
        column: Some(came.column),
        name: came.name.clone(),
    })
}

fn said(fault: &FaultAt) -> String {
    let number = |word: &str, number: Option<u32>| number.map(|number| format!(", {word} {number}"));
    let place = [number("line", fault.line), number("column", fault.column)].into_iter().flatten();
    let name = fault.name.iter().map(|name| format!(", {name:?}"));
    format!("{} in {}{}", fault.rule, fault.key, place.chain(name).collect::<String>())
}
