//! What is wrong with one field of an object, in the words of kube-apiserver.
//!
//! A [`Cause`] is one entry of a Status's `details.causes`. Values are quoted in it as the API server quotes
//! them; validation of Secrets therefore never hands a value to these constructors, only
//! [`Cause::forbidden`], [`Cause::required`] and [`Cause::redacted`].

use std::fmt;

use serde_json::{Value, json};

/// The machine-readable class of a [`Cause`]; its text is the `reason` of a Status cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    TooFew,
    Internal,
    TypeInvalid,
}

impl Reason {
    /// The `reason` on the wire.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("FieldValueNotFound", "Not found"),
            Self::Required => ("FieldValueRequired", "Required value"),
            Self::Duplicate => ("FieldValueDuplicate", "Duplicate value"),
            Self::Invalid => ("FieldValueInvalid", "Invalid value"),
            Self::NotSupported => ("FieldValueNotSupported", "Unsupported value"),
            Self::Forbidden => ("FieldValueForbidden", "Forbidden"),
            Self::TooLong => ("FieldValueTooLong", "Too long"),
            Self::TooMany => ("FieldValueTooMany", "Too many"),
            Self::TooFew => ("FieldValueTooFew", "Too few"),
            Self::Internal => ("InternalError", "Internal error"),
            Self::TypeInvalid => ("FieldValueTypeInvalid", "Invalid value"),
        }
    }
}

/// One problem of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub reason: Reason,
    /// Path of the field, as `spec.data[0].remoteRef`; `<nil>` for the whole object.
    pub field: String,
    /// What is wrong, without the field.
    pub message: String,
}

impl Cause {
    pub(crate) fn new(reason: Reason, at: impl fmt::Display, value: Option<&Value>, detail: &str) -> Self {
        let mut message = reason.words().1.to_owned();
        if let Some(value) = value {
            message.push_str(": ");
            message.push_str(&quoted(value));
        }
        if !detail.is_empty() {
            message.push_str(": ");
            message.push_str(detail);
        }
        Self { reason, field: at.to_string(), message }
    }

    /// The value breaks a rule; it is quoted.
    pub(crate) fn invalid(at: impl fmt::Display, value: &Value, detail: &str) -> Self {
        Self::new(Reason::Invalid, at, Some(value), detail)
    }

    /// The value breaks a rule; it is not quoted, since it may be secret.
    pub(crate) fn redacted(at: impl fmt::Display, detail: &str) -> Self {
        Self::new(Reason::Invalid, at, Some(&Value::from("<secret contents redacted>")), detail)
    }

    pub(crate) fn required(at: impl fmt::Display, detail: &str) -> Self {
        Self::new(Reason::Required, at, None, detail)
    }

    pub(crate) fn forbidden(at: impl fmt::Display, detail: &str) -> Self {
        Self::new(Reason::Forbidden, at, None, detail)
    }

    pub(crate) fn duplicate(at: impl fmt::Display, value: &Value) -> Self {
        Self::new(Reason::Duplicate, at, Some(value), "")
    }

    pub(crate) fn too_long(at: impl fmt::Display, limit: u64) -> Self {
        let unit = if limit == 1 { "byte" } else { "bytes" };
        Self::new(Reason::TooLong, at, None, &format!("may not be more than {limit} {unit}"))
    }

    pub(crate) fn too_many(at: impl fmt::Display, actual: u64, limit: u64) -> Self {
        let unit = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {unit}");
        Self::new(Reason::TooMany, at, Some(&Value::from(actual)), &detail)
    }

    pub(crate) fn not_supported<'a>(
        at: impl fmt::Display,
        value: &Value,
        supported: impl IntoIterator<Item = &'a Value>,
    ) -> Self {
        let supported: Vec<String> = supported.into_iter().map(|value| go_quoted(&plain(value))).collect();
        let detail = if supported.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", supported.join(", "))
        };
        Self::new(Reason::NotSupported, at, Some(value), &detail)
    }

    /// The same problem, for a value that stands at `prefix`.
    #[must_use]
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        self.field = match self.field.as_str() {
            "<nil>" => prefix.to_owned(),
            field if field.starts_with('[') => format!("{prefix}{field}"),
            field => format!("{prefix}.{field}"),
        };
        self
    }

    /// The same, with a sentence that names fields from `part` on.
    pub(crate) fn inside(mut self, part: &str) -> Self {
        let named = format!("{} in body", self.field);
        if let Some(below) = self.field.strip_prefix(part).and_then(|below| below.strip_prefix('.')) {
            self.message = self.message.replace(&named, &format!("{below} in body"));
        }
        self
    }

    /// The entry of `details.causes`.
    pub fn to_json(&self) -> Value {
        json!({"reason": self.reason.as_str(), "message": self.message, "field": self.field})
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// All causes in one line, as a Status's message lists them: one bare, several in brackets, none twice.
pub fn summary(causes: &[Cause]) -> String {
    let mut lines: Vec<String> = Vec::with_capacity(causes.len());
    for line in causes.iter().map(Cause::to_string) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [one] => one.clone(),
        lines => format!("[{}]", lines.join(", ")),
    }
}

/// Where a value stands in an object. Built on the stack while walking, rendered only when something is
/// wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Child(&'a Path<'a>, &'a str),
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) fn child(&'a self, name: &'a str) -> Path<'a> {
        Path::Child(self, name)
    }

    pub(crate) fn key(&'a self, name: &'a str) -> Path<'a> {
        Path::Key(self, name)
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }

    /// The path as it stands inside messages, where the whole object has no name.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.render(&mut out);
        out
    }

    fn render(&self, out: &mut String) {
        match self {
            Self::Root => {}
            Self::Child(parent, name) => {
                parent.render(out);
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(name);
            }
            Self::Key(parent, name) => {
                parent.render(out);
                out.push('[');
                out.push_str(name);
                out.push(']');
            }
            Self::Index(parent, index) => {
                parent.render(out);
                out.push_str(&format!("[{index}]"));
            }
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.write_str(if text.is_empty() { "<nil>" } else { &text })
    }
}

/// A value as the API server prints it inside a message.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => go_quoted(text),
        other => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Go's `%q`.
pub(crate) fn go_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(control)))
            }
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
