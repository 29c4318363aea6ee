//! What all stores share: connections, logins, gates, and the pushed data of fake stores.
//!
//! Stores are opened for each refresh and dropped after it; what is dear (a TLS handshake, a login, a minted token) lives
//! here between them. Nothing of it is global: two `Clients` know nothing of each other.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use sha2::{Digest as _, Sha256};

use crate::StoreId;
use crate::fake::Pushed;
use crate::gate::Gate;
use crate::http::{Addresses, Http, HttpError};
use crate::kubernetes::KubeSession;
use crate::shared::Shared;
use crate::tls::Tls;
use crate::vault::Session;

/// The shared part of all stores of one process.
pub struct Clients {
    addresses: RwLock<Addresses>,
    http: Shared<[u8; 32], Http>,
    gates: Shared<String, Gate>,
    vault: Shared<[u8; 32], Session>,
    kubernetes: Shared<[u8; 32], KubeSession>,
    /// Kept until the store is forgotten: it is data, no cache.
    fakes: Mutex<HashMap<StoreId, Arc<Pushed>>>,
}

impl Clients {
    /// `addresses` says by `host:port` where to connect instead of what DNS says; the host is written in lower case.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        Self {
            addresses: RwLock::new(addresses),
            http: Shared::new(),
            gates: Shared::new(),
            vault: Shared::new(),
            kubernetes: Shared::new(),
            fakes: Mutex::default(),
        }
    }

    /// Gives all tokens back. For a stop in good order; bound it in time, a server may be down.
    pub async fn close(&self) {
        futures::future::join_all(self.vault.drain().iter().map(|session| session.close())).await;
    }

    /// Drops what was pushed to a fake store that is gone.
    pub fn forget(&self, store: &StoreId) {
        self.fakes.lock().unwrap_or_else(PoisonError::into_inner).remove(store);
    }

    /// Replaces the map of addresses. Connections that were made before stay where they are.
    pub fn set_addresses(&self, addresses: Addresses) {
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    pub(crate) fn addresses(&self) -> RwLockReadGuard<'_, Addresses> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn http(&self, server: &str, tls: &Tls) -> Result<Arc<Http>, HttpError> {
        let mut hash = Sha256::new();
        hash.update(server.len().to_be_bytes());
        hash.update(server);
        tls.digest(&mut hash);
        let key = hash.finalize().into();
        self.http.get_or_try_insert(key, || Http::new(server, tls, &self.addresses()).map(Arc::new))
    }

    pub(crate) fn gate(&self, server: &str) -> Arc<Gate> {
        self.gates.get_or_insert(server.to_owned(), Gate::new)
    }

    pub(crate) fn vault_session<E>(
        &self,
        key: [u8; 32],
        make: impl FnOnce() -> Result<Arc<Session>, E>,
    ) -> Result<Arc<Session>, E> {
        self.vault.get_or_try_insert(key, make)
    }

    pub(crate) fn kube_session(
        &self,
        key: [u8; 32],
        make: impl FnOnce() -> Arc<KubeSession>,
    ) -> Arc<KubeSession> {
        self.kubernetes.get_or_insert(key, make)
    }

    pub(crate) fn pushed(&self, store: &StoreId) -> Arc<Pushed> {
        let mut fakes = self.fakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(fakes.entry(store.clone()).or_insert_with(Pushed::new))
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fakes = self.fakes.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Clients")
            .field("addresses", &*self.addresses())
            .field("fakes", &fakes)
            .finish_non_exhaustive()
    }
}
