//! One recorded case and how it is judged.

use std::collections::BTreeMap;

use base64::Engine;
use serde::Deserialize;
use template_go::draw::{Draw, KeyKind};
use template_go::engine::{Entry, Rendered, Request, Scope, Template, render};
use template_go::lexer::Delimiters;
use template_go::rule::Rule;

/// The key that ESO rendered the cases under: the name of the main template.
const KEY: &str = "out";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) template: String,
    data: BTreeMap<String, String>,
    scope: String,
    expect: Option<serde_json::Value>,
    expect_base64: Option<String>,
    expect_regex: Option<String>,
    #[serde(default)]
    error: bool,
    /// How Go words the error; only whether it says that a function does not exist matters.
    error_contains: Option<String>,
}

pub(crate) enum Verdict {
    Passed,
    /// Why, in a line.
    Failed(String),
}

impl Case {
    /// `start` is how the rendering must start, if what follows is a library's error text.
    pub(crate) fn check(&self, start: Option<&str>) -> Verdict {
        let scope = if self.scope == "KeysAndValues" { Scope::KeysAndValues } else { Scope::Values };
        let request = Request {
            templates: vec![Template { key: KEY, text: &self.template, scope }],
            data: self.data.iter().map(|(key, value)| Entry { key, value: value.as_bytes() }).collect(),
            delimiters: Delimiters::default(),
        };
        let judged = match render(&request, &mut Fixed(0)) {
            Ok(rendered) => self.judge_rendered(&rendered, start),
            Err(fault) => self.judge_fault(fault.rule, fault.name.as_deref()),
        };
        judged.map_or_else(Verdict::Failed, |()| Verdict::Passed)
    }

    fn judge_rendered(&self, rendered: &[Rendered], start: Option<&str>) -> Result<(), String> {
        let rendered = rendered.first().ok_or("nothing was rendered")?;
        if self.error {
            return Err(format!("renders {}, but should fail", shown(rendered)));
        }
        if let Some(serde_json::Value::Object(expected)) = &self.expect {
            let seen =
                rendered.iter().map(|(key, value)| (key.clone(), String::from_utf8_lossy(value).into()));
            let same = *expected == seen.collect::<serde_json::Map<_, _>>();
            return if same {
                Ok(())
            } else {
                Err(format!("renders {}, not {:?}", shown(rendered), self.expect))
            };
        }
        let value = rendered.first().map(|(_, value)| value.as_slice()).unwrap_or_default();
        match start {
            Some(start) if value.starts_with(start.as_bytes()) => Ok(()),
            Some(start) => Err(format!("renders {}, which does not start with {start}", shown(rendered))),
            None => self.judge_value(value),
        }
    }

    fn judge_value(&self, value: &[u8]) -> Result<(), String> {
        let seen = String::from_utf8_lossy(value);
        if let Some(pattern) = &self.expect_regex {
            let pattern = regex::Regex::new(pattern).map_err(|error| error.to_string())?;
            return if pattern.is_match(&seen) {
                Ok(())
            } else {
                Err(format!("renders {seen:?}, which does not match"))
            };
        }
        let expected = match (&self.expect_base64, &self.expect) {
            (Some(text), _) => {
                base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| error.to_string())?
            }
            (None, Some(serde_json::Value::String(text))) => text.clone().into_bytes(),
            _ => return Err("the case expects nothing that this runner knows".to_owned()),
        };
        if value == expected {
            Ok(())
        } else {
            Err(format!("renders {seen:?}, not {:?}", String::from_utf8_lossy(&expected)))
        }
    }

    /// A failure is right if one is expected, but not if the function is merely absent.
    fn judge_fault(&self, rule: Rule, name: Option<&str>) -> Result<(), String> {
        let absent = self.error_contains.as_ref().is_some_and(|text| text.contains("not defined"));
        if !self.error || (rule == Rule::UnknownFunction && !absent) {
            return Err(format!("fails by {} {}", rule.name(), name.unwrap_or_default()));
        }
        Ok(())
    }
}

fn shown(rendered: &Rendered) -> String {
    let entries = rendered.iter().map(|(key, value)| format!("{key}={:?}", String::from_utf8_lossy(value)));
    entries.collect::<Vec<_>>().join(", ")
}

/// A source that gives the same bytes in every run.
struct Fixed(u64);

impl Draw for Fixed {
    fn bytes(&mut self, _: &str, len: u32) -> Vec<u8> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0.to_be_bytes()[1]
        };
        (0..len).map(|_| next()).collect()
    }

    /// One fixed key of each kind, from a file.
    fn key(&mut self, _: &str, kind: KeyKind) -> Vec<u8> {
        let pem = match kind {
            KeyKind::Rsa2048 => include_str!("keys/rsa-2048.pem"),
            KeyKind::Rsa4096 => include_str!("keys/rsa-4096.pem"),
            KeyKind::EcdsaP256 => include_str!("keys/ecdsa-p256.pem"),
            KeyKind::Ed25519 => include_str!("keys/ed25519.pem"),
        };
        let digits: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(digits).unwrap_or_default()
    }

    /// 22 September 2026.
    fn now(&mut self) -> u64 {
        1_790_000_000
    }
}
