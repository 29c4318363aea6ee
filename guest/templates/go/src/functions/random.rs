//! Drawing: random texts, numbers and identifiers from the template's stream.
//!
//! The stream is fixed by the rotation, so rendering again draws the same; how bytes become a result is therefore part of
//! the engine's promise and changes only with a new function. Every choice is uniform: a byte that would make it uneven is
//! drawn again.

use super::arguments::{int, text};
use super::{Context, Family, Function, Parameter, Type, p};
use crate::limits::check_text;
use crate::rule::Rule;
use crate::text::runes;
use crate::value::Value;

const F: Family = Family::Random;

const COUNT: Parameter = p("count", Type::Int);

pub(super) const ROWS: &[Function] = &[
    F.pure("randAlphaNum", &[COUNT], "string", "That many letters and digits.", rand_alpha_num).drawing(),
    F.pure("randAlpha", &[COUNT], "string", "That many letters.", rand_alpha).drawing(),
    F.pure("randNumeric", &[COUNT], "string", "That many digits.", rand_numeric).drawing(),
    F.pure(
        "randAscii",
        &[COUNT],
        "string",
        "That many printable characters, the blank among them.",
        rand_ascii,
    )
    .drawing(),
    F.pure("randBytes", &[COUNT], "string", "That many bytes, in base64.", rand_bytes).drawing(),
    F.pure(
        "randInt",
        &[p("low", Type::Int), p("high", Type::Int)],
        "int",
        "A number from low to before high.",
        rand_int,
    )
    .drawing(),
    F.pure("uuidv4", &[], "string", "A random UUID.", uuidv4).drawing(),
    F.pure("shuffle", &[p("text", Type::Text)], "string", "The characters in random order.", shuffle)
        .drawing(),
];

type Answer = Result<Value, Rule>;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

impl Context<'_> {
    /// That many bytes of the template's stream.
    pub(super) fn draw(&mut self, count: usize) -> Result<Vec<u8>, Rule> {
        check_text(count)?;
        self.budget.bytes(count)?;
        let wanted = u32::try_from(count).map_err(|_| Rule::Size)?;
        let bytes = self.draw.bytes(self.stream, wanted);
        if bytes.len() == count { Ok(bytes) } else { Err(Rule::Work) }
    }

    /// A uniform number below `bound`.
    fn below(&mut self, bound: u64) -> Result<u64, Rule> {
        let uneven = (u64::MAX % bound + 1) % bound;
        loop {
            let bytes = self.draw(8)?;
            let drawn = bytes.iter().fold(0u64, |drawn, byte| drawn << 8 | u64::from(*byte));
            if drawn <= u64::MAX - uneven {
                return Ok(drawn % bound);
            }
        }
    }
}

/// That many uniform picks; none, if the count is negative, as in sprig.
fn picks(a: &[Value], context: &mut Context<'_>, alphabet: &[u8]) -> Answer {
    let count = usize::try_from(int(a, 0)?).unwrap_or_default();
    check_text(count)?;
    let even = 256 - 256 % alphabet.len();
    let mut picked = Vec::with_capacity(count);
    while picked.len() < count {
        let drawn = context.draw(count - picked.len())?;
        let even_bytes = drawn.into_iter().map(usize::from).filter(|byte| *byte < even);
        picked.extend(even_bytes.filter_map(|byte| alphabet.get(byte % alphabet.len())));
    }
    Ok(Value::text(picked))
}

fn rand_alpha_num(a: &[Value], context: &mut Context<'_>) -> Answer {
    picks(a, context, &[LETTERS, DIGITS].concat())
}

fn rand_alpha(a: &[Value], context: &mut Context<'_>) -> Answer {
    picks(a, context, LETTERS)
}

fn rand_numeric(a: &[Value], context: &mut Context<'_>) -> Answer {
    picks(a, context, DIGITS)
}

fn rand_ascii(a: &[Value], context: &mut Context<'_>) -> Answer {
    picks(a, context, &(b' '..=b'~').collect::<Vec<_>>())
}

fn rand_bytes(a: &[Value], context: &mut Context<'_>) -> Answer {
    let count = usize::try_from(int(a, 0)?).map_err(|_| Rule::OutOfRange)?;
    Ok(Value::text(data_encoding::BASE64.encode(&context.draw(count)?)))
}

fn rand_int(a: &[Value], context: &mut Context<'_>) -> Answer {
    let (low, high) = (int(a, 0)?, int(a, 1)?);
    let span = high.checked_sub(low).and_then(|span| u64::try_from(span).ok()).filter(|span| *span > 0);
    let drawn = context.below(span.ok_or(Rule::OutOfRange)?)?;
    Ok(Value::int(low.wrapping_add_unsigned(drawn)))
}

fn uuidv4(_: &[Value], context: &mut Context<'_>) -> Answer {
    let bytes: [u8; 16] = context.draw(16)?.try_into().map_err(|_| Rule::Work)?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(Value::text([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")))
}

fn shuffle(a: &[Value], context: &mut Context<'_>) -> Answer {
    let mut letters: Vec<char> = runes(text(a, 0)?).map(|rune| rune.char).collect();
    for last in (1..letters.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(u64::MAX) + 1;
        let picked = usize::try_from(context.below(bound)?).unwrap_or(last);
        letters.swap(last, picked);
    }
    Ok(Value::text(letters.into_iter().collect::<String>()))
}
