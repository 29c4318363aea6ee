//! Prints keymill's figures beside ESO's: `cargo build --release -p keymill && cargo run -p bench --bin sync`.

#![expect(clippy::print_stdout, reason = "printing figures is what this program does")]

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bench::sync::{Servers, Subject, measure, table};
use clap::Parser;

/// Flags with which ESO is fast. Its defaults work on one object at a time.
const TUNED: &[&str] = &["--concurrent=50", "--client-qps=2000", "--client-burst=4000"];

/// Measures `keymill run`, ESO with flags that make it fast and ESO with its default flags, in turn, on the same servers.
#[derive(Debug, Parser)]
#[command(name = "sync", max_term_width = 80)]
struct Arguments {
    /// How many ExternalSecrets
    #[arg(default_value_t = 1000)]
    objects: usize,
    /// The binary [default: that of the release build]
    #[arg(long, value_name = "FILE")]
    keymill: Option<PathBuf>,
    /// Measures keymill only
    #[arg(long)]
    alone: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let binary = arguments.keymill.map_or_else(support::release_keymill, Ok)?;
    let servers = Servers::start(Vec::new()).await?.context("a server is missing")?;
    let folder = tempfile::tempdir()?;
    let keymill = Subject::Keymill(binary, folder.path().join("cache"));
    let ours = measure(&servers, &keymill, arguments.objects, "keymill").await.context("measure keymill")?;
    let mut others = Vec::new();
    let peers = [("ESO tuned", "eso-tuned", TUNED), ("ESO", "eso", &[])];
    for (name, turn, flags) in peers.into_iter().filter(|_| !arguments.alone) {
        let figures = measure(&servers, &Subject::ExternalSecrets(flags), arguments.objects, turn).await;
        others.push((name, figures.with_context(|| format!("measure {name}"))?));
    }
    let others: Vec<_> = others.iter().map(|(name, figures)| (*name, figures)).collect();
    println!("{}", table(&ours, &others));
    Ok(())
}
