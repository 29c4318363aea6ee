use crate::ExternalSecret;

/// Checks the problems of a spec in YAML, one `path: message` fragment each.
fn check(spec: &str, expected: &[&str]) {
    let indented = spec.trim_end().replace('\n', "\n  ");
    let text = format!("metadata: {{name: example}}\nspec:\n  {indented}");
    let object: ExternalSecret =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let found: Vec<String> = object.validate().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{spec}\n{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{spec}\nfound:    {found}\nexpected: {expected}");
    }
}

const STORE: &str = "secretStoreRef: {name: s}";
const ENTRY: &str = "data: [{secretKey: a, remoteRef: {key: a}}]";

fn check_target(target: &str, expected: &[&str]) {
    check(&format!("{STORE}\n{ENTRY}\ntarget: {target}"), expected);
}

fn check_data_from(entry: &str, expected: &[&str]) {
    check(&format!("{STORE}\ndataFrom: [{entry}]"), expected);
}

#[test]
fn something_is_gathered() {
    check("target: {}", &["spec: needs data or dataFrom"]);
    check(&format!("{STORE}\n{ENTRY}"), &[]);
}

#[test]
fn policies_fit_each_other() {
    for policy in ["Merge", "CreateOrMerge", "None"] {
        check_target(
            &format!("{{creationPolicy: {policy}, deletionPolicy: Delete}}"),
            &[&format!("spec.target.deletionPolicy: Delete does not go with creationPolicy {policy}")],
        );
    }
    check_target(
        "{creationPolicy: None, deletionPolicy: Merge}",
        &["spec.target.deletionPolicy: Merge does not go with creationPolicy None"],
    );
    check_target("{creationPolicy: Owner, deletionPolicy: Delete}", &[]);
    check_target("{creationPolicy: Orphan, deletionPolicy: Delete}", &[]);
    check_target("{creationPolicy: Merge, deletionPolicy: Merge}", &[]);
    check_target("{creationPolicy: None}", &[]);
}

#[test]
fn an_entry_has_one_source() {
    let one = "needs exactly one of extract, find and sourceRef.generatorRef";
    let generator = "sourceRef: {generatorRef: {kind: Password, name: p}}";
    check_data_from("{}", &[&format!("spec.dataFrom[0]: {one}")]);
    check_data_from("{extract: {key: a}, find: {}}", &[&format!("spec.dataFrom[0]: {one}")]);
    check_data_from(&format!("{{extract: {{key: a}}, {generator}}}"), &[&format!("spec.dataFrom[0]: {one}")]);
    check_data_from(&format!("{{find: {{}}, {generator}}}"), &[&format!("spec.dataFrom[0]: {one}")]);
    check_data_from("{sourceRef: {storeRef: {name: s}}}", &[&format!("spec.dataFrom[0]: {one}")]);
    check_data_from("{extract: {key: a}}", &[]);
    check_data_from("{find: {}, sourceRef: {storeRef: {name: s}}}", &[]);
    check_data_from(&format!("{{{generator}}}"), &[]);
}

#[test]
fn a_source_names_something() {
    check_data_from(
        "{extract: {key: a}, sourceRef: {}}",
        &["spec.dataFrom[0].sourceRef: needs exactly one of storeRef and generatorRef"],
    );
    check_data_from(
        "{extract: {key: a}, sourceRef: {storeRef: {kind: SecretStore}}}",
        &["spec.dataFrom[0].sourceRef.storeRef.name: is missing"],
    );
    check(
        "data: [{secretKey: a, remoteRef: {key: a}, sourceRef: {generatorRef: {kind: UUID, name: u}}}]",
        &["spec.data[0].sourceRef.generatorRef: names a generator"],
    );
}

#[test]
fn a_store_is_named_somewhere() {
    check(ENTRY, &["spec.data[0]: has no store"]);
    check("dataFrom: [{extract: {key: a}}]", &["spec.dataFrom[0]: has no store"]);
    check("dataFrom: [{sourceRef: {generatorRef: {kind: UUID, name: u}}}]", &[]);
    check("data: [{secretKey: a, remoteRef: {key: a}, sourceRef: {storeRef: {name: s}}}]", &[]);
}

#[test]
fn a_generator_is_in_its_group() {
    let check = |api_version: &str, kind: &str, expected: &[&str]| {
        let reference = format!("{{apiVersion: {api_version}, kind: {kind}, name: g}}");
        check_data_from(&format!("{{sourceRef: {{generatorRef: {reference}}}}}"), expected);
    };
    let path = "spec.dataFrom[0].sourceRef.generatorRef.apiVersion: ";
    check("generators.external-secrets.io/v1alpha1", "Password", &[]);
    check("keymill.dev/v1alpha1", "Generator", &[]);
    check(
        "keymill.dev/v1alpha1",
        "Password",
        &[&format!("{path}`keymill.dev/v1alpha1` has no kind Password")],
    );
    check("v1", "Password", &[&format!("{path}`v1` has no kind Password")]);
    check(
        "generators.external-secrets.io/v1alpha1",
        "Generator",
        &[&format!(
            "{path}`generators.external-secrets.io/v1alpha1` has no kind Generator: use keymill.dev/v1alpha1"
        )],
    );
}

#[test]
fn expressions_compile_and_all_problems_are_reported() {
    check_data_from(
        "{find: {name: {regexp: 'a(b'}}}",
        &["spec.dataFrom[0].find.name.regexp: is not a regular expression: unclosed group"],
    );
    check(
        &format!(
            "{STORE}\ndataFrom: [{{extract: {{key: a}}}}, {{extract: {{key: b}}}}, {{extract: {{key: c}}, rewrite: \
             [{{regexp: {{source: '[', target: x}}}}, {{}}, {{regexp: {{source: a, target: b}}, transform: {{template: \
             t}}}}, {{merge: {{}}}}]}}]"
        ),
        &[
            "spec.dataFrom[2].rewrite[0].regexp.source: is not a regular expression: unclosed character class",
            "spec.dataFrom[2].rewrite[1]: needs exactly one of regexp, transform and merge",
            "spec.dataFrom[2].rewrite[2]: needs exactly one of regexp, transform and merge",
        ],
    );
}

#[test]
fn keys_are_unique_under_retain() {
    let twice = "data: [{secretKey: a, remoteRef: {key: a}}, {secretKey: a, remoteRef: {key: b}}]";
    check(&format!("{STORE}\n{twice}"), &["spec.data[1].secretKey: `a` is the key of an earlier entry, too"]);
    check(&format!("{STORE}\n{twice}\ntarget: {{deletionPolicy: Merge}}"), &[]);
}

#[test]
fn a_template_makes_no_credential_of_the_cluster() {
    let token = "kubernetes.io/service-account-token";
    check_target("{template: {type: bootstrap.kubernetes.io/token}}", &["spec.target.template.type: "]);
    check_target(
        &format!(
            "{{template: {{type: {token}, metadata: {{annotations: {{kubernetes.io/service-account.name: x}}}}}}}}"
        ),
        &["spec.target.template.type: "],
    );
    for target in ["Annotations", "annotations"] {
        check_target(
            &format!("{{template: {{type: {token}, templateFrom: [{{target: {target}, literal: x}}]}}}}"),
            &["spec.target.template.type: "],
        );
    }
    check_target(&format!("{{template: {{type: {token}}}}}"), &[]);
    check_target("{template: {metadata: {annotations: {kubernetes.io/service-account.name: x}}}}", &[]);
}

#[test]
fn a_template_makes_parts_that_a_secret_has() {
    let spec = "template: {templateFrom: [{target: spec.data, literal: x}]}";
    check_target(
        &format!("{{{spec}}}"),
        &["spec.target.template.templateFrom[0].target: `spec.data` is no part of a Secret"],
    );
    check_target(&format!("{{manifest: {{apiVersion: v1, kind: ConfigMap}}, {spec}}}"), &[]);
    check_target("{template: {templateFrom: [{}]}}", &["spec.target.template.templateFrom[0]: needs one of"]);
    for target in ["Data", "data", "Labels", "ANNOTATIONS"] {
        check_target(&format!("{{template: {{templateFrom: [{{target: {target}, literal: x}}]}}}}"), &[]);
    }
}
