//! What the controllers count. Labels come from closed sets and from object names, as ESO's do; never from messages.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Whose sync.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ObjectLabels {
    /// The object's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// What kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FailureLabels {
    /// The object's kind.
    pub kind: &'static str,
    /// One of `pipeline::Reason`.
    pub reason: &'static str,
    /// One of `pipeline::Blame`.
    pub blame: &'static str,
}

/// Which kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    /// The object's kind.
    pub kind: &'static str,
}

/// All metrics of the controllers.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) sync_calls: Family<ObjectLabels, Counter>,
    pub(crate) sync_errors: Family<ObjectLabels, Counter>,
    pub(crate) rotations: Family<KindLabels, Counter>,
    pub(crate) failures: Family<FailureLabels, Counter>,
    pub(crate) seconds: Family<KindLabels, Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            sync_calls: Family::default(),
            sync_errors: Family::default(),
            rotations: Family::default(),
            failures: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14))),
        }
    }
}

impl Metrics {
    /// A look at an object of `kind` took that long.
    pub(crate) fn looked(&self, kind: &str, time: std::time::Duration) {
        let kind = match kind {
            "ExternalSecret" => "ExternalSecret",
            "PushSecret" => "PushSecret",
            "SecretStore" => "SecretStore",
            _ => "ClusterSecretStore",
        };
        self.seconds.get_or_create(&KindLabels { kind }).observe(time.as_secs_f64());
    }

    /// Registers everything under its name.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("externalsecret_sync_calls", "Syncs of an ExternalSecret", self.sync_calls.clone());
        registry.register("externalsecret_sync_calls_error", "Failed syncs", self.sync_errors.clone());
        registry.register(
            "keymill_rotations",
            "Values that were generated and recorded",
            self.rotations.clone(),
        );
        registry.register("keymill_failures", "Failed syncs by reason", self.failures.clone());
        registry.register("keymill_look_seconds", "Time of one look at an object", self.seconds.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eso_names_are_kept() {
        let metrics = Metrics::default();
        let labels = ObjectLabels { name: "a".to_owned(), namespace: "b".to_owned() };
        metrics.sync_calls.get_or_create(&labels).inc();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("externalsecret_sync_calls_total{name=\"a\",namespace=\"b\"} 1"), "{text}");
    }
}
