//! Calling a policy: candidate fields in, violations out. A violation names a declared rule and a given field and nothing else; sorted
//! and without repeats, so that neither their order nor their number says more than which rules are broken.

use secrecy::ExposeSecret as _;
use serde_json::Value;
use wasmtime::Store;
use zeroize::Zeroize as _;

use crate::bindings::policy::Policy;
use crate::bindings::{judge, types};
use crate::call::Call;
use crate::component::Component;
use crate::config;
use crate::description::Description;
use crate::entropy::Entropy;
use crate::error::{BadOutput, CallError, Problem};
use crate::fill::at_most;
use crate::generator::bad;
use crate::grants::SecretBytes;
use crate::limits::Limits;
use crate::linked::Prepared;
use crate::run::{Finished, run};
use crate::state::{Randomness, State};
use crate::world::World;

/// Before repeats are removed.
const VIOLATIONS: usize = 4096;

/// A component of the world `policy`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PolicyComponent {
    component: Component,
}

/// A value that is about to be published.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub value: SecretBytes,
    /// What the host vouches for; `None` where a guest or a store made the value.
    pub entropy: Option<Entropy>,
    /// How many rotations ago the same value was published, as far as is remembered.
    pub reused: Option<u32>,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The component's rule.
    pub rule: String,
    /// The field that breaks it.
    pub key: String,
    /// The rule's text.
    pub about: String,
}

impl PolicyComponent {
    pub(crate) const fn new(component: Component) -> Self {
        Self { component }
    }

    /// The component behind it.
    #[must_use]
    pub const fn component(&self) -> &Component {
        &self.component
    }

    /// Everything wrong with a config: the schema's problems, then the component's own.
    ///
    /// # Errors
    /// [`CallError`], if the component fails.
    pub fn validate(&self, config: &Value) -> Result<Vec<Problem>, CallError> {
        let text = config::text(config);
        let state = State::examining(Limits::of(World::Policy), self.component.loaded());
        let finished = self.call("validate", state, |guest, store| {
            guest.keymill_guest_judge().call_validate(store, &text)
        })?;
        let problems = config::problems(&self.component.loaded().description, config, &finished.answer);
        problems.map_err(|fault| bad("validate", fault))
    }

    /// Judges candidates. No violation means that all of them pass.
    ///
    /// # Errors
    /// [`CallError`], if the config breaks the schema or the component fails; then nothing is known of the candidates.
    pub fn evaluate(
        &self,
        call: &Call,
        config: &Value,
        candidates: &[Candidate],
    ) -> Result<Vec<Violation>, CallError> {
        let loaded = self.component.loaded();
        let problems = loaded.description.schema.problems(config);
        if !problems.is_empty() {
            return Err(CallError::InvalidConfig(problems));
        }
        let limits = call.limits.unwrap_or(Limits::of(World::Policy));
        let mut state = State::calling(call, limits, &loaded.description.description, Randomness::Denied);
        state.log.tainted = true;
        let mut asked = request(call, config, candidates);
        let finished = self
            .call("evaluate", state, |guest, store| guest.keymill_guest_judge().call_evaluate(store, &asked));
        asked.config.zeroize();
        asked.candidates.iter_mut().for_each(|candidate| candidate.value.zeroize());
        let violations = checked(self.component.description(), candidates, &finished?.answer);
        violations.map_err(|fault| bad("evaluate", fault))
    }

    fn call<T>(
        &self,
        export: &'static str,
        state: State,
        work: impl FnOnce(&Policy, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<Finished<T>, CallError> {
        let loaded = self.component.loaded();
        let Prepared::Policy(pre) = &loaded.prepared else {
            return Err(CallError::WrongWorld { wanted: World::Policy, found: loaded.world });
        };
        run(&loaded.engine, export, state, |store| work(&pre.instantiate(&mut *store)?, store))
    }
}

fn request(call: &Call, config: &Value, candidates: &[Candidate]) -> judge::Request {
    let candidate = |candidate: &Candidate| judge::Candidate {
        key: candidate.key.clone(),
        value: candidate.value.expose_secret().to_vec(),
        bits: candidate.entropy.map(|entropy| entropy.bits),
        exact: candidate.entropy.is_some_and(|entropy| entropy.exact),
        reused: candidate.reused,
    };
    judge::Request {
        config: config.to_string(),
        candidates: candidates.iter().map(candidate).collect(),
        occasion: call.occasion,
        owner: types::Owner { namespace: call.owner.namespace.clone(), name: call.owner.name.clone() },
    }
}

fn checked(
    description: &Description,
    candidates: &[Candidate],
    violations: &[judge::Violation],
) -> Result<Vec<Violation>, BadOutput> {
    at_most("violations", violations.len(), VIOLATIONS)?;
    let mut checked = Vec::with_capacity(violations.len());
    for (index, violation) in violations.iter().enumerate() {
        let Some(rule) = description.rule(&violation.rule) else {
            return Err(BadOutput::UndeclaredRule { what: "violation", index });
        };
        let Some(candidate) = candidates.iter().find(|candidate| candidate.key == violation.key) else {
            return Err(BadOutput::UnknownKey { what: "violation", index });
        };
        checked.push(Violation {
            rule: rule.name.clone(),
            key: candidate.key.clone(),
            about: rule.about.clone(),
        });
    }
    checked.sort();
    checked.dedup();
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::description::RuleDoc;

    fn check(violations: &[(&str, &str)]) -> Result<Vec<(String, String)>, BadOutput> {
        let rule = |name: &str| RuleDoc { name: name.to_owned(), about: format!("{name}.") };
        let description = Description {
            name: "probe".to_owned(),
            version: "1".to_owned(),
            summary: "Probes.".to_owned(),
            config_schema: Arc::new(Value::Bool(true)),
            fields: vec![],
            rules: vec![rule("short"), rule("weak")],
            wants: vec![],
        };
        let candidate = |key: &str| Candidate {
            key: key.to_owned(),
            value: b"x".to_vec().into(),
            entropy: None,
            reused: None,
        };
        let violations: Vec<judge::Violation> = violations
            .iter()
            .map(|(rule, key)| judge::Violation { rule: (*rule).to_owned(), key: (*key).to_owned() })
            .collect();
        let checked = checked(&description, &[candidate("b"), candidate("a")], &violations)?;
        Ok(checked.into_iter().map(|violation| (violation.rule, violation.key)).collect())
    }

    #[test]
    fn violations_are_sorted_and_unique() {
        let pair = |rule: &str, key: &str| (rule.to_owned(), key.to_owned());
        assert_eq!(
            check(&[("weak", "a"), ("short", "b"), ("short", "a"), ("weak", "a")]),
            Ok(vec![pair("short", "a"), pair("short", "b"), pair("weak", "a")])
        );
    }

    #[test]
    fn only_what_was_declared_or_given_may_be_named() {
        assert_eq!(
            check(&[("short", "a"), ("hunter2", "a")]),
            Err(BadOutput::UndeclaredRule { what: "violation", index: 1 })
        );
        assert_eq!(
            check(&[("short", "hunter2")]),
            Err(BadOutput::UnknownKey { what: "violation", index: 0 })
        );
    }
}
