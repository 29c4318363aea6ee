//! The component. Its config is `{"do": "<deed>"}`; the deed is found by its quoted name, so that no parser is needed.

use std::hint::black_box;

use exports::keymill::guest::generate::{
    Derivation, Draw, Failure, Field, Guest, Output, Pick, Picks, Request, Segment, Source, Transform,
};
use keymill::guest::types::{Capability, Description, Doc, KeyAlgorithm, KeySpec, Problem, Refusal, Want};
use keymill::guest::{clock, entropy, kube, log, vault};

mod bindings {
    wit_bindgen::generate!({ world: "generator", path: "../../../../wit" });
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
        let want = |label: &str, capability| Want {
            label: label.to_owned(),
            capability,
            about: "To see whether it is served.".to_owned(),
        };
        Description {
            name: "hostile".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Misbehaves as its config says.".to_owned(),
            config_schema: r#"{"type": "object", "required": ["do"]}"#.to_owned(),
            fields: Vec::new(),
            rules: vec![
                Doc { name: "denied".to_owned(), about: "The host denied it.".to_owned() },
                Doc { name: "served".to_owned(), about: "The host served it.".to_owned() },
            ],
            wants: vec![
                want("object", Capability::Kube),
                want("prefix", Capability::Vault),
                want("before", Capability::Previous),
            ],
        }
    }

    fn validate(config: String) -> Vec<Problem> {
        let problem = |path: &str, rule: &str| Problem { path: path.to_owned(), rule: rule.to_owned() };
        match deed(&config) {
            "loop-in-validate" => forever(),
            "draw-in-validate" => {
                entropy::bytes("", 16);
                Vec::new()
            }
            "lie-in-validate" => vec![problem("/do", &config)],
            "leak-in-validate" => vec![problem(&format!("/{config}"), "denied")],
            "invalid" => vec![problem("/do", "denied")],
            _ => Vec::new(),
        }
    }

    fn generate(request: Request) -> Result<Output, Failure> {
        let deed = deed(&request.config).to_owned();
        exhaust(&deed);
        ask(&deed, &request)?;
        Ok(lie(&deed, &request))
    }

    fn cleanup(_: String, state: Vec<u8>) -> Result<(), Failure> {
        if state == b"refuse" { Err(Failure::Refused("denied".to_owned())) } else { Ok(()) }
    }
}

fn deed(config: &str) -> &str {
    config.split('"').nth(3).unwrap_or("")
}

/// Uses up what is limited.
fn exhaust(deed: &str) {
    match deed {
        "loop" => forever(),
        "copy-forever" => copy_forever(),
        "allocate" => allocate(usize::MAX),
        "allocate-a-little" => allocate(64),
        "recurse" => drop(black_box(deeper(black_box(0)))),
        "trap" => core::arch::wasm32::unreachable(),
        "divide" => drop(black_box(1 / black_box(0_u32))),
        "out-of-bounds" => out_of_bounds(),
        _ => {}
    }
}

fn forever() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Bulk instructions are not interrupted inside, only between.
fn copy_forever() -> ! {
    let mut bytes = vec![1_u8; 16 << 20];
    loop {
        bytes.copy_within(1.., 0);
        black_box(&bytes);
    }
}

fn allocate(mebibytes: usize) {
    let mut kept = Vec::new();
    while kept.len() < mebibytes {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Not a tail call, and without memory of its own, so that it is the wasm stack that ends.
#[inline(never)]
#[expect(unconditional_recursion, reason = "the very thing that is to be tried")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1))) ^ depth
}

#[expect(unsafe_code, reason = "the very thing that is to be tried: a read outside the memory traps")]
fn out_of_bounds() {
    // SAFETY: none; in wasm this is a trap.
    black_box(unsafe { core::ptr::read_volatile(0xffff_fff0_usize as *const u8) });
}

/// Asks for what it may not have, and says how that went by one of two rules.
fn ask(deed: &str, request: &Request) -> Result<(), Failure> {
    let outcome = match deed {
        "read-object" => kube::read("object").map(|_| ()),
        "read-undeclared" => kube::read("undeclared").map(|_| ()),
        "token" => kube::token("object").map(|_| ()),
        "escape-prefix" => vault::read("prefix", "../../other", &[]).map(|_| ()),
        "read-prefix" => vault::read("prefix", "a/b", &[]).map(|_| ()),
        "ask-forever" => loop {
            let _ = kube::read("object");
        },
        "draw-much" => loop {
            black_box(entropy::bytes("", 1 << 16));
        },
        "many-keys" => loop {
            black_box(entropy::key("", KeySpec { algorithm: KeyAlgorithm::Ed25519, bits: None }));
        },
        "weak-key" => {
            entropy::key("", KeySpec { algorithm: KeyAlgorithm::Rsa, bits: Some(512) });
            Ok(())
        }
        "previous" => (!request.previous.is_empty()).then_some(()).ok_or(Refusal::Denied),
        _ => return Ok(()),
    };
    let rule = if outcome.is_ok() { "served" } else { "denied" };
    Err(Failure::Refused(rule.to_owned()))
}

/// Answers, truthfully only if nothing else was asked for.
fn lie(deed: &str, request: &Request) -> Output {
    let text = |text: &str| vec![Segment::Literal(text.as_bytes().to_vec())];
    let field = |key: &str, value: Vec<Segment>| Field { key: key.to_owned(), value };
    let mut output = Output { values: vec![password()], fields: Vec::new(), state: None, expires_in: None };
    output.fields = match deed {
        "bad-index" => vec![field("a", vec![Segment::Value(7)])],
        "duplicate-key" => vec![field("a", text("x")), field("a", text("y"))],
        "bad-key" => vec![field("a/../b", text("x"))],
        "empty-value" => vec![field("a", Vec::new())],
        "flood-bytes" => vec![field("a", vec![Segment::Literal(vec![1; 4 << 20])])],
        "flood-fields" => (0..100_000).map(|i| field(&i.to_string(), Vec::new())).collect(),
        "flood-name" => vec![field(&"n".repeat(900_000), text("x"))],
        "log-all" => {
            log_everything(request);
            vec![field("a", vec![Segment::Value(0)])]
        }
        "clock" => vec![field("a", text(&clock::now().to_string()))],
        _ => vec![field("password", vec![Segment::Value(0)])],
    };
    match deed {
        "forward" => output.values.insert(0, derive(Transform::Join, 1)),
        "self" => output.values.push(derive(Transform::Join, 1)),
        "not-a-key" => output.values.push(derive(Transform::Pkcs8Pem, 0)),
        "impossible" => output.values.push(picks("0123456789", 11)),
        "empty-alphabet" => output.values.push(picks("", 1)),
        "slow" => output.values.extend((0..200).map(|_| derive(Transform::Bcrypt(14), 0))),
        "expired" => output.expires_in = Some(0),
        "big-state" => output.state = Some(vec![1; 100_000]),
        _ => {}
    }
    output
}

fn password() -> Source {
    picks("abcdefghijklmnopqrstuvwxyz", 20)
}

fn picks(alphabet: &str, count: u32) -> Source {
    let part = Pick { alphabet: alphabet.to_owned(), count };
    Source::Draw(Draw::Picks(Picks { parts: vec![part], shuffle: true, distinct: true }))
}

fn derive(via: Transform, index: u32) -> Source {
    Source::Derive(Derivation { parts: vec![Segment::Value(index)], via })
}

/// In every shape that a log could be searched for, and would not be.
fn log_everything(request: &Request) {
    let drawn = entropy::bytes("", 16);
    let mut seen: Vec<String> = vec![request.config.clone(), format!("{drawn:?}")];
    for entry in &request.previous {
        seen.push(String::from_utf8_lossy(&entry.value).into_owned());
        seen.push(entry.value.iter().map(|byte| format!("{byte:02x}")).collect());
        seen.push(String::from_utf8_lossy(&entry.value).chars().rev().collect());
        seen.extend(entry.value.iter().map(|byte| char::from(*byte).to_string()));
    }
    for line in seen {
        log::write(log::Level::Warn, &line);
    }
}
