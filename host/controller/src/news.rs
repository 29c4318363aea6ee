//! Which events of an object's own watch are a reason to look at it.
//!
//! What its user has a say in, and the loss of its status. A change of its status alone is our own and no reason.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// What was last seen of each object of one kind, by uid.
#[derive(Debug, Default)]
pub(crate) struct News {
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    said: u64,
    reported: bool,
}

impl News {
    /// Whether to look. `reported`: whether its status says that it was carried out.
    pub(crate) fn is_news(&self, meta: &ObjectMeta, reported: bool) -> bool {
        let said = said(meta);
        let uid = meta.uid.clone().unwrap_or_default();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.insert(uid, Seen { said, reported }) {
            Some(before) => before.said != said || (before.reported && !reported),
            None => true,
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, meta: &ObjectMeta) {
        let uid = meta.uid.as_deref().unwrap_or_default();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

/// What of an object its user has a say in. Finalizers are set by controllers, by this one while it looks.
fn said(meta: &ObjectMeta) -> u64 {
    let mut hasher = DefaultHasher::new();
    meta.generation.hash(&mut hasher);
    meta.labels.hash(&mut hasher);
    meta.annotations.hash(&mut hasher);
    meta.deletion_timestamp.is_some().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_news_only_when_it_is_lost() {
        let news = News::default();
        let mut meta = ObjectMeta { uid: Some("u".to_owned()), generation: Some(1), ..ObjectMeta::default() };
        assert!(news.is_news(&meta, false), "it is new");
        assert!(!news.is_news(&meta, true), "our own report");
        assert!(!news.is_news(&meta, true), "listed again");
        meta.finalizers = Some(vec!["ours".to_owned()]);
        assert!(!news.is_news(&meta, true), "our own finalizer");
        assert!(news.is_news(&meta, false), "the status was lost");
        meta.generation = Some(2);
        assert!(news.is_news(&meta, false), "its spec");
        news.forget(&meta);
        assert!(news.is_news(&meta, false), "made again");
    }
}
