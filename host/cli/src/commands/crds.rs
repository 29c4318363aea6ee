//! `keymill crds`: the CustomResourceDefinitions of this version, as one YAML stream.

use std::process::ExitCode;

use anyhow::Result;

use crate::ending::{self, Ending};
use crate::output::Output;

pub(crate) fn run() -> Result<ExitCode> {
    Ok(ending::code(print()))
}

fn print() -> Result<(), Ending> {
    let yaml = api::crds_yaml()
        .map_err(|error| Ending::failed(format!("write the definitions as YAML: {error}")))?;
    let mut output = Output::open();
    output.write(yaml.as_bytes())?;
    output.finish()
}
