//! Says when the folder changed, once for a burst of events. Reads nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// An editor that saves makes several events.
const SETTLE: Duration = Duration::from_millis(100);

/// A watched folder. Ends when it is dropped.
pub(crate) struct Folder {
    events: mpsc::Receiver<()>,
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
        Ok(Self {
            events,
            _watcher: watcher,
        })
    }

    /// Waits for the next change, and until it is over.
    pub(crate) async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            // The watcher is gone, so nothing will be told any more.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(SETTLE).await;
        while self.events.try_recv().is_ok() {}
    }
}
