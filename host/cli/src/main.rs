//! The `keymill` binary: reads flags, wires the crates, prints. Decides nothing that a controller decides, too.

mod admission;
mod args;
mod catalog;
mod commands;
mod config;
mod data;
mod dev;
mod ending;
mod environment;
mod grant;
mod health;
mod listener;
mod manifest;
mod objects;
mod output;
mod policy;
mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command, LogFormat};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// One line on standard error, the cause of the cause included.
#[expect(clippy::print_stderr, reason = "this is where errors are said")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: failed to {error:#}");
    ExitCode::FAILURE
}

fn start(cli: Cli) -> Result<ExitCode> {
    // Before anything speaks TLS: two libraries that each bring a provider would otherwise stop the process.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("choose the TLS library: another one is in use");
    }
    match cli.command {
        Command::Dev(args) => {
            log(LogFormat::Text, "error")?;
            asynchronous(commands::dev::run(args))
        }
        Command::Run(args) => {
            log(args.log_format, "info")?;
            operator(commands::run::run(*args))
        }
        Command::Compile(args) => commands::compile::run(&args),
        Command::Crds => commands::crds::run(),
        Command::Install(args) => commands::install::run(&args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Render(args) => commands::render::run(args),
        Command::Functions(args) => commands::functions::run(&args),
        Command::Check(args) => commands::check::run(args),
        Command::Component(command) => commands::component::run(command),
    }
}

fn asynchronous(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(work)
}

/// Whoever has lost an election ends at once: what still runs on other threads is not waited for.
fn operator(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}

/// Log lines go to standard error; `KEYMILL_LOG` chooses them as `RUST_LOG` does elsewhere.
fn log(format: LogFormat, default: &str) -> Result<()> {
    let filter = EnvFilter::builder().with_env_var("KEYMILL_LOG").try_from_env();
    let mut filter = match filter {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(default).context("read the default log filter")?,
    };
    // Of a request that fails kube's client and its watches speak whenever it does, and quote an answer that they cannot read: a Secret,
    // perhaps. We speak when it matters, once, and quote nothing.
    for target in ["kube_client=off", "kube_runtime::watcher=off"] {
        filter = filter.add_directive(target.parse().context("read a log filter")?);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("start logging: {error}"))
}
