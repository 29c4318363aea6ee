//! Values from stores.

use std::collections::BTreeMap;

use api::external_secret::DeletionPolicy;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::renaming::rename;
use super::{GatherError, MissingRemote, Sources};
use crate::field::Fields;
use crate::meta::Meta;
use crate::ports::{Document, Found, ListQuery, StoreHandle};
use crate::shape::{self, ShapeError};
use crate::spec::{CheckedSpec, Reading, Remote, Rewrite, Source, StoreName};

/// Reads under way at once for one object.
const READS_MAX: usize = 8;

/// What the stores gave, one for each source in its order; a generator's place is empty.
#[derive(Debug, Default)]
pub(super) struct FromStores {
    pub(super) fields: Vec<Fields>,
    pub(super) missing: Vec<MissingRemote>,
}

/// Reads everything that comes from stores.
pub(super) async fn read(
    sources: &Sources,
    spec: &CheckedSpec,
    meta: &Meta,
    now: Timestamp,
) -> Result<FromStores, GatherError> {
    let stores = open(sources, spec, meta).await?;
    let reader = Reader { sources, meta, stores: &stores, now };
    let reads: Vec<_> = spec.sources.iter().map(|source| reader.read(source)).collect();
    let results: Vec<Found<Fields>> = stream::iter(reads).buffered(READS_MAX).try_collect().await?;
    let mut from = FromStores::default();
    for (source, result) in spec.sources.iter().zip(results) {
        from.fields.push(match result {
            Found::Found(fields) => fields,
            Found::Missing => {
                from.missing.extend(missing(source, spec.target.deletion)?);
                Fields::new()
            }
        });
    }
    Ok(from)
}

/// Each store once.
async fn open(
    sources: &Sources,
    spec: &CheckedSpec,
    meta: &Meta,
) -> Result<BTreeMap<StoreName, StoreHandle>, GatherError> {
    let mut stores = BTreeMap::new();
    for store in spec.stores() {
        if !stores.contains_key(store) {
            let opened = sources.stores.open(&meta.namespace, &store.kind, &store.name).await;
            let opened = opened.map_err(|source| GatherError::Open { store: store.clone(), source })?;
            stores.insert(store.clone(), opened);
        }
    }
    Ok(stores)
}

/// Says what is missing, unless the policy is to fail.
fn missing(source: &Source, policy: DeletionPolicy) -> Result<Option<MissingRemote>, GatherError> {
    let (store, key) = match source {
        Source::Data { store, remote, .. } | Source::Extract { store, remote, .. } => {
            (store.clone(), remote.key.clone())
        }
        Source::Find { .. } | Source::Generator { .. } => return Ok(None),
    };
    match policy {
        DeletionPolicy::Retain => Err(GatherError::Missing { store, key }),
        DeletionPolicy::Delete | DeletionPolicy::Merge => Ok(Some(MissingRemote { store, key })),
    }
}

struct Reader<'a> {
    sources: &'a Sources,
    meta: &'a Meta,
    stores: &'a BTreeMap<StoreName, StoreHandle>,
    now: Timestamp,
}

impl Reader<'_> {
    async fn read(&self, source: &Source) -> Result<Found<Fields>, GatherError> {
        match source {
            Source::Data { key, store, remote } => self.data(key, store, remote).await,
            Source::Extract { store, remote, rewrite } => self.extract(store, remote, rewrite).await,
            Source::Find { store, query, reading, rewrite } => {
                self.find(store, query, *reading, rewrite).await
            }
            Source::Generator { .. } => Ok(Found::Found(Fields::new())),
        }
    }

    async fn data(
        &self,
        key: &str,
        store: &StoreName,
        remote: &Remote,
    ) -> Result<Found<Fields>, GatherError> {
        let Found::Found(document) = self.document(store, remote).await? else {
            return Ok(Found::Missing);
        };
        let shape = |document: &Document| {
            let value = match &remote.property {
                Some(property) => shape::property_value(document, property)?,
                None => shape::whole(document),
            };
            let value = shape::decode(key, value, remote.reading.decoding)?;
            shape::check_null_bytes(key, &value, remote.reading.null_bytes)?;
            Ok(value)
        };
        let value = shape(&document).map_err(|source| failed(&remote.key, store, source))?;
        Ok(Found::Found([(key.to_owned(), value)].into()))
    }

    async fn extract(
        &self,
        store: &StoreName,
        remote: &Remote,
        rewrite: &[Rewrite],
    ) -> Result<Found<Fields>, GatherError> {
        let Found::Found(document) = self.document(store, remote).await? else {
            return Ok(Found::Missing);
        };
        let failed = |source| failed(&remote.key, store, source);
        let fields = shape::entries(&document, remote.property.as_deref()).map_err(failed)?;
        self.shape(fields, remote.reading, rewrite).await.map(Found::Found).map_err(failed)
    }

    async fn find(
        &self,
        store: &StoreName,
        query: &ListQuery,
        reading: Reading,
        rewrite: &[Rewrite],
    ) -> Result<Found<Fields>, GatherError> {
        let listed = match self.stores.get(store) {
            Some(handle) => handle.store.list(query).await,
            None => Ok(Vec::new()),
        };
        let listed = listed.map_err(|source| GatherError::List { store: store.clone(), source })?;
        let fields = listed.into_iter().map(|listed| (listed.key, shape::whole(&listed.document))).collect();
        let shaped = self.shape(fields, reading, rewrite).await;
        shaped.map(Found::Found).map_err(|source| failed("what was found", store, source))
    }

    /// Rewrites or else converts keys, then decodes values.
    async fn shape(
        &self,
        fields: Fields,
        reading: Reading,
        rewrite: &[Rewrite],
    ) -> Result<Fields, ShapeError> {
        let fields = if rewrite.is_empty() {
            shape::convert(fields, reading.conversion)?
        } else {
            rename(self.sources.engine.as_ref(), self.meta, self.now, fields, rewrite).await?
        };
        let mut decoded = Fields::new();
        for (key, value) in shape::check_keys(fields)? {
            let value = shape::decode(&key, value, reading.decoding)?;
            shape::check_null_bytes(&key, &value, reading.null_bytes)?;
            decoded.insert(key, value);
        }
        Ok(decoded)
    }

    async fn document(&self, store: &StoreName, remote: &Remote) -> Result<Found<Document>, GatherError> {
        let Some(handle) = self.stores.get(store) else {
            return Ok(Found::Missing);
        };
        let read = handle.store.read(&remote.key, &remote.options).await;
        read.map_err(|source| GatherError::Read { store: store.clone(), key: remote.key.clone(), source })
    }
}

fn failed(key: &str, store: &StoreName, source: ShapeError) -> GatherError {
    GatherError::Shape { what: format!("{key} of {store}"), source }
}
