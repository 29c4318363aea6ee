//! The wasm host: load, compile, grant, limit, call. It runs components of the contract in `wit/` and knows nothing of Kubernetes; what a
//! grant stands for is filled in by whoever calls.
//!
//! It guarantees that a component can call only what `wit/` offers and a grant allows, that every call ends within its [`Limits`], on a
//! fresh instance, with an answer that was checked or a closed [`Reason`], and that no error, log line or `Debug` of this crate holds a
//! value. It is synchronous: call it from a thread that may block, with at least 2 MiB of stack. It does not fetch, sign, schedule or
//! retry. It compiles in this process, unless it is told of a compiler in another ([`ChildCompiler`]).
//!
//! ```no_run
//! use keymill_runtime::{Call, Engine, EngineConfig, GenerateRequest, LoadLimits, Occasion, Owner};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(EngineConfig::default())?;
//! let password = engine.load_file("password.wasm".as_ref(), &LoadLimits::default())?.generator()?;
//! let owner = Owner { namespace: "team-a".to_owned(), name: "db".to_owned() };
//! let call = Call::new(owner, Occasion::Initial, 1_700_000_000);
//! let config = serde_json::json!({"length": 42});
//! let generated = password.generate(&call, GenerateRequest::new(&config))?;
//! assert_eq!(generated.fields.len(), 1);
//! # Ok(())
//! # }
//! ```

mod bindings;
mod cache;
mod call;
mod catalog;
mod child;
mod component;
mod config;
mod derive;
mod describe;
mod description;
mod digest;
mod draw;
mod engine;
mod entropy;
mod error;
mod fill;
mod generator;
mod grants;
mod hostcalls;
mod inspect;
mod key_syntax;
mod limits;
mod linked;
mod load;
mod policy;
mod random;
mod reason;
mod run;
mod schema;
mod state;
mod streams;
mod template;
mod ticker;
mod trial;
mod wasm_options;
mod work;
mod world;

pub use bindings::render::Scope;
pub use bindings::types::{Capability, Occasion, Sensitivity};
pub use call::{Call, LogLevel, LogSink, Meter, Owner, StreamKey, Used};
pub use catalog::{BuiltIn, Catalog};
pub use child::{ChildCompiler, ChildError};
pub use component::Component;
pub use description::{Description, FieldDoc, RuleDoc, Want};
pub use digest::{Digest, DigestSyntax};
pub use engine::{Engine, EngineConfig};
pub use entropy::Entropy;
pub use error::{
    BadOutput, CacheError, CallError, DescriptionFault, EngineError, LoadError, Problem, RandomError,
    RecipeFault, RenderError, TemplateFault,
};
pub use fill::GeneratedField;
pub use generator::{GenerateRequest, Generated, GeneratorComponent};
pub use grants::{
    Entry, Grant, Grants, KubeCapability, Lease, Refusal, SecretBytes, VaultCapability, VaultReply,
};
pub use limits::{Limits, LoadLimits};
pub use policy::{Candidate, PolicyComponent, Violation};
pub use random::{RandomSource, SystemRandom};
pub use reason::Reason;
pub use template::{Rendered, Renderings, TemplateComponent, TemplateText};
pub use wasm_options::WASM_STACK_BYTES;
pub use world::World;
