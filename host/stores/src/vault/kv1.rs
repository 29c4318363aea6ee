//! KV version 1: one value per path, no versions, no metadata, no check-and-set.
//!
//! The mark `managed-by` is kept as ESO keeps it: in an object `custom_metadata` inside the secret. Whoever reads the secret sees it, so
//! no other mark is added: what is read changes only when the values do.

use pipeline::{Document, Found, Marks, Remote, Revision};
use reqwest::Method;

use super::path::KvPath;
use super::refusal::{Refusal, more_than_missing};
use super::request::Reply;
use super::{Cause, MANAGED, MANAGED_BY, VaultStore, document, managed};

/// Reads the secret.
pub(super) async fn read(store: &VaultStore, path: &KvPath) -> Result<Found<Document>, Cause> {
    match get(store, path).await? {
        Some(reply) => Ok(Found::Found(document::document(reply.plain()?)?)),
        None => Ok(Found::Missing),
    }
}

/// What a writer has to know.
pub(super) async fn inspect(store: &VaultStore, path: &KvPath) -> Result<Remote, Cause> {
    let Some(reply) = get(store, path).await? else {
        let marks = Marks::new();
        return Ok(Remote { document: Found::Missing, managed: false, marks, revision: Revision::Absent });
    };
    let (document, marks) = document::split(reply.plain()?)?;
    let managed = managed(&marks);
    Ok(Remote { document: Found::Found(document), managed, marks, revision: Revision::Unsupported })
}

/// Writes the secret with the mark inside. The last writer wins: the engine cannot do better.
pub(super) async fn write(
    store: &VaultStore,
    path: &KvPath,
    document: &Document,
    expected: &Revision,
) -> Result<Revision, Cause> {
    let before = inspect(store, path).await?;
    if *expected == Revision::Absent && before.revision != Revision::Absent {
        return Err(Refusal::Conflict.into());
    }
    let mut all = before.marks;
    all.insert(MANAGED_BY.to_owned(), MANAGED.to_owned());
    let body = document::joined(document, &all)?;
    let reply = store.connection.call(Method::POST, &path.plain(), &[], Some(body)).await?;
    store.present(&reply)?;
    Ok(Revision::Unsupported)
}

/// Removes the secret.
pub(super) async fn delete(store: &VaultStore, path: &KvPath) -> Result<(), Cause> {
    let reply = store.connection.call(Method::DELETE, &path.plain(), &[], None).await?;
    if reply.absent {
        more_than_missing(&reply.body).map_or(Ok(()), |refusal| Err(refusal.into()))
    } else {
        Ok(())
    }
}

async fn get(store: &VaultStore, path: &KvPath) -> Result<Option<Reply>, Cause> {
    let reply = store.connection.call(Method::GET, &path.plain(), &[], None).await?;
    if reply.absent {
        return more_than_missing(&reply.body).map_or(Ok(None), |refusal| Err(refusal.into()));
    }
    Ok(Some(reply))
}
