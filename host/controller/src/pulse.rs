//! Whether the loops are alive, and whether each has seen what it watches.
//!
//! A loop beats from within the task that does its work, at least every [`BEAT`]: one that is stuck or has ended falls silent. That a
//! watch is refused is said by the loop, too, in the API server's words: they name the right and the resource, and hold no value.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event};
use tokio::time::Instant;

use crate::backoff;
use crate::cluster::Answer;

/// A loop with nothing to do beats this often.
pub(crate) const BEAT: Duration = Duration::from_secs(5);
/// A watch that is refused tries again within [`backoff::CLUSTER_MAX`], or its list does.
const REFUSAL: Duration = Duration::from_secs(3 * backoff::CLUSTER_MAX.as_secs());
/// What the API server means by "page not found".
const UNKNOWN_KIND: &str =
    "the API server does not know this kind: apply its CustomResourceDefinition, `keymill crds` prints it";
/// The same of a kind of our own.
const UNKNOWN_OWN_KIND: &str = "the API server does not know the kinds of keymill.dev, so there is none of them; everything else goes on: apply their CustomResourceDefinitions, `keymill crds` prints them";

/// How one loop is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopState {
    /// What it watches, and what for: `Secret watch`, `ExternalSecret loop`.
    pub name: String,
    /// How long it has not been heard of.
    pub silent: Duration,
    /// Whether it has seen all objects of its kind once.
    pub listed: bool,
    /// Why it cannot watch now, in the API server's words.
    pub trouble: Option<String>,
}

/// All loops of one set of controllers.
#[derive(Debug, Default)]
pub(crate) struct Loops {
    heard: Mutex<BTreeMap<String, Heard>>,
    /// Whether it was said that watches cannot begin.
    cut_off: AtomicBool,
    /// Whether it was said that kinds of ours are not defined.
    without: AtomicBool,
}

#[derive(Debug)]
struct Heard {
    last: Instant,
    listed: bool,
    /// Why the watch was refused, and when that was last.
    trouble: Option<(String, Instant)>,
}

impl Heard {
    /// A watch says nothing when it is let in at last: whoever was not refused again is.
    fn trouble(&self) -> Option<&str> {
        let lasts = |(_, at): &&(String, Instant)| at.elapsed() < REFUSAL;
        self.trouble.as_ref().filter(lasts).map(|(trouble, _)| trouble.as_str())
    }
}

/// One loop's end of it.
#[derive(Debug, Clone)]
pub(crate) struct Pulse {
    loops: Arc<Loops>,
    name: String,
}

impl Loops {
    /// A loop begins.
    pub(crate) fn begin(self: &Arc<Self>, name: String) -> Pulse {
        let heard = Heard { last: Instant::now(), listed: false, trouble: None };
        self.lock().insert(name.clone(), heard);
        Pulse { loops: Arc::clone(self), name }
    }

    /// How each of them is, by name.
    pub(crate) fn states(&self) -> Vec<LoopState> {
        let state = |(name, heard): (&String, &Heard)| LoopState {
            name: name.clone(),
            silent: heard.last.elapsed(),
            listed: heard.listed,
            trouble: heard.trouble().map(str::to_owned),
        };
        self.lock().iter().map(state).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// Takes what comes until there is no more, and beats meanwhile.
    pub(crate) async fn follow<T>(&self, events: impl Stream<Item = T>, mut each: impl FnMut(T)) {
        let mut events = pin!(events);
        let mut beats = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => each(event),
                    None => return,
                },
                _ = beats.tick() => {}
            }
            self.beat();
        }
    }

    /// The loop is alive.
    pub(crate) fn beat(&self) {
        self.tell(|heard| heard.last = Instant::now());
    }

    /// It watches nothing: there is no list that it waits for.
    pub(crate) fn listed(&self) {
        self.tell(|heard| heard.listed = true);
    }

    /// The API server has no such kind, and whoever watches it can do without: there are no objects of it. Said once for all of them.
    pub(crate) fn unknown_kind(&self) {
        self.listed();
        if !self.loops.without.swap(true, Ordering::Relaxed) {
            tracing::warn!(watch = self.name, "{UNKNOWN_OWN_KIND}");
        }
    }

    /// Notes what an event of the watch says of the watch, and keeps errors out: the watch begins again by itself.
    pub(crate) fn heed<K>(&self, event: Result<Event<K>, watcher::Error>) -> Option<Event<K>> {
        match event {
            Ok(event) => {
                self.loops.cut_off.store(false, Ordering::Relaxed);
                if matches!(event, Event::InitDone) {
                    self.tell(|heard| (heard.listed, heard.trouble) = (true, None));
                }
                Some(event)
            }
            Err(error) => {
                self.complain(error);
                None
            }
        }
    }

    /// A watch ends now and then and is begun again; only one that cannot begin is worth a line, and that once: one line for all when the
    /// API server is away, one for each that is refused.
    fn complain(&self, error: watcher::Error) {
        let cannot_begin =
            matches!(error, watcher::Error::InitialListFailed(_) | watcher::Error::WatchStartFailed(_));
        let cause = match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Answer::from(error),
            watcher::Error::WatchError(status) => Answer::from(kube::Error::Api(status)),
            _ => Answer::Silent,
        };
        if !matches!(cause.code(), Some(401 | 403 | 404)) {
            if cannot_begin && !self.loops.cut_off.swap(true, Ordering::Relaxed) {
                tracing::warn!(watch = self.name, %cause, "cannot watch; trying again every few seconds");
            } else {
                tracing::debug!(watch = self.name, %cause, "a watch begins again");
            }
            return;
        }
        let cause = match cause.code() {
            Some(404) => UNKNOWN_KIND.to_owned(),
            Some(_) | None => cause.to_string(),
        };
        let mut news = false;
        self.tell(|heard| {
            news = heard.trouble() != Some(&cause);
            heard.trouble = Some((cause.clone(), Instant::now()));
        });
        if news {
            tracing::warn!(watch = self.name, %cause, "cannot watch");
        }
    }

    fn tell(&self, change: impl FnOnce(&mut Heard)) {
        if let Some(heard) = self.loops.lock().get_mut(&self.name) {
            change(heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use kube::core::Status;

    use super::*;

    fn only(loops: &Loops) -> LoopState {
        loops.states().into_iter().next().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_with_nothing_to_do_beats() {
        let loops = Arc::new(Loops::default());
        let pulse = loops.begin("Secret watch".to_owned());
        let idle = pulse.follow(stream::pending::<()>(), |()| {});
        assert!(tokio::time::timeout(Duration::from_secs(60), idle).await.is_err());
        assert!(only(&loops).silent <= BEAT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_has_ended_falls_silent() {
        let loops = Arc::new(Loops::default());
        loops.begin("Secret watch".to_owned()).follow(stream::iter([(), ()]), |()| {}).await;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(only(&loops).silent, Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forbidden_is_said_until_it_is_not() {
        let loops = Arc::new(Loops::default());
        let pulse = loops.begin("Secret watch".to_owned());
        let refused = |code| {
            let status = Status { code, message: format!("code {code}"), ..Status::default() };
            Err::<Event<()>, _>(watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status))))
        };
        assert!(pulse.heed(refused(500)).is_none());
        assert_eq!(only(&loops).trouble, None);
        assert!(pulse.heed(refused(403)).is_none());
        assert_eq!(only(&loops).trouble.as_deref(), Some("code 403"));
        assert!(!only(&loops).listed);
        assert!(pulse.heed(refused(404)).is_none());
        assert_eq!(only(&loops).trouble.as_deref(), Some(UNKNOWN_KIND));
        tokio::time::advance(REFUSAL).await;
        assert_eq!(only(&loops).trouble, None, "not refused again");
        assert!(pulse.heed(refused(403)).is_none());
        assert_eq!(only(&loops).trouble.as_deref(), Some("code 403"));
        assert!(pulse.heed::<()>(Ok(Event::InitDone)).is_some());
        assert_eq!((only(&loops).listed, only(&loops).trouble), (true, None));
    }
}
