//! What was pushed and is not wanted any more.

use std::collections::{BTreeMap, BTreeSet};

use api::push_secret::{PushSecretData, SyncedPushSecrets};

use super::remote::{RemotePlan, without};
use crate::ports::{Found, Remote};
use crate::spec::StoreName;

/// One remote secret that is to go, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The store.
    pub store: StoreName,
    /// The remote key.
    pub key: String,
    /// The properties to take out; the whole when absent.
    pub properties: Option<BTreeSet<String>>,
    /// The names of the entries in the status.
    pub names: Vec<String>,
}

/// The key of an entry in the status: `remoteKey` or `remoteKey/property`.
pub(super) fn status_name(data: &PushSecretData) -> String {
    let remote = &data.match_.remote_ref;
    match remote.property.as_deref().filter(|property| !property.is_empty()) {
        Some(property) => format!("{}/{property}", remote.remote_key),
        None => remote.remote_key.clone(),
    }
}

/// Everything in `before` that is not in `after`, by store and remote key. A remote secret of which another part is still
/// wanted loses no more than the parts that are not.
#[must_use]
pub fn withdrawals(before: &SyncedPushSecrets, after: &SyncedPushSecrets) -> Vec<Withdrawal> {
    let nothing = BTreeMap::new();
    let mut withdrawals: Vec<Withdrawal> = Vec::new();
    for (store_name, entries) in before {
        let Some(store) = parse_store(store_name) else {
            continue;
        };
        let wanted = after.get(store_name).unwrap_or(&nothing);
        let kept: BTreeSet<&str> =
            wanted.values().map(|data| data.match_.remote_ref.remote_key.as_str()).collect();
        for (name, data) in entries.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
            let remote = &data.match_.remote_ref;
            let property = remote.property.clone().filter(|property| !property.is_empty());
            // The whole was pushed, and now a part of it is: the part has replaced it or will.
            if property.is_none() && kept.contains(remote.remote_key.as_str()) {
                continue;
            }
            let same = withdrawals.iter_mut().find(|one| one.store == store && one.key == remote.remote_key);
            match same {
                Some(one) => one.add(name, property),
                None => withdrawals.push(Withdrawal {
                    store: store.clone(),
                    key: remote.remote_key.clone(),
                    properties: property.map(|property| BTreeSet::from([property])),
                    names: vec![name.clone()],
                }),
            }
        }
    }
    withdrawals
}

fn parse_store(name: &str) -> Option<StoreName> {
    let (kind, name) = name.split_once('/')?;
    Some(StoreName { kind: kind.to_owned(), name: name.to_owned() })
}

impl Withdrawal {
    fn add(&mut self, name: &str, property: Option<String>) {
        self.names.push(name.to_owned());
        match (&mut self.properties, property) {
            (Some(properties), Some(property)) => {
                properties.insert(property);
            }
            // Once the whole goes, its parts go with it.
            (properties, _) => *properties = None,
        }
    }

    /// What to do, now that it is known what is there. What is not managed is left alone.
    #[must_use]
    pub fn plan(&self, remote: &Remote) -> RemotePlan {
        let Found::Found(document) = &remote.document else {
            return RemotePlan::Keep;
        };
        if !remote.managed {
            return RemotePlan::Keep;
        }
        let Some(properties) = &self.properties else {
            return RemotePlan::Delete;
        };
        let gone: Vec<&str> = properties.iter().map(String::as_str).collect();
        match without(document, &gone) {
            Some(left) if super::remote::same(document, &left) => RemotePlan::Keep,
            Some(left) => RemotePlan::Write { document: left },
            None => RemotePlan::Delete,
        }
    }
}
