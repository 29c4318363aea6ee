//! The calls that cases make, one by one, for who measures them.

use bundle::sdk::testing::PolicyCase;
use runtime::{Call, CallError, Component, GenerateRequest, Occasion, RenderError, StreamKey};

use crate::{Cases, call, generator, policy, template};

type Work<'a> = Box<dyn Fn(&Call) -> Result<(), CallError> + 'a>;

/// One call that a case makes.
pub struct Exercise<'a> {
    /// The case's name.
    pub name: String,
    call: Call,
    work: Work<'a>,
}

impl std::fmt::Debug for Exercise<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exercise").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Exercise<'_> {
    /// Makes the call, changed by `with`: a meter, other limits.
    ///
    /// # Errors
    /// [`CallError`]: the component failed. A fault that it tells is an answer.
    pub fn run(&self, with: impl FnOnce(Call) -> Call) -> Result<(), CallError> {
        (self.work)(&with(self.call.clone()))
    }
}

/// The calls of all cases whose config is right.
///
/// # Errors
/// [`CallError::WrongWorld`]: the cases are of another world.
pub fn exercises<'a>(component: &'a Component, cases: &'a Cases) -> Result<Vec<Exercise<'a>>, CallError> {
    Ok(match cases {
        Cases::Generator(cases) => {
            let component = component.generator()?;
            let right = cases.iter().filter(|case| case.refused.is_none());
            let exercise = |case: &'a bundle::sdk::testing::GeneratorCase| {
                let component = component.clone();
                let work =
                    move |call: &Call| component.generate(call, GenerateRequest::new(&case.config)).map(drop);
                Exercise {
                    name: case.name.clone(),
                    call: call(generator::occasion(case)),
                    work: Box::new(work),
                }
            };
            right.map(exercise).collect()
        }
        Cases::Template(cases) => {
            let component = component.template()?;
            let exercise = |case: &'a template::TemplateCase| {
                let (component, texts, data) =
                    (component.clone(), template::templates(case), template::data(case));
                let work = move |call: &Call| match component.render(call, &texts, &data, &case.config) {
                    Ok(_) | Err(RenderError::Fault(_)) => Ok(()),
                    Err(RenderError::Call(error)) => Err(error),
                };
                let call = call(Occasion::Initial).with_stream_key(StreamKey::new([1; 32]));
                Exercise { name: case.name.clone(), call, work: Box::new(work) }
            };
            cases.iter().map(exercise).collect()
        }
        Cases::Policy(sets) => {
            let component = component.policy()?;
            let mut all = Vec::new();
            for set in sets.iter().filter(|set| set.invalid.is_empty()) {
                for case in set.accept.iter().chain(&set.reject) {
                    all.extend(judging(component.clone(), &set.config, case));
                }
            }
            all
        }
    })
}

/// None of a case whose base64 is none: `run` says so.
fn judging<'a>(
    component: runtime::PolicyComponent,
    config: &'a serde_json::Value,
    case: &'a PolicyCase,
) -> Option<Exercise<'a>> {
    let candidates = policy::candidates(case).ok()?;
    let work = move |call: &Call| component.evaluate(call, config, &candidates).map(drop);
    Some(Exercise { name: case.name.clone(), call: call(Occasion::Initial), work: Box::new(work) })
}
