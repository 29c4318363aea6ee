//! What rendering costs: a database's six keys, and a hundred, on a fresh instance of the built-in engine with everything included, and
//! the same by Go's text/template with sprig within its own process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use runtime::{Component, Entry, Meter, Scope, TemplateText, Used};
use serde_json::{Value, json};

use crate::{Samples, call};

/// The password that the templates see; the user's name is beside it.
const PASSWORD: &str = "a-password-of-42-characters-0123456789-_$@";
const USER: &str = "app";
const HUNDRED: usize = 100;

/// Templates of one object, by key.
#[derive(Debug, Clone)]
pub struct Templates(Vec<(String, String)>);

impl Templates {
    /// What CloudNativePG's applications want to have.
    #[must_use]
    pub fn of_a_database() -> Self {
        let uri = |scheme: &str, host: &str| {
            format!("{scheme}://{{{{ .user }}}}:{{{{ .password | urlquery }}}}@{host}:5432/app")
        };
        let jdbc = |host: &str| {
            format!(
                "jdbc:postgresql://{host}:5432/app?password={{{{ .password | urlquery }}}}&user={{{{ .user }}}}"
            )
        };
        let keys = [
            ("password", "{{ .password }}".to_owned()),
            ("pgpass", "db-rw:5432:app:{{ .user }}:{{ .password | replace \":\" \"\\\\:\" }}\n".to_owned()),
            ("uri", uri("postgresql", "db-rw.shop")),
            ("fqdn-uri", uri("postgresql", "db-rw.shop.svc.cluster.local")),
            ("jdbc-uri", jdbc("db-rw.shop")),
            ("fqdn-jdbc-uri", jdbc("db-rw.shop.svc.cluster.local")),
        ];
        Self(keys.map(|(key, text)| (key.to_owned(), text)).to_vec())
    }

    /// A hundred keys of that kind, each with a condition and a pipe.
    #[must_use]
    pub fn of_a_hundred() -> Self {
        let text = |number: usize| {
            format!(
                "{{{{ if .user }}}}{number}:{{{{ .password | b64enc | trunc {} | upper | quote }}}}{{{{ end }}}}\n",
                number % 50 + 1
            )
        };
        Self((0..HUNDRED).map(|number| (format!("key-{number}"), text(number))).collect())
    }

    fn texts(&self) -> Vec<TemplateText> {
        let text = |(key, text): &(String, String)| TemplateText {
            key: key.clone(),
            text: text.clone(),
            scope: Scope::Values,
        };
        self.0.iter().map(text).collect()
    }

    /// The times of `count` renderings of all of them at once.
    ///
    /// # Errors
    /// The call's.
    pub fn render(&self, component: &Component, count: usize) -> Result<Samples> {
        let (engine, texts, data, call) = (component.template()?, self.texts(), data(), call());
        Samples::take(count, || Ok(engine.render(&call, &texts, &data, &json!({}))?))
    }

    /// What one rendering of all of them takes.
    ///
    /// # Errors
    /// The call's.
    pub fn fuel(&self, component: &Component) -> Result<u64> {
        let fuel = Arc::new(Fuel::default());
        let call = call().with_meter(Arc::clone(&fuel) as _);
        component.template()?.render(&call, &self.texts(), &data(), &json!({}))?;
        let used = *fuel.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(used)
    }

    /// The median that Go takes to parse and render all of them, one after the other; none, after a line that says so, without Go.
    ///
    /// # Errors
    /// The process's, or a template that Go does not render.
    pub fn render_in_go(&self, count: usize) -> Result<Option<Duration>> {
        let binary = match servers::binary("sprig") {
            Ok(binary) => binary,
            Err(error) => {
                servers::say_missing(&error.to_string());
                return Ok(None);
            }
        };
        let mut child = Command::new(binary).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("ask Go's side")?;
        let mut output = BufReader::new(child.stdout.take().context("read Go's side")?).lines();
        let mut total = 0;
        for (_, text) in &self.0 {
            let data = json!({"user": USER, "password": PASSWORD});
            writeln!(input, "{}", json!({"template": text, "data": data, "repeat": count}))?;
            let answer: Value = serde_json::from_str(&output.next().context("read Go's answer")??)?;
            anyhow::ensure!(answer.get("error").is_none(), "Go does not render {text}: {answer}");
            total += answer.get("nanos").and_then(Value::as_u64).context("read Go's time")?;
        }
        drop(input);
        child.wait()?;
        Ok(Some(Duration::from_nanos(total)))
    }
}

fn data() -> [Entry; 2] {
    [Entry::new("password", PASSWORD), Entry::new("user", USER)]
}

#[derive(Default)]
struct Fuel(Mutex<u64>);

impl Meter for Fuel {
    fn used(&self, used: &Used) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = used.fuel;
    }
}
