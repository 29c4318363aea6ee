//! How one number or text is written under a verb, with sign, prefix, width and precision.

use super::Printer;
use super::float::format_float;
use super::quote::{can_backquote, is_print, push_quoted, push_quoted_char, truncate};
use crate::text::{Buffer, runes};
use crate::value::Value;

/// A number in its base, or the marker for misuse.
enum Written {
    Digits(String),
    Character(char),
    Quoted(char),
    Unicode,
    Not,
}

impl Printer<'_> {
    /// Writes with the width of the verb; zeros go to the left only.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width else {
            self.out.push(text);
            return;
        };
        let padding = width.saturating_sub(runes(text).count());
        if self.flags.minus {
            self.out.push(text);
            self.out.push_repeated(b' ', padding);
        } else {
            self.out.push_repeated(if self.flags.zero { b'0' } else { b' ' }, padding);
            self.out.push(text);
        }
    }

    fn pad_with_blanks(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.pad(text);
        self.flags.zero = zero;
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        self.pad(self.flags.precision.map_or(text, |precision| truncate(text, precision)));
    }

    pub(super) fn text(&mut self, text: &[u8], value: &Value, verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' => self.hex(text, false),
            'X' => self.hex(text, true),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.flags.precision.map_or(text, |precision| truncate(text, precision));
        let mut literal = Buffer::default();
        if self.flags.sharp && can_backquote(text) {
            literal.push_byte(b'`');
            literal.push(text);
            literal.push_byte(b'`');
        } else {
            push_quoted(&mut literal, text, self.flags.plus);
        }
        self.pad(literal.bytes());
    }

    /// `%x` of a text: its bytes, as many as the precision says.
    fn hex(&mut self, text: &[u8], upper: bool) {
        let text = self.flags.precision.and_then(|precision| text.get(..precision)).unwrap_or(text);
        let prefix = if upper { "0X" } else { "0x" };
        let mut digits = Buffer::default();
        for (at, byte) in text.iter().enumerate() {
            if at > 0 && self.flags.space {
                digits.push_byte(b' ');
            }
            if self.flags.sharp && (at == 0 || self.flags.space) {
                digits.push_str(prefix);
            }
            digits.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(digits.bytes());
    }

    pub(super) fn integer(&mut self, int: i64, value: &Value, verb: char) {
        // Go writes a character from the bits of the number, so that a negative one is none.
        self.number(int < 0, int.unsigned_abs(), int.cast_unsigned(), value, verb);
    }

    pub(super) fn unsigned(&mut self, uint: u64, value: &Value, verb: char) {
        if verb == 'v' && self.flags.sharp_v {
            let sharp = std::mem::replace(&mut self.flags.sharp, true);
            self.digits(false, uint, &format!("{uint:x}"), 'x');
            self.flags.sharp = sharp;
        } else {
            self.number(false, uint, uint, value, verb);
        }
    }

    fn number(&mut self, negative: bool, magnitude: u64, bits: u64, value: &Value, verb: char) {
        let character =
            || u32::try_from(bits).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        let written = match verb {
            'v' | 'd' => Written::Digits(magnitude.to_string()),
            'b' => Written::Digits(format!("{magnitude:b}")),
            'o' | 'O' => Written::Digits(format!("{magnitude:o}")),
            'x' => Written::Digits(format!("{magnitude:x}")),
            'X' => Written::Digits(format!("{magnitude:X}")),
            'c' => Written::Character(character()),
            'q' => Written::Quoted(character()),
            'U' => Written::Unicode,
            _ => Written::Not,
        };
        match written {
            Written::Digits(digits) => self.digits(negative, magnitude, &digits, verb),
            Written::Character(c) => self.pad(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Written::Quoted(c) => {
                let mut literal = Buffer::default();
                push_quoted_char(&mut literal, c, self.flags.plus);
                self.pad(literal.bytes());
            }
            Written::Unicode => self.code_point(bits),
            Written::Not => self.bad_verb(value, verb),
        }
    }

    /// The digits of an integer with leading zeros, prefix and sign.
    fn digits(&mut self, negative: bool, magnitude: u64, digits: &str, verb: char) {
        let signed = negative || self.flags.plus || self.flags.space;
        let zeros = match (self.flags.precision, self.flags.width) {
            (Some(0), _) if magnitude == 0 => {
                self.pad_with_blanks(b"");
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width.saturating_sub(usize::from(signed))
            }
            _ => 0,
        };
        let mut text = String::with_capacity(digits.len().max(zeros) + 3);
        if negative {
            text.push('-');
        } else if self.flags.plus {
            text.push('+');
        } else if self.flags.space {
            text.push(' ');
        }
        if verb == 'O' {
            text.push_str("0o");
        }
        let padding = zeros.saturating_sub(digits.len());
        match verb {
            'b' if self.flags.sharp => text.push_str("0b"),
            'o' | 'O' if self.flags.sharp && padding == 0 && !digits.starts_with('0') => text.push('0'),
            'x' if self.flags.sharp => text.push_str("0x"),
            'X' if self.flags.sharp => text.push_str("0X"),
            _ => {}
        }
        text.extend(std::iter::repeat_n('0', padding));
        text.push_str(digits);
        self.pad_with_blanks(text.as_bytes());
    }

    /// `%U`: `U+0041`, with `#` the character too.
    fn code_point(&mut self, bits: u64) {
        let width = self.flags.precision.unwrap_or_default().max(4);
        let mut text = format!("U+{bits:0width$X}");
        let c =
            u32::try_from(bits).ok().and_then(char::from_u32).filter(|c| self.flags.sharp && is_print(*c));
        if let Some(c) = c {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_with_blanks(text.as_bytes());
    }

    pub(super) fn float(&mut self, float: f64, value: &Value, verb: char) {
        let (verb, default) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => {
                self.bad_verb(value, verb);
                return;
            }
        };
        let precision = self.flags.precision.or(default);
        let mut text = format_float(float, verb, precision);
        if !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        if self.flags.space && !self.flags.plus && text.starts_with('+') {
            text.replace_range(..1, " ");
        }
        if !float.is_finite() {
            let bare = float.is_nan() && !self.flags.space && !self.flags.plus;
            let signed = self.flags.plus || !text.starts_with('+');
            let shown = if bare || !(signed || float.is_infinite()) { text.get(1..) } else { text.get(..) };
            self.pad_with_blanks(shown.unwrap_or_default().as_bytes());
            return;
        }
        if self.flags.sharp && verb != 'b' {
            text = with_point(&text, verb, precision);
        }
        self.signed_float(&text);
    }

    /// Zeros go between the sign and the digits; a plus is shown only if asked for.
    fn signed_float(&mut self, text: &str) {
        let digits = text.get(1..).unwrap_or_default();
        if !self.flags.plus && text.starts_with('+') {
            self.pad(digits.as_bytes());
            return;
        }
        match self.flags.width {
            Some(width) if self.flags.zero && !self.flags.minus && width > text.len() => {
                self.out.push_str(text.get(..1).unwrap_or_default());
                self.out.push_repeated(b'0', width - text.len());
                self.out.push_str(digits);
            }
            _ => self.pad(text.as_bytes()),
        }
    }

    pub(super) fn complex(&mut self, real: f64, imaginary: f64, value: &Value, verb: char) {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            self.bad_verb(value, verb);
            return;
        }
        self.out.push_byte(b'(');
        self.float(real, value, verb);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(imaginary, value, verb);
        self.flags.plus = plus;
        self.out.push(b"i)");
    }
}

/// `#` on a float: always a decimal point, and trailing zeros up to the precision. `text` starts with its sign.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let exponent = if matches!(verb, 'x' | 'X') { ['p', 'P'] } else { ['e', 'E'] };
    let (number, tail) = match text.find(exponent) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut missing = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let unsigned = number.get(1..).unwrap_or_default();
    let counted = unsigned.chars().skip_while(|c| matches!(c, '0' | '.')).filter(|c| *c != '.').count();
    missing = missing.saturating_sub(counted);
    let mut out = number.to_owned();
    if !unsigned.contains('.') {
        missing = missing.saturating_sub(usize::from(unsigned == "0"));
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', missing));
    out.push_str(tail);
    out
}
