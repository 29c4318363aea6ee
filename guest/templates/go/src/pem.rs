//! PEM as Go reads and writes it: what stands outside of blocks is skipped, headers are kept, a block that cannot be read is
//! passed over in silence. The crates for RFC 7468 refuse all of that, and it is visible in what `filterPEM` gives.

use std::collections::BTreeMap;

use crate::functions::decode_base64;
use crate::rule::Rule;
use crate::text::{Buffer, find};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";
const LINE: usize = 64;

/// The header that is written first.
const PROC_TYPE: &[u8] = b"Proc-Type";

/// One block.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) label: Vec<u8>,
    pub(crate) headers: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) bytes: Vec<u8>,
}

/// The first block that can be read and what follows it; none if there is none.
pub(crate) fn decode(data: &[u8]) -> Option<(Block, &[u8])> {
    let mut from = 0;
    loop {
        let end = find(data, END, from)?;
        let trailer = end + END.len();
        if let Some(block) = block(data, from, end, trailer) {
            let (_, rest) = line(data.get(trailer - 1..)?);
            return Some((block, rest));
        }
        from = trailer;
    }
}

/// The bytes of the first block, whatever its label.
///
/// # Errors
/// If there is none.
pub(crate) fn first(data: &[u8]) -> Result<Vec<u8>, Rule> {
    decode(data).map(|(block, _)| block.bytes).ok_or(Rule::NotPem)
}

/// A block with that label.
pub(crate) fn encode(label: &[u8], der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(der.len() / 3 * 4 + der.len() / 48 + 2 * label.len() + 40);
    for part in [BEGIN, label, DASHES, b"\n"] {
        out.extend_from_slice(part);
    }
    body(&mut out, der);
    for part in [b"-----END ", label, DASHES, b"\n"] {
        out.extend_from_slice(part);
    }
    out
}

impl Block {
    /// Writes it with its headers.
    pub(crate) fn write(&self, out: &mut Buffer) {
        let plain = encode(&self.label, &self.bytes);
        let first_line = BEGIN.len() + self.label.len() + DASHES.len() + 1;
        let (begin, rest) = plain.split_at_checked(first_line).unwrap_or((&plain, &[]));
        out.push(begin);
        let first = self.headers.get_key_value(PROC_TYPE);
        let others = self.headers.iter().filter(|(name, _)| *name != PROC_TYPE);
        for (name, value) in first.into_iter().chain(others) {
            for part in [name, b": ".as_slice(), value, b"\n"] {
                out.push(part);
            }
        }
        if !self.headers.is_empty() {
            out.push_byte(b'\n');
        }
        out.push(rest);
    }
}

fn body(out: &mut Vec<u8>, der: &[u8]) {
    let digits = data_encoding::BASE64.encode(der);
    for line in digits.as_bytes().chunks(LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

/// The block that ends at `end`, with the last beginning before it.
fn block(data: &[u8], from: usize, end: usize, trailer: usize) -> Option<Block> {
    let begin = last_begin(data.get(from..end)?)? + from;
    if begin > from && data.get(begin - 1) != Some(&b'\n') {
        return None;
    }
    let (type_line, mut rest) = line(data.get(begin + BEGIN.len()..)?);
    let label = type_line.strip_suffix(DASHES)?;
    let mut headers = BTreeMap::new();
    loop {
        // Headers that go beyond the end have no body.
        if rest.is_empty() || (!headers.is_empty() && data.len() - rest.len() > end) {
            return None;
        }
        let (header, next) = line(rest);
        let Some(colon) = header.iter().position(|byte| *byte == b':') else {
            break;
        };
        let (name, value) = header.split_at_checked(colon)?;
        headers.insert(name.trim_ascii().to_vec(), value.get(1..)?.trim_ascii().to_vec());
        rest = next;
    }
    let start = data.len() - rest.len();
    if !ends(data.get(trailer..)?, label) {
        return None;
    }
    let digits = data.get(start..end).unwrap_or_default();
    let digits: Vec<u8> = digits.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t')).collect();
    Some(Block { label: label.to_vec(), headers, bytes: decode_base64(&digits).ok()? })
}

fn last_begin(data: &[u8]) -> Option<usize> {
    data.windows(BEGIN.len()).rposition(|window| window == BEGIN)
}

/// The label again, five dashes, and nothing else on the line.
fn ends(trailer: &[u8], label: &[u8]) -> bool {
    let after = trailer.strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES));
    after.is_some_and(|after| line(after).0.is_empty())
}

/// The first line, without its end and the blanks before that, and what follows.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n');
    let (mut line, rest) = match at.and_then(|at| data.split_at_checked(at)) {
        Some((line, rest)) => (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default()),
        None => (data, &[][..]),
    };
    while let [shorter @ .., b' ' | b'\t'] = line {
        line = shorter;
    }
    (line, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &[u8])], rest: &str) {
        let mut data = text.as_bytes();
        let mut seen = Vec::new();
        while let Some((block, after)) = decode(data) {
            seen.push((String::from_utf8_lossy(&block.label).into_owned(), block.bytes));
            data = after;
        }
        let expected: Vec<_> =
            expected.iter().map(|(label, bytes)| ((*label).to_owned(), bytes.to_vec())).collect();
        assert_eq!(seen, expected, "{text:?}");
        assert_eq!(String::from_utf8_lossy(data), rest, "{text:?}");
    }

    #[test]
    fn what_is_no_block_is_passed_over() {
        let one = "-----BEGIN A-----\nAAEC\n-----END A-----\n";
        check(one, &[("A", &[0, 1, 2])], "");
        check(&format!("before\n{one}after"), &[("A", &[0, 1, 2])], "after");
        check(&format!("same line {one}"), &[], &format!("same line {one}"));
        check(&format!("-----BEGIN B-----\n{one}"), &[("A", &[0, 1, 2])], "");
        check(&format!("-----BEGIN B-----\nAAEC\n-----END C-----\n{one}"), &[("A", &[0, 1, 2])], "");
        check(&format!("-----BEGIN B-----\n*\n-----END B-----\n{one}"), &[("A", &[0, 1, 2])], "");
        check(&one.replace('\n', "\r\n"), &[("A", &[0, 1, 2])], "");
        check("-----BEGIN A-----\nAA EC \n-----END A----- \t", &[("A", &[0, 1, 2])], "");
        check("-----BEGIN A-----\n-----END A-----\n", &[("A", &[])], "");
        check(
            "-----BEGIN A-----\nAAEC\n-----END A-----x\n",
            &[],
            "-----BEGIN A-----\nAAEC\n-----END A-----x\n",
        );
        check("-----BEGIN A\nAAEC\n-----END A-----\n", &[], "-----BEGIN A\nAAEC\n-----END A-----\n");
        check("", &[], "");
    }

    #[test]
    fn headers_are_kept_in_order() {
        let text = "-----BEGIN A-----\nB: 2\nProc-Type: 4\nA:1\n\nAAEC\n-----END A-----\n";
        let (block, _) = decode(text.as_bytes()).expect("a block");
        let mut out = Buffer::default();
        block.write(&mut out);
        let expected = "-----BEGIN A-----\nProc-Type: 4\nA: 1\nB: 2\n\nAAEC\n-----END A-----\n";
        assert_eq!(String::from_utf8_lossy(out.bytes()), expected);
    }

    #[test]
    fn lines_are_of_64_characters() {
        for (count, lines) in [(0, 0), (1, 1), (48, 1), (49, 2)] {
            let text = encode(b"A", &vec![7; count]);
            assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), lines + 2, "{count}");
        }
    }
}
