//! Says when the folder changed, once for a burst of events. Reads nothing.
//!
//! Waiting for a burst to end is a task of its own: whoever listens may be interrupted at any time and loses nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// An editor that saves makes several events.
const SETTLE: Duration = Duration::from_millis(100);

/// A watched folder. Ends when it is dropped.
pub(crate) struct Folder {
    settled: mpsc::Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Folder {
    /// Starts watching.
    pub(crate) fn watch(path: &Path) -> Result<Self> {
        let (sender, events) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // What was only read has not changed. A full channel says already what we would say.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _told = sender.try_send(());
            }
        })
        .context("watch the folder")?;
        watcher
            .watch(path, RecursiveMode::NonRecursive)
            .with_context(|| format!("watch {}", path.display()))?;
        let (told, settled) = mpsc::channel(1);
        tokio::spawn(settle(events, told));
        Ok(Self { settled, _watcher: watcher })
    }

    /// Waits for the next change. Safe to give up: what was not told yet is told the next time.
    pub(crate) async fn changed(&mut self) {
        if self.settled.recv().await.is_none() {
            // The watcher is gone, so nothing will be told any more.
            std::future::pending::<()>().await;
        }
    }
}

async fn settle(mut events: mpsc::Receiver<()>, told: mpsc::Sender<()>) {
    while events.recv().await.is_some() {
        tokio::time::sleep(SETTLE).await;
        while events.try_recv().is_ok() {}
        if told.send(()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_is_told_even_to_somebody_who_is_interrupted() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::watch(place.path()).unwrap();
        std::fs::write(place.path().join("a.yaml"), "a: 1").unwrap();
        let mut told = false;
        for _ in 0..2 {
            // Gives up before the burst is over.
            told |= tokio::time::timeout(Duration::from_millis(30), folder.changed()).await.is_ok();
        }
        let later = tokio::time::timeout(Duration::from_secs(5), folder.changed());
        assert!(told || later.await.is_ok(), "the change was lost with whoever gave up");
    }
}
