//! JSON that keeps what a parser would change: the digits of numbers, on the way in; Go's way to write a float, on the way out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize as _, Serialize};
use serde_json::ser::Formatter;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The deepest nesting that is read; that of serde_json.
const DEEPEST: u8 = 128;

/// The object at the start of a body, its text unchanged but for the order of the keys; what follows is ignored, as Vault does.
pub(super) fn object(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let text = <&RawValue>::deserialize(&mut deserializer).ok()?;
    let mut sorted = Zeroizing::new(Vec::with_capacity(body.len()));
    match text.get() {
        "null" => sorted.extend_from_slice(b"{}"),
        text if text.starts_with('{') => sort(text, &mut sorted, DEEPEST)?,
        _ => return None,
    }
    Some(sorted)
}

/// Go writes the members of a map in the order of their names.
fn sort(text: &str, sorted: &mut Vec<u8>, depth: u8) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut separator = None;
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
            sorted.push(b'{');
            for (name, value) in members {
                sorted.extend(separator.replace(b','));
                serde_json::to_writer(&mut *sorted, &name).ok()?;
                sorted.push(b':');
                sort(value.get(), sorted, depth)?;
            }
            sorted.push(b'}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            sorted.push(b'[');
            for item in items {
                sorted.extend(separator.replace(b','));
                sort(item.get(), sorted, depth)?;
            }
            sorted.push(b']');
        }
        Some(_) | None => sorted.extend_from_slice(text.as_bytes()),
    }
    Some(())
}

/// The text of an answer.
pub(super) fn text(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Go))?;
    text.push(b'\n');
    Ok(text)
}

/// Writes floats as Go does: without a fraction that is zero, with an exponent only where it is large.
struct Go;

impl Formatter for Go {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, float: f64) -> io::Result<()> {
        let size = float.abs();
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{float:e}");
            return match text.split_once("e-") {
                Some(_) => writer.write_all(text.as_bytes()),
                None => writer.write_all(text.replace('e', "e+").as_bytes()),
            };
        }
        write!(writer, "{float}")
    }
}

#[cfg(test)]
mod tests {
    use super::{object, text};

    #[test]
    fn an_object_keeps_its_digits_and_sorts_its_keys() {
        for (body, expected) in [
            (
                r#"{"b":1.10,"a":{"z":1e21,"y":[-0.0,{"d":1,"c":2}]}}"#,
                Some(r#"{"a":{"y":[-0.0,{"c":2,"d":1}],"z":1e21},"b":1.10}"#),
            ),
            (r#" {"k":1,"k":2} trailing"#, Some(r#"{"k":2}"#)),
            ("null", Some("{}")),
            ("[]", None),
            ("\"text\"", None),
            ("{", None),
            ("", None),
        ] {
            let found = object(body.as_bytes()).map(|text| String::from_utf8(text.to_vec()).unwrap());
            assert_eq!(found.as_deref(), expected, "{body}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(object(deep.as_bytes()).is_none());
    }

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (float, expected) in [
            (1.1, "1.1"),
            (7.0, "7"),
            (-0.0, "-0"),
            (0.0, "0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.2345678901234568e22, "1.2345678901234568e+22"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-2.5e-9, "-2.5e-9"),
        ] {
            assert_eq!(String::from_utf8(text(&float).unwrap()).unwrap(), format!("{expected}\n"));
        }
    }
}
