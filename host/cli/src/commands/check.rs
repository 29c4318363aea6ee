//! `keymill check`: values from standard input against policies. The verdict is the output; the values are not repeated.

use std::process::ExitCode;

use anyhow::Result;
use runtime::{Call, Occasion, Owner};

use crate::args::Check;
use crate::catalog::Components;
use crate::data::Source;
use crate::ending::{self, Ending};
use crate::output::Output;
use crate::policy::{self, Policy};

pub(crate) fn run(args: Check) -> Result<ExitCode> {
    Ok(ending::code(check(&args)))
}

fn check(args: &Check) -> Result<(), Ending> {
    let components = Components::open()?;
    let policies: Vec<Policy> =
        args.policy.iter().map(|text| Policy::open(&components, text)).collect::<Result<_, _>>()?;
    let maps = Source::standard_input()?.maps()?;
    let mut output = Output::open();
    let (mut values, mut violations) = (0, 0);
    for (index, map) in maps.iter().enumerate() {
        let place = if maps.len() > 1 { format!("document {}: ", index + 1) } else { String::new() };
        for line in policy::judge(&policies, &call(), &policy::of_values(map))? {
            output.write(format!("{place}{line}\n").as_bytes())?;
            violations += 1;
        }
        values += map.len();
    }
    if violations > 0 {
        output.finish()?;
        return Err(Ending::violated_as_printed());
    }
    output.write(format!("ok: {values} {} {}\n", satisfy(values), names(&policies)).as_bytes())?;
    output.finish()
}

/// A policy learns nothing from the call: the values belong to nobody that it could know.
fn call() -> Call {
    let owner = Owner { namespace: "default".to_owned(), name: "check".to_owned() };
    Call::new(owner, Occasion::Initial, 0)
}

const fn satisfy(values: usize) -> &'static str {
    if values == 1 { "value satisfies" } else { "values satisfy" }
}

fn names(policies: &[Policy]) -> String {
    policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ")
}
