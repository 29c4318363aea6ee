//! Digests, in hexadecimal.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::text;
use super::{Context, Family, Function, Parameter, Type, p};
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Hash;

const TEXT: &[Parameter] = &[p("text", Type::Text)];

pub(super) const ROWS: &[Function] = &[
    F.pure("sha1sum", TEXT, "string", "SHA-1 in hexadecimal.", sha1sum),
    F.pure("sha256sum", TEXT, "string", "SHA-256 in hexadecimal.", sha256sum),
    F.pure("sha512sum", TEXT, "string", "SHA-512 in hexadecimal.", sha512sum),
    F.pure("adler32sum", TEXT, "string", "Adler-32, as a decimal number.", adler32sum),
];

type Answer = Result<Value, Rule>;

fn sha1sum(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(hex(&Sha1::digest(&**text(a, 0)?)))
}

fn sha256sum(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(hex(&Sha256::digest(&**text(a, 0)?)))
}

fn sha512sum(a: &[Value], _: &mut Context<'_>) -> Answer {
    Ok(hex(&Sha512::digest(&**text(a, 0)?)))
}

fn hex(digest: &[u8]) -> Value {
    Value::text(data_encoding::HEXLOWER.encode(digest))
}

fn adler32sum(a: &[Value], _: &mut Context<'_>) -> Answer {
    const MODULUS: u32 = 65_521;
    let (low, high) = text(a, 0)?.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    Ok(Value::text((high << 16 | low).to_string()))
}
