//! A server's folder: removed when the last that uses it has ended, also when the test process is killed.
//!
//! A shell waits for the end of a pipe and then removes the folder. The pipe is held by this process and by the shell of each
//! server in the folder (`process`), so the folder goes after the servers, and no `Drop` has to run for it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

const REMOVE: &str = r#"cat >/dev/null; rm -rf -- "$1""#;

/// A new folder in the system's temporary folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    remover: Child,
}

impl Folder {
    pub(crate) fn make(name: &str) -> Result<Self> {
        Self::make_in(&std::env::temp_dir(), name)
    }

    pub(crate) fn make_in(parent: &Path, name: &str) -> Result<Self> {
        let prefix = format!("keymill-{name}-");
        let path = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(parent)
            .with_context(|| format!("make a folder in {}", parent.display()))?
            .keep();
        let remover = Command::new("sh")
            .args(["-c", REMOVE, "keymill-folder"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("start a shell")?;
        Ok(Self { path, remover })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// While somebody holds this, the folder stays.
    pub(crate) fn hold(&self) -> io::Result<OwnedFd> {
        let pipe = self.remover.stdin.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.as_fd().try_clone_to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // `wait` closes the pipe first.
        drop(self.remover.wait());
    }
}
