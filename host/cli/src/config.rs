//! A component's config as a user gives it, and what the component finds wrong with it.

use std::path::Path;

use runtime::{CallError, Problem};
use serde_json::Value as Json;

use crate::ending::{Ending, chain};

/// A config and how messages name it.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) json: Json,
    /// For example `--config`, or a manifest's file and title.
    pub(crate) origin: String,
    /// Where it stands there, as a JSON Pointer.
    pub(crate) place: String,
}

impl Config {
    /// From a flag: JSON, or `@` and a file that holds it.
    pub(crate) fn of_flag(flag: &str, text: &str) -> Result<Self, Ending> {
        let (origin, read) = match text.strip_prefix('@') {
            Some(file) => (file.to_owned(), Some(read(Path::new(file))?)),
            None => (flag.to_owned(), None),
        };
        let json = serde_json::from_str(read.as_deref().unwrap_or(text)).map_err(|error| {
            let what =
                format!("read {origin}: it is not JSON at line {}, column {}", error.line(), error.column());
            if read.is_some() { Ending::failed(what) } else { Ending::usage(what) }
        })?;
        Ok(Self { json, origin, place: String::new() })
    }

    /// Why a component did not do what it was asked for with this config.
    pub(crate) fn refused(&self, component: &str, error: &CallError) -> Ending {
        match error {
            CallError::InvalidConfig(problems) => self.invalid(component, problems),
            CallError::Refused(rule) => {
                Ending::component(format!("use {component}: it refused ({}): {}", rule.name, rule.about))
            }
            error => Ending::component(format!("use {component}: {}", chain(error))),
        }
    }

    /// All problems, each with its place.
    pub(crate) fn invalid(&self, component: &str, problems: &[Problem]) -> Ending {
        let count = match problems.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        let what = format!("configure {component} as {} says: {count}", self.origin);
        Ending::component(what).with(problems.iter().map(|problem| self.problem(problem)).collect())
    }

    fn problem(&self, problem: &Problem) -> String {
        let place = format!("{}{}", self.place, problem.path);
        let place = if place.is_empty() { "the config".to_owned() } else { place };
        match &problem.rule {
            Some(rule) => format!("{place}: {} ({rule})", problem.message),
            None => format!("{place}: {}", problem.message),
        }
    }
}

fn read(path: &Path) -> Result<String, Ending> {
    std::fs::read_to_string(path).map_err(|error| Ending::failed(format!("read {}: {error}", path.display())))
}
