//! From the key in a manifest to a path of the KV engine, as ESO builds it.
//!
//! A key may repeat the mount, and for version 2 also `data/` after it; where the store names no mount, the key begins with
//! it. Unlike ESO's, a path is a list of segments, so nothing in a key can become a query or climb out of the mount: each
//! segment is percent-encoded when the URL is made, and `.`, `..` and empty segments are refused.

use api::store::VaultVersion;

/// A path below `/v1/`, in plain segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiPath(Vec<String>);

impl ApiPath {
    /// From text that is written with slashes.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        segments(text).map(Self)
    }

    /// From text of our own.
    pub(crate) fn fixed(text: &'static str) -> Self {
        Self(text.split('/').map(str::to_owned).collect())
    }

    /// Below that path, all of those segments; none of them leads out of it.
    pub(crate) fn below(&self, text: &str) -> Result<Self, PathError> {
        let mut path = self.clone();
        path.0.extend(segments(text)?);
        Ok(path)
    }

    pub(crate) fn segments(&self) -> &[String] {
        &self.0
    }

    /// That path with one more segment, taken literally.
    pub(crate) fn join(mut self, segment: &str) -> Result<Self, PathError> {
        self.0.push(literal(segment)?);
        Ok(self)
    }
}

impl std::fmt::Display for ApiPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Where the secrets of one store are.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    /// The engine's mount; when absent, every key begins with it.
    pub(crate) path: Option<String>,
    pub(crate) version: VaultVersion,
}

/// One secret, or a folder, of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KvPath {
    mount: Vec<String>,
    rest: Vec<String>,
}

impl Mount {
    /// The secret that a key names.
    pub(crate) fn secret(&self, key: &str) -> Result<KvPath, PathError> {
        let path = self.locate(key)?;
        match self.version {
            _ if path.rest.is_empty() => Err(PathError::Incomplete),
            // Vault fails there with 500, as if it would mend itself.
            VaultVersion::V1 if path.rest.iter().any(|part| part.contains("..")) => Err(PathError::Dots),
            VaultVersion::V1 | VaultVersion::V2 => Ok(path),
        }
    }

    /// The folder below which to list; the whole engine when the key is empty.
    pub(crate) fn folder(&self, key: &str) -> Result<KvPath, PathError> {
        match (&self.path, key.trim_matches('/')) {
            (Some(mount), "") => Ok(KvPath { mount: segments(mount)?, rest: Vec::new() }),
            (None, "") => Err(PathError::NoMount),
            (_, key) => self.locate(key),
        }
    }

    /// The key under which a manifest can read that path again.
    pub(crate) fn key_of(&self, path: &KvPath) -> String {
        match self.path {
            Some(_) => path.rest.join("/"),
            None => [path.mount.join("/"), path.rest.join("/")].join("/"),
        }
    }

    fn locate(&self, key: &str) -> Result<KvPath, PathError> {
        let parts = segments(key)?;
        let data_follows =
            |at: usize| self.version == VaultVersion::V2 && parts.get(at).is_some_and(|part| part == "data");
        let (mount, skip) = match &self.path {
            Some(mount) => {
                let mount = segments(mount)?;
                let repeated = parts.len() > mount.len() && parts.starts_with(&mount);
                let repeated = if repeated { mount.len() } else { 0 };
                let data = repeated > 0 && parts.len() > repeated + 1 && data_follows(repeated);
                (mount, repeated + usize::from(data))
            }
            None => {
                // A mount of several segments can only be told by the `data` that follows it.
                let data = (1..parts.len().saturating_sub(1)).find(|at| data_follows(*at));
                let mount = parts.iter().take(data.unwrap_or(1)).cloned().collect();
                (mount, data.map_or(1, |at| at + 1))
            }
        };
        Ok(KvPath { mount, rest: parts.into_iter().skip(skip).collect() })
    }
}

impl KvPath {
    /// Where version 1 keeps the secret.
    pub(crate) fn plain(&self) -> ApiPath {
        self.below(None)
    }

    /// Where version 2 keeps the secret's data.
    pub(crate) fn data(&self) -> ApiPath {
        self.below(Some("data"))
    }

    /// Where version 2 keeps the secret's metadata.
    pub(crate) fn metadata(&self) -> ApiPath {
        self.below(Some("metadata"))
    }

    /// An entry of that folder. Its name comes from the server, and is checked like a user's.
    pub(crate) fn entry(&self, name: &str) -> Result<Self, PathError> {
        let mut path = self.clone();
        path.rest.push(literal(name)?);
        Ok(path)
    }

    fn below(&self, kind: Option<&str>) -> ApiPath {
        let kind = kind.map(str::to_owned);
        ApiPath(self.mount.iter().cloned().chain(kind).chain(self.rest.iter().cloned()).collect())
    }
}

/// Slashes at both ends are forgiven, as ESO's client cleans them away.
fn segments(text: &str) -> Result<Vec<String>, PathError> {
    text.trim_matches('/').split('/').map(literal).collect()
}

fn literal(segment: &str) -> Result<String, PathError> {
    match segment {
        "" => Err(PathError::EmptySegment),
        "." | ".." => Err(PathError::Relative),
        text if text.contains('/') => Err(PathError::EmptySegment),
        text if text.chars().any(char::is_control) => Err(PathError::Control),
        text => Ok(text.to_owned()),
    }
}

/// Keys that are no path.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Two slashes in a row, or no text at all.
    #[error("use a path with an empty segment")]
    EmptySegment,
    /// `.` or `..`.
    #[error("use a path with a relative segment")]
    Relative,
    /// Two dots in a row, which version 1 of the engine has nowhere.
    #[error("use a path with two dots in a row, which KV version 1 does not have")]
    Dots,
    /// A control character.
    #[error("use a path with a control character")]
    Control,
    /// Nothing follows the mount.
    #[error("use a path that names only the mount")]
    Incomplete,
    /// Neither the store nor the key names the mount.
    #[error("use a path without a mount: the store names none")]
    NoMount,
}

#[cfg(test)]
mod tests;
