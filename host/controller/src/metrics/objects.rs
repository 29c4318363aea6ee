//! What is told of single objects, with the names of ESO's dashboards. As many series as there are objects; they go with the object.

use std::time::Duration;

use jiff::Timestamp;
use pipeline::ObjectRef;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::{Condition, Named};
use super::tally::Tally;

/// The series of all objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    sync_calls: Family<Named, Tally>,
    sync_errors: Family<Named, Tally>,
    external_secrets: Kind,
    push_secrets: Kind,
    secret_stores: Kind,
    cluster_secret_stores: Kind,
}

/// The series of one kind.
#[derive(Debug, Clone, Default)]
struct Kind {
    condition: Family<Condition, Gauge>,
    /// In nanoseconds, as ESO's.
    duration: Family<Named, Gauge>,
    /// In seconds since 1970.
    last_success: Family<Named, Gauge>,
}

impl Objects {
    pub(super) fn looked(&self, object: &ObjectRef, time: Duration) {
        let nanoseconds = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.kind(&object.kind).duration.get_or_create(&Named::of(object)).set(nanoseconds);
    }

    pub(super) fn synced(&self, object: &ObjectRef, success: bool, now: Timestamp) {
        let named = Named::of(object);
        if object.kind == "ExternalSecret" {
            self.sync_calls.get_or_create(&named).inc();
            self.sync_errors.get_or_create(&named).inc_by((!success).into());
        }
        if success {
            self.kind(&object.kind).last_success.get_or_create(&named).set(now.as_second());
        }
        self.condition(object, success);
    }

    pub(super) fn condition(&self, object: &ObjectRef, ready: bool) {
        let condition = &self.kind(&object.kind).condition;
        condition.get_or_create(&Condition::of(object, true)).set(ready.into());
        condition.get_or_create(&Condition::of(object, false)).set((!ready).into());
    }

    pub(super) fn forget(&self, object: &ObjectRef) {
        let named = Named::of(object);
        if object.kind == "ExternalSecret" {
            self.sync_calls.remove(&named);
            self.sync_errors.remove(&named);
        }
        let kind = self.kind(&object.kind);
        kind.condition.remove(&Condition::of(object, true));
        kind.condition.remove(&Condition::of(object, false));
        kind.duration.remove(&named);
        kind.last_success.remove(&named);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "externalsecret_sync_calls_total",
            "Syncs of an ExternalSecret",
            self.sync_calls.clone(),
        );
        registry.register(
            "externalsecret_sync_calls_error",
            "Failed syncs of an ExternalSecret",
            self.sync_errors.clone(),
        );
        for (word, kind) in [
            ("externalsecret", &self.external_secrets),
            ("pushsecret", &self.push_secrets),
            ("secretstore", &self.secret_stores),
            ("clustersecretstore", &self.cluster_secret_stores),
        ] {
            let last_success = format!("keymill_{word}_last_success_timestamp_seconds");
            registry.register(last_success, "When a sync or check last succeeded", kind.last_success.clone());
            let registry = registry.sub_registry_with_prefix(word);
            registry.register("status_condition", "What the Ready condition says", kind.condition.clone());
            registry.register("reconcile_duration", "Nanoseconds of the last look", kind.duration.clone());
        }
    }

    fn kind(&self, kind: &str) -> &Kind {
        match kind {
            "ExternalSecret" => &self.external_secrets,
            "PushSecret" => &self.push_secrets,
            "SecretStore" => &self.secret_stores,
            _ => &self.cluster_secret_stores,
        }
    }
}
