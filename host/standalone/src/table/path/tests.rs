use serde_json::{Value, json};

use super::JsonPath;

fn object() -> Value {
    json!({
        "metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "x"}},
        "spec": {"ports": [80, 443, 8080], "refs": [{"name": "one", "n": 1}, {"name": "two", "n": 2}]},
        "status": {"conditions": [
            {"type": "Synced", "status": "False"},
            {"type": "Ready", "status": "True", "reason": "SecretSynced"},
        ]},
    })
}

fn check(path: &str, expected: Value) {
    let object = object();
    let found = JsonPath::parse(path).unwrap().find(&object).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(Value::from(found), expected, "{path}");
}

#[test]
fn paths_find_values() {
    check(".metadata.name", json!(["a"]));
    check(".metadata.missing.deeper", json!([]));
    check(".metadata.labels.app\\.kubernetes\\.io/name", json!(["x"]));
    check(".metadata.labels['app.kubernetes.io/name']", json!(["x"]));
    check("['metadata'][\"name\"]", json!(["a"]));
    check(".spec.ports[0]", json!([80]));
    check(".spec.ports[-1]", json!([8080]));
    check(".spec.ports[9]", json!([]));
    check(".spec.ports[0:2]", json!([80, 443]));
    check(".spec.ports[::2]", json!([80, 8080]));
    check(".spec.ports[0,2]", json!([80, 8080]));
    check(".spec.ports[*]", json!([80, 443, 8080]));
    check(".spec.refs[*].name", json!(["one", "two"]));
    check("..name", json!(["a", "one", "two"]));
    check(".", json!([object()]));
}

#[test]
fn filters_select_items() {
    check(".status.conditions[?(@.type==\"Ready\")].status", json!(["True"]));
    check(".status.conditions[?(@.type=='Ready')].reason", json!(["SecretSynced"]));
    check(".status.conditions[?(@.type == \"Missing\")].status", json!([]));
    check(".status.conditions[?(@.type!=\"Ready\")].type", json!(["Synced"]));
    check(".status.conditions[?(@.reason)].type", json!(["Ready"]));
    check(".spec.refs[?(@.n>1)].name", json!(["two"]));
    check(".spec.refs[?(@.n<=1)].name", json!(["one"]));
    check(".spec.ports[?(@==443)]", json!([443]));
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [".spec[", ".a[?(@.b]", ".a['b]", ".a[0:1:0]", ".a b", "a", ".a."] {
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
}
