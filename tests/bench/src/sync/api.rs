//! Requests to the API server on connections that stay open, so that a question costs little beside what it asks about.

use std::path::Path;

use anyhow::{Context as _, Result};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::WatchEvent;
use kube::{Client, Config, Error};
use serde_json::{Value as Json, json};

/// Requests at once, where there are many to make.
const PARALLEL: usize = 8;
/// By which an audit log tells these requests from the controller's, which come from the same user.
pub const USER_AGENT: &str = "keymill-bench";

/// The API server, as the administrator.
#[derive(Clone)]
pub struct Api(Client);

impl Api {
    /// # Errors
    /// When the kubeconfig is none.
    pub async fn connect(kubeconfig: &Path) -> Result<Self> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).context("read the kubeconfig")?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Self(Client::try_from(config)?))
    }

    /// Creates objects one after the other, each with the path of its kind.
    ///
    /// # Errors
    /// The API server's.
    pub async fn create(&self, objects: &[(String, Json)]) -> Result<()> {
        for (path, object) in objects {
            self.send("POST", path, "application/json", object).await?;
        }
        Ok(())
    }

    /// Creates objects of one kind, several at a time.
    ///
    /// # Errors
    /// The API server's.
    pub async fn create_many(&self, path: &str, objects: impl Iterator<Item = Json>) -> Result<()> {
        self.many(objects, async |object| {
            self.send("POST", path, "application/json", &object).await.map(drop)
        })
        .await
    }

    /// # Errors
    /// The API server's.
    pub async fn merge(&self, path: &str, patch: &Json) -> Result<()> {
        self.send("PATCH", path, "application/merge-patch+json", patch).await.map(drop)
    }

    /// The same patch to objects of one kind, several at a time.
    ///
    /// # Errors
    /// The API server's.
    pub async fn merge_many(&self, paths: Vec<String>, patch: &Json) -> Result<()> {
        self.many(paths.into_iter(), async |path| self.merge(&path, patch).await).await
    }

    /// Nothing where there is no such object.
    ///
    /// # Errors
    /// The API server's.
    pub async fn find(&self, path: &str) -> Result<Option<Json>> {
        match self.send("GET", path, "application/json", &Json::Null).await {
            Ok(found) => Ok(Some(found)),
            Err(error) => match error.downcast_ref::<Error>() {
                Some(Error::Api(status)) if status.code == 404 => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// All objects of a kind.
    ///
    /// # Errors
    /// The API server's.
    pub async fn list(&self, path: &str) -> Result<Vec<Json>> {
        let mut list = self.find(path).await?.with_context(|| format!("{path} is not served"))?;
        match list.get_mut("items").map(Json::take) {
            Some(Json::Array(items)) => Ok(items),
            _ => anyhow::bail!("{path} is not a list"),
        }
    }

    /// What happens to the objects of a kind, from all that are there on: each as it is by then. Ends when the API server ends it.
    ///
    /// # Errors
    /// The API server's.
    pub async fn watch(&self, path: &str) -> Result<impl Stream<Item = Result<Json>> + use<>> {
        // Without a resourceVersion a watch begins with what is there.
        let request = Request::get(format!("{path}?watch=true")).header("user-agent", USER_AGENT);
        let events = self.0.request_events::<Json>(request.body(Vec::new())?).await?;
        Ok(events.map(|event| match event? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => {
                Ok(object)
            }
            WatchEvent::Bookmark(_) => Ok(Json::Null),
            WatchEvent::Error(status) => anyhow::bail!("the watch was refused: {}", status.message),
        }))
    }

    /// Deletes all objects of a kind, whoever has a finalizer on them.
    ///
    /// # Errors
    /// The API server's.
    pub async fn delete_all(&self, path: &str) -> Result<()> {
        let paths = self
            .list(path)
            .await?
            .iter()
            .filter_map(|item| Some(format!("{path}/{}", name(item)?)))
            .collect();
        self.merge_many(paths, &json!({"metadata": {"finalizers": null}})).await?;
        self.send("DELETE", path, "application/json", &Json::Null).await.map(drop)
    }

    async fn many<T>(
        &self,
        items: impl Iterator<Item = T>,
        work: impl AsyncFn(T) -> Result<()>,
    ) -> Result<()> {
        stream::iter(items).map(|item| work(item)).buffer_unordered(PARALLEL).try_collect().await
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: &Json) -> Result<Json> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        let request = Request::builder().method(method).uri(path);
        let request =
            request.header("content-type", content_type).header("user-agent", USER_AGENT).body(body)?;
        self.0.request(request).await.with_context(|| format!("{method} {path}"))
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// An object's name.
pub(crate) fn name(object: &Json) -> Option<&str> {
    object.pointer("/metadata/name").and_then(Json::as_str)
}
