//! What this process wrote last to each of its objects, until the watch has shown it.
//!
//! A look that begins before that would decide on a status that is not there any more. An object is woken that soon when the event of its
//! own target comes before the answer to the write. The watch is waited for, a little; after that, and after a conflict or a write whose
//! answer was lost, the look asks for the object first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pipeline::ObjectRef;
use tokio::time::Instant;

/// How long a watch is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an object waits before it is asked again whether the watch has come so far.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// The last writes that the watch has not shown.
#[derive(Debug, Default)]
pub(crate) struct Written {
    last: Mutex<HashMap<ObjectRef, Last>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Last {
    /// With this resourceVersion, at that time.
    Version(String, Instant),
    /// It is not known whether and as what.
    Unknown,
}

impl Written {
    /// The object was written, and has this version now.
    pub(crate) fn wrote(&self, object: &ObjectRef, version: Option<&str>) {
        let last = version.map_or(Last::Unknown, |version| Last::Version(version.to_owned(), Instant::now()));
        self.lock().insert(object.clone(), last);
    }

    /// It may have been written, by us or by somebody else.
    pub(crate) fn unsure(&self, object: &ObjectRef) {
        self.lock().insert(object.clone(), Last::Unknown);
    }

    /// The watch has shown this version.
    pub(crate) fn shown(&self, object: &ObjectRef, version: Option<&str>) {
        let mut all = self.lock();
        if matches!(all.get(object), Some(Last::Version(last, _)) if !is_before(version, last)) {
            all.remove(object);
        }
    }

    /// Whether this version may be older than the last write.
    pub(crate) fn is_behind(&self, object: &ObjectRef, version: Option<&str>) -> bool {
        match self.lock().get(object) {
            Some(Last::Version(last, _)) => is_before(version, last),
            Some(Last::Unknown) => true,
            None => false,
        }
    }

    /// Whether the watch is to be waited for.
    pub(crate) fn is_on_its_way(&self, object: &ObjectRef, version: Option<&str>) -> bool {
        match self.lock().get(object) {
            Some(Last::Version(last, at)) => is_before(version, last) && at.elapsed() < PATIENCE,
            Some(Last::Unknown) | None => false,
        }
    }

    /// The object was read after the last write, or is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.lock().remove(object);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectRef, Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Versions are numbers that grow. Of what is no number only sameness counts.
fn is_before(version: Option<&str>, written: &str) -> bool {
    let Some(version) = version else { return true };
    match (version.parse::<u64>(), written.parse::<u64>()) {
        (Ok(version), Ok(written)) => version < written,
        _ => version != written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_version_is_behind_until_the_write_is_shown() {
        let (written, object) = (Written::default(), ObjectRef::namespaced("ExternalSecret", "default", "a"));
        assert!(!written.is_behind(&object, Some("9")));
        written.wrote(&object, Some("10"));
        assert!(written.is_behind(&object, Some("9")) && written.is_on_its_way(&object, Some("9")));
        tokio::time::advance(PATIENCE).await;
        assert!(written.is_behind(&object, Some("9")) && !written.is_on_its_way(&object, Some("9")));
        assert!(!written.is_behind(&object, Some("11")), "somebody else wrote after us");
        written.shown(&object, Some("9"));
        assert!(written.is_behind(&object, Some("9")), "that was before");
        written.shown(&object, Some("11"));
        assert!(written.lock().is_empty(), "nothing is kept of what was shown");
        assert!(!written.is_behind(&object, Some("9")), "what was shown once is over");
        written.unsure(&object);
        written.shown(&object, Some("12"));
        assert!(written.is_behind(&object, Some("12")), "only a read ends doubt");
        assert!(!written.is_on_its_way(&object, Some("12")), "there is nothing to wait for");
        written.forget(&object);
        assert!(!written.is_behind(&object, Some("12")));
    }
}
