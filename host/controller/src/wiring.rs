//! The pipeline's ports over the cluster, the stores and the runtime. The only place where they meet.

mod capabilities;
mod components;
mod counting;
mod generators;
mod grants;
mod policies;
mod runtime;
mod served;
mod stores;
mod templates;
mod watched;

pub use capabilities::{Bridge, ClusterObject, Late, VaultPrefix};
pub(crate) use components::{Chosen, check_config, check_want, configured};
pub(crate) use generators::GeneratorFinder;
pub(crate) use grants::{GrantFinder, capability};
pub(crate) use policies::PolicyFinder;
pub(crate) use runtime::{ComponentError, list_problems};
pub(crate) use stores::{StoreOpener, StoreUse};
pub use templates::{Engines, OperatorKey, STANDARD};
pub(crate) use watched::Watched;
