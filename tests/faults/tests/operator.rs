//! `keymill run` on one namespace.

use std::path::Path;
use std::process::Command;

use support::Program;

use crate::world::SOON;

/// How it is started.
pub(crate) fn command(kubeconfig: &Path, namespace: &str) -> Command {
    let mut command = Command::new(support::keymill().unwrap());
    command.arg("run").arg("--kubeconfig").arg(kubeconfig).args(["--namespace", namespace]);
    command.arg("--cache").arg(support::component_cache().unwrap());
    command
}

/// Starts it and waits until its loops run.
pub(crate) fn start(command: Command) -> Program {
    let mut program = Program::start(command).unwrap();
    program.wait_for_line(SOON, |line| line.contains("running")).unwrap();
    program
}
