//! What was said of an object last that is no failure: what policies would not have accepted that only monitor.
//!
//! It is the same at every refresh until the value or the policy changes, and an event for each refresh would be a request for each. So an
//! event is made when it is news to this process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pipeline::{Event, ObjectRef, POLICY_FAILED, POLICY_VIOLATED};

/// By object, the remarks of its last sync.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    said: Mutex<HashMap<ObjectRef, Vec<Event>>>,
}

impl Remarks {
    /// The events of a sync without those remarks that were made before.
    pub(crate) fn news(&self, object: &ObjectRef, events: Vec<Event>) -> Vec<Event> {
        let (remarks, mut events): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_remark);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match remarks.is_empty() {
            true => said.remove(object),
            false => said.insert(object.clone(), remarks.clone()),
        };
        if before.as_ref() != Some(&remarks) {
            events.extend(remarks);
        }
        events
    }

    /// The object is gone.
    pub(crate) fn forget(&self, object: &ObjectRef) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }
}

fn is_remark(event: &Event) -> bool {
    event.reason == POLICY_VIOLATED || event.reason == POLICY_FAILED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(reason: &'static str, message: &str) -> Event {
        Event { warning: true, reason, message: message.to_owned() }
    }

    #[test]
    fn a_remark_is_made_once_until_it_is_another() {
        let (remarks, object) = (Remarks::default(), ObjectRef::namespaced("ExternalSecret", "default", "a"));
        let told = |events: &[Event]| remarks.news(&object, events.to_vec()).len();
        let (rotated, short) = (event("Rotated", "x"), event(POLICY_VIOLATED, "too short"));
        assert_eq!(told(&[rotated.clone(), short.clone()]), 2);
        assert_eq!(told(&[rotated.clone(), short.clone()]), 1, "the rotation is news each time");
        assert_eq!(told(&[short.clone(), event(POLICY_FAILED, "broken")]), 2);
        assert_eq!(told(std::slice::from_ref(&rotated)), 1);
        assert_eq!(told(std::slice::from_ref(&short)), 1, "it is so again");
        remarks.forget(&object);
        assert_eq!(told(&[short]), 1);
    }
}
