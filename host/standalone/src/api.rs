//! The Kubernetes API in process: open it on a database, and call it as a tower service, without a socket.
//!
//! Opening needs no async runtime and starts no task. What goes on by itself in a cluster (garbage collection, the
//! end of namespaces and definitions) runs in [`Api::collect_garbage`], which the owner spawns.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::accounts::{self, Claims};
use crate::clock::{self, Clock};
use crate::database::{Database, DatabaseError};
use crate::garbage;
use crate::identity::{Identity, IdentityError};
use crate::kinds::Kinds;
use crate::kubeconfig;
use crate::object;
use crate::objects::{Objects, Place};
use crate::resource::ResourceInfo;
use crate::rules;
use crate::service::ApiService;
use crate::status::Failure;

/// How many changes a watch can go back when nothing else is said.
pub const DEFAULT_HISTORY: usize = 4096;

/// What an [`Api`] is made of.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Where objects are kept.
    pub database: Database,
    /// What stamps them.
    pub clock: Arc<dyn Clock>,
    /// How many changes a watch can go back; before that it gets 410 Gone.
    pub history: usize,
}

/// Why the API could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("load the stored objects")]
    Load(#[source] DatabaseError),
    #[error("load the server's identity")]
    Identity(#[source] IdentityError),
    #[error("make the namespaces that are always there")]
    Namespaces(#[source] Failure),
}

/// The API server's core; clones share it.
#[derive(Clone)]
pub struct Api {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    pub(crate) objects: Arc<Objects>,
    pub(crate) kinds: Kinds,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) identity: Identity,
}

impl Api {
    /// Loads what is stored; a new database gets the namespaces `default` and `kube-system`.
    pub fn open(config: ApiConfig) -> Result<Self, ApiError> {
        let identity = Identity::of(&config.database).map_err(ApiError::Identity)?;
        let objects = Objects::open(config.database, config.history).map_err(ApiError::Load)?;
        make_namespaces(&objects, &*config.clock).map_err(ApiError::Namespaces)?;
        let inner =
            Inner { objects: Arc::new(objects), kinds: Kinds::default(), clock: config.clock, identity };
        inner.kinds.renew(|| inner.objects.now());
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The service as its administrator sees it: requests need no token. What `kube::Client::new` takes.
    pub fn service(&self) -> ApiService {
        ApiService::trusting(self.inner.clone())
    }

    /// The service as the network sees it: requests need a bearer token.
    pub fn guarded_service(&self) -> ApiService {
        ApiService::guarded(self.inner.clone())
    }

    /// Removes what has lost its owners, and ends namespaces and definitions that are being deleted; for ever, asleep
    /// while nothing changes. To be spawned once.
    pub async fn collect_garbage(self) {
        garbage::collect_always(self.inner).await;
    }

    /// A kubeconfig for kubectl and every other client, with the CA and the administrator's token; `server` as
    /// `https://127.0.0.1:6443`.
    pub fn kubeconfig(&self, server: &str) -> SecretString {
        kubeconfig::text(&self.inner.identity, server)
    }

    /// The administrator's bearer token; the same after a restart.
    pub fn token(&self) -> &SecretString {
        &self.inner.identity.token
    }

    /// The certificate of the server's CA, as PEM; the same after a restart.
    pub fn ca_certificate(&self) -> &str {
        &self.inner.identity.ca_certificate
    }

    /// What a ServiceAccount's token says, when it is valid for `audience`; an empty one means this API.
    pub fn verify_token(&self, token: &str, audience: &str) -> Option<Claims> {
        let audience = if audience.is_empty() { accounts::API_AUDIENCE } else { audience };
        accounts::verify(&self.inner, token, audience)
    }

    /// The version after the latest change.
    pub fn resource_version(&self) -> u64 {
        self.inner.objects.now().version
    }
}

fn make_namespaces(objects: &Objects, clock: &dyn Clock) -> Result<(), Failure> {
    let Some(info) = ResourceInfo::builtins().iter().find(|info| info.plural == "namespaces") else {
        return Ok(());
    };
    let now = clock::seconds(clock.now());
    objects.change(false, |draft| {
        for name in rules::KEPT_NAMESPACES {
            let place = Place { kind: "/namespaces".into(), namespace: String::new(), name: name.to_owned() };
            if draft.get(&place).is_none() {
                draft.put(&place, namespace(info, name, &now));
            }
        }
        Ok(())
    })
}

fn namespace(info: &ResourceInfo, name: &str, now: &str) -> Value {
    let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    rules::on_read(info, &mut namespace);
    rules::on_create(info, &mut namespace, now);
    object::set_metadata(&mut namespace, "uid", Some(uuid::Uuid::new_v4().to_string().into()));
    object::set_metadata(&mut namespace, "creationTimestamp", Some(now.into()));
    namespace
}
