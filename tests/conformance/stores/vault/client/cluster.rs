//! What a store refers to: Secrets of the namespace `app`, and somebody who mints ServiceAccount tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipeline::{BoxFailure, Fields, Found, MintToken, ReadSecret, TokenRequest, Value};
use stores::Ports;

/// Secrets and ConfigMaps by name, and who mints.
pub(super) struct Cluster {
    objects: Mutex<BTreeMap<String, Fields>>,
    mint: Box<dyn Fn(&TokenRequest) -> String + Send + Sync>,
}

impl Cluster {
    /// With the Secret `creds`.
    pub(super) fn with(creds: &[(&str, &str)]) -> Arc<Self> {
        Self::minting(creds, |_| panic!("nobody asks for a token"))
    }

    pub(super) fn minting(
        creds: &[(&str, &str)],
        mint: impl Fn(&TokenRequest) -> String + Send + Sync + 'static,
    ) -> Arc<Self> {
        let cluster = Self { objects: Mutex::default(), mint: Box::new(mint) };
        cluster.set(creds);
        Arc::new(cluster)
    }

    /// Replaces the Secret `creds`.
    pub(super) fn set(&self, creds: &[(&str, &str)]) {
        let fields = creds.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text)));
        self.objects.lock().unwrap().insert("creds".to_owned(), fields.collect());
    }

    pub(super) fn ports(self: &Arc<Self>) -> Ports {
        Ports { secrets: self.clone(), tokens: self.clone() }
    }

    fn get(&self, namespace: &str, name: &str) -> Found<Fields> {
        let found = self.objects.lock().unwrap().get(name).cloned();
        found.filter(|_| namespace == "app").map_or(Found::Missing, Found::Found)
    }
}

#[async_trait]
impl ReadSecret for Cluster {
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.get(namespace, name))
    }

    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure> {
        Ok(self.get(namespace, name))
    }
}

#[async_trait]
impl MintToken for Cluster {
    async fn mint(&self, request: &TokenRequest) -> Result<Value, BoxFailure> {
        Ok(Value::from((self.mint)(request)))
    }
}
