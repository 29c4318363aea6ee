//! Requests in Kubernetes' protobuf: kubectl and Go's typed clients send built-in kinds in it. Answers are JSON, which
//! those clients take as well.
//!
//! A message is read along a table of its fields; what the table does not have is skipped.

mod messages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use messages::{ENVELOPE, message};

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// One field of a message.
pub(super) struct Field {
    number: u64,
    name: &'static str,
    form: Form,
    /// Whether it may come several times, and is a list.
    many: bool,
}

/// How a field is written, and what it becomes in JSON.
pub(super) enum Form {
    Text,
    /// Becomes base64.
    Bytes,
    Int,
    Flag,
    /// Whole seconds.
    Time,
    /// Microseconds.
    MicroTime,
    /// JSON inside of a message of its own.
    Json,
    /// A map to texts.
    Texts,
    /// A map to bytes.
    Blobs,
    Message(&'static [Field]),
}

/// The object in a body; `None` when it is not one that we know how to read.
pub(super) fn object(body: &[u8]) -> Option<Value> {
    let envelope = read(body.strip_prefix(MAGIC)?, ENVELOPE)?;
    let text = |pointer: &str| envelope.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/typeMeta/apiVersion"), text("/typeMeta/kind"));
    let raw = STANDARD.decode(text("/raw")).ok()?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), version.into());
    object.insert("kind".to_owned(), kind.into());
    object.append(&mut read(&raw, message(version, kind)?)?.as_object().cloned()?);
    Some(Value::Object(object))
}

/// A field as it is on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn read(mut bytes: &[u8], fields: &[Field]) -> Option<Value> {
    let mut object = Map::new();
    while !bytes.is_empty() {
        let (number, wire) = next(&mut bytes)?;
        let (Some(field), Some(wire)) = (fields.iter().find(|field| field.number == number), wire) else {
            continue;
        };
        match &field.form {
            Form::Texts | Form::Blobs => {
                let (key, value) = pair(wire, &field.form)?;
                entry(&mut object, field.name, Value::Object(Map::new())).as_object_mut()?.insert(key, value);
            }
            form => {
                let value = value(wire, form)?;
                if field.many {
                    entry(&mut object, field.name, Value::Array(Vec::new())).as_array_mut()?.push(value);
                } else {
                    object.insert(field.name.to_owned(), value);
                }
            }
        }
    }
    Some(Value::Object(object))
}

fn entry<'a>(object: &'a mut Map<String, Value>, name: &str, empty: Value) -> &'a mut Value {
    object.entry(name).or_insert(empty)
}

fn value(wire: Wire<'_>, form: &Form) -> Option<Value> {
    Some(match (form, wire) {
        (Form::Text, Wire::Bytes(bytes)) => std::str::from_utf8(bytes).ok()?.into(),
        (Form::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        // Negative numbers are written as their two's complement.
        (Form::Int, Wire::Number(number)) => number.cast_signed().into(),
        (Form::Flag, Wire::Number(number)) => (number != 0).into(),
        (Form::Time, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%SZ")?,
        (Form::MicroTime, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        (Form::Json, Wire::Bytes(bytes)) => {
            let raw = read(bytes, messages::RAW)?;
            let json = STANDARD.decode(raw.get("raw")?.as_str()?).ok()?;
            serde_json::from_slice(&json).ok()?
        }
        (Form::Message(fields), Wire::Bytes(bytes)) => read(bytes, fields)?,
        _ => return None,
    })
}

/// A time; one that is not set is null.
fn time(bytes: &[u8], format: &str) -> Option<Value> {
    let read = read(bytes, messages::TIME)?;
    let part = |name: &str| read.get(name).and_then(Value::as_i64).unwrap_or(0);
    let (seconds, nanos) = (part("seconds"), i32::try_from(part("nanos")).ok()?);
    if (seconds, nanos) == (0, 0) {
        return Some(Value::Null);
    }
    Some(Timestamp::new(seconds, nanos).ok()?.strftime(format).to_string().into())
}

/// One entry of a map is a message of key and value.
fn pair(wire: Wire<'_>, form: &Form) -> Option<(String, Value)> {
    let Wire::Bytes(bytes) = wire else { return None };
    let fields = if matches!(form, Form::Blobs) { messages::BLOB_ENTRY } else { messages::TEXT_ENTRY };
    let mut entry = read(bytes, fields)?;
    let key = entry.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    let value = entry.get_mut("value").map_or_else(|| "".into(), Value::take);
    Some((key, value))
}

/// The next field; kinds of wire that no message here uses are skipped.
fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Option<Wire<'a>>)> {
    let tag = varint(bytes)?;
    let wire = match tag & 7 {
        0 => Some(Wire::Number(varint(bytes)?)),
        1 => take(bytes, 8).map(|_| None)?,
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Some(Wire::Bytes(take(bytes, length)?))
        }
        5 => take(bytes, 4).map(|_| None)?,
        _ => return None,
    };
    Some((tag >> 3, wire))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A field whose wire is bytes.
    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn body(version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw), bytes(3, b""), bytes(4, b"")].concat()
    }

    #[test]
    fn a_secret_is_read() {
        let label = [bytes(1, b"app"), bytes(2, b"db")].concat();
        let metadata =
            [bytes(1, b"db"), vec![7 << 3, 3], bytes(8, b""), bytes(11, &label), bytes(14, b"f")].concat();
        let data = [bytes(1, b"password"), bytes(2, b"\xff\x00")].concat();
        let raw =
            [bytes(1, &metadata), bytes(2, &data), bytes(3, b"Opaque"), vec![5 << 3, 1], bytes(15, b"?")];
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "db", "generation": 3, "creationTimestamp": null, "labels": {"app": "db"}, "finalizers": ["f"],
            },
            "data": {"password": "/wA="}, "type": "Opaque", "immutable": true,
        });
        assert_eq!(object(&body("v1", "Secret", &raw.concat())), Some(expected));
    }

    #[test]
    fn times_and_sets_of_fields_are_read() {
        let time = [vec![1 << 3, 0x80, 0x94, 0xeb, 0xdc, 0x03], vec![2 << 3, 0xe8, 0x07]].concat();
        let spec = [bytes(1, b"me"), bytes(4, &time)].concat();
        let entry = [bytes(1, b"m"), bytes(7, &bytes(1, br#"{"f:spec":{}}"#))].concat();
        let raw = [bytes(1, &bytes(17, &entry)), bytes(2, &spec)].concat();
        // 17 needs two bytes for its tag.
        let raw = fix_tag(&raw);
        let found = object(&body("coordination.k8s.io/v1", "Lease", &raw)).unwrap();
        assert_eq!(
            found["spec"],
            json!({"holderIdentity": "me", "renewTime": "2001-09-09T01:46:40.000001Z"})
        );
        assert_eq!(found["metadata"]["managedFields"], json!([{"manager": "m", "fieldsV1": {"f:spec": {}}}]));
    }

    /// `bytes` writes field numbers up to 15; this writes 17 in place of what it made of it.
    fn fix_tag(raw: &[u8]) -> Vec<u8> {
        let mut fixed = raw.to_vec();
        fixed[1] += 1;
        fixed.splice(2..3, [0x8a, 0x01]);
        fixed
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_refused() {
        let whole = body("v1", "Secret", &bytes(3, b"Opaque"));
        assert!(object(&whole).is_some());
        for length in 0..whole.len() - 4 {
            assert!(object(&whole[..length]).is_none_or(|found| found.get("type").is_none()), "{length}");
        }
        assert_eq!(object(&body("v1", "Pod", b"")), None);
        assert_eq!(object(b"{}"), None);
        assert_eq!(object(&[MAGIC, &[0xff; 20]].concat()), None);
    }
}
