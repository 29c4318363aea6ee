//! `keymill component build`: from an author's project to a component that the runtime has accepted. Nothing is written that it refuses.

use std::path::{Path, PathBuf};

use keymill_compile::Project;

use super::report;
use crate::args::BuildComponent;
use crate::catalog::{Components, Found};
use crate::ending::{Ending, chain};
use crate::output::Output;

pub(crate) fn run(args: &BuildComponent) -> Result<(), Ending> {
    let (path, found) = build(&args.dir, args.out.as_deref(), &Components::open()?)?;
    let component = &found.component;
    let facts = [
        ("path", path.display().to_string()),
        ("world", component.world().to_string()),
        ("size", report::exact_size(component)),
        ("digest", component.digest().to_string()),
    ];
    let mut output = Output::open();
    for (label, fact) in facts {
        output.write(report::labelled(label, &fact).as_bytes())?;
    }
    output.finish()
}

/// Where it was written, and the component.
pub(super) fn build(
    folder: &Path,
    out: Option<&Path>,
    components: &Components,
) -> Result<(PathBuf, Found), Ending> {
    let project = keymill_compile::project(folder).map_err(|error| Ending::failed(chain(&error)))?;
    let Project { name, component } = project;
    let path = out.map_or_else(|| folder.join(format!("{name}.wasm")), Path::to_owned);
    let found = components.accept(&name, &component)?;
    let written = std::fs::write(&path, &component);
    written.map_err(|error| Ending::failed(format!("write {}: {error}", path.display())))?;
    Ok((path, found))
}
