//! What can go wrong in the stand-in itself. What PostgreSQL does (a commit that hangs, a row that changed under an ALTER) comes
//! from the real one: `database` has it.

/// One mishap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The watch loses an event.
    MissedEvent,
    /// A GET answers what the one before it did.
    StaleRead,
    /// The process dies with its transaction open.
    CrashBeforeCommit,
    /// The process dies before it has noted what it committed.
    CrashAfterCommit,
}
