//! Admission: what the loops would only find fault with is refused before it is kept.
//!
//! One AdmissionReview in, one out. The checks and their words are those of the loops, which check everything again, so doubt lets an
//! object through: a component that does not load, a store that cannot be read; a warning says so. Never in the way are deletions,
//! objects that are being deleted, changes that leave the spec as it is (a status, a finalizer, a label) and objects of another
//! controller class. Reads stores at most, writes nothing; an answer names fields, keys and places, never a value.

mod certificate;
mod class;
mod examine;
mod keeper;
mod review;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use api::Problem;
use kube::Client;
use runtime::World;
use serde_json::Value as Json;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

pub use keeper::AdmissionKeeper;

use crate::metrics::Metrics;
use crate::wiring::{Chosen, ComponentError, Engines, configured};
use examine::Examined;
use review::{Answer, Request};
use templates::Placed;

/// The API server waits for five seconds; an answer that comes too late is none.
const REVIEW_TIME: Duration = Duration::from_secs(4);
/// Of which so much to read whose the stores are.
const CLASS_TIME: Duration = Duration::from_secs(3);
/// More wait for their turn: each may hold two objects of 1.5 MiB, what they take as JSON, and an instance of a component.
const AT_ONCE: usize = 4;

/// Answers reviews. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    engines: Engines,
    client: Client,
    class: String,
    metrics: Metrics,
    places: Arc<Semaphore>,
}

/// A body that is not answered.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// It asks nothing.
    #[error("read the review: it is no request of an AdmissionReview of admission.k8s.io/v1")]
    Unreadable,
    /// Others took all the time.
    #[error("review the object: too many are under review")]
    Busy,
}

/// A config to be checked by its component.
struct Config {
    world: World,
    component: Chosen,
    config: Json,
    /// The field that holds it.
    path: &'static str,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admission")
    }
}

impl Admission {
    /// Checks with the components of the process; what serves for Components and ClusterComponents is known where the controllers run, and
    /// elsewhere not checked. Objects whose `controller` names another class than `class` are let through, and so are those that name the
    /// stores of another class, which the client reads.
    #[must_use]
    pub fn new(engines: Engines, client: Client, class: String, metrics: Metrics) -> Self {
        Self { engines, client, class, metrics, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers one AdmissionReview, both as JSON.
    ///
    /// # Errors
    /// When the body is none, or its turn does not come in time.
    pub async fn review(&self, body: &[u8]) -> Result<Vec<u8>, ReviewError> {
        let deadline = Instant::now() + REVIEW_TIME;
        let place = timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await;
        // The semaphore is never closed.
        let place = place.map_err(|_| ReviewError::Busy)?.map_err(|_| ReviewError::Busy)?;
        let request = Arc::new(Request::parse(body)?);
        let (own, asked) = (self.clone(), Arc::clone(&request));
        // A place is held to the end, even when nobody waits for the answer any more: a component ends by its own limits.
        let judging = tokio::spawn(async move {
            let answer = own.judge(&asked).await;
            drop(place);
            answer
        });
        let answer = match timeout_at(deadline, judging).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::warning("not checked: the check was given up".to_owned()),
            Err(_) => Answer::warning(format!("not checked within {REVIEW_TIME:?}")),
        };
        self.metrics.reviewed(examine::word(&request), answer.word());
        if answer.is_denial() {
            tracing::info!(object = %request.object_ref(), problems = answer.problems.len(), "refused at admission");
        }
        Ok(answer.write(&request))
    }

    async fn judge(&self, request: &Request) -> Answer {
        let examined = request.is_examined().then(|| examine::examine(request)).flatten();
        let Some(examined) = examined else { return Answer::default() };
        if !self.is_own(examined.class.as_deref()) {
            return Answer::default();
        }
        let Examined { mut problems, mut warnings, templates, engine, config, named, .. } = examined;
        let engine = (engine.as_deref(), request.namespace().unwrap_or_default());
        self.check_templates(engine, templates, &mut problems, &mut warnings).await;
        if let Some(config) = config {
            self.check_config(config, &mut problems, &mut warnings).await;
        }
        if !problems.is_empty() {
            let is_own = |class: Option<&str>| self.is_own(class);
            let foreign = named.is_foreign(&self.client, request.namespace(), is_own);
            let doubt = match timeout(CLASS_TIME, foreign).await {
                Ok(Ok(false)) => return Answer { problems, warnings },
                Ok(Ok(true)) => return Answer::default(),
                Ok(Err(error)) => pipeline::message(&error),
                Err(_) => format!("the API server did not answer within {CLASS_TIME:?}"),
            };
            return Answer::warning(format!("not checked: {doubt}"));
        }
        Answer { problems, warnings }
    }

    fn is_own(&self, class: Option<&str>) -> bool {
        class.is_none_or(|class| class.is_empty() || class == self.class)
    }

    /// What the template engine refuses whatever the data.
    async fn check_templates(
        &self,
        (engine, namespace): (Option<&str>, &str),
        templates: Vec<Placed>,
        problems: &mut Vec<Problem>,
        warnings: &mut Vec<String>,
    ) {
        if templates.is_empty() {
            return;
        }
        let (paths, texts): (Vec<_>, Vec<_>) =
            templates.into_iter().map(|placed| (placed.path, placed.text)).unzip();
        match self.engines.faults(engine, namespace, texts).await {
            Ok(faults) => problems.extend(faults.into_iter().map(|fault| Problem {
                path: paths.get(fault.index).cloned().unwrap_or_default(),
                message: fault.to_string(),
            })),
            Err(error) => warnings.push(unchecked("templates", &error)),
        }
    }

    /// What a component refuses of its config.
    async fn check_config(&self, asked: Config, problems: &mut Vec<Problem>, warnings: &mut Vec<String>) {
        let Config { world, component, config, path } = asked;
        let checked = configured(&self.engines, world, component, config.clone()).await;
        match checked {
            Ok(_) => {}
            Err(ComponentError::Config { problems: found, .. }) => {
                problems.extend(found.into_iter().map(|problem| Problem {
                    path: field(path, &config, &problem.path),
                    message: problem.message,
                }));
            }
            Err(error) => warnings.push(unchecked("config", &error)),
        }
    }
}

fn unchecked(what: &str, error: &ComponentError) -> String {
    format!("{what} not checked: {}", pipeline::message(error))
}

/// A JSON Pointer into a config as manifests write it: `spec.config.rules[0].name`, and `[name]` where a name is no plain word.
fn field(prefix: &str, config: &Json, pointer: &str) -> String {
    let (mut path, mut inner) = (prefix.to_owned(), Some(config));
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let is_index = inner.is_some_and(Json::is_array);
        if is_index || !is_word(&token) {
            path.push_str(&format!("[{token}]"));
            inner = match token.parse::<usize>() {
                Ok(index) if is_index => inner.and_then(|inner| inner.get(index)),
                _ => inner.and_then(|inner| inner.get(&token)),
            };
        } else {
            path.push_str(&format!(".{token}"));
            inner = inner.and_then(|inner| inner.get(&token));
        }
    }
    path
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_is_written_as_a_field() {
        let config = json!({"sets": [{"min": 0}], "tls.crt": {"a/b": 1}, "7": 1});
        for (pointer, expected) in [
            ("", "spec.config"),
            ("/length", "spec.config.length"),
            ("/sets/0/min", "spec.config.sets[0].min"),
            ("/tls.crt/a~1b", "spec.config[tls.crt][a/b]"),
            ("/7", "spec.config.7"),
        ] {
            assert_eq!(field("spec.config", &config, pointer), expected);
        }
    }
}
