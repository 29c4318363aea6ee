//! The real servers for tests: built from published Go modules or found on the machine, started on free loopback ports, gone
//! with the test process however that ends.
//!
//! A server that cannot be had is `None` after one line on stderr that says what is missing; with
//! `KEYMILL_REQUIRE_SERVERS=1` it is a panic with that line. A server that is there but does not come up is always a panic,
//! with the end of its log. Everything here blocks: call it from `spawn_blocking`, or simply from the test, whose other
//! tasks then wait. Absent: anything that ships, and any server reached over a network.

mod audit;
mod certificates;
mod crds;
mod etcd;
mod external_secrets;
mod folder;
mod http;
mod kubernetes;
mod missing;
mod module;
mod port;
mod postgres;
mod process;
mod vault;

use std::sync::OnceLock;

pub use audit::AuditLog;
pub use certificates::Certificates;
pub use external_secrets::ExternalSecrets;
pub use kubernetes::kubeconfig::write_kubeconfig;
pub use kubernetes::{Kubernetes, KubernetesOptions};
pub use missing::say_missing;
pub use module::{BuildError, binary, names};
pub use port::free as free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use vault::{Storage, Vault, VaultOptions};

/// A server that all tests of a binary share: its first use starts it. Nothing drops it; the end of the process stops it.
type Shared<T> = OnceLock<Result<Option<T>, String>>;

/// The API server that the tests of this binary share, with default options.
///
/// # Panics
/// When it does not come up, or is missing and required.
#[track_caller]
pub fn kubernetes() -> Option<&'static Kubernetes> {
    static SHARED: Shared<Kubernetes> = OnceLock::new();
    missing::shared(&SHARED, || Kubernetes::started(&KubernetesOptions::default()))
}

/// The Vault that the tests of this binary share: dev mode, KV version 2 at `secret/`.
///
/// # Panics
/// When it does not come up, or is missing and required.
#[track_caller]
pub fn vault() -> Option<&'static Vault> {
    static SHARED: Shared<Vault> = OnceLock::new();
    missing::shared(&SHARED, || Vault::started(&VaultOptions::default()))
}

/// The PostgreSQL that the tests of this binary share, with default options.
///
/// # Panics
/// When it does not come up, or is missing and required.
#[track_caller]
pub fn postgres() -> Option<&'static Postgres> {
    static SHARED: Shared<Postgres> = OnceLock::new();
    missing::shared(&SHARED, || Postgres::started(&PostgresOptions::default()))
}
