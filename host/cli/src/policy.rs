//! Policies as the command line names them, and their verdicts as lines.
//!
//! A verdict names the field, the policy, the rule and its text; the value stays where it is.

use pipeline::Fields;
use runtime::{Call, Candidate, GeneratedField, PolicyComponent, SecretBytes, World};

use crate::catalog::Components;
use crate::config::Config;
use crate::ending::Ending;

/// A policy with its config, ready to judge.
pub(crate) struct Policy {
    pub(crate) name: String,
    component: PolicyComponent,
    config: Config,
}

impl Policy {
    /// From `NAME` or `NAME=JSON`. A wrong config is found here, before there is a value to judge.
    pub(crate) fn open(components: &Components, text: &str) -> Result<Self, Ending> {
        let (name, config) = text.split_once('=').unwrap_or((text, "{}"));
        let config = Config::of_flag(&format!("--policy {name}"), config)?;
        let found = components.find(name, World::Policy)?;
        let refused = |error| config.refused(name, &error);
        let component = found.component.policy().map_err(refused)?;
        let problems = component.validate(&config.json).map_err(refused)?;
        if problems.is_empty() {
            Ok(Self { name: found.name, component, config })
        } else {
            Err(config.invalid(name, &problems))
        }
    }

    fn violations(&self, call: &Call, candidates: &[Candidate]) -> Result<Vec<String>, Ending> {
        let found = self.component.evaluate(call, &self.config.json, candidates);
        let found = found.map_err(|error| self.config.refused(&self.name, &error))?;
        let line = |violation: &runtime::Violation| {
            format!("{} breaks {}/{}: {}", violation.key, self.name, violation.rule, violation.about)
        };
        Ok(found.iter().map(line).collect())
    }
}

/// What these policies do not accept: one line each, none when they accept all.
pub(crate) fn judge(
    policies: &[Policy],
    call: &Call,
    candidates: &[Candidate],
) -> Result<Vec<String>, Ending> {
    let mut lines = Vec::new();
    for policy in policies {
        lines.extend(policy.violations(call, candidates)?);
    }
    Ok(lines)
}

/// Generated fields with the entropy that the host vouches for.
pub(crate) fn of_generated(fields: &[GeneratedField]) -> Vec<Candidate> {
    let candidate = |field: &GeneratedField| Candidate {
        key: field.key.clone(),
        value: field.value.clone(),
        entropy: field.entropy,
        reused: None,
    };
    fields.iter().map(candidate).collect()
}

/// Values of unknown origin: nobody vouches for their entropy.
pub(crate) fn of_values(fields: &Fields) -> Vec<Candidate> {
    let candidate = |(key, value): (&String, &pipeline::Value)| Candidate {
        key: key.clone(),
        value: SecretBytes::from(value.expose().to_vec()),
        entropy: None,
        reused: None,
    };
    fields.iter().map(candidate).collect()
}
