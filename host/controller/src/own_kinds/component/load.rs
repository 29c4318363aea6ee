//! From bytes at a source to a component that may serve.
//!
//! Unpacked within a bound, compared with the digest that was asked for, compiled, described, and tried: with what nobody should write,
//! and with every config that is in use. Nothing here changes what serves.

use std::io::Read as _;

use api::component::SourceKind;
use flate2::read::MultiGzDecoder;
use pipeline::{Blame, Failure, ObjectRef, Reason, Retry};
use runtime::{CallError, ChildError, Component, Digest, LoadError, LoadLimits, Problem, World};
use serde_json::Value as Json;
use thiserror::Error;

use crate::cluster::ClusterError;
use crate::wiring::{Engines, list_problems};

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How WebAssembly begins.
const WASM: [u8; 4] = *b"\0asm";

/// What is to be loaded, beside the bytes.
pub(super) struct Loading {
    pub(super) engines: Engines,
    /// What holds the bytes.
    pub(super) kind: SourceKind,
    /// The digest that the bytes must have.
    pub(super) pinned: Option<String>,
    /// What serves now.
    pub(super) serving: Option<Digest>,
    /// Whose configs it is tried with.
    pub(super) users: Vec<User>,
}

/// An object that uses the component.
pub(super) struct User {
    pub(super) object: ObjectRef,
    pub(super) world: World,
    /// It may hold a secret.
    pub(super) config: Json,
}

/// What became of it.
pub(super) enum Loaded {
    /// It is what serves.
    Same,
    /// It may serve.
    New(Component),
}

/// Why what is at the source does not serve.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    #[error("find the component's source: none is named, or several")]
    NoSource,
    #[error("read the component from {object}: it does not exist")]
    NoObject { object: ObjectRef },
    #[error("read the component from {object}: it has no key {key}{}", under(*.kind))]
    NoKey { object: ObjectRef, key: String, kind: SourceKind },
    #[error(transparent)]
    Cluster(Box<ClusterError>),
    #[error("read the component: what is under the key of the Secret is no WebAssembly")]
    NotWasm,
    #[error("unpack the component: it is not gzip")]
    Unpack(#[source] std::io::Error),
    #[error("unpack the component: it is larger than {limit} bytes")]
    Large { limit: usize },
    #[error("accept the component {digest}: spec.digest asks for {pinned}")]
    Digest { digest: Digest, pinned: String },
    #[error("accept the component {digest}")]
    Load { digest: Digest, source: Box<LoadError> },
    #[error("accept the component {digest}")]
    Compile { digest: Digest, source: Box<ChildError> },
    #[error("try the component {digest} with odd configs")]
    Trial { digest: Digest, source: Box<CallError> },
    #[error("try the component {digest} with the config of {user}")]
    User { digest: Digest, user: Box<ObjectRef>, source: Box<CallError> },
    #[error("try the component {digest} with the config of {user}: {}", list_problems(.problems))]
    Config { digest: Digest, user: Box<ObjectRef>, problems: Vec<Problem> },
    #[error("accept the component {digest}: it is a {found}, and {user} uses a {wanted}")]
    World { digest: Digest, user: Box<ObjectRef>, found: World, wanted: World },
    #[error("load the component: the attempt was given up")]
    Lost,
}

const fn under(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::ConfigMap => " in binaryData",
        SourceKind::Secret => "",
    }
}

impl Loading {
    /// Loads the bytes, where that may take its time.
    pub(super) async fn load(self, bytes: Vec<u8>) -> Result<Loaded, ServeError> {
        let loading = tokio::task::spawn_blocking(move || self.load_now(bytes));
        loading.await.unwrap_or(Err(ServeError::Lost))
    }

    fn load_now(&self, bytes: Vec<u8>) -> Result<Loaded, ServeError> {
        let limits = LoadLimits::large();
        let bytes = unpack(bytes, limits.component_bytes)?;
        // Whoever names another key of a Secret by mistake must not find its value's first bytes, or its digest, in a status.
        if self.kind == SourceKind::Secret && !bytes.starts_with(&WASM) {
            return Err(ServeError::NotWasm);
        }
        let digest = Digest::of(&bytes);
        if let Some(pinned) = self.pinned.as_ref().filter(|pinned| **pinned != digest.to_string()) {
            return Err(ServeError::Digest { digest, pinned: pinned.clone() });
        }
        if self.serving == Some(digest) {
            return Ok(Loaded::Same);
        }
        self.engines
            .compile(&digest, &bytes)
            .map_err(|source| ServeError::Compile { digest, source: Box::new(source) })?;
        let component = self.engines.load(&bytes, &limits);
        let component = component.map_err(|source| ServeError::Load { digest, source: Box::new(source) })?;
        component.try_out().map_err(|source| ServeError::Trial { digest, source: Box::new(source) })?;
        self.users.iter().try_for_each(|user| try_with(&component, user))?;
        Ok(Loaded::New(component))
    }
}

fn try_with(component: &Component, user: &User) -> Result<(), ServeError> {
    let (digest, found) = (component.digest(), component.world());
    if found != user.world {
        return Err(ServeError::World {
            digest,
            user: Box::new(user.object.clone()),
            found,
            wanted: user.world,
        });
    }
    let problems = component.try_config(&user.config).map_err(|source| ServeError::User {
        digest,
        user: Box::new(user.object.clone()),
        source: Box::new(source),
    })?;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(ServeError::Config { digest, user: Box::new(user.object.clone()), problems }),
    }
}

/// What is packed is unpacked, up to a bound.
fn unpack(bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, ServeError> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(bytes.as_slice())
        .take(most)
        .read_to_end(&mut unpacked)
        .map_err(ServeError::Unpack)?;
    if unpacked.len() > limit { Err(ServeError::Large { limit }) } else { Ok(unpacked) }
}

impl ServeError {
    /// The digest of what does not serve, as far as there is anything.
    pub(super) fn digest(&self) -> Option<String> {
        match self {
            Self::NoSource
            | Self::NoObject { .. }
            | Self::NoKey { .. }
            | Self::Cluster(_)
            | Self::NotWasm
            | Self::Unpack(_)
            | Self::Large { .. }
            | Self::Lost => None,
            Self::Digest { digest, .. }
            | Self::Load { digest, .. }
            | Self::Compile { digest, .. }
            | Self::Trial { digest, .. }
            | Self::User { digest, .. }
            | Self::Config { digest, .. }
            | Self::World { digest, .. } => Some(digest.to_string()),
        }
    }
}

impl Failure for ServeError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoSource => Reason::InvalidSpec,
            Self::NoObject { .. } | Self::NoKey { .. } => Reason::ReferenceMissing,
            Self::Cluster(error) => error.reason(),
            Self::NotWasm
            | Self::Unpack(_)
            | Self::Large { .. }
            | Self::Digest { .. }
            | Self::Load { .. }
            | Self::Compile { .. }
            | Self::Trial { .. }
            | Self::User { .. }
            | Self::Config { .. }
            | Self::World { .. } => Reason::ComponentRefused,
            Self::Lost => Reason::Internal,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::NoSource
            | Self::NoObject { .. }
            | Self::NoKey { .. }
            | Self::NotWasm
            | Self::Digest { .. } => Blame::User,
            Self::Cluster(error) => error.blame(),
            Self::Lost => Blame::Host,
            Self::Unpack(_)
            | Self::Large { .. }
            | Self::Load { .. }
            | Self::Compile { .. }
            | Self::Trial { .. }
            | Self::User { .. }
            | Self::Config { .. }
            | Self::World { .. } => Blame::Guest,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoSource
            | Self::NoObject { .. }
            | Self::NoKey { .. }
            | Self::NotWasm
            | Self::Unpack(_)
            | Self::Large { .. }
            | Self::Digest { .. }
            | Self::Load { .. }
            | Self::Trial { .. } => Retry::WhenChanged,
            Self::Cluster(error) => error.retry(),
            // Another config, or a machine that has more time, may let it in.
            Self::Compile { .. }
            | Self::User { .. }
            | Self::Config { .. }
            | Self::World { .. }
            | Self::Lost => Retry::Backoff,
        }
    }

    fn about(&self) -> Option<ObjectRef> {
        match self {
            Self::NoObject { object } | Self::NoKey { object, .. } => Some(object.clone()),
            Self::Cluster(error) => error.about(),
            Self::User { user, .. } | Self::Config { user, .. } | Self::World { user, .. } => {
                Some(user.as_ref().clone())
            }
            Self::NoSource
            | Self::NotWasm
            | Self::Unpack(_)
            | Self::Large { .. }
            | Self::Digest { .. }
            | Self::Load { .. }
            | Self::Compile { .. }
            | Self::Trial { .. }
            | Self::Lost => None,
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoSource => "name exactly one",
            Self::NoObject { .. } | Self::NoKey { .. } | Self::NotWasm => "create it, or correct spec.source",
            Self::Cluster(error) => error.advice(),
            Self::Digest { .. } => "correct spec.digest, or what is at the source",
            Self::Unpack(_)
            | Self::Large { .. }
            | Self::Load { .. }
            | Self::Compile { .. }
            | Self::Trial { .. } => "`keymill component inspect` says more of it",
            Self::User { .. } | Self::Config { .. } | Self::World { .. } => {
                "what served before goes on; correct the component, or the config"
            }
            Self::Lost => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_up_to_a_bound() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&[7; 1000]).unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(unpack(packed.clone(), 1000).unwrap(), [7; 1000]);
        assert!(matches!(unpack(packed.clone(), 999), Err(ServeError::Large { limit: 999 })));
        assert!(matches!(unpack(packed[..20].to_vec(), 1000), Err(ServeError::Unpack(_))));
        assert_eq!(
            unpack(b"\0asm".to_vec(), 1).unwrap(),
            b"\0asm",
            "what is not packed is measured elsewhere"
        );
    }
}
