//! What the runtime's errors mean for a sync: it only knows guest and host, here they get reason, blame and retry.

use pipeline::{Blame, Failure, Reason, Retry};
use runtime::{CallError, LoadError, Problem, RenderError, TemplateFault};
use thiserror::Error;

const CORRECT: &str = "correct the template";

/// A component that did not answer.
#[derive(Debug, Error)]
pub(crate) enum ComponentError {
    /// There is none of that name.
    #[error("find the component {name}: there is no such {world}")]
    Unknown { world: &'static str, name: String },
    /// Nothing serves for it.
    #[error("use {name}: nothing serves for it")]
    NotServing { name: String },
    /// It could not be loaded.
    #[error("load the component {name}")]
    Load {
        name: String,
        #[source]
        source: Box<LoadError>,
    },
    /// It does not accept its config.
    #[error("configure {name}: {}", list_problems(.problems))]
    Config { name: String, problems: Vec<Problem> },
    /// It does not want what it is granted.
    #[error("grant {granted} under {label} to {name}: it wants {}", any(.wants))]
    Unwanted { name: String, label: String, granted: &'static str, wants: Vec<String> },
    /// It failed or refused.
    #[error("call {name}")]
    Call {
        name: String,
        #[source]
        source: Box<CallError>,
    },
    /// A template does not fit.
    #[error("render with {name}")]
    Render {
        name: String,
        #[source]
        source: Box<RenderError>,
    },
    /// A template is none, whatever the data.
    #[error("render with {name}: {fault}")]
    Template { name: String, fault: Box<TemplateFault> },
    /// The thread that ran it is gone.
    #[error("call {name}: the call was given up")]
    Lost { name: String },
}

impl ComponentError {
    /// A call's failure; a wrong config is told from the rest.
    pub(crate) fn call(name: &str, source: CallError) -> Self {
        let name = name.to_owned();
        match source {
            CallError::InvalidConfig(problems) => ComponentError::Config { name, problems },
            source => ComponentError::Call { name, source: Box::new(source) },
        }
    }
}

fn any(wants: &[String]) -> String {
    if wants.is_empty() { "nothing".to_owned() } else { wants.join(", ") }
}

/// All of them in one line, each with its path.
pub(crate) fn list_problems(problems: &[Problem]) -> String {
    let one = |problem: &Problem| match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Failure for ComponentError {
    fn reason(&self) -> Reason {
        match self {
            ComponentError::Unknown { .. } | ComponentError::NotServing { .. } => Reason::ComponentNotFound,
            ComponentError::Config { .. } | ComponentError::Unwanted { .. } => Reason::InvalidConfig,
            ComponentError::Load { .. } | ComponentError::Call { .. } => Reason::ComponentFailed,
            ComponentError::Render { source, .. } => match source.as_ref() {
                RenderError::Fault(_) => Reason::TemplateFailed,
                RenderError::Call(_) => Reason::ComponentFailed,
            },
            ComponentError::Template { .. } => Reason::TemplateInvalid,
            ComponentError::Lost { .. } => Reason::Internal,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            ComponentError::Unknown { .. }
            | ComponentError::NotServing { .. }
            | ComponentError::Unwanted { .. }
            | ComponentError::Config { .. }
            | ComponentError::Template { .. } => Blame::User,
            ComponentError::Load { .. } => Blame::Guest,
            ComponentError::Call { source, .. } => blame(source),
            ComponentError::Render { source, .. } => match source.as_ref() {
                RenderError::Fault(_) => Blame::User,
                RenderError::Call(source) => blame(source),
            },
            ComponentError::Lost { .. } => Blame::Host,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // Specs and the ConfigMaps and Secrets with templates are watched.
            ComponentError::Unknown { .. }
            | ComponentError::Unwanted { .. }
            | ComponentError::Config { .. }
            | ComponentError::Template { .. } => Retry::WhenChanged,
            // The data may change, and nobody watches a store.
            ComponentError::NotServing { .. }
            | ComponentError::Render { .. }
            | ComponentError::Load { .. }
            | ComponentError::Call { .. }
            | ComponentError::Lost { .. } => Retry::Backoff,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            ComponentError::Unknown { .. } => "`keymill component list` shows what there is",
            ComponentError::NotServing { .. } => "create it, or see what its status says",
            ComponentError::Config { .. } => "correct the config",
            ComponentError::Unwanted { .. } => "correct spec.label, or delete the Grant",
            ComponentError::Render { source, .. } => match source.as_ref() {
                RenderError::Fault(_) => CORRECT,
                RenderError::Call(_) => "",
            },
            ComponentError::Template { .. } => CORRECT,
            ComponentError::Load { .. } | ComponentError::Call { .. } | ComponentError::Lost { .. } => "",
        }
    }
}

const fn blame(error: &CallError) -> Blame {
    match error {
        CallError::InvalidConfig(_) => Blame::User,
        CallError::Stopped { .. }
        | CallError::BadOutput { .. }
        | CallError::WrongWorld { .. }
        | CallError::Refused(_)
        | CallError::Unavailable => Blame::Guest,
        CallError::Random(_) | CallError::Host(_) => Blame::Host,
    }
}
