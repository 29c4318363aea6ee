//! ESO's PKCS#12 functions. Files go in as bytes and come out in base64, as in ESO.

use super::arguments::text;
use super::{Context, Family, Function, Parameter, Type, p};
use crate::certificate::{Certificate, ordered};
use crate::key::PrivateKey;
use crate::limits::Costly;
use crate::pem;
use crate::pkcs12::{Content, DRAWN, DRAWN_TRUSTSTORE, read, write, write_truststore};
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Pkcs12;

const PASSWORD: Parameter = p("password", Type::Text);
const FILE: Parameter = p("file", Type::Text);
const CERTIFICATES: Parameter = p("certificates", Type::Text);
const KEY: Parameter = p("key", Type::Text);

pub(super) const ROWS: &[Function] = &[
    F.pure("pkcs12key", &[FILE], "string", "The key of a file without a password, as PKCS#8 PEM.", key),
    F.pure("pkcs12keyPass", &[PASSWORD, FILE], "string", "The key of a file, as PKCS#8 PEM.", key_under),
    F.pure("pkcs12cert", &[FILE], "string", "The certificates of a file without a password.", certificates),
    F.pure(
        "pkcs12certPass",
        &[PASSWORD, FILE],
        "string",
        "The certificates of a file, the leaf first if they form a chain.",
        certificates_under,
    ),
    F.pure(
        "pemToPkcs12",
        &[CERTIFICATES, KEY],
        "string",
        "A file with a key and the first certificate, without a password, in base64.",
        |a, context| packed(a, context, false, false),
    )
    .drawing(),
    F.pure(
        "pemToPkcs12Pass",
        &[CERTIFICATES, KEY, PASSWORD],
        "string",
        "A file with a key and the first certificate, in base64.",
        |a, context| packed(a, context, false, true),
    )
    .drawing(),
    F.pure(
        "fullPemToPkcs12",
        &[CERTIFICATES, KEY],
        "string",
        "A file with a key and all certificates, without a password, in base64.",
        |a, context| packed(a, context, true, false),
    )
    .drawing(),
    F.pure(
        "fullPemToPkcs12Pass",
        &[CERTIFICATES, KEY, PASSWORD],
        "string",
        "A file with a key and all certificates, in base64.",
        |a, context| packed(a, context, true, true),
    )
    .drawing(),
    F.pure(
        "pemTruststoreToPKCS12",
        &[CERTIFICATES],
        "string",
        "A Java trust store with the certificates, without a password, in base64.",
        |a, context| truststore(a, context, false),
    )
    .drawing(),
    F.pure(
        "pemTruststoreToPKCS12Pass",
        &[CERTIFICATES, PASSWORD],
        "string",
        "A Java trust store with the certificates, in base64.",
        |a, context| truststore(a, context, true),
    )
    .drawing(),
];

type Answer = Result<Value, Rule>;

fn key(a: &[Value], context: &mut Context<'_>) -> Answer {
    key_of(&read(text(a, 0)?, b"", &mut context.budget)?)
}

fn key_under(a: &[Value], context: &mut Context<'_>) -> Answer {
    key_of(&read(text(a, 1)?, text(a, 0)?, &mut context.budget)?)
}

fn key_of(content: &Content) -> Answer {
    Ok(Value::text(pem::encode(b"PRIVATE KEY", &content.key.to_pkcs8()?)))
}

fn certificates(a: &[Value], context: &mut Context<'_>) -> Answer {
    let content = read(text(a, 0)?, b"", &mut context.budget)?;
    certificates_of(&content, context)
}

fn certificates_under(a: &[Value], context: &mut Context<'_>) -> Answer {
    let content = read(text(a, 1)?, text(a, 0)?, &mut context.budget)?;
    certificates_of(&content, context)
}

/// What is no chain stays in the file's order.
fn certificates_of(content: &Content, context: &mut Context<'_>) -> Answer {
    let chain = match ordered(&content.certificates, &mut context.budget) {
        Err(Rule::NotAChain) => content.certificates.clone(),
        ordered => ordered?,
    };
    Ok(Value::text(chain.iter().flat_map(Certificate::to_pem).collect::<Vec<u8>>()))
}

fn packed(a: &[Value], context: &mut Context<'_>, all: bool, under_password: bool) -> Answer {
    let certificates = if all { back_to_back(text(a, 0)?)? } else { vec![Certificate::of_pem(text(a, 0)?)?] };
    let password: &[u8] = if under_password { text(a, 2)? } else { b"" };
    context.budget.costly(Costly::ReadKey)?;
    let key = PrivateKey::of_any(&pem::first(text(a, 1)?)?)?;
    let drawn = context.draw(DRAWN)?;
    let file = write(&key, &certificates, password, &drawn, &mut context.budget)?;
    Ok(Value::text(data_encoding::BASE64.encode(&file)))
}

fn truststore(a: &[Value], context: &mut Context<'_>, under_password: bool) -> Answer {
    let certificates = back_to_back(text(a, 0)?)?;
    let password: &[u8] = if under_password { text(a, 1)? } else { b"" };
    let drawn = context.draw(DRAWN_TRUSTSTORE)?;
    let file = write_truststore(&certificates, password, &drawn, &mut context.budget)?;
    Ok(Value::text(data_encoding::BASE64.encode(&file)))
}

/// At least one certificate, and nothing after the last: not even an empty line, as in ESO.
fn back_to_back(mut pem: &[u8]) -> Result<Vec<Certificate>, Rule> {
    let mut certificates = Vec::new();
    loop {
        let (block, rest) = pem::decode(pem).ok_or(Rule::NotPem)?;
        certificates.push(Certificate::of_der(&block.bytes)?);
        if rest.is_empty() {
            return Ok(certificates);
        }
        pem = rest;
    }
}
