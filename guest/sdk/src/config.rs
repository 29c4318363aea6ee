//! Parses a config into the author's type, and says precisely where it does not fit: a JSON Pointer and one of the rules
//! below, never the text of serde's error, which quotes values.
//!
//! A deserializer of our own, because serde_json's error is only text. Like Kubernetes and JSON Schema it takes `24.0` for
//! the integer 24. A key given twice is refused where it is a struct's; in a map the last counts.

mod json;

use std::{fmt, vec};

use json::{Json, Number};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
    value::{MapAccessDeserializer, StrDeserializer},
};

use crate::{Problem, Rule, pointer};

const NOT_JSON: Rule = Rule::new("config-not-json", "The config is not JSON.");
const WRONG_TYPE: Rule =
    Rule::new("config-wrong-type", "The config has a value of another type here than its schema says.");
const WRONG_VALUE: Rule =
    Rule::new("config-wrong-value", "The config has a value here that its schema does not allow.");
const UNKNOWN_FIELD: Rule =
    Rule::new("config-unknown-field", "The config's schema does not know this field.");
const MISSING_FIELD: Rule =
    Rule::new("config-missing-field", "The config lacks a field here that its schema requires.");

/// The rules that the SDK may name for any component.
pub(crate) const RULES: [Rule; 5] = [NOT_JSON, WRONG_TYPE, WRONG_VALUE, UNKNOWN_FIELD, MISSING_FIELD];

/// What every candidate of a policy violates whose config is not right.
pub(crate) const INVALID: Rule =
    Rule::new("config-invalid", "The policy's own config is invalid, so it lets nothing through.");

/// Parses a config. Authors need it only for a config inside a config: the traits hand theirs over parsed.
///
/// # Errors
/// The first misfit: its place and which of the SDK's rules.
pub fn parse<T: DeserializeOwned>(config: &str) -> Result<T, Problem> {
    let json: Json = serde_json::from_str(config).map_err(|_| Misfit::of(&NOT_JSON).into_problem())?;
    T::deserialize(At(json)).map_err(Misfit::into_problem)
}

/// Where, innermost segment first, and what.
#[derive(Debug)]
struct Misfit {
    path: Vec<String>,
    rule: &'static Rule,
}

impl Misfit {
    fn of(rule: &'static Rule) -> Self {
        Self { path: Vec::new(), rule }
    }

    fn below(mut self, segment: String) -> Self {
        self.path.push(segment);
        self
    }

    fn into_problem(self) -> Problem {
        Problem { path: pointer(self.path.iter().rev()), rule: self.rule.name.to_owned() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.name)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::of(&WRONG_VALUE)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::of(&WRONG_TYPE)
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::of(&UNKNOWN_FIELD)
    }

    fn missing_field(_: &'static str) -> Self {
        Self::of(&MISSING_FIELD)
    }
}

/// A value to be read. Each method takes only the kind that it is for: `deserialize_any` for all would compile every visitor
/// for every kind, a third of a small component.
struct At(Json);

/// Methods that take one kind of value.
macro_rules! take {
    ($($kind:ident: $($method:ident)*;)*) => {
        $($(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            $kind(self.0, visitor)
        })*)*
    };
}

impl<'de> Deserializer<'de> for At {
    type Error = Misfit;

    take! {
        any: deserialize_any;
        bool: deserialize_bool;
        number:
            deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
            deserialize_f32 deserialize_f64;
        text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
        list: deserialize_seq deserialize_bytes deserialize_byte_buf;
        object: deserialize_map;
        unit: deserialize_unit;
        ignored: deserialize_ignored_any;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            json => visitor.visit_some(At(json)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        object(self.0, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Text(name) => visitor.visit_enum(name.into_deserializer()),
            Json::Object(entries) => visitor.visit_enum(MapAccessDeserializer::new(Entries::of(entries))),
            _ => Err(Misfit::of(&WRONG_TYPE)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        list(self.0, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        list(self.0, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        unit(self.0, visitor)
    }
}

fn any<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    match json {
        Json::Null => visitor.visit_unit(),
        Json::Bool(truth) => visitor.visit_bool(truth),
        Json::Number(_) => number(json, visitor),
        Json::Text(text) => visitor.visit_string(text),
        Json::List(_) => list(json, visitor),
        Json::Object(_) => object(json, visitor),
    }
}

fn bool<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    match json {
        Json::Bool(truth) => visitor.visit_bool(truth),
        _ => Err(Misfit::of(&WRONG_TYPE)),
    }
}

fn text<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    match json {
        Json::Text(text) => visitor.visit_string(text),
        _ => Err(Misfit::of(&WRONG_TYPE)),
    }
}

/// Nothing: null, or the empty object that is the config of a unit struct.
fn unit<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    match json {
        Json::Null => visitor.visit_unit(),
        Json::Object(entries) => match entries.into_iter().next() {
            None => visitor.visit_unit(),
            Some((key, _)) => Err(Misfit::of(&UNKNOWN_FIELD).below(key)),
        },
        _ => Err(Misfit::of(&WRONG_TYPE)),
    }
}

fn ignored<'de, V: Visitor<'de>>(_: Json, visitor: V) -> Result<V::Value, Misfit> {
    visitor.visit_unit()
}

fn object<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    match json {
        Json::Object(entries) => visitor.visit_map(Entries::of(entries)),
        _ => Err(Misfit::of(&WRONG_TYPE)),
    }
}

fn number<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    /// Up to here every whole `f64` is one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match json {
        Json::Number(Number::Positive(whole)) => visitor.visit_u64(whole),
        Json::Number(Number::Negative(whole)) => visitor.visit_i64(whole),
        Json::Number(Number::Float(float)) if float.trunc() == float && float.abs() <= EXACT => {
            visitor.visit_i64(float as i64)
        }
        Json::Number(Number::Float(float)) => visitor.visit_f64(float),
        _ => Err(Misfit::of(&WRONG_TYPE)),
    }
}

fn list<'de, V: Visitor<'de>>(json: Json, visitor: V) -> Result<V::Value, Misfit> {
    let Json::List(items) = json else {
        return Err(Misfit::of(&WRONG_TYPE));
    };
    let mut items = Items { rest: items.into_iter(), index: 0 };
    let value = visitor.visit_seq(&mut items)?;
    match items.rest.next() {
        None => Ok(value),
        Some(_) => Err(Misfit::of(&WRONG_VALUE)),
    }
}

struct Items {
    rest: vec::IntoIter<Json>,
    index: usize,
}

impl<'de> SeqAccess<'de> for &mut Items {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.rest.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(At(item)).map(Some).map_err(|misfit| misfit.below(index.to_string()))
    }
}

struct Entries {
    rest: vec::IntoIter<(String, Json)>,
    current: Option<(String, Json)>,
}

impl Entries {
    fn of(entries: Vec<(String, Json)>) -> Self {
        Self { rest: entries.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((key, json)) = self.rest.next() else {
            return Ok(None);
        };
        let read =
            seed.deserialize(StrDeserializer::new(&key)).map_err(|misfit: Misfit| misfit.below(key.clone()));
        self.current = Some((key, json));
        read.map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let (key, json) = self.current.take().unwrap_or_default();
        seed.deserialize(At(json)).map_err(|misfit| misfit.below(key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Config {
        count: u32,
        ratio: Option<f64>,
        #[serde(default)]
        list: Vec<(bool, Kind)>,
        #[serde(default)]
        data: BTreeMap<String, String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Plain,
        Sized(u8),
    }

    #[test]
    fn reads_what_fits() {
        let read: Config =
            parse(r#"{"count": 3.0, "ratio": 1, "list": [[true, "plain"], [false, {"sized": 7}]], "data": {"k": "v"}}"#)
                .expect("it fits");
        let list = vec![(true, Kind::Plain), (false, Kind::Sized(7))];
        assert_eq!(
            read,
            Config { count: 3, ratio: Some(1.0), list, data: [("k".into(), "v".into())].into() }
        );
    }

    #[test]
    fn a_unit_struct_is_the_empty_config() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Empty;
        assert_eq!(parse::<Empty>("{}"), Ok(Empty));
        let problem = parse::<Empty>(r#"{"a": 1}"#).expect_err("nothing is known");
        assert_eq!((problem.rule.as_str(), problem.path.as_str()), (UNKNOWN_FIELD.name, "/a"));
    }

    #[test]
    fn says_where_and_which_rule() {
        let check = |config: &str, rule: &Rule, path: &str| {
            let problem = parse::<Config>(config).expect_err(config);
            assert_eq!((problem.rule.as_str(), problem.path.as_str()), (rule.name, path), "{config}");
        };
        check("", &NOT_JSON, "");
        check("[1", &NOT_JSON, "");
        check(r#"{"count": 1, "count": 2}"#, &WRONG_VALUE, "");
        check(&"[".repeat(200_000), &NOT_JSON, "");
        check("[]", &WRONG_TYPE, "");
        check("7", &WRONG_TYPE, "");
        check("{}", &MISSING_FIELD, "");
        check(r#"{"count": "3"}"#, &WRONG_TYPE, "/count");
        check(r#"{"count": null}"#, &WRONG_TYPE, "/count");
        check(r#"{"count": -1}"#, &WRONG_VALUE, "/count");
        check(r#"{"count": 1.5}"#, &WRONG_TYPE, "/count");
        check(r#"{"count": 1, "a/b~c": 2}"#, &UNKNOWN_FIELD, "/a~1b~0c");
        check(r#"{"count": 1, "list": [[true, "plain"], [1, "plain"]]}"#, &WRONG_TYPE, "/list/1/0");
        check(r#"{"count": 1, "list": [[true, "round"]]}"#, &WRONG_VALUE, "/list/0/1");
        check(r#"{"count": 1, "list": [[true, "plain", 3]]}"#, &WRONG_VALUE, "/list/0");
        check(r#"{"count": 1, "list": [[true, {"sized": 256}]]}"#, &WRONG_VALUE, "/list/0/1/sized");
        check(r#"{"count": 1, "data": {"x": {"y": 1}}}"#, &WRONG_TYPE, "/data/x");
    }
}
