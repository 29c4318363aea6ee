//! The engine as a component of the world `template`: the coat around [`crate::engine`], and nothing else.

use keymill_sdk::{
    Description, Entry, Fault, KeyAlgorithm, KeySpec, RenderRequest, Rendered, Schema, Template,
    TemplateText, clock, entropy,
};
use serde::Deserialize;

use crate::draw::{Draw, KeyKind};
use crate::engine;
use crate::fault;
use crate::lexer::Delimiters;
use crate::rule::Rule;

/// The component.
#[derive(Debug)]
pub struct GoTemplate;

/// What ESO's controller takes as flags.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// What opens an action.
    pub left_delimiter: String,
    /// What closes it.
    pub right_delimiter: String,
}

impl Default for Config {
    fn default() -> Self {
        let Delimiters { left, right } = Delimiters::default();
        Self { left_delimiter: left.to_owned(), right_delimiter: right.to_owned() }
    }
}

impl Config {
    fn delimiters(&self) -> Delimiters<'_> {
        let given = Delimiters { left: &self.left_delimiter, right: &self.right_delimiter };
        let default = Delimiters::default();
        Delimiters {
            left: if given.left.is_empty() { default.left } else { given.left },
            right: if given.right.is_empty() { default.right } else { given.right },
        }
    }
}

impl Template for GoTemplate {
    type Config = Config;

    fn describe() -> Description {
        let delimiter = |word: &str, about: &str| Schema::string().about(about).default_value(word);
        let Delimiters { left, right } = Delimiters::default();
        let schema = Schema::object()
            .optional("leftDelimiter", delimiter(left, "What opens an action."))
            .optional("rightDelimiter", delimiter(right, "What closes an action."));
        let rules: Vec<_> = Rule::ALL.iter().map(|rule| declared(*rule)).collect();
        let summary = "Go text/template with sprig, as External Secrets renders it";
        Description::new("go", env!("CARGO_PKG_VERSION"), summary).config(schema).rules(&rules)
    }

    fn validate(templates: &[TemplateText], config: &Config) -> Vec<Fault> {
        let templates: Vec<_> = templates.iter().map(borrowed).collect();
        engine::validate(&templates, config.delimiters()).into_iter().map(reported).collect()
    }

    fn render(request: RenderRequest<Config>) -> Result<Vec<Rendered>, Fault> {
        let request = engine::Request {
            templates: request.templates.iter().map(borrowed).collect(),
            data: request
                .data
                .iter()
                .map(|entry| engine::Entry { key: &entry.key, value: &entry.value })
                .collect(),
            delimiters: request.config.delimiters(),
        };
        let rendered = engine::render(&request, &mut Host).map_err(reported)?;
        Ok((0..)
            .zip(rendered)
            .map(|(index, entries)| Rendered { index, entries: entries.into_iter().map(entry).collect() })
            .collect())
    }
}

keymill_sdk::template!(GoTemplate);

/// The host's streams and clock.
struct Host;

impl Draw for Host {
    fn bytes(&mut self, stream: &str, len: u32) -> Vec<u8> {
        entropy::bytes(stream, len)
    }

    fn key(&mut self, stream: &str, kind: KeyKind) -> Vec<u8> {
        let (algorithm, bits) = match kind {
            KeyKind::Rsa2048 => (KeyAlgorithm::Rsa, Some(2048)),
            KeyKind::Rsa4096 => (KeyAlgorithm::Rsa, Some(4096)),
            KeyKind::EcdsaP256 => (KeyAlgorithm::EcdsaP256, None),
            KeyKind::Ed25519 => (KeyAlgorithm::Ed25519, None),
        };
        entropy::key(stream, KeySpec { algorithm, bits })
    }

    fn now(&mut self) -> u64 {
        clock::now()
    }
}

const fn declared(rule: Rule) -> keymill_sdk::Rule {
    keymill_sdk::Rule::new(rule.name(), rule.about())
}

fn borrowed(template: &TemplateText) -> engine::Template<'_> {
    let scope = match template.scope {
        keymill_sdk::Scope::Values => engine::Scope::Values,
        keymill_sdk::Scope::KeysAndValues => engine::Scope::KeysAndValues,
    };
    engine::Template { key: &template.key, text: &template.text, scope }
}

fn entry((key, value): (String, Vec<u8>)) -> Entry {
    Entry::new(key, value)
}

fn reported(fault: fault::Fault) -> Fault {
    let fault::Fault { index, line, column, rule, name } = fault;
    Fault { index, line, column, rule: declared(rule), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str, config: Config) -> RenderRequest<Config> {
        let template =
            TemplateText { key: "uri".to_owned(), text: text.to_owned(), scope: keymill_sdk::Scope::Values };
        RenderRequest { templates: vec![template], data: vec![Entry::new("user", "app")], config }
    }

    #[test]
    fn renders_what_the_engine_renders() {
        let rendered = GoTemplate::render(request("{{ .user }}@db", Config::default()));
        let expected = Rendered { index: 0, entries: vec![Entry::new("uri", "app@db")] };
        assert_eq!(rendered, Ok(vec![expected]));
    }

    #[test]
    fn faults_name_a_declared_rule() {
        let fault = GoTemplate::render(request("{{ .nope }}", Config::default())).expect_err("no such key");
        assert_eq!((fault.line, fault.column, fault.name.as_deref()), (1, 4, Some("nope")));
        assert!(Rule::ALL.iter().any(|rule| declared(*rule) == fault.rule));
    }

    #[test]
    fn delimiters_are_configured() {
        let config = |text: &str| keymill_sdk::parse_config::<Config>(text).expect("valid");
        for (json, text) in [
            ("{\"leftDelimiter\":\"<<\",\"rightDelimiter\":\">>\"}", "<< .user >>"),
            ("{\"leftDelimiter\":\"\"}", "{{ .user }}"),
            ("{}", "{{ .user }}"),
        ] {
            let rendered = GoTemplate::render(request(text, config(json))).expect("renders");
            assert_eq!(rendered[0].entries, [Entry::new("uri", "app")], "{json}");
        }
    }

    #[test]
    fn drawing_repeats_within_a_rotation() {
        let faults = GoTemplate::validate(
            &request("{{ randAlphaNum 9 | nope }}", Config::default()).templates,
            &Config::default(),
        );
        assert_eq!(faults.len(), 1);
        let rendered =
            GoTemplate::render(request("{{ randAlphaNum 24 | len }}", Config::default())).expect("renders");
        assert_eq!(rendered[0].entries, [Entry::new("uri", "24")]);
    }
}
