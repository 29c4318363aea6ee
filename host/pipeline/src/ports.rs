//! What the pipeline needs from outside, as traits.
//!
//! `stores` implements `SecretStore`; `controller` implements the others over the cluster and the runtime, the CLI over files.
//! Missing is a value (`Found`); doubt (denied, unreachable, sealed) is a failure and is never taken for missing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use regex::Regex;

use crate::failure::BoxFailure;
use crate::field::{Fields, Value};

/// The answer to a question for something that may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// It exists.
    Found(T),
    /// It is known not to exist.
    Missing,
}

impl<T> Found<T> {
    /// As an `Option`.
    pub fn ok(self) -> Option<T> {
        match self {
            Found::Found(value) => Some(value),
            Found::Missing => None,
        }
    }
}

/// Whose value it is. Names only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

// --- stores ---

/// What a store holds under one key, before `shape` has looked into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Bytes without a structure of the store's own; a property is looked up in them as JSON.
    Bytes(Value),
    /// The text of a JSON object (Vault).
    Json(Value),
    /// Separate entries (a Kubernetes Secret).
    Map(Fields),
}

/// How to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// A version in the store's own words; the latest when absent.
    pub version: Option<String>,
    /// The secret's metadata instead of its value (`metadataPolicy: Fetch`).
    pub metadata: bool,
}

/// Which secrets to list. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only below this path.
    pub path: Option<String>,
    /// Only names that match, in the store's own sense of a name.
    pub name: Option<Regex>,
    /// Only those that carry all these tags.
    pub tags: BTreeMap<String, String>,
}

/// One listed secret.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name, as it becomes a key.
    pub key: String,
    /// What it holds.
    pub document: Document,
}

/// Names and values that we keep beside a remote secret, in whatever the store offers for it (custom metadata, labels, tags).
pub type Marks = BTreeMap<String, String>;

/// The compare-and-set token of a remote secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The store has none: last writer wins.
    Unsupported,
    /// Nothing was ever there.
    Absent,
    /// What the store calls the current state: a version number, a resourceVersion.
    At(String),
}

/// What is at a remote key now, for whoever means to write there.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Missing also when the latest version was deleted; then `revision` still counts.
    pub document: Found<Document>,
    /// Whether it carries `managed-by: external-secrets`.
    pub managed: bool,
    /// All marks, ours and others'.
    pub marks: Marks,
    /// For the next write.
    pub revision: Revision,
}

/// One write of a whole remote secret.
#[derive(Debug)]
pub struct Write<'a> {
    /// The remote key.
    pub key: &'a str,
    /// Everything that is to be there afterwards. The store brings it into its own shape: `Map` and `Json` stand for the same
    /// object, and `Bytes` must be the text of a JSON object where the store holds objects only.
    pub document: &'a Document,
    /// Marks to set; the others stay. The store adds `managed-by: external-secrets` itself.
    pub marks: &'a Marks,
    /// What must still be true; otherwise the write fails with a conflict and changes nothing.
    pub expected: &'a Revision,
    /// The PushSecret's `metadata`, in the store's own terms.
    pub metadata: Option<&'a serde_json::Value>,
}

/// What a store can do, as in a SecretStore's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capabilities {
    /// `ReadOnly`
    ReadOnly,
    /// `WriteOnly`
    WriteOnly,
    /// `ReadWrite`
    ReadWrite,
}

/// What checking a store told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It answers and accepts the credential.
    Valid,
    /// It cannot be checked without a consumer (referent authentication).
    Unknown,
}

/// One secret store with its credential, ready to use.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Asks the store whether the credential works. Cheap; reads no secret.
    async fn validate(&self) -> Result<Validity, BoxFailure>;
    /// Reads one secret.
    async fn read(&self, key: &str, options: &ReadOptions) -> Result<Found<Document>, BoxFailure>;
    /// Reads all secrets that match, sorted by key.
    async fn list(&self, query: &ListQuery) -> Result<Vec<Listed>, BoxFailure>;
    /// Reads what a writer needs to know.
    async fn inspect(&self, key: &str) -> Result<Remote, BoxFailure>;
    /// Writes one secret if `expected` still holds; the new revision.
    async fn write(&self, write: Write<'_>) -> Result<Revision, BoxFailure>;
    /// Removes one secret with its metadata if `expected` still holds. Removing what is not there succeeds.
    async fn delete(&self, key: &str, expected: &Revision) -> Result<(), BoxFailure>;
}

/// An open store and which one it is.
#[derive(Clone)]
pub struct StoreHandle {
    /// `SecretStore` or `ClusterSecretStore`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The store.
    pub store: Arc<dyn SecretStore>,
}

impl std::fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreHandle({}/{})", self.kind, self.name)
    }
}

/// Opens stores for a consumer.
#[async_trait]
pub trait Stores: Send + Sync {
    /// Opens the store `kind`/`name` for a consumer in `namespace`; checks that the store allows that namespace.
    async fn open(&self, namespace: &str, kind: &str, name: &str) -> Result<StoreHandle, BoxFailure>;
}

// --- generators ---

/// Why a value is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// The first value.
    Initial,
    /// The slot is due.
    Scheduled,
    /// Somebody asked for it.
    Forced,
    /// The generator's own config changed and the object asks to rotate then.
    ConfigChanged,
    /// The value said when it would be worthless.
    Expired,
    /// Neither the record nor the target has the value any more.
    ValueLost,
}

impl Occasion {
    /// The kebab-case word, as in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Occasion::Initial => "initial",
            Occasion::Scheduled => "scheduled",
            Occasion::Forced => "forced",
            Occasion::ConfigChanged => "config-changed",
            Occasion::Expired => "expired",
            Occasion::ValueLost => "value-lost",
        }
    }
}

/// How unpredictable a value is, in bits of min-entropy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entropy {
    /// The bits.
    pub bits: f64,
    /// Whether they are exact, or a lower bound.
    pub exact: bool,
}

/// One generated field.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedField {
    /// The bytes.
    pub value: Value,
    /// What the host vouches for; none when a guest computed the value.
    pub entropy: Option<Entropy>,
}

/// What a generator made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Generated {
    /// By key.
    pub fields: BTreeMap<String, GeneratedField>,
    /// Kept with the value, as secret as the value.
    pub state: Option<Value>,
    /// Worthless after that long.
    pub expires_in: Option<Duration>,
}

/// One call of a generator.
#[derive(Debug)]
pub struct Generate<'a> {
    /// Why now.
    pub occasion: Occasion,
    /// For whom.
    pub owner: &'a Owner,
    /// The time of this rotation.
    pub now: Timestamp,
    /// The last value and state, which the generator gets when it was granted them.
    pub previous: Option<&'a Generated>,
}

/// A generator with its config, ready to use.
#[async_trait]
pub trait Generator: Send + Sync {
    /// Makes new values.
    async fn generate(&self, request: Generate<'_>) -> Result<Generated, BoxFailure>;
}

/// A generator and which one it is.
#[derive(Clone)]
pub struct GeneratorHandle {
    /// Kind and name, for example `Password/db`: the identity that a rotation record keeps. Another identity is another value.
    pub identity: String,
    /// Digest of the config. A change is honoured at the next slot, or at once if the object asks for it.
    pub config_digest: String,
    /// The generator.
    pub generator: Arc<dyn Generator>,
}

impl std::fmt::Debug for GeneratorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GeneratorHandle({})", self.identity)
    }
}

/// Finds generators for a consumer.
#[async_trait]
pub trait Generators: Send + Sync {
    /// The generator `api_version`/`kind`/`name` as seen from `namespace`.
    async fn open(
        &self,
        namespace: &str,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<GeneratorHandle, BoxFailure>;
}

// --- templates ---

/// Whether a template gives one value or a YAML map of keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The key is literal, the text gives its value.
    Values,
    /// The text gives YAML: keys and values.
    KeysAndValues,
}

/// One template to render.
#[derive(Debug, Clone)]
pub struct TemplateText {
    /// Its key under `Values`; under `KeysAndValues` a name for messages.
    pub key: String,
    /// The template's text. May come from a Secret.
    pub text: Value,
    /// What it gives.
    pub scope: Scope,
}

/// One key that a template gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The bytes.
    pub value: Value,
}

/// What one template gave, in its own order.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The template's index in the request.
    pub index: usize,
    /// Its keys.
    pub entries: Vec<Entry>,
}

/// What all templates of one request gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Renderings {
    /// One for each template.
    pub rendered: Vec<Rendered>,
    /// Whether something was drawn from a stream: then it belongs to a rotation.
    pub drew: bool,
}

/// One crossing of the border for all templates of an object.
#[derive(Debug)]
pub struct Render<'a> {
    /// The engine by name; the default one when absent.
    pub engine: Option<&'a str>,
    /// The templates, in order.
    pub templates: &'a [TemplateText],
    /// The data they see.
    pub data: &'a Fields,
    /// For whom.
    pub owner: &'a Owner,
    /// The object's UID and rotation id: what keys the streams of drawing functions.
    pub stream: &'a str,
    /// The time of this rotation.
    pub now: Timestamp,
}

/// Renders templates.
#[async_trait]
pub trait TemplateEngine: Send + Sync {
    /// Renders all templates, or fails as a whole.
    async fn render(&self, request: Render<'_>) -> Result<Renderings, BoxFailure>;
}

// --- policies ---

/// One field to judge.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its key.
    pub key: String,
    /// The bytes.
    pub value: Value,
    /// What the host vouches for.
    pub entropy: Option<Entropy>,
}

/// What a policy does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The policy's name.
    pub policy: String,
    /// The rule.
    pub rule: String,
    /// What the rule says.
    pub about: String,
    /// The field.
    pub key: String,
}

/// Judges fields.
#[async_trait]
pub trait Policy: Send + Sync {
    /// What it does not accept, sorted.
    async fn evaluate(&self, candidates: &[Candidate], owner: &Owner) -> Result<Vec<Violation>, BoxFailure>;
}

/// An object whose values are to be published.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// `ExternalSecret` or `PushSecret`.
    pub kind: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// A policy that judges an object, and what follows.
#[derive(Clone)]
pub struct Judge {
    /// The policy.
    pub policy: Arc<dyn Policy>,
    /// Whether what it does not accept is not published. Else it only is reported.
    pub enforces: bool,
}

/// Finds the policies that judge an object.
#[async_trait]
pub trait Policies: Send + Sync {
    /// All of them.
    async fn judging(&self, subject: &Subject<'_>) -> Result<Vec<Judge>, BoxFailure>;
}

// --- the cluster, as far as stores and templates may see it ---

/// Reads Secrets and ConfigMaps that an object refers to.
#[async_trait]
pub trait ReadSecret: Send + Sync {
    /// All data of a Secret.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure>;
    /// All data of a ConfigMap.
    async fn config_map(&self, namespace: &str, name: &str) -> Result<Found<Fields>, BoxFailure>;
}

/// Stands between the look at a remote secret and the write over it.
#[async_trait]
pub trait PushGuard: Send + Sync {
    /// Whether the source is still what was read. With the revision that is written under, that keeps an older value from landing on a
    /// newer one: whoever wrote the newer one had seen a newer source.
    async fn may_write(&self) -> Result<bool, BoxFailure>;
}

/// A token of a ServiceAccount.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service_account: String,
    /// For whom the token is; the API server's default when empty.
    pub audiences: Vec<String>,
    /// How long it lives.
    pub lifetime: Duration,
}

/// Mints ServiceAccount tokens.
#[async_trait]
pub trait MintToken: Send + Sync {
    /// A new token.
    async fn mint(&self, request: &TokenRequest) -> Result<Value, BoxFailure>;
}
