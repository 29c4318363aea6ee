//! The JSONPath of printer columns: fields, `['quoted']` fields, indexes, slices, wildcards, recursive
//! descent and filters.
//!
//! Missing fields are no error: the path then finds nothing.

mod filter;
#[cfg(test)]
mod tests;

use serde_json::Value;

use filter::Filter;

/// A parsed path, such as `.status.conditions[?(@.type=="Ready")].status`.
#[derive(Debug, Clone)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Wildcard,
    /// From, to, step; negative from the end.
    Slice(Option<i64>, Option<i64>, i64),
    Index(i64),
    /// Several fields or indexes of one bracket.
    Union(Vec<Step>),
    Filter(Filter),
    /// The value and everything below it.
    Descend,
}

/// What a path cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse the path {path:?} at character {at}: {problem}")]
pub struct PathError {
    pub path: String,
    pub at: usize,
    pub problem: &'static str,
}

impl JsonPath {
    /// Parses a path.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut parser = Parser { text, at: 0 };
        let steps = parser.steps()?;
        if parser.at == text.len() {
            Ok(Self { text: text.to_owned(), steps })
        } else {
            Err(parser.error("unexpected character"))
        }
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All values that the path finds, in order.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.steps
            .iter()
            .fold(vec![value], |found, step| found.into_iter().flat_map(|value| step.apply(value)).collect())
    }
}

impl Step {
    fn apply<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Wildcard => children(value),
            Self::Index(index) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                position(*index, items.len()).and_then(|index| items.get(index)).into_iter().collect()
            }
            Self::Slice(from, to, step) => {
                slice(value.as_array().map(Vec::as_slice).unwrap_or_default(), *from, *to, *step)
            }
            Self::Union(steps) => steps.iter().flat_map(|step| step.apply(value)).collect(),
            Self::Filter(filter) => match value {
                Value::Array(items) => items.iter().filter(|item| filter.matches(item)).collect(),
                _ => Vec::new(),
            },
            Self::Descend => {
                let mut found = vec![value];
                for child in children(value) {
                    found.extend(self.apply(child));
                }
                found
            }
        }
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

/// An index from either end as one from the start.
fn position(index: i64, length: usize) -> Option<usize> {
    let from_end = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index.checked_add(from_end)? } else { index }).ok()
}

fn slice(items: &[Value], from: Option<i64>, to: Option<i64>, step: i64) -> Vec<&Value> {
    let bound = |index: i64| {
        if index < 0 {
            position(index, items.len()).unwrap_or(0)
        } else {
            usize::try_from(index).unwrap_or(usize::MAX)
        }
    };
    let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound).min(items.len()));
    let step = usize::try_from(step).unwrap_or(1).max(1);
    items.iter().take(to).skip(from).step_by(step).collect()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, problem: &'static str) -> PathError {
        PathError { path: self.text.to_owned(), at: self.at, problem }
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn spaces(&mut self) {
        while self.eat(" ") {}
    }

    /// Steps until something that is none.
    fn steps(&mut self) -> Result<Vec<Step>, PathError> {
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Descend);
                if !self.rest().starts_with('[') {
                    steps.push(self.name()?);
                }
            } else if self.eat(".") {
                if self.rest().is_empty() && steps.is_empty() {
                    return Ok(steps);
                }
                if !self.rest().starts_with('[') {
                    steps.push(self.name()?);
                }
            } else if self.eat("[") {
                steps.push(self.bracket()?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn name(&mut self) -> Result<Step, PathError> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        let mut name = String::new();
        let mut characters = self.rest().chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => name.extend(characters.next().inspect(|escaped| self.at += escaped.len_utf8())),
                '.' | '[' | ']' | ' ' | '=' | '!' | '<' | '>' | ')' | '(' | ',' | '"' | '\'' | '{' | '}'
                | '|' => break,
                other => name.push(other),
            }
            self.at += character.len_utf8();
        }
        if name.is_empty() { Err(self.error("a field name is missing")) } else { Ok(Step::Field(name)) }
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        self.spaces();
        if self.eat("?") {
            self.spaces();
            let filter = filter::parse(self)?;
            self.close()?;
            return Ok(Step::Filter(filter));
        }
        let mut steps = vec![self.element()?];
        self.spaces();
        while self.eat(",") {
            self.spaces();
            steps.push(self.element()?);
            self.spaces();
        }
        self.close()?;
        match (steps.pop(), steps.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                steps.push(last);
                Ok(Step::Union(steps))
            }
            (None, _) => Err(self.error("empty brackets")),
        }
    }

    fn close(&mut self) -> Result<(), PathError> {
        self.spaces();
        if self.eat("]") { Ok(()) } else { Err(self.error("] is missing")) }
    }

    fn element(&mut self) -> Result<Step, PathError> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        if let Some(name) = self.quoted()? {
            return Ok(Step::Field(name));
        }
        let from = self.integer()?;
        if !self.eat(":") {
            return from.map(Step::Index).ok_or_else(|| self.error("an index or a quoted name is missing"));
        }
        let to = self.integer()?;
        let step = if self.eat(":") { self.integer()? } else { None };
        match step {
            Some(step) if step <= 0 => Err(self.error("the step must be positive")),
            step => Ok(Step::Slice(from, to, step.unwrap_or(1))),
        }
    }

    fn integer(&mut self) -> Result<Option<i64>, PathError> {
        let rest = self.rest();
        let length = rest
            .find(|character: char| !(character.is_ascii_digit() || character == '-'))
            .unwrap_or(rest.len());
        let digits = rest.get(..length).unwrap_or_default();
        if digits.is_empty() {
            return Ok(None);
        }
        let number = digits.parse().map_err(|_| self.error("not a number"))?;
        self.at += length;
        Ok(Some(number))
    }

    fn quoted(&mut self) -> Result<Option<String>, PathError> {
        let Some(quote) = self.rest().chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                end if end == quote => {
                    self.at += index + 1;
                    return Ok(Some(text));
                }
                other => text.push(other),
            }
        }
        Err(self.error("the quote is not closed"))
    }
}
