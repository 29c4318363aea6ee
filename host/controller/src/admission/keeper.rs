//! Keeps what admission is served with: a certificate in the Secret `NAME-admission`, and the API server's trust in it, which is the
//! `caBundle` of the ValidatingWebhookConfiguration `NAME`.
//!
//! All replicas do this alike, leading or not. Whoever is first makes the Secret, under preconditions; the others take what they find.
//! The configuration is read before the Secret and patched as the version that was read: whoever has seen an older Secret has seen an
//! older configuration, too, and cannot put an older bundle back. Looks again now and then, so that an installation that was applied
//! anew is mended and a certificate is renewed long before it ends.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use pipeline::ObjectRef;
use rustls::ServerConfig;
use serde_json::json;
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::certificate::{CertificateError, Identity};
use crate::clock::Clock;
use crate::cluster::{Answer, ClusterError};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(30);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(10);
const FIELD_MANAGER: &str = "keymill-admission";
/// The webhook may also be called by address, by an API server on the same machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why there is nothing to serve with, or nobody who trusts it.
#[derive(Debug, Error)]
enum KeepError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// One replica's part in it.
pub struct AdmissionKeeper {
    client: Client,
    clock: Arc<dyn Clock>,
    name: String,
    served: watch::Sender<Option<Arc<ServerConfig>>>,
}

impl std::fmt::Debug for AdmissionKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdmissionKeeper").field("name", &self.name).finish_non_exhaustive()
    }
}

impl AdmissionKeeper {
    /// For the configuration of that name. The Secret is in the client's own namespace; the client may write whether this process leads
    /// or not.
    #[must_use]
    pub fn new(client: Client, clock: Arc<dyn Clock>, name: String) -> Self {
        Self { client, clock, name, served: watch::Sender::default() }
    }

    /// What to serve with, as it changes; nothing until there is a certificate.
    #[must_use]
    pub fn served(&self) -> watch::Receiver<Option<Arc<ServerConfig>>> {
        self.served.subscribe()
    }

    /// Keeps it until `shutdown`.
    pub async fn keep(self, shutdown: CancellationToken) {
        let mut current = None;
        loop {
            let wait = match self.look(&mut current).await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!("admission: {}; trying again", said(&error));
                    AGAIN
                }
            };
            if shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    async fn look(&self, current: &mut Option<Vec<u8>>) -> Result<(), KeepError> {
        // First, see above. A failure is one of trust, not of serving.
        let configuration = self.configuration().await;
        let identity = self.identity().await?;
        let trusted = match configuration {
            Ok(Some(configuration)) => self.trust(&configuration, &identity).await,
            // Nobody calls.
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // After the trust: whoever serves a new certificate is believed by then.
        if current.as_deref() != Some(identity.certificate()) {
            self.served.send_replace(Some(Arc::new(identity.server_config()?)));
            *current = Some(identity.certificate().to_vec());
        }
        Ok(trusted?)
    }

    async fn configuration(&self) -> Result<Option<ValidatingWebhookConfiguration>, ClusterError> {
        let all: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        let found = all.get_opt(&self.name).await;
        found.map_err(|error| ClusterError::Read { object: self.configuration_ref(), answer: error.into() })
    }

    /// The certificate that is kept, made or renewed where there is no good one.
    async fn identity(&self) -> Result<Identity, KeepError> {
        let names = self.names();
        let Some(own) = names.first() else { return Err(self.lost().into()) };
        // Lost to another replica, it is there.
        for _ in 0..3 {
            let found = self.secrets().get_opt(&self.secret_name()).await;
            let found = found
                .map_err(|error| ClusterError::Read { object: self.secret_ref(), answer: error.into() })?;
            let before = found.as_ref().and_then(Identity::of);
            let now = self.clock.now();
            match before {
                Some(kept) if kept.is_good(own, now) => return Ok(kept),
                before => {
                    let made = Identity::make(&names, now, before.as_ref())?;
                    if self.write(found, &made).await? {
                        tracing::info!(secret = %self.secret_ref(), "made a certificate for admission");
                        return Ok(made);
                    }
                }
            }
        }
        Err(self.lost().into())
    }

    /// Whether it was written; not when somebody else wrote it meanwhile.
    async fn write(&self, found: Option<Secret>, identity: &Identity) -> Result<bool, ClusterError> {
        let name = self.secret_name();
        let is_new = found.is_none();
        let fresh = || Secret {
            metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
            type_: Some("kubernetes.io/tls".to_owned()),
            ..Secret::default()
        };
        let secret = Secret { data: Some(identity.data()), ..found.unwrap_or_else(fresh) };
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let written = if is_new {
            self.secrets().create(&params, &secret).await
        } else {
            self.secrets().replace(&name, &params, &secret).await
        };
        match written {
            Ok(_) => Ok(true),
            // Made, changed or deleted by somebody else.
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 && !is_new => Ok(false),
            Err(error) => Err(ClusterError::Write { object: self.secret_ref(), answer: error.into() }),
        }
    }

    /// Gives the webhooks of the configuration the bundle, where they have another.
    async fn trust(
        &self,
        configuration: &ValidatingWebhookConfiguration,
        identity: &Identity,
    ) -> Result<(), ClusterError> {
        let bundle = identity.authorities();
        let webhooks = configuration.webhooks.iter().flatten();
        let other = webhooks
            .filter(|one| one.client_config.ca_bundle.as_ref().map(|own| own.0.as_slice()) != Some(bundle));
        let text = data_encoding::BASE64.encode(bundle);
        let patched: Vec<_> =
            other.map(|one| json!({"name": one.name, "clientConfig": {"caBundle": text}})).collect();
        if patched.is_empty() {
            return Ok(());
        }
        let patch = json!({
            "metadata": {"resourceVersion": configuration.metadata.resource_version}, "webhooks": patched,
        });
        let all: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let written = all.patch(&self.name, &params, &Patch::Strategic(patch)).await;
        written.map_err(|error| ClusterError::Write {
            object: self.configuration_ref(),
            answer: error.into(),
        })?;
        tracing::info!(object = %self.configuration_ref(), "the API server is told whom to trust");
        Ok(())
    }

    fn secrets(&self) -> Api<Secret> {
        Api::default_namespaced(self.client.clone())
    }

    fn secret_name(&self) -> String {
        format!("{}-admission", self.name)
    }

    fn secret_ref(&self) -> ObjectRef {
        ObjectRef::namespaced("Secret", self.client.default_namespace(), &self.secret_name())
    }

    fn configuration_ref(&self) -> ObjectRef {
        ObjectRef::cluster("ValidatingWebhookConfiguration", &self.name)
    }

    /// The Service's, by which the API server calls, is the first.
    fn names(&self) -> Vec<String> {
        let service = format!("{}.{}.svc", self.secret_name(), self.client.default_namespace());
        std::iter::once(service).chain(LOOPBACK.map(str::to_owned)).collect()
    }

    fn lost(&self) -> ClusterError {
        ClusterError::Read { object: self.secret_ref(), answer: Answer::Garbled }
    }
}

fn said(error: &KeepError) -> String {
    match error {
        KeepError::Cluster(error) => pipeline::message(error),
        KeepError::Certificate(error) => {
            let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("failed to {error}: {source}")
        }
    }
}
