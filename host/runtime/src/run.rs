//! One call: a fresh wasm store and instance with every limit set, the call, and what became of it. The store is dropped before the
//! answer is looked at, so nothing of a guest outlives its call.

use wasmtime::{Store, Trap};

use crate::call::Used;
use crate::engine::Shared;
use crate::error::{BadOutput, CallError};
use crate::reason::Reason;
use crate::state::{State, Usage};

/// The raw answer of a call and what it used.
pub(crate) struct Finished<T> {
    pub(crate) answer: T,
    pub(crate) fuel: u64,
    pub(crate) usage: Usage,
}

/// Calls `work` with a fresh store. `work` instantiates and calls.
pub(crate) fn run<T>(
    engine: &Shared,
    export: &'static str,
    state: State,
    work: impl FnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<Finished<T>, CallError> {
    let _running = engine.ticker.running();
    let mut store = limited(&engine.wasmtime, state).map_err(|error| CallError::Host(error.to_string()))?;
    let result = work(&mut store);
    let fuel = store.data().limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    let state = store.into_data();
    if let Some(meter) = &state.meter {
        meter.used(&Used { fuel, memory: state.memory() });
    }
    match result {
        Ok(answer) => {
            flush(&state);
            let usage = state.usage;
            Ok(Finished { answer, fuel, usage })
        }
        Err(error) => Err(why(export, &state, &error)),
    }
}

fn limited(engine: &wasmtime::Engine, state: State) -> wasmtime::Result<Store<State>> {
    let limits = state.limits;
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store.set_fuel(limits.fuel)?;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| context.data_mut().tick());
    store.set_hostcall_fuel(limits.output);
    store.set_max_component_handles(limits.handles);
    Ok(store)
}

/// What stopped a call, from what the host saw. A guest cannot choose it except by doing it.
fn why(export: &'static str, state: &State, error: &wasmtime::Error) -> CallError {
    if state.random_failed {
        return CallError::Random(crate::error::RandomError);
    }
    let reason = match (state.stopped, error.downcast_ref::<Trap>()) {
        (Some(reason), _) => reason,
        (None, Some(Trap::OutOfFuel)) => Reason::Fuel,
        (None, Some(Trap::StackOverflow)) => Reason::Stack,
        (None, Some(Trap::Interrupt)) => Reason::Deadline,
        (None, Some(_)) => Reason::GuestAbort,
        // Neither ours nor a trap: what the guest handed over could not be lifted.
        (None, None) => {
            let limit = state.limits.output;
            return CallError::BadOutput { export, fault: BadOutput::Unreadable { limit } };
        }
    };
    CallError::Stopped { export, reason }
}

/// Lines leave only here, when the call is over and saw no secret.
fn flush(state: &State) {
    if state.log.tainted {
        return;
    }
    if let Some(sink) = &state.log.sink {
        for (level, line) in &state.log.lines {
            sink.line(*level, line);
        }
    }
}
