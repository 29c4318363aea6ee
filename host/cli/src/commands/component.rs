//! `keymill component`: which components are built in, and what one is: what it says of itself, and what its binary proves. And what
//! an author needs from the first file to a component.

mod bench;
mod build;
mod manifest;
mod new;
mod report;
mod test;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};

use crate::args::{ComponentCommand, Report};
use crate::catalog::{Components, Found};
use crate::ending::{self, Ending};
use crate::output::Output;

pub(crate) fn run(command: ComponentCommand) -> Result<ExitCode> {
    Ok(ending::code(match command {
        ComponentCommand::New(args) => new::run(&args),
        ComponentCommand::Build(args) => build::run(&args),
        ComponentCommand::Test(args) => test::run(&args),
        ComponentCommand::Bench(args) => bench::run(&args),
        ComponentCommand::Manifest(args) => manifest::manifest(&args),
        ComponentCommand::Grants(args) => manifest::grants(&args),
        ComponentCommand::List => list(),
        ComponentCommand::Inspect { component, output } => inspect(&component, output),
    }))
}

fn list() -> Result<(), Ending> {
    let rows: Vec<Vec<String>> = Components::open()?.all()?.iter().map(row).collect();
    let titles = ["NAME", "WORLD", "VERSION", "SIZE", "DIGEST", "SUMMARY"].map(str::to_owned);
    let rows: Vec<Vec<String>> = std::iter::once(titles.to_vec()).chain(rows).collect();
    let mut output = Output::open();
    output.write(report::table(&rows, width()).as_bytes())?;
    output.finish()
}

fn row(found: &Found) -> Vec<String> {
    let (component, description) = (&found.component, found.component.description());
    vec![
        found.name.clone(),
        component.world().to_string(),
        description.version.clone(),
        report::size(component.size()),
        component.digest().hex().chars().take(8).collect(),
        description.summary.clone(),
    ]
}

/// That of the terminal; a file or a pipe has none, and gets whole lines.
fn width() -> Option<usize> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let (width, _) = terminal_size::terminal_size_of(&stdout)?;
    Some(usize::from(width.0))
}

fn inspect(component: &str, format: Report) -> Result<(), Ending> {
    let found = Components::open()?.find_any(component)?;
    let text = match format {
        Report::Text => report::text(&found.component),
        Report::Json => format!("{:#}\n", json(&found)),
    };
    let mut output = Output::open();
    output.write(text.as_bytes())?;
    output.finish()
}

fn json(found: &Found) -> Json {
    let (component, description) = (&found.component, found.component.description());
    let wants = description.wants.iter().map(|want| {
        json!({"label": want.label, "capability": report::capability(want.capability), "about": want.about})
    });
    let fields = description.fields.iter().map(|field| {
        json!({"key": field.name, "sensitivity": report::sensitivity(field.sensitivity), "about": field.about})
    });
    json!({
        "name": description.name,
        "world": component.world().as_str(),
        "version": description.version,
        "summary": description.summary,
        "digest": component.digest().to_string(),
        "size": component.size(),
        "imports": component.imports(),
        "wants": wants.collect::<Json>(),
        "fields": fields.collect::<Json>(),
        "rules": description.rules.iter().map(|rule| json!({"name": rule.name, "about": rule.about})).collect::<Json>(),
        "configSchema": *description.config_schema,
    })
}
