//! Our Vault store against servers, through its public port: what is asked of it is what the pipeline asks.
//!
//! `keys` runs on both servers. Logins, tokens that end, seals and certificates are the real one's alone.

mod between;
mod cluster;
mod keys;
mod life;
mod logins;
mod outages;
mod slapd;
mod trust;

use std::sync::Arc;

use pipeline::{BoxFailure, Document, Found, ReadOptions, SecretStore, Value};
use serde_json::{Value as Json, json};
use stores::{Clients, ConnectError, StoreId, connect};

use cluster::Cluster;

/// Opens the store of that provider for a consumer in its own namespace.
async fn open(
    provider: Json,
    cluster: &Arc<Cluster>,
    clients: &Clients,
) -> Result<Arc<dyn SecretStore>, ConnectError> {
    let spec = serde_json::from_value(provider).unwrap();
    let id = StoreId { namespace: Some("app".to_owned()), name: "store".to_owned(), uid: "u".to_owned() };
    connect(&spec, &id, Some("app"), &cluster.ports(), clients).await
}

/// A store on that server with these fields of its spec, and these Secrets to refer to, in `app`.
async fn store(server: &str, fields: Json, cluster: &Arc<Cluster>) -> Arc<dyn SecretStore> {
    open(vault(server, fields), cluster, &Clients::new(Default::default())).await.unwrap()
}

fn vault(server: &str, mut fields: Json) -> Json {
    fields["server"] = server.into();
    json!({"vault": fields})
}

/// A reference to a key of the Secret `creds`.
fn creds(key: &str) -> Json {
    json!({"name": "creds", "key": key})
}

async fn read(store: &Arc<dyn SecretStore>, key: &str) -> Result<Option<String>, BoxFailure> {
    Ok(shown(store.read(key, &ReadOptions::default()).await?))
}

fn shown(found: Found<Document>) -> Option<String> {
    match found {
        Found::Found(Document::Json(text)) => Some(String::from_utf8(text.expose().to_vec()).unwrap()),
        Found::Found(other) => panic!("Vault has JSON only: {other:?}"),
        Found::Missing => None,
    }
}

fn document(text: &str) -> Document {
    Document::Json(Value::from(text))
}
