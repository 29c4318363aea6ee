//! What `/livez` and `/readyz` say of the operator, check by check.
//!
//! Live is a process whose loops are heard of: one that is not will not mend itself, and is worth a restart. Ready is one that does its
//! work, or would at once if the leader went: its components are loaded, it leads or stands by, and its watches have seen everything
//! and may go on. A check names loops, rights and components; no objects and no values.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller::{LoopState, Standing};
use http::StatusCode;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::listener::Page;

/// A loop beats every few seconds; one that is silent for so long is stuck or has ended. Long, since a busy machine is no reason to
/// kill the operator.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Asks each loop of the controllers how it is.
type Loops = Box<dyn Fn() -> Vec<LoopState> + Send>;

/// Everything that is asked. Shared by the process and its server.
#[derive(Default)]
pub(crate) struct Health {
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    components: Components,
    election: Option<Election>,
    loops: Option<Loops>,
}

/// The built-in components.
#[derive(Debug, Clone, Default)]
pub(crate) enum Components {
    #[default]
    Loading,
    Loaded,
    /// Which one cannot be, and why.
    Failed(String),
}

struct Election {
    standing: watch::Receiver<Standing>,
    /// Whoever has not read the Lease for so long stands by for nothing.
    patience: Duration,
}

/// One check: its name, and what it says.
struct Check {
    name: &'static str,
    verdict: Result<String, String>,
}

impl Health {
    /// The process is about to end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn components(&self, components: Components) {
        self.lock().components = components;
    }

    pub(crate) fn election(&self, standing: watch::Receiver<Standing>, patience: Duration) {
        self.lock().election = Some(Election { standing, patience });
    }

    /// The controllers have been started.
    pub(crate) fn loops(&self, loops: impl Fn() -> Vec<LoopState> + Send + 'static) {
        self.lock().loops = Some(Box::new(loops));
    }

    /// The page at a path.
    pub(crate) fn page(&self, path: &str, query: &str) -> Option<Page> {
        let verbose = query.split('&').any(|part| part == "verbose" || part.starts_with("verbose="));
        let (name, checks) = match path {
            "/livez" => ("livez", self.live()),
            "/readyz" => ("readyz", self.ready()),
            _ => return None,
        };
        Some(page(name, &checks, verbose))
    }

    fn live(&self) -> Vec<Check> {
        let state = self.lock();
        vec![
            Check { name: "loops", verdict: beats(&state.loops()) },
            Check { name: "election", verdict: state.election.as_ref().map_or(Ok(String::new()), tries) },
        ]
    }

    fn ready(&self) -> Vec<Check> {
        let state = self.lock();
        let stopping = self.stopping.load(Ordering::Relaxed);
        let running = if stopping { Err("stopping".to_owned()) } else { Ok(String::new()) };
        vec![
            Check { name: "running", verdict: running },
            Check { name: "components", verdict: state.components.verdict() },
            Check { name: "election", verdict: state.election.as_ref().map_or(Ok(String::new()), stands) },
            Check { name: "watches", verdict: state.watches() },
        ]
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn loops(&self) -> Vec<LoopState> {
        self.loops.as_ref().map(|loops| loops()).unwrap_or_default()
    }

    /// Whoever stands by watches nothing.
    fn watches(&self) -> Result<String, String> {
        let stands_by = self.election.as_ref().is_some_and(|election| !election.standing.borrow().leads);
        if self.loops.is_none() {
            return if stands_by { Ok("standing by".to_owned()) } else { Err("not started".to_owned()) };
        }
        let wrong: Vec<String> = self.loops().iter().filter_map(unwatched).collect();
        if wrong.is_empty() { Ok(String::new()) } else { Err(wrong.join("; ")) }
    }
}

impl Components {
    fn verdict(&self) -> Result<String, String> {
        match self {
            Components::Loading => Err("compiling".to_owned()),
            Components::Loaded => Ok(String::new()),
            Components::Failed(why) => Err(why.clone()),
        }
    }
}

fn unwatched(state: &LoopState) -> Option<String> {
    match &state.trouble {
        Some(trouble) => Some(format!("{}: {trouble}", state.name)),
        None if state.listed => None,
        None => Some(format!("{}: not listed yet", state.name)),
    }
}

fn beats(loops: &[LoopState]) -> Result<String, String> {
    let silent: Vec<String> = loops
        .iter()
        .filter(|state| state.silent > SILENCE_MAX)
        .map(|state| format!("{}: silent for {} s", state.name, state.silent.as_secs()))
        .collect();
    if silent.is_empty() { Ok(String::new()) } else { Err(silent.join("; ")) }
}

/// Before its first try it is not late.
fn tries(election: &Election) -> Result<String, String> {
    let tried = election.standing.borrow().tried;
    match tried.map(|tried| tried.elapsed()) {
        Some(silent) if silent > election.patience + SILENCE_MAX => {
            Err(format!("the Lease was not tried for {} s", silent.as_secs()))
        }
        Some(_) | None => Ok(String::new()),
    }
}

fn stands(election: &Election) -> Result<String, String> {
    let standing = election.standing.borrow();
    let heard = standing.heard.is_some_and(|heard| Instant::now() - heard <= election.patience);
    match &standing.trouble {
        // Who leads has until its deadline.
        _ if heard && standing.leads => Ok("leading".to_owned()),
        // Who cannot stand stands by for nothing, though the Lease be read.
        Some(trouble) => Err(trouble.clone()),
        None if heard => Ok(format!("standing by for {}", standing.holder)),
        None => Err("the Lease was not read yet".to_owned()),
    }
}

/// As kube-apiserver writes them: one line a check when asked, and always when one fails.
fn page(name: &str, checks: &[Check], verbose: bool) -> Page {
    let passed = checks.iter().all(|check| check.verdict.is_ok());
    let text = if passed && !verbose { "ok\n".to_owned() } else { lines(name, checks, passed) };
    let status = if passed { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Page { status, content_type: "text/plain; charset=utf-8", text }
}

fn lines(name: &str, checks: &[Check], passed: bool) -> String {
    let line = |check: &Check| match &check.verdict {
        Ok(note) if note.is_empty() => format!("[+]{} ok\n", check.name),
        Ok(note) => format!("[+]{} ok: {note}\n", check.name),
        Err(why) => format!("[-]{} failed: {why}\n", check.name),
    };
    let lines: String = checks.iter().map(line).collect();
    format!("{lines}{name} check {}\n", if passed { "passed" } else { "failed" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_loop(silent: u64, listed: bool, trouble: Option<&str>) -> LoopState {
        LoopState {
            name: "Secret watch".to_owned(),
            silent: Duration::from_secs(silent),
            listed,
            trouble: trouble.map(str::to_owned),
        }
    }

    fn check(health: &Health, path: &str, status: u16, line: &str) {
        let page = health.page(path, "verbose").unwrap();
        assert_eq!(page.status.as_u16(), status, "{}", page.text);
        assert!(page.text.lines().any(|one| one == line), "{line:?} is not in\n{}", page.text);
        let brief = health.page(path, "").unwrap();
        assert_eq!(brief.text == "ok\n", status == 200, "{}", brief.text);
    }

    fn running() -> Health {
        let health = Health::default();
        health.components(Components::Loaded);
        health.loops(|| vec![a_loop(1, true, None)]);
        health
    }

    #[test]
    fn ready_is_who_does_his_work() {
        let health = Health::default();
        check(&health, "/readyz", 503, "[-]components failed: compiling");
        check(&health, "/readyz", 503, "[-]watches failed: not started");
        check(&health, "/livez", 200, "[+]loops ok");
        let health = running();
        check(&health, "/readyz", 200, "[+]watches ok");
        health.components(Components::Failed("password: broken".to_owned()));
        check(&health, "/readyz", 503, "[-]components failed: password: broken");
        let health = running();
        health.stop();
        check(&health, "/readyz", 503, "[-]running failed: stopping");
        check(&health, "/livez", 200, "livez check passed");
        assert_eq!(health.page("/metrics", ""), None);
    }

    #[test]
    fn what_cannot_be_watched_is_named() {
        let health = running();
        health.loops(|| vec![a_loop(1, false, None)]);
        check(&health, "/readyz", 503, "[-]watches failed: Secret watch: not listed yet");
        health.loops(|| vec![a_loop(1, true, Some("secrets is forbidden"))]);
        check(&health, "/readyz", 503, "[-]watches failed: Secret watch: secrets is forbidden");
        check(&health, "/livez", 200, "[+]loops ok");
    }

    #[test]
    fn a_silent_loop_is_dead() {
        let health = running();
        health.loops(|| vec![a_loop(61, true, None)]);
        check(&health, "/livez", 503, "[-]loops failed: Secret watch: silent for 61 s");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stands_by_is_ready() {
        let health = Health::default();
        health.components(Components::Loaded);
        let (sender, standing) = watch::channel(Standing::default());
        health.election(standing, Duration::from_secs(15));
        check(&health, "/readyz", 503, "[-]election failed: the Lease was not read yet");
        let now = Some(Instant::now());
        let standing =
            |leads| Standing { leads, holder: "a".to_owned(), heard: now, tried: now, trouble: None };
        sender.send_replace(standing(false));
        check(&health, "/readyz", 200, "[+]election ok: standing by for a");
        check(&health, "/readyz", 200, "[+]watches ok: standing by");
        let trouble = Some("failed to write Lease a/b".to_owned());
        sender.send_replace(Standing { trouble: trouble.clone(), ..standing(false) });
        check(&health, "/readyz", 503, "[-]election failed: failed to write Lease a/b");
        sender.send_replace(Standing { trouble, ..standing(true) });
        check(&health, "/readyz", 503, "[+]election ok: leading");
        check(&health, "/readyz", 503, "[-]watches failed: not started");
        health.loops(|| vec![a_loop(1, true, None)]);
        check(&health, "/readyz", 200, "[+]election ok: leading");
        tokio::time::advance(Duration::from_secs(16)).await;
        let trouble = Some("failed to read Lease a/b".to_owned());
        sender.send_replace(Standing { trouble, ..standing(false) });
        check(&health, "/readyz", 503, "[-]election failed: failed to read Lease a/b");
        check(&health, "/livez", 200, "[+]election ok");
        tokio::time::advance(Duration::from_secs(60)).await;
        check(&health, "/livez", 503, "[-]election failed: the Lease was not tried for 76 s");
    }
}
