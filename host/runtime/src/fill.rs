//! From a recipe to fields: draws, derivations, and literals put together, with the entropy of each. The recipe is hostile input: counts,
//! sizes, references, keys and emptiness are checked, and every fault names a position and never what stands there.

use std::collections::BTreeMap;

use zeroize::{Zeroize as _, Zeroizing};

use crate::bindings::generate::{Draw, Field, Output, Segment, Source};
use crate::derive::{Value, Work, derive};
use crate::description::{Description, Sensitivity};
use crate::draw::{DrawError, draw};
use crate::entropy::{Entropy, Trace};
use crate::error::{BadOutput, RandomError, RecipeFault};
use crate::grants::SecretBytes;
use crate::key_syntax::is_key;
use crate::random::Random;

const VALUES: usize = 256;
const FIELDS: usize = 256;
const SEGMENTS: usize = 1024;
/// What a Secret can hold, all fields together.
const BYTES: usize = 1 << 20;

/// One field that a generator made.
#[derive(Debug, Clone)]
pub struct GeneratedField {
    /// Its key, of a Secret's syntax.
    pub key: String,
    /// Its value.
    pub value: SecretBytes,
    /// How much is unknown about it; `None` where no draw of the host stands in it, so that nobody here can say.
    pub entropy: Option<Entropy>,
    /// How secret the component declared it; `Secret` where it declared nothing.
    pub sensitivity: Sensitivity,
}

/// Why a recipe gave no fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FillError {
    Bad(BadOutput),
    Random(RandomError),
}

impl From<BadOutput> for FillError {
    fn from(fault: BadOutput) -> Self {
        Self::Bad(fault)
    }
}

/// `keys` is how many private keys this call may still make.
pub(crate) fn fill(
    output: &Output,
    description: &Description,
    random: &mut Random<'_>,
    keys: u32,
) -> Result<Vec<GeneratedField>, FillError> {
    check(output, description)?;
    let values = values(&output.values, random, keys)?;
    let mut bytes = 0;
    let mut fields = Vec::with_capacity(output.fields.len());
    for (index, field) in output.fields.iter().enumerate() {
        let value = join(&field.value, &values, BYTES).map_err(|fault| at_field(index, fault))?;
        bytes += value.bytes.len();
        if value.bytes.is_empty() && !means_empty(&field.value) {
            return Err(invalid(index, "its value is empty").into());
        }
        if bytes > BYTES {
            return Err(invalid(index, "the fields together are larger than a Secret can be").into());
        }
        fields.push(GeneratedField {
            key: field.key.clone(),
            entropy: value.trace.entropy(),
            value: value.bytes.to_vec().into(),
            sensitivity: description.sensitivity(&field.key),
        });
    }
    Ok(fields)
}

/// Zeroes what of a recipe may be secret: its literals and its state.
pub(crate) fn wipe(output: &mut Output) {
    let derived = output.values.iter_mut().filter_map(|source| match source {
        Source::Derive(derivation) => Some(&mut derivation.parts),
        Source::Draw(_) => None,
    });
    let segments = derived.chain(output.fields.iter_mut().map(|field| &mut field.value));
    for segment in segments.flatten() {
        if let Segment::Literal(bytes) = segment {
            bytes.zeroize();
        }
    }
    if let Some(state) = &mut output.state {
        state.zeroize();
    }
}

/// What can be told before anything is drawn.
fn check(output: &Output, description: &Description) -> Result<(), BadOutput> {
    at_most("values", output.values.len(), VALUES)?;
    at_most("fields", output.fields.len(), FIELDS)?;
    let mut keys = BTreeMap::new();
    for (index, field) in output.fields.iter().enumerate() {
        check_key(index, field, description)?;
        if let Some(first) = keys.insert(&field.key, index) {
            return Err(BadOutput::DuplicateKey { what: "field", index, first });
        }
    }
    Ok(())
}

fn check_key(index: usize, field: &Field, description: &Description) -> Result<(), BadOutput> {
    if !is_key(&field.key) {
        return Err(invalid(index, "its key is not 1 to 253 of letters, digits, `-`, `.` and `_`"));
    }
    let declared = &description.fields;
    if !declared.is_empty() && !declared.iter().any(|doc| doc.name == field.key) {
        return Err(invalid(index, "its key was not declared"));
    }
    Ok(())
}

fn values(sources: &[Source], random: &mut Random<'_>, keys: u32) -> Result<Vec<Value>, FillError> {
    let mut work = Work::of_one_call();
    let mut keys_left = keys;
    let mut bytes = 0;
    let mut values: Vec<Value> = Vec::with_capacity(sources.len());
    for (index, source) in sources.iter().enumerate() {
        let value = match source {
            Source::Draw(Draw::Key(_)) if keys_left == 0 => Err(RecipeFault::Keys.into()),
            Source::Draw(recipe) => {
                keys_left -= u32::from(matches!(recipe, Draw::Key(_)));
                drawn(index, recipe, random)
            }
            Source::Derive(derivation) => join(&derivation.parts, &values, BYTES)
                .map_err(DrawError::Fault)
                .and_then(|input| derive(input, &derivation.via, random, &mut work)),
        };
        let value = value.map_err(|error| at_value(index, error))?;
        bytes += value.bytes.len();
        if bytes > 4 * BYTES {
            let fault = RecipeFault::Size("the values together are too large");
            return Err(at_value(index, fault.into()));
        }
        values.push(value);
    }
    Ok(values)
}

fn drawn(index: usize, recipe: &Draw, random: &mut Random<'_>) -> Result<Value, DrawError> {
    let drawn = draw(recipe, random)?;
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Ok(Value { bytes: drawn.bytes, trace: Trace::draw(index, drawn.entropy, drawn.fixed), key: drawn.key })
}

/// Literals and earlier values, one after the other, in one allocation.
fn join(segments: &[Segment], values: &[Value], limit: usize) -> Result<Value, RecipeFault> {
    if segments.len() > SEGMENTS {
        return Err(RecipeFault::Size("more than 1024 segments"));
    }
    let literal = Trace::literal();
    let mut parts: Vec<(&[u8], &Trace)> = Vec::with_capacity(segments.len());
    for segment in segments {
        parts.push(match segment {
            Segment::Literal(bytes) => (bytes, &literal),
            Segment::Value(to) => {
                let value = values.get(*to as usize).ok_or(RecipeFault::Forward { to: *to })?;
                (&value.bytes, &value.trace)
            }
        });
    }
    let size = parts.iter().map(|(bytes, _)| bytes.len()).sum();
    if size > limit {
        return Err(RecipeFault::Size("longer than 1 MiB"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for (part, _) in &parts {
        bytes.extend_from_slice(part);
    }
    let traces: Vec<&Trace> = parts.iter().map(|(_, trace)| *trace).collect();
    let key = match segments {
        [Segment::Value(index)] => values.get(*index as usize).and_then(|value| value.key),
        _ => None,
    };
    Ok(Value { bytes, trace: Trace::concatenation(&traces), key })
}

/// A guest that writes an empty literal passes on what its config says, as ESO's Fake does; emptiness of a value, or of nothing at all,
/// is a mistake.
fn means_empty(segments: &[Segment]) -> bool {
    !segments.is_empty() && segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
}

fn at_value(index: usize, error: DrawError) -> FillError {
    match error {
        DrawError::Fault(fault) => FillError::Bad(BadOutput::Value { index, fault }),
        DrawError::Random(error) => FillError::Random(error),
    }
}

fn at_field(index: usize, fault: RecipeFault) -> BadOutput {
    match fault {
        RecipeFault::Forward { .. } => invalid(index, "it refers to a value that does not exist"),
        _ => invalid(index, "it is longer than 1 MiB or has more than 1024 segments"),
    }
}

fn invalid(index: usize, detail: &'static str) -> BadOutput {
    BadOutput::Invalid { what: "field", index, detail }
}

pub(crate) fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), BadOutput> {
    if count > limit {
        return Err(BadOutput::TooMany { what, count, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
