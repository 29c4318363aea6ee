//! What can go wrong with a component: loading it, calling it, and what it answers. Messages are fragments that read after "failed
//! to"; they hold names that a component *declared* and positions, never what it computed and never a value.

use crate::description::RuleDoc;
use crate::reason::Reason;
use crate::world::World;

/// Why a component was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("read the component's file")]
    Read(#[source] std::io::Error),
    /// Larger than [`crate::LoadLimits::component_bytes`].
    #[error("load the component: it is {bytes} bytes and the limit is {limit}")]
    TooLarge {
        /// Its size; for a file or bytes alike.
        bytes: u64,
        /// The limit.
        limit: usize,
    },
    /// Not a WebAssembly component, or a malformed one.
    #[error("read the component: {0}")]
    Malformed(String),
    /// Imports something that this host does not offer.
    #[error("accept the component: it imports {}, and only keymill:guest@0.1 may be imported", .0.join(", "))]
    Imports(Vec<String>),
    /// Exports no world of ours, or more than one.
    #[error(
        "tell the component's world: it exports {found:?}, and exactly one of keymill:guest/generate, render and judge is wanted"
    )]
    NoWorld {
        /// What it exports.
        found: Vec<String>,
    },
    /// More core instances, memories or tables than one call may have.
    #[error(
        "accept the component: it has {count} core instances, memories or tables and the limit is {limit}"
    )]
    TooManyParts {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The compiler or the linker refused it: a signature that differs from the contract, for one.
    #[error("compile the component: {0}")]
    Compile(String),
    /// Its `describe` failed.
    #[error("ask the component to describe itself")]
    Describe(#[source] CallError),
    /// Its description breaks the contract.
    #[error("accept the component's description: {0}")]
    Description(DescriptionFault),
}

/// What is wrong with a description. Descriptions are made before a component has seen anything, so their names can be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionFault {
    /// A text is empty, too long, or holds control characters.
    #[error("{what} is empty, longer than {limit} bytes, or holds control characters")]
    Text {
        /// Which text.
        what: String,
        /// Its limit in bytes.
        limit: usize,
    },
    /// A list is too long.
    #[error("{count} {what} are declared and the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A name is not of the syntax that its kind wants.
    #[error("{what} `{name}` is not a valid name")]
    Name {
        /// Which kind of name.
        what: &'static str,
        /// The name, escaped.
        name: String,
    },
    /// A name stands twice.
    #[error("{what} `{name}` is declared twice")]
    Duplicate {
        /// Which kind of name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The config schema is not a JSON Schema.
    #[error("the config schema is not a JSON Schema of draft 2020-12: {0}")]
    Schema(String),
}

/// One thing wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON Pointer into the config; empty for the whole.
    pub path: String,
    /// The component's rule that is broken; `None` where the schema is.
    pub rule: Option<String>,
    /// What a user reads. It never quotes the config's values.
    pub message: String,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The host ended it, or the guest did.
    #[error("finish the component's {export}: stopped, {reason}")]
    Stopped {
        /// The function that was called.
        export: &'static str,
        /// Why; never `BadOutput`.
        reason: Reason,
    },
    /// It answered, and the answer breaks the contract.
    #[error("accept what the component's {export} answered: {fault}")]
    BadOutput {
        /// The function that was called.
        export: &'static str,
        /// In which way.
        fault: BadOutput,
    },
    /// The component has another world.
    #[error("use a {found} as a {wanted}")]
    WrongWorld {
        /// What was asked for.
        wanted: World,
        /// What it is.
        found: World,
    },
    /// The config does not obey the component's schema or rules.
    #[error("accept the config: {}", first_problem(.0))]
    InvalidConfig(Vec<Problem>),
    /// The component refused, naming a rule of its own.
    #[error("generate: {}", .0.about)]
    Refused(RuleDoc),
    /// The component says that what it needs cannot be reached now.
    #[error("generate: what the component needs cannot be reached now")]
    Unavailable,
    /// The host has no random bytes. Never answered with a fallback.
    #[error("read random bytes from the operating system")]
    Random(#[source] RandomError),
    /// The engine could not make an instance for a reason that is the host's: out of memory, a broken cache of code.
    #[error("prepare an instance: {0}")]
    Host(String),
}

impl CallError {
    /// The stable reason, where the guest is at fault; `None` for its own refusals, a wrong config, and the host's troubles.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Stopped { reason, .. } => Some(*reason),
            Self::BadOutput { .. } => Some(Reason::BadOutput),
            Self::WrongWorld { .. }
            | Self::InvalidConfig(_)
            | Self::Refused(_)
            | Self::Unavailable
            | Self::Random(_)
            | Self::Host(_) => None,
        }
    }
}

/// Why an engine cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refused its configuration, for one because the machine lacks what it needs.
    #[error("configure wasmtime: {0}")]
    Configure(String),
    /// The contract's interfaces could not be linked.
    #[error("link the contract: {0}")]
    Link(String),
    /// The ticker's thread could not be started.
    #[error("start the ticker's thread")]
    Ticker(#[source] std::io::Error),
    /// The folder of compiled code, or its key, cannot be used.
    #[error("open the compilation cache at {}", .path.display())]
    Cache {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: CacheError,
    },
}

/// Why the compilation cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file system refused.
    #[error("use the folder and its key")]
    Io(#[from] std::io::Error),
    /// Somebody else may write there, so what is in it could be anybody's code.
    #[error("trust it: it must belong to nobody else (folder 0700, key 0600)")]
    Permissions,
    /// The key could not be made.
    #[error("make its key")]
    Random(#[from] RandomError),
}

/// The source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source gave no bytes")]
pub struct RandomError;

/// In which way an answer breaks the contract. Positions only: what stands there may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOutput {
    /// More than may cross, or bytes that encode nothing: invalid UTF-8, a pointer outside its memory, an unknown variant.
    #[error("it is larger than {limit} bytes, or cannot be decoded")]
    Unreadable {
        /// The limit in bytes.
        limit: usize,
    },
    /// A list is too long.
    #[error("{count} {what} and the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A number is out of its range.
    #[error("{what} {index}: {detail}")]
    Invalid {
        /// What kind of item.
        what: &'static str,
        /// Its index.
        index: usize,
        /// What is wrong, in the host's words.
        detail: &'static str,
    },
    /// A draw or a derivation that cannot be carried out.
    #[error("value {index}: {fault}")]
    Value {
        /// The value's index.
        index: usize,
        /// What is wrong.
        fault: RecipeFault,
    },
    /// A name that `describe` did not declare.
    #[error("{what} {index} names a rule that was not declared")]
    UndeclaredRule {
        /// What kind of item.
        what: &'static str,
        /// Its index.
        index: usize,
    },
    /// The refusal names a rule that `describe` did not declare.
    #[error("the refusal names a rule that was not declared")]
    UndeclaredRefusal,
    /// A key that was not given to it.
    #[error("{what} {index} names a key that was not given")]
    UnknownKey {
        /// What kind of item.
        what: &'static str,
        /// Its index.
        index: usize,
    },
    /// The same key twice.
    #[error("{what} {index} repeats the key of {what} {first}")]
    DuplicateKey {
        /// What kind of item.
        what: &'static str,
        /// The later index.
        index: usize,
        /// The earlier index.
        first: usize,
    },
}

/// Why a recipe cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeFault {
    /// A reference to a value that does not stand before it.
    #[error("refers to value {to}, which does not stand before it")]
    Forward {
        /// The reference.
        to: u32,
    },
    /// A part's alphabet or word list is empty although something is to be drawn from it.
    #[error("draws from an empty alphabet or list")]
    Empty,
    /// Nothing obeys the constraints.
    #[error("no value obeys its constraints: {0}")]
    Impossible(&'static str),
    /// The constraints need a larger table than is allowed.
    #[error("its constraints are too complex to count: simplify or shorten them")]
    TooComplex,
    /// A size is out of range.
    #[error("{0}")]
    Size(&'static str),
    /// A transformation that does not apply to its input.
    #[error("{via} cannot be made of its input: {detail}")]
    Transform {
        /// The transformation.
        via: &'static str,
        /// Why not.
        detail: &'static str,
    },
    /// More keys than one call may make.
    #[error("makes more keys than the limit of one call")]
    Keys,
}

/// Why a rendering has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template is wrong, or does not fit its data.
    #[error("render: {0}")]
    Fault(TemplateFault),
    /// The engine failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Where and why a template fails, never on what value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The index of the template.
    pub index: usize,
    /// The template's key, as given.
    pub key: String,
    /// Counted from 1; 0 if the whole template is meant.
    pub line: u32,
    /// In characters, counted from 1; 0 if the whole line is meant.
    pub column: u32,
    /// The engine's rule.
    pub rule: String,
    /// The rule's text.
    pub about: String,
    /// The function or field of the template that is meant; it stands in the template's text.
    pub name: Option<String>,
}

impl std::fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "template `{}`", self.key.escape_debug())?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ", column {}", self.column)?;
        }
        if let Some(name) = &self.name {
            write!(f, ", `{}`", name.escape_debug())?;
        }
        write!(f, ": {}", self.about)
    }
}

fn first_problem(problems: &[Problem]) -> String {
    let Some(first) = problems.first() else {
        return "it is invalid".to_owned();
    };
    let place = if first.path.is_empty() { "the whole" } else { &first.path };
    match problems.len() {
        1 => format!("{place}: {}", first.message),
        n => format!("{place}: {} (and {} more)", first.message, n - 1),
    }
}
