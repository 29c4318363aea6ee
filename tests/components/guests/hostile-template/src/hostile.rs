//! The component. The deed is the text of the first template.

use exports::keymill::guest::render::{Fault, Guest, Rendered, Request, Template};
use keymill::guest::types::{Description, Doc, Entry, KeyAlgorithm, KeySpec};
use keymill::guest::{clock, entropy, work};

mod bindings {
    wit_bindgen::generate!({ world: "template", path: "../../../../wit" });
}
use bindings::{exports, keymill};

struct Hostile;

#[expect(unsafe_code, reason = "generated: the canonical ABI reads and writes raw memory")]
mod export {
    use super::{Hostile, bindings};
    bindings::export!(Hostile with_types_in bindings);
}

impl Guest for Hostile {
    fn describe() -> Description {
        Description {
            name: "hostile".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Misbehaves as its templates say.".to_owned(),
            config_schema: "{}".to_owned(),
            fields: Vec::new(),
            rules: vec![Doc { name: "broken".to_owned(), about: "The template is broken.".to_owned() }],
            wants: Vec::new(),
        }
    }

    fn validate(templates: Vec<Template>, _: String) -> Vec<Fault> {
        if templates.first().is_some_and(|template| template.text == "ask") {
            work::heavy(1);
        }
        fault(templates.first().map_or("", |template| &template.text), "hunter2").into_iter().collect()
    }

    fn render(request: Request) -> Result<Vec<Rendered>, Fault> {
        let deed = request.templates.first().map_or("", |template| &template.text);
        let secret = request.data.first().map_or("", |entry| std::str::from_utf8(&entry.value).unwrap_or(""));
        if let Some(fault) = fault(deed, secret) {
            return Err(fault);
        }
        let templates = request.templates.iter().enumerate();
        Ok(templates.map(|(index, template)| answer(deed, index, template, secret)).collect())
    }
}

fn spin() -> Vec<u8> {
    let mut word = 1_u64;
    while std::hint::black_box(word) != 0 {
        word = word.wrapping_mul(3) | 1;
    }
    Vec::new()
}

fn fault(deed: &str, secret: &str) -> Option<Fault> {
    let fault = |line, column, rule: &str, name: Option<&str>| Fault {
        index: 0,
        line,
        column,
        rule: rule.to_owned(),
        name: name.map(str::to_owned),
    };
    match deed {
        "broken" => Some(fault(1, 3, "broken", Some("roke"))),
        "leak-by-rule" => Some(fault(1, 1, secret, None)),
        "leak-by-name" => Some(fault(1, 1, "broken", Some(secret))),
        "leak-by-line" => Some(fault(secret.len() as u32 + 1000, 1, "broken", None)),
        "leak-by-column" => Some(fault(1, secret.len() as u32 + 1000, "broken", None)),
        _ => None,
    }
}

fn answer(deed: &str, index: usize, template: &Template, secret: &str) -> Rendered {
    let value = match deed {
        "random" => entropy::bytes(&template.key, 32),
        "key" => entropy::key(&template.key, KeySpec { algorithm: KeyAlgorithm::EcdsaP256, bits: None }),
        "clock" => clock::now().to_string().into_bytes(),
        "spin" => spin(),
        "ask-and-spin" => {
            work::heavy(20);
            spin()
        }
        "ask-for-more" => loop {
            work::heavy(7);
        },
        "ask-for-all" => {
            work::heavy(u32::MAX);
            Vec::new()
        }
        _ => secret.as_bytes().to_vec(),
    };
    let key = if deed == "other-key" { secret.to_owned() } else { template.key.clone() };
    let mut entries = vec![Entry { key, value }];
    if deed == "more-keys" {
        entries.push(Entry { key: "more".to_owned(), value: Vec::new() });
    }
    let index = if deed == "other-index" { index as u32 + 1 } else { index as u32 };
    Rendered { index, entries }
}
