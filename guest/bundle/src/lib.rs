//! The built-in components, compiled by the build script and embedded, and the texts that an author begins with. This crate holds bytes and names only: it does not load them, and
//! it does not depend on what does.

/// The SDK itself, compiled for this machine: the formats of case files are its own, as it runs the same files natively.
pub use keymill_sdk as sdk;

/// A built-in component.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// Its name: the folder that it was built from.
    pub name: &'static str,
    /// Its world, as in `wit/`: `generator`, `template` or `policy`.
    pub world: &'static str,
    /// Its bytes: a component that imports nothing but `keymill:guest`.
    pub bytes: &'static [u8],
    /// The sha256 of its bytes, so that a start need not read them.
    pub digest: [u8; 32],
    /// What a template engine's functions are, for readers: one a line, by family and name, with tabs between its family, name, usage,
    /// result, `pure` or `draws`, and what it does. Empty for anything else.
    pub functions: &'static str,
}

/// Every built-in component, by world (generators, templates, policies) and then name.
pub const BUILTINS: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// A text file of this tree, or one made of it.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Its path in its folder, with `/`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The contract: `wit/`.
pub const WIT: &[Source] = include!(concat!(env!("OUT_DIR"), "/wit.rs"));

/// The SDK: `guest/sdk/src`, with the bindings of the contract in place of the macro that makes them.
pub const SDK: &[Source] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The projects that an author begins with: `guest/starter`.
pub const STARTER: &[Source] = include!(concat!(env!("OUT_DIR"), "/starter.rs"));

/// The built-in component of that world and name.
#[must_use]
pub fn builtin(world: &str, name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.world == world && builtin.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_folder_is_built_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut folders = BTreeSet::new();
        for (world, folder) in
            [("generator", "guest/generators"), ("template", "guest/templates"), ("policy", "policies")]
        {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.path().join("Cargo.toml").is_file() {
                    folders.insert((world.to_owned(), entry.file_name().to_string_lossy().into_owned()));
                }
            }
        }
        let built: BTreeSet<_> = BUILTINS.iter().map(|b| (b.world.to_owned(), b.name.to_owned())).collect();
        assert_eq!(built, folders);
    }

    #[test]
    fn each_is_a_component_and_small() {
        for builtin in BUILTINS {
            assert!(builtin.bytes.starts_with(b"\0asm\x0d\0\x01\0"), "{}", builtin.name);
            assert!(builtin.bytes.len() < 3 << 20, "{} is {} bytes", builtin.name, builtin.bytes.len());
        }
    }
}
