//! The closed list of ways in which a guest can fail a call. The host computes it from what *it* saw (its limiter, its clock, its
//! fuel), never from a trap's text, so it is the same for every guest language and cannot carry what a guest wrote.

use std::fmt;

/// Why the host ended a call or refused its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It ran longer than its deadline.
    Deadline,
    /// It used up its fuel.
    Fuel,
    /// It asked for more memory, table elements or instances than it may have.
    Memory,
    /// It recursed too deeply.
    Stack,
    /// It asked the host for more than it may: randomness in a call without, too many host calls, too many keys.
    HostDenied,
    /// It gave up by itself: a trap, a panic, an abort.
    GuestAbort,
    /// It answered, and the answer breaks the contract.
    BadOutput,
}

impl Reason {
    /// Every reason, for tables and metrics.
    pub const ALL: [Self; 7] = [
        Self::Deadline,
        Self::Fuel,
        Self::Memory,
        Self::Stack,
        Self::HostDenied,
        Self::GuestAbort,
        Self::BadOutput,
    ];

    /// The stable name, in kebab case: a metric's label, a status's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::HostDenied => "host-denied",
            Self::GuestAbort => "guest-abort",
            Self::BadOutput => "bad-output",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
