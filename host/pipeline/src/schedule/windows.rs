//! Sync windows: the times in UTC at which periodic refreshes may run, or may not.

use std::time::Duration;

use api::external_secret::{SyncWindows, SyncWindowsKind};
use jiff::Timestamp;

use super::cron::Cron;
use super::later;

/// How many windows in a row are looked at for the end of a closed time. More than the minutes of a day, since windows of a minute may
/// follow one another.
const LOOK_AHEAD: usize = 3_000;

/// Windows with their schedules read.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    kind: SyncWindowsKind,
    windows: Vec<Window>,
}

#[derive(Debug, Clone)]
struct Window {
    schedule: Cron,
    duration: Duration,
}

/// A window that cannot be read: its index, and what is wrong with the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowProblem {
    pub(crate) index: usize,
    pub(crate) message: String,
}

impl Windows {
    /// Reads the schedules; all that cannot be read are reported.
    pub(crate) fn parse(windows: &SyncWindows) -> Result<Self, Vec<WindowProblem>> {
        let mut parsed = Vec::new();
        let mut problems = Vec::new();
        for (index, window) in windows.windows.iter().enumerate() {
            match Cron::parse(&window.schedule) {
                Ok(schedule) => parsed.push(Window { schedule, duration: window.duration.to_std() }),
                Err(message) => problems.push(WindowProblem { index, message }),
            }
        }
        if problems.is_empty() { Ok(Self { kind: windows.kind, windows: parsed }) } else { Err(problems) }
    }

    /// Whether a periodic refresh may run.
    pub(crate) fn permit(&self, now: Timestamp) -> bool {
        let inside = self.windows.iter().any(|window| window.end_of_current(now).is_some());
        match self.kind {
            SyncWindowsKind::Allow => inside,
            SyncWindowsKind::Deny => !inside,
        }
    }

    /// The first time from `time` on at which a periodic refresh may run; none when there is none in sight.
    pub(crate) fn next_opening(&self, time: Timestamp) -> Option<Timestamp> {
        let mut time = time;
        for _ in 0..LOOK_AHEAD {
            if self.permit(time) {
                return Some(time);
            }
            time = match self.kind {
                SyncWindowsKind::Allow => {
                    self.windows.iter().filter_map(|window| window.schedule.next_after(time)).min()?
                }
                SyncWindowsKind::Deny => {
                    self.windows.iter().filter_map(|window| window.end_of_current(time)).max()?
                }
            };
        }
        None
    }
}

impl Window {
    /// When the window that is open at `now` closes; of windows that overlap themselves, the first to close.
    fn end_of_current(&self, now: Timestamp) -> Option<Timestamp> {
        let earliest = now.saturating_sub(self.duration).ok()?;
        let start = self.schedule.next_after(earliest).filter(|start| *start <= now)?;
        Some(later(start, self.duration))
    }
}
