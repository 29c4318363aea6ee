//! What is wrong with a store that its schema does not show.
//!
//! Exactly one provider, expressions that compile, and references that can be followed: in a SecretStore all lead into
//! its own namespace; in a ClusterSecretStore the CA certificate has a namespace of its own, and credentials without one
//! are looked for in the namespace of whoever uses the store. Whether the server answers is not checked here.

use super::{
    ClusterSecretStore, KubernetesAuth, KubernetesProvider, ProviderKind, SecretStore, SecretStoreSpec,
    StoreCondition, VaultAuth, VaultProvider,
};
use crate::problem::{Problem, Problems};
use crate::{CaProvider, SecretKeySelector, ServiceAccountSelector, StoreKind};

impl SecretStore {
    /// All problems that the schema does not show.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        validate(
            &self.spec,
            Scope { kind: StoreKind::SecretStore, namespace: self.metadata.namespace.as_deref() },
        )
    }
}

impl ClusterSecretStore {
    /// All problems that the schema does not show.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        validate(&self.spec, Scope { kind: StoreKind::ClusterSecretStore, namespace: None })
    }
}

/// Where a store is; decides which namespaces its references may name.
#[derive(Clone, Copy)]
struct Scope<'a> {
    kind: StoreKind,
    /// The namespace of a SecretStore; `None` when a file does not say.
    namespace: Option<&'a str>,
}

fn validate(spec: &SecretStoreSpec, scope: Scope<'_>) -> Vec<Problem> {
    let mut problems = Problems::new();
    problems.field("spec", |problems| {
        problems.field("provider", |problems| spec.check_provider(scope, problems));
        problems.each("conditions", &spec.conditions, |problems, condition| condition.check(problems));
    });
    problems.into_found()
}

impl SecretStoreSpec {
    fn check_provider(&self, scope: Scope<'_>, problems: &mut Problems) {
        let Some(provider) = self.provider.kind() else {
            let named: Vec<_> = self.provider.all().map(|provider| provider.key().to_owned()).collect();
            let found = if named.is_empty() {
                "names none".to_owned()
            } else {
                format!("names {}", named.join(", "))
            };
            problems.report(format!("{found}: name exactly one of {}", ProviderKind::SUPPORTED));
            return;
        };
        problems.field(provider.key(), |problems| match provider {
            ProviderKind::Vault(vault) => vault.check(scope, problems),
            ProviderKind::Kubernetes(kubernetes) => kubernetes.check(scope, problems),
            ProviderKind::Fake(_) => {}
            ProviderKind::Unsupported(_) => {
                problems.report(format!(
                    "is not a provider that keymill has: use one of {}",
                    ProviderKind::SUPPORTED
                ));
            }
        });
    }
}

impl StoreCondition {
    fn check(&self, problems: &mut Problems) {
        for (index, regex) in self.namespace_regexes.iter().enumerate() {
            problems.check_regex(&format!("namespaceRegexes[{index}]"), regex);
        }
    }
}

impl VaultProvider {
    fn check(&self, scope: Scope<'_>, problems: &mut Problems) {
        if !["http://", "https://"].iter().any(|scheme| self.server.starts_with(scheme)) {
            problems.report_field("server", "must begin with http:// or https://");
        }
        if let Some(auth) = &self.auth {
            problems.field("auth", |problems| auth.check(scope, problems));
        }
        check_ca(self.ca_provider.as_ref(), scope, problems);
        if let Some(tls) = &self.tls {
            problems.field("tls", |problems| {
                check_secret(problems, "certSecretRef", tls.cert_secret_ref.as_ref(), scope, Key::HasDefault);
                check_secret(problems, "keySecretRef", tls.key_secret_ref.as_ref(), scope, Key::HasDefault);
                if tls.cert_secret_ref.is_some() != tls.key_secret_ref.is_some() {
                    problems.report("needs both certSecretRef and keySecretRef");
                }
            });
        }
    }
}

impl VaultAuth {
    fn check(&self, scope: Scope<'_>, problems: &mut Problems) {
        check_secret(problems, "tokenSecretRef", self.token_secret_ref.as_ref(), scope, Key::Needed);
        if let Some(app_role) = &self.app_role {
            problems.field("appRole", |problems| {
                if app_role.role_id.is_none() && app_role.role_ref.is_none() {
                    problems.report("needs roleId or roleRef");
                }
                check_secret(problems, "roleRef", app_role.role_ref.as_ref(), scope, Key::Needed);
                check_secret(problems, "secretRef", Some(&app_role.secret_ref), scope, Key::Needed);
            });
        }
        if let Some(kubernetes) = &self.kubernetes {
            problems.field("kubernetes", |problems| {
                check_account(problems, "serviceAccountRef", kubernetes.service_account_ref.as_ref(), scope);
                check_secret(problems, "secretRef", kubernetes.secret_ref.as_ref(), scope, Key::HasDefault);
            });
        }
        let password = self.ldap.as_ref().and_then(|ldap| ldap.secret_ref.as_ref());
        check_secret(problems, "ldap.secretRef", password, scope, Key::Needed);
        let password = self.user_pass.as_ref().and_then(|user_pass| user_pass.secret_ref.as_ref());
        check_secret(problems, "userPass.secretRef", password, scope, Key::Needed);
        self.check_tokens_and_certificates(scope, problems);
        self.check_clouds(scope, problems);
    }

    fn check_tokens_and_certificates(&self, scope: Scope<'_>, problems: &mut Problems) {
        if let Some(jwt) = &self.jwt {
            problems.field("jwt", |problems| {
                let made =
                    jwt.kubernetes_service_account_token.as_ref().map(|token| &token.service_account_ref);
                if jwt.secret_ref.is_none() && made.is_none() {
                    problems.report("needs secretRef or kubernetesServiceAccountToken");
                }
                check_secret(problems, "secretRef", jwt.secret_ref.as_ref(), scope, Key::Needed);
                check_account(problems, "kubernetesServiceAccountToken.serviceAccountRef", made, scope);
            });
        }
        if let Some(cert) = &self.cert {
            problems.field("cert", |problems| {
                check_secret(problems, "clientCert", cert.client_cert.as_ref(), scope, Key::Needed);
                check_secret(problems, "secretRef", cert.secret_ref.as_ref(), scope, Key::Needed);
            });
        }
    }

    fn check_clouds(&self, scope: Scope<'_>, problems: &mut Problems) {
        if let Some(iam) = &self.iam {
            problems.field("iam", |problems| {
                if let Some(keys) = &iam.secret_ref {
                    problems.field("secretRef", |problems| {
                        let id = keys.access_key_id_secret_ref.as_ref();
                        check_secret(problems, "accessKeyIDSecretRef", id, scope, Key::Needed);
                        let key = keys.secret_access_key_secret_ref.as_ref();
                        check_secret(problems, "secretAccessKeySecretRef", key, scope, Key::Needed);
                        let session = keys.session_token_secret_ref.as_ref();
                        check_secret(problems, "sessionTokenSecretRef", session, scope, Key::Needed);
                    });
                }
                let account = iam.jwt.as_ref().and_then(|jwt| jwt.service_account_ref.as_ref());
                check_account(problems, "jwt.serviceAccountRef", account, scope);
            });
        }
        if let Some(gcp) = &self.gcp {
            problems.field("gcp", |problems| {
                let key =
                    gcp.secret_ref.as_ref().and_then(|secret| secret.secret_access_key_secret_ref.as_ref());
                check_secret(problems, "secretRef.secretAccessKeySecretRef", key, scope, Key::Needed);
                let identity = gcp.workload_identity.as_ref().map(|identity| &identity.service_account_ref);
                check_account(problems, "workloadIdentity.serviceAccountRef", identity, scope);
                check_account(problems, "serviceAccountRef", gcp.service_account_ref.as_ref(), scope);
            });
        }
    }
}

impl KubernetesProvider {
    fn check(&self, scope: Scope<'_>, problems: &mut Problems) {
        if let Some(server) = &self.server {
            problems.field("server", |problems| check_ca(server.ca_provider.as_ref(), scope, problems));
        }
        if self.auth.is_none() && self.auth_ref.is_none() {
            problems.report("needs auth or authRef");
        }
        if let Some(auth) = &self.auth {
            problems.field("auth", |problems| auth.check(scope, problems));
        }
        check_secret(problems, "authRef", self.auth_ref.as_ref(), scope, Key::Needed);
    }
}

impl KubernetesAuth {
    fn check(&self, scope: Scope<'_>, problems: &mut Problems) {
        let given = [self.cert.is_some(), self.token.is_some(), self.service_account.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            problems.report("needs exactly one of cert, token and serviceAccount");
        }
        if let Some(cert) = &self.cert {
            check_secret(problems, "cert.clientCert", Some(&cert.client_cert), scope, Key::Needed);
            check_secret(problems, "cert.clientKey", Some(&cert.client_key), scope, Key::Needed);
        }
        let token = self.token.as_ref().map(|token| &token.bearer_token);
        check_secret(problems, "token.bearerToken", token, scope, Key::Needed);
        check_account(problems, "serviceAccount", self.service_account.as_ref(), scope);
    }
}

/// Whether a reference must name a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Needed,
    HasDefault,
}

fn check_secret(
    problems: &mut Problems,
    field: &str,
    secret: Option<&SecretKeySelector>,
    scope: Scope<'_>,
    key: Key,
) {
    let Some(secret) = secret else { return };
    problems.field(field, |problems| {
        if secret.name.is_none() {
            problems.report_field("name", "is missing");
        }
        if secret.key.is_none() && key == Key::Needed {
            problems.report_field("key", "is missing");
        }
        check_own_namespace(secret.namespace.as_deref(), scope, problems);
    });
}

fn check_account(
    problems: &mut Problems,
    field: &str,
    account: Option<&ServiceAccountSelector>,
    scope: Scope<'_>,
) {
    if let Some(account) = account {
        problems.field(field, |problems| check_own_namespace(account.namespace.as_deref(), scope, problems));
    }
}

/// A certificate belongs to the store itself, so a store without a namespace must say where it is.
fn check_ca(ca: Option<&CaProvider>, scope: Scope<'_>, problems: &mut Problems) {
    let Some(ca) = ca else { return };
    problems.field("caProvider", |problems| {
        if scope.kind == StoreKind::ClusterSecretStore && ca.namespace.is_none() {
            problems.report_field("namespace", "is missing: a ClusterSecretStore has none of its own");
        }
        check_own_namespace(ca.namespace.as_deref(), scope, problems);
    });
}

/// What a SecretStore refers to is in its own namespace.
fn check_own_namespace(named: Option<&str>, scope: Scope<'_>, problems: &mut Problems) {
    if let (StoreKind::SecretStore, Some(named), Some(own)) = (scope.kind, named, scope.namespace)
        && named != own
    {
        problems.report_field(
            "namespace",
            format!("is `{named}`, but a SecretStore in `{own}` reaches only its own"),
        );
    }
}

#[cfg(test)]
mod tests;
