//! Generators: kinds that make values, and references to them.
//!
//! The spec of one of ESO's generators is the config of the built-in component of that name; what it means is decided there. ESO's kinds
//! that are not here yet can be named in a reference and in a ClusterGenerator, so that the controller can say so.

mod cluster;
mod configured;
mod fake;
mod password;
mod reference;
mod uuid;

pub use cluster::{ClusterGenerator, ClusterGeneratorSpec, GeneratorConfig, GeneratorSpec};
pub use configured::{ConfiguredGeneratorSpec, Generator};
pub use fake::{Fake, FakeSpec};
pub use password::{Encoding, Password, PasswordSpec};
pub use reference::{ClusterGeneratorKind, GeneratorKind, GeneratorRef};
pub use uuid::{Uuid, UuidSpec};
