//! Templates from a grammar, rendered by the default engine and by Go's own text/template with sprig, which must agree: both give
//! the same bytes, or both fail.
//!
//! 2,000 pairs of a seed that is the same in every run; 100,000 with KEYMILL_FULL=1, or as many as KEYMILL_PAIRS says, from KEYMILL_SEED on. A
//! pair that differs is made as small as it can be before it is shown. Absent: what draws, what tells the present, what keymill sorts
//! and Go does not, and External Secrets' own functions, for which there are recorded cases.

mod grammar;
mod ours;
mod peer;
mod shrink;
mod tree;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use grammar::Grammar;
use ours::Outcome;
use peer::Peer;
use tree::Template;

const PAIRS: u64 = 2_000;
const PAIRS_FULL: u64 = 100_000;
/// After so many that differ, something is wrong with more than one function.
const SHOWN: usize = 20;

fn main() -> ExitCode {
    let ended = run();
    if let Err(error) = &ended {
        drop(say(&format_args!("cannot compare: {error:#}")));
    }
    if ended.is_ok_and(|good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all agree.
fn run() -> Result<bool> {
    let Some(mut peer) = Peer::start()? else {
        return Ok(true);
    };
    let grammar = Grammar::new();
    let pairs = setting("KEYMILL_PAIRS").unwrap_or(if support::is_full() { PAIRS_FULL } else { PAIRS });
    let first = setting("KEYMILL_SEED").unwrap_or(0);
    let (mut compared, mut rendered, mut differing) = (0, 0, Vec::new());
    for seed in first..first + pairs {
        let template = grammar.template(seed);
        let Some(agrees) = compare(&template, &mut peer)? else { continue };
        compared += 1;
        match agrees {
            Agreement::Rendered => rendered += 1,
            Agreement::Failed => {}
            Agreement::Different => {
                let small = shrink::smallest(template, |small| {
                    Ok(matches!(compare(small, &mut peer)?, Some(Agreement::Different)))
                })?;
                differing.push(seed);
                show(seed, &small, &mut peer)?;
            }
        }
        if differing.len() == SHOWN {
            say(&"too many differ")?;
            break;
        }
    }
    say(&format_args!("{compared} pairs, {rendered} of them rendered, {} differ", differing.len()))?;
    // A grammar that makes only faults would prove nothing.
    Ok(differing.is_empty() && rendered * 5 > compared)
}

enum Agreement {
    Rendered,
    Failed,
    Different,
}

/// Nothing where our limits end it, or the text is longer than what is compared.
fn compare(template: &Template, peer: &mut Peer) -> Result<Option<Agreement>> {
    let text = template.to_string();
    Ok(match (ours::render(&text), peer.render(&text)?) {
        (Outcome::Limited, _) | (_, Outcome::Limited) => None,
        (Outcome::Failed(_), Outcome::Failed(_)) => Some(Agreement::Failed),
        (Outcome::Rendered(ours), Outcome::Rendered(theirs)) if ours == theirs => Some(Agreement::Rendered),
        _ => Some(Agreement::Different),
    })
}

fn show(seed: u64, template: &Template, peer: &mut Peer) -> Result<()> {
    let text = template.to_string();
    say(&format_args!("seed {seed}: {text}"))?;
    say(&format_args!("    keymill: {}", ours::render(&text)))?;
    say(&format_args!("    Go:      {}", peer.render(&text)?))
}

/// The report goes to standard output whether or not somebody captures tests.
fn say(line: &dyn Display) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("write to standard output")
}

#[expect(clippy::disallowed_methods, reason = "the runner is its own command line")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
