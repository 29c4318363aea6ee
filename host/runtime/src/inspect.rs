//! What a component's bytes say, read before anything is compiled: that they are a component, and a valid one, what it imports and exports, and
//! how many core instances, memories and tables it holds. Names are parsed by wasmparser, so a new spelling cannot slip past a split.

use wasmparser::names::{ComponentName, ComponentNameKind};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::error::LoadError;
use crate::world::World;

/// What the bytes prove.
#[derive(Debug)]
pub(crate) struct Inspected {
    /// The full names of what it imports, in order.
    pub(crate) imports: Vec<String>,
    pub(crate) world: World,
    /// Core instances, memories and tables together.
    pub(crate) parts: usize,
}

/// # Errors
/// Malformed bytes, foreign imports, no world or several.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Inspected, LoadError> {
    let names = read(bytes).map_err(malformed)?;
    if !names.component {
        return Err(LoadError::Malformed(
            "it is a core module: make a component of it with wit-component".to_owned(),
        ));
    }
    let foreign = |name: &&String| interface_of(name).is_none();
    let foreign: Vec<String> = names.imports.iter().filter(foreign).cloned().collect();
    if !foreign.is_empty() {
        return Err(LoadError::Imports(foreign));
    }
    Ok(Inspected { world: world(names.exports)?, imports: names.imports, parts: names.parts })
}

/// Validates everything, code included. After the imports were judged: a proposal that only a refused import needs is not what its author
/// should read. Not needed where compiled code of these very bytes is at hand, since only what is valid was ever compiled.
///
/// # Errors
/// Malformed bytes.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), LoadError> {
    let mut validator = Validator::new_with_features(features());
    validator.validate_all(bytes).map(drop).map_err(malformed)
}

#[derive(Default)]
struct Names {
    component: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    parts: usize,
}

fn read(bytes: &[u8]) -> Result<Names, BinaryReaderError> {
    let mut names = Names::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding, .. } => {
                names.component |= depth == 0 && encoding == Encoding::Component;
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::InstanceSection(section) => names.parts += section.count() as usize,
            Payload::MemorySection(section) => names.parts += section.count() as usize,
            Payload::TableSection(section) => names.parts += section.count() as usize,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    names.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The interface's name, if it is one of `keymill:guest` on the track `0.1`.
fn interface_of(name: &str) -> Option<String> {
    let parsed = ComponentName::new(name, 0).ok()?;
    let ComponentNameKind::Interface(interface) = parsed.kind() else {
        return None;
    };
    let version = interface.version(None).ok()??;
    let ours = interface.namespace().as_str() == "keymill"
        && interface.package().as_str() == "guest"
        && (version.major, version.minor) == (0, 1)
        && version.pre.is_empty();
    ours.then(|| interface.interface().as_str().to_owned())
}

fn world(exports: Vec<String>) -> Result<World, LoadError> {
    let mut worlds = World::ALL.into_iter().filter(|world| {
        let exported = |name: &String| interface_of(name).as_deref() == Some(world.interface());
        exports.iter().any(exported)
    });
    match (worlds.next(), worlds.next()) {
        (Some(world), None) => Ok(world),
        _ => Err(LoadError::NoWorld { found: exports }),
    }
}

/// The same proposals as `wasm_options`; the compiler checks again with its own.
fn features() -> WasmFeatures {
    let off = WasmFeatures::THREADS
        | WasmFeatures::SHARED_EVERYTHING_THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::GC
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::CM_ASYNC;
    WasmFeatures::default().difference(off) | WasmFeatures::CM_IMPLEMENTS
}

/// wasmparser's words say what is wrong with the form, at which offset; they may quote names, so control characters are escaped.
fn malformed(error: BinaryReaderError) -> LoadError {
    let text: String = error.message().escape_debug().take(300).collect();
    LoadError::Malformed(format!("{text} (at offset {:#x})", error.offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Inspected, LoadError> {
        inspect(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn names_every_foreign_import() {
        let error = check(
            r#"(component
                (import "wasi:cli/environment@0.2.0" (instance))
                (import "keymill:guest/clock@0.1.3" (instance))
                (import "keymill:guest/clock@0.2.0" (instance))
                (import "keymill:other/clock@0.1.0" (instance))
                (import "plain" (instance)))"#,
        );
        let Err(LoadError::Imports(names)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(
            names,
            ["wasi:cli/environment@0.2.0", "keymill:guest/clock@0.2.0", "keymill:other/clock@0.1.0", "plain"]
        );
    }

    #[test]
    fn tells_the_world_by_its_export() {
        let judge = r#"(component (instance $i) (export "keymill:guest/judge@0.1.9" (instance $i)))"#;
        assert_eq!(check(judge).unwrap().world, World::Policy);
        for text in [
            "(component)",
            r#"(component (instance $i) (export "keymill:guest/judge@0.2.0" (instance $i)))"#,
            r#"(component (instance $i)
                (export "keymill:guest/judge@0.1.0" (instance $i))
                (export "keymill:guest/render@0.1.0" (instance $i)))"#,
        ] {
            assert!(matches!(check(text), Err(LoadError::NoWorld { .. })), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_component() {
        assert!(matches!(check("(module)"), Err(LoadError::Malformed(text)) if text.contains("core module")));
        for bytes in [&b""[..], b"\0asm", b"hello", b"\0asm\x0d\0\x01\0\xff"] {
            assert!(matches!(inspect(bytes), Err(LoadError::Malformed(_))), "{bytes:?}");
        }
    }
}
