//! What an ExternalSecret and a PushSecret mean.
//!
//! The seven verbs minus the cluster: `decide`, `gather`, `shape` and `plan` take values and return values; what they need
//! from outside they ask for through the ports. This crate knows no cluster client, no wasm and no HTTP, so every decision is
//! a table of cases.

mod decide;
mod failure;
mod field;
#[cfg(test)]
mod fixture;
mod gather;
mod hash;
mod meta;
mod outcome;
mod plan;
mod ports;
mod push;
mod rotation;
mod schedule;
mod shape;
mod spec;
mod target;

pub use decide::{
    Action, Cause, Decision, Drawing, EntryDecision, Inputs, Nudge, Refresh, decide, next_look,
};
pub use failure::{Blame, BoxFailure, Failure, ObjectRef, Reason, Retry};
pub use field::{Fields, Value};
pub use gather::{GatherError, Gathered, MissingRemote, Rotated, Sources, gather};
pub use hash::{created_by, data_hash, field_manager, synced_version};
pub use meta::{Meta, Status};
pub use outcome::{
    Event, Failed, Next, Outcome, POLICY_FAILED, POLICY_VIOLATED, ROTATED, Ready, Synced, VALUE_LOST, message,
};
pub use plan::{Changes, Desired, Kept, Patch, Plan, PlanError, Precondition, admit, leftovers, plan};
pub use ports::{
    Candidate, Capabilities, Document, Entropy, Entry, Found, Generate, Generated, GeneratedField, Generator,
    GeneratorHandle, Generators, Judge, ListQuery, Listed, Marks, MintToken, Occasion, Owner, Policies,
    Policy, PushGuard, ReadOptions, ReadSecret, Remote, Render, Rendered, Renderings, Revision, Scope,
    SecretStore, StoreHandle, Stores, Subject, TemplateEngine, TemplateText, TokenRequest, Validity,
    Violation, Write,
};
pub use push::{
    CheckedPush, Content, Delivered, Delivery, GatheredPush, Origin, PushDecision, PushDrawing, PushEntry,
    PushError, PushInputs, PushShaped, RemotePlan, SourceName, SourceSecret, StoreView, Withdrawal,
    announcement, decide_push, deliver, entries, gather_push, next_push, plan_remote, selected_stores,
    settle_push_drawings, shape_push, withdraw_all, withdrawals,
};
pub use rotation::{EntryKey, Held, Record, RecordEntry, RecordError, RotationId, identity, record_name};
pub use shape::{Monitored, Pattern, PatternError, ShapeError, Shaped, Shapers, shape};
pub use spec::{CheckedSpec, GeneratorEntry, SpecError, StoreName};
pub use target::{OwnFields, TargetView};
