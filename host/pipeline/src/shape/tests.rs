use serde_json::{Value as Json, json};

use super::*;
use crate::field::Value;
use crate::fixture::{Angles, Floor, Texts, at, checked, fields, meta, texts};
use crate::ports::{Entropy, GeneratedField};

fn gathered(data: &[(&str, &str)]) -> Gathered {
    Gathered::given(fields(data), at(0))
}

fn shapers() -> Shapers {
    let texts = [
        (
            "ConfigMap/tpl".to_owned(),
            fields(&[
                ("app.conf", "user=<user>"),
                ("b", "<USER>"),
                ("map", "x: <user>\ny: 2"),
                ("enc", "YWRh"),
            ]),
        ),
        ("Secret/tpl".to_owned(), fields(&[("l", "who: <user>"), ("bin", "/w==")])),
    ];
    Shapers {
        engine: Arc::new(Angles::default()),
        templates: Arc::new(Texts(texts.into())),
        policies: Arc::new(Floor::default()),
    }
}

async fn shaped_by(shapers: &Shapers, target: &Json) -> Result<Shaped, ShapeError> {
    let spec = checked(json!({
        "secretStoreRef": {"name": "vault"},
        "target": target,
        "data": [{"secretKey": "k", "remoteRef": {"key": "k"}}],
    }));
    shape(shapers, &spec, &meta(), &gathered(&[("user", "ada"), ("pw", "s3cret")])).await
}

async fn shaped(template: Json) -> Result<Shaped, ShapeError> {
    shaped_by(&shapers(), &json!({"template": template})).await
}

async fn check(template: Json, want: Result<&[(&str, &str)], &str>) {
    match (shaped(template.clone()).await, want) {
        (Ok(got), Ok(want)) => {
            let want = want.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(texts(&got.data), want, "{template}");
        }
        (Err(got), Err(want)) => {
            assert_eq!(crate::outcome::message(&got), format!("failed to {want}"), "{template}")
        }
        (got, want) => panic!("{template}: {got:?}, not {want:?}"),
    }
}

#[tokio::test]
async fn a_template_makes_the_data() {
    for (template, want) in [
        (json!({"data": {"dsn": "<user>:<pw>"}}), &[("dsn", "ada:s3cret")][..]),
        (json!({"type": "kubernetes.io/basic-auth"}), &[("pw", "s3cret"), ("user", "ada")]),
        (json!({"metadata": {"labels": {"a": "b"}}}), &[("pw", "s3cret"), ("user", "ada")]),
        (json!({"mergePolicy": "Merge", "data": {"user": "<USER>"}}), &[("pw", "s3cret"), ("user", "ADA")]),
        (
            json!({"templateFrom": [{"configMap": {"name": "tpl", "items": [{"key": "app.conf"}, {"key": "b", "templateAs": "Values"}]}}]}),
            &[("app.conf", "user=ada"), ("b", "ADA")],
        ),
        (
            json!({"templateFrom": [{"configMap": {"name": "tpl", "items": [{"key": "map", "templateAs": "KeysAndValues"}]}}]}),
            &[("x", "ada"), ("y", "2")],
        ),
        (
            json!({"templateFrom": [{"configMap": {"name": "tpl", "items": [{"key": "enc"}]}, "valuesDecodingStrategy": "Base64"}]}),
            &[("enc", "ada")],
        ),
        // Later wins: literal, then literal, then data.
        (
            json!({"templateFrom": [{"literal": "x: 1\ny: 1\nz: 1"}, {"literal": "y: 2\nz: 2"}], "data": {"z": "3"}}),
            &[("x", "1"), ("y", "2"), ("z", "3")],
        ),
        (
            json!({"mergePolicy": "Merge", "templateFrom": [{"literal": "user: from-literal\nextra: l"}], "data": {"extra": "from-data"}}),
            &[("extra", "from-data"), ("pw", "s3cret"), ("user", "from-literal")],
        ),
    ] {
        check(template, Ok(want)).await;
    }
}

#[tokio::test]
async fn each_key_is_known_by_what_gave_it() {
    let template = json!({
        "mergePolicy": "Merge",
        "templateFrom": [
            {"literal": "a: 1\nb: 1"},
            {"configMap": {"name": "tpl", "items": [{"key": "b"}]}},
        ],
        "data": {"c": "3"},
    });
    let shaped = shaped(template).await.unwrap();
    let origins: Vec<(&str, &str)> =
        shaped.origins.iter().map(|(key, origin)| (key.as_str(), origin.as_str())).collect();
    let from = |key| shaped.origins.get(key).map(String::as_str);
    assert_eq!(origins.len(), 3, "what was gathered has none: {origins:?}");
    assert_eq!(from("a"), Some("templateFrom[0].literal"));
    assert_eq!(from("b"), Some("templateFrom[1], key b of ConfigMap shop/tpl"));
    assert_eq!(from("c"), Some("template.data"));
}

#[tokio::test]
async fn what_a_template_cannot_do_is_said() {
    let config_map = |name: &str, key: &str| json!({"templateFrom": [{"configMap": {"name": name, "items": [{"key": key}]}}]});
    for (template, want) in [
        (json!({"data": {"a": "<nope>"}}), "render the template: no such key"),
        (config_map("nope", "t"), "read the template in ConfigMap shop/nope: it does not exist"),
        (config_map("tpl", "nope"), "read the template in ConfigMap shop/tpl: it has no key nope"),
        (
            json!({"templateFrom": [{"literal": "a/b: 1"}]}),
            "use the key `a/b`: a key has 1 to 253 letters, digits, `-`, `_` and `.`; name a rewrite that gives it a valid name",
        ),
        (
            json!({"templateFrom": [{"target": "Labels", "valuesDecodingStrategy": "Base64", "secret": {"name": "tpl", "items": [{"key": "bin"}]}}]}),
            "render label bin: the result is not UTF-8 text",
        ),
        (
            json!({"templateFrom": [{"valuesDecodingStrategy": "Base64", "literal": "a: <pw>"}]}),
            "decode the value of a as Base64: it is not valid Base64",
        ),
    ] {
        check(template, Err(want)).await;
    }
}

#[tokio::test]
async fn secrets_that_the_cluster_trusts_are_not_made() {
    let token = "kubernetes.io/service-account-token";
    let annotation = json!({"annotations": {"kubernetes.io/service-account.name": "default"}});
    for (template, denied) in [
        (json!({"type": token, "metadata": annotation}), true),
        (json!({"type": token, "templateFrom": [{"target": "annotations", "literal": "a: 1"}]}), true),
        (json!({"type": token}), false),
        (json!({"type": "kubernetes.io/basic-auth", "metadata": annotation}), false),
        (json!({"type": "bootstrap.kubernetes.io/token"}), true),
        (json!({"type": "keymill.dev/rotation"}), true),
    ] {
        // Admission refuses some of these before; here they are refused whatever came before.
        let template_of = serde_json::from_value::<api::Template>(template.clone()).unwrap();
        let rendering = Rendering { meta: &meta(), fields: &fields(&[]), stream: "", now: at(0) };
        let assembled = assemble(&shapers(), &template_of, &rendering).await.unwrap();
        let shaped = template::onto(&template_of, fields(&[]), assembled);
        assert_eq!(template::check_type(&shaped, Some(&template_of)).is_err(), denied, "{template}");
    }
}

#[tokio::test]
async fn labels_and_annotations() {
    let template = json!({
        "metadata": {"labels": {"user": "<user>", "both": "metadata"}, "annotations": {"example.org/who": "<USER>"}, "finalizers": ["example.org/f"]},
        "templateFrom": [
            {"target": "Labels", "secret": {"name": "tpl", "items": [{"key": "l", "templateAs": "KeysAndValues"}]}},
            {"target": "labels", "literal": "both: from"},
        ],
    });
    let shaped = shaped(template).await.unwrap();
    let text = |map: &BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(text(&shaped.labels), ["both=metadata", "user=ada", "who=ada"]);
    assert_eq!(text(&shaped.annotations), ["example.org/who=ADA"]);
    assert_eq!(shaped.finalizers, ["example.org/f"]);
    assert!(shaped.data.is_empty(), "templateFrom makes the data, and made none");
}

#[test]
fn without_a_template_labels_and_annotations_are_copied() {
    let mut meta = meta();
    let pair = |key: &str| (key.to_owned(), "1".to_owned());
    meta.labels = [pair("team"), pair("app.kubernetes.io/part-of")].into();
    meta.annotations = [
        pair("example.org/note"),
        pair("external-secrets.io/force-sync"),
        pair("kubectl.kubernetes.io/last-applied-configuration"),
        pair("keymill.dev/template-engine"),
    ]
    .into();
    let shaped = template::without(&meta, fields(&[("k", "v")]));
    assert_eq!(shaped.labels, meta.labels);
    assert_eq!(
        shaped.annotations.into_keys().collect::<Vec<_>>(),
        ["example.org/note", "external-secrets.io/force-sync"]
    );
}

#[tokio::test]
async fn policies_see_the_entropy_of_what_was_generated() {
    let generated =
        GeneratedField { value: Value::from("s3cret"), entropy: Some(Entropy { bits: 60.0, exact: true }) };
    for (floor, data, refused) in [
        (50.0, &[("pw", "s3cret")][..], None),
        (70.0, &[("pw", "s3cret")], Some("accept the values: pw breaks bits of floor: has too few bits")),
        (
            50.0,
            &[("dsn", "ada:s3cret")],
            Some("accept the values: dsn breaks bits of floor: has too few bits"),
        ),
    ] {
        let floor = Floor { bits: Some(floor), ..Floor::default() };
        let shapers = Shapers { policies: Arc::new(floor), ..shapers() };
        let judged =
            judge(&shapers, "ExternalSecret", &meta(), &fields(data), std::slice::from_ref(&generated)).await;
        assert_eq!(judged.err().map(|error| error.to_string()).as_deref(), refused);
    }
}

#[tokio::test]
async fn who_monitors_keeps_nothing_back_and_who_enforces_and_fails_does() {
    let floor = Floor { bits: Some(70.0), ..Floor::default() };
    for (policy, refused, violations, failures) in [
        (Floor { monitors: true, ..floor }, None, 1, 0),
        (Floor { monitors: true, fails: true, ..floor }, None, 0, 1),
        (Floor { fails: true, ..floor }, Some("evaluate the policies that apply"), 0, 0),
    ] {
        let shapers = Shapers { policies: Arc::new(policy), ..shapers() };
        let judged = judge(&shapers, "ExternalSecret", &meta(), &fields(&[("pw", "s3cret")]), &[]).await;
        match judged {
            Ok(monitored) => {
                assert_eq!((monitored.violations.len(), monitored.failures.len()), (violations, failures));
                assert_eq!(refused, None);
            }
            Err(error) => assert_eq!(Some(error.to_string().as_str()), refused),
        }
    }
}

#[tokio::test]
async fn streams_are_those_of_object_and_rotation() {
    let engine = Arc::new(Angles::default());
    let shapers = Shapers { engine: engine.clone(), ..shapers() };
    shaped_by(&shapers, &json!({"template": {"data": {"a": "<user>"}}})).await.unwrap();
    assert_eq!(*engine.streams.lock().unwrap(), ["uid-1/"]);
}
