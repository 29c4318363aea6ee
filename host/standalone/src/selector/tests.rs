use serde_json::json;

use super::*;

fn info(plural: &str, group: &str) -> &'static ResourceInfo {
    ResourceInfo::builtins().iter().find(|info| info.plural == plural && info.group == group).unwrap()
}

fn secret() -> Value {
    json!({
        "metadata": {"name": "db", "namespace": "prod", "labels": {"app": "web", "tier": "5", "empty": ""}},
        "type": "Opaque",
    })
}

#[test]
fn label_selectors_select() {
    let check = |text: &str, expected: bool| {
        let selector = Selector::parse(text, "", info("secrets", "")).unwrap();
        assert_eq!(selector.selects(&secret()), expected, "{text}");
    };
    for text in [
        "",
        "app",
        "!gone",
        "app=web",
        "app==web",
        "app!=api",
        "gone!=x",
        "app in (api, web)",
        "app notin (api)",
        "gone notin (x)",
        "tier>4",
        "tier<6",
        "app=web,tier=5",
        "empty=",
        "empty in ()",
        "app , tier",
        "!gone,app in(web)",
    ] {
        check(text, true);
    }
    for text in [
        "!app",
        "gone",
        "app=api",
        "app!=web",
        "app in (api)",
        "app notin (web,api)",
        "tier>5",
        "app>1",
        "app=web,gone",
    ] {
        check(text, false);
    }
}

#[test]
fn label_selectors_that_do_not_parse() {
    for text in [
        ",",
        "app=web,",
        "app in web",
        "app in (web",
        "=web",
        "app=a=b",
        "app~web",
        "app in (a b)",
        "a b",
        "x>y",
        "-a=b",
        "a=-b",
    ] {
        let failure = Selector::parse(text, "", info("secrets", "")).unwrap_err();
        assert_eq!((failure.code, failure.reason), (400, "BadRequest"), "{text}");
    }
}

#[test]
fn field_selectors_select() {
    let check = |text: &str, expected: bool| {
        let selector = Selector::parse("", text, info("secrets", "")).unwrap();
        assert_eq!(selector.selects(&secret()), expected, "{text}");
    };
    check("metadata.name=db", true);
    check("metadata.name==db,metadata.namespace=prod", true);
    check("type=Opaque", true);
    check("type!=Opaque", false);
    check("metadata.name=other", false);
    check("metadata.name=d\\,b", false);
}

#[test]
fn events_are_selected_by_what_they_are_about() {
    let event = json!({"involvedObject": {"kind": "Secret", "name": "db"}, "source": {"component": "keymill"}, "type": "Warning"});
    let check = |text: &str, expected: bool| {
        let selector = Selector::parse("", text, info("events", "")).unwrap();
        assert_eq!(selector.selects(&event), expected, "{text}");
    };
    check("involvedObject.kind=Secret,involvedObject.name=db", true);
    check("source=keymill", true);
    check("involvedObject.uid=", true);
    check("type=Normal", false);
}

#[test]
fn fields_that_cannot_be_selected_are_named() {
    let check = |plural: &str, text: &str, expected: &str| {
        let failure = Selector::parse("", text, info(plural, "")).unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (400, expected));
    };
    check("secrets", "data.x=1", "field label not supported: data.x");
    check(
        "configmaps",
        "x=1",
        "\"x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
    );
    check("secrets", "nonsense", "invalid selector: 'nonsense'; can't understand 'nonsense'");
}
