//! Secret stores, one module each, behind one trait.
//!
//! [`connect`] turns the provider of a SecretStore into a `SecretStore` of the pipeline; [`Clients`] is what the stores of
//! a process share. Every error of this crate says its reason, whom to blame and when to try again, and none of them holds
//! a value, a token or a server's own words. Which version a value has and what a property means is the pipeline's
//! business; so is retrying.

mod clients;
mod connect;
mod credential;
pub mod fake;
#[cfg(test)]
mod fixture;
mod gate;
mod http;
pub mod kubernetes;
mod shared;
mod tls;
pub mod vault;
mod verdict;

pub use clients::Clients;
pub use connect::{ConnectError, StoreId, connect};
pub use credential::{PortFailure, Ports, ReferenceError};
pub use http::{Addresses, HttpError};
pub use tls::{CertificateFault, TlsError};
