//! `keymill generate`: values from a generator, without a cluster. They go to standard output and nowhere else.
//!
//! A manifest is read as the operator reads it: its kind names the built-in, its spec is the config. Nothing is printed of a run
//! that a policy does not accept.

mod asked;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use runtime::{Call, Entropy, GenerateRequest, Generated, Limits, LogLevel, LogSink, Occasion, World};
use secrecy::ExposeSecret as _;

use crate::args::Generate;
use crate::catalog::Components;
use crate::ending::{self, Ending, say};
use crate::grant;
use crate::output::{Pair, Values};
use crate::policy::{self, Policy};
use asked::Asked;

pub(crate) fn run(args: Generate) -> Result<ExitCode> {
    Ok(ending::code(generate(&args)))
}

fn generate(args: &Generate) -> Result<(), Ending> {
    let asked = Asked::of(args)?;
    let components = Components::open()?;
    let found = components.find(&asked.component, World::Generator)?;
    let refused = |error| asked.config.refused(&found.name, &error);
    let generator = found.component.generator().map_err(refused)?;
    let problems = generator.validate(&asked.config.json).map_err(refused)?;
    if !problems.is_empty() {
        return Err(asked.config.invalid(&found.name, &problems));
    }
    let policies: Vec<Policy> =
        args.policy.iter().map(|text| Policy::open(&components, text)).collect::<Result<_, _>>()?;
    let grants = grant::parse(&args.grant, found.component.description())?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let call =
        Call { config_is_public: args.component.is_some(), ..Call::new(asked.owner, Occasion::Initial, now) };
    let call = call.with_grants(grants).with_log(Arc::new(Diagnostics));
    let mut values = Values::open(args.output);
    for run in 1..=args.number {
        let generated =
            generator.generate(&call, GenerateRequest::new(&asked.config.json)).map_err(refused)?;
        accept(&policies, &call, &generated)?;
        let pairs: Vec<Pair<'_>> =
            generated.fields.iter().map(|field| (field.key.as_str(), field.value.expose_secret())).collect();
        values.write(&pairs, &[])?;
        if args.explain {
            let place = if args.number > 1 { format!("run {run}: ") } else { String::new() };
            say(&explain(&generated).iter().map(|line| format!("{place}{line}\n")).collect::<String>());
        }
    }
    values.finish()
}

fn accept(policies: &[Policy], call: &Call, generated: &Generated) -> Result<(), Ending> {
    let violations = policy::judge(policies, call, &policy::of_generated(&generated.fields))?;
    if violations.is_empty() {
        return Ok(());
    }
    Err(Ending::violated("accept the generated values: a policy is violated").with(violations))
}

fn explain(generated: &Generated) -> Vec<String> {
    let mut lines: Vec<String> =
        generated.fields.iter().map(|field| format!("{}: {}", field.key, entropy(field.entropy))).collect();
    if let Some(seconds) = generated.expires_in {
        lines.push(format!("expires in {seconds} s"));
    }
    lines.push(format!("fuel: {} of {}", generated.fuel, Limits::of(World::Generator).fuel));
    lines
}

fn entropy(entropy: Option<Entropy>) -> String {
    match entropy {
        Some(Entropy { bits, exact: true }) => format!("exactly {bits:.1} bits of entropy"),
        // Rounded down: a bound must stay one.
        Some(Entropy { bits, exact: false }) => {
            format!("at least {:.1} bits of entropy", (bits * 10.0).floor() / 10.0)
        }
        None => "entropy unknown, nothing in it was drawn by the host".to_owned(),
    }
}

/// What the component writes to its log. The runtime drops lines of calls that may know a secret.
struct Diagnostics;

impl LogSink for Diagnostics {
    fn line(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
        };
        say(&format!("component: {level}: {message}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_rounded_up() {
        for (bits, exact, expected) in [
            (122.0, true, "exactly 122.0 bits of entropy"),
            (111.99, false, "at least 111.9 bits of entropy"),
        ] {
            assert_eq!(entropy(Some(Entropy { bits, exact })), expected);
        }
    }
}
