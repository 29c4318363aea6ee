//! ESO's readers of PEM blocks, certificate chains and JSON Web Keys.

use super::arguments::text;
use super::{Context, Family, Function, Parameter, Type, p};
use crate::certificate::{Certificate, ordered};
use crate::key::jwk;
use crate::pem::{decode, encode};
use crate::rule::Rule;
use crate::text::{Buffer, Text};
use crate::value::Value;

const F: Family = Family::Pem;

const PEM: Parameter = p("pem", Type::Text);
const JWK: &[Parameter] = &[p("jwk", Type::Text)];

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "filterPEM",
        &[p("label", Type::Text), PEM],
        "string",
        "The PEM blocks with that label; upper and lower case are the same.",
        filter_pem,
    ),
    F.pure(
        "filterCertChain",
        &[p("kind", Type::Text), PEM],
        "string",
        "The `leaf`, `intermediate` or `root` certificates of a chain, which is put in order first.",
        filter_chain,
    ),
    F.pure(
        "certSANs",
        &[PEM],
        "[]string",
        "The alternative names of the first certificate: DNS names, addresses, e-mail addresses, URIs.",
        names,
    ),
    F.pure("jwkPublicKeyPem", JWK, "string", "The public key in a JSON Web Key, as PEM.", jwk_public),
    F.pure(
        "jwkPrivateKeyPem",
        JWK,
        "string",
        "The private key in a JSON Web Key, as PKCS#8 PEM.",
        jwk_private,
    ),
];

type Answer = Result<Value, Rule>;

/// Something that is no block is an error only if it comes last and nothing was found.
fn filter_pem(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (label, mut rest): (_, &[u8]) = (text(a, 0)?, text(a, 1)?);
    context.budget.bytes(rest.len())?;
    let wanted = String::from_utf8_lossy(label).to_lowercase();
    let mut out = Buffer::default();
    while let Some((block, after)) = decode(rest) {
        if String::from_utf8_lossy(&block.label).to_lowercase() == wanted {
            block.write(&mut out);
        }
        rest = after;
    }
    if out.len() == 0 && !out.is_full() && !rest.is_empty() {
        return Err(Rule::NotPem);
    }
    out.into_text().map(Value::Text)
}

fn filter_chain(a: &[Value], context: &mut Context<'_>) -> Answer {
    context.budget.bytes(text(a, 1)?.len())?;
    let chain = ordered(&Certificate::all_of_pem(text(a, 1)?)?, &mut context.budget)?;
    let chosen: Vec<&Certificate> = match &**text(a, 0)? {
        b"leaf" => chain.first().filter(|leaf| !leaf.is_root()).into_iter().collect(),
        b"intermediate" => chain.iter().skip(1).take_while(|certificate| !certificate.is_root()).collect(),
        b"root" => chain.last().filter(|last| last.is_root()).into_iter().collect(),
        _ => Vec::new(),
    };
    let pem: Vec<u8> = chosen.into_iter().flat_map(Certificate::to_pem).collect();
    Ok(Value::text(pem))
}

fn names(a: &[Value], context: &mut Context<'_>) -> Answer {
    context.budget.bytes(text(a, 0)?.len())?;
    let names = Certificate::of_pem(text(a, 0)?)?.names()?;
    Value::texts(names.into_iter().map(Text::from).collect())
}

fn jwk_public(a: &[Value], context: &mut Context<'_>) -> Answer {
    let der = jwk::public(text(a, 0)?, &mut context.budget)?;
    Ok(Value::text(encode(b"PUBLIC KEY", &der)))
}

fn jwk_private(a: &[Value], context: &mut Context<'_>) -> Answer {
    let key = jwk::private(text(a, 0)?, &mut context.budget)?;
    Ok(Value::text(encode(b"PRIVATE KEY", &key.to_pkcs8()?)))
}
