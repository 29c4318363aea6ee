//! A request in, entries out: what the component does, without the component.
//!
//! Pure but for the [`Draw`] that the caller passes. A request renders whole or not at all: the first fault, in the order
//! of the templates, is the answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::ast::Templates;
use crate::draw::Draw;
use crate::evaluate;
use crate::fault::{Fault, Place};
use crate::functions::Context;
use crate::lexer::Delimiters;
use crate::limits::Budget;
use crate::parser;
use crate::pattern::Patterns;
use crate::text::Text;
use crate::value::Value;
use crate::yaml;

/// What to render: templates over one set of data.
#[derive(Debug)]
pub struct Request<'r> {
    /// In the order in which they are rendered.
    pub templates: Vec<Template<'r>>,
    /// The root of every template: keys to bytes.
    pub data: Vec<Entry<'r>>,
    /// What opens and closes an action.
    pub delimiters: Delimiters<'r>,
}

/// One template.
#[derive(Debug, Clone, Copy)]
pub struct Template<'r> {
    /// The key that it renders, its name inside the text, and the stream that it draws from.
    pub key: &'r str,
    /// Its text.
    pub text: &'r str,
    /// What its result means.
    pub scope: Scope,
}

/// What a rendered text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The value of the template's key.
    Values,
    /// A YAML map of keys to values.
    KeysAndValues,
}

/// A key and its bytes.
#[derive(Clone, Copy)]
pub struct Entry<'r> {
    /// The name.
    pub key: &'r str,
    /// Any bytes; often a secret.
    pub value: &'r [u8],
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Entry({:?}, {} bytes)", self.key, self.value.len())
    }
}

/// What one template gave: its key with its value, or the entries of the map that it rendered, by key.
pub type Rendered = Vec<(String, Vec<u8>)>;

/// Renders all templates of a request, in order.
///
/// # Errors
///
/// The first fault: which template, where, by which rule.
pub fn render(request: &Request<'_>, draw: &mut dyn Draw) -> Result<Vec<Rendered>, Fault> {
    let data = root(&request.data);
    let mut context = Context { budget: Budget::new(), draw, stream: "", patterns: Patterns::default() };
    let mut rendered = Vec::with_capacity(request.templates.len());
    for (index, template) in request.templates.iter().enumerate() {
        context.stream = template.key;
        let one = render_one(template, request.delimiters, &data, &mut context);
        rendered.push(one.map_err(|place| fault(place, index, template))?);
    }
    Ok(rendered)
}

/// Parses all templates: what admission can say without data.
#[must_use]
pub fn validate(templates: &[Template<'_>], delimiters: Delimiters<'_>) -> Vec<Fault> {
    let faults = templates.iter().enumerate().filter_map(|(index, template)| {
        let parsed = parse(template, delimiters);
        parsed.err().map(|place| fault(place, index, template))
    });
    faults.collect()
}

fn render_one(
    template: &Template<'_>,
    delimiters: Delimiters<'_>,
    data: &Value,
    context: &mut Context<'_>,
) -> Result<Rendered, Place> {
    let templates = parse(template, delimiters)?;
    let bytes = evaluate::render(&templates, template.key, data, context)?;
    match template.scope {
        Scope::Values => Ok(vec![(template.key.to_owned(), bytes)]),
        Scope::KeysAndValues => {
            let entries =
                yaml::keys_and_values(&bytes, &mut context.budget).map_err(|rule| Place::new(0, rule))?;
            Ok(entries.into_iter().collect())
        }
    }
}

fn parse<'t>(template: &Template<'t>, delimiters: Delimiters<'_>) -> Result<Templates<'t>, Place> {
    parser::parse(template.key, template.text, delimiters)
}

fn fault(place: Place, index: usize, template: &Template<'_>) -> Fault {
    place.in_template(u32::try_from(index).unwrap_or(u32::MAX), template.text)
}

/// The data as Go's `map[string]string`.
fn root(data: &[Entry<'_>]) -> Value {
    let entries: BTreeMap<_, _> =
        data.iter().map(|entry| (Text::from(entry.key), Text::new(entry.value))).collect();
    Value::Texts(Rc::new(entries))
}

#[cfg(test)]
mod tests;
