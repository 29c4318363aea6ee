//! Calling a generator: validate a config, generate fields, clean up. The guest answers with a recipe; the host draws, derives and puts
//! together, so that the guest never sees what it made.

use secrecy::ExposeSecret as _;
use serde_json::Value;
use wasmtime::Store;
use zeroize::Zeroize as _;

use crate::bindings::generator::Generator;
use crate::bindings::{generate, types};
use crate::call::Call;
use crate::component::Component;
use crate::config;
use crate::error::{BadOutput, CallError, Problem};
use crate::fill::{FillError, GeneratedField, fill, wipe};
use crate::grants::{Capability, Entry, SecretBytes};
use crate::limits::Limits;
use crate::linked::Prepared;
use crate::random::Random;
use crate::run::{Finished, run};
use crate::state::{Randomness, State};
use crate::world::World;

/// Above this a state is not a state.
const STATE_BYTES: usize = 64 << 10;
/// Ten years: beyond it, nothing expires.
const LONGEST_SECONDS: u64 = 10 * 366 * 24 * 3600;

/// A component of the world `generator`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GeneratorComponent {
    component: Component,
}

/// What a generator is asked with.
#[derive(Debug, Clone)]
pub struct GenerateRequest<'a> {
    /// Its config.
    pub config: &'a Value,
    /// The fields that were published last. Passed on only under a grant of `previous`.
    pub previous: &'a [Entry],
    /// The state that it gave with them. Passed on only under a grant of `previous`.
    pub state: Option<&'a SecretBytes>,
}

impl<'a> GenerateRequest<'a> {
    /// A first request: no previous fields, no state.
    #[must_use]
    pub const fn new(config: &'a Value) -> Self {
        Self { config, previous: &[], state: None }
    }
}

/// What a generator made.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The fields, in the component's order.
    pub fields: Vec<GeneratedField>,
    /// To be kept with the fields, as secret as they are.
    pub state: Option<SecretBytes>,
    /// Worthless after so many seconds; rounded down to minutes from ten minutes on.
    pub expires_in: Option<u64>,
    /// The fuel that the guest used.
    pub fuel: u64,
}

impl GeneratorComponent {
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
        let state = State::examining(Limits::of(World::Generator), self.component.loaded());
        let finished = self.call("validate", state, |guest, store| {
            guest.keymill_guest_generate().call_validate(store, &text)
        })?;
        let problems = config::problems(&self.component.loaded().description, config, &finished.answer);
        problems.map_err(|fault| bad("validate", fault))
    }

    /// Generates fields. A config that breaks the schema is refused before the component is called.
    ///
    /// # Errors
    /// [`CallError`]: the component refused, failed, or asked for what cannot be drawn.
    pub fn generate(&self, call: &Call, request: GenerateRequest<'_>) -> Result<Generated, CallError> {
        let loaded = self.component.loaded();
        let problems = loaded.description.schema.problems(request.config);
        if !problems.is_empty() {
            return Err(CallError::InvalidConfig(problems));
        }
        let (mut asked, state) = self.ask(call, &request);
        let finished = self.call("generate", state, |guest, store| {
            guest.keymill_guest_generate().call_generate(store, &asked)
        });
        asked.config.zeroize();
        asked.previous.iter_mut().for_each(|entry| entry.value.zeroize());
        asked.state.zeroize();
        let finished = finished?;
        match finished.answer {
            Ok(mut output) => {
                let generated = self.fill(&mut output, finished.fuel, finished.usage.keys, call);
                wipe(&mut output);
                generated
            }
            Err(failure) => Err(self.failure("generate", request.config, failure)),
        }
    }

    /// Undoes what `generate` did outside, from its state. Safe to repeat.
    ///
    /// # Errors
    /// [`CallError`]: the component refused or failed; try again later.
    pub fn cleanup(&self, call: &Call, config: &Value, state: &SecretBytes) -> Result<(), CallError> {
        let text = config::text(config);
        let mut called = self.calling(call);
        called.log.tainted = true;
        let finished = self.call("cleanup", called, |guest, store| {
            guest.keymill_guest_generate().call_cleanup(store, &text, state.expose_secret())
        })?;
        finished.answer.map_err(|failure| self.failure("cleanup", config, failure))
    }

    fn call<T>(
        &self,
        export: &'static str,
        state: State,
        work: impl FnOnce(&Generator, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<Finished<T>, CallError> {
        let loaded = self.component.loaded();
        let Prepared::Generator(pre) = &loaded.prepared else {
            return Err(CallError::WrongWorld { wanted: World::Generator, found: loaded.world });
        };
        run(&loaded.engine, export, state, |store| work(&pre.instantiate(&mut *store)?, store))
    }

    fn calling(&self, call: &Call) -> State {
        let loaded = self.component.loaded();
        let limits = call.limits.unwrap_or(Limits::of(World::Generator));
        let randomness = Randomness::Source(std::sync::Arc::clone(&loaded.engine.random));
        State::calling(call, limits, &loaded.description.description, randomness)
    }

    fn ask(&self, call: &Call, request: &GenerateRequest<'_>) -> (generate::Request, State) {
        let mut state = self.calling(call);
        let previous = self.may_see_previous(call);
        let given = previous && (!request.previous.is_empty() || request.state.is_some());
        state.log.tainted |= given;
        let asked = generate::Request {
            config: request.config.to_string(),
            occasion: call.occasion,
            owner: types::Owner { namespace: call.owner.namespace.clone(), name: call.owner.name.clone() },
            previous: if previous { entries(request.previous) } else { Vec::new() },
            state: request.state.filter(|_| previous).map(|state| state.expose_secret().to_vec()),
        };
        (asked, state)
    }

    /// A label that it declared for `previous` was granted for it.
    fn may_see_previous(&self, call: &Call) -> bool {
        let wants = &self.component.description().wants;
        let mut wanted = wants.iter().filter(|want| want.capability == Capability::Previous);
        wanted.any(|want| {
            let bound = call.grants.get(&want.label);
            bound.is_some_and(|bound| bound.grant.capability() == Capability::Previous)
        })
    }

    fn fill(
        &self,
        output: &mut generate::Output,
        fuel: u64,
        keys: u32,
        call: &Call,
    ) -> Result<Generated, CallError> {
        let loaded = self.component.loaded();
        let limits = call.limits.unwrap_or(Limits::of(World::Generator));
        let invalid = |detail| bad("generate", BadOutput::Invalid { what: "answer", index: 0, detail });
        if output.state.as_ref().is_some_and(|state| state.len() > STATE_BYTES) {
            return Err(invalid("its state is larger than 64 KiB"));
        }
        let expires_in = output.expires_in.map(rounded).transpose().map_err(invalid)?;
        let mut random = Random::new(loaded.engine.random.as_ref());
        let keys = limits.keys.saturating_sub(keys);
        let filled = fill(output, &loaded.description.description, &mut random, keys);
        let fields = filled.map_err(|error| match error {
            FillError::Bad(fault) => bad("generate", fault),
            FillError::Random(error) => CallError::Random(error),
        })?;
        let state = output.state.take().map(SecretBytes::from);
        Ok(Generated { fields, state, expires_in, fuel })
    }

    /// What a failure means: a config that the component calls invalid is asked about, so that the answer says what is wrong with it.
    fn failure(&self, export: &'static str, config: &Value, failure: generate::Failure) -> CallError {
        match failure {
            generate::Failure::Unavailable => CallError::Unavailable,
            generate::Failure::Refused(rule) => match self.component.description().rule(&rule) {
                Some(rule) => CallError::Refused(rule.clone()),
                None => bad(export, BadOutput::UndeclaredRefusal),
            },
            generate::Failure::InvalidConfig => match self.validate(config) {
                Ok(problems) => CallError::InvalidConfig(problems),
                Err(error) => error,
            },
        }
    }
}

/// # Errors
/// A time that is none.
fn rounded(seconds: u64) -> Result<u64, &'static str> {
    match seconds {
        0 => Err("it expires at once"),
        1..600 => Ok(seconds),
        600..=LONGEST_SECONDS => Ok(seconds - seconds % 60),
        _ => Err("it expires in more than ten years"),
    }
}

pub(crate) fn entries(entries: &[Entry]) -> Vec<types::Entry> {
    let entries = entries
        .iter()
        .map(|entry| types::Entry { key: entry.key.clone(), value: entry.value.expose_secret().to_vec() });
    entries.collect()
}

pub(crate) const fn bad(export: &'static str, fault: BadOutput) -> CallError {
    CallError::BadOutput { export, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_and_bounded() {
        assert_eq!(rounded(599), Ok(599));
        assert_eq!(rounded(3659), Ok(3600));
        assert!(rounded(0).is_err());
        assert!(rounded(u64::MAX).is_err());
    }
}
