//! `servers`: builds the test servers ahead of the tests, and runs one of them for a person.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use servers::{
    ExternalSecrets, Kubernetes, KubernetesOptions, Postgres, PostgresOptions, Vault, VaultOptions,
};

/// Builds and runs the servers that keymill's tests use.
#[derive(Debug, Parser)]
#[command(
    name = "servers",
    max_term_width = 80,
    after_help = "`cargo run -p servers -- COMMAND` runs it from the tree."
)]
struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    /// Builds servers into the cache and prints the name, path and seconds of each
    ///
    /// The cache is $KEYMILL_CACHE/servers, else ~/.cache/keymill/servers.
    Build {
        /// Which ones [default: all]
        names: Vec<String>,
    },
    /// Starts a server, prints its address and credentials, and stops it on Ctrl-C
    Run {
        /// Which one
        server: Server,
        /// Runs kube-controller-manager beside kube-apiserver
        #[arg(long)]
        controller_manager: bool,
        /// The cluster in which `eso` works
        #[arg(long, value_name = "FILE", required_if_eq("server", "eso"))]
        kubeconfig: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    /// kube-apiserver on etcd
    Kubernetes,
    /// Vault in dev mode
    Vault,
    /// PostgreSQL
    Postgres,
    /// External Secrets Operator
    Eso,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Commands::Build { names } => build(names),
        Commands::Run { server, controller_manager, kubeconfig } => {
            run(server, controller_manager, kubeconfig)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody reads stderr there is nobody to tell.
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn build(names: Vec<String>) -> Result<()> {
    let names = if names.is_empty() { servers::names()? } else { names };
    for name in names {
        let start = Instant::now();
        let path = servers::binary(&name)?;
        writeln!(io::stdout(), "{name} {} {:.1} s", path.display(), start.elapsed().as_secs_f64())?;
    }
    Ok(())
}

fn run(server: Server, controller_manager: bool, kubeconfig: Option<PathBuf>) -> Result<()> {
    // Missing has been said by the server itself.
    let missing = "the server cannot be started on this machine";
    match server {
        Server::Kubernetes => {
            let options = KubernetesOptions { controller_manager, ..KubernetesOptions::default() };
            let server = Kubernetes::start(&options).context(missing)?;
            let lines = [
                ("url", server.url().to_owned()),
                ("kubeconfig", server.kubeconfig().display().to_string()),
                ("etcd", server.etcd_endpoint().to_owned()),
            ];
            serve(&lines, &server.processes(), server.folder())
        }
        Server::Vault => {
            let server = Vault::start(&VaultOptions::default()).context(missing)?;
            let lines = [("url", server.url().to_owned()), ("token", server.token().to_owned())];
            serve(&lines, &server.processes(), server.folder())
        }
        Server::Postgres => {
            let server = Postgres::start(&PostgresOptions::default()).context(missing)?;
            let (host, port, user) = (server.host(), server.port(), server.superuser());
            let uri = format!("postgresql://{user}:{}@{host}:{port}/postgres", server.password());
            let lines = [("uri", uri), ("psql", server.psql().display().to_string())];
            serve(&lines, &server.processes(), server.folder())
        }
        Server::Eso => {
            let server =
                ExternalSecrets::start(&kubeconfig.context("--kubeconfig is missing")?).context(missing)?;
            serve(&[("metrics", server.metrics_url().to_owned())], &server.processes(), server.folder())
        }
    }
}

/// Prints what the server is reached with and waits for Ctrl-C. The caller's handle then stops the server.
fn serve(lines: &[(&str, String)], processes: &[u32], folder: &std::path::Path) -> Result<()> {
    let mut out = io::stdout();
    for (name, value) in lines {
        writeln!(out, "{name} {value}")?;
    }
    let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
    writeln!(out, "processes {}", processes.join(" "))?;
    writeln!(out, "folder {}", folder.display())?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c()).context("wait for Ctrl-C")
}
