//! Events, after everything else.
//!
//! A sync never waits for its event: it goes into a bounded queue that one task empties. When the queue is full the event is
//! dropped and counted; a status says the same thing. No event carries a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const QUEUE: usize = 4096;
/// Kubernetes cuts notes there.
const NOTE_BYTES_MAX: usize = 1024;

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
    queue: mpsc::Sender<Note>,
    dropped: Arc<AtomicU64>,
}

impl Events {
    /// Starts the task that publishes them, until `shutdown`.
    #[must_use]
    pub fn start(client: kube::Client, shutdown: CancellationToken) -> Self {
        let (queue, notes) = mpsc::channel(QUEUE);
        let reporter = Reporter {
            controller: "keymill".to_owned(),
            instance: None,
        };
        tokio::spawn(publish(Recorder::new(client, reporter), notes, shutdown));
        Self {
            queue,
            dropped: Arc::default(),
        }
    }

    /// Leaves one event. Never waits.
    pub fn record(&self, note: Note) {
        if self.queue.try_send(note).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were dropped because the queue was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn publish(recorder: Recorder, mut notes: mpsc::Receiver<Note>, shutdown: CancellationToken) {
    loop {
        let note = tokio::select! {
            note = notes.recv() => note,
            () = shutdown.cancelled() => return,
        };
        let Some(note) = note else { return };
        let event = Event {
            type_: if note.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: note.reason.to_owned(),
            note: Some(cut(note.text)),
            action: "Sync".to_owned(),
            secondary: None,
        };
        if let Err(error) = recorder.publish(&event, &note.about).await {
            let answer = crate::cluster::Answer::from(error);
            tracing::debug!(reason = note.reason, %answer, "an event could not be published");
        }
    }
}

/// Cuts a note where Kubernetes would refuse it, at a character.
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
        assert!(
            long.len() <= NOTE_BYTES_MAX && long.ends_with("ä..."),
            "{}",
            long.len()
        );
    }
}
