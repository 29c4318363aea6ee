//! RE2's syntax to that of the regex crates.

use crate::rule::Rule;

/// How often something may be repeated, as in RE2.
const MOST_REPEATS: u32 = 1000;

/// The same pattern in the other syntax. What only RE2 refuses is refused here, the rest by the compiler.
pub(super) fn translate(pattern: &str) -> Result<String, Rule> {
    let mut translator =
        Translator { rest: pattern, out: String::with_capacity(pattern.len() + 8), repeated: false };
    while let Some(c) = translator.next() {
        translator.outside(c)?;
    }
    Ok(translator.out)
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    /// Whether the last thing was a repetition, which cannot be repeated.
    repeated: bool,
}

impl<'p> Translator<'p> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn outside(&mut self, c: char) -> Result<(), Rule> {
        let repeated = std::mem::replace(&mut self.repeated, false);
        match c {
            '\\' => self.escape(false),
            '[' => self.class(),
            '*' | '+' | '?' => self.repetition(c.to_string(), repeated),
            '{' => match self.counts()? {
                Some(counts) => self.repetition(counts, repeated),
                None => {
                    self.out.push_str("\\{");
                    Ok(())
                }
            },
            '(' => {
                self.out.push('(');
                self.group()
            }
            _ => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    fn repetition(&mut self, operator: String, repeated: bool) -> Result<(), Rule> {
        if repeated {
            return Err(Rule::BadArgument);
        }
        self.out.push_str(&operator);
        if self.take("?") {
            self.out.push('?');
        }
        self.repeated = true;
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}` after the brace; any other brace stands for itself.
    fn counts(&mut self) -> Result<Option<String>, Rule> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            return Ok(None);
        };
        let (low, high) = inside.split_once(',').unwrap_or((inside, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(low) || !(high.is_empty() || digits(high)) {
            return Ok(None);
        }
        let count = |text: &str| text.parse::<u32>().unwrap_or_default();
        if count(low) > MOST_REPEATS || count(high) > MOST_REPEATS {
            return Err(Rule::BadArgument);
        }
        self.rest = rest;
        Ok(Some(format!("{{{inside}}}")))
    }

    /// After a parenthesis: only RE2's flags and groups.
    fn group(&mut self) -> Result<(), Rule> {
        if !self.rest.starts_with('?') {
            return Ok(());
        }
        let known = ["?P<", "?<"].iter().any(|start| self.rest.starts_with(start));
        if known && !self.rest.starts_with("?<=") && !self.rest.starts_with("?<!") {
            return Ok(());
        }
        let flags = self.rest.get(1..).unwrap_or_default();
        let end = flags.find([':', ')']).ok_or(Rule::BadArgument)?;
        let flags = flags.get(..end).unwrap_or_default();
        if flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
            Ok(())
        } else {
            Err(Rule::BadArgument)
        }
    }

    /// After a backslash, inside brackets or not.
    fn escape(&mut self, in_class: bool) -> Result<(), Rule> {
        let c = self.next().ok_or(Rule::BadArgument)?;
        match c {
            'd' | 'w' | 's' | 'D' | 'W' | 'S' => self.perl_class(c, in_class),
            'b' if !in_class => self.out.push_str("(?-u:\\b)"),
            'B' if !in_class => self.out.push_str("(?-u:\\B)"),
            'Q' => self.quoted(),
            'A' | 'z' if !in_class => self.push_escaped(c),
            'a' | 'f' | 'n' | 'r' | 't' | 'v' => self.push_escaped(c),
            'x' => self.push_escaped(c),
            'p' | 'P' => self.unicode_class(c == 'P')?,
            '0'..='7' => self.octal(c)?,
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => self.literal(c),
            _ => return Err(Rule::BadArgument),
        }
        Ok(())
    }

    fn push_escaped(&mut self, c: char) {
        self.out.push('\\');
        self.out.push(c);
    }

    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() {
            self.out.push(c);
        } else {
            self.out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
        }
    }

    /// ASCII classes; a negated one nests in brackets.
    fn perl_class(&mut self, c: char, in_class: bool) {
        let members = match c.to_ascii_lowercase() {
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            _ => "\\t\\n\\f\\r ",
        };
        let negated = if c.is_ascii_uppercase() { "^" } else { "" };
        if in_class && negated.is_empty() {
            self.out.push_str(members);
        } else {
            self.out.push_str(&format!("[{negated}{members}]"));
        }
    }

    /// `\p{Greek}` or `\pN`; `\p{^Greek}` is `\P{Greek}`.
    fn unicode_class(&mut self, negated: bool) -> Result<(), Rule> {
        if !self.take("{") {
            let letter = self.next().filter(char::is_ascii_alphabetic).ok_or(Rule::BadArgument)?;
            self.out.push_str(if negated { "\\P" } else { "\\p" });
            self.out.push(letter);
            return Ok(());
        }
        let inverted = self.take("^");
        let (name, rest) = self.rest.split_once('}').ok_or(Rule::BadArgument)?;
        self.rest = rest;
        self.out.push_str(&format!("{}{{{name}}}", if negated == inverted { "\\p" } else { "\\P" }));
        Ok(())
    }

    /// One to three octal digits; a single one that is no zero would refer back, which RE2 does not do.
    fn octal(&mut self, first: char) -> Result<(), Rule> {
        let more: String = self.rest.chars().take(2).take_while(|c| matches!(c, '0'..='7')).collect();
        if first != '0' && more.is_empty() {
            return Err(Rule::BadArgument);
        }
        self.rest = self.rest.get(more.len()..).unwrap_or_default();
        let code = u32::from_str_radix(&format!("{first}{more}"), 8).map_err(|_| Rule::BadArgument)?;
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }

    /// Up to `\E` or the end, literally.
    fn quoted(&mut self) {
        let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = rest;
        for c in text.chars() {
            self.literal(c);
        }
    }

    /// Brackets, in which only escapes, ranges and POSIX classes mean anything.
    fn class(&mut self) -> Result<(), Rule> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.next().ok_or(Rule::BadArgument)?;
            match c {
                ']' if !first => break,
                '\\' => self.escape(true)?,
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => self.posix()?,
                '-' => self.out.push('-'),
                _ => self.literal(c),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn posix(&mut self) -> Result<(), Rule> {
        let (name, rest) = self.rest.split_once(":]").ok_or(Rule::BadArgument)?;
        self.rest = rest;
        self.out.push_str(&format!("[{name}:]"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translated() {
        for (pattern, expected) in [
            ("a.b*?", Ok("a.b*?")),
            ("\\d+\\W", Ok("[0-9]+[^0-9A-Za-z_]")),
            ("[\\d&&\\S]", Ok("[0-9\\x{26}\\x{26}[^\\t\\n\\f\\r ]]")),
            ("[[:alpha:]_[]", Ok("[[:alpha:]\\x{5f}\\x{5b}]")),
            ("[]a-z]", Ok("[\\x{5d}a-z]")),
            ("\\Qa.b\\E+", Ok("a\\x{2e}b+")),
            ("\\bx\\B", Ok("(?-u:\\b)x(?-u:\\B)")),
            ("a{2,3}b{,3}c{x}", Ok("a{2,3}b\\{,3}c\\{x}")),
            ("\\101\\0", Ok("\\x{41}\\x{0}")),
            ("\\p{^Greek}\\PL", Ok("\\P{Greek}\\PL")),
            ("(?i)(?P<n>a)(?:b)(?s-m:c)", Ok("(?i)(?P<n>a)(?:b)(?s-m:c)")),
            ("a**", Err(Rule::BadArgument)),
            ("a{1001}", Err(Rule::BadArgument)),
            ("(a)\\1", Err(Rule::BadArgument)),
            ("(?=a)", Err(Rule::BadArgument)),
            ("(?<=a)", Err(Rule::BadArgument)),
            ("(?x)a", Err(Rule::BadArgument)),
            ("[a", Err(Rule::BadArgument)),
            ("\\Z", Err(Rule::BadArgument)),
        ] {
            assert_eq!(translate(pattern).as_deref(), expected.as_ref().copied(), "{pattern}");
        }
    }
}
