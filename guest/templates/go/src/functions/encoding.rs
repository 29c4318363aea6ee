//! Base64, base32 and hex. What cannot be decoded gives Go's error text as the *value*: ESO's users see that, and a
//! template that decodes a wrong key must not start to fail here. Encoding is the crates'; decoding is done here because
//! the text names the byte that Go stops at.

use super::arguments::text;
use super::{Context, Family, Function, Type, p};
use crate::format::quote::is_print;
use crate::limits::check_text;
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Encoding;

pub(super) const ROWS: &[Function] = &[
    F.pure("b64enc", &[p("text", Type::Text)], "string", "In base64.", b64enc),
    F.pure("b64dec", &[p("text", Type::Text)], "string", "From base64; an error text if it is none.", b64dec),
    F.pure("b32enc", &[p("text", Type::Text)], "string", "In base32.", b32enc),
    F.pure("b32dec", &[p("text", Type::Text)], "string", "From base32; an error text if it is none.", b32dec),
    F.pure(
        "hexdec",
        &[p("text", Type::Text)],
        "string",
        "From hexadecimal; an error text if it is none.",
        hexdec,
    ),
];

type Answer = Result<Value, Rule>;

fn b64enc(a: &[Value], _: &mut Context<'_>) -> Answer {
    let text = text(a, 0)?;
    check_text(text.len().saturating_mul(4) / 3)?;
    Ok(Value::text(data_encoding::BASE64.encode(text)))
}

fn b32enc(a: &[Value], _: &mut Context<'_>) -> Answer {
    let text = text(a, 0)?;
    check_text(text.len().saturating_mul(8) / 5)?;
    Ok(Value::text(data_encoding::BASE32.encode(text)))
}

fn b64dec(a: &[Value], _: &mut Context<'_>) -> Answer {
    let decoded = decode_base64(text(a, 0)?);
    Ok(decoded.map_or_else(|at| Value::text(format!("illegal base64 data at input byte {at}")), Value::text))
}

fn b32dec(a: &[Value], _: &mut Context<'_>) -> Answer {
    let digits: Vec<u8> = text(a, 0)?.iter().copied().filter(|byte| !is_newline(*byte)).collect();
    let decoded = decode_base32(&digits);
    Ok(decoded.map_or_else(|at| Value::text(format!("illegal base32 data at input byte {at}")), Value::text))
}

fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Go's decoder: newlines anywhere, padding required, stray bits ignored. The error is the byte that it stops at.
pub(crate) fn decode_base64(input: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(input.len() / 4 * 3);
    let mut at = 0;
    loop {
        let mut quantum = [0; 4];
        let mut filled = 0;
        while filled < 4 {
            let Some(&byte) = input.get(at) else {
                return if filled == 0 { Ok(out) } else { Err(at - filled) };
            };
            at += 1;
            match (base64_digit(byte), byte) {
                (Some(digit), _) => {
                    if let Some(place) = quantum.get_mut(filled) {
                        *place = digit;
                    }
                    filled += 1;
                }
                (None, b'\n' | b'\r') => {}
                (None, b'=') => {
                    padding(input, at, filled)?;
                    push_bits(&mut out, quantum, filled);
                    return Ok(out);
                }
                (None, _) => return Err(at - 1),
            }
        }
        push_bits(&mut out, quantum, filled);
    }
}

/// After the first `=`: as much more padding as the digits before it ask for, and nothing else.
fn padding(input: &[u8], mut at: usize, filled: usize) -> Result<(), usize> {
    let skip = |mut at: usize| {
        while input.get(at).copied().is_some_and(is_newline) {
            at += 1;
        }
        at
    };
    match filled {
        0 | 1 => return Err(at - 1),
        2 => {
            at = skip(at);
            match input.get(at) {
                None => return Err(input.len()),
                Some(b'=') => at += 1,
                Some(_) => return Err(at - 1),
            }
        }
        _ => {}
    }
    let end = skip(at);
    if end < input.len() { Err(end) } else { Ok(()) }
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn push_bits(out: &mut Vec<u8>, quantum: [u8; 4], filled: usize) {
    let bits = quantum.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit));
    out.extend(bits.to_be_bytes().iter().skip(1).take(filled.saturating_sub(1)));
}

/// Go's decoder, on digits without newlines.
fn decode_base32(input: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(input.len() / 8 * 5);
    let mut at = 0;
    while at < input.len() {
        let start = at;
        let (mut bits, mut digits) = (0u64, 0);
        while digits < 8 {
            let Some(&byte) = input.get(at) else {
                return Err(start);
            };
            at += 1;
            if byte == b'=' && digits >= 2 && input.len() - at < 8 {
                check_base32_padding(input, at, digits)?;
                bits <<= 5 * (8 - digits);
                out.extend(bits.to_be_bytes().iter().skip(3).take(digits * 5 / 8));
                return Ok(out);
            }
            bits = bits << 5 | u64::from(base32_digit(byte).ok_or(at - 1)?);
            digits += 1;
        }
        out.extend(bits.to_be_bytes().iter().skip(3));
    }
    Ok(out)
}

fn check_base32_padding(input: &[u8], at: usize, digits: usize) -> Result<(), usize> {
    let rest = input.get(at..).unwrap_or_default();
    if rest.len() + digits < 7 {
        return Err(input.len());
    }
    if let Some(wrong) = rest.iter().take(7 - digits).position(|byte| *byte != b'=') {
        return Err(at + wrong - 1);
    }
    if matches!(digits, 1 | 3 | 6) { Err(at - 1) } else { Ok(()) }
}

fn base32_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

fn hexdec(a: &[Value], _: &mut Context<'_>) -> Answer {
    let digits = text(a, 0)?;
    let mut out = Vec::with_capacity(digits.len() / 2);
    if let Some(wrong) = digits.iter().find(|byte| !byte.is_ascii_hexdigit()) {
        return Ok(Value::text(format!("encoding/hex: invalid byte: {}", code_point(*wrong))));
    }
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return Ok(Value::text("encoding/hex: odd length hex string"));
    }
    for [high, low] in pairs {
        let digit = |byte: u8| {
            char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
        };
        out.push(digit(*high) << 4 | digit(*low));
    }
    Ok(Value::text(out))
}

/// Go's `%#U` of a byte.
fn code_point(byte: u8) -> String {
    let c = char::from(byte);
    if is_print(c) { format!("U+{byte:04X} '{c}'") } else { format!("U+{byte:04X}") }
}
