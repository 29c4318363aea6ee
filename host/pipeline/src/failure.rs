//! What every error of a sync must be able to say.
//!
//! Stores, the controller and this crate implement `Failure` for their error enums with exhaustive matches and no wildcard
//! arm, so that each new variant forces a decision. `report` turns it into condition, event, metric and next refresh.

use std::fmt;
use std::time::Duration;

/// Any failure, behind one pointer.
pub type BoxFailure = Box<dyn Failure>;

/// An error that decides: what to call it, whom to blame, when to try again, what it is about.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// The short cause on event and metric.
    fn reason(&self) -> Reason;
    /// Who has to act.
    fn blame(&self) -> Blame;
    /// When another attempt makes sense.
    fn retry(&self) -> Retry;
    /// The other object that it is about, when there is one.
    fn about(&self) -> Option<ObjectRef> {
        None
    }
    /// What the user can do, one lower-case sentence fragment; empty when the text says it already.
    fn advice(&self) -> &'static str {
        ""
    }
}

impl<F: Failure> From<F> for BoxFailure {
    fn from(failure: F) -> Self {
        Box::new(failure)
    }
}

/// So that a boxed failure can be the `#[source]` of another.
impl std::error::Error for BoxFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        (**self).source()
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The closed set of reasons, one word each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])* $name,)* }

        impl Reason {
            /// All of them, for metrics and documentation.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The CamelCase word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name),)* }
            }
        }
    };
}

reasons! {
    /// The object itself is wrong.
    InvalidSpec,
    /// A store that is named does not exist.
    StoreNotFound,
    /// The store is not valid or its provider is not supported.
    StoreNotReady,
    /// The store may not be used from this namespace.
    StoreNotAllowed,
    /// The store refuses the credential or the request.
    StoreDenied,
    /// The store does not answer, is sealed or overloaded.
    StoreUnavailable,
    /// The store answered what it must not answer.
    StoreInvalidReply,
    /// Somebody else changed the remote secret at the same time.
    StoreConflict,
    /// The remote secret is not managed by us.
    RemoteNotManaged,
    /// A Secret, ConfigMap or key that holds a credential, a certificate or a template is missing.
    ReferenceMissing,
    /// The remote secret or its property does not exist.
    RemoteMissing,
    /// A remote value could not be shaped: property, decoding, rewrite, conversion.
    InvalidValue,
    /// A generator that is named does not exist or its kind is not supported.
    GeneratorNotFound,
    /// A component that is named does not exist.
    ComponentNotFound,
    /// What is at a component's source does not serve: it is malformed, breaks the contract, or does not fit who uses it.
    ComponentRefused,
    /// The component refuses the config.
    InvalidConfig,
    /// The component refused or was stopped.
    ComponentFailed,
    /// A template does not parse.
    TemplateInvalid,
    /// A template could not be rendered.
    TemplateFailed,
    /// It is not known which policies there are.
    PoliciesUnknown,
    /// A policy does not accept the value.
    PolicyViolated,
    /// The target belongs to somebody else.
    TargetNotOwned,
    /// The target is immutable and would have to change.
    TargetImmutable,
    /// The target's type or name is not allowed.
    TargetRefused,
    /// The source Secret of a PushSecret does not exist.
    SourceMissing,
    /// The API server refuses: a right is missing.
    ClusterDenied,
    /// The API server does not answer or is overloaded.
    ClusterUnavailable,
    /// Somebody else wrote the object at the same time.
    ClusterConflict,
    /// A fault of keymill.
    Internal,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever wrote the manifest.
    User,
    /// Whoever wrote the component.
    Guest,
    /// Whoever runs the store.
    Store,
    /// Whoever runs the cluster.
    Cluster,
    /// We.
    Host,
}

impl Blame {
    /// The lower-case word, as in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Blame::User => "user",
            Blame::Guest => "guest",
            Blame::Store => "store",
            Blame::Cluster => "cluster",
            Blame::Host => "host",
        }
    }
}

/// When another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Soon, with exponential back-off and jitter.
    Backoff,
    /// Not before that long, because the other side said so.
    After(Duration),
    /// Only when the object or something that it refers to changes.
    WhenChanged,
}

/// An object by kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// For example `Secret`.
    pub kind: String,
    /// None for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// A namespaced object.
    #[must_use]
    pub fn namespaced(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    /// A cluster-scoped object.
    #[must_use]
    pub fn cluster(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: None, name: name.to_owned() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
