//! The algorithms of RFC 7518 and RFC 8037 that sign, and which key each needs. One row each.

use keymill_sdk::KeyAlgorithm;
use serde::Deserialize;

/// What an algorithm signs with.
pub(crate) enum Made {
    /// A key pair.
    Pair(KeyAlgorithm),
    /// So many bytes that signer and verifier share: as many as the digest has (RFC 7518 section 3.2).
    Shared(u32),
}

/// Declares the algorithms: name and key.
macro_rules! algorithms {
    ($($variant:ident, $name:literal, $made:expr;)+) => {
        #[derive(Clone, Copy, Debug, Deserialize)]
        pub(crate) enum Algorithm {
            $(#[serde(rename = $name)] $variant,)+
        }

        pub(crate) const NAMES: &[&str] = &[$($name),+];

        impl Algorithm {
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub(crate) fn made(self) -> Made {
                match self { $(Self::$variant => $made,)+ }
            }
        }
    };
}

algorithms! {
    Es256, "ES256", Made::Pair(KeyAlgorithm::EcdsaP256);
    Es384, "ES384", Made::Pair(KeyAlgorithm::EcdsaP384);
    Es512, "ES512", Made::Pair(KeyAlgorithm::EcdsaP521);
    EdDsa, "EdDSA", Made::Pair(KeyAlgorithm::Ed25519);
    Rs256, "RS256", Made::Pair(KeyAlgorithm::Rsa);
    Rs384, "RS384", Made::Pair(KeyAlgorithm::Rsa);
    Rs512, "RS512", Made::Pair(KeyAlgorithm::Rsa);
    Ps256, "PS256", Made::Pair(KeyAlgorithm::Rsa);
    Ps384, "PS384", Made::Pair(KeyAlgorithm::Rsa);
    Ps512, "PS512", Made::Pair(KeyAlgorithm::Rsa);
    Hs256, "HS256", Made::Shared(32);
    Hs384, "HS384", Made::Shared(48);
    Hs512, "HS512", Made::Shared(64);
}
