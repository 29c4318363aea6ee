use serde_json::json;

use super::*;

fn place(namespace: &str, name: &str) -> Place {
    Place { kind: "/secrets".into(), namespace: namespace.to_owned(), name: name.to_owned() }
}

fn scope(namespace: Option<&str>) -> Scope {
    Scope { kind: "/secrets".into(), namespace: namespace.map(str::to_owned) }
}

fn put(objects: &Objects, namespace: &str, name: &str, value: u64) {
    let object = json!({"metadata": {"name": name}, "value": value});
    objects.change(false, |draft| Ok(draft.put(&place(namespace, name), object))).unwrap();
}

fn names(objects: &BTreeMap<Place, Arc<Value>>) -> Vec<(String, u64)> {
    objects.iter().map(|(place, object)| (place.name.clone(), object["value"].as_u64().unwrap())).collect()
}

#[test]
fn objects_and_their_versions_survive_a_restart() {
    let database = Database::memory().unwrap();
    let objects = Objects::open(database.clone(), 10).unwrap();
    put(&objects, "a", "one", 1);
    put(&objects, "b", "two", 2);
    objects.change(false, |draft| Ok(draft.remove(&place("a", "one")))).unwrap();

    let again = Objects::open(database, 10).unwrap();
    assert_eq!(again.now().version, 3);
    assert_eq!(again.now().all().count(), 1);
    assert_eq!(again.now().get(&place("b", "two")).unwrap()["metadata"]["resourceVersion"], "2");
    assert!(again.now().history.after(2).is_none(), "the history does not survive");
}

#[test]
fn a_dry_run_and_a_failure_change_nothing() {
    let objects = Objects::open(Database::memory().unwrap(), 10).unwrap();
    objects.change(true, |draft| Ok(draft.put(&place("a", "one"), json!({})))).unwrap();
    let failed = objects.change(false, |draft| {
        draft.put(&place("a", "one"), json!({}));
        assert!(draft.get(&place("a", "one")).is_some());
        Err::<(), _>(Failure::bad_request("on purpose"))
    });
    assert!(failed.is_err());
    assert_eq!((objects.now().version, objects.now().all().count()), (0, 0));
}

#[test]
fn lists_are_by_namespace_and_rewind_to_an_older_version() {
    let objects = Objects::open(Database::memory().unwrap(), 3).unwrap();
    put(&objects, "a", "one", 1);
    put(&objects, "a", "two", 2);
    put(&objects, "ab", "three", 3);
    put(&objects, "a", "one", 4);
    objects.change(false, |draft| Ok(draft.remove(&place("a", "two")))).unwrap();

    let now = objects.now();
    assert_eq!(now.list(&scope(Some("a"))).count(), 1);
    assert_eq!(now.list(&scope(None)).count(), 2);
    let at = |version| now.list_at(&scope(Some("a")), version).map(|objects| names(&objects));
    assert_eq!(at(2).unwrap(), [("one".to_owned(), 1), ("two".to_owned(), 2)]);
    assert_eq!(at(4).unwrap(), [("one".to_owned(), 4), ("two".to_owned(), 2)]);
    assert_eq!(at(5).unwrap(), [("one".to_owned(), 4)]);
    assert_eq!(at(1), None);
    assert_eq!(now.history.compacted(), 2);
}

#[test]
fn places_are_in_the_order_of_kubernetes_keys() {
    let mut places = [place("a", "x"), place("a-b", "x"), place("a", "a"), place("", "z")];
    places.sort();
    let names: Vec<String> =
        places.iter().map(|place| format!("{}/{}", place.namespace, place.name)).collect();
    assert_eq!(names, ["a-b/x", "a/a", "a/x", "/z"]);
}
