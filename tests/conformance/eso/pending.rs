//! The cases that wait for a milestone: `MILESTONE AREA/NAME REASON` a line, `#` starts a comment.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Cases by name, each with its milestone.
#[derive(Default)]
pub(crate) struct Pending {
    milestones: BTreeMap<String, String>,
}

impl Pending {
    /// Reads the list. A case without a reason is refused, as is one that is listed twice.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let mut milestones = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.splitn(3, ' ').map(str::trim);
            let (Some(milestone), Some(case), Some(_reason)) = (words.next(), words.next(), words.next())
            else {
                bail!("{}: `{line}` is not a milestone, a case and a reason", file.display());
            };
            if milestones.insert(case.to_owned(), milestone.to_owned()).is_some() {
                bail!("{}: {case} is listed twice", file.display());
            }
        }
        Ok(Self { milestones })
    }

    /// The milestone that brings the case, if it waits for one.
    pub(crate) fn milestone(&self, case: &str) -> Option<&str> {
        self.milestones.get(case).map(String::as_str)
    }

    /// Every case that is listed.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &str> {
        self.milestones.keys().map(String::as_str)
    }
}
