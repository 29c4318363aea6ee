//! The cases that render a Go library's error text, of which only the start is compared: `CASE START` a line.

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) struct Wording {
    starts: BTreeMap<String, String>,
}

impl Wording {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut starts = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (id, start) =
                line.split_once(' ').ok_or_else(|| format!("{}: no start in `{line}`", file.display()))?;
            starts.insert(id.to_owned(), start.to_owned());
        }
        Ok(Self { starts })
    }

    /// How the rendering of the case must start, if its end is a library's.
    pub(crate) fn start(&self, id: &str) -> Option<&str> {
        self.starts.get(id).map(String::as_str)
    }
}
