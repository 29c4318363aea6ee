//! Who is tested: `keymill run` of this build, or External Secrets Operator.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use runtime::{Engine, EngineConfig, LoadLimits};
use servers::{ExternalSecrets, Kubernetes};
use support::Program;

use crate::{say, setting};

const SOON: Duration = Duration::from_secs(60);
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// As the cases were recorded.
const CONCURRENT: &str = "--concurrent=10";

/// The controller under test.
pub(crate) enum Subject {
    Keymill(Program),
    Upstream(ExternalSecrets),
}

impl Subject {
    /// Starts it on an API server that has nobody's CRDs yet; nothing when it cannot be had and is not required.
    pub(crate) fn start(kubernetes: &Kubernetes) -> Result<Option<Self>> {
        match setting("KEYMILL_SUBJECT").as_deref() {
            None | Some("keymill") => keymill(kubernetes).map(|program| Some(Subject::Keymill(program))),
            Some("upstream") => Ok(upstream(kubernetes).map(Subject::Upstream)),
            Some(other) => bail!("KEYMILL_SUBJECT is {other}: keymill and upstream are known"),
        }
    }

    /// Starts the peer again when it has died, which it does of concurrent writes to a map of its fake store. keymill has to live.
    pub(crate) fn keep_running(&mut self, kubernetes: &Kubernetes) -> Result<()> {
        match self {
            Subject::Keymill(program) if !is_alive(program.id()) => {
                bail!("keymill run has ended:\n{}", program.output())
            }
            Subject::Upstream(peer) if !peer.processes().into_iter().all(is_alive) => {
                say(&"External Secrets Operator has died; it is started again")?;
                *peer = upstream(kubernetes).context("start External Secrets Operator again")?;
                Ok(())
            }
            Subject::Keymill(_) | Subject::Upstream(_) => Ok(()),
        }
    }
}

fn upstream(kubernetes: &Kubernetes) -> Option<ExternalSecrets> {
    ExternalSecrets::start_with(kubernetes.kubeconfig(), &[CONCURRENT])
}

fn keymill(kubernetes: &Kubernetes) -> Result<Program> {
    compile()?;
    define(kubernetes)?;
    let mut command = Command::new(support::keymill()?);
    command
        .arg("run")
        .arg("--kubeconfig")
        .arg(kubernetes.kubeconfig())
        .arg("--cache")
        .arg(support::component_cache()?);
    let mut program = Program::start(command)?;
    program.wait_for_line(SOON, |line| line.contains("running"))?;
    Ok(program)
}

/// Compiles the built-in components into the cache: the cases' time is for syncing, and a busy machine compiles for longer.
fn compile() -> Result<()> {
    let config = EngineConfig { cache_dir: Some(support::component_cache()?), ..EngineConfig::default() };
    let engine = Engine::new(config)?;
    for built_in in bundle::BUILTINS {
        engine.load(built_in.bytes, &LoadLimits::default())?;
    }
    Ok(())
}

/// Creates our CRDs and waits until they are served.
fn define(kubernetes: &Kubernetes) -> Result<()> {
    let mut names = Vec::new();
    for definition in api::crds() {
        let name = definition.metadata.name.clone().context("a CRD has no name")?;
        let (status, answer) =
            kubernetes.request("POST", DEFINITIONS, Some(&serde_json::to_value(definition)?));
        if status != 201 {
            bail!("create the CRD {name}: {status} {answer}");
        }
        names.push(name);
    }
    let deadline = Instant::now() + SOON;
    while !names.iter().all(|name| is_established(kubernetes, name)) {
        if Instant::now() > deadline {
            bail!("the CRDs are not established within {SOON:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn is_established(kubernetes: &Kubernetes, name: &str) -> bool {
    let (_, found) = kubernetes.request("GET", &format!("{DEFINITIONS}/{name}"), None);
    let conditions = found.pointer("/status/conditions").and_then(serde_json::Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition.get("type").is_some_and(|name| name == "Established")
            && condition.get("status").is_some_and(|status| status == "True")
    })
}

/// A process that has ended and was not waited for is a zombie.
fn is_alive(id: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"));
    // The name in parentheses may hold anything; the state follows the last one.
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}
