//! Times at which periodic refreshes may or may not run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// Windows of time, in UTC, and whether refreshes run inside or outside of them. A change of the object itself is always
/// carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncWindows {
    /// allow: periodic refreshes run only inside the windows. deny: only outside.
    pub kind: SyncWindowsKind,
    /// The windows.
    #[schemars(length(min = 1))]
    pub windows: Vec<SyncWindow>,
}

/// Whether refreshes run inside or outside of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncWindowsKind {
    /// Inside.
    Allow,
    /// Outside.
    Deny,
}

/// A window that opens again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncWindow {
    /// When it opens: a cron line of five fields, or @hourly, @daily, @every 6h and the like.
    #[schemars(
        length(min = 1),
        extend("pattern" = r"^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|@every [^\s]+.*|[^\s]+( [^\s]+){4})$")
    )]
    pub schedule: String,
    /// How long it stays open, as 2h30m.
    pub duration: Duration,
}
