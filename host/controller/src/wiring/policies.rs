//! Policies as objects of the cluster do not exist yet: nothing judges what is published but the target's own rules.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::{BoxFailure, Policies, Policy};

/// No policy at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoPolicies;

#[async_trait]
impl Policies for NoPolicies {
    async fn enforcing(&self, _: &str, _: &str, _: &str) -> Result<Vec<Arc<dyn Policy>>, BoxFailure> {
        Ok(Vec::new())
    }
}
