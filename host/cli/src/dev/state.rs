//! Where `dev` keeps what outlives it: one folder that only its owner may read.
//!
//! `state.redb` is the database, encrypted with the key in `state.key`; `kubeconfig` is for kubectl. Who has the folder has
//! everything in it: the key protects copies of the database, not the folder.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    /// Opens or makes the folder.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("create the state folder {}", folder.display()))?;
        let mode = std::fs::metadata(folder)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!(
                "use the state folder {}: others can read it (mode {:o}); run `chmod 700 {}`",
                folder.display(),
                mode & 0o777,
                folder.display()
            );
        }
        // The kubeconfig's path is printed, for other terminals in other folders.
        let folder = std::fs::canonicalize(folder).with_context(|| format!("find {}", folder.display()))?;
        Ok(Self { folder })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("state.redb")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The ports of the last run, the API's first.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let text = std::fs::read_to_string(self.folder.join("ports")).unwrap_or_default();
        text.split_whitespace().filter_map(|port| port.parse().ok()).collect()
    }

    pub(crate) fn remember_ports(&self, ports: &[u16]) -> Result<()> {
        let text: Vec<String> = ports.iter().map(u16::to_string).collect();
        write_private(&self.folder.join("ports"), text.join(" ").as_bytes())
    }

    /// The KV's own token, made on first use.
    pub(crate) fn token(&self) -> Result<String> {
        let path = self.folder.join("kv-token");
        match std::fs::read_to_string(&path) {
            Ok(token) => Ok(token),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0_u8; 18]);
                fill(bytes.as_mut())?;
                let token = format!("hvs.{}", URL_SAFE_NO_PAD.encode(bytes.as_ref()));
                write_private(&path, token.as_bytes())?;
                Ok(token)
            }
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// What keys the random streams of templates.
    pub(crate) fn operator_key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0_u8; 32]);
        let mut hash = Sha256::new();
        hash.update(b"keymill template streams");
        hash.update(self.key()?.as_ref());
        key.copy_from_slice(&hash.finalize());
        Ok(key)
    }

    /// The database's key, made on first use.
    pub(crate) fn key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let path = self.folder.join("state.key");
        let mut key = Zeroizing::new([0_u8; 32]);
        match OpenOptions::new().read(true).open(&path) {
            Ok(mut file) => {
                file.read_exact(key.as_mut())
                    .with_context(|| format!("read the key in {}", path.display()))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if self.database().exists() {
                    bail!(
                        "{} is missing and {} cannot be read without it: restore it, or remove the database to start anew",
                        path.display(),
                        self.database().display()
                    );
                }
                fill(key.as_mut())?;
                write_private(&path, key.as_ref())?;
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        }
        Ok(key)
    }
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|_| anyhow::anyhow!("get random bytes from the system"))
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    let what = || format!("write {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .with_context(what)?;
    file.write_all(bytes).with_context(what)?;
    file.sync_all().with_context(what)?;
    std::fs::rename(&draft, path).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("dev")).unwrap();
        let first = state.key().unwrap();
        assert_eq!(*first, *state.key().unwrap());
        let mode = std::fs::metadata(folder.path().join("dev/state.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_lost_key_is_not_replaced_beside_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("dev")).unwrap();
        std::fs::write(state.database(), b"x").unwrap();
        assert!(state.key().unwrap_err().to_string().contains("state.key is missing"));
    }

    #[test]
    fn a_folder_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(State::open(folder.path()).unwrap_err().to_string().contains("chmod 700"));
    }
}
