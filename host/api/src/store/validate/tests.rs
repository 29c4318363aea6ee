use crate::{ClusterSecretStore, Problem, SecretStore};

fn read<K: serde::de::DeserializeOwned>(spec: &str) -> K {
    let text = format!("{{metadata: {{name: s, namespace: own}}, spec: {spec}}}");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn compare(spec: &str, found: &[Problem], expected: &[&str]) {
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{spec}");
}

/// Checks a provider in a SecretStore in the namespace `own`.
fn check(provider: &str, expected: &[&str]) {
    let spec = format!("{{provider: {provider}}}");
    compare(&spec, &read::<SecretStore>(&spec).validate(), expected);
}

/// Checks a provider in a ClusterSecretStore.
fn check_cluster(provider: &str, expected: &[&str]) {
    let spec = format!("{{provider: {provider}}}");
    compare(&spec, &read::<ClusterSecretStore>(&spec).validate(), expected);
}

fn check_vault_auth(auth: &str, expected: &[&str]) {
    check(&format!("{{vault: {{server: 'https://v', auth: {auth}}}}}"), expected);
}

fn check_kubernetes(provider: &str, expected: &[&str]) {
    check(&format!("{{kubernetes: {provider}}}"), expected);
}

#[test]
fn one_provider_that_keymill_has() {
    let one = "name exactly one of vault, fake, kubernetes";
    check("{fake: {data: []}}", &[]);
    check("{}", &[&format!("spec.provider: names none: {one}")]);
    check("{fake: {data: []}, aws: {}}", &[&format!("spec.provider: names fake, aws: {one}")]);
    check(
        "{aws: {service: SecretsManager, region: eu-central-1}}",
        &["spec.provider.aws: is not a provider that keymill has: use one of vault, fake, kubernetes"],
    );
}

#[test]
fn conditions_compile() {
    let spec =
        "{provider: {fake: {data: []}}, conditions: [{namespaces: [a]}, {namespaceRegexes: ['a.*', '*']}]}";
    compare(
        spec,
        &read::<ClusterSecretStore>(spec).validate(),
        &[
            "spec.conditions[1].namespaceRegexes[1]: is not a regular expression: repetition operator missing expression",
        ],
    );
}

#[test]
fn a_secret_store_reaches_its_own_namespace() {
    let other = "is `other`, but a SecretStore in `own` reaches only its own";
    check_vault_auth("{tokenSecretRef: {name: t, key: k}}", &[]);
    check_vault_auth("{tokenSecretRef: {name: t, key: k, namespace: own}}", &[]);
    check_vault_auth(
        "{tokenSecretRef: {name: t, key: k, namespace: other}}",
        &[&format!("spec.provider.vault.auth.tokenSecretRef.namespace: {other}")],
    );
    check_vault_auth(
        "{kubernetes: {role: r, serviceAccountRef: {name: a, namespace: other}}}",
        &[&format!("spec.provider.vault.auth.kubernetes.serviceAccountRef.namespace: {other}")],
    );
    check(
        "{vault: {server: 'https://v', caProvider: {type: Secret, name: c, namespace: other}}}",
        &[&format!("spec.provider.vault.caProvider.namespace: {other}")],
    );
}

#[test]
fn a_cluster_store_says_where_its_certificate_is() {
    let provider =
        |ca: &str| format!("{{vault: {{server: 'https://v', caProvider: {{type: Secret, name: c{ca}}}}}}}");
    check_cluster(
        &provider(""),
        &["spec.provider.vault.caProvider.namespace: is missing: a ClusterSecretStore has none of its own"],
    );
    check_cluster(&provider(", namespace: other"), &[]);
    check_cluster("{vault: {server: 'https://v', auth: {tokenSecretRef: {name: t, key: k}}}}", &[]);
    check_cluster(
        "{vault: {server: 'https://v', auth: {tokenSecretRef: {name: t, key: k, namespace: any}}}}",
        &[],
    );
}

#[test]
fn vault_can_be_logged_in_to() {
    let auth = "spec.provider.vault.auth";
    check("{vault: {server: v}}", &["spec.provider.vault.server: must begin with http:// or https://"]);
    check_vault_auth(
        "{tokenSecretRef: {}}",
        &[
            &format!("{auth}.tokenSecretRef.name: is missing"),
            &format!("{auth}.tokenSecretRef.key: is missing"),
        ],
    );
    check_vault_auth(
        "{appRole: {secretRef: {name: s, key: k}}}",
        &[&format!("{auth}.appRole: needs roleId or roleRef")],
    );
    check_vault_auth("{appRole: {roleId: r, secretRef: {name: s, key: k}}}", &[]);
    check_vault_auth("{kubernetes: {role: r, secretRef: {name: s}}}", &[]);
    check_vault_auth(
        "{ldap: {username: u, secretRef: {name: s}}}",
        &[&format!("{auth}.ldap.secretRef.key: is missing")],
    );
    check_vault_auth(
        "{userPass: {username: u, secretRef: {name: s}}}",
        &[&format!("{auth}.userPass.secretRef.key: is missing")],
    );
    check_vault_auth(
        "{jwt: {}}",
        &[&format!("{auth}.jwt: needs secretRef or kubernetesServiceAccountToken")],
    );
    check_vault_auth("{jwt: {secretRef: {name: s, key: k}}}", &[]);
    check_vault_auth(
        "{cert: {clientCert: {name: c}}}",
        &[&format!("{auth}.cert.clientCert.key: is missing")],
    );
    check_vault_auth(
        "{iam: {vaultRole: r, secretRef: {accessKeyIDSecretRef: {name: s}}}}",
        &[&format!("{auth}.iam.secretRef.accessKeyIDSecretRef.key: is missing")],
    );
    check_vault_auth(
        "{gcp: {role: r, workloadIdentity: {serviceAccountRef: {name: a, namespace: b}}}}",
        &[&format!(
            "{auth}.gcp.workloadIdentity.serviceAccountRef.namespace: is `b`, but a SecretStore in `own` reaches only \
             its own"
        )],
    );
    check(
        "{vault: {server: 'https://v', tls: {certSecretRef: {name: c}}}}",
        &["spec.provider.vault.tls: needs both certSecretRef and keySecretRef"],
    );
}

#[test]
fn a_cluster_can_be_logged_in_to() {
    let provider = "spec.provider.kubernetes";
    check_kubernetes("{auth: {serviceAccount: {name: a}}}", &[]);
    check_kubernetes("{authRef: {name: a, key: k}}", &[]);
    check_kubernetes("{}", &[&format!("{provider}: needs auth or authRef")]);
    check_kubernetes(
        "{auth: {}}",
        &[&format!("{provider}.auth: needs exactly one of cert, token and serviceAccount")],
    );
    check_kubernetes(
        "{auth: {token: {bearerToken: {name: t}}}}",
        &[&format!("{provider}.auth.token.bearerToken.key: is missing")],
    );
    check_kubernetes(
        "{auth: {cert: {clientCert: {name: c, key: k}, clientKey: {key: k}}}}",
        &[&format!("{provider}.auth.cert.clientKey.name: is missing")],
    );
}
