//! Who the server is, kept in its state so that a kubeconfig stays valid: the CA, the administrator's bearer token,
//! and the key that signs the tokens of ServiceAccounts.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::database::{Database, DatabaseError};

const TABLE: &str = "identity";
const TOKEN: &[u8] = b"token";
const SIGNING_KEY: &[u8] = b"signing-key";
const CA_KEY: &[u8] = b"ca-key";
const CA_CERTIFICATE: &[u8] = b"ca-certificate";
/// Names by which the server is reached; it listens on loopback unless told otherwise.
const NAMES: [&str; 5] = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default.svc"];

/// Why the server's identity could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("keep the server's identity")]
    Database(#[from] DatabaseError),
    #[error("draw the server's keys")]
    Random { source: getrandom::Error },
    #[error("make the server's certificate")]
    Certificate { source: rcgen::Error },
    #[error("read the server's identity: it is not text")]
    Text,
}

pub(crate) struct Identity {
    pub(crate) token: SecretString,
    pub(crate) signing_key: Zeroizing<[u8; 32]>,
    ca_key: SecretString,
    /// The CA's certificate, as PEM.
    pub(crate) ca_certificate: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// What a TLS server shows, and the key to it.
pub(crate) struct ServerCertificate {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// That of the database, made on first use.
    pub(crate) fn of(database: &Database) -> Result<Self, IdentityError> {
        match Self::load(database)? {
            Some(identity) => Ok(identity),
            None => Self::make(database),
        }
    }

    /// A new certificate for the server, signed by the CA.
    pub(crate) fn server_certificate(&self) -> Result<ServerCertificate, IdentityError> {
        let failed = |source| IdentityError::Certificate { source };
        let ca_key = KeyPair::from_pem(self.ca_key.expose_secret()).map_err(failed)?;
        let issuer = Issuer::new(ca_params(), ca_key);
        let mut params = CertificateParams::new(NAMES.map(str::to_owned)).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "keymill");
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        make_everlasting(&mut params);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(ServerCertificate { chain: vec![certificate.der().clone()], key })
    }

    fn load(database: &Database) -> Result<Option<Self>, IdentityError> {
        let rows = database.read(|read| {
            let get = |key: &[u8]| read.get(TABLE, key);
            Ok::<_, DatabaseError>((get(TOKEN)?, get(SIGNING_KEY)?, get(CA_KEY)?, get(CA_CERTIFICATE)?))
        })?;
        let (Some(token), Some(signing_key), Some(ca_key), Some(certificate)) = rows else {
            return Ok(None);
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| IdentityError::Text);
        let signing_key = <[u8; 32]>::try_from(signing_key.as_slice()).map_err(|_| IdentityError::Text)?;
        Ok(Some(Self {
            token: text(&token)?.into(),
            signing_key: Zeroizing::new(signing_key),
            ca_key: text(&ca_key)?.into(),
            ca_certificate: text(&certificate)?,
        }))
    }

    fn make(database: &Database) -> Result<Self, IdentityError> {
        let failed = |source| IdentityError::Certificate { source };
        let ca_key = KeyPair::generate().map_err(failed)?;
        let certificate = ca_params().self_signed(&ca_key).map_err(failed)?;
        let token = data_encoding::HEXLOWER.encode(random()?.as_ref());
        let identity = Self {
            token: token.into(),
            signing_key: random()?,
            ca_key: ca_key.serialize_pem().into(),
            ca_certificate: certificate.pem(),
        };
        database.write(|write| {
            write.put(TABLE, TOKEN, identity.token.expose_secret().as_bytes())?;
            write.put(TABLE, SIGNING_KEY, identity.signing_key.as_ref())?;
            write.put(TABLE, CA_KEY, identity.ca_key.expose_secret().as_bytes())?;
            write.put(TABLE, CA_CERTIFICATE, identity.ca_certificate.as_bytes())
        })?;
        Ok(identity)
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, IdentityError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|source| IdentityError::Random { source })?;
    Ok(bytes)
}

/// The same at every start, so that the issuer's name stays that of the kept certificate.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "keymill standalone API");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    make_everlasting(&mut params);
    params
}

/// The CA is this one server's, and the only way to revoke it is to delete the state.
fn make_everlasting(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
}
