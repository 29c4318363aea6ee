//! The Rust SDK for component authors: a trait per world, and one macro that makes a component of a type.
//!
//! - A [`Generator`] says what to draw and where it goes ([`Recipe`]); the host draws, so the guest never sees the value.
//! - A [`Policy`] judges values before they are published.
//! - A [`Template`] renders values; same request, same streams, same bytes.
//!
//! ```
//! use keymill_sdk::{Description, Failure, Generator, Output, Picks, Recipe, Request, Schema, Sensitivity};
//!
//! struct Pin;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     digits: u32,
//! }
//!
//! impl Generator for Pin {
//!     type Config = Config;
//!
//!     fn describe() -> Description {
//!         Description::new("pin", env!("CARGO_PKG_VERSION"), "A number to type in")
//!             .config(Schema::object().required("digits", Schema::integer().min(4).max(12).about("How many digits.")))
//!             .field("pin", Sensitivity::Secret, "The digits.")
//!     }
//!
//!     fn generate(request: Request<Config>) -> Result<Output, Failure> {
//!         let mut recipe = Recipe::new();
//!         let pin = recipe.picks(Picks::new().pick("0123456789", request.config.digits));
//!         recipe.field("pin", pin);
//!         Ok(recipe.finish())
//!     }
//! }
//!
//! keymill_sdk::generator!(Pin);
//! ```
//!
//! The same crate compiles natively, where the macro expands to nothing and `keymill_sdk::testing` (feature `testing`)
//! stands in for the host. Nothing here has free text once a config has been seen: rules, keys and positions only.

#![deny(missing_docs)]

#[doc(hidden)]
pub mod bindings;
pub mod clock;
mod config;
mod data_key;
mod description;
pub mod entropy;
mod generator;
pub mod kube;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod policy;
mod problem;
mod recipe;
mod redacted;
mod schema;
mod template;
#[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
pub mod testing;
pub mod vault;
pub mod work;

pub use bindings::types::{Capability, KeyAlgorithm, KeySpec, Occasion, Owner, Refusal, Sensitivity};
pub use config::parse as parse_config;
pub use data_key::is_data_key;
pub use description::{Description, Rule};
pub use generator::{Failure, Generator, Request};
pub use policy::{Candidate, Policy, Verdict};
pub use problem::{Problem, Problems, pointer};
pub use recipe::{Constraints, IntoSegments, Output, Picks, Recipe, Segment, Transform, Value};
pub use redacted::Entry;
pub use schema::{Json, Schema};
pub use template::{Fault, RenderRequest, Rendered, Scope, Template, TemplateText};

#[doc(hidden)]
pub use {generator::GeneratorExport, policy::PolicyExport, template::TemplateExport};

/// Makes a component of world `generator` of a type that implements [`Generator`]. Once per crate, of type `cdylib`.
/// Expands to nothing on other targets than wasm32.
#[macro_export]
macro_rules! generator {
    ($component:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::GeneratorExport<$component>;
    $crate::bindings::generator::export!(Exported with_types_in $crate::bindings::generator);
        };
    };
}

/// Makes a component of world `template` of a type that implements [`Template`]. Otherwise as [`generator!`].
#[macro_export]
macro_rules! template {
    ($component:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::TemplateExport<$component>;
    $crate::bindings::template::export!(Exported with_types_in $crate::bindings::template);
        };
    };
}

/// Makes a component of world `policy` of a type that implements [`Policy`]. Otherwise as [`generator!`].
#[macro_export]
macro_rules! policy {
    ($component:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::PolicyExport<$component>;
    $crate::bindings::policy::export!(Exported with_types_in $crate::bindings::policy);
        };
    };
}

/// The page for authors, compiled so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
