//! What is wrong with a PushSecret that its schema does not show.
//!
//! ESO has no webhook for this kind; these are the rules that would fail each push, found before the first one. A server
//! that evaluates the schema's CEL rules has refused some of them already; for a manifest in a file nobody has.

use super::{
    PushSecret, PushSecretDataTo, PushSecretRewrite, PushSecretRewriteRule, PushSecretSelector,
    PushSecretSpec, PushSecretStoreRef,
};
use crate::problem::{Problem, Problems};

impl PushSecret {
    /// All problems that the schema does not show.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::new();
        problems.field("spec", |problems| self.spec.check(problems));
        problems.into_found()
    }
}

impl PushSecretSpec {
    fn check(&self, problems: &mut Problems) {
        problems.each("secretStoreRefs", &self.secret_store_refs, |problems, store| store.check(problems));
        problems.field("selector", |problems| self.selector.check(problems));
        problems.each("dataTo", &self.data_to, |problems, entry| entry.check(problems));
        if let Some(template) = &self.template {
            problems.field("template", |problems| template.check(true, problems));
        }
    }
}

impl PushSecretStoreRef {
    fn check(&self, problems: &mut Problems) {
        if self.name.is_none() && self.label_selector.is_none() {
            problems.report("needs name or labelSelector");
        }
    }
}

impl PushSecretSelector {
    fn check(&self, problems: &mut Problems) {
        match (&self.secret, &self.generator_ref) {
            (Some(secret), None) => {
                if secret.name.is_none() && secret.selector.is_none() {
                    problems.report_field("secret", "needs name or selector");
                }
            }
            (None, Some(generator)) => problems.field("generatorRef", |problems| generator.check(problems)),
            (None, None) | (Some(_), Some(_)) => {
                problems.report("needs exactly one of secret and generatorRef")
            }
        }
    }
}

impl PushSecretDataTo {
    fn check(&self, problems: &mut Problems) {
        match &self.store_ref {
            Some(store) => problems.field("storeRef", |problems| store.check(problems)),
            None => problems.report_field("storeRef", "is missing"),
        }
        if self.remote_key.is_some() && !self.rewrite.is_empty() {
            problems.report("has remoteKey and rewrite, which exclude each other");
        }
        if let Some(regexp) = self.match_.as_ref().and_then(|keys| keys.regexp.as_deref()) {
            problems.check_regex("match.regexp", regexp);
        }
        problems.each("rewrite", &self.rewrite, |problems, rewrite| rewrite.check(problems));
    }
}

impl PushSecretRewrite {
    fn check(&self, problems: &mut Problems) {
        match self.rule() {
            Some(PushSecretRewriteRule::Regexp(regexp)) => {
                problems.check_regex("regexp.source", &regexp.source)
            }
            Some(PushSecretRewriteRule::Transform(_)) => {}
            None => problems.report("needs exactly one of regexp and transform"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::PushSecret;
    use crate::push_secret::PushSource;

    fn read(spec: &str) -> PushSecret {
        let text = format!("{{metadata: {{name: example}}, spec: {spec}}}");
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
    }

    fn check(spec: &str, expected: &[&str]) {
        let found: Vec<String> = read(spec).validate().iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{spec}");
    }

    fn check_entry(data_to: &str, expected: &[&str]) {
        check(
            &format!("{{secretStoreRefs: [], selector: {{secret: {{name: s}}}}, dataTo: [{data_to}]}}"),
            expected,
        );
    }

    #[test]
    fn references_name_something() {
        check("{secretStoreRefs: [{name: s}], selector: {secret: {name: s}}}", &[]);
        check("{secretStoreRefs: [{labelSelector: {}}], selector: {secret: {selector: {}}}}", &[]);
        check(
            "{secretStoreRefs: [{name: s}, {}], selector: {secret: {}}}",
            &[
                "spec.secretStoreRefs[1]: needs name or labelSelector",
                "spec.selector.secret: needs name or selector",
            ],
        );
        check(
            "{secretStoreRefs: [], selector: {}}",
            &["spec.selector: needs exactly one of secret and generatorRef"],
        );
        check(
            "{secretStoreRefs: [], selector: {generatorRef: {apiVersion: keymill.dev/v1alpha1, kind: UUID, name: u}}}",
            &["spec.selector.generatorRef.apiVersion: `keymill.dev/v1alpha1` has no kind UUID: use \
               generators.external-secrets.io/v1alpha1"],
        );
    }

    #[test]
    fn entries_can_be_carried_out() {
        check_entry("{storeRef: {name: s}, remoteKey: k}", &[]);
        check_entry("{storeRef: {name: s}, rewrite: [{regexp: {source: a, target: b}}]}", &[]);
        check_entry("{}", &["spec.dataTo[0].storeRef: is missing"]);
        check_entry("{storeRef: {}}", &["spec.dataTo[0].storeRef: needs name or labelSelector"]);
        check_entry(
            "{storeRef: {name: s}, remoteKey: k, match: {regexp: '('}, rewrite: [{}, {regexp: {source: ')', target: b}}]}",
            &[
                "spec.dataTo[0]: has remoteKey and rewrite, which exclude each other",
                "spec.dataTo[0].match.regexp: is not a regular expression: unclosed group",
                "spec.dataTo[0].rewrite[0]: needs exactly one of regexp and transform",
                "spec.dataTo[0].rewrite[1].regexp.source: is not a regular expression: unopened group",
            ],
        );
    }

    #[test]
    fn a_template_is_for_a_secret() {
        check(
            "{secretStoreRefs: [], selector: {secret: {name: s}}, template: {templateFrom: [{target: spec, literal: x}]}}",
            &[
                "spec.template.templateFrom[0].target: `spec` is no part of a Secret: use Data, Annotations or Labels",
            ],
        );
    }

    #[test]
    fn a_name_wins_over_labels() {
        let object = read("{secretStoreRefs: [], selector: {secret: {name: s, selector: {}}}}");
        assert_eq!(object.spec.selector.source(), Some(PushSource::Secret("s")));
    }
}
