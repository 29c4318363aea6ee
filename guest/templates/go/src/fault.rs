//! Where something is wrong, and why: never what the data was.

use crate::rule::Rule;

/// Why a request was refused: which template, where in it, by which rule, and the name that the text uses there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which of the request's templates.
    pub index: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What was violated.
    pub rule: Rule,
    /// A function, field or variable that the template's text itself names at that place.
    pub name: Option<String>,
}

/// A fault inside one template: a byte offset in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: usize,
    pub(crate) rule: Rule,
    pub(crate) name: Option<String>,
}

impl Place {
    pub(crate) const fn new(at: usize, rule: Rule) -> Self {
        Self { at, rule, name: None }
    }

    pub(crate) fn naming(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// Names the function that the argument was for, unless a more exact name is known.
    pub(crate) fn or_naming(self, name: &str) -> Self {
        if self.name.is_some() { self } else { self.naming(name) }
    }

    /// Turns the offset into line and column.
    pub(crate) fn in_template(self, index: u32, text: &str) -> Fault {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Fault { index, line: saturated(line), column: saturated(column), rule: self.rule, name: self.name }
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let fault = Place::new("ab\né".len(), Rule::Syntax).in_template(2, "ab\né{{");
        assert_eq!((fault.index, fault.line, fault.column), (2, 2, 2));
    }
}
