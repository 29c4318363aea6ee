//! A file to what is in it: the key, the certificates in their order.

use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use der::asn1::OctetString;
use der::{Decode, Encode};
use pkcs12::{CertBag, Pfx};

use super::{DATA, ENCRYPTED_DATA, Password, SafeBag, ShroudedKey, cipher};
use crate::certificate::Certificate;
use crate::key::PrivateKey;
use crate::limits::{Budget, Costly};
use crate::rule::Rule;

/// What a file holds.
pub(crate) struct Content {
    pub(crate) key: PrivateKey,
    /// At least one; the first is the key's.
    pub(crate) certificates: Vec<Certificate>,
}

/// # Errors
/// If the password is wrong, the file is none, or it has not one key and a certificate.
pub(crate) fn read(file: &[u8], password: &[u8], budget: &mut Budget) -> Result<Content, Rule> {
    let pfx = Pfx::from_der(file).map_err(|_| Rule::Undecryptable)?;
    let password = Password::new(password)?;
    let safe = data(&pfx.auth_safe)?;
    let password = verified(&pfx, &safe, password, budget)?;
    let infos = Vec::<ContentInfo>::from_der(&safe).map_err(|_| Rule::Undecryptable)?;
    let (mut key, mut certificates) = (None, Vec::new());
    if !matches!(infos.len(), 1 | 2) {
        return Err(Rule::Undecryptable);
    }
    for info in &infos {
        let content = opened(info, &password, budget)?;
        for bag in Vec::<SafeBag>::from_der(&content).map_err(|_| Rule::Undecryptable)? {
            match bag.id {
                pkcs12::PKCS_12_CERT_BAG_OID => certificates.push(certificate(&bag)?),
                pkcs12::PKCS_12_KEY_BAG_OID | pkcs12::PKCS_12_PKCS8_KEY_BAG_OID if key.is_some() => {
                    return Err(Rule::Undecryptable);
                }
                pkcs12::PKCS_12_KEY_BAG_OID => {
                    budget.costly(Costly::ReadKey)?;
                    let der = bag.value.to_der().map_err(|_| Rule::Undecryptable)?;
                    key = Some(PrivateKey::of_pkcs8(&der)?);
                }
                pkcs12::PKCS_12_PKCS8_KEY_BAG_OID => key = Some(shrouded(&bag, &password, budget)?),
                _ => {}
            }
        }
    }
    match key {
        Some(key) if !certificates.is_empty() => Ok(Content { key, certificates }),
        _ => Err(Rule::Undecryptable),
    }
}

/// The password in the form that fits the MAC. A file without a MAC has no password.
fn verified(pfx: &Pfx, safe: &[u8], password: Password, budget: &mut Budget) -> Result<Password, Rule> {
    let Some(mac) = &pfx.mac_data else {
        return if password.is_empty() { Ok(password) } else { Err(Rule::Undecryptable) };
    };
    let verified = cipher::verify(mac, safe, &password, budget);
    match verified {
        Ok(()) => Ok(password),
        Err(Rule::Undecryptable) if password.is_empty() => {
            let password = Password::without_bytes();
            cipher::verify(mac, safe, &password, budget)?;
            Ok(password)
        }
        Err(rule) => Err(rule),
    }
}

fn data(info: &ContentInfo) -> Result<Vec<u8>, Rule> {
    if info.content_type != DATA {
        return Err(Rule::Undecryptable);
    }
    let content = info.content.decode_as::<OctetString>().map_err(|_| Rule::Undecryptable)?;
    Ok(content.into_bytes().into())
}

fn opened(info: &ContentInfo, password: &Password, budget: &mut Budget) -> Result<Vec<u8>, Rule> {
    if info.content_type != ENCRYPTED_DATA {
        return data(info);
    }
    let content = info.content.decode_as::<EncryptedData>().map_err(|_| Rule::Undecryptable)?;
    let content = content.enc_content_info;
    let encrypted = content.encrypted_content.ok_or(Rule::Undecryptable)?;
    cipher::decrypt(&content.content_enc_alg, encrypted.as_bytes(), password, budget)
}

fn certificate(bag: &SafeBag) -> Result<Certificate, Rule> {
    let bag = bag.value.decode_as::<CertBag>().map_err(|_| Rule::Undecryptable)?;
    if bag.cert_id != pkcs12::PKCS_12_X509_CERT_OID {
        return Err(Rule::Undecryptable);
    }
    Certificate::of_der(bag.cert_value.as_bytes())
}

fn shrouded(bag: &SafeBag, password: &Password, budget: &mut Budget) -> Result<PrivateKey, Rule> {
    let shrouded = bag.value.decode_as::<ShroudedKey>().map_err(|_| Rule::Undecryptable)?;
    let der = cipher::decrypt(&shrouded.algorithm, shrouded.encrypted.as_bytes(), password, budget)?;
    budget.costly(Costly::ReadKey)?;
    PrivateKey::of_pkcs8(&der)
}
