//! Events, after everything else.
//!
//! A sync never waits for its event: it goes into a bounded queue that one task empties when no object waits to be looked at, or after a
//! few seconds. When the queue is full the event is dropped and counted; a status says the same thing. What happens again under the
//! same reason updates the event that is there (its count, its time and its text), so that the last cause is the one that is seen. No
//! event carries a value.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::calm::Calm;
use crate::clock::{Clock, SystemClock};
use crate::cluster::{Answer, pause};
use crate::metrics::Metrics;

const QUEUE: usize = 4096;
/// Kubernetes refuses longer texts.
const NOTE_BYTES_MAX: usize = 1024;
/// How many events are remembered, to be counted up instead of made anew.
const KNOWN_MAX: usize = 8192;
const COMPONENT: &str = "keymill";

/// What is worth an event.
#[derive(Debug, Clone)]
pub struct Note {
    /// The object it is about.
    pub about: ObjectReference,
    /// Whether something is wrong.
    pub warning: bool,
    /// The CamelCase reason.
    pub reason: &'static str,
    /// What happened; names and keys only.
    pub text: String,
}

/// Where syncs leave their events.
#[derive(Debug, Clone)]
pub struct Events {
    queue: mpsc::Sender<(Instant, Note)>,
    metrics: Metrics,
    calm: Calm,
}

impl Events {
    /// Starts the task that publishes them, until `shutdown`. What is dropped is counted in `metrics`.
    #[must_use]
    pub fn start(client: Client, metrics: Metrics, shutdown: CancellationToken) -> Self {
        let (queue, notes) = mpsc::channel(QUEUE);
        let calm = Calm::default();
        let publisher = Publisher { client, calm: calm.clone(), known: HashMap::new(), denied: false };
        tokio::spawn(publisher.run(notes, shutdown));
        Self { queue, metrics, calm }
    }

    /// Leaves one event. Never waits.
    pub fn record(&self, note: Note) {
        if self.queue.try_send((Instant::now(), note)).is_err() {
            self.metrics.event_dropped();
        }
    }

    /// What its events wait for.
    pub(crate) const fn calm(&self) -> &Calm {
        &self.calm
    }
}

/// An event that is there: its name, and how often it has happened.
struct Known {
    name: String,
    count: i32,
}

struct Publisher {
    client: Client,
    calm: Calm,
    /// By uid of the object and reason.
    known: HashMap<(String, &'static str), Known>,
    /// Whether the API server denied the last one.
    denied: bool,
}

impl Publisher {
    async fn run(mut self, mut notes: mpsc::Receiver<(Instant, Note)>, shutdown: CancellationToken) {
        loop {
            let next = async {
                let (since, note) = notes.recv().await?;
                if notes.len() < QUEUE / 2 {
                    self.calm.wait(since).await;
                }
                Some(note)
            };
            let Some(Some(note)) = shutdown.run_until_cancelled(next).await else { return };
            let reason = note.reason;
            match self.publish(note).await {
                Ok(()) => self.denied = false,
                Err(error) if is_ending(&error) => {}
                Err(error) => {
                    let pause = pause(&error).unwrap_or_default();
                    self.complain(reason, &Answer::from(error));
                    let _stopped = shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
            }
        }
    }

    /// A right that is missing is said once: there is no object to say it on.
    fn complain(&mut self, reason: &'static str, answer: &Answer) {
        let denied = matches!(answer.code(), Some(401 | 403));
        if denied && !self.denied {
            tracing::warn!(%answer, "events are not published");
        } else {
            tracing::debug!(reason, %answer, "an event was not published");
        }
        self.denied |= denied;
    }

    async fn publish(&mut self, note: Note) -> Result<(), kube::Error> {
        // Events of cluster-scoped objects live in `default`.
        let namespace = note.about.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let key = (note.about.uid.clone().unwrap_or_default(), note.reason);
        if let Some(known) = self.known.get_mut(&key) {
            known.count = known.count.saturating_add(1);
            let patch = json!({
                "message": cut(note.text.clone()),
                "count": known.count,
                "lastTimestamp": Time(SystemClock.now()),
            });
            match events.patch(&known.name, &PatchParams::default(), &Patch::Merge(&patch)).await {
                // Kubernetes forgets events after a while: then it is made anew.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                other => return other.map(|_| ()),
            }
        }
        let event = event(note, &namespace);
        let name = event.metadata.name.clone().unwrap_or_default();
        events.create(&PostParams::default(), &event).await?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(key, Known { name, count: 1 });
        Ok(())
    }
}

/// A namespace that is being deleted takes no events, which the API server calls forbidden, too.
fn is_ending(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "NamespaceTerminating")
}

fn event(note: Note, namespace: &str) -> Event {
    let now = SystemClock.now();
    let object = note.about.name.clone().unwrap_or_default();
    let name: String = object.chars().take(220).collect();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}", name.trim_end_matches(['-', '.']), now.as_nanosecond())),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: note.about,
        reason: Some(note.reason.to_owned()),
        message: Some(cut(note.text)),
        type_: Some(if note.warning { "Warning" } else { "Normal" }.to_owned()),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        source: Some(EventSource { component: Some(COMPONENT.to_owned()), host: None }),
        reporting_component: Some(COMPONENT.to_owned()),
        ..Event::default()
    }
}

/// Cuts a text where Kubernetes would refuse it, at a character.
fn cut(mut text: String) -> String {
    if text.len() > NOTE_BYTES_MAX {
        let mut end = NOTE_BYTES_MAX - 3;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_at_a_character() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = cut("ä".repeat(800));
        assert!(long.len() <= NOTE_BYTES_MAX && long.ends_with("ä..."), "{}", long.len());
    }

    #[test]
    fn the_name_of_an_event_fits_whatever_the_object_is_called() {
        let about = ObjectReference { name: Some("n".repeat(253)), ..ObjectReference::default() };
        let note = Note { about, warning: true, reason: "UpdateFailed", text: "t".to_owned() };
        let name = event(note, "default").metadata.name.unwrap();
        assert!(name.len() <= 253, "{}", name.len());
    }
}
