//! KV version 2: versioned, always with check-and-set.

use pipeline::{Document, Found, Marks, Remote, Revision, Value};
use reqwest::Method;

use super::connection::ConnectionError;
use super::document::{self, Metadata};
use super::path::KvPath;
use super::refusal::{Refusal, more_than_missing};
use super::{Cause, MANAGED, MANAGED_BY, VaultStore, managed};

/// Reads one version; deleted and destroyed ones are missing.
pub(super) async fn read(
    store: &VaultStore,
    path: &KvPath,
    version: Option<&str>,
) -> Result<Found<Document>, Cause> {
    let query = version.map(|version| ("version", version));
    let reply = store.connection.call(Method::GET, &path.data(), query.as_slice(), None).await?;
    if reply.absent {
        // A version that is gone answers 404 with its metadata; for a reader it is as missing as one that never was.
        return match more_than_missing(&reply.body) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(Found::Missing),
        };
    }
    match reply.secret()?.data {
        Some(text) => Ok(Found::Found(document::document(text)?)),
        None => Ok(Found::Missing),
    }
}

/// Reads the metadata as ESO shows it: the custom ones beside three of Vault's own.
pub(super) async fn fetch(store: &VaultStore, path: &KvPath) -> Result<Found<Document>, Cause> {
    let Some(metadata) = metadata(store, path).await? else {
        return Ok(Found::Missing);
    };
    let mut shown = metadata.custom_metadata.unwrap_or_default();
    shown.insert("current_version".to_owned(), metadata.current_version.to_string());
    let own =
        [("created_time", metadata.created_time), ("delete_version_after", metadata.delete_version_after)];
    shown.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let text = document::encode(&shown, 0)?;
    Ok(Found::Found(Document::Json(Value::from(text.as_slice()))))
}

/// What a writer has to know, from one request where the server tells all of it at once.
pub(super) async fn inspect(store: &VaultStore, path: &KvPath) -> Result<Remote, Cause> {
    let reply = store.connection.call(Method::GET, &path.data(), &[], None).await?;
    let (document, version, marks) = match reply.secret() {
        Ok(secret) => {
            let document = match secret.data {
                Some(text) => Found::Found(document::document(text)?),
                None => Found::Missing,
            };
            (document, Some(secret.metadata.version), secret.metadata.custom_metadata)
        }
        Err(_) if reply.absent => match more_than_missing(&reply.body) {
            Some(refusal) => return Err(refusal.into()),
            None => (Found::Missing, None, None),
        },
        Err(refusal) => return Err(refusal.into()),
    };
    let (version, marks) = match (version, marks) {
        (Some(version), Some(marks)) => (Some(version), marks.unwrap_or_default()),
        // There may be metadata without data: another writer's first step, or ours before a crash.
        (version, _) => match metadata(store, path).await? {
            Some(metadata) => {
                (version.or(Some(metadata.current_version)), metadata.custom_metadata.unwrap_or_default())
            }
            None => (version, Marks::new()),
        },
    };
    let revision = version.map_or(Revision::Absent, |version| Revision::At(version.to_string()));
    Ok(Remote { document, managed: managed(&marks), marks, revision })
}

/// Writes a new version if `expected` is still the latest.
///
/// Vault has no transaction over data and metadata, so the order decides what a failure in between leaves behind:
/// 1. `managed-by` first, when it is not there yet: a marked secret without data is harmless and the next attempt goes on
///    from it, while data without the mark would lock us out of what we have written ourselves. If the data turns out to
///    be somebody else's (the check-and-set fails), the mark is taken away again.
/// 2. The data, with check-and-set.
/// 3. The other marks last: they tell which rotation the data is, so they must never be ahead of it. Marks that lag behind
///    make the next attempt write again, nothing else.
///
/// Custom metadata of others stays. Vault has no check-and-set for metadata, so a change of theirs between our read and our
/// write of it is lost; both are skipped when our marks are already there.
pub(super) async fn write(
    store: &VaultStore,
    path: &KvPath,
    text: &[u8],
    marks: &Marks,
    expected: &Revision,
) -> Result<Revision, Cause> {
    let before = metadata(store, path).await?;
    let current = before.as_ref().map_or(0, |metadata| metadata.current_version);
    if !still(expected, current) {
        return Err(Refusal::Conflict.into());
    }
    let theirs = before.and_then(|metadata| metadata.custom_metadata).unwrap_or_default();
    let mut marked = theirs.clone();
    marked.insert(MANAGED_BY.to_owned(), MANAGED.to_owned());
    let first = marked != theirs;
    if first {
        mark(store, path, &marked).await?;
    }
    let body = document::versioned(text, current)?;
    let reply = match store.connection.call(Method::POST, &path.data(), &[], Some(body)).await {
        Ok(reply) => reply,
        Err(cause @ ConnectionError::Refused(Refusal::Conflict)) if first => {
            if let Err(error) = take_back(store, path, &theirs, &marked).await {
                tracing::warn!(path = %path.metadata(), %error, "a mark could not be taken back");
            }
            return Err(cause.into());
        }
        Err(cause) => return Err(cause.into()),
    };
    store.present(&reply)?;
    let written: Written = reply.data()?;
    let mut all = marked.clone();
    all.extend(marks.iter().map(|(name, value)| (name.clone(), value.clone())));
    if all != marked {
        mark(store, path, &all).await?;
    }
    Ok(Revision::At(written.version.to_string()))
}

/// Takes our mark away from a secret that somebody else was faster to write, but only while the marks are exactly as we left them:
/// others that were set meanwhile tell that the faster one was one of us, and the mark is theirs as well.
async fn take_back(store: &VaultStore, path: &KvPath, theirs: &Marks, marked: &Marks) -> Result<(), Cause> {
    if marks(store, path).await? == *marked { mark(store, path, theirs).await } else { Ok(()) }
}

/// Removes all versions and the metadata. Vault has no check-and-set for that, so `expected` is checked just before.
pub(super) async fn delete(store: &VaultStore, path: &KvPath, expected: &Revision) -> Result<(), Cause> {
    let Some(metadata) = metadata(store, path).await? else {
        return Ok(());
    };
    if !still(expected, metadata.current_version) {
        return Err(Refusal::Conflict.into());
    }
    // One call: it takes the data with it, so there is no half of it that could fail.
    let reply = store.connection.call(Method::DELETE, &path.metadata(), &[], None).await?;
    if reply.absent {
        more_than_missing(&reply.body).map_or(Ok(()), |refusal| Err(refusal.into()))
    } else {
        Ok(())
    }
}

/// The marks of a secret; none when it does not exist.
pub(super) async fn marks(store: &VaultStore, path: &KvPath) -> Result<Marks, Cause> {
    Ok(metadata(store, path).await?.and_then(|metadata| metadata.custom_metadata).unwrap_or_default())
}

#[derive(serde::Deserialize)]
struct Written {
    version: u64,
}

fn still(expected: &Revision, current: u64) -> bool {
    match expected {
        Revision::Unsupported => true,
        Revision::Absent => current == 0,
        Revision::At(version) => *version == current.to_string(),
    }
}

async fn metadata(store: &VaultStore, path: &KvPath) -> Result<Option<Metadata>, Cause> {
    let reply = store.connection.call(Method::GET, &path.metadata(), &[], None).await?;
    if reply.absent {
        return more_than_missing(&reply.body).map_or(Ok(None), |refusal| Err(refusal.into()));
    }
    Ok(Some(reply.data()?))
}

async fn mark(store: &VaultStore, path: &KvPath, marks: &Marks) -> Result<(), Cause> {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        custom_metadata: &'a Marks,
    }
    let body = document::encode(&Body { custom_metadata: marks }, 0)?;
    let reply = store.connection.call(Method::POST, &path.metadata(), &[], Some(body)).await?;
    Ok(store.present(&reply)?)
}
