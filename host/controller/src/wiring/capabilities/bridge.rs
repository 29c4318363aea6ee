//! From the thread of a guest to the asynchronous side, and back in time.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use runtime::Refusal;
use tokio::runtime::Handle;

type Told = dyn Fn(&(dyn Error + 'static)) + Send + Sync;

/// Where the requests of one grant run, and who is told in words why one was refused. Cheap to clone.
#[derive(Clone)]
pub struct Bridge {
    handle: Handle,
    told: Arc<Told>,
}

impl Bridge {
    /// Requests run on `handle`, whose runtime must be driven by other threads than the guest's. `told` gets each failure: a
    /// fragment that reads after "failed to", with its sources, without values.
    #[must_use]
    pub fn new(handle: Handle, told: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static) -> Self {
        Self { handle, told: Arc::new(told) }
    }

    pub(super) fn tell(&self, error: &(dyn Error + 'static)) {
        (self.told)(error);
    }

    /// What `request` comes to, waited for on this thread. A channel and not `block_on`: also a runtime that is busy or has
    /// stopped cannot hold the guest's thread any longer.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        timeout: Duration,
        request: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, receiver) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let answer = request.await;
            // Whoever does not wait any more has been answered.
            drop(sender.send(answer));
        });
        receiver.recv_timeout(timeout).map_err(|_| {
            task.abort();
            self.tell(&Late { timeout });
            Refusal::Unavailable
        })
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bridge")
    }
}

/// There was no answer in time.
#[derive(Debug, thiserror::Error)]
#[error("get an answer within {timeout:?}")]
pub struct Late {
    timeout: Duration,
}
