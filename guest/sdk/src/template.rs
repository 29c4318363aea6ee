//! World `template`: renders values. Pure: the same request and the same streams give the same bytes.
//!
//! Randomness comes from [`crate::entropy`] (name the stream after the key being rendered), time from [`crate::clock`]; both are
//! constant within a rotation. A config that cannot be parsed is a fault at line 0 with a rule that the SDK declares.

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

pub use crate::bindings::template::exports::keymill::guest::render::Scope;
use crate::{
    Description, Entry, Rule,
    bindings::{template::exports::keymill::guest::render as wit, types},
    config,
};

/// A template engine.
pub trait Template {
    /// The config; use `#[serde(deny_unknown_fields)]`, so that a misspelled key is a problem. Often an empty struct.
    type Config: DeserializeOwned;

    /// What it is and takes. Called before it has seen anything.
    fn describe() -> Description;

    /// Everything wrong with the templates that can be seen without data.
    fn validate(templates: &[TemplateText], config: &Self::Config) -> Vec<Fault>;

    /// The rendered entries, each with the index of its template.
    ///
    /// # Errors
    /// The first fault met: where and why, never what.
    fn render(request: RenderRequest<Self::Config>) -> Result<Vec<Rendered>, Fault>;
}

/// One template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// The key that it renders.
    pub key: String,
    /// Its text; not secret.
    pub text: String,
    /// Whether it renders the value of `key`, or keys with values.
    pub scope: Scope,
}

/// What the host asks for.
pub struct RenderRequest<C> {
    /// The templates, in order.
    pub templates: Vec<TemplateText>,
    /// The values that they may use.
    pub data: Vec<Entry>,
    /// The engine's config.
    pub config: C,
}

impl<C> fmt::Debug for RenderRequest<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderRequest")
            .field("templates", &self.templates)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// What one template gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The index of the template in the request.
    pub index: u32,
    /// One entry for scope `values`, any number for `keys-and-values`.
    pub entries: Vec<Entry>,
}

/// Where and why a template is wrong or cannot be rendered; never what it would have rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The index of the template in the request.
    pub index: u32,
    /// From 1; 0 if it is not about a place in the text.
    pub line: u32,
    /// From 1; 0 if it is not about a place in the text.
    pub column: u32,
    /// A declared rule.
    pub rule: Rule,
    /// A function or field that the template's text itself names.
    pub name: Option<String>,
}

/// What the export macro exports.
#[doc(hidden)]
#[derive(Debug)]
pub struct TemplateExport<T>(PhantomData<T>);

impl<T: Template> wit::Guest for TemplateExport<T> {
    fn describe() -> types::Description {
        T::describe().into_contract()
    }

    fn validate(templates: Vec<wit::Template>, config: String) -> Vec<wit::Fault> {
        match parse(&config) {
            Ok(config) => T::validate(&texts(templates), &config).into_iter().map(Into::into).collect(),
            Err(fault) => vec![fault],
        }
    }

    fn render(request: wit::Request) -> Result<Vec<wit::Rendered>, wit::Fault> {
        let config = parse(&request.config)?;
        let request =
            RenderRequest { templates: texts(request.templates), data: Entry::all(request.data), config };
        Ok(T::render(request)?.into_iter().map(Into::into).collect())
    }
}

fn parse<C: DeserializeOwned>(config: &str) -> Result<C, wit::Fault> {
    config::parse(config).map_err(|problem| wit::Fault {
        index: 0,
        line: 0,
        column: 0,
        rule: problem.rule,
        name: None,
    })
}

fn texts(templates: Vec<wit::Template>) -> Vec<TemplateText> {
    templates
        .into_iter()
        .map(|wit::Template { key, text, scope }| TemplateText { key, text, scope })
        .collect()
}

impl From<Rendered> for wit::Rendered {
    fn from(rendered: Rendered) -> Self {
        Self { index: rendered.index, entries: rendered.entries.into_iter().map(Into::into).collect() }
    }
}

impl From<Fault> for wit::Fault {
    fn from(fault: Fault) -> Self {
        let Fault { index, line, column, rule, name } = fault;
        Self { index, line, column, rule: rule.name.to_owned(), name }
    }
}
