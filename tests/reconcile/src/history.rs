//! The checker that watches from outside: every version that any Secret ever had, in order, and what must be true of all of them.
//!
//! One value per rotation id ever; a value is recorded before it is published; all keys of one version derive from one value; nothing is
//! empty or partly rendered; what is somebody else's in a target stays. What the test wrote itself is excused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt};
use pipeline::{Fields, Record, Value};

use crate::fixture::{FOREIGN, LABEL, NAMESPACE, SOMEBODY_S};

const ROTATION: &str = "keymill.dev/rotation";

/// One version of a Secret; none when it was deleted.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) secret: Option<Secret>,
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(crate) struct History {
    versions: Mutex<Vec<Version>>,
    excused: Mutex<BTreeSet<String>>,
}

/// What the versions say.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Ids in the order in which they were first recorded.
    pub(crate) order: Vec<String>,
    /// Their values.
    pub(crate) values: BTreeMap<String, String>,
    /// Their occasions.
    pub(crate) occasions: BTreeMap<String, String>,
}

impl History {
    /// Watches from now on.
    pub(crate) fn watch(client: Client) -> Arc<Self> {
        let history = Arc::new(Self::default());
        tokio::spawn(Arc::clone(&history).follow(client));
        history
    }

    async fn follow(self: Arc<Self>, client: Client) {
        let secrets: Api<Secret> = Api::namespaced(client, NAMESPACE);
        let mut from = "1".to_owned();
        loop {
            let mut events = secrets.watch(&WatchParams::default(), &from).await.unwrap().boxed();
            while let Some(event) = events.next().await {
                let (secret, gone) = match event.unwrap() {
                    WatchEvent::Added(secret) | WatchEvent::Modified(secret) => (secret, false),
                    WatchEvent::Deleted(secret) => (secret, true),
                    WatchEvent::Bookmark(mark) => {
                        from = mark.metadata.resource_version;
                        continue;
                    }
                    WatchEvent::Error(error) => panic!("the history has a gap: {error}"),
                };
                from = secret.resource_version().unwrap();
                let name = secret.name_any();
                let secret = (!gone).then_some(secret);
                self.versions.lock().unwrap().push(Version { name, secret });
            }
        }
    }

    /// This version is the test's.
    pub(crate) fn excuse(&self, secret: &Secret) {
        self.excused.lock().unwrap().insert(secret.resource_version().unwrap());
    }

    /// The versions of one Secret so far.
    pub(crate) fn of(&self, name: &str) -> Vec<Version> {
        let versions = self.versions.lock().unwrap();
        versions.iter().filter(|version| version.name == name).cloned().collect()
    }

    /// Asserts what must always be true, and says what is known.
    pub(crate) fn check(&self) -> Known {
        let mut known = Known::default();
        for version in self.versions.lock().unwrap().iter() {
            let Some(secret) = &version.secret else { continue };
            if secret.type_.as_deref() == Some(ROTATION) {
                known.record(secret);
            } else if !self.excused.lock().unwrap().contains(&secret.resource_version().unwrap()) {
                known.target(secret);
            }
        }
        known
    }
}

impl Known {
    fn record(&mut self, secret: &Secret) {
        let data = secret.data.clone().unwrap_or_default();
        let fields: Fields = data.into_iter().map(|(key, bytes)| (key, Value::new(bytes.0))).collect();
        let record = Record::decode(&fields).unwrap();
        assert!(record.entries().count() <= 1, "the fixtures have one entry each");
        for (_, entry) in record.entries() {
            let id = entry.id.to_string();
            let Some(generated) = entry.values() else { continue };
            let value = String::from_utf8(generated.fields["password"].value.expose().to_vec()).unwrap();
            assert_eq!(value.len(), 24, "an under-policy value");
            if let Some(before) = self.values.insert(id.clone(), value.clone()) {
                assert_eq!(before, value, "two values for the rotation {id}");
            } else {
                assert!(
                    !self.values.iter().any(|(other, taken)| *other != id && *taken == value),
                    "one value for two ids"
                );
                self.occasions.insert(id.clone(), format!("{:?}", entry.occasion));
                self.order.push(id);
            }
        }
    }

    fn target(&self, secret: &Secret) {
        let (name, data) = (secret.name_any(), text(secret));
        let annotation = secret.annotations().get(ROTATION);
        let Some(id) = annotation.map(|text| text.split_once(':').map_or(text.as_str(), |(_, id)| id)) else {
            return;
        };
        let value = self
            .values
            .get(id)
            .unwrap_or_else(|| panic!("{name} has the rotation {id}, which was not recorded before"));
        for (key, text) in data.iter().filter(|(key, _)| !key.starts_with(FOREIGN.0)) {
            assert!(text.contains(value.as_str()), "{name}: {key} is not of the rotation {id}");
            assert!(!text.contains("{{"), "{name}: {key} is partly rendered");
        }
        assert!(data.contains_key("password"), "{name} has no password");
        if name == "merged" {
            assert_eq!(data.get(FOREIGN.0).map(String::as_str), Some(FOREIGN.1), "a foreign key");
            assert_eq!(secret.labels().get(LABEL.0).map(String::as_str), Some(LABEL.1), "a foreign label");
            assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/basic-auth"), "the type");
        }
    }

    /// Asserts that these values, in the order in which a store had them, were all recorded and went forward only. What was in
    /// the target before it was ours does not count.
    pub(crate) fn forward(&self, values: &[String]) {
        let mut last = 0;
        for value in values.iter().filter(|value| *value != SOMEBODY_S) {
            let place = |id: &String| self.values.get(id) == Some(value);
            let at = self.order.iter().position(place).expect("a store has a value that was never recorded");
            assert!(at >= last, "a store went back to an older value");
            last = at;
        }
    }
}

/// The data of a Secret as text.
pub(crate) fn text(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.clone().unwrap_or_default();
    data.into_iter().map(|(key, bytes)| (key, String::from_utf8(bytes.0).unwrap())).collect()
}
