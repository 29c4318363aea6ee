//! What is wrong with a config, as places and rules. A config may hold secrets, so there is no text of it here: the
//! rule's own words, which `describe` gave before any config was seen, are what a user reads.

use crate::{Rule, bindings::types};

/// One thing wrong with a config: where (a JSON Pointer, RFC 6901, into the config) and which declared rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A JSON Pointer into the config; empty for the whole.
    pub path: String,
    /// The name of a rule that the description declares.
    pub rule: String,
}

/// Collects problems, so that a user sees all of them at once.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that `rule` is broken at `path`.
    pub fn add(&mut self, rule: &Rule, path: impl Into<String>) {
        self.found.push(Problem { path: path.into(), rule: rule.name.to_owned() });
    }

    /// Says so if `broken`.
    pub fn add_if(&mut self, broken: bool, rule: &Rule, path: impl Into<String>) {
        if broken {
            self.add(rule, path);
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What was found, in order.
    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }
}

/// A JSON Pointer of these segments, escaped: `pointer(["data", "a/b"])` is `/data/a~1b`.
pub fn pointer<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> String {
    let mut pointer = String::new();
    for segment in segments {
        append(&mut pointer, segment.as_ref());
    }
    pointer
}

fn append(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for c in segment.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

impl From<Problem> for types::Problem {
    fn from(problem: Problem) -> Self {
        Self { path: problem.path, rule: problem.rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(pointer(["data", "a/b", "~c", ""]), "/data/a~1b/~0c/");
        assert_eq!(pointer(Vec::<String>::new()), "");
    }
}
