//! A small builder for the JSON Schema (draft 2020-12) of a config. Objects are closed: a key that the schema does not
//! name is a problem, as it is for serde's `deny_unknown_fields`.
//!
//! It covers what configs need; for more, [`Schema::keyword`] sets any keyword. It writes text as it goes, since a JSON
//! tree would make every component some kilobytes larger.

/// A schema. Begin with a type, then narrow it; [`Schema::about`] is what an editor and `keymill component inspect` show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    keywords: Vec<(String, Json)>,
    properties: Vec<(String, Json)>,
    required: Vec<String>,
}

/// JSON text that stands in a schema: of a number, a truth value, text, a list of texts, or a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(String);

impl Schema {
    /// An object with no properties yet.
    pub fn object() -> Self {
        Self::of("object").keyword("additionalProperties", false)
    }

    /// An object with any keys, each value obeying `values`.
    pub fn map(values: Self) -> Self {
        Self::of("object").keyword("additionalProperties", values)
    }

    /// A list, each item obeying `items`.
    pub fn array(items: Self) -> Self {
        Self::of("array").keyword("items", items)
    }

    /// Text.
    pub fn string() -> Self {
        Self::of("string")
    }

    /// One of these words.
    pub fn one_of(words: &[&str]) -> Self {
        Self::of("string").keyword("enum", words)
    }

    /// A whole number.
    pub fn integer() -> Self {
        Self::of("integer")
    }

    /// A number.
    pub fn number() -> Self {
        Self::of("number")
    }

    /// True or false.
    pub fn boolean() -> Self {
        Self::of("boolean")
    }

    /// What it means, for the person who writes a config.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        self.keyword("description", text)
    }

    /// What holds where the config does not say. Documentation: the component itself must default.
    #[must_use]
    pub fn default_value(self, value: impl Into<Json>) -> Self {
        self.keyword("default", value)
    }

    /// The least allowed number.
    #[must_use]
    pub fn min(self, least: i64) -> Self {
        self.keyword("minimum", least)
    }

    /// The greatest allowed number.
    #[must_use]
    pub fn max(self, greatest: i64) -> Self {
        self.keyword("maximum", greatest)
    }

    /// A property that may be absent.
    #[must_use]
    pub fn optional(mut self, name: &str, schema: Self) -> Self {
        self.properties.push((name.to_owned(), schema.into()));
        self
    }

    /// A property that must be there.
    #[must_use]
    pub fn required(mut self, name: &str, schema: Self) -> Self {
        self.required.push(name.to_owned());
        self.optional(name, schema)
    }

    /// Any other keyword of JSON Schema.
    #[must_use]
    pub fn keyword(mut self, keyword: &str, value: impl Into<Json>) -> Self {
        self.keywords.push((keyword.to_owned(), value.into()));
        self
    }

    /// The schema as JSON text.
    pub fn into_json(mut self) -> String {
        if !self.properties.is_empty() {
            self.keywords.push(("properties".to_owned(), object(&self.properties)));
        }
        if !self.required.is_empty() {
            let names = self.required.iter().map(|name| quoted(name));
            self.keywords.push(("required".to_owned(), list(names)));
        }
        object(&self.keywords).0
    }

    fn of(kind: &str) -> Self {
        let schema = Self { keywords: Vec::new(), properties: Vec::new(), required: Vec::new() };
        schema.keyword("type", kind)
    }
}

impl From<Schema> for Json {
    fn from(schema: Schema) -> Self {
        Self(schema.into_json())
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self(if truth { "true" } else { "false" }.to_owned())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(quoted(text))
    }
}

impl From<&[&str]> for Json {
    fn from(texts: &[&str]) -> Self {
        list(texts.iter().map(|text| quoted(text)))
    }
}

fn object(entries: &[(String, Json)]) -> Json {
    let mut text = String::from("{");
    for (name, value) in entries {
        separate(&mut text);
        text.push_str(&quoted(name));
        text.push(':');
        text.push_str(&value.0);
    }
    text.push('}');
    Json(text)
}

fn list(items: impl Iterator<Item = String>) -> Json {
    let mut text = String::from("[");
    for item in items {
        separate(&mut text);
        text.push_str(&item);
    }
    text.push(']');
    Json(text)
}

/// A comma, unless it is the first.
fn separate(text: &mut String) {
    if text.len() > 1 {
        text.push(',');
    }
}

fn quoted(text: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match (c, u32::from(c)) {
            ('"' | '\\', _) => quoted.extend(['\\', c]),
            (_, code @ 0..0x20) => {
                quoted.push_str(if code < 0x10 { "\\u000" } else { "\\u001" });
                quoted.extend(HEX.iter().cycle().nth(code as usize));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_json_schema() {
        let schema = Schema::object()
            .required("data", Schema::map(Schema::string()).about("Keys and values."))
            .optional("count", Schema::integer().min(1).max(9).default_value(3))
            .optional("kind", Schema::array(Schema::one_of(&["a", "b"])));
        let expected = serde_json::json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["data"],
            "properties": {
                "data": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Keys and values."},
                "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                "kind": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            },
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&schema.into_json()).expect("JSON"), expected);
    }

    #[test]
    fn any_text_is_quoted() {
        let all: String = ('\0'..='\u{2ff}').chain(['😀', '\u{2028}']).collect();
        assert_eq!(serde_json::from_str::<String>(&quoted(&all)).expect("JSON"), all);
    }
}
