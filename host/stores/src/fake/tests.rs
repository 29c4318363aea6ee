use super::*;

fn store(data: &[(&str, &str, Option<&str>)], pushed: &Arc<Pushed>) -> FakeStore {
    let data = data.iter().map(|(key, value, version)| api::store::FakeProviderData {
        key: (*key).to_owned(),
        value: (*value).into(),
        version: version.map(str::to_owned),
    });
    FakeStore::new(&FakeProvider { data: data.collect(), validation_result: None }, Arc::clone(pushed))
}

async fn text(store: &FakeStore, key: &str, version: Option<&str>) -> Option<String> {
    let options = ReadOptions { version: version.map(str::to_owned), metadata: false };
    match store.read(key, &options).await.expect("a fake store answers") {
        Found::Found(Document::Bytes(value)) => Some(String::from_utf8_lossy(value.expose()).into_owned()),
        Found::Found(other) => Some(format!("{other:?}")),
        Found::Missing => None,
    }
}

async fn push(store: &FakeStore, key: &str, value: &str, expected: &Revision) -> Result<Revision, Reason> {
    let document = Document::Bytes(Value::from(value));
    let marks: Marks = [("keymill.dev/rotation".to_owned(), value.to_owned())].into();
    let write = Write { key, document: &document, marks: &marks, expected, metadata: None };
    store.write(write).await.map_err(|failure| failure.reason())
}

#[tokio::test]
async fn a_version_that_is_asked_for_must_be_there() {
    let pushed = Pushed::new();
    let store =
        store(&[("k", "plain", None), ("k", "first", Some("v1")), ("v", "only", Some("v1"))], &pushed);
    for (key, version, expected) in [
        ("k", None, Some("plain")),
        ("k", Some("v1"), Some("first")),
        ("k", Some("v2"), None),
        ("v", None, None),
        ("v", Some("v1"), Some("only")),
        ("absent", None, None),
    ] {
        assert_eq!(text(&store, key, version).await.as_deref(), expected, "{key} {version:?}");
    }
}

#[tokio::test]
async fn two_stores_do_not_share_and_one_store_keeps_what_was_pushed() {
    let (one, other) = (Pushed::new(), Pushed::new());
    push(&store(&[], &one), "k", "v", &Revision::Absent).await.expect("pushed");
    assert_eq!(text(&store(&[], &one), "k", None).await.as_deref(), Some("v"));
    assert_eq!(text(&store(&[], &other), "k", None).await, None);
}

#[tokio::test]
async fn a_push_compares_and_sets() {
    let pushed = Pushed::new();
    let store = store(&[("mine", "v", None)], &pushed);
    assert_eq!(push(&store, "mine", "x", &Revision::Unsupported).await, Err(Reason::RemoteNotManaged));
    let first = push(&store, "k", "1", &Revision::Absent).await.expect("created");
    assert_eq!(push(&store, "k", "2", &Revision::Absent).await, Err(Reason::StoreConflict));
    let second = push(&store, "k", "2", &first).await.expect("updated");
    assert_eq!(push(&store, "k", "3", &first).await, Err(Reason::StoreConflict));
    let remote = store.inspect("k").await.expect("a fake store answers");
    assert_eq!((remote.managed, remote.revision), (true, second.clone()));
    assert_eq!(remote.marks.get("keymill.dev/rotation").map(String::as_str), Some("2"));
    assert!(store.delete("k", &first).await.is_err());
    store.delete("k", &second).await.expect("deleted");
    store.delete("k", &second).await.expect("deleting nothing succeeds");
    assert_eq!(store.inspect("k").await.expect("an answer").revision, Revision::Absent);
}

#[tokio::test]
async fn a_list_has_the_latest_version_of_each_match() {
    let pushed = Pushed::new();
    let store = store(
        &[("a/1", "old", Some("v1")), ("a/1", "new", Some("v2")), ("a/2", "x", None), ("b", "y", None)],
        &pushed,
    );
    push(&store, "a/3", "pushed", &Revision::Absent).await.expect("pushed");
    for (path, name, expected) in [
        (None, None, "a/1=new a/2=x a/3=pushed b=y"),
        (Some("a/"), None, "a/1=new a/2=x a/3=pushed"),
        (None, Some("^(b|a/1)$"), "a/1=new b=y"),
        (None, Some("none"), ""),
    ] {
        let name = name.map(|name| regex::Regex::new(name).expect("a pattern"));
        let query = ListQuery { path: path.map(str::to_owned), name, ..ListQuery::default() };
        let listed = store.list(&query).await.expect("a list");
        let shown: Vec<_> = listed
            .iter()
            .map(|listed| match &listed.document {
                Document::Bytes(value) => {
                    format!("{}={}", listed.key, String::from_utf8_lossy(value.expose()))
                }
                other => format!("{}={other:?}", listed.key),
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{path:?}");
    }
    let query = ListQuery { tags: [("a".to_owned(), "b".to_owned())].into(), ..ListQuery::default() };
    assert!(store.list(&query).await.is_err());
}

#[tokio::test]
async fn the_validation_result_is_honoured() {
    for (result, expected) in [
        (None, Ok(Validity::Valid)),
        (Some(0), Ok(Validity::Valid)),
        (Some(1), Ok(Validity::Unknown)),
        (Some(2), Err(Reason::StoreNotReady)),
    ] {
        let store =
            FakeStore::new(&FakeProvider { data: Vec::new(), validation_result: result }, Pushed::new());
        assert_eq!(store.validate().await.map_err(|failure| failure.reason()), expected, "{result:?}");
    }
}
