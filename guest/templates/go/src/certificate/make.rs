//! Making certificates, as sprig has Go make them: what the subject is called, how long it is good, who signs.
//!
//! Signatures are deterministic (PKCS#1 v1.5, RFC 6979, Ed25519), so the same key, time and serial number give the same
//! certificate. Encoding and signing are the RustCrypto crates'.

use std::net::IpAddr;
use std::time::Duration;

use der::asn1::Utf8StringRef;
use der::asn1::{
    Any, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString, PrintableStringRef, SetOfVec,
};
use der::{Decode, Encode};
use rsa::pkcs1v15;
use sha2::{Digest, Sha256};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::Certificate;
use crate::key::PrivateKey;
use crate::rule::Rule;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Bytes of a key's identifier.
const IDENTIFIER: usize = 20;

/// What a certificate is to say.
pub(crate) struct Wanted {
    pub(crate) common_name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) names: Vec<String>,
    /// Seconds since 1970.
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    pub(crate) serial: [u8; 16],
    /// Whether it may sign others.
    pub(crate) authority: bool,
}

/// Who signs.
pub(crate) enum Signer<'s> {
    Itself,
    Authority(&'s Certificate, &'s PrivateKey),
}

/// The certificate for the public half of `key`, as DER.
///
/// # Errors
/// If a name or a date cannot be written, the key is DSA, or the authority's key is not its certificate's.
pub(crate) fn make(wanted: &Wanted, key: &PrivateKey, signer: &Signer<'_>) -> Result<Vec<u8>, Rule> {
    let public = key.public()?;
    let subject = subject(&wanted.common_name)?;
    let (issuer, identifier, signing) = match signer {
        Signer::Itself => (subject.clone(), None, key),
        Signer::Authority(certificate, signing) => {
            if certificate.public_key()? != signing.public()? {
                return Err(Rule::NotAKey);
            }
            let issuer = certificate.parsed.tbs_certificate().subject().clone();
            let identifier = certificate.subject_key.clone().filter(|id| !id.is_empty() && issuer != subject);
            (issuer, identifier, *signing)
        }
    };
    let info = SubjectPublicKeyInfoOwned::from_der(&public).map_err(|_| Rule::NotAKey)?;
    let extensions = extensions(wanted, &subject, &info, identifier)?;
    let profile = Profile { subject, issuer, extensions };
    let serial = SerialNumber::new(&wanted.serial).map_err(|_| Rule::BadArgument)?;
    let validity = Validity::new(time(wanted.not_before)?, time(wanted.not_after)?);
    let builder = CertificateBuilder::new(profile, serial, validity, info).map_err(|_| Rule::BadArgument)?;
    signed(builder, signing)
}

fn signed(builder: CertificateBuilder<Profile>, key: &PrivateKey) -> Result<Vec<u8>, Rule> {
    let certificate = match key {
        PrivateKey::Rsa(key) => {
            let signer = pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
            builder.build::<_, pkcs1v15::Signature>(&signer)
        }
        PrivateKey::P256(key) => {
            builder.build::<_, p256::ecdsa::DerSignature>(&p256::ecdsa::SigningKey::from(key))
        }
        PrivateKey::P384(key) => {
            builder.build::<_, p384::ecdsa::DerSignature>(&p384::ecdsa::SigningKey::from(key))
        }
        PrivateKey::P521(key) => {
            builder.build::<_, p521::ecdsa::DerSignature>(&p521::ecdsa::SigningKey::from(key))
        }
        PrivateKey::Ed25519(key) => builder.build::<_, ed25519_dalek::Signature>(&**key),
        PrivateKey::Dsa => return Err(Rule::NotAKey),
    };
    certificate.ok().and_then(|certificate| certificate.to_der().ok()).ok_or(Rule::BadArgument)
}

/// What the builder asks for, made before.
struct Profile {
    subject: Name,
    issuer: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

/// A common name alone, or nothing; a PrintableString where that is enough.
fn subject(common_name: &str) -> Result<Name, Rule> {
    if common_name.is_empty() {
        return Ok(Name::default());
    }
    let value = match PrintableStringRef::new(common_name) {
        Ok(printable) => Any::from(printable),
        Err(_) => Any::from(Utf8StringRef::new(common_name).map_err(|_| Rule::BadArgument)?),
    };
    let attribute = AttributeTypeAndValue { oid: COMMON_NAME, value };
    let set = SetOfVec::try_from(vec![attribute]).map_err(|_| Rule::BadArgument)?;
    let sequence = RdnSequence::from(vec![RelativeDistinguishedName::from(set)]);
    Ok(Name::hazmat_from_rdn_sequence(sequence))
}

fn time(seconds: u64) -> Result<Time, Rule> {
    let time = GeneralizedTime::from_unix_duration(Duration::from_secs(seconds));
    time.map(Time::GeneralTime).map_err(|_| Rule::BadArgument)
}

/// In Go's order.
fn extensions(
    wanted: &Wanted,
    subject: &Name,
    info: &SubjectPublicKeyInfoOwned,
    authority: Option<Vec<u8>>,
) -> Result<Vec<Extension>, Rule> {
    let mut usages = KeyUsages::KeyEncipherment | KeyUsages::DigitalSignature;
    if wanted.authority {
        usages |= KeyUsages::KeyCertSign;
    }
    let constraints = BasicConstraints { ca: wanted.authority, path_len_constraint: None };
    let mut extensions = vec![
        extension(true, &KeyUsage(usages))?,
        extension(false, &ExtendedKeyUsage(vec![SERVER, CLIENT]))?,
        extension(true, &constraints)?,
    ];
    if wanted.authority {
        extensions.push(extension(false, &SubjectKeyIdentifier(octets(&identifier(info))?))?);
    }
    if let Some(id) = authority {
        let id = AuthorityKeyIdentifier { key_identifier: Some(octets(&id)?), ..Default::default() };
        extensions.push(extension(false, &id)?);
    }
    let names = names(wanted)?;
    if !names.is_empty() {
        extensions.push(extension(subject.is_empty(), &SubjectAltName(names))?);
    }
    Ok(extensions)
}

/// RFC 7093's first method, Go's since 1.25.
fn identifier(info: &SubjectPublicKeyInfoOwned) -> Vec<u8> {
    let digest = Sha256::digest(info.subject_public_key.raw_bytes());
    digest.iter().copied().take(IDENTIFIER).collect()
}

fn names(wanted: &Wanted) -> Result<Vec<GeneralName>, Rule> {
    let mut names = Vec::with_capacity(wanted.names.len() + wanted.addresses.len());
    for name in &wanted.names {
        names.push(GeneralName::DnsName(Ia5String::new(name).map_err(|_| Rule::BadArgument)?));
    }
    for address in &wanted.addresses {
        let bytes = match address.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        names.push(GeneralName::IpAddress(octets(&bytes)?));
    }
    Ok(names)
}

fn extension<E>(critical: bool, content: &E) -> Result<Extension, Rule>
where
    for<'e> (bool, &'e E): ToExtension,
{
    (critical, content).to_extension(&Name::default(), &[]).map_err(|_| Rule::BadArgument)
}

fn octets(bytes: &[u8]) -> Result<OctetString, Rule> {
    OctetString::new(bytes).map_err(|_| Rule::Size)
}
