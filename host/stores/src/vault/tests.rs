//! The store against a server that answers from a script: what is sent, and what each answer means.

mod engines;
mod logins;
mod wire;

use std::sync::Arc;

use pipeline::{BoxFailure, Found, ReadOptions, SecretStore, Value};
use serde_json::json;

use super::*;
use crate::Clients;
use crate::fixture::{Answer, Cluster, Server, open};

const NOTHING: &str = r#"{"errors":[]}"#;
const DENIED: &str = r#"{"errors":["permission denied"]}"#;

/// The store `secret` of that version on that server, with the token `s.token`.
async fn store(server: &Server, version: &str) -> Arc<dyn SecretStore> {
    let auth = json!({"tokenSecretRef": {"name": "creds", "key": "token"}});
    store_with(server, json!({"path": "secret", "version": version, "auth": auth})).await
}

/// With those fields of the spec.
async fn store_with(server: &Server, mut fields: serde_json::Value) -> Arc<dyn SecretStore> {
    let cluster = Cluster::of(&[(
        "app/creds",
        &[("token", "s.token\n"), ("id", "role-1"), ("secret", "sid\n"), ("pw", "pw \n")],
    )]);
    fields["server"] = server.url().into();
    open(json!({"vault": fields}), &cluster, &Clients::new(Default::default()))
        .await
        .expect("the store opens")
}

fn answers(script: &[(&'static str, u16, &str)]) -> Vec<(&'static str, Answer)> {
    script.iter().map(|(line, status, body)| (*line, Answer::new(*status, body))).collect()
}

async fn read(store: &Arc<dyn SecretStore>, key: &str) -> Result<Option<String>, BoxFailure> {
    Ok(shown(store.read(key, &ReadOptions::default()).await?))
}

fn shown(found: Found<Document>) -> Option<String> {
    match found {
        Found::Found(Document::Json(text)) => Some(String::from_utf8_lossy(text.expose()).into_owned()),
        Found::Found(other) => Some(format!("{other:?}")),
        Found::Missing => None,
    }
}

/// Everything that could be printed of an error.
fn printed(failure: &BoxFailure) -> String {
    let mut text = format!("{failure} {failure:?}");
    let mut source = failure.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

fn json_document(text: &str) -> Document {
    Document::Json(Value::from(text))
}

fn marks(pairs: &[(&str, &str)]) -> Marks {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
