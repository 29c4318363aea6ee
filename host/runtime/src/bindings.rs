//! The contract, generated from `wit/`. Nothing else in this crate spells a type of it by hand; what must not be printed (entries,
//! candidates, outputs) is converted into our own types at the border and does not leave the crate.

/// The world `generator`, and every interface that worlds share.
pub(crate) mod generator {
    wasmtime::component::bindgen!({
        world: "generator",
        path: "../../wit",
        imports: { default: trappable },
        additional_derives: [PartialEq],
    });
}

/// The world `template`, on the interfaces of `generator`; `work` is its own.
pub(crate) mod template {
    wasmtime::component::bindgen!({
        world: "template",
        path: "../../wit",
        with: {
            "keymill:guest/types": crate::bindings::generator::keymill::guest::types,
            "keymill:guest/entropy": crate::bindings::generator::keymill::guest::entropy,
            "keymill:guest/clock": crate::bindings::generator::keymill::guest::clock,
        },
        additional_derives: [PartialEq],
    });
}

/// The world `policy`, on the interfaces of `generator`.
pub(crate) mod policy {
    wasmtime::component::bindgen!({
        world: "policy",
        path: "../../wit",
        with: { "keymill:guest": crate::bindings::generator::keymill::guest },
        additional_derives: [PartialEq],
    });
}

pub(crate) use generator::exports::keymill::guest::generate;
pub(crate) use generator::keymill::guest::{clock, entropy, kube, log, types, vault};
pub(crate) use policy::exports::keymill::guest::judge;
pub(crate) use template::exports::keymill::guest::render;
