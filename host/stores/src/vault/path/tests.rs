use super::*;

fn mount(path: Option<&str>, version: VaultVersion) -> Mount {
    Mount { path: path.map(str::to_owned), version }
}

#[test]
fn keys_become_paths_as_eso_builds_them() {
    use VaultVersion::{V1, V2};
    let cases = [
        (Some("secret"), V2, "app/db", "secret/data/app/db"),
        (Some("secret"), V2, "secret/app/db", "secret/data/app/db"),
        (Some("secret"), V2, "secret/data/app/db", "secret/data/app/db"),
        (Some("secret/"), V2, "app", "secret/data/app"),
        (Some("secret"), V2, "data/app", "secret/data/data/app"),
        (Some("secret"), V2, "secret", "secret/data/secret"),
        (Some("secret"), V2, "secret/data", "secret/data/data"),
        (Some("secret"), V2, "secrets/app", "secret/data/secrets/app"),
        (Some("team/kv"), V2, "team/kv/data/x", "team/kv/data/x"),
        (Some("team/kv"), V2, "team/x", "team/kv/data/team/x"),
        (None, V2, "secret/app/db", "secret/data/app/db"),
        (None, V2, "secret/data/app/db", "secret/data/app/db"),
        (None, V2, "team/kv/data/app", "team/kv/data/app"),
        (None, V2, "secret/data", "secret/data/data"),
        (Some("secret"), V2, "/app/db/", "secret/data/app/db"),
        (Some("secret"), V2, "a b/c?d#e%f/ü", "secret/data/a b/c?d#e%f/ü"),
        (Some("kv"), V1, "app", "kv/app"),
        (Some("kv"), V1, "kv/app", "kv/app"),
        (Some("kv"), V1, "kv/data/app", "kv/data/app"),
        (None, V1, "kv/app/db", "kv/app/db"),
        (None, V1, "kv/data/db", "kv/data/db"),
    ];
    for (path, version, key, expected) in cases {
        let located = mount(path, version).secret(key).expect(key);
        let built = match version {
            V1 => located.plain(),
            V2 => located.data(),
        };
        assert_eq!(built.to_string(), expected, "{path:?} {version:?} {key}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let cases = [
        (Some("secret"), "", PathError::EmptySegment),
        (Some("secret"), "/", PathError::EmptySegment),
        (Some("secret"), "a//b", PathError::EmptySegment),
        (Some("secret"), "a/../b", PathError::Relative),
        (Some("secret"), "..", PathError::Relative),
        (Some("secret"), "./a", PathError::Relative),
        (Some("secret"), "a\nb", PathError::Control),
        (Some("se/../cret"), "a", PathError::Relative),
        (None, "secret", PathError::Incomplete),
    ];
    for (path, key, expected) in cases {
        assert_eq!(mount(path, VaultVersion::V2).secret(key), Err(expected), "{path:?} {key:?}");
    }
    assert_eq!(mount(Some("kv"), VaultVersion::V1).secret("a/b..c"), Err(PathError::Dots));
    assert!(mount(Some("kv"), VaultVersion::V2).secret("a/b..c").is_ok());
}

#[test]
fn a_listed_entry_has_the_key_that_reads_it_again() {
    for (path, folder, expected) in [
        (Some("secret"), "team", "team/app"),
        (Some("secret"), "secret/team/", "team/app"),
        (Some("secret"), "", "app"),
        (None, "secret/team", "secret/team/app"),
        (None, "secret", "secret/app"),
    ] {
        let mount = mount(path, VaultVersion::V2);
        let entry = mount.folder(folder).and_then(|folder| folder.entry("app")).expect(folder);
        assert_eq!(mount.key_of(&entry), expected, "{path:?} {folder}");
        assert_eq!(mount.secret(expected), Ok(entry), "{path:?} {folder}");
    }
    assert_eq!(mount(None, VaultVersion::V2).folder(""), Err(PathError::NoMount));
}

#[test]
fn an_entry_named_by_the_server_cannot_climb() {
    let folder = mount(Some("secret"), VaultVersion::V2).folder("team").expect("a folder");
    for name in ["..", ".", "", "a/b"] {
        assert!(folder.entry(name).is_err(), "{name}");
    }
}
