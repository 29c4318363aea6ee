//! 48 bits of a password, for the build script that makes the filter and for the policy that asks it. Not a cryptographic digest: nothing
//! is hidden by it, and who finds a value that is wrongly refused has only that.

/// The bytes of a fingerprint.
pub(crate) const BYTES: usize = 6;

/// The fingerprint of a text: FNV-1a of 64 bits, mixed so that each of the bits that are kept depends on every bit.
pub(crate) fn of(text: &str) -> [u8; BYTES] {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    let [a, b, c, d, e, f, ..] = hash.to_be_bytes();
    [a, b, c, d, e, f]
}
