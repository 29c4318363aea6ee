//! Where drawing functions get randomness and time from.
//!
//! The engine has neither of its own. In the component both come from the host: its streams are keyed by the object and
//! its rotation, so rendering again gives the same bytes. Natively a test passes a source that it fixes.

/// The source of everything in a rendering that is not in the template or the data.
pub trait Draw {
    /// `len` uniform bytes of the named stream, continuing where its last call ended. The engine names the stream after
    /// the template's key, so that one template's draws do not shift another's.
    fn bytes(&mut self, stream: &str, len: u32) -> Vec<u8>;

    /// A private key, PKCS#8 DER, made of the named stream: the same stream where it stands gives the same key.
    fn key(&mut self, stream: &str, kind: KeyKind) -> Vec<u8>;

    /// The time of the call's rotation in seconds since 1970; constant within a call.
    fn now(&mut self) -> u64;
}

/// What kind of private key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 4096 bits.
    Rsa4096,
    /// ECDSA on the curve P-256.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}
