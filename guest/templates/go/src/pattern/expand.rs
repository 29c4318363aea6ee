//! `$` in a replacement: Go takes the longest name it can, so `$1W` is the group named `1W`.

use regex_automata::util::captures::Captures;

use crate::text::{Buffer, runes};

/// Writes the replacement with its groups filled in. A group that does not exist or did not take part is empty.
pub(super) fn expand(out: &mut Buffer, groups: &Captures, text: &[u8], replacement: &[u8]) {
    let mut rest = replacement;
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        let (literal, tail) = rest.split_at(dollar);
        out.push(literal);
        let after = tail.get(1..).unwrap_or_default();
        if let [b'$', tail @ ..] = after {
            out.push_byte(b'$');
            rest = tail;
        } else if let Some((name, tail)) = reference(after) {
            out.push(group(groups, text, name));
            rest = tail;
        } else {
            out.push_byte(b'$');
            rest = after;
        }
    }
    out.push(rest);
}

/// The name after a dollar, in braces or not, and what follows it.
fn reference(text: &[u8]) -> Option<(&str, &[u8])> {
    let (braced, inside) = match text {
        [b'{', inside @ ..] => (true, inside),
        _ => (false, text),
    };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let end: usize = runes(inside).take_while(|rune| word(rune.char)).map(|rune| rune.bytes.len()).sum();
    let name =
        inside.get(..end).and_then(|name| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty())?;
    let tail = inside.get(end..)?;
    if braced { Some((name, tail.strip_prefix(b"}")?)) } else { Some((name, tail)) }
}

fn group<'t>(groups: &Captures, text: &'t [u8], name: &str) -> &'t [u8] {
    let span = match name.bytes().all(|byte| byte.is_ascii_digit()) {
        true => name.parse().ok().and_then(|index| groups.get_group(index)),
        false => groups.get_group_by_name(name),
    };
    span.and_then(|span| text.get(span.range())).unwrap_or_default()
}
