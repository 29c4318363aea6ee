//! JSON as it was written, numbers with their digits; only the order of members is lost.
//!
//! What differs from run to run (ids, times, accessors) is replaced by a word for it. Only what has exactly the expected form is
//! replaced: a time that is no time shows.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    /// A number, true, false, null.
    Word(String),
}

/// What surrounds the data in most answers, and what it is when nothing is said.
const ENVELOPE: [(&str, &str); 8] = [
    ("request_id", "\"<id>\""),
    ("lease_id", "\"\""),
    ("renewable", "false"),
    ("lease_duration", "0"),
    ("data", "null"),
    ("wrap_info", "null"),
    ("warnings", "null"),
    ("auth", "null"),
];

/// JSON text without what differs from run to run.
pub(crate) fn normalised(text: &[u8]) -> String {
    Json::parse(text).unwrap().normalised("").to_string()
}

impl Json {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(text).ok()?)
    }

    fn of(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let members = members.into_iter().map(|(name, raw)| Some((name, Self::of(raw)?)));
                Self::Object(members.collect::<Option<_>>()?)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::Array(items.into_iter().map(Self::of).collect::<Option<_>>()?)
            }
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            _ => Self::Word(text.to_owned()),
        })
    }

    /// The part that an RFC 6901 pointer leads to.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
        parts.try_fold(self, |json, part| match json {
            Self::Object(members) => {
                members.iter().find_map(|(name, value)| (*name == part).then_some(value))
            }
            Self::Array(items) => items.get(part.parse::<usize>().ok()?),
            Self::Text(_) | Self::Word(_) => None,
        })
    }

    /// Texts that differ from run to run are replaced, by the member that they are in and by their form.
    pub(super) fn normalised(self, member: &str) -> Self {
        match self {
            Self::Object(members) => {
                let members = members.into_iter().map(|(name, value)| {
                    let value = value.normalised(&name);
                    (name, value)
                });
                let mut members: Vec<_> = members.collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Self::Object(members)
            }
            Self::Array(items) => {
                Self::Array(items.into_iter().map(|item| item.normalised(member)).collect())
            }
            Self::Text(text) => Self::Text(word_for(member, &text).map_or(text, str::to_owned)),
            Self::Word(word) if is_moment(member, &word) => Self::Word("<time>".to_owned()),
            Self::Word(word) => Self::Word(word),
        }
    }

    /// The whole answer; an envelope is told by its name and by what is unusual about it.
    pub(super) fn shown(&self) -> String {
        let Self::Object(members) = self else { return self.to_string() };
        let usual = |name: &str| ENVELOPE.iter().find(|(known, _)| *known == name).map(|(_, usual)| *usual);
        if ENVELOPE.iter().any(|(name, _)| !members.iter().any(|(member, _)| member == name)) {
            return self.to_string();
        }
        let unusual = members.iter().filter(|(name, value)| usual(name) != Some(value.to_string().as_str()));
        format!("reply {}", Self::Object(unusual.cloned().collect()))
    }
}

fn word_for(member: &str, text: &str) -> Option<&'static str> {
    let is_id = uuid::Uuid::parse_str(text).is_ok() && text.len() == 36;
    match member {
        "request_id" | "uuid" | "cluster_id" | "entity_id" if is_id => Some("<id>"),
        "accessor" | "token_accessor" if text.len() >= 8 => Some("<accessor>"),
        "cluster_name" if !text.is_empty() => Some("<cluster>"),
        "build_date" if !text.is_empty() => Some("<date>"),
        _ => text.parse::<jiff::Timestamp>().is_ok_and(|_| text.ends_with('Z')).then_some("<time>"),
    }
}

/// Seconds since 1970 under names that have them.
fn is_moment(member: &str, word: &str) -> bool {
    let names = ["creation_time", "server_time_utc"];
    names.contains(&member) && word.parse::<u64>().is_ok_and(|seconds| seconds > 1_600_000_000)
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
                write!(f, "{{{}}}", members.join(", "))
            }
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[test]
fn what_changes_is_replaced_and_nothing_else() {
    for (text, shown) in [
        (r#"{"a":[1,null],"b":2,"big":12345678901234567890,"n":1.50}"#, None),
        (r#"{"b":1,"a":2}"#, Some(r#"{"a":2,"b":1}"#)),
        (
            r#"{"created_time":"2026-01-01T00:00:00.5Z","deletion_time":""}"#,
            Some(r#"{"created_time": "<time>", "deletion_time": ""}"#),
        ),
        (r#"{"request_id":"x","time":"2026-01-01"}"#, None),
        (
            r#"{"request_id":"0b2ef5a6-4b0c-4f43-9c56-4b6f5b0f5c0a","lease_id":"","renewable":false,"lease_duration":0,"data":{"k":1},"wrap_info":null,"warnings":null,"auth":null}"#,
            Some(r#"reply {"data": {"k": 1}}"#),
        ),
    ] {
        let found = Json::parse(text.as_bytes()).unwrap().normalised("").shown();
        assert_eq!(
            found.replace(": ", ":").replace(", ", ","),
            shown.unwrap_or(text).replace(": ", ":").replace(", ", ",")
        );
    }
}
