//! DSA keys, which sprig still makes and nobody should use: 2048 bits, the order of the group 256.
//!
//! Finding a group takes Go minutes and a guest longer, so there is one for all: it may be shared, as RFC 2631 and FIPS
//! 186-4 say. Made by OpenSSL 3 (`genpkey -genparam -algorithm DSA`, SHA-256). The arithmetic is the dsa crate's.

use der::asn1::Uint;
use der::{Encode, Sequence};
use dsa::{Components, SigningKey};
use rand_core::TryCryptoRng;
use rsa::BoxedUint;

use crate::pem;
use crate::rule::Rule;

const P: &str = "C85AEA7118D20571CBD77871E960CAD876A297F842459E7CAEA9F9C008E8C1173D65750EC2EFB3DDFA6DE681C17D9B54\
    6C081DC76D145E5C6F2EB1B026FEA27DCAD324740D53E784A67E3AFE2C3B72BEC105D411F44AACCF054621266B9F7B9E\
    A905B941220DA1B2683D999A6D869B094A25EA161D2037DDD9E269E2B3AEF2A010F21CEF5236D734CBF3FCD08B7D7522\
    34E2476CF99D38CEE45EA8F803EA1C4216AAB871D6280460456EE517E995CE05828B27E1D665B5F1C2B959774A0C0153\
    8157CBB38DBED9C32243C63BFD15D3F30637868B7F62F7ED5B38BC9AA653CA509A43E85CFF3E3E9873D1468EE4622B31\
    D88E0CE7B9E3BFF4E210282D1F746EB5";
const Q: &str = "BBE0275036B95414E4EE6933F251B61B2F76C746585128F430C585338D1C14F7";
const G: &str = "29B17649C5E78AAE3FAD3B55EB3FFA807027E4413437A1D63F829941A2D0274329EC68FCBF81593B7C14CE036B9170A0\
    F5C599E6DEBA224D999BA11AB478C6DBE3AB494E268D17CEC7D8D6CF2100D48CE8F1AF9A57A72FF7E638FE2F5B52E264\
    78CFF058302B761DA9D3AD11347D64E0A932AE4A3B68C49B8D031FD7CE7B00CCDE99B24EBE3129B863840BB2CDBED3AA\
    B7524651AEBEBC7FB7D26A817F1730478E223F5D89F5D39502BB3570010BF2C15E36D363047B089BEED4867DB46283D1\
    ED358A9C3A137D369C7365C302FA6174BA224DABB5DC612E37672F7982668F6C8F0888CAD07E1BA8F9D4DD7FF58151AB\
    A537C4E6DE5C2B3244BE17E4ABFD3183";

/// What OpenSSL and sprig write between `DSA PRIVATE KEY` lines.
#[derive(Sequence)]
pub(super) struct DsaKey {
    version: u8,
    p: Uint,
    q: Uint,
    g: Uint,
    y: Uint,
    x: Uint,
}

/// A new key, as PEM.
///
/// # Errors
/// Those of the source.
pub(crate) fn make<R: TryCryptoRng<Error = Rule>>(source: &mut R) -> Result<Vec<u8>, Rule> {
    let number = |hex: &str| {
        let bytes = data_encoding::HEXUPPER.decode(hex.as_bytes()).map_err(|_| Rule::BadArgument)?;
        let bits = u32::try_from(bytes.len() * 8).map_err(|_| Rule::BadArgument)?;
        BoxedUint::from_be_slice(&bytes, bits).map_err(|_| Rule::BadArgument)
    };
    let components = Components::from_components(number(P)?, number(Q)?, number(G)?);
    let components = components.map_err(|_| Rule::BadArgument)?;
    let key = SigningKey::try_generate_from_rng_with_components(source, components)?;
    let public = key.verifying_key();
    let write = || {
        let uint = |number: &BoxedUint| Uint::new(&number.to_be_bytes());
        let (p, q, g) = (public.components().p(), public.components().q(), public.components().g());
        let key = DsaKey {
            version: 0,
            p: uint(p)?,
            q: uint(q)?,
            g: uint(g)?,
            y: uint(public.y())?,
            x: uint(key.x())?,
        };
        key.to_der()
    };
    Ok(pem::encode(b"DSA PRIVATE KEY", &write().map_err(|_| Rule::BadArgument)?))
}
