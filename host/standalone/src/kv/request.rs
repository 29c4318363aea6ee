//! From HTTP to what is asked: the operation, the decoded path, the query and the body.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::error::KvError;
use super::sensitive::Sensitive;

const MERGE_PATCH: &str = "application/merge-patch+json";

/// What is to be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    List,
    Write,
    Patch,
    Delete,
}

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// Below `/v1/`, decoded; with a slash at its end for a list.
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) body: Sensitive,
    pub(super) token: SecretString,
}

impl Call {
    /// Reads a request whose path is below `/v1/`.
    pub(super) fn parse(head: &Parts, path: &str, body: &[u8]) -> Result<Self, KvError> {
        let mut query = parameters(head.uri.query().unwrap_or_default());
        let mut path = path.to_owned();
        let operation = match head.method.as_str() {
            "GET" => match query.iter().find(|(name, _)| name == "list") {
                Some((_, list)) if truth(list).ok_or_else(|| KvError::invalid(""))? => Operation::List,
                _ => Operation::Read,
            },
            "LIST" => Operation::List,
            "POST" | "PUT" => Operation::Write,
            "PATCH" => Operation::Patch,
            "DELETE" => Operation::Delete,
            _ => return Err(KvError::Unsupported),
        };
        query.retain(|(name, _)| name != "list");
        if operation == Operation::List && !path.ends_with('/') {
            path.push('/');
        }
        if matches!(operation, Operation::Write | Operation::Patch) && path.ends_with('/') {
            return Err(KvError::invalid("cannot write to a path ending in '/'"));
        }
        let body = match operation {
            Operation::Write => written(head, body)?,
            Operation::Patch => patched(head, body)?,
            Operation::Read | Operation::List | Operation::Delete => Sensitive::default(),
        };
        Ok(Self { operation, path, query, body, token: token(head) })
    }

    /// A parameter of the query that is a whole number; 0 when it is absent.
    pub(super) fn number(&self, name: &str) -> Result<u64, KvError> {
        match self.query.iter().find(|(found, _)| found == name) {
            None => Ok(0),
            Some((_, text)) if text.is_empty() => Ok(0),
            Some((_, text)) => text.parse().or_else(|_| match text.parse::<i64>() {
                // Numbers below zero ask for nothing in particular.
                Ok(_) => Ok(0),
                Err(_) => Err(KvError::field(name)),
            }),
        }
    }
}

fn token(head: &Parts) -> SecretString {
    let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    let own = head.headers.get("x-vault-token").map(text).filter(|token| !token.is_empty());
    let bearer = || {
        let values = head.headers.get_all(AUTHORIZATION).iter().map(text);
        values
            .into_iter()
            .find_map(|value| value.strip_prefix("Bearer ").map(|token| token.trim().to_owned()))
    };
    SecretString::from(own.or_else(bearer).unwrap_or_default())
}

fn content_type(head: &Parts) -> String {
    let value = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// JSON, or a form; curl calls JSON a form too.
fn written(head: &Parts, body: &[u8]) -> Result<Sensitive, KvError> {
    let start = body.trim_ascii_start().first();
    if content_type(head) == "application/x-www-form-urlencoded" && start.is_some_and(|first| *first != b'{')
    {
        let text = std::str::from_utf8(body).map_err(|_| KvError::invalid("error parsing form data"))?;
        return Ok(Sensitive::new(
            parameters(text).into_iter().map(|(name, value)| (name, Value::from(value))).collect(),
        ));
    }
    json(body)
}

fn patched(head: &Parts, body: &[u8]) -> Result<Sensitive, KvError> {
    match content_type(head).as_str() {
        MERGE_PATCH => json(body),
        "" => Err(KvError::invalid("mime: no media type")),
        other => Err(KvError::MediaType(other.to_owned())),
    }
}

fn json(body: &[u8]) -> Result<Sensitive, KvError> {
    if body.trim_ascii().is_empty() {
        return Ok(Sensitive::default());
    }
    let parsed = serde_json::from_slice::<Option<Map<String, Value>>>(body);
    let fields = parsed.map_err(|_| KvError::invalid("error parsing JSON"))?;
    Ok(Sensitive::new(fields.unwrap_or_default()))
}

fn parameters(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |part: &str| decode(&part.replace('+', " "));
            Some((plain(name)?, plain(value)?))
        })
        .collect()
}

/// Percent-decoding; `None` for what is no escape or no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            bytes.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
