//! What became of the cases, compared with the list of those that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;

use crate::pending::Pending;
use crate::runner::{Played, every_case};

/// Cases of one area.
#[derive(Default)]
struct Count {
    passed: usize,
    pending: usize,
    failed: usize,
}

/// The figures, and what is not as the list says.
#[derive(Default)]
pub(crate) struct Report {
    areas: BTreeMap<String, Count>,
    pub(crate) failures: Vec<String>,
}

impl Report {
    pub(crate) fn new(played: &[Played], pending: &Pending) -> Result<Self> {
        let mut report = Self::default();
        for case in played {
            report.add(case, pending.milestone(&case.name));
        }
        let known: BTreeSet<String> = every_case()?.into_iter().collect();
        let unknown = pending.cases().filter(|case| !known.contains(*case));
        let unknown = unknown.map(|case| format!("{case}: listed in pending.txt, but there is no such case"));
        report.failures.extend(unknown);
        Ok(report)
    }

    fn add(&mut self, case: &Played, milestone: Option<&str>) {
        let area = case.name.split('/').next().unwrap_or_default();
        let count = self.areas.entry(area.to_owned()).or_default();
        match (case.wrong.as_deref(), milestone) {
            (None, None) => count.passed += 1,
            (Some(_), Some(_)) => count.pending += 1,
            (Some(wrong), None) => {
                count.failed += 1;
                self.failures.push(format!("FAIL {}\n{wrong}", case.name));
            }
            (None, Some(milestone)) => {
                count.failed += 1;
                self.failures
                    .push(format!("{}: passes, but pending.txt still lists it for {milestone}", case.name));
            }
        }
    }

    /// One line per area and the sum.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{:<22}{:>8}{:>9}{:>8}\n", "area", "passed", "pending", "failed");
        let mut all = Count::default();
        for (area, count) in &self.areas {
            let Count { passed, pending, failed } = count;
            let _infallible = writeln!(table, "{area:<22}{passed:>8}{pending:>9}{failed:>8}");
            all.passed += passed;
            all.pending += pending;
            all.failed += failed;
        }
        let _infallible =
            write!(table, "{} passed, {} pending, {} failed", all.passed, all.pending, all.failed);
        table
    }
}
