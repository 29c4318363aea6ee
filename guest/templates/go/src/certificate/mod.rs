//! X.509 certificates, as far as a template asks about them: which key identifiers they have, whom they name, how they
//! form a chain; and new ones. Nothing is verified: neither a signature nor a date. Parsing is x509-cert's, without its limit on the
//! length of serial numbers, which Go does not have.

mod chain;
mod make;

use std::net::{Ipv4Addr, Ipv6Addr};

use der::{Decode, Encode};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectAltName, SubjectKeyIdentifier};

pub(crate) use chain::ordered;
pub(crate) use make::{Signer, Wanted, make};

use crate::pem;
use crate::rule::Rule;

/// A certificate and the bytes that it was read from.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    parsed: CertificateInner<Raw>,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
}

impl Certificate {
    /// # Errors
    /// If it is no certificate; so for all that read.
    pub(crate) fn of_der(der: &[u8]) -> Result<Self, Rule> {
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| Rule::NotACertificate)?;
        let tbs = parsed.tbs_certificate();
        let subject = tbs.get_extension::<SubjectKeyIdentifier>().map_err(|_| Rule::NotACertificate)?;
        let authority = tbs.get_extension::<AuthorityKeyIdentifier>().map_err(|_| Rule::NotACertificate)?;
        let subject_key = subject.map(|(_, id)| id.0.as_bytes().to_vec());
        let authority_key = authority.and_then(|(_, id)| id.key_identifier).map(|id| id.as_bytes().to_vec());
        Ok(Self { der: der.to_vec(), parsed, subject_key, authority_key })
    }

    /// The first block, whatever its label.
    pub(crate) fn of_pem(text: &[u8]) -> Result<Self, Rule> {
        Self::of_der(&pem::first(text)?)
    }

    /// All blocks, whatever their labels; what stands between them is skipped.
    pub(crate) fn all_of_pem(mut text: &[u8]) -> Result<Vec<Self>, Rule> {
        let mut all = Vec::new();
        while let Some((block, rest)) = pem::decode(text) {
            all.push(Self::of_der(&block.bytes)?);
            text = rest;
        }
        Ok(all)
    }

    pub(crate) fn to_pem(&self) -> Vec<u8> {
        pem::encode(b"CERTIFICATE", &self.der)
    }

    /// Whether it says that nobody else signed it.
    pub(crate) fn is_root(&self) -> bool {
        self.authority_key.is_none() || self.authority_key == self.subject_key
    }

    /// Its alternative names as ESO lists them: DNS names, then addresses, e-mail addresses, URIs; other kinds are left out.
    pub(crate) fn names(&self) -> Result<Vec<String>, Rule> {
        let found = self.parsed.tbs_certificate().get_extension::<SubjectAltName>();
        let names = match found.map_err(|_| Rule::NotACertificate)? {
            Some((_, names)) => names.0,
            None => return Ok(Vec::new()),
        };
        let (mut dns, mut addresses, mut mail, mut uris) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for name in &names {
            match name {
                GeneralName::DnsName(name) => dns.push(name.to_string()),
                GeneralName::IpAddress(bytes) => addresses.push(address(bytes.as_bytes())?),
                GeneralName::Rfc822Name(name) => mail.push(name.to_string()),
                GeneralName::UniformResourceIdentifier(uri) => uris.push(uri.to_string()),
                GeneralName::OtherName(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EdiPartyName(_)
                | GeneralName::RegisteredId(_) => {}
            }
        }
        Ok([dns, addresses, mail, uris].concat())
    }

    /// Its subject, the most specific part first.
    pub(crate) fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// The public key: SubjectPublicKeyInfo, DER.
    pub(crate) fn public_key(&self) -> Result<Vec<u8>, Rule> {
        let info = self.parsed.tbs_certificate().subject_public_key_info();
        info.to_der().map_err(|_| Rule::NotACertificate)
    }
}

fn address(bytes: &[u8]) -> Result<String, Rule> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(bytes).to_string());
    }
    let bytes = <[u8; 16]>::try_from(bytes).map_err(|_| Rule::NotACertificate)?;
    Ok(Ipv6Addr::from(bytes).to_canonical().to_string())
}

#[cfg(test)]
mod tests;
