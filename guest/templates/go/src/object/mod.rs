//! Go values with methods of their own, which a template reaches as `.Name`: versions, points in time, durations.
//!
//! A method is a row like a function's; which methods there are is Go's choice, as far as a template can use them.

pub(crate) mod methods;
pub(crate) mod version;

use crate::text::Text;
use crate::time::{Time, duration};
use crate::value::{IntType, Value};
use version::Version;

/// A value that is neither a number, a text, a list nor a map.
pub(crate) enum Object {
    Time(Time),
    /// What `semver` returns: Go's pointer to a version.
    Version(Version),
    /// What a version's `Inc...` methods return.
    PlainVersion(Version),
    /// What sprig's makers of certificates return: PEM of a certificate and of its key.
    Certificate {
        cert: Text,
        key: Text,
    },
}

impl Object {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Time(_) => "time.Time",
            Self::Version(_) => "*semver.Version",
            Self::PlainVersion(_) => "semver.Version",
            Self::Certificate { .. } => "sprig.certificate",
        }
    }

    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Time(_) | Self::PlainVersion(_) | Self::Certificate { .. } => "struct",
            Self::Version(_) => "ptr",
        }
    }

    /// As its `String` method shows it.
    pub(crate) fn show(&self) -> Text {
        match self {
            Self::Time(time) => time.format(b"2006-01-02 15:04:05.999999999 -0700 MST"),
            Self::Version(version) | Self::PlainVersion(version) => version.show().into(),
            // It has fields, and no method that shows it.
            Self::Certificate { .. } => Text::from(""),
        }
    }

    /// As it stands in JSON, without quotes.
    pub(crate) fn json(&self) -> Text {
        match self {
            Self::Time(time) => time.format(b"2006-01-02T15:04:05.999999999Z07:00"),
            Self::Version(_) | Self::PlainVersion(_) | Self::Certificate { .. } => self.show(),
        }
    }

    /// The fields of what prints as a struct.
    pub(crate) fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        match self {
            Self::Time(_) | Self::Version(_) | Self::PlainVersion(_) => None,
            Self::Certificate { cert, key } => {
                Some(vec![("Cert", Value::Text(cert.clone())), ("Key", Value::Text(key.clone()))])
            }
        }
    }

    /// Go's `==`: of pointers, whether they are the same; of structs, whether their fields are.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Version(one), Self::Version(two)) => std::ptr::eq(one, two),
            _ => self.is_equal(other),
        }
    }

    /// Go's `reflect.DeepEqual`.
    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Time(one), Self::Time(two)) => one == two,
            (Self::Version(one), Self::Version(two)) | (Self::PlainVersion(one), Self::PlainVersion(two)) => {
                one == two
            }
            (Self::Certificate { cert, key }, Self::Certificate { cert: other_cert, key: other_key }) => {
                cert == other_cert && key == other_key
            }
            _ => false,
        }
    }
}

impl IntType {
    /// As the type's `String` method shows the number, if it has one.
    pub(crate) fn show(self, value: i64) -> Option<String> {
        match self {
            Self::Int | Self::Int64 => None,
            Self::Duration => Some(duration::show(value)),
            Self::Month => crate::time::month_name(value).map(str::to_owned),
            Self::Weekday => crate::time::weekday_name(value).map(str::to_owned),
        }
    }
}
