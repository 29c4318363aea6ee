//! The CRDs as Rust types, their validation and their YAML.
//!
//! The kinds of External Secrets Operator 2.9 that keymill runs, field by field as its schema has them: what a manifest
//! may say is decided here and nowhere else. Where the schema has a default, the Rust field is plain and holds it; where
//! only the controller has one, the field is an `Option` and an accessor of the same name applies it.
//!
//! No async, no I/O, no cluster: [`crds`] builds the definitions in memory, `validate` on each kind reports all problems
//! with their paths. Unknown fields are ignored when reading, as a server prunes them; wrong types are errors. Secret
//! text that a spec may hold inline is an [`InlineSecret`], which cannot be printed. `v1beta1` is not served.
#![deny(missing_docs)]

mod ca;
pub mod component;
mod condition;
mod crd;
mod duration;
#[cfg(test)]
mod examples;
pub mod external_secret;
pub mod generator;
pub mod grant;
mod inline_secret;
pub mod names;
pub mod policy;
mod problem;
pub mod push_secret;
mod reference;
mod schema;
pub mod store;
pub mod template;

pub use ca::{CaProvider, CaProviderKind};
pub use component::{
    ClusterComponent, ClusterComponentSpec, Component, ComponentKind, ComponentRef, ComponentSpec,
    ConfiguredStatus,
};
pub use condition::{Condition, ConditionStatus, ConditionType};
pub use crd::{crds, crds_yaml};
pub use duration::{Duration, ParseDurationError};
pub use external_secret::{ExternalSecret, ExternalSecretSpec, ExternalSecretStatus};
pub use generator::{
    ClusterGenerator, ClusterGeneratorSpec, ConfiguredGeneratorSpec, Fake, FakeSpec, Generator,
    GeneratorKind, GeneratorRef, Password, PasswordSpec, Uuid, UuidSpec,
};
pub use grant::{Grant, GrantSpec};
pub use inline_secret::{InlineSecret, RawObject};
pub use policy::{ClusterPolicy, ClusterPolicySpec, Policy, PolicyMode, PolicySpec};
pub use problem::Problem;
pub use push_secret::{PushSecret, PushSecretSpec, PushSecretStatus};
pub use reference::{SecretKeySelector, ServiceAccountSelector, StoreKind, StoreRef};
pub use store::{ClusterSecretStore, SecretStore, SecretStoreSpec, SecretStoreStatus};
pub use template::Template;
