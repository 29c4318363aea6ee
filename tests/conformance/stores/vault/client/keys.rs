//! Read, list, write and delete, on both servers and both versions of KV.

use std::sync::Arc;

use pipeline::{
    BoxFailure, ListQuery, Marks, ReadOptions, Reason, Remote, Retry, Revision, SecretStore, Validity, Write,
};
use serde_json::{Value as Json, json};
use standalone::kv::KvVersion;

use super::cluster::Cluster;
use super::{creds, document, read, shown};
use crate::subject::{Subject, both, run};

/// A store on a mount of its own.
struct Desk {
    subject: &'static Subject,
    mount: String,
    version: KvVersion,
    store: Arc<dyn SecretStore>,
}

/// Runs a test on each server with each of those versions.
fn on_both(versions: &[KvVersion], test: impl AsyncFn(Desk)) {
    for subject in both() {
        for version in versions {
            run(async {
                let mount = format!("keys-{}", subject.count());
                subject.mount(&mount, *version).await;
                let store = store_as(subject, &mount, *version).await;
                test(Desk { subject, mount, version: *version, store }).await;
            });
        }
    }
}

async fn store_as(subject: &Subject, mount: &str, version: KvVersion) -> Arc<dyn SecretStore> {
    let fields =
        json!({"path": mount, "version": named(version), "auth": {"tokenSecretRef": creds("token")}});
    super::store(&subject.url(), fields, &Cluster::with(&[("token", &subject.token)])).await
}

const fn named(version: KvVersion) -> &'static str {
    match version {
        KvVersion::V1 => "v1",
        KvVersion::V2 => "v2",
    }
}

const BOTH: [KvVersion; 2] = [KvVersion::V1, KvVersion::V2];

impl Desk {
    /// Puts a secret there without our store.
    async fn put(&self, key: &str, data: Json) {
        let (path, body) = match self.version {
            KvVersion::V1 => (format!("{}/{key}", self.mount), data),
            KvVersion::V2 => (format!("{}/data/{key}", self.mount), json!({"data": data})),
        };
        self.subject.expect("POST", &path, &body).await;
    }

    async fn write(&self, key: &str, text: &str, expected: &Revision) -> Result<Revision, BoxFailure> {
        let (document, marks) = (document(text), Marks::from([("rotation".to_owned(), "r1".to_owned())]));
        let write = Write { key, document: &document, marks: &marks, expected, metadata: None };
        self.store.write(write).await
    }

    async fn inspect(&self, key: &str) -> Remote {
        self.store.inspect(key).await.unwrap()
    }

    async fn names(&self, path: Option<&str>) -> Vec<String> {
        let query = ListQuery { path: path.map(str::to_owned), ..ListQuery::default() };
        let listed = self.store.list(&query).await.unwrap();
        listed.into_iter().map(|listed| listed.key).collect()
    }

    fn told(&self) -> String {
        format!("{} {}", self.subject.name(), named(self.version))
    }
}

#[test]
fn what_is_written_is_read_listed_and_removed() {
    on_both(&BOTH, async |desk| {
        assert_eq!(desk.store.validate().await.unwrap(), Validity::Valid);
        assert_eq!(read(&desk.store, "team/app").await.unwrap(), None, "{}", desk.told());
        assert_eq!(desk.names(None).await, [""; 0]);
        let revision = desk.write("team/app", r#"{"p":"x","n":1}"#, &Revision::Absent).await.unwrap();
        let remote = desk.inspect("team/app").await;
        assert!(remote.managed, "{}", desk.told());
        // Version 1 has no metadata: a mark would be part of what applications read.
        let marked = remote.marks.get("rotation").map(String::as_str);
        assert_eq!(marked, matches!(desk.version, KvVersion::V2).then_some("r1"), "{}", desk.told());
        assert_eq!(remote.revision, revision);
        assert_eq!(shown(remote.document).as_deref(), Some(r#"{"n":1,"p":"x"}"#));
        assert_eq!(desk.names(None).await, ["team/app"]);
        assert_eq!(desk.names(Some("team")).await, ["team/app"]);
        desk.write("team/app", r#"{"p":"y"}"#, &revision).await.unwrap();
        let found = read(&desk.store, "team/app").await.unwrap().unwrap();
        assert!(found.contains(r#""p":"y""#) && !found.contains("\"n\""), "{found}");
        let revision = desk.inspect("team/app").await.revision;
        desk.store.delete("team/app", &revision).await.unwrap();
        desk.store.delete("team/app", &Revision::Absent).await.unwrap();
        assert_eq!(read(&desk.store, "team/app").await.unwrap(), None);
        assert_eq!(desk.names(None).await, [""; 0]);
    });
}

#[test]
fn versions_are_read_by_number_and_what_is_gone_is_missing() {
    on_both(&[KvVersion::V2], async |desk| {
        for value in ["1", "2", "3"] {
            desk.put("app", json!({"p": value})).await;
        }
        let version = async |number: &str| {
            let options = ReadOptions { version: Some(number.to_owned()), metadata: false };
            desk.store.read("app", &options).await.map(shown)
        };
        assert_eq!(version("1").await.unwrap().as_deref(), Some(r#"{"p":"1"}"#));
        assert_eq!(version("9").await.unwrap(), None);
        let failure = version("first").await.unwrap_err();
        assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::WhenChanged));
        desk.subject.expect("POST", &format!("{}/delete/app", desk.mount), &json!({"versions": [1]})).await;
        desk.subject.expect("PUT", &format!("{}/destroy/app", desk.mount), &json!({"versions": [2]})).await;
        assert_eq!((version("1").await.unwrap(), version("2").await.unwrap()), (None, None));
        desk.subject.expect("DELETE", &format!("{}/data/app", desk.mount), &Json::Null).await;
        assert_eq!(read(&desk.store, "app").await.unwrap(), None);
        let remote = desk.inspect("app").await;
        assert_eq!((shown(remote.document), remote.revision), (None, Revision::At("3".to_owned())));
        assert_eq!(desk.names(None).await, [""; 0], "a name alone is no secret");
        let missing = desk.inspect("none").await;
        assert_eq!((shown(missing.document), missing.revision), (None, Revision::Absent));
    });
}

#[test]
fn one_of_two_writers_loses_and_is_told() {
    on_both(&[KvVersion::V2], async |desk| {
        desk.put("app", json!({"p": "theirs"})).await;
        for expected in [Revision::Absent, Revision::At("2".to_owned())] {
            let failure = desk.write("app", r#"{"p":"ours"}"#, &expected).await.unwrap_err();
            assert_eq!((failure.reason(), failure.retry()), (Reason::StoreConflict, Retry::Backoff));
        }
        assert_eq!(read(&desk.store, "app").await.unwrap().as_deref(), Some(r#"{"p":"theirs"}"#));
        assert!(
            !desk.inspect("app").await.managed,
            "{}: a mark that led to nothing is taken back",
            desk.told()
        );
        let expected = Revision::At("1".to_owned());
        let all = (0..6).map(|_| desk.write("app", r#"{"p":"ours"}"#, &expected));
        let all = futures::future::join_all(all).await;
        let failed: Vec<_> = all.iter().filter_map(|one| one.as_ref().err()).collect();
        assert_eq!(failed.len(), 5, "{}", desk.told());
        assert!(failed.iter().all(|failure| failure.reason() == Reason::StoreConflict));
        assert_eq!(desk.inspect("app").await.revision, Revision::At("2".to_owned()));
    });
}

#[test]
fn the_first_version_is_written_over_a_deleted_one() {
    on_both(&[KvVersion::V2], async |desk| {
        desk.put("app", json!({"p": "theirs"})).await;
        desk.subject.expect("DELETE", &format!("{}/data/app", desk.mount), &Json::Null).await;
        let failure = desk.write("app", r#"{"p":"ours"}"#, &Revision::Absent).await.unwrap_err();
        assert_eq!(failure.reason(), Reason::StoreConflict, "a deleted version still counts");
        let revision = desk.inspect("app").await.revision;
        assert_eq!(
            desk.write("app", r#"{"p":"ours"}"#, &revision).await.unwrap(),
            Revision::At("2".to_owned())
        );
    });
}

#[test]
fn an_engine_that_demands_check_and_set_gets_it() {
    on_both(&[KvVersion::V2], async |desk| {
        let config = json!({"cas_required": true});
        desk.subject.expect("POST", &format!("{}/config", desk.mount), &config).await;
        for text in [r#"{"p":"1"}"#, r#"{"p":"2"}"#] {
            let revision = desk.inspect("app").await.revision;
            desk.write("app", text, &revision).await.unwrap();
        }
        assert_eq!(read(&desk.store, "app").await.unwrap().as_deref(), Some(r#"{"p":"2"}"#));
    });
}

#[test]
fn odd_keys_lead_where_they_say() {
    on_both(&BOTH, async |desk| {
        let mut keys = vec![
            "with space",
            "q?mark",
            "h#ash",
            "per%cent",
            "per%2Fcent",
            "ümläut/漢",
            "plus+sign",
            "am&per=eq",
            "semi;colon",
            "back\\slash",
            "quo\"te",
            "{twig}",
            "co:lon",
            "at@",
        ];
        match desk.version {
            KvVersion::V1 => {
                let failure = read(&desk.store, "a..b").await.unwrap_err();
                assert_eq!(failure.reason(), Reason::InvalidSpec, "version 1 has no such path");
            }
            KvVersion::V2 => keys.push("a..b"),
        }
        for key in &keys {
            desk.write(key, &json!({"key": key}).to_string(), &Revision::Absent).await.unwrap();
        }
        let mut expected = keys.clone();
        expected.sort_unstable();
        assert_eq!(desk.names(None).await, expected, "{}", desk.told());
        for key in &keys {
            let found: Json = serde_json::from_str(&read(&desk.store, key).await.unwrap().unwrap()).unwrap();
            assert_eq!(found["key"], **key, "{}", desk.told());
            let revision = desk.inspect(key).await.revision;
            desk.store.delete(key, &revision).await.unwrap();
        }
        assert_eq!(desk.names(None).await, [""; 0]);
        desk.put("edges", json!({"p": "x"})).await;
        for key in ["/edges", "edges/", &format!("{}/edges", desk.mount)] {
            assert!(read(&desk.store, key).await.unwrap().is_some(), "{key}");
        }
        for key in ["a//b", "../edges", "a/./b", "a\nb", ""] {
            let failure = read(&desk.store, key).await.unwrap_err();
            assert_eq!(
                (failure.reason(), failure.retry()),
                (Reason::InvalidSpec, Retry::WhenChanged),
                "{key:?}"
            );
        }
    });
}

#[test]
fn values_that_are_no_texts_come_as_json() {
    on_both(&BOTH, async |desk| {
        let data = json!({"n": 7, "f": 1.5, "b": true, "none": null, "list": [1, "x"], "deep": {"z": 1, "a": "ü<&>"}});
        desk.put("app", data.clone()).await;
        let found: Json = serde_json::from_str(&read(&desk.store, "app").await.unwrap().unwrap()).unwrap();
        assert_eq!(found, data, "{}", desk.told());
    });
}

#[test]
fn a_folder_and_a_key_of_one_name_are_two_things() {
    on_both(&BOTH, async |desk| {
        for key in ["app", "app/db", "app/db/deep", "other"] {
            desk.put(key, json!({"key": key})).await;
        }
        assert_eq!(desk.names(None).await, ["app", "app/db", "app/db/deep", "other"]);
        assert_eq!(desk.names(Some("app")).await, ["app/db", "app/db/deep"]);
        assert_eq!(desk.names(Some("none")).await, [""; 0]);
        desk.store.delete("app", &desk.inspect("app").await.revision).await.unwrap();
        assert_eq!(desk.names(None).await, ["app/db", "app/db/deep", "other"], "{}", desk.told());
    });
}

#[test]
fn secrets_are_found_by_their_tags() {
    on_both(&[KvVersion::V2], async |desk| {
        for (key, owner) in [("a", "team"), ("b", "other"), ("c", "team")] {
            desk.put(key, json!({"p": key})).await;
            let body = json!({"custom_metadata": {"owner": owner, "more": "x"}});
            desk.subject.expect("POST", &format!("{}/metadata/{key}", desk.mount), &body).await;
        }
        let query =
            ListQuery { tags: [("owner".to_owned(), "team".to_owned())].into(), ..ListQuery::default() };
        let listed = desk.store.list(&query).await.unwrap();
        assert_eq!(listed.iter().map(|listed| listed.key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        let fetch = ReadOptions { version: None, metadata: true };
        let found = shown(desk.store.read("a", &fetch).await.unwrap()).unwrap();
        let found: Json = serde_json::from_str(&found).unwrap();
        assert_eq!((&found["owner"], &found["current_version"]), (&json!("team"), &json!("1")), "{found}");
        assert_eq!(shown(desk.store.read("none", &fetch).await.unwrap()), None);
    });
}

#[test]
fn what_is_no_engine_or_another_one_is_no_missing_secret() {
    on_both(&BOTH, async |desk| {
        let other = match desk.version {
            KvVersion::V1 => return, // to a version 1 engine every path is a path
            KvVersion::V2 => KvVersion::V1,
        };
        let wrong = store_as(desk.subject, &desk.mount, other).await;
        let failure = read(&wrong, "app").await.unwrap_err();
        assert_eq!(failure.reason(), Reason::StoreNotReady, "{failure}");
        assert!(
            pipeline::message(failure.as_ref()).ends_with("set the store's version to that of the engine")
        );
        let nowhere = store_as(desk.subject, "no-such-mount", desk.version).await;
        for failure in
            [read(&nowhere, "app").await.unwrap_err(), nowhere.list(&ListQuery::default()).await.unwrap_err()]
        {
            assert_eq!(failure.reason(), Reason::StoreNotReady, "{failure}");
            let told = pipeline::message(failure.as_ref());
            assert!(told.ends_with("correct the store's path, or mount the engine"), "{told}");
        }
    });
}

#[test]
fn a_namespace_is_sent_and_a_wrong_token_is_refused() {
    on_both(&BOTH, async |desk| {
        desk.put("app", json!({"p": "x"})).await;
        let fields = json!({"path": desk.mount, "version": named(desk.version), "namespace": "team/a",
            "auth": {"tokenSecretRef": creds("token")}});
        let creds = Cluster::with(&[("token", &desk.subject.token)]);
        let store = super::store(&desk.subject.url(), fields.clone(), &creds).await;
        assert!(read(&store, "app").await.unwrap().is_some(), "one without namespaces ignores it");
        let creds = Cluster::with(&[("token", "hvs.wrong")]);
        let store = super::store(&desk.subject.url(), fields, &creds).await;
        for failure in [read(&store, "app").await.unwrap_err(), store.validate().await.unwrap_err()] {
            assert_eq!((failure.reason(), failure.retry()), (Reason::StoreDenied, Retry::Backoff));
            let told = pipeline::message(failure.as_ref());
            assert!(told.contains("permission denied") && !told.contains("hvs.wrong"), "{told}");
        }
    });
}
