//! The certificate that admission is served with, and the authority that the API server is to trust.
//!
//! Each certificate has an authority of its own, whose key is forgotten as soon as it has signed: nothing that is kept can sign another.
//! A new pair therefore brings a new authority, and keeps the one before it in the bundle for as long as other replicas may still serve
//! the certificate before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};
use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long a pair is valid.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 365);
/// It is renewed when it has less than that left.
const RESERVE: SignedDuration = SignedDuration::from_hours(24 * 120);
/// What a Secret of type `kubernetes.io/tls` calls them.
const AUTHORITIES: &str = "ca.crt";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Why there is no certificate.
#[derive(Debug, Error)]
pub(super) enum CertificateError {
    /// It could not be made.
    #[error("make a certificate for admission")]
    Make(#[source] rcgen::Error),
    /// TLS does not take it.
    #[error("serve admission with its certificate")]
    Serve(#[source] rustls::Error),
}

/// A certificate with its key, and who vouches for it.
pub(super) struct Identity {
    /// PEM, the certificate's own authority first.
    authorities: Vec<u8>,
    /// PEM.
    certificate: Vec<u8>,
    /// PEM.
    key: SecretBox<Vec<u8>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// A new one for these names; the authority of the one before is still vouched for.
    pub(super) fn make(
        names: &[String],
        now: Timestamp,
        before: Option<&Identity>,
    ) -> Result<Self, CertificateError> {
        let failed = CertificateError::Make;
        let issuer = CertifiedIssuer::self_signed(authority(now), KeyPair::generate().map_err(failed)?);
        let issuer = issuer.map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = leaf(names, now).map_err(failed)?.signed_by(&key, &issuer).map_err(failed)?;
        let mut authorities = issuer.pem();
        let before = before.and_then(|before| CertificateDer::from_pem_slice(&before.authorities).ok());
        if let Some(before) = before {
            authorities.push_str(&pem(&before));
        }
        Ok(Self {
            authorities: authorities.into_bytes(),
            certificate: certificate.pem().into_bytes(),
            key: SecretBox::new(Box::new(key.serialize_pem().into_bytes())),
        })
    }

    /// The one in a Secret; none when a part is missing.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let part = |name: &str| Some(secret.data.as_ref()?.get(name)?.0.clone());
        Some(Self {
            authorities: part(AUTHORITIES)?,
            certificate: part(CERTIFICATE)?,
            key: SecretBox::new(Box::new(part(KEY)?)),
        })
    }

    /// As a Secret of type `kubernetes.io/tls` holds it.
    pub(super) fn data(&self) -> BTreeMap<String, ByteString> {
        [(AUTHORITIES, &self.authorities), (CERTIFICATE, &self.certificate), (KEY, self.key.expose_secret())]
            .map(|(name, bytes)| (name.to_owned(), ByteString(bytes.clone())))
            .into()
    }

    /// The bundle of authorities, PEM.
    pub(super) fn authorities(&self) -> &[u8] {
        &self.authorities
    }

    /// The certificate, PEM.
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Whether it can be served under that name now, and for long enough not to be renewed yet.
    pub(super) fn is_good(&self, name: &str, now: Timestamp) -> bool {
        let later = now.checked_add(RESERVE).unwrap_or(now);
        self.server_config().is_ok() && self.is_trusted(name, now) && self.is_trusted(name, later)
    }

    /// Whether a client that trusts these authorities would take it at that time.
    fn is_trusted(&self, name: &str, at: Timestamp) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(&self.authorities).filter_map(Result::ok),
        );
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let (Ok(verifier), Ok(name)) = (verifier, ServerName::try_from(name)) else { return false };
        let Ok(certificate) = CertificateDer::from_pem_slice(&self.certificate) else { return false };
        let at = Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default());
        let at = UnixTime::since_unix_epoch(at);
        verifier.verify_server_cert(&certificate, &[], &name, &[], at).is_ok()
    }

    /// What a listener serves it with: HTTP/1.1 over TLS.
    pub(super) fn server_config(&self) -> Result<ServerConfig, CertificateError> {
        let failed = CertificateError::Serve;
        let general = |_| failed(rustls::Error::General("its parts are not PEM".to_owned()));
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<_, _>>().map_err(general)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.expose_secret()).map_err(general)?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn authority(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "keymill admission authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    limit(&mut params, now);
    params
}

fn leaf(names: &[String], now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "keymill admission");
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    limit(&mut params, now);
    Ok(params)
}

/// Whole days; from yesterday on, for an API server whose clock is late.
fn limit(params: &mut CertificateParams, now: Timestamp) {
    let day = |after: SignedDuration| {
        let date = now.checked_add(after).unwrap_or(now).to_zoned(TimeZone::UTC).date();
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = day(-DAY);
    params.not_after = day(LIFE);
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = data_encoding::BASE64.encode(certificate);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "keymill-admission.keymill-system.svc";

    fn at(days: i64) -> Timestamp {
        let start: Timestamp = "2026-11-25T16:00:00Z".parse().unwrap();
        start + SignedDuration::from_hours(24 * days)
    }

    fn made(days: i64, before: Option<&Identity>) -> Identity {
        Identity::make(&[NAME.to_owned(), "127.0.0.1".to_owned()], at(days), before).unwrap()
    }

    fn kept(identity: &Identity) -> Secret {
        Secret { data: Some(identity.data()), ..Secret::default() }
    }

    #[test]
    fn it_is_good_for_two_thirds_of_its_life() {
        let identity = Identity::of(&kept(&made(0, None))).unwrap();
        for (name, days, good) in [
            (NAME, 0, true),
            ("127.0.0.1", 0, true),
            ("other.keymill-system.svc", 0, false),
            (NAME, -2, false),
            (NAME, 244, true),
            (NAME, 246, false),
            (NAME, 400, false),
        ] {
            assert_eq!(identity.is_good(name, at(days)), good, "{name} after {days} days");
        }
    }

    #[test]
    fn the_authority_before_is_still_trusted_and_no_older_one() {
        let first = made(0, None);
        let second = made(250, Some(&first));
        let third = made(500, Some(&second));
        let trusts = |bundle: &Identity, served: &Identity, days| {
            let mut mixed = kept(served);
            mixed
                .data
                .as_mut()
                .unwrap()
                .insert(AUTHORITIES.to_owned(), ByteString(bundle.authorities.clone()));
            Identity::of(&mixed).unwrap().is_trusted(NAME, at(days))
        };
        assert!(trusts(&second, &second, 250) && trusts(&second, &first, 250));
        assert!(trusts(&third, &second, 500) && !trusts(&third, &first, 250));
        assert!(!trusts(&first, &second, 250));
    }

    #[test]
    fn what_was_damaged_is_not_good() {
        let (mut one, other) = (kept(&made(0, None)), made(0, None));
        for part in [KEY, CERTIFICATE, AUTHORITIES] {
            let mut mixed = one.clone();
            mixed.data.as_mut().unwrap().insert(part.to_owned(), other.data().remove(part).unwrap());
            assert!(!Identity::of(&mixed).unwrap().is_good(NAME, at(0)), "{part} of another");
            mixed.data.as_mut().unwrap().insert(part.to_owned(), ByteString(b"text".to_vec()));
            assert!(!Identity::of(&mixed).unwrap().is_good(NAME, at(0)), "{part} is text");
        }
        one.data.as_mut().unwrap().remove(KEY);
        assert!(Identity::of(&one).is_none());
        assert_eq!(format!("{other:?}"), "Identity(..)");
    }
}
