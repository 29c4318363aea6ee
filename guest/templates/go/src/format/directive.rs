//! The format string of `printf`: flags, width, precision, argument indexes, and Go's markers where they are wrong.

use super::{Flags, Printer};
use crate::text::{Buffer, find, first_rune};
use crate::value::{Value, kind};

/// Go takes no width or precision beyond this.
const LARGEST: usize = 1_000_000;

/// Writes `format` with `values` in the places of its verbs.
pub(super) fn write(out: &mut Buffer, format: &[u8], values: &[Value]) {
    let mut directives =
        Directives { printer: Printer::new(out), format, values, at: 0, next: 0, reordered: false };
    while !directives.printer.out.is_full() && directives.literal() {
        directives.directive();
    }
    directives.extra();
}

struct Directives<'o, 'f> {
    printer: Printer<'o>,
    format: &'f [u8],
    values: &'f [Value],
    at: usize,
    /// The value that the next verb takes.
    next: usize,
    /// Whether an index was used: then unused values are not reported.
    reordered: bool,
}

impl Directives<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Copies up to the next `%` and passes it. False at the end.
    fn literal(&mut self) -> bool {
        let end = find(self.format, b"%", self.at);
        let literal = self.format.get(self.at..end.unwrap_or(self.format.len()));
        self.printer.out.push(literal.unwrap_or_default());
        self.at = end.map_or(self.format.len(), |end| end + 1);
        end.is_some()
    }

    fn directive(&mut self) {
        self.printer.flags = self.flags();
        let mut good = true;
        let mut after_index = self.index(&mut good);
        if self.peek() == Some(b'*') {
            self.width_argument();
            after_index = false;
        } else {
            self.printer.flags.width = self.number();
            good &= !(after_index && self.printer.flags.width.is_some());
        }
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            good &= !after_index;
            after_index = self.precision(&mut good);
        }
        if !after_index {
            self.index(&mut good);
        }
        self.verb(good);
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    /// `[n]`: the next value is the n-th. Returns whether an index was read.
    fn index(&mut self, good: &mut bool) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let Some(close) = find(self.format, b"]", self.at + 1) else {
            self.at += 1;
            *good = false;
            return false;
        };
        let digits = self.format.get(self.at + 1..close).unwrap_or_default();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
        let number =
            number.filter(|_| digits.iter().all(u8::is_ascii_digit) && self.format.len() - self.at >= 3);
        self.at = close + 1;
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) if index < self.values.len() => {
                self.next = index;
                true
            }
            _ => {
                *good = false;
                number.is_some()
            }
        }
    }

    /// A decimal number, if there is one that Go would take.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if number > Some(LARGEST) {
                self.at = self.format.len();
                return None;
            }
            number = Some(number.unwrap_or_default() * 10 + usize::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    /// The integer value that a `*` stands for.
    fn star(&mut self) -> Option<i64> {
        self.at += 1;
        let value = self.values.get(self.next)?;
        self.next += 1;
        let number = match value {
            Value::Int(int, _) => *int,
            Value::Uint(uint, _) => i64::try_from(*uint).ok()?,
            _ => return None,
        };
        let within = usize::try_from(number.unsigned_abs()).is_ok_and(|size| size <= LARGEST);
        within.then_some(number)
    }

    fn width_argument(&mut self) {
        match self.star() {
            Some(width) => {
                self.printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                if width < 0 {
                    self.printer.flags.minus = true;
                    self.printer.flags.zero = false;
                }
            }
            None => self.printer.out.push(b"%!(BADWIDTH)"),
        }
    }

    fn precision(&mut self, good: &mut bool) -> bool {
        let after_index = self.index(good);
        if self.peek() != Some(b'*') {
            self.printer.flags.precision = Some(self.number().unwrap_or_default());
            return after_index;
        }
        match self.star().map(usize::try_from) {
            Some(Ok(precision)) => self.printer.flags.precision = Some(precision),
            Some(Err(_)) | None => self.printer.out.push(b"%!(BADPREC)"),
        }
        false
    }

    fn verb(&mut self, good: bool) {
        let Some(rune) = self.format.get(self.at..).and_then(first_rune) else {
            self.printer.out.push(b"%!(NOVERB)");
            return;
        };
        self.at += rune.bytes.len();
        match (rune.char, self.values.get(self.next)) {
            ('%', _) => self.printer.out.push_byte(b'%'),
            (verb, _) if !good => self.marker(verb, b"(BADINDEX)"),
            (verb, None) => self.marker(verb, b"(MISSING)"),
            (verb, Some(value)) => {
                if matches!(verb, 'v' | 'w') {
                    self.printer.flags.sharp_v = std::mem::take(&mut self.printer.flags.sharp);
                    self.printer.flags.plus_v = std::mem::take(&mut self.printer.flags.plus);
                }
                self.printer.argument(value, verb);
                self.next += 1;
            }
        }
    }

    fn marker(&mut self, verb: char, text: &[u8]) {
        self.printer.out.push(b"%!");
        self.printer.out.push_char(verb);
        self.printer.out.push(text);
    }

    /// Reports the values that no verb took.
    fn extra(&mut self) {
        let extra = self.values.get(self.next..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return;
        }
        self.printer.flags = Flags::default();
        self.printer.out.push(b"%!(EXTRA ");
        for (at, value) in extra.iter().enumerate() {
            if at > 0 {
                self.printer.out.push(b", ");
            }
            if !matches!(value, Value::Nil) {
                self.printer.out.push_str(&kind::type_name(value));
                self.printer.out.push_byte(b'=');
            }
            self.printer.argument(value, 'v');
        }
        self.printer.out.push_byte(b')');
    }
}
