//! The loops: observe, apply, report.
//!
//! The only crate that writes our objects and their targets. A reconcile is the seven verbs in order; what they mean is
//! `pipeline`'s, how a store speaks is `stores`', what a component may do is `runtime`'s: `wiring` brings them together. Time comes
//! from the [`Clock`], nothing is read from the environment, and no secret is kept between two looks at an object.
#![deny(missing_docs)]

mod activity;
mod admission;
mod backoff;
mod cache;
mod calm;
mod clock;
mod cluster;
mod context;
mod control;
mod doubts;
mod election;
mod events;
mod external_secret;
mod failure;
mod finalizers;
mod fresh;
mod leadership;
mod looks;
mod metadata;
mod metrics;
mod news;
mod outage;
mod overload;
mod own_kinds;
mod pulse;
mod push_secret;
mod queue;
mod reader;
mod reconnect;
mod references;
mod remarks;
mod report;
mod secret_store;
mod secrets;
mod selectors;
mod snapshot;
mod unreadable;
mod watch;
mod wiring;
mod written;

use std::fmt::Debug;
use std::sync::Arc;

use api::{ClusterSecretStore, ExternalSecret, PushSecret, SecretStore};
use futures::future;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::DeserializeGuard;
use pipeline::{ObjectRef, Status};
use tokio_util::sync::CancellationToken;

pub use admission::{Admission, AdmissionKeeper, ReviewError};
pub use clock::{Clock, SystemClock};
pub use cluster::{Answer, ClusterError};
pub use context::{Context, Parts, Settings};
pub use election::{Election, ElectionError, ElectionSettings, Lost, Standing, Term};
pub use events::{Events, Note};
pub use failure::SyncError;
pub use leadership::{Leadership, NotLeading, WhileLeading};
pub use metrics::{CountedRequests, Metrics, RequestCounter};
pub use overload::{Heeding, HeedingOverload};
pub use pulse::LoopState;
pub use reader::ClusterReader;
pub use wiring::{Bridge, ClusterObject, Engines, Late, OperatorKey, STANDARD, VaultPrefix};

use cache::Writers;
use control::control;
use watch::Woken;

/// Runs all controllers until `shutdown`, and ends when the reconciles in flight have ended.
pub async fn run(context: Arc<Context>, ends: Ends, shutdown: CancellationToken) {
    let Ends { writers, woken } = ends;
    watch::start(&context, writers, &shutdown);
    tokio::spawn({
        let (context, shutdown) = (Arc::clone(&context), shutdown.clone());
        async move { external_secret::add_finalizers(&context, &shutdown).await }
    });
    let cluster_stores = async {
        if context.settings.namespace.is_none() {
            let objects = context.cluster::<DeserializeGuard<ClusterSecretStore>>();
            control(
                objects,
                woken.cluster_secret_stores,
                &context,
                &shutdown,
                secret_store::checked,
                secret_store::reconcile,
            )
            .await;
        }
    };
    future::join5(
        control(
            context.namespaced(),
            woken.secret_stores,
            &context,
            &shutdown,
            secret_store::checked,
            secret_store::reconcile::<SecretStore>,
        ),
        cluster_stores,
        control(
            context.namespaced(),
            woken.external_secrets,
            &context,
            &shutdown,
            |object: &ExternalSecret| Status::of(object.status.as_ref()).refresh_time,
            external_secret::reconcile,
        ),
        control(
            context.namespaced(),
            woken.push_secrets,
            &context,
            &shutdown,
            |object: &PushSecret| Status::of_push(object.status.as_ref()).refresh_time,
            push_secret::reconcile,
        ),
        own_kinds::check_all(woken.own_kinds, &context, &shutdown),
    )
    .await;
}

/// What only the running controllers hold: the filling ends of the context's caches, the receiving ends of its wakes.
pub struct Ends {
    writers: Writers,
    woken: Woken,
}

impl Debug for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ends")
    }
}

/// An object as the index, the back-off and the log know it.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(meta: &ObjectMeta) -> ObjectRef {
    ObjectRef {
        kind: K::kind(&()).into_owned(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone().unwrap_or_default(),
    }
}
