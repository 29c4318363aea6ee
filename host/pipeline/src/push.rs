//! The PushSecret: the same verbs in the other direction.
//!
//! `decide_push` says whether a push is due, `gather_push` keeps or makes generated values, `shape_push` applies the template
//! and finds the entries, and `deliver` compares each remote secret with what it is to be and writes what differs, with
//! compare-and-set where the store has it. Nothing that is not marked as managed by external-secrets is changed or deleted.

mod decide;
mod deliver;
mod drawing;
mod entries;
mod error;
mod gather;
mod remote;
mod shape;
mod spec;
#[cfg(test)]
mod tests;
mod withdraw;

pub use decide::{PushDecision, PushInputs, decide_push, next_push};
pub use deliver::{Delivered, Delivery, announcement, deliver, withdraw_all};
pub use drawing::{PushDrawing, settle_push_drawings};
pub use entries::{Content, PushEntry, StoreView, entries, selected_stores};
pub use error::PushError;
pub use gather::{GatheredPush, gather_push};
pub use remote::{RemotePlan, plan_remote};
pub use shape::{Origin, PushShaped, shape_push};
pub use spec::{CheckedPush, SourceName, SourceSecret};
pub use withdraw::{Withdrawal, withdrawals};
