//! `keymill component test`: an author's cases through the component, in the sandbox, with the limits of the operator. Everything that does
//! not hold is said. Values are drawn from seeds, so what is shown is no secret.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cases::{Cases, Ran, SeededRandom};
use runtime::World;

use super::build;
use crate::args::TestComponent;
use crate::catalog::{Components, Found};
use crate::ending::{Ending, chain};
use crate::output::Output;

pub(crate) fn run(args: &TestComponent) -> Result<(), Ending> {
    let random = Arc::new(SeededRandom::default());
    let components = Components::drawing_from(Arc::clone(&random) as _)?;
    let Subject { found, cases } = Subject::find(&components, &args.component, args.cases.as_deref())?;
    let ran = cases::run(&found.component, &cases, Some(&random));
    let ran = ran.map_err(|error| Ending::component(format!("use {}: {}", found.name, chain(&error))))?;
    let mut output = Output::open();
    for one in &ran {
        output.write(lines(one).as_bytes())?;
    }
    let failed = ran.iter().filter(|one| !one.misses.is_empty()).count();
    output.write(format!("{}\n", summary(ran.len(), failed)).as_bytes())?;
    output.finish()?;
    if failed == 0 { Ok(()) } else { Err(Ending::failed_as_printed()) }
}

/// A component and its cases.
pub(super) struct Subject {
    pub(super) found: Found,
    pub(super) cases: Cases,
}

impl Subject {
    /// What `text` names: a built-in, whatever lies in its way, a project's folder, which is built first, or a component's file.
    pub(super) fn find(components: &Components, text: &str, cases: Option<&Path>) -> Result<Self, Ending> {
        let path = Path::new(text);
        let (found, beside) = if path.is_dir() && !components.is_built_in(text) {
            (build::build(path, None, components)?.1, Some(path))
        } else {
            let found = components.find_any(text)?;
            (found, if components.is_built_in(text) { None } else { path.parent() })
        };
        let file = match (cases, beside) {
            (Some(file), _) => file.to_owned(),
            (None, Some(folder)) => folder.join("cases.yaml"),
            (None, None) => {
                return Err(Ending::usage(format!("find cases for {text}: name a file with --cases")));
            }
        };
        let cases = read(&file, found.component.world())?;
        Ok(Self { found, cases })
    }
}

fn read(file: &PathBuf, world: World) -> Result<Cases, Ending> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Ending::failed(format!("find cases: there is no {shown}; name another file with --cases"))
        }
        _ => Ending::failed(format!("read {shown}: {error}")),
    })?;
    Cases::read(world, &text).map_err(|error| Ending::failed(format!("use {shown}: {error}")))
}

fn lines(ran: &Ran) -> String {
    let word = if ran.misses.is_empty() { "ok" } else { "FAILED" };
    let misses = ran.misses.iter().map(|miss| format!("        {miss}\n"));
    std::iter::once(format!("{word:<8}{}\n", ran.name)).chain(misses).collect()
}

fn summary(ran: usize, failed: usize) -> String {
    let cases = if ran == 1 { "1 case".to_owned() } else { format!("{ran} cases") };
    match failed {
        0 if ran == 1 => format!("{cases} holds"),
        0 => format!("{cases} hold"),
        failed => format!("{failed} of {cases} failed"),
    }
}
