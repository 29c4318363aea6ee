//! One call: for whom, why, when, with which grants and limits. Plain data that the host's user fills in; nothing is read from the
//! environment, so the same call of the same component answers the same bytes wherever it runs (drawn values aside).

use std::fmt;
use std::sync::Arc;

use zeroize::ZeroizeOnDrop;

use crate::grants::Grants;
use crate::limits::Limits;

pub(crate) use crate::bindings::types::Occasion;

/// Whose value it is. Names only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// The secret that keys the random streams of a template: the caller derives it from the operator's secret, the object and its
/// rotation, so that rendering again gives the same bytes.
#[derive(Clone, ZeroizeOnDrop)]
pub struct StreamKey([u8; 32]);

impl StreamKey {
    /// A key of 32 secret bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey([REDACTED])")
    }
}

/// Where a guest's diagnostics go. Called only for calls that neither drew nor were given a secret; the text is bounded and its control
/// characters are escaped.
pub trait LogSink: Send + Sync {
    /// One line.
    fn line(&self, level: LogLevel, message: &str);
}

/// Is told what a call used, when it is over, however it ended.
pub trait Meter: Send + Sync {
    /// It used that much.
    fn used(&self, used: &Used);
}

/// What one call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Fuel: wasm instructions, roughly.
    pub fuel: u64,
    /// Bytes of linear memory, all memories together. They only grow, so this is the most that there was.
    pub memory: usize,
}

/// How loud a guest's line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For the curious.
    Info,
    /// For the user.
    Warn,
}

/// One call of a component. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    /// Whose value it is.
    pub owner: Owner,
    /// Why the host asks now.
    pub occasion: Occasion,
    /// The time of this rotation, in seconds since 1970; constant within the call.
    pub now: u64,
    /// What the component was given; nothing by default.
    pub grants: Grants,
    /// The call's limits; `None` means [`Limits::of`] the component's world.
    pub limits: Option<Limits>,
    /// Keys the random streams of `render`; a template that asks for randomness without it is stopped as host-denied.
    pub stream_key: Option<StreamKey>,
    /// The config holds no secret: an author's own test config. Only then may a call that was given a config write to the log.
    pub config_is_public: bool,
    /// Where diagnostics go; `None` drops them.
    pub log: Option<Arc<dyn LogSink>>,
    /// Who is told what the call used; `None` is nobody.
    pub meter: Option<Arc<dyn Meter>>,
}

impl Call {
    /// A call without grants, with the world's limits, no stream key, no log and no meter.
    #[must_use]
    pub fn new(owner: Owner, occasion: Occasion, now: u64) -> Self {
        Self {
            owner,
            occasion,
            now,
            grants: Grants::none(),
            limits: None,
            stream_key: None,
            config_is_public: false,
            log: None,
            meter: None,
        }
    }

    /// The same call with these grants.
    #[must_use]
    pub fn with_grants(self, grants: Grants) -> Self {
        Self { grants, ..self }
    }

    /// The same call with these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        let limits = Some(limits);
        Self { limits, ..self }
    }

    /// The same call with this stream key.
    #[must_use]
    pub fn with_stream_key(self, key: StreamKey) -> Self {
        let stream_key = Some(key);
        Self { stream_key, ..self }
    }

    /// The same call with this log.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn LogSink>) -> Self {
        let log = Some(log);
        Self { log, ..self }
    }

    /// The same call with this meter.
    #[must_use]
    pub fn with_meter(self, meter: Arc<dyn Meter>) -> Self {
        let meter = Some(meter);
        Self { meter, ..self }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("owner", &self.owner)
            .field("occasion", &self.occasion)
            .field("now", &self.now)
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
