//! Files of cases, as they are written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// The cases of one area.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The area: the file's name.
    #[serde(skip)]
    pub(crate) area: String,
    /// What the area is about, for readers.
    #[serde(rename = "about")]
    pub(crate) _about: String,
    /// Paths by short names, which steps use as `{name}`.
    #[serde(default)]
    pub(crate) paths: BTreeMap<String, String>,
    pub(crate) cases: Vec<Case>,
}

/// A sequence of requests in a namespace of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// What is shown.
    #[serde(rename = "about")]
    pub(crate) _about: String,
    /// The CEL rule that this case is about, when it is about one.
    pub(crate) rule: Option<RuleName>,
    pub(crate) steps: Vec<Step>,
}

/// A CEL rule of ours: where it stands and what it says when it is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleName {
    pub(crate) definition: String,
    pub(crate) version: String,
    /// As `.spec.data[].remoteRef`.
    pub(crate) path: String,
    pub(crate) message: String,
}

/// One request, and what is looked at in its answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Method and path, as `POST {secrets}?dryRun=All`.
    #[serde(rename = "do")]
    pub(crate) request: String,
    /// The status that the author expects; a recording that says otherwise is refused.
    pub(crate) status: u16,
    /// Sent as JSON.
    pub(crate) body: Option<Value>,
    /// Sent as it is.
    pub(crate) text: Option<String>,
    /// The body's media type, or its short name: json, yaml, merge, strategic, patch, apply.
    #[serde(rename = "as")]
    pub(crate) media: Option<String>,
    /// The Accept header, or its short name: table, metadata, metadata-list.
    pub(crate) accept: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Variables for later steps, and the pointers to their values in the answer.
    #[serde(default)]
    pub(crate) save: BTreeMap<String, String>,
    /// Repeat the request until the status is the expected one, and these pointers have these values.
    pub(crate) until: Option<BTreeMap<String, Value>>,
    /// Read that many events of a watch, and leave it.
    pub(crate) events: Option<usize>,
    /// The parts of the body that are compared, as pointers in which `*` is every item; all when there are none.
    #[serde(default)]
    pub(crate) show: Vec<String>,
    /// The causes come in no order, and the message lists them so.
    #[serde(default)]
    pub(crate) unordered: bool,
    /// The standalone API answers otherwise, on purpose: a row of its README, as `what: reason`.
    pub(crate) differs: Option<String>,
    /// The status of that other answer, where it is another, too.
    pub(crate) here: Option<u16>,
}

/// All files of cases, in the order of their names.
pub(crate) fn files() -> Vec<File> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Where this test's files are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    let options = serde_saphyr::options! { strict_booleans: true };
    let file: Result<File, _> = serde_saphyr::from_str_with_options(&text, options);
    let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.area = path.file_stem().unwrap().to_string_lossy().into_owned();
    file
}
