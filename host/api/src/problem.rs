//! What is wrong with an object, and where.
//!
//! Validation reports all problems in the order of the fields, each with the path of the field as `kubectl explain` and
//! manifests write it: `spec.dataFrom[2].rewrite[0].regexp.source`.

use std::fmt;

/// One thing that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, such as `spec.data[1].secretKey`.
    pub path: String,
    /// What is wrong and what would be right. Names and keys, never values of Secrets.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Problems as they are found, with the place that is being looked at.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    place: String,
    found: Vec<Problem>,
}

impl Problems {
    /// Looks at the whole object.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Looks at a field of the current place while `check` runs.
    pub(crate) fn field(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        if length > 0 {
            self.place.push('.');
        }
        self.place.push_str(name);
        check(self);
        self.place.truncate(length);
    }

    /// Looks at each element of a list field of the current place.
    pub(crate) fn each<T>(&mut self, name: &str, elements: &[T], mut check: impl FnMut(&mut Self, &T)) {
        for (index, element) in elements.iter().enumerate() {
            self.field(&format!("{name}[{index}]"), |problems| check(problems, element));
        }
    }

    /// Reports a problem with the current place.
    pub(crate) fn report(&mut self, message: impl Into<String>) {
        self.found.push(Problem { path: self.place.clone(), message: message.into() });
    }

    /// Reports a problem with a field of the current place.
    pub(crate) fn report_field(&mut self, name: &str, message: impl Into<String>) {
        self.field(name, |problems| problems.report(message));
    }

    /// Checks that a field holds a regular expression that compiles.
    pub(crate) fn check_regex(&mut self, name: &str, pattern: &str) {
        if let Err(error) = regex::Regex::new(pattern) {
            self.report_field(
                name,
                format!("is not a regular expression: {}", last_line(&error.to_string())),
            );
        }
    }

    /// All problems that were found.
    pub(crate) fn into_found(self) -> Vec<Problem> {
        self.found
    }
}

/// The regex crate draws the pattern with a caret below it; what is wrong stands in the last line.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
