//! Hashes of passwords, and passwords from a master password.

use bcrypt::Version;
use hmac::{Hmac, KeyInit, Mac};
use scrypt::{Params, scrypt};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::arguments::{any, text};
use super::{Context, Family, Function, Type, p};
use crate::limits::Costly;
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Passwords;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "bcrypt",
        &[p("password", Type::Text)],
        "string",
        "The bcrypt hash, of cost 10; an error text for more than 72 bytes.",
        bcrypt_hash,
    )
    .drawing(),
    F.pure(
        "htpasswd",
        &[p("user", Type::Text), p("password", Type::Text), p("hash", Type::Text)],
        "string",
        "A line of an htpasswd file; the hash is `sha`, or else bcrypt.",
        htpasswd,
    )
    .drawing(),
    F.pure(
        "derivePassword",
        &[
            p("counter", Type::Uint32),
            p("kind", Type::Text),
            p("password", Type::Text),
            p("user", Type::Text),
            p("site", Type::Text),
        ],
        "string",
        "A site's password by the Master Password algorithm; kinds: maximum, long, medium, short, basic, pin.",
        derive,
    ),
];

type Answer = Result<Value, Rule>;

const COST: u32 = 10;
const BCRYPT_BYTES: usize = 72;
const TOO_LONG: &str = "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";

fn bcrypt_hash(a: &[Value], context: &mut Context<'_>) -> Answer {
    hash(text(a, 0)?, context).map(Value::text)
}

fn hash(password: &[u8], context: &mut Context<'_>) -> Result<String, Rule> {
    if password.len() > BCRYPT_BYTES {
        return Ok(TOO_LONG.to_owned());
    }
    context.budget.costly(Costly::Bcrypt)?;
    let salt = context.draw(16)?.try_into().map_err(|_| Rule::Work)?;
    let hashed = bcrypt::hash_with_salt(password, COST, salt).map_err(|_| Rule::BadArgument)?;
    Ok(hashed.format_for_version(Version::TwoA))
}

fn htpasswd(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (user, password) = (text(a, 0)?, text(a, 1)?);
    if user.contains(&b':') {
        return Ok(Value::text([b"invalid username: ".as_slice(), user].concat()));
    }
    let hashed = match &**text(a, 2)? {
        b"sha" => format!("{{SHA}}{}", data_encoding::BASE64.encode(&Sha1::digest(&**password))),
        _ => hash(password, context)?,
    };
    Ok(Value::text([user, b":".as_slice(), hashed.as_bytes()].concat()))
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// The patterns of each kind; a letter is a class of characters.
fn patterns(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(letter: char) -> &'static str {
    match letter {
        'V' => "AEIOU",
        'C' => "BCDFGHJKLMNPQRSTVWXYZ",
        'v' => "aeiou",
        'c' => "bcdfghjklmnpqrstvwxyz",
        'a' => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => "0123456789",
        'o' => "@&%?,=[]_:-+*$#!'^~;()/.",
        _ => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn derive(a: &[Value], context: &mut Context<'_>) -> Answer {
    let counter = match any(a, 0)? {
        Value::Int(counter, _) => u32::try_from(*counter).map_err(|_| Rule::ArgumentType)?,
        _ => return Err(Rule::ArgumentType),
    };
    let (kind, user, site) = (text(a, 1)?, text(a, 3)?, text(a, 4)?);
    let Some(patterns) = patterns(kind) else {
        return Ok(Value::text([b"cannot find password template ".as_slice(), kind].concat()));
    };
    context.budget.costly(Costly::Scrypt)?;
    let mut key = [0; 64];
    let parameters = Params::new(15, 8, 2).map_err(|_| Rule::BadArgument)?;
    scrypt(text(a, 2)?, &[SEED, &length(user), user].concat(), &parameters, &mut key)
        .map_err(|_| Rule::BadArgument)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Rule::BadArgument)?;
    for part in [SEED, &length(site), site, &counter.to_be_bytes()] {
        mac.update(part);
    }
    let seed = mac.finalize().into_bytes();
    let mut bytes = seed.iter().copied().map(usize::from);
    let choice = bytes.next().unwrap_or_default();
    let pattern = patterns.get(choice % patterns.len()).copied().unwrap_or_default();
    let picked = pattern.chars().zip(bytes).filter_map(|(letter, byte)| {
        let class = class(letter);
        class.chars().nth(byte % class.len())
    });
    Ok(Value::text(picked.collect::<String>()))
}

/// A text's length as Go writes it before the text.
fn length(text: &[u8]) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes()
}
