//! The kubeconfig: one cluster, one user, one context.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use crate::identity::Identity;

/// As YAML. It holds the administrator's token, so it is a secret.
pub(crate) fn text(identity: &Identity, server: &str) -> SecretString {
    let ca = STANDARD.encode(&identity.ca_certificate);
    let token = identity.token.expose_secret();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: keymill\n\
         clusters:\n- name: keymill\n  cluster:\n    server: {server}\n    certificate-authority-data: {ca}\n\
         users:\n- name: keymill\n  user:\n    token: {token}\n\
         contexts:\n- name: keymill\n  context:\n    cluster: keymill\n    user: keymill\n    namespace: default\n"
    )
    .into()
}
