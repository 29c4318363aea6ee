//! Manifests as files: read, split into documents, named in messages by file and number.
//!
//! One bad document does not spoil the others. A message never quotes the text: it may be that of a Secret.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// One object as somebody wrote it.
#[derive(Clone)]
pub(crate) struct Manifest {
    /// The file it stands in.
    pub(crate) file: PathBuf,
    /// Which document of the file, from 1.
    pub(crate) number: usize,
    /// The document.
    pub(crate) object: Json,
    /// Its text, to tell whether it changed.
    pub(crate) text: String,
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({}, document {}, {})", self.file.display(), self.number, self.title())
    }
}

impl Manifest {
    pub(crate) fn api_version(&self) -> &str {
        self.text_at("/apiVersion")
    }

    pub(crate) fn kind(&self) -> &str {
        self.text_at("/kind")
    }

    pub(crate) fn name(&self) -> &str {
        self.text_at("/metadata/name")
    }

    pub(crate) fn namespace(&self) -> &str {
        match self.text_at("/metadata/namespace") {
            "" => "default",
            namespace => namespace,
        }
    }

    /// `Kind/name`, as kubectl says it.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.kind(), self.name())
    }

    /// The string at a JSON pointer, empty when there is none.
    pub(crate) fn text_at(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
    }
}

/// One document, or file, that is no manifest.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) file: PathBuf,
    /// Which document; the whole file when absent.
    pub(crate) number: Option<usize>,
    pub(crate) what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(number) = self.number {
            write!(f, ", document {number}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a set of files holds.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    pub(crate) good: Vec<Manifest>,
    pub(crate) bad: Vec<Unreadable>,
}

/// Reads a file, or the `.yaml`, `.yml` and `.json` files directly in a folder, by name.
pub(crate) fn read(path: &Path) -> std::io::Result<Manifests> {
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            let file = entry?.path();
            if file.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_path_buf());
    }
    let mut manifests = Manifests::default();
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => parse(&file, &text, &mut manifests),
            Err(error) if path.is_dir() => {
                manifests.bad.push(Unreadable {
                    file,
                    number: None,
                    what: format!("cannot be read: {error}"),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(manifests)
}

/// Parses one file's text.
pub(crate) fn parse(file: &Path, text: &str, manifests: &mut Manifests) {
    for (number, text) in (1..).zip(documents(text)) {
        let failed = |what: String| Unreadable { file: file.to_path_buf(), number: Some(number), what };
        match object(&text) {
            Ok(None) => {}
            Ok(Some(object)) => {
                let (file, items) = (file.to_path_buf(), items(&object));
                match items {
                    None => manifests.good.push(Manifest { file, number, object, text }),
                    Some(items) => manifests.good.extend(items.into_iter().map(|object| Manifest {
                        file: file.clone(),
                        number,
                        text: object.to_string(),
                        object,
                    })),
                }
            }
            Err(what) => manifests.bad.push(failed(what)),
        }
    }
}

/// The objects of a list, as kubectl writes several.
fn items(object: &Json) -> Option<Vec<Json>> {
    let is_list = object.get("kind").and_then(Json::as_str).is_some_and(|kind| kind.ends_with("List"));
    object.get("items").and_then(Json::as_array).filter(|_| is_list).cloned()
}

/// The texts between the document markers.
fn documents(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") || line.starts_with("---\t") {
            found.push(String::new());
        } else if let Some(current) = found.last_mut() {
            current.push_str(line);
            current.push('\n');
        }
    }
    found.retain(|text| {
        text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    });
    found
}

fn object(text: &str) -> Result<Option<Json>, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    let parsed: Json =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
            Some(place) => format!("is not YAML at line {}, column {}", place.line(), place.column()),
            None => "is not YAML".to_owned(),
        })?;
    if parsed.is_null() {
        return Ok(None);
    }
    let is_list = items(&parsed).is_some();
    let text = |pointer: &str| parsed.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let missing: Vec<&str> =
        [("apiVersion", "/apiVersion"), ("kind", "/kind"), ("metadata.name", "/metadata/name")]
            .into_iter()
            .filter(|(_, pointer)| text(pointer).is_empty())
            .map(|(name, _)| name)
            .collect();
    if missing.is_empty() || is_list {
        Ok(Some(parsed))
    } else {
        Err(format!(
            "has no {}; every manifest needs apiVersion, kind and metadata.name",
            missing.join(", no ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<String>, Vec<String>) {
        let mut manifests = Manifests::default();
        parse(Path::new("a.yaml"), text, &mut manifests);
        let good = manifests.good.iter().map(Manifest::title).collect();
        (good, manifests.bad.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn one_bad_document_does_not_spoil_the_others() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n# nothing\n---\nkind: [\n---\n\
                    apiVersion: v1\nkind: Secret\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n";
        let (good, bad) = read_text(text);
        assert_eq!(good, ["Secret/a", "ConfigMap/b"]);
        assert_eq!(bad.len(), 2, "{bad:?}");
        assert!(bad.iter().any(|one| one.starts_with("a.yaml, document 2: is not YAML at line")), "{bad:?}");
        assert!(
            bad.iter().any(|one| one.starts_with("a.yaml, document 3: has no metadata.name;")),
            "{bad:?}"
        );
    }

    #[test]
    fn a_list_is_its_items() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n\
                    - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n";
        assert_eq!(read_text(list).0, ["Secret/a", "ConfigMap/b"]);
    }

    #[test]
    fn a_message_never_quotes_the_text() {
        let (_, bad) = read_text("apiVersion: v1\nkind: Secret\nstringData: {password: canary-password\n");
        assert_eq!(bad.len(), 1);
        assert!(!bad.concat().contains("canary"), "{bad:?}");
    }

    #[test]
    fn numbers_count_documents_that_say_something() {
        assert_eq!(documents("---\n# comment\n---\na: 1\n---\n\n---\nb: 2\n").len(), 2);
    }
}
