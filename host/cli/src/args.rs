//! What can be typed. Each command's checked arguments; nothing is read or opened here.

mod component;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use component::{
    BenchComponent, BuildComponent, ComponentCommand, Language, ManifestComponent, NewComponent, Report,
    TestComponent, WorldName,
};

/// A Kubernetes secrets operator that runs External Secrets Operator manifests, with every generator, template engine and
/// password policy as a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(
    name = "keymill",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, \
3 a component refused or failed,\n4 a policy is violated."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a directory of manifests on this machine, with nothing else installed
    Dev(Dev),
    /// Run the operator in a cluster
    Run(Box<Run>),
    /// Print the CustomResourceDefinitions as YAML
    Crds,
    /// Print everything that the operator needs in a cluster as YAML
    Install(Install),
    /// Make values with a generator, without a cluster
    Generate(Generate),
    /// Render the templates of an ExternalSecret or PushSecret with data from a file
    Render(Render),
    /// List the functions of the template engine, or explain one
    Functions(Functions),
    /// Judge values from standard input by a policy
    Check(Check),
    /// Write, build, test and inspect components
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Compile the component on standard input into a cache; the operator starts this
    #[command(hide = true)]
    Compile(Compile),
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The folder of compiled code
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill dev host/deploy/examples/cloudnative-pg
  keymill dev --once --timeout 30s DIR       exits 0 when all is Ready
  keymill dev --resolve vault.vault.svc:8200=127.0.0.1:8200 DIR
                                             with a real Vault")]
pub(crate) struct Dev {
    /// The folder whose .yaml, .yml and .json files are applied and watched
    pub(crate) dir: PathBuf,
    /// Where to keep the state [default: a folder for DIR under $XDG_STATE_HOME/keymill]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Exit 0 when all objects are Ready, or 1 at the timeout
    #[arg(long)]
    pub(crate) once: bool,
    /// How long --once waits
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, requires = "once")]
    pub(crate) timeout: Duration,
    /// The API's address; the port of the last run, or a free one, when 0
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The embedded KV's address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) kv_listen: SocketAddr,
    /// Send requests for HOST:PORT to ADDR:PORT instead, as curl's --connect-to does; may be given more than once
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT", value_parser = resolve)]
    pub(crate) resolve: Vec<Resolve>,
    /// Serve the API and the KV only: nothing is synced
    #[arg(long, conflicts_with = "once")]
    pub(crate) no_controllers: bool,
    /// Print plain lines even on a terminal
    #[arg(long)]
    pub(crate) plain: bool,
}

/// One `--resolve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolve {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) address: SocketAddr,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill run                                in a pod, with its ServiceAccount
  keymill run --kubeconfig ~/.kube/config    from outside
  keymill run --namespace shop               only one namespace")]
pub(crate) struct Run {
    /// The kubeconfig [default: the pod's ServiceAccount, else $KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Only objects of this namespace; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    pub(crate) namespace: Vec<String>,
    /// How many objects of one kind are worked on at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrent: u16,
    /// Stores and generators whose `controller` names another class are left alone
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) controller_class: String,
    /// How often a store without a refreshInterval of its own is checked
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) store_requeue_interval: Duration,
    /// Where to keep compiled components [default: none, they are compiled at each start]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Send requests for HOST:PORT to ADDR:PORT instead
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT", value_parser = resolve)]
    pub(crate) resolve: Vec<Resolve>,
    /// How log lines are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Serve /livez and /readyz there; `?verbose` says which check failed
    #[arg(long, value_name = "ADDR")]
    pub(crate) health_addr: Option<SocketAddr>,
    /// Serve /metrics there
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// Serve admission reviews there, at /validate over HTTPS: objects that would only be found fault with are refused
    #[arg(long, value_name = "ADDR")]
    pub(crate) admission_listen: Option<SocketAddr>,
    /// The ValidatingWebhookConfiguration that calls; the Secret with the certificate and the Service are NAME-admission
    #[arg(long, value_name = "NAME", default_value = "keymill", value_parser = admission_name)]
    pub(crate) admission_name: String,
    #[command(flatten)]
    pub(crate) election: LeaderElection,
}

/// Kubernetes' own controllers have the same flags.
#[derive(Debug, Args)]
pub(crate) struct LeaderElection {
    /// Work only while holding a Lease, so that of several processes one works
    #[arg(long = "leader-elect")]
    pub(crate) wanted: bool,
    /// How long the others wait for a leader that is not heard of
    #[arg(long = "leader-elect-lease-duration", value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub(crate) lease_duration: Duration,
    /// How long a leader tries to renew its Lease before it stops
    #[arg(long = "leader-elect-renew-deadline", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) renew_deadline: Duration,
    /// How often the Lease is renewed or looked at
    #[arg(long = "leader-elect-retry-period", value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub(crate) retry_period: Duration,
    /// The Lease's name
    #[arg(
        id = "lease_name",
        long = "leader-elect-resource-name",
        value_name = "NAME",
        default_value = "keymill"
    )]
    pub(crate) name: String,
    /// The Lease's namespace [default: the process's own]
    #[arg(id = "lease_namespace", long = "leader-elect-resource-namespace", value_name = "NAME", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill install | kubectl apply --server-side -f -
  keymill install --image registry.example.com/keymill:0.1.0

Prints the namespace, the ServiceAccount with its rights, the
CustomResourceDefinitions, a NetworkPolicy and the Deployment.")]
pub(crate) struct Install {
    /// Where the operator runs [default: keymill-system]
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// The operator's image [default: keymill with this version as its tag]
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    pub(crate) image: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill generate host/deploy/examples/cloudnative-pg/password-generator.yaml
  keymill generate --component password --config '{\"length\": 32}' -n 3 -o json
  keymill generate password.yaml --policy postgres --policy 'length={\"min\": 20}'
  eval \"$(keymill generate password.yaml -o env)\"    sets $PASSWORD
  keymill generate --component mine.wasm --grant db=secret.yaml
  keymill generate --component mine.wasm --grant kv=http://127.0.0.1:8200/v1/kv

A Vault is reached with $VAULT_TOKEN, $VAULT_NAMESPACE and $VAULT_CACERT, as
Vault's own client reads them. Everything below the path is granted.

With -n, YAML documents are separated by `---`, JSON comes one object per line,
and env blocks are separated by an empty line. In env output a key becomes a
name in upper case, with `_` for each character that a name cannot have and
before a leading digit.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a component refused or failed,
4 a policy is violated; nothing is printed of a run that violates one.")]
pub(crate) struct Generate {
    /// The file of a generator's manifest (Password, UUID, Fake, or ClusterGenerator)
    #[arg(value_name = "MANIFEST", required_unless_present = "component", conflicts_with_all = ["component", "config"])]
    pub(crate) manifest: Option<PathBuf>,
    /// A built-in generator's name, or a component's file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) component: Option<String>,
    /// The config as JSON, or @FILE
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) config: String,
    /// How many times
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) number: u32,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Yaml)]
    pub(crate) output: Output,
    /// A policy that the values must satisfy: a built-in's name or a component's file, with its config as JSON or @FILE
    /// after a `=`; may be given more than once
    #[arg(long, value_name = "NAME[=JSON]")]
    pub(crate) policy: Vec<String>,
    /// Let the component use what a label that it wants stands for: the file with the manifest of a Secret or ConfigMap, or
    /// the address of a path of a Vault; may be given more than once
    #[arg(long, value_name = "LABEL=FILE|URL")]
    pub(crate) grant: Vec<String>,
    /// Also print each value's entropy and the fuel used, to standard error
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Yaml,
    Json,
    Env,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cd host/deploy/examples/cloudnative-pg
  echo '{password: s3cret}' > data.yaml
  keymill render external-secret.yaml data.yaml
  keymill generate password-generator.yaml |
    keymill render external-secret.yaml -

ConfigMaps and Secrets that the template refers to are looked for in the
manifest's own file. In YAML, the type, labels and annotations of the target are
printed as comments.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the template engine refused the
template or failed.")]
pub(crate) struct Render {
    /// The manifest of an ExternalSecret or PushSecret
    pub(crate) manifest: PathBuf,
    /// The data that the templates see: a YAML or JSON map of strings, `-` for standard input
    pub(crate) data: PathBuf,
    /// The template engine: a built-in's name or a component's file [default: the one that the manifest names]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) engine: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Yaml)]
    pub(crate) output: Output,
    /// Also say which part of the template, or the data, gave each key, to standard error
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keymill functions
  keymill functions randAlphaNum
  keymill functions | grep -i base64")]
pub(crate) struct Functions {
    /// The function to explain
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echo 'password: hunter2' | keymill check --policy 'length={\"min\": 12}'
  keymill generate password.yaml | keymill check --policy postgres

Standard input is a YAML or JSON map of strings, or several: what `generate`
prints as yaml or json. Nobody vouches for the entropy of values that are read;
the config of the policy `entropy` says what then. Each violation is one line:
the field, the policy with its rule, and the rule's text.

Exit codes: 0 all values satisfy all policies, 1 failed, 2 wrong usage, 3 a
policy refused its config or failed, 4 a policy is violated.")]
pub(crate) struct Check {
    /// A policy: a built-in's name or a component's file, with its config as JSON or @FILE after a `=`; may be given more
    /// than once
    #[arg(long, required = true, value_name = "NAME[=JSON]")]
    pub(crate) policy: Vec<String>,
}

/// A Go duration, as in manifests.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: api::Duration =
        text.parse().map_err(|_| "not a duration; say 30s, 5m or 1h30m".to_owned())?;
    if parsed.is_positive() { Ok(parsed.to_std()) } else { Err("a duration must be more than 0".to_owned()) }
}

/// The name of a namespace, as Kubernetes has it.
fn namespace(text: &str) -> Result<String, String> {
    if is_label(text) { Ok(text.to_owned()) } else { Err("not the name of a namespace".to_owned()) }
}

/// What makes the name of a Service with `-admission` behind it.
fn admission_name(text: &str) -> Result<String, String> {
    if is_label(&format!("{text}-admission")) && is_label(text) {
        Ok(text.to_owned())
    } else {
        Err("not a name of at most 53 lower-case letters, digits and dashes".to_owned())
    }
}

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    let bytes = text.as_bytes();
    bytes.len() <= 63 && bytes.iter().all(|byte| plain(*byte)) && edge(bytes.first()) && edge(bytes.last())
}

/// What can stand in a manifest without quotes.
fn image(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    if text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("not the name of an image; say registry/name:tag or registry/name@digest".to_owned())
    }
}

fn resolve(text: &str) -> Result<Resolve, String> {
    let parsed = || {
        let (name, address) = text.split_once('=')?;
        let (host, port) = name.rsplit_once(':')?;
        Some(Resolve { host: host.to_owned(), port: port.parse().ok()?, address: address.parse().ok()? })
    };
    parsed()
        .ok_or_else(|| "say HOST:PORT=ADDR:PORT, for example vault.vault.svc:8200=127.0.0.1:8200".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_goes_into_a_manifest_is_a_name() {
        for (text, fits) in
            [("a", true), ("key-mill1", true), ("", false), ("-a", false), ("A", false), ("a: b", false)]
        {
            assert_eq!(namespace(text).is_ok(), fits, "{text}");
            assert_eq!(admission_name(text).is_ok(), fits, "{text}");
        }
        let long = "a".repeat(54);
        assert!(
            namespace(&long).is_ok() && admission_name(&long).is_err() && admission_name(&long[1..]).is_ok()
        );
        for (text, fits) in [
            ("keymill:1", true),
            ("r.example:5000/a/b@sha256:0", true),
            ("", false),
            ("a b", false),
            ("a\nb", false),
        ] {
            assert_eq!(image(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn resolve_maps_a_name_to_an_address() {
        let parsed = resolve("vault.vault.svc:8200=127.0.0.1:8300").unwrap();
        assert_eq!((parsed.host.as_str(), parsed.port), ("vault.vault.svc", 8200));
        assert_eq!(parsed.address, "127.0.0.1:8300".parse().unwrap());
        for wrong in ["vault", "vault:x=127.0.0.1:1", "vault:1=localhost"] {
            assert!(resolve(wrong).is_err(), "{wrong}");
        }
    }
}
