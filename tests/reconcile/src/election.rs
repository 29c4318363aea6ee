//! Leader election: two operators on one API, of which one works.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::ExternalSecret;
use controller::{Election, ElectionSettings, Leadership, Lost, Standing, Term};
use http::Method;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::fixture::{NAMESPACE, external_secret};
use crate::gate::{Fault, Gate, Gated, Refusal};
use crate::world::{World, run};

const LEASE: Duration = Duration::from_secs(15);
const DEADLINE: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_secs(2);

/// A candidate that runs the controllers on its turn.
struct Candidate {
    gate: Gate,
    standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    task: JoinHandle<Term<()>>,
    /// When each write passed its gate, the Lease's aside.
    writes: Arc<Mutex<Vec<Instant>>>,
    /// Whether the API server refuses it the Lease.
    cut_off: watch::Sender<bool>,
}

impl Candidate {
    fn start(world: &World, identity: &str) -> Self {
        let (gate, writes) = (Gate::open(), Arc::new(Mutex::new(Vec::new())));
        let cut_off = watch::Sender::new(false);
        gate.plan({
            let (writes, cut_off) = (Arc::clone(&writes), cut_off.subscribe());
            move |seen| {
                let lease = seen.is_of("leases");
                if seen.method != Method::GET && !lease {
                    writes.lock().unwrap().push(Instant::now());
                }
                if lease && *cut_off.borrow() { Fault::Refuse(Refusal::Status(500, 0)) } else { Fault::None }
            }
        });
        let leadership = Leadership::elected();
        let service = Gated::new(world.service(), gate.clone());
        let settings = ElectionSettings {
            namespace: NAMESPACE.to_owned(),
            name: "keymill".to_owned(),
            identity: identity.to_owned(),
            lease_duration: LEASE,
            renew_deadline: DEADLINE,
            retry_period: PERIOD,
        };
        let plain = Client::new(service.clone(), NAMESPACE);
        let guarded = Client::new(leadership.layer(service), NAMESPACE);
        let mut election = Election::new(plain, settings, leadership.clone()).unwrap();
        let (standing, stop) = (election.standing(), CancellationToken::new());
        let working = world.controllers(guarded, leadership, stop.clone());
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { election.serve(&stop, || working).await }
        });
        Self { gate, standing, stop, task, writes, cut_off }
    }

    fn leads(&self) -> bool {
        self.standing.borrow().leads
    }

    async fn led(&mut self) -> Instant {
        self.standing.wait_for(|standing| standing.leads).await.unwrap();
        Instant::now()
    }

    fn last_write(&self) -> Option<Instant> {
        self.writes.lock().unwrap().last().copied()
    }
}

/// An object that rotates every second, so that there always is something to write.
async fn busy(world: &World) {
    let mut object = external_secret("app", "Owner");
    object["spec"]["refreshInterval"] = "1s".into();
    world.create::<ExternalSecret>(object).await;
}

#[test]
fn one_works_and_the_other_takes_over_when_it_dies() {
    run(async |world: World| {
        busy(&world).await;
        let mut first = Candidate::start(&world, "first");
        first.led().await;
        let mut second = Candidate::start(&world, "second");
        world.synced("app").await;
        world.settle(60).await;
        assert!(first.leads() && !second.leads());
        assert_eq!(second.last_write(), None, "whoever stands by writes nothing");
        assert_eq!(second.standing.borrow().holder, "first");
        first.gate.kill();
        let died = Instant::now();
        let took = second.led().await - died;
        // It was last renewed up to a period before; the other looks at it every one to two periods.
        assert!(took >= LEASE - PERIOD && took <= LEASE + 4 * PERIOD, "{took:?}");
        let rotations = world.check().order.len();
        world.settle(10).await;
        assert!(world.check().order.len() >= rotations + 5, "the second one works");
        first.task.abort();
        second.stop.cancel();
        assert_eq!(second.task.await.unwrap(), Term::Done(()));
    });
}

#[test]
fn whoever_cannot_renew_stops_before_another_begins() {
    run(async |world: World| {
        busy(&world).await;
        let mut first = Candidate::start(&world, "first");
        first.led().await;
        let mut second = Candidate::start(&world, "second");
        world.synced("app").await;
        world.settle(30).await;
        first.cut_off.send_replace(true);
        let cut = Instant::now();
        let term = (&mut first.task).await.unwrap();
        assert_eq!(term, Term::Lost(Lost::Deadline { within: DEADLINE }));
        assert!(cut.elapsed() <= DEADLINE, "{:?}", cut.elapsed());
        let last = first.last_write().unwrap();
        assert!(last > cut + PERIOD, "it works on until the deadline");
        let began = second.led().await;
        assert!(last < began, "no write after another leads");
        world.settle(30).await;
        assert_eq!(first.last_write(), Some(last), "and none ever after");
        assert!(second.last_write().unwrap() > began);
        second.stop.cancel();
        assert_eq!(second.task.await.unwrap(), Term::Done(()));
    });
}

#[test]
fn a_lease_that_is_given_back_is_taken_at_once() {
    run(async |world: World| {
        let mut first = Candidate::start(&world, "first");
        first.led().await;
        let mut second = Candidate::start(&world, "second");
        world.settle(10).await;
        first.stop.cancel();
        assert_eq!(first.task.await.unwrap(), Term::Done(()));
        let stopped = Instant::now();
        let took = second.led().await - stopped;
        assert!(took <= 2 * PERIOD, "{took:?}");
        let lease = world.all::<Lease>().get("keymill").await.unwrap().spec.unwrap();
        assert_eq!((lease.holder_identity.as_deref(), lease.lease_transitions), (Some("second"), Some(1)));
        second.stop.cancel();
        assert_eq!(second.task.await.unwrap(), Term::Done(()));
        let lease = world.all::<Lease>().get("keymill").await.unwrap().spec.unwrap();
        assert_eq!(lease.holder_identity.as_deref(), Some(""));
    });
}

#[test]
fn a_lease_that_somebody_took_is_not_taken_back() {
    run(async |world: World| {
        let mut first = Candidate::start(&world, "first");
        first.led().await;
        let patch = serde_json::json!({"spec": {"holderIdentity": "kubectl", "renewTime": null}});
        world.patch::<Lease>("keymill", patch).await;
        let term = first.task.await.unwrap();
        assert_eq!(term, Term::Lost(Lost::Taken { holder: "kubectl".to_owned() }));
    });
}

#[test]
fn a_lease_that_is_deleted_is_made_again() {
    run(async |world: World| {
        let mut first = Candidate::start(&world, "first");
        first.led().await;
        world.delete::<Lease>("keymill").await;
        world.settle(30).await;
        assert!(first.leads());
        assert!(world.all::<Lease>().get_opt("keymill").await.unwrap().is_some());
        first.stop.cancel();
        assert_eq!(first.task.await.unwrap(), Term::Done(()));
    });
}
