//! Values on standard output, the only place where the CLI shows them: as YAML, as JSON lines, or as shell assignments.
//!
//! In YAML each value is quoted, so that none turns into a number, a date or a boolean on its way through another tool. Shell
//! assignments are single-quoted, so that a shell expands nothing in them. What a format cannot hold is refused by key.

mod env;
mod yaml;

use std::io::{self, BufWriter, Write};

use zeroize::Zeroizing;

use crate::args;
use crate::ending::Ending;

/// Standard output.
pub(crate) struct Output {
    stream: BufWriter<io::StdoutLock<'static>>,
}

impl Output {
    pub(crate) fn open() -> Self {
        Self { stream: BufWriter::new(io::stdout().lock()) }
    }

    /// Text or values; nothing is added.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Everything is out, or the command has failed.
    pub(crate) fn finish(mut self) -> Result<(), Ending> {
        Ok(self.stream.flush()?)
    }
}

/// A key and its value.
pub(crate) type Pair<'a> = (&'a str, &'a [u8]);

/// Writes maps of values one after the other, so that each can be told from the next.
pub(crate) struct Values {
    output: Output,
    format: args::Output,
    count: u64,
}

impl Values {
    pub(crate) fn open(format: args::Output) -> Self {
        Self { output: Output::open(), format, count: 0 }
    }

    /// One map: a YAML document, a JSON line, or a block of assignments. `notes` are comments where the format has some.
    pub(crate) fn write(&mut self, pairs: &[Pair<'_>], notes: &[String]) -> Result<(), Ending> {
        let text = text(self.format, pairs, notes).map_err(Ending::failed)?;
        let separator = match self.format {
            args::Output::Yaml => "---\n",
            args::Output::Json => "",
            args::Output::Env => "\n",
        };
        if self.count > 0 {
            self.output.write(separator.as_bytes())?;
        }
        self.count += 1;
        self.output.write(text.as_bytes())
    }

    pub(crate) fn finish(self) -> Result<(), Ending> {
        self.output.finish()
    }
}

/// # Errors
/// Which key cannot be written, and why.
fn text(format: args::Output, pairs: &[Pair<'_>], notes: &[String]) -> Result<Zeroizing<String>, String> {
    match format {
        args::Output::Yaml => Ok(yaml::text(pairs, notes)),
        args::Output::Json => json(pairs),
        args::Output::Env => env::text(pairs),
    }
}

fn json(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(vec![b'{']);
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        quote_json(&mut bytes, key)?;
        bytes.push(b':');
        quote_json(&mut bytes, as_text(key, value, "JSON")?)?;
    }
    bytes.extend_from_slice(b"}\n");
    let text = std::str::from_utf8(&bytes).map_err(|_| "write JSON: it is not UTF-8".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn quote_json(bytes: &mut Vec<u8>, text: &str) -> Result<(), String> {
    serde_json::to_writer(bytes, text).map_err(|_| "write JSON".to_owned())
}

/// # Errors
/// When the value is not text.
fn as_text<'a>(key: &str, value: &'a [u8], format: &str) -> Result<&'a str, String> {
    std::str::from_utf8(value)
        .map_err(|_| format!("write {key} as {format}: its bytes are not UTF-8 text; use -o yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: args::Output, pairs: &[Pair<'_>], expected: Result<&str, &str>) {
        let found = text(format, pairs, &["type Opaque".to_owned()]);
        let found = found.as_ref().map(|text| text.as_str()).map_err(String::as_str);
        assert_eq!(found, expected, "{format:?}");
    }

    const PAIRS: &[Pair<'_>] = &[("password", b"it's \"5\" $HOME\n"), ("jdbc-uri", b"5432")];

    #[test]
    fn yaml_quotes_each_value() {
        let expected = "# type Opaque\npassword: \"it's \\\"5\\\" $HOME\\n\"\njdbc-uri: \"5432\"\n";
        check(args::Output::Yaml, PAIRS, Ok(expected));
        check(args::Output::Yaml, &[], Ok("# type Opaque\n{}\n"));
    }

    #[test]
    fn json_is_one_line() {
        let expected = "{\"password\":\"it's \\\"5\\\" $HOME\\n\",\"jdbc-uri\":\"5432\"}\n";
        check(args::Output::Json, PAIRS, Ok(expected));
        check(args::Output::Json, &[], Ok("{}\n"));
    }

    #[test]
    fn a_shell_expands_nothing() {
        check(args::Output::Env, PAIRS, Ok("PASSWORD='it'\\''s \"5\" $HOME\n'\nJDBC_URI='5432'\n"));
        check(args::Output::Env, &[], Ok(""));
    }

    #[test]
    fn what_is_not_text_is_refused_by_key() {
        check(args::Output::Yaml, &[("key", b"\xff")], Ok("# type Opaque\nkey: !!binary \"/w==\"\n"));
        let refused = "write key as JSON: its bytes are not UTF-8 text; use -o yaml";
        check(args::Output::Json, &[("key", b"\xff")], Err(refused));
        let refused = "write key as an assignment: its bytes are not UTF-8 text; use -o yaml";
        check(args::Output::Env, &[("key", b"\xff")], Err(refused));
    }
}
