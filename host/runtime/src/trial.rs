//! A component is tried before it serves: with configs and templates that nobody should write, and with those that are in use.
//!
//! It may find them wrong, as often as it likes; it may not be stopped over them, nor break the contract. What it answers is dropped.

use serde_json::{Map, Value, json};

use crate::bindings::render::Scope;
use crate::bindings::types::Occasion;
use crate::call::{Call, Owner, StreamKey};
use crate::component::Component;
use crate::entropy::Entropy;
use crate::error::{CallError, Problem, RenderError};
use crate::generator::GenerateRequest;
use crate::policy::Candidate;
use crate::template::TemplateText;
use crate::world::World;

/// The depth of the deepest config.
const DEPTH: usize = 64;
/// The bytes of the longest text.
const LONG: usize = 64 << 10;

impl Component {
    /// Tries it with what nobody should write.
    ///
    /// # Errors
    /// [`CallError`]: it was stopped, or broke the contract.
    pub fn try_out(&self) -> Result<(), CallError> {
        match self.world() {
            World::Template => self.try_templates(),
            World::Generator | World::Policy => {
                evil_configs().iter().try_for_each(|config| answered(self.problems(config)).map(drop))
            }
        }
    }

    /// Tries it with a config that is in use: the problems that it finds in it, or none, and then it was carried out once.
    ///
    /// # Errors
    /// [`CallError`]: it was stopped, broke the contract, or refused.
    pub fn try_config(&self, config: &Value) -> Result<Vec<Problem>, CallError> {
        let problems = self.problems(config)?;
        if !problems.is_empty() {
            return Ok(problems);
        }
        match self.world() {
            World::Generator => match self.generator()?.generate(&call(), GenerateRequest::new(config)) {
                // Nothing is granted to a trial: whoever wants something may refuse to go on without it.
                Err(CallError::Refused(_) | CallError::Unavailable)
                    if !self.description().wants.is_empty() => {}
                made => drop(made?),
            },
            World::Policy => self.policy()?.evaluate(&call(), config, &[candidate()]).map(drop)?,
            World::Template => {}
        }
        Ok(Vec::new())
    }

    /// What it finds wrong with a config.
    ///
    /// # Errors
    /// [`CallError`], if it fails.
    pub fn problems(&self, config: &Value) -> Result<Vec<Problem>, CallError> {
        match self.world() {
            World::Generator => self.generator()?.validate(config),
            World::Policy => self.policy()?.validate(config),
            // A template engine is asked about templates, not about a config alone.
            World::Template => Ok(Vec::new()),
        }
    }

    fn try_templates(&self) -> Result<(), CallError> {
        let engine = self.template()?;
        let text = |text: String| TemplateText { key: "key".to_owned(), text, scope: Scope::Values };
        for text in evil_templates().into_iter().map(text) {
            let templates = [text];
            answered(engine.validate(&templates, &json!({})).map(|_| Vec::new()))?;
            match engine.render(&call(), &templates, &[], &json!({})) {
                Ok(_) | Err(RenderError::Fault(_)) => {}
                Err(RenderError::Call(error)) => drop(answered(Err(error))?),
            }
        }
        Ok(())
    }
}

/// A config that is called wrong was answered.
fn answered(result: Result<Vec<Problem>, CallError>) -> Result<Vec<Problem>, CallError> {
    match result {
        Err(CallError::InvalidConfig(problems)) => Ok(problems),
        result => result,
    }
}

fn call() -> Call {
    let owner = Owner { namespace: "keymill-trial".to_owned(), name: "trial".to_owned() };
    Call::new(owner, Occasion::Initial, 1_700_000_000).with_stream_key(StreamKey::new([0; 32]))
}

fn candidate() -> Candidate {
    Candidate {
        key: "password".to_owned(),
        value: b"Correct-horse-battery-9-staple".to_vec().into(),
        entropy: Some(Entropy { bits: 128.0, exact: false }),
        reused: None,
    }
}

fn evil_configs() -> Vec<Value> {
    let nested = |wrap: fn(Value) -> Value| (0..DEPTH).fold(Value::Null, |inner, _| wrap(inner));
    let many: Map<String, Value> = (0..1000).map(|at| (format!("key-{at}"), json!(at))).collect();
    vec![
        json!({}),
        json!({"": null, "\u{0}": "\u{0}", "length": -1, "min": 1e308, "max": -0.0}),
        json!({"length": u64::MAX, "size": i64::MIN, "count": 0}),
        json!({"text": "x".repeat(LONG), "pattern": "(".repeat(1000)}),
        json!({"\u{202e}\u{1f4a3}": ["\u{fffd}", true, [], {}]}),
        json!({"nested": nested(|inner| json!([inner]))}),
        json!({"nested": nested(|inner| json!({"a": inner}))}),
        Value::Object(many),
    ]
}

fn evil_templates() -> Vec<String> {
    vec![
        String::new(),
        "{{".to_owned(),
        "}}{{/*".to_owned(),
        "{{ .a.b.c }}{{ end }}".to_owned(),
        "{{ \"\u{0}\u{202e}\" }}\u{fffd}".to_owned(),
        "(".repeat(1000),
        "x".repeat(LONG),
    ]
}
