//! Watches: a stream of what happens to the objects of one scope, as one JSON line each.
//!
//! A watch sleeps until something changes, and reads the history from where it was; it never misses a change, and
//! tells it as the selector sees it: an object that begins or ceases to match is added or deleted. When what it needs
//! is compacted it ends with 410, and the client lists again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::call::Call;
use crate::conversion;
use crate::object;
use crate::objects::{Change, Objects, Scope, State};
use crate::query::VersionMatch;
use crate::read;
use crate::schema::Cause;
use crate::selector::Selector;
use crate::status::Failure;
use crate::view::{Shown, View};

/// How often a quiet watch says how far it is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long a watch lasts that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// Starts the watch that the request asks for.
pub(crate) fn watch(
    call: &Call<'_>,
    objects: Arc<Objects>,
    shown: Shown,
) -> Result<impl Stream<Item = Bytes> + use<>, Failure> {
    let selector = Selector::parse(&call.options.labels, &call.options.fields, &call.info)?;
    let initial = initial_events(call)?;
    let asked = call.options.version()?.filter(|version| *version > 0);
    let start = Instant::now();
    let timeout = call
        .options
        .timeout_seconds
        .filter(|seconds| *seconds > 0)
        .map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let latest = objects.latest();
    let mut watch = Watch {
        scope: call.scope(),
        selector,
        shown,
        bookmarks: call.options.bookmarks,
        cursor: 0,
        told: 0,
        pending: VecDeque::new(),
        deadline: start + timeout,
        next_bookmark: start + BOOKMARK_EVERY,
        ended: false,
        first_row: true,
        latest,
        objects: objects.clone(),
    };
    let state = objects.now();
    match asked {
        Some(asked) if !initial.wanted && !initial.by_default => watch.resume(asked, &state),
        _ => watch.start(&state, &initial),
    }
    drop(state);
    Ok(futures::stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) }))
}

struct Initial {
    /// The objects that are there come first, and a bookmark says when they end.
    wanted: bool,
    /// The objects that are there come first because no version was named.
    by_default: bool,
}

fn initial_events(call: &Call<'_>) -> Result<Initial, Failure> {
    let options = &call.options;
    let at = "resourceVersionMatch";
    match (options.initial_events, options.version_match) {
        (None, Some(_)) => {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            Err(read::list_options(&[Cause::forbidden(at, why)]))
        }
        (Some(_), Some(VersionMatch::NotOlderThan)) => {
            Ok(Initial { wanted: options.initial_events == Some(true), by_default: false })
        }
        (Some(_), other) => {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            let unsupported =
                other.map(|_| Cause::not_supported(at, &"Exact".into(), &["NotOlderThan".into()]));
            let causes: Vec<Cause> = [Cause::forbidden(at, why)].into_iter().chain(unsupported).collect();
            Err(read::list_options(&causes))
        }
        (None, None) => {
            Ok(Initial { wanted: false, by_default: options.version()?.is_none_or(|version| version == 0) })
        }
    }
}

struct Watch {
    objects: Arc<Objects>,
    latest: Receiver<u64>,
    scope: Scope,
    selector: Selector,
    shown: Shown,
    bookmarks: bool,
    /// All changes up to this version are told or do not concern us.
    cursor: u64,
    /// The last version that the client knows of.
    told: u64,
    pending: VecDeque<Bytes>,
    deadline: Instant,
    next_bookmark: Instant,
    ended: bool,
    first_row: bool,
}

impl Watch {
    fn start(&mut self, state: &State, initial: &Initial) {
        self.cursor = state.version;
        self.told = state.version;
        if initial.wanted || initial.by_default {
            let objects: Vec<Arc<Value>> =
                state.list(&self.scope).map(|(_, object)| object.clone()).collect();
            for object in objects {
                let served = conversion::served(&self.shown.info, &object).into_owned();
                if self.selector.selects(&served) {
                    self.tell("ADDED", &served);
                }
            }
        }
        if initial.wanted && self.bookmarks {
            self.bookmark(true);
        }
    }

    fn resume(&mut self, asked: u64, state: &State) {
        self.cursor = asked;
        self.told = asked;
        self.catch_up(state);
    }

    /// The next line, or `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            let until = if self.bookmarks { self.deadline.min(self.next_bookmark) } else { self.deadline };
            tokio::select! {
                changed = self.latest.changed() => match changed {
                    Ok(()) => {
                        let objects = self.objects.clone();
                        self.catch_up(&objects.now());
                    }
                    Err(_) => self.ended = true,
                },
                () = sleep_until(until) => self.on_time(),
            }
        }
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        self.next_bookmark = now + BOOKMARK_EVERY;
        self.ended = now >= self.deadline;
        if self.bookmarks && (self.ended || self.cursor > self.told) {
            self.bookmark(false);
        }
    }

    fn catch_up(&mut self, state: &State) {
        let Some(changes) = state.history.after(self.cursor) else {
            let message =
                format!("too old resource version: {} ({})", self.cursor, state.history.compacted());
            self.pending.push_back(line("ERROR", &Failure::expired(message).to_json()));
            self.ended = true;
            return;
        };
        let ours: Vec<Change> = changes.filter(|change| self.scope.holds(&change.place)).cloned().collect();
        for change in &ours {
            self.tell_change(change);
        }
        // A version that is still to come is waited for.
        self.cursor = self.cursor.max(state.version);
    }

    fn tell_change(&mut self, change: &Change) {
        let served = |object: &Option<Arc<Value>>| {
            object.as_ref().map(|object| conversion::served(&self.shown.info, object).into_owned())
        };
        let selected = |object: Option<Value>| object.filter(|object| self.selector.selects(object));
        match (selected(served(&change.old)), selected(served(&change.new))) {
            (None, Some(new)) => self.tell("ADDED", &new),
            (Some(_), Some(new)) => self.tell("MODIFIED", &new),
            (Some(mut old), None) => {
                object::set_metadata(&mut old, "resourceVersion", Some(change.version.to_string().into()));
                self.tell("DELETED", &old);
            }
            (None, None) => return,
        }
        self.told = change.version;
    }

    fn tell(&mut self, kind: &str, served: &Value) {
        let shown = match self.shown.view {
            View::Table | View::OldTable => self.shown.row(served, !std::mem::take(&mut self.first_row)),
            View::Whole | View::Metadata => self.shown.one(served),
        };
        self.pending.push_back(line(kind, &shown));
    }

    fn bookmark(&mut self, initial_end: bool) {
        let mut metadata = json!({"resourceVersion": self.cursor.to_string()});
        if initial_end {
            let end = json!({"k8s.io/initial-events-end": "true"});
            object::fields(&mut metadata).insert("annotations".to_owned(), end);
        }
        let info = &self.shown.info;
        let object = match self.shown.view {
            View::Whole => json!({"kind": info.kind, "apiVersion": info.api_version(), "metadata": metadata}),
            View::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            View::Table | View::OldTable => {
                let object =
                    json!({"kind": info.kind, "apiVersion": info.api_version(), "metadata": metadata});
                self.shown.row(&object, !std::mem::take(&mut self.first_row))
            }
        };
        self.pending.push_back(line("BOOKMARK", &object));
        self.told = self.cursor;
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut line = json!({"type": kind, "object": object}).to_string();
    line.push('\n');
    line.into()
}
