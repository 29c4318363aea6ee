//! Kubernetes, through a grant: a label of the component's `wants` stands for one object, and there is no way to name
//! another. Natively every label is denied.

#[cfg(target_arch = "wasm32")]
use crate::bindings::generator::keymill::guest::kube as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::kube as host;
use crate::{Entry, Refusal};

/// The data of the Secret or ConfigMap that the label stands for.
///
/// # Errors
/// The host's refusal.
pub fn read(label: &str) -> Result<Vec<Entry>, Refusal> {
    host::read(label).map(Entry::all)
}

/// A token of the granted ServiceAccount for the granted audience.
///
/// # Errors
/// The host's refusal.
pub fn token(label: &str) -> Result<Vec<u8>, Refusal> {
    host::token(label)
}
