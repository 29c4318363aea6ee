//! What `keymill component` and its commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::namespace;

#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    /// Make a project for a component of your own
    New(NewComponent),
    /// Compile a project and make a component of it
    Build(BuildComponent),
    /// Run a component's cases
    Test(TestComponent),
    /// Measure what a component's cases cost
    Bench(BenchComponent),
    /// Print what to apply so that a cluster runs a component
    Manifest(ManifestComponent),
    /// Print the Grants that a component's wants need
    Grants(ManifestComponent),
    /// List the built-in components
    List,
    /// Show what a component is, what it imports and what its config may hold
    #[command(after_help = "Examples:
  keymill component inspect password
  keymill component inspect ./mine.wasm -o json")]
    Inspect {
        /// A built-in's name, or a component's file
        component: String,
        /// How to print
        #[arg(short, long, value_enum, default_value_t = Report::Text)]
        output: Report,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill component manifest ./mine.wasm | kubectl apply --server-side -f -
  keymill component grants ./mine.wasm > grants.yaml")]
pub(crate) struct ManifestComponent {
    /// A component's file; grants takes a built-in's name, too
    pub(crate) component: String,
    /// The name of the objects, a DNS label [default: what the component calls itself]
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    pub(crate) name: Option<String>,
    /// Their namespace [default: none, kubectl decides]
    #[arg(short, long, value_name = "NAME", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill component new my-token --world generator
  keymill component new no-runs --world policy --dir policies/no-runs
  keymill component new my-token --world generator --lang js

The project needs nothing but cargo or npm and what it depends on: the contract
is in it, in Rust the SDK, and an example that works with its cases.")]
pub(crate) struct NewComponent {
    /// What it is called: lower-case letters, digits and inner hyphens
    #[arg(value_parser = component_name)]
    pub(crate) name: String,
    /// The language that it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub(crate) lang: Language,
    /// What it does: a generator makes values, a template engine renders them, a policy judges them
    #[arg(long, value_enum)]
    pub(crate) world: WorldName,
    /// The folder to make, or an empty one [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Js,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorldName {
    Generator,
    Template,
    Policy,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill component build
  keymill component build policies/no-runs --out no-runs.wasm

In Rust cargo compiles it for wasm32-unknown-unknown, and what comes out is made
a component: the same source and compiler give the same bytes, wherever the
folder lies. In JavaScript npm runs the script build, whose bytes differ each
time. Either is loaded as the operator would load it.")]
pub(crate) struct BuildComponent {
    /// The folder of the project
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Where to write the component [default: NAME.wasm in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill component test
  keymill component test no-runs.wasm --cases no-runs.yaml

A project is built first. Each case that does not hold is printed with what was
expected and what came. A generator's values are drawn from seeds, the same on
every machine; without a seed of its own a case is run 20 times.

Exit codes: 0 all cases hold, 1 one does not or there is none, 2 wrong usage,
3 the component was refused.")]
pub(crate) struct TestComponent {
    /// The folder of a project, a component's file, or a built-in's name
    #[arg(default_value = ".", value_name = "DIR|FILE|NAME")]
    pub(crate) component: String,
    /// The cases [default: cases.yaml in DIR, or beside FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill component bench
  keymill component bench my-token.wasm --budget 50000

Fuel is counted in instructions and is the same on every machine; times are this
machine's. A case whose config is refused is left out.

Exit codes: 0 done, 1 a case takes more than the budget, 2 wrong usage, 3 the
component was refused or failed.")]
pub(crate) struct BenchComponent {
    /// The folder of a project, a component's file, or a built-in's name
    #[arg(default_value = ".", value_name = "DIR|FILE|NAME")]
    pub(crate) component: String,
    /// The cases [default: cases.yaml in DIR, or beside FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,
    /// The most fuel that a case's call may take
    #[arg(long, value_name = "FUEL")]
    pub(crate) budget: Option<u64>,
    /// How many times each case is called
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    Text,
    Json,
}

/// A component's name as the contract has it, and one that cargo takes.
fn component_name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let bytes = text.as_bytes();
    let edges = bytes.first().is_some_and(u8::is_ascii_lowercase) && bytes.last() != Some(&b'-');
    if bytes.len() > 64 || !bytes.iter().all(|byte| plain(*byte)) || !edges || text.contains("--") {
        return Err("say up to 64 lower-case letters, digits and inner hyphens, a letter first".to_owned());
    }
    if NAMES_OF_RUST.contains(&text) {
        return Err("Rust has a meaning for this name; choose another".to_owned());
    }
    Ok(text.to_owned())
}

/// Keywords and the crates of Rust itself, which no package can be called.
const NAMES_OF_RUST: [&str; 57] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "deps",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_called_what_the_contract_and_cargo_allow() {
        for name in ["a", "my-token", "b2c", &"a".repeat(64)] {
            assert_eq!(component_name(name), Ok(name.to_owned()));
        }
        for name in ["", "A", "2fa", "-a", "a-", "a--b", "a_b", "a.b", "a/b", "fn", "test", &"a".repeat(65)] {
            assert!(component_name(name).is_err(), "{name}");
        }
    }
}
