//! A loopback proxy before a real server, that fails on demand: down, slow, refusing, cutting connections.
//!
//! It terminates TLS with a CA of its own, so that faults are those of single requests and answers, and passes on whatever it
//! is not told to spoil, watches included. It changes no request. Absent: faults of the network below a connection (loss,
//! reordering), and HTTP/2, which Kubernetes clients do not need.

mod body;
mod fault;
mod proxy;
mod tls;
mod upstream;

pub use fault::Fault;
pub use proxy::{Proxy, Seen};
