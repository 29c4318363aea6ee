//! String formats. Unknown ones are ignored, as kube-apiserver ignores them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// Whether the format is known and the text does not have it.
pub(super) fn is_broken(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "byte" => STANDARD.decode(text).is_err(),
        "date" => !matches(&DATE, text) || text.parse::<jiff::civil::Date>().is_err(),
        "datetime" => !is_date_time(text),
        "duration" => !is_duration(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_err(),
        "ipv6" => text.parse::<Ipv6Addr>().is_err(),
        "cidr" => !is_cidr(text),
        "mac" => !matches(&MAC, text),
        "uuid" => !matches(&UUID, text),
        "uuid3" => !is_uuid_version(text, '3'),
        "uuid4" => !is_uuid_version(text, '4'),
        "uuid5" => !is_uuid_version(text, '5'),
        "uri" => !is_uri(text),
        "email" => !matches(&EMAIL, text),
        "hostname" => !is_hostname(text),
        "hexcolor" => !matches(&HEX_COLOR, text),
        "bsonobjectid" => !matches(&OBJECT_ID, text),
        "k8sshortname" => text.len() > 63 || !matches(&LABEL, text),
        "k8slongname" => text.len() > 253 || text.split('.').any(|label| !matches(&LABEL, label)),
        _ => false,
    }
}

macro_rules! patterns {
    ($($name:ident = $pattern:literal;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());)*
    };
}

patterns! {
    DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
    DATE_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
    GO_DURATION = r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
    WORD_DURATION = r"(?i)^[0-9]+(\.[0-9]+)?\s*(ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$";
    MAC = r"^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2})$|^([0-9a-fA-F]{2}[:-]){7}[0-9a-fA-F]{2}$|^([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}$";
    UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    EMAIL = r"^[^@\s<>]+@[^@\s<>]+$";
    HEX_COLOR = r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
    OBJECT_ID = r"^[0-9a-fA-F]{24}$";
    LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    HOST_LABEL = r"^[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?$";
    URI = r"^([a-zA-Z][a-zA-Z0-9+.-]*:(//)?[^\s\x00-\x1f]+|/[^\s\x00-\x1f]*)$";
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn is_date_time(text: &str) -> bool {
    matches(&DATE_TIME, text) && text.to_uppercase().parse::<jiff::Timestamp>().is_ok()
}

fn is_duration(text: &str) -> bool {
    matches(&GO_DURATION, text) || matches(&WORD_DURATION, text)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let Ok(length) = length.parse::<u8>() else {
        return false;
    };
    (address.parse::<Ipv4Addr>().is_ok() && length <= 32)
        || (address.parse::<Ipv6Addr>().is_ok() && length <= 128)
}

fn is_uuid_version(text: &str, version: char) -> bool {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    let variant = version == '3' || digits.chars().nth(16).is_some_and(|digit| "89abAB".contains(digit));
    matches(&UUID, text) && digits.chars().nth(12) == Some(version) && variant
}

fn is_uri(text: &str) -> bool {
    matches(&URI, text)
}

fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| label.len() <= 63 && matches(&HOST_LABEL, label))
}
