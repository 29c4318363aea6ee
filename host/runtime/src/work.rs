//! `work.heavy`: fuel and time for what is slow on purpose, up to what the call's limits say. Linked by hand, since fuel belongs to the wasm
//! store, which the generated traits do not see.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::reason::Reason;
use crate::state::State;

/// Offers the interface to a world.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.instance("keymill:guest/work@0.1.0")?.func_wrap("heavy", heavy)
}

fn heavy(mut store: StoreContextMut<'_, State>, (millions,): (u32,)) -> wasmtime::Result<()> {
    let state = store.data_mut();
    let Some(fuel) = state.limits.take_heavy(millions) else {
        return Err(state.stop(Reason::HostDenied));
    };
    let left = store.get_fuel()?;
    store.set_fuel(left.saturating_add(fuel))
}
