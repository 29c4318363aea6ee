//! The environment variables that the CLI reads, and nobody else: where a user's files belong, how a Vault is spoken to, and what
//! this machine is called.

use std::path::PathBuf;

use secrecy::SecretString;

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

/// The token for a Vault, as Vault's own client reads it.
pub(crate) fn vault_token() -> Option<SecretString> {
    text("VAULT_TOKEN").map(SecretString::from)
}

/// The namespace of a Vault, as Vault's own client reads it.
pub(crate) fn vault_namespace() -> Option<String> {
    text("VAULT_NAMESPACE")
}

/// The file with the certificate authorities of a Vault, as Vault's own client reads it.
pub(crate) fn vault_authorities() -> Option<PathBuf> {
    text("VAULT_CACERT").map(PathBuf::from)
}

/// The name of this machine, which in a pod is the pod's.
pub(crate) fn host_name() -> Option<String> {
    text("HOSTNAME")
}

/// A variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "the cli is where the environment is read")]
fn text(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|text| !text.is_empty())
}

/// An absolute path in a variable; a relative one would mean another folder in each place, so it counts as none, as XDG says.
#[expect(clippy::disallowed_methods, reason = "the cli is where the environment is read")]
fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
