//! Counts one call of a component: its time, its fuel, its memory, how it ended.

use std::sync::Arc;
use std::time::Instant;

use runtime::{Call, CallError, Meter, RenderError, Used};

use super::runtime::ComponentError;
use crate::metrics::{Component, Metrics};

/// One call, until it is done.
pub(crate) struct Counting {
    metrics: Metrics,
    component: Component,
    began: Instant,
}

impl Counting {
    pub(super) fn begin(metrics: Metrics, component: Component) -> Self {
        Self { metrics, component, began: Instant::now() }
    }

    /// The same call, which says what it used.
    pub(super) fn call(&self, call: Call) -> Call {
        call.with_meter(Arc::new(CallMeter { metrics: self.metrics.clone(), component: self.component }))
    }

    /// It has ended.
    pub(super) fn done(self, error: Option<&ComponentError>) {
        self.metrics.called(self.component, self.began.elapsed(), error.map_or("ok", result));
    }
}

struct CallMeter {
    metrics: Metrics,
    component: Component,
}

impl Meter for CallMeter {
    fn used(&self, used: &Used) {
        self.metrics.used(self.component, used.fuel, used.memory);
    }
}

/// A word of a closed set: the runtime's reason where the call was stopped, else who is at fault.
fn result(error: &ComponentError) -> &'static str {
    let call = match error {
        ComponentError::Config { .. } | ComponentError::Unwanted { .. } | ComponentError::Template { .. } => {
            return "refused";
        }
        ComponentError::Unknown { .. }
        | ComponentError::NotServing { .. }
        | ComponentError::Load { .. }
        | ComponentError::Lost { .. } => {
            return "host";
        }
        ComponentError::Call { source, .. } => source.as_ref(),
        ComponentError::Render { source, .. } => match source.as_ref() {
            RenderError::Fault(_) => return "refused",
            RenderError::Call(source) => source,
        },
    };
    match (call.reason(), call) {
        (Some(reason), _) => reason.as_str(),
        (None, CallError::InvalidConfig(_) | CallError::Refused(_)) => "refused",
        (None, CallError::Unavailable) => "unavailable",
        (None, _) => "host",
    }
}
