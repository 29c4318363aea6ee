//! Secrets: the syntax of their keys, and the keys that their type needs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::cause::{Cause, Path};
use super::super::name;

pub(super) fn validate(secret: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let empty = Map::new();
    let data = secret.get("data").and_then(Value::as_object).unwrap_or(&empty);
    let at = Path::Child(&Path::Root, "data");
    for key in data.keys() {
        causes.extend(
            name::data_key(key)
                .iter()
                .map(|problem| Cause::invalid(at.key(key), &Value::from(key.as_str()), problem)),
        );
    }
    check_kind(secret.get("type").and_then(Value::as_str).unwrap_or_default(), data, secret, &mut causes);
    causes
}

fn check_kind(kind: &str, data: &Map<String, Value>, secret: &Value, causes: &mut Vec<Cause>) {
    let at = Path::Child(&Path::Root, "data");
    let missing = |key: &str| !data.contains_key(key);
    let mut require = |key: &str| causes.push(Cause::required(at.key(key), ""));
    match kind {
        "kubernetes.io/basic-auth" if missing("username") && missing("password") => {
            ["username", "password"].into_iter().for_each(require)
        }
        "kubernetes.io/ssh-auth"
            if data.get("ssh-privatekey").and_then(Value::as_str).is_none_or(str::is_empty) =>
        {
            require("ssh-privatekey")
        }
        "kubernetes.io/tls" => {
            ["tls.crt", "tls.key"].into_iter().filter(|key| missing(key)).for_each(require)
        }
        "kubernetes.io/dockercfg" => json(".dockercfg", data, causes),
        "kubernetes.io/dockerconfigjson" => json(".dockerconfigjson", data, causes),
        "kubernetes.io/service-account-token" => {
            let annotation = "kubernetes.io/service-account.name";
            let account = secret
                .pointer("/metadata/annotations")
                .and_then(|annotations| annotations.get(annotation))
                .and_then(Value::as_str);
            if account.is_none_or(str::is_empty) {
                causes.push(Cause::required(format!("metadata.annotations[{annotation}]"), ""));
            }
        }
        _ => {}
    }
}

/// The key must hold a JSON object; what is wrong with it is said by position only.
fn json(key: &str, data: &Map<String, Value>, causes: &mut Vec<Cause>) {
    let at = Path::Child(&Path::Root, "data");
    let Some(value) = data.get(key) else {
        causes.push(Cause::required(at.key(key), ""));
        return;
    };
    let parsed = decode(value).map(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes));
    if !matches!(parsed, Some(Ok(_))) {
        causes.push(Cause::redacted(at.key(key), "must be a JSON object"));
    }
}

fn decode(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(value.as_str()?).ok().map(Zeroizing::new)
}
