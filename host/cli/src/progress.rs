//! A word for whoever waits: said once when something takes longer than a second, on a terminal only, so that what scripts read
//! does not depend on how fast the machine is.

use std::io::IsTerminal as _;
use std::sync::mpsc;
use std::time::Duration;

use crate::ending::say;

const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`; says `what` if it takes long.
pub(crate) fn watch<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    std::thread::scope(|scope| {
        let (done, wait) = mpsc::channel::<()>();
        scope.spawn(move || {
            if matches!(wait.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Timeout)) {
                say(&format!("{what} ...\n"));
            }
        });
        let result = work();
        // Ends the wait: the watcher sees that nobody can tell it anything any more.
        drop(done);
        result
    })
}
