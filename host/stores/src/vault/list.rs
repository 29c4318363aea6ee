//! All secrets below a path: the names first, then what matches.
//!
//! Vault has neither a recursive list nor a list of values, so this is one request per folder and one per secret (two with
//! tags), several at a time. A folder that may not be listed fails the whole list: half of it would look like all of it.

use api::store::VaultVersion;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use pipeline::{Found, ListQuery, Listed};
use reqwest::Method;

use super::document::Names;
use super::path::KvPath;
use super::refusal::more_than_missing;
use super::{Cause, VaultStore, kv1, kv2};

/// Requests of one list at a time.
const AT_ONCE: usize = 8;
/// More names than any object has room for: a Secret ends at 1 MiB.
const MOST_NAMES: usize = 20_000;

pub(super) async fn list(store: &VaultStore, query: &ListQuery) -> Result<Vec<Listed>, Cause> {
    if store.mount.version == VaultVersion::V1 && !query.tags.is_empty() {
        return Err(Cause::NoMetadata);
    }
    let folder = store.mount.folder(query.path.as_deref().unwrap_or_default())?;
    let matches = |key: &String| query.name.as_ref().is_none_or(|name| name.is_match(key));
    let names = names(store, folder).await?;
    let candidates: Vec<_> = names
        .into_iter()
        .map(|path| (store.mount.key_of(&path), path))
        .filter(|(key, _)| matches(key))
        .map(|(key, path)| one(store, query, key, path))
        .collect();
    let found: Vec<_> = stream::iter(candidates).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut listed: Vec<Listed> = found.into_iter().flatten().collect();
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// One candidate; none when its tags do not match, or when it is gone or deleted.
async fn one(
    store: &VaultStore,
    query: &ListQuery,
    key: String,
    path: KvPath,
) -> Result<Option<Listed>, Cause> {
    if !query.tags.is_empty() {
        let marks = kv2::marks(store, &path).await?;
        if !query.tags.iter().all(|(name, value)| marks.get(name) == Some(value)) {
            return Ok(None);
        }
    }
    let found = match store.mount.version {
        VaultVersion::V1 => kv1::read(store, &path).await?,
        VaultVersion::V2 => kv2::read(store, &path, None).await?,
    };
    match found {
        Found::Found(document) => Ok(Some(Listed { key, document })),
        Found::Missing => Ok(None),
    }
}

async fn names(store: &VaultStore, folder: KvPath) -> Result<Vec<KvPath>, Cause> {
    let mut folders = vec![folder];
    let mut secrets = Vec::new();
    while let Some(folder) = folders.pop() {
        let path = match store.mount.version {
            VaultVersion::V1 => folder.plain(),
            VaultVersion::V2 => folder.metadata(),
        };
        // GET with `list` as Vault's own client does it: proxies do not know the method LIST.
        let reply = store.connection.call(Method::GET, &path, &[("list", "true")], None).await?;
        if reply.absent {
            match more_than_missing(&reply.body) {
                Some(refusal) => return Err(refusal.into()),
                None => continue,
            }
        }
        for name in reply.data::<Names>()?.keys {
            // What has no path that a key could name cannot be read, and is not counted as listed.
            let (kind, name) = match name.strip_suffix('/') {
                Some(name) => (&mut folders, name),
                None => (&mut secrets, name.as_str()),
            };
            kind.extend(folder.entry(name));
        }
        if folders.len() + secrets.len() > MOST_NAMES {
            return Err(Cause::TooMany { most: MOST_NAMES });
        }
    }
    Ok(secrets)
}
