//! What a Lease says, and what it says next. Its times are for people: nobody's decision depends on them.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

use super::ElectionSettings;
use crate::clock::{Clock, SystemClock};

/// Who holds it; empty when nobody does.
pub(super) fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// How long its holder said to wait for him.
pub(super) fn duration(lease: &Lease) -> Option<Duration> {
    let seconds = lease.spec.as_ref()?.lease_duration_seconds?;
    Some(Duration::from_secs(seconds.try_into().ok()?))
}

/// One that does not exist yet, ours.
pub(super) fn first(settings: &ElectionSettings) -> Lease {
    let metadata = ObjectMeta { name: Some(settings.name.clone()), ..ObjectMeta::default() };
    taken(&Lease { metadata, spec: None }, settings)
}

/// Ours from now on.
pub(super) fn taken(lease: &Lease, settings: &ElectionSettings) -> Lease {
    let before = lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
    let spec = LeaseSpec {
        holder_identity: Some(settings.identity.clone()),
        lease_duration_seconds: Some(seconds(settings.lease_duration)),
        acquire_time: Some(now()),
        renew_time: Some(now()),
        lease_transitions: Some(before.map_or(0, |count| count.saturating_add(1))),
        ..LeaseSpec::default()
    };
    Lease { metadata: lease.metadata.clone(), spec: Some(spec) }
}

/// Still ours.
pub(super) fn renewed(lease: &Lease, settings: &ElectionSettings) -> Lease {
    let before = lease.spec.clone().unwrap_or_default();
    let spec = LeaseSpec {
        holder_identity: Some(settings.identity.clone()),
        lease_duration_seconds: Some(seconds(settings.lease_duration)),
        renew_time: Some(now()),
        ..before
    };
    Lease { metadata: lease.metadata.clone(), spec: Some(spec) }
}

/// Nobody's; as Kubernetes' own controllers leave it.
pub(super) fn given_back(lease: &Lease) -> Lease {
    let before = lease.spec.clone().unwrap_or_default();
    let spec = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        renew_time: Some(now()),
        ..before
    };
    Lease { metadata: lease.metadata.clone(), spec: Some(spec) }
}

/// Rounded up: the others wait at least as long as was meant.
fn seconds(duration: Duration) -> i32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    whole.try_into().unwrap_or(i32::MAX)
}

fn now() -> MicroTime {
    MicroTime(SystemClock.now())
}
