//! What can go wrong between a client and its server.

use std::time::Duration;

/// What becomes of connections and requests. It holds for what arrives from now on, and where that is said for what is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Everything is passed on.
    #[default]
    None,
    /// Nobody listens; open connections are cut.
    Down,
    /// Each request is passed on that much later.
    Slow(Duration),
    /// Each request is answered with this status and does not reach the server.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Seconds of the header Retry-After.
        retry_after: Option<u32>,
    },
    /// Each request ends its connection and does not reach the server; open connections are cut.
    Cut,
    /// Each request reaches the server, which carries it out, and the connection ends before the answer.
    Lose,
    /// Each answer ends its connection after so many bytes of its body.
    CutBody(usize),
}

impl Fault {
    /// Whether open connections end when this begins.
    pub(crate) fn severs(self) -> bool {
        matches!(self, Self::Down | Self::Cut)
    }
}
