//! The environment variables that the CLI reads, and nobody else: where a user's files belong.

use std::path::PathBuf;

/// Where compiled components are cached: `$XDG_CACHE_HOME/keymill/components`, else below `~/.cache`. None without a home.
pub(crate) fn component_cache() -> Option<PathBuf> {
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("keymill").join("components"))
}

/// Where `dev` keeps its states: `$XDG_STATE_HOME/keymill`, else below `~/.local/state`. None without a home.
pub(crate) fn states() -> Option<PathBuf> {
    let states = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local").join("state")))?;
    Some(states.join("keymill"))
}

/// An absolute path in a variable; a relative one would mean another folder in each place, so it counts as none, as XDG says.
#[expect(
    clippy::disallowed_methods,
    reason = "the cli is where the environment is read"
)]
fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
