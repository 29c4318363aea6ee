//! Bech32 (BIP 173): a prefix that people know, five bits a character, and a checksum that finds typing errors. Without the limit of 90
//! characters, as age uses it. Whole text in upper case where the prefix is: the two cases may not be mixed.

use crate::error::RecipeFault;

const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM: usize = 6;
/// What the five bits that leave the checksum are multiplied with.
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

pub(super) fn encode(prefix: &str, bytes: &[u8]) -> Result<Vec<u8>, RecipeFault> {
    check(prefix)?;
    let lower = prefix.to_ascii_lowercase();
    let groups = groups(bytes);
    let mut text = Vec::with_capacity(lower.len() + 1 + groups.len() + CHECKSUM);
    text.extend_from_slice(lower.as_bytes());
    text.push(b'1');
    let checksum = checksum(lower.as_bytes(), &groups);
    let character = |group: &u8| CHARACTERS.get(usize::from(*group)).copied();
    text.extend(groups.iter().chain(&checksum).filter_map(character));
    if lower != prefix {
        text.make_ascii_uppercase();
    }
    Ok(text)
}

fn check(prefix: &str) -> Result<(), RecipeFault> {
    let printable = prefix.bytes().all(|byte| byte.is_ascii_graphic());
    let mixed = prefix.contains(|c: char| c.is_ascii_lowercase())
        && prefix.contains(|c: char| c.is_ascii_uppercase());
    if !(1..=83).contains(&prefix.len()) || !printable || mixed {
        return Err(RecipeFault::Transform {
            via: "bech32",
            detail: "a prefix is 1 to 83 printable ASCII characters of one case",
        });
    }
    Ok(())
}

/// Five bits each, the last filled up with zeros.
fn groups(bytes: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    let mut groups = zeroize::Zeroizing::new(Vec::with_capacity(bytes.len() * 8 / 5 + 1));
    let (mut held, mut bits) = (0_u32, 0);
    for &byte in bytes {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            groups.push(low_five(held >> bits));
        }
        held &= 0b1_1111;
    }
    if bits > 0 {
        groups.push(low_five(held << (5 - bits)));
    }
    groups
}

fn checksum(prefix: &[u8], groups: &[u8]) -> [u8; CHECKSUM] {
    let mut state = 1;
    let high = prefix.iter().map(|byte| byte >> 5);
    let low = prefix.iter().map(|byte| byte & 0b1_1111);
    for group in high.chain([0]).chain(low).chain(groups.iter().copied()).chain([0; CHECKSUM]) {
        state = step(state, group);
    }
    state ^= 1;
    [25, 20, 15, 10, 5, 0].map(|shift| low_five(state >> shift))
}

fn step(state: u32, group: u8) -> u32 {
    let leaving = state >> 25;
    let mut next = (state & 0x01ff_ffff) << 5 ^ u32::from(group);
    for (bit, factor) in GENERATOR.iter().enumerate() {
        if leaving >> bit & 1 == 1 {
            next ^= factor;
        }
    }
    next
}

fn low_five(bits: u32) -> u8 {
    u8::try_from(bits & 0b1_1111).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_that_of_bip_173() {
        let check = |prefix: &str, hex: &str, expected: &str| {
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(encode(prefix, &bytes).unwrap()).unwrap(), expected);
        };
        check("a", "", "a12uel5l");
        check("A", "", "A12UEL5L");
        check(
            "abcdef",
            "00443214c74254b635cf84653a56d7c675be77df",
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        );
        check("?", "", "?1ezyfcl");
    }

    #[test]
    fn refuses_a_prefix_that_is_none() {
        for prefix in ["", "aB", "a b", "\u{e4}", &"a".repeat(84)] {
            assert!(encode(prefix, b"x").is_err(), "{prefix}");
        }
    }
}
