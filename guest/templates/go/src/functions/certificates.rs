//! sprig's makers of private keys and certificates. The host makes the keys, except DSA's; a maker without a key of its own
//! takes RSA of 2048 bits.

use std::net::IpAddr;
use std::rc::Rc;

use rand_core::{TryCryptoRng, TryRng};

use super::arguments::{any, int, list, text};
use super::encoding::decode_base64;
use super::{Context, Family, Function, Parameter, Type, p};
use crate::certificate::{Certificate, Signer, Wanted, make};
use crate::draw::KeyKind;
use crate::key::{PrivateKey, dsa};
use crate::limits::Costly;
use crate::object::Object;
use crate::pem;
use crate::rule::Rule;
use crate::text::Text;
use crate::value::Value;

const F: Family = Family::Certificates;

const NAME: Parameter = p("name", Type::Text);
const ADDRESSES: Parameter = p("addresses", Type::List);
const NAMES: Parameter = p("names", Type::List);
const DAYS: Parameter = p("days", Type::Int);
const AUTHORITY: Parameter = p("authority", Type::Certificate);
const KEY: Parameter = p("key", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "genPrivateKey",
        &[p("kind", Type::Text)],
        "string",
        "A private key in PEM: `rsa` (4096 bits), `ecdsa` (P-256), `ed25519` or `dsa`; an error text for others.",
        private_key,
    )
    .drawing(),
    F.pure(
        "buildCustomCert",
        &[p("certificate", Type::Text), KEY],
        "certificate",
        "A certificate and its key from PEM in base64.",
        custom,
    ),
    F.pure("genCA", &[NAME, DAYS], "certificate", "A certificate authority with a new key.", authority)
        .drawing(),
    F.pure(
        "genCAWithKey",
        &[NAME, DAYS, KEY],
        "certificate",
        "A certificate authority for a key in PEM.",
        authority_of,
    )
    .drawing(),
    F.pure(
        "genSelfSignedCert",
        &[NAME, ADDRESSES, NAMES, DAYS],
        "certificate",
        "A certificate with a new key, signed by itself.",
        self_signed,
    )
    .drawing(),
    F.pure(
        "genSelfSignedCertWithKey",
        &[NAME, ADDRESSES, NAMES, DAYS, KEY],
        "certificate",
        "A certificate for a key in PEM, signed by itself.",
        self_signed_of,
    )
    .drawing(),
    F.pure(
        "genSignedCert",
        &[NAME, ADDRESSES, NAMES, DAYS, AUTHORITY],
        "certificate",
        "A certificate with a new key, signed by an authority.",
        signed,
    )
    .drawing(),
    F.pure(
        "genSignedCertWithKey",
        &[NAME, ADDRESSES, NAMES, DAYS, AUTHORITY, KEY],
        "certificate",
        "A certificate for a key in PEM, signed by an authority.",
        signed_of,
    )
    .drawing(),
];

type Answer = Result<Value, Rule>;

const NANOS_OF_A_DAY: i64 = 86_400_000_000_000;
const NANOS_OF_A_SECOND: i64 = 1_000_000_000;

impl Context<'_> {
    fn made(&mut self, kind: KeyKind) -> Result<Vec<u8>, Rule> {
        self.budget.key()?;
        Ok(self.draw.key(self.stream, kind))
    }

    /// A new RSA key.
    fn new_key(&mut self) -> Result<PrivateKey, Rule> {
        let der = self.made(KeyKind::Rsa2048)?;
        self.budget.costly(Costly::ReadKey)?;
        PrivateKey::of_pkcs8(&der)
    }

    fn key_of(&mut self, pem: &[u8]) -> Result<PrivateKey, Rule> {
        self.budget.costly(Costly::ReadKey)?;
        PrivateKey::of_pem(pem)
    }
}

/// The template's stream as a source for the dsa crate.
struct Source<'s, 'c>(&'s mut Context<'c>);

impl TryRng for Source<'_, '_> {
    type Error = Rule;

    fn try_next_u32(&mut self) -> Result<u32, Rule> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Rule> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Rule> {
        buffer.copy_from_slice(&self.0.draw(buffer.len())?);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_, '_> {}

fn private_key(a: &[Value], context: &mut Context<'_>) -> Answer {
    let kind = match &**text(a, 0)? {
        b"" | b"rsa" => KeyKind::Rsa4096,
        b"ecdsa" => KeyKind::EcdsaP256,
        b"ed25519" => KeyKind::Ed25519,
        b"dsa" => {
            context.budget.costly(Costly::Curve)?;
            return dsa::make(&mut Source(context)).map(Value::text);
        }
        other => return Ok(Value::text([b"Unknown type ".as_slice(), other].concat())),
    };
    PrivateKey::pem_of_made(&context.made(kind)?).map(Value::text)
}

/// Whether the two belong together is not asked, as in sprig.
fn custom(a: &[Value], context: &mut Context<'_>) -> Answer {
    let cert = decode_base64(text(a, 0)?).map_err(|_| Rule::BadArgument)?;
    let key = decode_base64(text(a, 1)?).map_err(|_| Rule::BadArgument)?;
    Certificate::of_pem(&cert)?;
    context.key_of(&key)?;
    Ok(certificate(cert.into(), key.into()))
}

fn authority(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.new_key()?;
    authority_with(a, context, &key)
}

fn authority_of(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.key_of(text(a, 2)?)?;
    authority_with(a, context, &key)
}

fn authority_with(a: &[Value], context: &mut Context<'_>, key: &PrivateKey) -> Answer {
    let wanted = wanted(text(a, 0)?, &[], &[], int(a, 1)?, context)?;
    finished(&Wanted { authority: true, ..wanted }, key, &Signer::Itself, context)
}

fn self_signed(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.new_key()?;
    let wanted = wanted(text(a, 0)?, list(a, 1)?, list(a, 2)?, int(a, 3)?, context)?;
    finished(&wanted, &key, &Signer::Itself, context)
}

fn self_signed_of(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.key_of(text(a, 4)?)?;
    let wanted = wanted(text(a, 0)?, list(a, 1)?, list(a, 2)?, int(a, 3)?, context)?;
    finished(&wanted, &key, &Signer::Itself, context)
}

fn signed(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.new_key()?;
    signed_with(a, context, &key)
}

fn signed_of(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = context.key_of(text(a, 5)?)?;
    signed_with(a, context, &key)
}

fn signed_with(a: &[Value], context: &mut Context<'_>, key: &PrivateKey) -> Answer {
    let Value::Object(object) = any(a, 4)? else {
        return Err(Rule::ArgumentType);
    };
    let Object::Certificate { cert, key: signing } = &**object else {
        return Err(Rule::ArgumentType);
    };
    let authority = Certificate::of_pem(cert)?;
    let signing = context.key_of(signing)?;
    let wanted = wanted(text(a, 0)?, list(a, 1)?, list(a, 2)?, int(a, 3)?, context)?;
    finished(&wanted, key, &Signer::Authority(&authority, &signing), context)
}

/// From the time of the rotation, for so many days; the span wraps like Go's.
fn wanted(
    name: &[u8],
    addresses: &[Value],
    names: &[Value],
    days: i64,
    context: &mut Context<'_>,
) -> Result<Wanted, Rule> {
    let now = context.now();
    let span = NANOS_OF_A_DAY.wrapping_mul(days).div_euclid(NANOS_OF_A_SECOND);
    let addresses =
        addresses.iter().map(|address| utf8(address)?.parse::<IpAddr>().map_err(|_| Rule::BadArgument));
    let names = names.iter().map(|name| utf8(name).map(str::to_owned));
    Ok(Wanted {
        common_name: std::str::from_utf8(name).map_err(|_| Rule::BadArgument)?.to_owned(),
        addresses: addresses.collect::<Result<_, _>>()?,
        names: names.collect::<Result<_, _>>()?,
        not_before: now,
        not_after: now.checked_add_signed(span).ok_or(Rule::BadArgument)?,
        serial: context.draw(16)?.try_into().map_err(|_| Rule::Work)?,
        authority: false,
    })
}

fn utf8(value: &Value) -> Result<&str, Rule> {
    match value {
        Value::Text(text) => std::str::from_utf8(text).map_err(|_| Rule::BadArgument),
        _ => Err(Rule::ArgumentType),
    }
}

fn finished(wanted: &Wanted, key: &PrivateKey, signer: &Signer<'_>, context: &mut Context<'_>) -> Answer {
    context.budget.costly(match signer {
        Signer::Itself => key.cost(),
        Signer::Authority(_, signing) => signing.cost(),
    })?;
    let cert = pem::encode(b"CERTIFICATE", &make(wanted, key, signer)?);
    Ok(certificate(cert.into(), key.to_pem()?.into()))
}

fn certificate(cert: Text, key: Text) -> Value {
    Value::Object(Rc::new(Object::Certificate { cert, key }))
}
