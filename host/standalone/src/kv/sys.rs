//! What clients ask of the server itself: is it well, what is mounted, what may my token do.

use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::error::KvError;
use super::reply::{Reply, Shown};
use super::request::{Call, Operation};
use super::{Kv, KvVersion, Mount};

/// The release whose behaviour is followed.
const VERSION: &str = "1.13.1+keymill";
/// That of its KV engine.
const ENGINE: &str = "v0.14.2+builtin";
const CLUSTER: &str = "keymill-standalone";

/// Answers that need no token.
pub(super) fn public(kv: &Kv, method: &Method, path: &str) -> Option<Result<Reply, KvError>> {
    let document = match path {
        "sys/health" => health(kv),
        "sys/seal-status" => seal_status(),
        "sys/leader" => leader(),
        "sys/init" => json!({"initialized": true}),
        _ => return None,
    };
    let read = method == Method::GET || method == Method::HEAD;
    Some(if read { Ok(Reply::Plain(document)) } else { Err(KvError::Method) })
}

/// Answers that need a token; `None` for paths of the mounts.
pub(super) fn guarded(kv: &Kv, call: &Call) -> Option<Result<Reply, KvError>> {
    let path = call.path.as_str();
    if let Some(path) = path.strip_prefix("sys/internal/ui/mounts/") {
        return Some(only(call, &[Operation::Read]).and_then(|()| mount(kv, path)));
    }
    let answered = match path {
        "sys/internal/ui/mounts" => {
            only(call, &[Operation::Read]).map(|()| Reply::data(json!({"auth": {}, "secret": mounts(kv)})))
        }
        "sys/mounts" => only(call, &[Operation::Read])
            .map(|()| Reply::Data(Shown { flat: true, ..Shown::from(mounts(kv)) })),
        "sys/capabilities-self" => only(call, &[Operation::Write]).and_then(|()| capabilities(call)),
        "auth/token/lookup-self" => {
            only(call, &[Operation::Read, Operation::Write]).map(|()| Reply::data(token(kv, call)))
        }
        // A token without a lease cannot be renewed.
        "auth/token/renew-self" => {
            only(call, &[Operation::Write]).and_then(|()| Err(KvError::invalid("lease is not renewable")))
        }
        "auth/token/revoke-self" => only(call, &[Operation::Write]).map(|()| {
            kv.revoke(call.token.expose_secret());
            Reply::Done
        }),
        path if path.starts_with("sys/") || path.starts_with("auth/token/") => Err(KvError::NoPath),
        path if path.starts_with("auth/") => Err(KvError::NoRoute(path.to_owned())),
        _ => return None,
    };
    Some(answered)
}

fn only(call: &Call, operations: &[Operation]) -> Result<(), KvError> {
    if operations.contains(&call.operation) { Ok(()) } else { Err(KvError::Unsupported) }
}

fn health(kv: &Kv) -> Value {
    json!({
        "initialized": true,
        "sealed": false,
        "standby": false,
        "performance_standby": false,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": kv.inner.clock.now().as_second(),
        "version": VERSION,
        "cluster_name": CLUSTER,
        "cluster_id": identifier(CLUSTER),
    })
}

fn seal_status() -> Value {
    json!({
        "type": "shamir",
        "initialized": true,
        "sealed": false,
        "t": 1,
        "n": 1,
        "progress": 0,
        "nonce": "",
        "version": VERSION,
        "build_date": "",
        "migration": false,
        "cluster_name": CLUSTER,
        "cluster_id": identifier(CLUSTER),
        "recovery_seal": false,
        "storage_type": "keymill",
    })
}

/// There is one server, and it leads nobody.
fn leader() -> Value {
    json!({
        "ha_enabled": false,
        "is_self": false,
        "active_time": "0001-01-01T00:00:00Z",
        "leader_address": "",
        "leader_cluster_address": "",
        "performance_standby": false,
        "performance_standby_last_remote_wal": 0,
    })
}

fn mounts(kv: &Kv) -> Value {
    let config = kv.config();
    let entries =
        config.mounts.iter().map(|mount| (format!("{}/", mount.path), Value::Object(described(mount))));
    Value::Object(entries.collect())
}

/// The mount of a path, for clients that want to know which version of KV they talk to.
fn mount(kv: &Kv, path: &str) -> Result<Reply, KvError> {
    let path = path.trim_matches('/');
    let below = kv.mount(&format!("{path}/")).map(|(mount, _)| mount);
    let Some(mount) = below else {
        return Err(KvError::Preflight(path.to_owned()));
    };
    let mut data = described(&mount);
    data.insert("path".to_owned(), json!(format!("{}/", mount.path)));
    Ok(Reply::data(Value::Object(data)))
}

fn described(mount: &Mount) -> Map<String, Value> {
    let version = match mount.version {
        KvVersion::V1 => "1",
        KvVersion::V2 => "2",
    };
    let id = identifier(&mount.path);
    let accessor = format!("kv_{}", id.get(..8).unwrap_or_default());
    let described = json!({
        "accessor": accessor,
        "config": {"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0},
        "deprecation_status": "supported",
        "description": "",
        "external_entropy_access": false,
        "local": false,
        "options": {"version": version},
        "plugin_version": "",
        "running_plugin_version": ENGINE,
        "running_sha256": "",
        "seal_wrap": false,
        "type": "kv",
        "uuid": id,
    });
    match described {
        Value::Object(described) => described,
        _ => Map::new(),
    }
}

fn capabilities(call: &Call) -> Result<Reply, KvError> {
    let paths = call.body.fields().get("paths").or_else(|| call.body.fields().get("path"));
    let paths: Vec<String> = match paths {
        Some(Value::String(path)) => vec![path.clone()],
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if paths.is_empty() {
        return Err(KvError::invalid("paths must be supplied"));
    }
    let mut data: Map<String, Value> = paths.iter().map(|path| (path.clone(), json!(["root"]))).collect();
    if paths.len() == 1 {
        data.insert("capabilities".to_owned(), json!(["root"]));
    }
    Ok(Reply::Data(Shown { flat: true, ..Shown::from(Value::Object(data)) }))
}

/// What Vault says of a root token that was asked for by its text, as in dev mode.
fn token(kv: &Kv, call: &Call) -> Value {
    let accessor: String = identifier(&format!("accessor {}", call.token.expose_secret()))
        .replace('-', "")
        .chars()
        .take(24)
        .collect();
    json!({
        "accessor": accessor,
        "creation_time": kv.inner.since.as_second(),
        "creation_ttl": 0,
        "display_name": "token",
        "entity_id": "",
        "expire_time": null,
        "explicit_max_ttl": 0,
        "id": call.token.expose_secret(),
        "issue_time": kv.inner.since.to_string(),
        "meta": null,
        "num_uses": 0,
        "orphan": true,
        "path": "auth/token/create",
        "policies": ["root"],
        "renewable": false,
        "ttl": 0,
        "type": "service",
    })
}

/// A UUID that is always the same for a name.
fn identifier(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let bytes = digest.get(..16).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
