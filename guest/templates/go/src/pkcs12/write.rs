//! A key and certificates to a file, as go-pkcs12 lays it out: the certificates encrypted, the key encrypted on its own,
//! a MAC over both. Which drawn bytes become which salt is part of the engine's promise.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::encrypted_data::EncryptedData;
use cms::enveloped_data::EncryptedContentInfo;
use der::asn1::{BmpString, Null, ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Encode, Sequence};
use pkcs12::pfx::Version;
use pkcs12::{CertBag, DigestInfo, MacData, Pfx};
use sha1::{Digest, Sha1};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{DATA, ENCRYPTED_DATA, Password, SHA256, SafeBag, ShroudedKey, bmp, cipher};
use crate::certificate::Certificate;
use crate::key::PrivateKey;
use crate::limits::Budget;
use crate::rule::Rule;

const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
/// What Java marks a certificate with that it trusts, and for what.
const JAVA_TRUST: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Bytes of a salt, and of a cipher's vector.
const SALT: usize = 16;

/// How many bytes [`write()`] takes, and [`write_truststore()`].
pub(crate) const DRAWN: usize = 5 * SALT;
pub(crate) const DRAWN_TRUSTSTORE: usize = 3 * SALT;

/// One attribute of a bag.
#[derive(Sequence)]
struct Attribute {
    id: ObjectIdentifier,
    values: Any,
}

/// A key with its certificate first and the others after it. Whether they belong together is not asked, as in ESO.
///
/// # Errors
/// If the password has a character outside of Unicode's basic plane, or the work is too much.
pub(crate) fn write(
    key: &PrivateKey,
    certificates: &[Certificate],
    password: &[u8],
    drawn: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule> {
    let mut writer = Writer { password: Password::new(password)?, drawn, budget };
    let own = certificates.first().map(|own| Sha1::digest(&own.der).to_vec()).unwrap_or_default();
    let own = [attribute(LOCAL_KEY_ID, &octets(&own)?)?];
    let (algorithm, encrypted) = writer.encrypt(&key.to_pkcs8()?)?;
    let shrouded = ShroudedKey { algorithm, encrypted: octets(&encrypted)? };
    let key = bag(pkcs12::PKCS_12_PKCS8_KEY_BAG_OID, &shrouded, &own)?;
    let bags = certificates.iter().enumerate().map(|(at, certificate)| {
        let attributes: &[Attribute] = if at == 0 { &own } else { &[] };
        certificate_bag(certificate, attributes)
    });
    let certificates = writer.encrypted(&bags.collect::<Result<Vec<_>, Rule>>()?)?;
    writer.finish(&[certificates, plain(&der(&vec![key])?)?])
}

/// Certificates that Java trusts, each under its subject's name.
///
/// # Errors
/// As [`write()`].
pub(crate) fn write_truststore(
    certificates: &[Certificate],
    password: &[u8],
    drawn: &[u8],
    budget: &mut Budget,
) -> Result<Vec<u8>, Rule> {
    let mut writer = Writer { password: Password::new(password)?, drawn, budget };
    let bags = certificates.iter().map(|certificate| {
        let name = BmpString::from_ucs2(bmp(&certificate.subject())?).map_err(|_| Rule::BadArgument)?;
        let attributes = [attribute(JAVA_TRUST, &ANY_USAGE)?, attribute(FRIENDLY_NAME, &name)?];
        certificate_bag(certificate, &attributes)
    });
    let certificates = writer.encrypted(&bags.collect::<Result<Vec<_>, Rule>>()?)?;
    writer.finish(&[certificates])
}

struct Writer<'w> {
    password: Password,
    drawn: &'w [u8],
    budget: &'w mut Budget,
}

impl Writer<'_> {
    fn salt(&mut self) -> Result<[u8; SALT], Rule> {
        let (salt, rest) = self.drawn.split_first_chunk().ok_or(Rule::Work)?;
        self.drawn = rest;
        Ok(*salt)
    }

    fn encrypt(&mut self, plain: &[u8]) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), Rule> {
        let (salt, vector) = (self.salt()?, self.salt()?);
        cipher::encrypt(plain, &self.password, &salt, vector, self.budget)
    }

    fn encrypted(&mut self, bags: &Vec<SafeBag>) -> Result<ContentInfo, Rule> {
        let (algorithm, encrypted) = self.encrypt(&der(bags)?)?;
        let content = EncryptedContentInfo {
            content_type: DATA,
            content_enc_alg: algorithm,
            encrypted_content: Some(octets(&encrypted)?),
        };
        let data =
            EncryptedData { version: CmsVersion::V0, enc_content_info: content, unprotected_attrs: None };
        Ok(ContentInfo { content_type: ENCRYPTED_DATA, content: any(&data)? })
    }

    fn finish(mut self, safe: &[ContentInfo]) -> Result<Vec<u8>, Rule> {
        let safe = der(&safe.to_vec())?;
        let salt = self.salt()?;
        let digest = cipher::authenticate(&safe, &self.password, &salt, self.budget)?;
        let algorithm = AlgorithmIdentifierOwned { oid: SHA256, parameters: Some(any(&Null)?) };
        let mac = DigestInfo { algorithm, digest: octets(&digest)? };
        let mac = MacData { mac, mac_salt: octets(&salt)?, iterations: cipher::ITERATIONS.into() };
        der(&Pfx { version: Version::V3, auth_safe: plain(&safe)?, mac_data: Some(mac) })
    }
}

fn plain(content: &[u8]) -> Result<ContentInfo, Rule> {
    Ok(ContentInfo { content_type: DATA, content: any(&octets(content)?)? })
}

fn certificate_bag(certificate: &Certificate, attributes: &[Attribute]) -> Result<SafeBag, Rule> {
    let value = CertBag { cert_id: pkcs12::PKCS_12_X509_CERT_OID, cert_value: octets(&certificate.der)? };
    bag(pkcs12::PKCS_12_CERT_BAG_OID, &value, attributes)
}

fn bag(id: ObjectIdentifier, value: &impl Encode, attributes: &[Attribute]) -> Result<SafeBag, Rule> {
    let attributes = match attributes {
        [] => None,
        some => Some(set(&some.iter().map(any).collect::<Result<Vec<_>, Rule>>()?)?),
    };
    Ok(SafeBag { id, value: any(value)?, attributes })
}

fn attribute(id: ObjectIdentifier, value: &impl Encode) -> Result<Attribute, Rule> {
    Ok(Attribute { id, values: set(&[any(value)?])? })
}

fn set(values: &[Any]) -> Result<Any, Rule> {
    any(&SetOfVec::try_from(values.to_vec()).map_err(|_| Rule::BadArgument)?)
}

fn octets(bytes: &[u8]) -> Result<OctetString, Rule> {
    OctetString::new(bytes).map_err(|_| Rule::Size)
}

fn any(value: &impl Encode) -> Result<Any, Rule> {
    der::Decode::from_der(&der(value)?).map_err(|_| Rule::BadArgument)
}

fn der(value: &impl Encode) -> Result<Vec<u8>, Rule> {
    value.to_der().map_err(|_| Rule::BadArgument)
}
