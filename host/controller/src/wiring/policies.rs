//! The policy port over the caches and the runtime: which policies judge an object, and what they say.
//!
//! Nothing is asked of the API server: policies are in the caches or there are none. As long as they were not listed it is not known which
//! apply, and then none is taken for absent. A policy that enforces and cannot judge accepts nothing.

use std::sync::Arc;

use api::component::ComponentRef;
use api::policy::{JudgedObjects, PolicyMode, PolicySpec};
use api::{ClusterPolicy, Policy as PolicyObject};
use async_trait::async_trait;
use kube::Resource;
use kube::core::DeserializeGuard;
use pipeline::{
    Blame, BoxFailure, Candidate, Failure, Judge, ObjectRef, Owner, Policies, Policy, Reason, Retry, Subject,
    Violation,
};
use runtime::{Call, Occasion, PolicyComponent, World};
use serde_json::Value as Json;
use thiserror::Error;

use super::components::Chosen;
use super::runtime::ComponentError;
use super::stores::selects;
use super::templates::{Engines, run};
use crate::cache::Caches;
use crate::metrics::Metrics;

/// Finds policies.
#[derive(Clone)]
pub(crate) struct PolicyFinder {
    pub(crate) caches: Arc<Caches>,
    pub(crate) engines: Engines,
    pub(crate) metrics: Metrics,
    /// Whether ClusterPolicies are seen: not by who looks after one namespace only.
    pub(crate) cluster: bool,
}

impl std::fmt::Debug for PolicyFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PolicyFinder")
    }
}

/// Why an object could not be judged.
#[derive(Debug, Error)]
enum JudgeError {
    #[error("list the policies: they were not listed yet")]
    Unlisted,
    #[error("read {policy}: a field has a value that is none")]
    Unreadable { policy: ObjectRef },
    #[error("see whom {policy} judges: {why}")]
    Selector { policy: ObjectRef, why: String },
    #[error("evaluate {policy}")]
    Evaluate {
        policy: ObjectRef,
        #[source]
        source: Box<ComponentError>,
    },
}

impl Failure for JudgeError {
    fn reason(&self) -> Reason {
        match self {
            JudgeError::Unlisted => Reason::PoliciesUnknown,
            JudgeError::Unreadable { .. } | JudgeError::Selector { .. } => Reason::InvalidConfig,
            JudgeError::Evaluate { source, .. } => source.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            JudgeError::Unlisted => Blame::Cluster,
            JudgeError::Unreadable { .. } | JudgeError::Selector { .. } => Blame::User,
            JudgeError::Evaluate { source, .. } => source.blame(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // What mends it is a change of another object.
            JudgeError::Unlisted
            | JudgeError::Unreadable { .. }
            | JudgeError::Selector { .. }
            | JudgeError::Evaluate { .. } => Retry::Backoff,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            JudgeError::Unlisted => None,
            JudgeError::Unreadable { policy }
            | JudgeError::Selector { policy, .. }
            | JudgeError::Evaluate { policy, .. } => Some(policy.clone()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            JudgeError::Unlisted => "/readyz says whether a right is missing",
            JudgeError::Unreadable { .. } => "see `kubectl explain`",
            JudgeError::Selector { .. } => "correct its objects.selector",
            JudgeError::Evaluate { source, .. } => source.advice(),
        }
    }
}

#[async_trait]
impl Policies for PolicyFinder {
    async fn judging(&self, subject: &Subject<'_>) -> Result<Vec<Judge>, BoxFailure> {
        if !self.caches.policies_seen(self.cluster).await {
            return Err(JudgeError::Unlisted.into());
        }
        let mut judges = Vec::new();
        for seen in self.caches.policies.all() {
            if seen.meta().namespace.as_deref() == Some(subject.namespace) {
                let object = readable::<PolicyObject>(&seen)?;
                judges.extend(self.judge(
                    crate::reference::<PolicyObject>(seen.meta()),
                    &object.spec,
                    subject,
                )?);
            }
        }
        for seen in self.caches.cluster_policies.all() {
            let object = readable::<ClusterPolicy>(&seen)?;
            let namespaces = &object.spec.namespaces;
            if namespaces.is_empty() || namespaces.iter().any(|one| one == subject.namespace) {
                let policy = crate::reference::<ClusterPolicy>(seen.meta());
                judges.extend(self.judge(policy, &object.spec.policy, subject)?);
            }
        }
        Ok(judges)
    }
}

/// Of one that cannot be read nobody knows what it judges.
fn readable<K: Resource<DynamicType = ()>>(seen: &DeserializeGuard<K>) -> Result<&K, JudgeError> {
    seen.0
        .as_ref()
        .map_err(|invalid| JudgeError::Unreadable { policy: crate::reference::<K>(&invalid.metadata) })
}

impl PolicyFinder {
    fn judge(
        &self,
        policy: ObjectRef,
        spec: &PolicySpec,
        subject: &Subject<'_>,
    ) -> Result<Option<Judge>, JudgeError> {
        let judges = fits(&spec.objects, subject)
            .map_err(|why| JudgeError::Selector { policy: policy.clone(), why })?;
        if !judges {
            return Ok(None);
        }
        let enforces = spec.mode == PolicyMode::Enforce;
        let configured = Configured {
            policy,
            component: spec.component_ref.clone(),
            config: spec.config.clone().into(),
            fields: spec.fields.clone(),
            enforces,
            engines: self.engines.clone(),
            metrics: self.metrics.clone(),
        };
        Ok(Some(Judge { policy: Arc::new(configured), enforces }))
    }
}

/// Whether an object is one of those that are judged.
fn fits(objects: &JudgedObjects, subject: &Subject<'_>) -> Result<bool, String> {
    let of_kind = objects.kinds.is_empty() || objects.kinds.iter().any(|kind| kind.as_str() == subject.kind);
    let of_name = objects.names.is_empty() || objects.names.iter().any(|name| name == subject.name);
    let labelled =
        objects.selector.as_ref().map_or(Ok(true), |selector| selects(selector, subject.labels))?;
    Ok(of_kind && of_name && labelled)
}

/// A policy with its config.
struct Configured {
    policy: ObjectRef,
    component: ComponentRef,
    config: Json,
    fields: Vec<String>,
    enforces: bool,
    engines: Engines,
    metrics: Metrics,
}

#[async_trait]
impl Policy for Configured {
    async fn evaluate(&self, candidates: &[Candidate], owner: &Owner) -> Result<Vec<Violation>, BoxFailure> {
        let judged = candidates.iter().filter(|candidate| self.judges(&candidate.key)).map(theirs);
        let judged: Vec<runtime::Candidate> = judged.collect();
        if judged.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.call(judged, owner).await;
        self.metrics.judged(&self.policy, self.enforces, found.as_ref().map(Vec::len).ok());
        let found = found.map_err(|source| JudgeError::Evaluate {
            policy: self.policy.clone(),
            source: Box::new(source),
        })?;
        let policy = self.policy.to_string();
        let own = |violation: runtime::Violation| Violation {
            policy: policy.clone(),
            rule: violation.rule,
            about: violation.about,
            key: violation.key,
        };
        Ok(found.into_iter().map(own).collect())
    }
}

impl Configured {
    fn judges(&self, key: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|field| field == key)
    }

    async fn call(
        &self,
        candidates: Vec<runtime::Candidate>,
        owner: &Owner,
    ) -> Result<Vec<runtime::Violation>, ComponentError> {
        let chosen = Chosen::of(&self.component, self.policy.namespace.as_deref());
        chosen.wait(&self.engines).await;
        let owner = runtime::Owner { namespace: owner.namespace.clone(), name: owner.name.clone() };
        // A policy is told nothing of the time and the occasion, so that the same value gets the same verdict.
        let call = Call::new(owner, Occasion::Scheduled, 0);
        let (engines, config, name) = (self.engines.clone(), self.config.clone(), chosen.name().to_owned());
        let judging = move || {
            let component = chosen.load(&engines, World::Policy)?;
            let failed = |source| ComponentError::call(chosen.name(), source);
            let policy = component.policy().map_err(failed)?;
            check(&policy, &config, chosen.name())?;
            let counting = engines.count(World::Policy, chosen.name());
            let found = policy.evaluate(&counting.call(call), &config, &candidates).map_err(failed);
            counting.done(found.as_ref().err());
            found
        };
        run(&name, judging).await
    }
}

/// A config that the component does not accept is not judged by.
fn check(policy: &PolicyComponent, config: &Json, name: &str) -> Result<(), ComponentError> {
    let problems = policy.validate(config).map_err(|source| ComponentError::call(name, source))?;
    if problems.is_empty() { Ok(()) } else { Err(ComponentError::Config { name: name.to_owned(), problems }) }
}

fn theirs(candidate: &Candidate) -> runtime::Candidate {
    runtime::Candidate {
        key: candidate.key.clone(),
        value: candidate.value.expose().to_vec().into(),
        entropy: candidate
            .entropy
            .map(|entropy| runtime::Entropy { bits: entropy.bits, exact: entropy.exact }),
        reused: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_fits_when_all_of_it_does() {
        let labels: BTreeMap<String, String> = [("tier".to_owned(), "db".to_owned())].into();
        let subject = Subject { kind: "ExternalSecret", namespace: "shop", name: "app", labels: &labels };
        let matching = |operator: &str| json!([{"key": "tier", "operator": operator}]);
        for (objects, expected) in [
            (json!({}), true),
            (json!({"kinds": ["ExternalSecret"]}), true),
            (json!({"kinds": ["PushSecret"]}), false),
            (json!({"names": ["other", "app"]}), true),
            (json!({"names": ["ap"]}), false),
            (json!({"selector": {"matchLabels": {"tier": "db"}}}), true),
            (json!({"selector": {"matchLabels": {"tier": "web"}}}), false),
            (json!({"selector": {"matchExpressions": matching("Exists")}, "names": ["app"]}), true),
            (json!({"selector": {"matchExpressions": matching("DoesNotExist")}, "names": ["app"]}), false),
            (json!({"selector": {"matchLabels": {"tier": "db"}}, "kinds": ["PushSecret"]}), false),
        ] {
            let objects: JudgedObjects = serde_json::from_value(objects).unwrap();
            assert_eq!(fits(&objects, &subject), Ok(expected), "{objects:?}");
        }
        let wrong = json!({"selector": {"matchExpressions": matching("Has")}});
        assert!(fits(&serde_json::from_value(wrong).unwrap(), &subject).is_err());
    }
}
