//! Whom a store trusts and who it is, in TLS.
//!
//! A store's own certificate authority replaces the system's: it is the only one that is trusted. Certificates are parsed
//! here once, for both HTTP clients. There is no way to switch the verification off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::Value;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The TLS side of one store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// The only authorities to trust, in DER; the system's when absent.
    pub(crate) roots: Option<Vec<Vec<u8>>>,
    /// The client's certificate chain and key, in PEM.
    pub(crate) identity: Option<ClientIdentity>,
}

/// A client certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) certificate: Value,
    pub(crate) key: Value,
}

impl Tls {
    /// What tells two TLS configurations apart.
    pub(crate) fn digest(&self, hash: &mut Sha256) {
        let mut part = |bytes: &[u8]| {
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        };
        match &self.roots {
            None => part(b"system"),
            Some(roots) => roots.iter().for_each(|root| part(root)),
        }
        if let Some(identity) = &self.identity {
            part(identity.certificate.expose());
            part(identity.key.expose());
        }
    }
}

/// The certificates of a bundle: PEM, or that in base64, as often as tools like to wrap it.
pub(crate) fn authorities(bundle: &[u8]) -> Result<Vec<Vec<u8>>, TlsError> {
    let pem = unwrap_base64(bundle, 2).ok_or(TlsError::Authority)?;
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|der| der.map(|der| der.to_vec())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(TlsError::Authority),
    }
}

/// A client certificate with its key, both in PEM.
pub(crate) fn client_identity(certificate: Value, key: Value) -> Result<ClientIdentity, TlsError> {
    CertificateDer::from_pem_slice(certificate.expose()).map_err(|_| TlsError::ClientCertificate)?;
    PrivateKeyDer::from_pem_slice(key.expose()).map_err(|_| TlsError::ClientKey)?;
    Ok(ClientIdentity { certificate, key })
}

impl ClientIdentity {
    /// Chain and key in one PEM text.
    pub(crate) fn pem(&self) -> Zeroizing<Vec<u8>> {
        let mut pem = Zeroizing::new(Vec::with_capacity(self.certificate.len() + self.key.len() + 1));
        pem.extend_from_slice(self.certificate.expose());
        pem.push(b'\n');
        pem.extend_from_slice(self.key.expose());
        pem
    }
}

/// Why a TLS handshake ended without trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// Nobody that the store trusts has signed the server's certificate.
    Authority,
    /// The server's certificate does not have the name that it was asked for by.
    Name,
    /// The server's certificate is not valid at this time.
    Time,
    /// The server's certificate is wrong in another way.
    Other,
    /// The server does not accept our certificate, or misses one.
    Client,
}

impl CertificateFault {
    /// The fault behind an error of a client, however deep it is.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| cause(*error))
            .find_map(|error| Self::of_handshake(error.downcast_ref::<rustls::Error>()?))
    }

    fn of_handshake(error: &rustls::Error) -> Option<Self> {
        use rustls::{AlertDescription as Alert, CertificateError as Wrong, Error};
        match error {
            Error::InvalidCertificate(Wrong::UnknownIssuer | Wrong::BadSignature) => Some(Self::Authority),
            Error::InvalidCertificate(Wrong::NotValidForName | Wrong::NotValidForNameContext { .. }) => {
                Some(Self::Name)
            }
            Error::InvalidCertificate(
                Wrong::Expired
                | Wrong::ExpiredContext { .. }
                | Wrong::NotValidYet
                | Wrong::NotValidYetContext { .. },
            ) => Some(Self::Time),
            Error::InvalidCertificate(_) => Some(Self::Other),
            Error::AlertReceived(
                Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnknownCA
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnsupportedCertificate,
            ) => Some(Self::Client),
            _ => None,
        }
    }

    /// What is wrong, for messages.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Authority => "the server's certificate is not signed by an authority that the store trusts",
            Self::Name => "the server's certificate is for another name",
            Self::Time => "the server's certificate has expired or is not valid yet",
            Self::Other => "the server's certificate is not acceptable",
            Self::Client => "the server does not accept the client certificate, or asks for one",
        }
    }

    /// What to do about it.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Authority => {
                "put the certificate of the authority that signed the server's into caBundle or caProvider; it replaces the system's"
            }
            Self::Name => {
                "write a name that the certificate has into the store's server address, or have the certificate name that one"
            }
            Self::Time => "renew the server's certificate, or set the clock",
            Self::Other => "replace the server's certificate",
            Self::Client => "give the store a client certificate that the server trusts",
        }
    }
}

/// An I/O error is transparent: its source is that of what it wraps, and some wrap another.
fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn unwrap_base64(bytes: &[u8], depth: u8) -> Option<Vec<u8>> {
    if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        return Some(bytes.to_vec());
    }
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = STANDARD.decode(text).ok()?;
    if depth == 0 { None } else { unwrap_base64(&decoded, depth - 1) }
}

/// Certificates that are none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TlsError {
    /// The authority's bundle holds no certificate.
    #[error("read the certificate authority: it is neither PEM nor base64 of PEM")]
    Authority,
    /// The client certificate is none.
    #[error("read the client certificate: it is no PEM")]
    ClientCertificate,
    /// The client's key is none.
    #[error("read the client's private key: it is no PEM")]
    ClientKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_bundle_is_pem_or_base64_of_it() {
        let once = STANDARD.encode(PEM);
        let twice = STANDARD.encode(&once);
        let folded = format!("{}\n{}\n", &once[..20], &once[20..]);
        for bundle in [PEM, &once, &twice, &folded, &format!("# my CA\n{PEM}")] {
            assert_eq!(authorities(bundle.as_bytes()), Ok(vec![vec![1, 2, 3]]), "{bundle}");
        }
        assert_eq!(authorities(format!("{PEM}{PEM}").as_bytes()).map(|all| all.len()), Ok(2));
    }

    #[test]
    fn anything_else_is_refused() {
        for bundle in
            ["", "certificate", "-----BEGIN CERTIFICATE-----", "-----BEGIN X-----\nAQID\n-----END X-----\n"]
        {
            assert_eq!(authorities(bundle.as_bytes()), Err(TlsError::Authority), "{bundle}");
        }
        let refused = client_identity(Value::from(PEM), Value::from("no key")).map(|_| ());
        assert_eq!(refused, Err(TlsError::ClientKey));
    }
}
