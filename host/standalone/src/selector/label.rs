//! Label selectors: `a`, `!a`, `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a>1`, `a<1`, joined by commas.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    /// Holds also where the label is absent.
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Requirement {
    pub(super) fn holds(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let value = labels.and_then(|labels| labels.get(&self.key)).and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Test::Above(bound) => number().is_some_and(|number| number > *bound),
            Test::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// The requirements, all of which must hold, or what is wrong.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    requirements(text).map_err(|problem| match problem {
        Problem::Requirement(why) => format!("unable to parse requirement: {why}"),
        Problem::Between(why) => why,
    })
}

/// Where a selector cannot be read.
enum Problem {
    Requirement(String),
    /// Before or after a requirement.
    Between(String),
}

fn requirements(text: &str) -> Result<Vec<Requirement>, Problem> {
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens };
    let mut requirements = Vec::new();
    if tokens.is_empty() {
        return Ok(requirements);
    }
    loop {
        let first = parser.peek();
        if first != "!" && is_operator(first) {
            let why = format!("found '{first}', expected: !, identifier, or 'end of string'");
            return Err(Problem::Between(why));
        }
        requirements.push(parser.requirement().map_err(Problem::Requirement)?);
        match parser.next() {
            "" => return Ok(requirements),
            "," => {}
            other => {
                let why = format!("found '{other}', expected: ',' or 'end of string'");
                return Err(Problem::Between(why));
            }
        }
    }
}

/// Words and operators; no token is empty.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut glue = false;
    for character in text.chars() {
        let operator = matches!(character, '(' | ')' | ',' | '!' | '=' | '<' | '>');
        let word = !operator && !character.is_whitespace();
        match tokens.last_mut() {
            Some(last) if word && glue => last.push(character),
            Some(last) if character == '=' && (last == "=" || last == "!") => last.push('='),
            _ if word || operator => tokens.push(character.to_string()),
            _ => {}
        }
        glue = word;
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [String],
}

impl<'a> Parser<'a> {
    /// The next token, or "" at the end.
    fn next(&mut self) -> &'a str {
        match self.tokens.split_first() {
            Some((first, rest)) => {
                self.tokens = rest;
                first
            }
            None => "",
        }
    }

    fn peek(&self) -> &'a str {
        self.tokens.first().map_or("", String::as_str)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.peek() == "!" {
            self.next();
            let key = self.key()?;
            return Ok(Requirement { key, test: Test::Absent });
        }
        let key = self.key()?;
        let test = match self.peek() {
            "" | "," => Test::Exists,
            _ => self.test()?,
        };
        Ok(Requirement { key, test })
    }

    fn test(&mut self) -> Result<Test, String> {
        match self.next() {
            "=" | "==" => Ok(Test::In(vec![self.value()?])),
            "!=" => Ok(Test::NotIn(vec![self.value()?])),
            "in" => Ok(Test::In(self.values()?)),
            "notin" => Ok(Test::NotIn(self.values()?)),
            ">" => Ok(Test::Above(self.number()?)),
            "<" => Ok(Test::Below(self.number()?)),
            other => Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn key(&mut self) -> Result<String, String> {
        let key = self.next();
        if is_operator(key) {
            return Err(format!("found '{key}', expected: identifier"));
        }
        match crate::names::label_key(key) {
            None => Ok(key.to_owned()),
            Some(why) => Err(format!("<nil>: Invalid value: {key:?}: {why}")),
        }
    }

    /// One value; the end or a comma is the empty one.
    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), "" | ",") {
            return Ok(String::new());
        }
        checked_value(self.next())
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            "(" => {}
            other => return Err(format!("found '{other}' expected: '('")),
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                ")" | "," => values.push(String::new()),
                _ => values.push(checked_value(self.next())?),
            }
            match self.next() {
                ")" => return Ok(values),
                "," => {}
                other => return Err(format!("found '{other}', expected: ',' or ')'")),
            }
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let text = self.next();
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        text.parse().map_err(|_| format!("values[0]: Invalid value: {text:?}: {why}"))
    }
}

fn is_operator(token: &str) -> bool {
    matches!(token, "" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | "<" | ">")
}

fn checked_value(value: &str) -> Result<String, String> {
    if is_operator(value) {
        return Err(format!("found '{value}', expected: identifier"));
    }
    match crate::names::label_value(value) {
        None => Ok(value.to_owned()),
        Some(why) => Err(format!("values[0][]: Invalid value: {value:?}: {why}")),
    }
}
