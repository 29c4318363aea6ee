//! The recorded cases' templates, and the words that a template is made of.

use template_go::functions;

const CASES: &str = include_str!("../../conformance/templates/vectors.json");
const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{/*",
    "*/}}",
    "(",
    ")",
    "|",
    ":=",
    "=",
    ",",
    ".",
    "$",
    "$x",
    ".a",
    ".b.c",
    "if",
    "else",
    "end",
    "range",
    "with",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "true",
    "\"",
    "`",
    "'a'",
    "'",
    "0",
    "-1",
    "0x1p-2",
    "1e999",
    "1i",
    "9223372036854775807",
    "9223372036854775808",
    "\"\\xff\"",
    "\"\\u00e9\"",
    "\n",
    " ",
    "\t",
    "\u{0}",
    "é",
    "\u{2028}",
    "\"x\"",
    "..",
];

pub(crate) struct Corpus {
    templates: Vec<String>,
    words: Vec<&'static str>,
}

impl Corpus {
    pub(crate) fn read() -> Self {
        let cases: Vec<serde_json::Value> = serde_json::from_str(CASES).unwrap();
        let templates = cases.iter().map(|case| case["template"].as_str().unwrap().to_owned()).collect();
        let names = functions::all().iter().map(|function| function.name);
        Self { templates, words: WORDS.iter().copied().chain(names).collect() }
    }

    pub(crate) fn one(&self, next: &mut dyn FnMut() -> u64) -> &str {
        &self.templates[pick(next, self.templates.len())]
    }

    pub(crate) fn word(&self, next: &mut dyn FnMut() -> u64) -> &'static str {
        self.words[pick(next, self.words.len())]
    }
}

/// Below `bound`, which is not 0.
pub(crate) fn pick(next: &mut dyn FnMut() -> u64, bound: usize) -> usize {
    ((next() >> 11) % bound as u64) as usize
}
