//! The templates that stand in a manifest, each with the field that holds it. Those in ConfigMaps and Secrets are not seen: they may
//! change at any time, and the controller says what is wrong with them.

use api::external_secret::RewriteRule;
use api::push_secret::PushSecretRewriteRule;
use api::template::TemplateSource;
use api::{ExternalSecret, PushSecret, Template};
use runtime::{Scope, TemplateText};

/// A template and the path of its field.
pub(super) struct Placed {
    pub(super) path: String,
    pub(super) text: TemplateText,
}

/// Those of an ExternalSecret.
pub(super) fn of_external_secret(object: &ExternalSecret) -> Vec<Placed> {
    let spec = &object.spec;
    let mut placed = of_template("spec.target.template", spec.target.template.as_ref());
    for (at, entry) in spec.data_from.iter().enumerate() {
        for (step, rewrite) in entry.rewrite.iter().enumerate() {
            if let Some(RewriteRule::Transform(transform)) = rewrite.rule() {
                placed.push(renaming(format!("spec.dataFrom[{at}].rewrite[{step}]"), &transform.template));
            }
        }
    }
    placed
}

/// Those of a PushSecret.
pub(super) fn of_push_secret(object: &PushSecret) -> Vec<Placed> {
    let spec = &object.spec;
    let mut placed = of_template("spec.template", spec.template.as_ref());
    for (at, entry) in spec.data_to.iter().enumerate() {
        for (step, rewrite) in entry.rewrite.iter().enumerate() {
            if let Some(PushSecretRewriteRule::Transform(transform)) = rewrite.rule() {
                placed.push(renaming(format!("spec.dataTo[{at}].rewrite[{step}]"), &transform.template));
            }
        }
    }
    placed
}

fn of_template(path: &str, template: Option<&Template>) -> Vec<Placed> {
    let mut placed = Vec::new();
    let Some(template) = template else { return placed };
    for (at, from) in template.template_from.iter().enumerate() {
        for source in from.sources() {
            if let TemplateSource::Literal(text) = source {
                let path = format!("{path}.templateFrom[{at}].literal");
                placed.push(one(path, "literal", text, Scope::KeysAndValues));
            }
        }
    }
    let metadata = template.metadata.iter();
    let labels = metadata.clone().flat_map(|metadata| &metadata.labels).map(|pair| ("metadata.labels", pair));
    let annotations =
        metadata.flat_map(|metadata| &metadata.annotations).map(|pair| ("metadata.annotations", pair));
    let data = template.data.iter().map(|pair| ("data", pair));
    placed.extend(
        data.chain(labels)
            .chain(annotations)
            .map(|(map, (key, text))| one(format!("{path}.{map}[{key}]"), key, text, Scope::Values)),
    );
    placed
}

fn renaming(rewrite: String, text: &str) -> Placed {
    one(format!("{rewrite}.transform.template"), "transform", text, Scope::Values)
}

fn one(path: String, key: &str, text: &str, scope: Scope) -> Placed {
    Placed { path, text: TemplateText { key: key.to_owned(), text: text.to_owned(), scope } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(placed: &[Placed]) -> Vec<(&str, &str)> {
        placed.iter().map(|placed| (placed.path.as_str(), placed.text.text.as_str())).collect()
    }

    fn template() -> serde_json::Value {
        json!({
            "data": {"tls.crt": "a"},
            "metadata": {"labels": {"app": "b"}, "annotations": {"x/y": "c"}},
            "templateFrom": [
                {"configMap": {"name": "map", "items": [{"key": "k"}]}},
                {"target": "Labels", "literal": "d"},
            ],
        })
    }

    #[test]
    fn every_template_of_the_manifest_is_found() {
        let rewrite = json!([{"regexp": {"source": "a", "target": "b"}}, {"transform": {"template": "e"}}]);
        let spec = json!({"target": {"template": template()}, "dataFrom": [{"extract": {"key": "k"}, "rewrite": rewrite}]});
        let object: ExternalSecret = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        assert_eq!(
            paths(&of_external_secret(&object)),
            [
                ("spec.target.template.templateFrom[1].literal", "d"),
                ("spec.target.template.data[tls.crt]", "a"),
                ("spec.target.template.metadata.labels[app]", "b"),
                ("spec.target.template.metadata.annotations[x/y]", "c"),
                ("spec.dataFrom[0].rewrite[1].transform.template", "e"),
            ]
        );
        let spec = json!({
            "secretStoreRefs": [{"name": "s"}], "selector": {"secret": {"name": "s"}}, "template": {"data": {"k": "a"}},
            "dataTo": [{"storeRef": {"name": "s"}, "rewrite": [{"transform": {"template": "b"}}]}],
        });
        let object: PushSecret = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        assert_eq!(
            paths(&of_push_secret(&object)),
            [("spec.template.data[k]", "a"), ("spec.dataTo[0].rewrite[0].transform.template", "b")]
        );
    }
}
