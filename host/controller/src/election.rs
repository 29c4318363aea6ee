//! Leader election: of several processes one works, by a Lease of `coordination.k8s.io`.
//!
//! The protocol is that of Kubernetes' own controllers. A Lease that is free, or that was *seen* unchanged for as long as its holder
//! said, is taken under the resourceVersion that was read; the leader renews it. No clock is compared with another machine's. A leader
//! that could not renew it within the deadline, which is shorter than the others' patience, has lost it: [`Leadership`] lets no
//! further write through, and [`Election::serve`] drops the work. It does not stand again: a process that ends cannot write late, and
//! its successor begins with nothing remembered.
//!
//! Why not a crate: the one that goes with this kube (kube-lease-manager 0.13) compares the Lease's times with the machine's wall
//! clock, and takes an expired one over without a precondition.

mod claim;

use std::pin::pin;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, Client};
use pipeline::ObjectRef;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Answer, ClusterError};
use crate::leadership::Leadership;

/// How to take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionSettings {
    /// Where the Lease is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Who this process is. No other may ever have the same.
    pub identity: String,
    /// How long the others wait for a leader that is not heard of.
    pub lease_duration: Duration,
    /// How long a leader tries to renew before it has lost.
    pub renew_deadline: Duration,
    /// How often the Lease is renewed or looked at.
    pub retry_period: Duration,
}

/// Times that make no election.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ElectionError {
    /// The others would take over while the leader still writes.
    #[error("renew within a deadline that is not shorter than the Lease's duration")]
    Deadline,
    /// There would be no second try.
    #[error("retry within a period that is not shorter than the renewal's deadline")]
    Period,
    /// A Lease counts in whole seconds.
    #[error("hold a Lease for less than a second or for more than a day")]
    Duration,
}

/// What is known of the election.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether this process leads.
    pub leads: bool,
    /// Who leads; empty when nobody does or it is not known.
    pub holder: String,
    /// When the Lease was last read or written.
    pub heard: Option<Instant>,
    /// When that was last tried, with what success ever.
    pub tried: Option<Instant>,
    /// Why it could not be read or written the last time.
    pub trouble: Option<String>,
}

/// How a leader lost.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Lost {
    /// The deadline has passed.
    #[error("renew the Lease within {within:?}")]
    Deadline {
        /// The deadline.
        within: Duration,
    },
    /// Somebody else holds it.
    #[error("keep the Lease: {holder} holds it")]
    Taken {
        /// Who.
        holder: String,
    },
}

/// How a term ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Term<T> {
    /// It was told to stop before it led.
    Stopped,
    /// The work has ended, and the Lease is given back.
    Done(T),
    /// It lost; the work was dropped.
    Lost(Lost),
}

/// One candidate.
#[derive(Debug)]
pub struct Election {
    leases: Api<Lease>,
    settings: ElectionSettings,
    leadership: Leadership,
    standing: watch::Sender<Standing>,
    seen: Option<Seen>,
}

/// The Lease as it was last seen, and since when it has been like that.
#[derive(Debug)]
struct Seen {
    lease: Lease,
    since: Instant,
}

/// Whose the Lease is after a try.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Ours,
    Theirs,
}

impl ElectionSettings {
    fn check(&self) -> Result<(), ElectionError> {
        if self.lease_duration < Duration::from_secs(1) || self.lease_duration > Duration::from_secs(86_400) {
            return Err(ElectionError::Duration);
        }
        if self.renew_deadline >= self.lease_duration {
            return Err(ElectionError::Deadline);
        }
        if self.retry_period >= self.renew_deadline || self.retry_period.is_zero() {
            return Err(ElectionError::Period);
        }
        Ok(())
    }
}

impl Election {
    /// A candidate. `client` is not one that [`Leadership`] guards: the Lease is how one comes to lead.
    ///
    /// # Errors
    /// When the times make no election.
    pub fn new(
        client: Client,
        settings: ElectionSettings,
        leadership: Leadership,
    ) -> Result<Self, ElectionError> {
        settings.check()?;
        let leases = Api::namespaced(client, &settings.namespace);
        Ok(Self { leases, settings, leadership, standing: watch::Sender::default(), seen: None })
    }

    /// What is known of the election, now and later.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Waits until this process leads, then runs `work` for as long as it does. `work` ends when `stop` is cancelled, in good order;
    /// the Lease is kept until it has, and then given back.
    pub async fn serve<W: Future>(
        &mut self,
        stop: &CancellationToken,
        work: impl FnOnce() -> W,
    ) -> Term<W::Output> {
        if !self.acquire(stop).await {
            return Term::Stopped;
        }
        let term = {
            let mut work = pin!(work());
            tokio::select! {
                lost = self.hold() => Term::Lost(lost),
                done = &mut work => Term::Done(done),
            }
        };
        self.leadership.end();
        self.standing.send_modify(|standing| standing.leads = false);
        if !matches!(term, Term::Lost(_)) {
            self.release().await;
        }
        term
    }

    /// Whether this process leads; not when it is told to stop first. A try that has begun comes to its end: it may have won.
    async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        while !stop.is_cancelled() {
            let began = Instant::now();
            let turn = self.attempt_in_time(began + self.settings.renew_deadline).await;
            if turn == Some(Turn::Ours) {
                self.won(began);
                tracing::info!(identity = self.settings.identity, "leading");
                return true;
            }
            let _stopped = stop.run_until_cancelled(sleep_until(Instant::now() + self.pause())).await;
        }
        false
    }

    async fn hold(&mut self) -> Lost {
        let mut deadline = Instant::now() + self.settings.renew_deadline;
        loop {
            sleep_until((Instant::now() + self.settings.retry_period).min(deadline)).await;
            let began = Instant::now();
            match self.attempt_in_time(deadline).await {
                Some(Turn::Ours) => {
                    self.won(began);
                    deadline = began + self.settings.renew_deadline;
                }
                Some(Turn::Theirs) => {
                    self.leadership.end();
                    return Lost::Taken { holder: self.standing.borrow().holder.clone() };
                }
                None if Instant::now() >= deadline => {
                    return Lost::Deadline { within: self.settings.renew_deadline };
                }
                None => {}
            }
        }
    }

    /// The right counts from before the request: the others count from after it.
    fn won(&self, began: Instant) {
        self.leadership.extend(began + self.settings.renew_deadline);
        self.standing.send_modify(|standing| standing.leads = true);
    }

    /// One try; nothing when it failed. A request that hangs leaves time for another.
    async fn attempt_in_time(&mut self, deadline: Instant) -> Option<Turn> {
        let patience = self.settings.renew_deadline / 2;
        let object = self.object();
        let tried = timeout_at(deadline, timeout(patience, self.attempt())).await;
        match tried.ok().and_then(Result::ok) {
            Some(Ok(turn)) => {
                self.tell(None);
                Some(turn)
            }
            Some(Err(error)) => {
                self.tell(Some(&error));
                None
            }
            None => {
                self.tell(Some(&ClusterError::Write { object, answer: Answer::Silent }));
                None
            }
        }
    }

    /// A leader writes what it wrote last; whoever finds that changed, and everybody else, reads first.
    async fn attempt(&mut self) -> Result<Turn, ClusterError> {
        let leads = self.standing.borrow().leads;
        if leads && let Some(seen) = &self.seen {
            let next = claim::renewed(&seen.lease, &self.settings);
            match self.leases.replace(&self.settings.name, &PostParams::default(), &next).await {
                Ok(lease) => return Ok(self.see(lease)),
                // It has changed, or is gone, which the API server calls an internal error.
                Err(kube::Error::Api(_)) => {}
                Err(error) => return Err(self.unwritten(error)),
            }
        }
        let found = self.leases.get_opt(&self.settings.name).await;
        let found =
            found.map_err(|error| ClusterError::Read { object: self.object(), answer: error.into() })?;
        let next = match found {
            None => claim::first(&self.settings),
            Some(lease) => {
                let turn = self.see(lease.clone());
                if turn == Turn::Ours {
                    claim::renewed(&lease, &self.settings)
                } else if !leads && self.is_free() {
                    claim::taken(&lease, &self.settings)
                } else {
                    return Ok(Turn::Theirs);
                }
            }
        };
        self.claim(next).await
    }

    /// Whoever was quicker has it.
    async fn claim(&mut self, next: Lease) -> Result<Turn, ClusterError> {
        let parameters = PostParams::default();
        let written = match next.metadata.resource_version {
            None => self.leases.create(&parameters, &next).await,
            Some(_) => self.leases.replace(&self.settings.name, &parameters, &next).await,
        };
        match written {
            Ok(lease) => Ok(self.see(lease)),
            // A leader has only been overtaken by somebody who wrote something else into it.
            Err(kube::Error::Api(status)) if status.code == 409 && !self.standing.borrow().leads => {
                Ok(Turn::Theirs)
            }
            Err(error) => Err(self.unwritten(error)),
        }
    }

    fn see(&mut self, lease: Lease) -> Turn {
        let holder = claim::holder(&lease).to_owned();
        let turn = if holder == self.settings.identity { Turn::Ours } else { Turn::Theirs };
        let changed = self.seen.as_ref().is_none_or(|seen| seen.lease.spec != lease.spec);
        let since = match &self.seen {
            Some(seen) if !changed => seen.since,
            Some(_) | None => Instant::now(),
        };
        self.seen = Some(Seen { lease, since });
        self.standing.send_modify(|standing| {
            standing.holder = holder;
            standing.heard = Some(Instant::now());
        });
        turn
    }

    /// Nobody's, or its holder was not heard of for as long as it said itself.
    fn is_free(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| {
            let duration = claim::duration(&seen.lease).unwrap_or(self.settings.lease_duration);
            claim::holder(&seen.lease).is_empty() || seen.since.elapsed() >= duration
        })
    }

    async fn release(&mut self) {
        let Some(seen) = self.seen.take() else { return };
        let next = claim::given_back(&seen.lease);
        let parameters = PostParams::default();
        let written = self.leases.replace(&self.settings.name, &parameters, &next);
        match timeout(self.settings.renew_deadline / 2, written).await {
            Ok(Ok(_)) => tracing::info!("the Lease is given back"),
            Ok(Err(error)) => tracing::warn!(cause = %Answer::from(error), "the Lease was not given back"),
            Err(_) => tracing::warn!("the Lease was not given back in time"),
        }
    }

    /// Remembers why, and says so when it is news.
    fn tell(&self, error: Option<&ClusterError>) {
        let trouble = error.map(|error| pipeline::message(error));
        self.standing.send_if_modified(|standing| {
            let news = standing.trouble != trouble;
            if news && let Some(trouble) = &trouble {
                tracing::warn!("{trouble}");
            }
            standing.trouble = trouble;
            standing.tried = Some(Instant::now());
            news
        });
    }

    /// Longer by up to its double, so that candidates do not go in step.
    fn pause(&self) -> Duration {
        let mut byte = [0];
        if getrandom::fill(&mut byte).is_err() {
            // They may go in step then, and one of them is still the first.
            return self.settings.retry_period;
        }
        let [byte] = byte;
        self.settings.retry_period.mul_f64(1.0 + f64::from(byte) / 255.0)
    }

    fn object(&self) -> ObjectRef {
        ObjectRef::namespaced("Lease", &self.settings.namespace, &self.settings.name)
    }

    fn unwritten(&self, error: kube::Error) -> ClusterError {
        ClusterError::Write { object: self.object(), answer: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_would_let_two_write_are_refused() {
        let settings = |lease: u64, deadline: u64, period: u64| ElectionSettings {
            namespace: "ns".to_owned(),
            name: "n".to_owned(),
            identity: "i".to_owned(),
            lease_duration: Duration::from_secs(lease),
            renew_deadline: Duration::from_secs(deadline),
            retry_period: Duration::from_secs(period),
        };
        for (lease, deadline, period, expected) in [
            (15, 10, 2, Ok(())),
            (10, 10, 2, Err(ElectionError::Deadline)),
            (15, 10, 10, Err(ElectionError::Period)),
            (15, 10, 0, Err(ElectionError::Period)),
            (0, 10, 2, Err(ElectionError::Duration)),
            (100_000, 10, 2, Err(ElectionError::Duration)),
        ] {
            assert_eq!(settings(lease, deadline, period).check(), expected, "{lease} {deadline} {period}");
        }
    }
}
