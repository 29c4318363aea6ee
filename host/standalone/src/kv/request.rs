//! From HTTP to what is asked: the operation, the decoded path, the query and the body.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use secrecy::SecretString;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::KvError;
use super::field::{self, Fields};
use super::json;
use super::sensitive::Sensitive;

const MERGE_PATCH: &str = "application/merge-patch+json";
const WRAP: &str = "x-vault-wrap-ttl";

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
pub(super) struct Call {
    pub(super) operation: Operation,
    /// Below `/v1/`, decoded; with a slash at its end for a list.
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) body: Sensitive,
    /// The same as text, with its numbers as they were written.
    pub(super) text: Zeroizing<Vec<u8>>,
    pub(super) token: SecretString,
}

impl Call {
    /// Reads a request whose path is below `/v1/`.
    pub(super) fn parse(head: &Parts, path: &str, body: &[u8]) -> Result<Self, KvError> {
        let mut query = parameters(head.uri.query().unwrap_or_default());
        let mut path = path.to_owned();
        let operation = match head.method.as_str() {
            "GET" => match query.iter().find(|(name, _)| name == "list") {
                Some((_, list)) if list_is_asked(list)? => Operation::List,
                _ => Operation::Read,
            },
            "LIST" => Operation::List,
            "POST" | "PUT" => Operation::Write,
            "PATCH" => Operation::Patch,
            "DELETE" => Operation::Delete,
            "HEAD" | "OPTIONS" => return Err(KvError::Unsupported),
            _ => return Err(KvError::Method),
        };
        if operation == Operation::List {
            query.retain(|(name, _)| name != "list");
        }
        if wraps(head) {
            return Err(KvError::invalid("response wrapping is not offered here"));
        }
        if operation == Operation::List && !path.ends_with('/') {
            path.push('/');
        }
        if matches!(operation, Operation::Write | Operation::Patch) && path.ends_with('/') {
            return Err(KvError::invalid("cannot write to a path ending in '/'"));
        }
        let (body, text) = match operation {
            Operation::Write => written(head, body)?,
            Operation::Patch => patched(head, body)?,
            Operation::Read | Operation::List | Operation::Delete => Default::default(),
        };
        Ok(Self { operation, path, query, body, text, token: token(head) })
    }

    /// The fields of the body; `validates` as Vault does before it looks for the secret.
    pub(super) fn fields(&self, validates: bool) -> Fields<'_> {
        Fields::new(self.body.fields(), validates)
    }

    /// A parameter of the query that is a whole number; 0 when it is absent.
    pub(super) fn number(&self, name: &str) -> Result<i64, KvError> {
        let Some((_, text)) = self.query.iter().find(|(found, _)| found == name) else {
            return Ok(0);
        };
        let given = Map::from_iter([(name.to_owned(), Value::from(text.as_str()))]);
        Ok(Fields::new(&given, true).whole(name)?.unwrap_or_default())
    }

    /// A warning about what was sent and means nothing there.
    pub(super) fn ignored(&self, known: &[&str]) -> Option<String> {
        let sent = self.body.fields().keys().chain(self.query_of_a_read().map(|(name, _)| name));
        let mut names: Vec<&str> = sent.map(String::as_str).filter(|name| !known.contains(name)).collect();
        names.sort_unstable();
        (!names.is_empty())
            .then(|| format!("Endpoint ignored these unrecognized parameters: [{}]", names.join(" ")))
    }

    /// Only reads have one.
    fn query_of_a_read(&self) -> impl Iterator<Item = &(String, String)> {
        let reads = matches!(self.operation, Operation::Read | Operation::List);
        self.query.iter().filter(move |_| reads)
    }
}

fn list_is_asked(text: &str) -> Result<bool, KvError> {
    if text.is_empty() { Ok(false) } else { field::parse_truth(text).ok_or_else(|| KvError::invalid("")) }
}

/// Whether the answer is to be handed out for a token of its own.
fn wraps(head: &Parts) -> bool {
    head.headers.get(WRAP).is_some_and(|ttl| !matches!(ttl.as_bytes(), b"" | b"0" | b"0s"))
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

type Body = (Sensitive, Zeroizing<Vec<u8>>);

/// JSON, or a form; curl calls JSON a form too.
fn written(head: &Parts, body: &[u8]) -> Result<Body, KvError> {
    let start = body.trim_ascii_start().first();
    if content_type(head) == "application/x-www-form-urlencoded" && start.is_some_and(|first| *first != b'{')
    {
        let text = std::str::from_utf8(body).map_err(|_| KvError::invalid("error parsing form data"))?;
        let fields = parameters(text).into_iter().map(|(name, value)| (name, Value::from(value)));
        let fields = Sensitive::new(fields.collect());
        let text =
            serde_json::to_vec(fields.fields()).map_err(|_| KvError::invalid("error parsing form data"))?;
        return Ok((fields, text.into()));
    }
    parsed(body)
}

fn patched(head: &Parts, body: &[u8]) -> Result<Body, KvError> {
    match content_type(head).as_str() {
        MERGE_PATCH => parsed(body),
        "" => Err(KvError::invalid("mime: no media type")),
        other => Err(KvError::MediaType(other.to_owned())),
    }
}

fn parsed(body: &[u8]) -> Result<Body, KvError> {
    if body.trim_ascii().is_empty() {
        return Ok(Default::default());
    }
    let wrong = || KvError::invalid("error parsing JSON");
    let text = json::object(body).ok_or_else(wrong)?;
    let fields = serde_json::from_slice(&text).map_err(|_| wrong())?;
    Ok((Sensitive::new(fields), text))
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
