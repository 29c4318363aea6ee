//! Go's side: a process of its own that answers line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::grammar::DATA;
use crate::ours::Outcome;

/// Longer texts are not compared; Go's side ends them there.
pub(crate) const LONGEST: usize = 64 << 10;

/// The process. Its input's end ends it.
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    data: Json,
}

#[derive(Deserialize)]
struct Answer {
    output: Option<String>,
    #[serde(default)]
    error: String,
}

impl Peer {
    /// Nothing, after a line that says so, where Go is missing and nobody requires it.
    pub(crate) fn start() -> Result<Option<Self>> {
        let binary = match servers::binary("sprig") {
            Ok(binary) => binary,
            Err(error) => {
                servers::say_missing(&error.to_string());
                return Ok(None);
            }
        };
        let mut command = Command::new(binary);
        command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start Go's side")?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("take Go's output")?);
        let data = DATA.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        Ok(Some(Self { child, input, output, data: Json::Object(data) }))
    }

    pub(crate) fn render(&mut self, text: &str) -> Result<Outcome> {
        let request = json!({"template": text, "data": self.data});
        let input = self.input.as_mut().context("ask Go's side")?;
        writeln!(input, "{request}").with_context(|| format!("ask Go's side for {text}"))?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: Answer =
            serde_json::from_str(&line).with_context(|| format!("read Go's answer for {text}"))?;
        Ok(match answer.error.as_str() {
            "" => Outcome::Rendered(STANDARD.decode(answer.output.unwrap_or_default())?),
            error if error.ends_with("too long") => Outcome::Limited,
            error => Outcome::Failed(error.to_owned()),
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.child.wait());
    }
}
