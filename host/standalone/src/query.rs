//! The query of a request: decoding it, and what its parameters ask for.
//!
//! Unknown parameters are ignored, as Kubernetes does; values that cannot be understood are refused.

use serde_json::Value;

use crate::schema::Cause;
use crate::status::Failure;
use crate::table::IncludeObject;

/// The pairs of a query, decoded, in their order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (decode(name, true), decode(value, true)),
            None => (decode(part, true), String::new()),
        })
        .collect()
}

/// Undoes percent encoding; in a query `+` is a space.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let encoded = (*byte == b'%').then(|| after.split_at_checked(2)).flatten();
        match encoded.and_then(|(digits, after)| Some((hex(digits)?, after))) {
            Some((decoded, after)) => {
                out.push(decoded);
                rest = after;
            }
            None => {
                out.push(if *byte == b'+' && plus_is_space { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// How strictly unknown fields are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// How a list's `resourceVersion` is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionMatch {
    Exact,
    NotOlderThan,
}

/// What the query of a request to a resource asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) dry_run: bool,
    pub(crate) field_manager: String,
    pub(crate) field_validation: FieldValidation,
    pub(crate) force: Option<bool>,
    pub(crate) labels: String,
    pub(crate) fields: String,
    pub(crate) limit: usize,
    pub(crate) resume: String,
    pub(crate) resource_version: String,
    pub(crate) version_match: Option<VersionMatch>,
    pub(crate) watch: bool,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) bookmarks: bool,
    pub(crate) initial_events: Option<bool>,
    pub(crate) propagation: Option<String>,
    pub(crate) include_object: IncludeObject,
    /// What is wrong with the options of a write; it depends on the verb how that is said.
    pub(crate) invalid: Vec<Cause>,
}

impl Options {
    pub(crate) fn parse(query: &str) -> Result<Self, Failure> {
        let mut options = Self::default();
        for (name, value) in pairs(query) {
            options.set(&name, value)?;
        }
        Ok(options)
    }

    /// The version that a list or watch names; `None` where it names none.
    pub(crate) fn version(&self) -> Result<Option<u64>, Failure> {
        if self.resource_version.is_empty() {
            return Ok(None);
        }
        let wrong = |_| {
            Failure::unforeseen(format!(
                "resourceVersion: Invalid value: {:?}: {}",
                self.resource_version,
                unsigned_syntax(&self.resource_version)
            ))
        };
        self.resource_version.parse().map(Some).map_err(wrong)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match name {
            "dryRun" => match value.as_str() {
                "All" => self.dry_run = true,
                _ => self.invalid.push(wrong_dry_run(&[value])),
            },
            "fieldManager" => {
                self.invalid.extend(wrong_manager(&value));
                self.field_manager = value;
            }
            "fieldValidation" => match field_validation(&value) {
                Ok(validation) => self.field_validation = validation,
                Err(cause) => self.invalid.push(cause),
            },
            "force" => self.force = Some(flag(&value)),
            "labelSelector" => self.labels = value,
            "fieldSelector" => self.fields = value,
            // Below zero is no limit, as zero is.
            "limit" => self.limit = usize::try_from(number(&value)?).unwrap_or(0),
            "continue" => self.resume = value,
            "resourceVersion" => self.resource_version = value,
            "resourceVersionMatch" => match version_match(&value) {
                Ok(matched) => self.version_match = matched,
                Err(cause) => self.invalid.push(cause),
            },
            "watch" => self.watch = flag(&value),
            "timeoutSeconds" => self.timeout_seconds = u64::try_from(number(&value)?).ok(),
            "gracePeriodSeconds" => drop(number(&value)?),
            "allowWatchBookmarks" => self.bookmarks = flag(&value),
            "sendInitialEvents" => self.initial_events = Some(flag(&value)),
            "propagationPolicy" => self.propagation = Some(value),
            "includeObject" => self.include_object = include_object(&value)?,
            _ => {}
        }
        Ok(())
    }
}

/// As Kubernetes reads a boolean parameter: there is only one way to say no.
fn flag(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "false" | "0")
}

fn number(value: &str) -> Result<i64, Failure> {
    let wrong = |_| Failure::bad_request(format!("strconv.ParseInt: parsing {value:?}: invalid syntax"));
    value.parse().map_err(wrong)
}

/// What kube-apiserver says of a version that is none.
pub(crate) fn unsigned_syntax(text: &str) -> String {
    format!("strconv.ParseUint: parsing {text:?}: invalid syntax")
}

/// `All` is the only dry run.
pub(crate) fn wrong_dry_run(given: &[String]) -> Cause {
    Cause::not_supported("dryRun", &given.into(), &[Value::from("All")])
}

fn wrong_manager(name: &str) -> Option<Cause> {
    const MOST_BYTES: usize = 128;
    if name.len() > MOST_BYTES {
        return Some(Cause::too_long("fieldManager", MOST_BYTES as u64));
    }
    let (at, character) = name.char_indices().find(|(_, character)| character.is_control())?;
    let why = format!("invalid character U+{:04X} (at position {at})", u32::from(character));
    Some(Cause::invalid("fieldManager", &name.into(), &why))
}

fn field_validation(value: &str) -> Result<FieldValidation, Cause> {
    match value {
        "" | "Warn" => Ok(FieldValidation::Warn),
        "Ignore" => Ok(FieldValidation::Ignore),
        "Strict" => Ok(FieldValidation::Strict),
        other => {
            let supported = ["", "Ignore", "Strict", "Warn"].map(Value::from);
            Err(Cause::not_supported("fieldValidation", &other.into(), &supported))
        }
    }
}

fn include_object(value: &str) -> Result<IncludeObject, Failure> {
    let wrong = || {
        Failure::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {value:?}: must be 'Metadata', 'Object', 'None', or empty"
        ))
    };
    IncludeObject::parse(value).ok_or_else(wrong)
}

fn version_match(value: &str) -> Result<Option<VersionMatch>, Cause> {
    match value {
        "" => Ok(None),
        "Exact" => Ok(Some(VersionMatch::Exact)),
        "NotOlderThan" => Ok(Some(VersionMatch::NotOlderThan)),
        other => {
            let supported = ["Exact", "NotOlderThan", ""].map(Value::from);
            Err(Cause::not_supported("resourceVersionMatch", &other.into(), &supported))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let expected = [("labelSelector", "a in (b,c)"), ("watch", ""), ("x", "50%")];
        let found = pairs("labelSelector=a+in+%28b%2Cc%29&watch&&x=50%");
        assert!(found.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
        assert_eq!(decode("a+b%2Fc", false), "a+b/c");
    }

    #[test]
    fn options_that_are_not_understood_are_refused() {
        for query in ["limit=x", "timeoutSeconds=x", "includeObject=Some"] {
            assert_eq!(Options::parse(query).unwrap_err().code, 400, "{query}");
        }
        for query in
            ["dryRun=Some", "fieldValidation=strict", "fieldManager=a%01", "resourceVersionMatch=Newest"]
        {
            assert_eq!(Options::parse(query).unwrap().invalid.len(), 1, "{query}");
        }
        let options =
            Options::parse("dryRun=All&fieldValidation=&limit=5&watch=1&allowWatchBookmarks=false&unknown=1")
                .unwrap();
        assert!(options.invalid.is_empty() && options.dry_run);
        assert!(options.limit == 5 && options.watch && !options.bookmarks);
    }
}
