//! The cases that wait for a milestone: `MILESTONE CASE` a line, `#` starts a comment.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::Case;

#[derive(Default)]
pub(crate) struct Pending {
    milestones: BTreeMap<String, String>,
}

impl Pending {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut milestones = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (milestone, id) =
                line.split_once(' ').ok_or_else(|| format!("{}: no case in `{line}`", file.display()))?;
            milestones.insert(id.to_owned(), milestone.to_owned());
        }
        Ok(Self { milestones })
    }

    /// The milestone that brings the case, if it waits for one.
    pub(crate) fn milestone(&self, id: &str) -> Option<&str> {
        self.milestones.get(id).map(String::as_str)
    }

    /// What is listed but does not exist.
    pub(crate) fn unknown<'p>(&'p self, cases: &'p [Case]) -> impl Iterator<Item = &'p str> {
        let ids = self.milestones.keys().map(String::as_str);
        ids.filter(|id| !cases.iter().any(|case| case.id == *id))
    }
}
