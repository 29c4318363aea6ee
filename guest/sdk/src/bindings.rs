//! The contract in `wit/`, as Rust. Each world is generated once; what they share (`types`, `entropy`, `clock`) is
//! generated with the first and mapped into the others, so that there is one Rust type for one WIT type.
//!
//! Not for authors: they see the traits and types of the modules beside this one, so a change of wit-bindgen does not
//! change their code. The export macros embed a world's type only in the crate that invokes them.

pub mod generator {
    //! The world `generator`, and what the other worlds share with it.
    wit_bindgen::generate!({
        path: "../../wit",
        world: "generator",
        pub_export_macro: true,
        generate_all,
    });
}

pub mod template {
    //! The world `template`.
    wit_bindgen::generate!({
        path: "../../wit",
        world: "template",
        pub_export_macro: true,
        with: {
            "keymill:guest/types@0.1.0": crate::bindings::generator::keymill::guest::types,
            "keymill:guest/entropy@0.1.0": crate::bindings::generator::keymill::guest::entropy,
            "keymill:guest/clock@0.1.0": crate::bindings::generator::keymill::guest::clock,
        },
    });
}

pub mod policy {
    //! The world `policy`.
    wit_bindgen::generate!({
        path: "../../wit",
        world: "policy",
        pub_export_macro: true,
        with: { "keymill:guest/types@0.1.0": crate::bindings::generator::keymill::guest::types },
    });
}

pub(crate) use generator::keymill::guest::types;
