use std::collections::BTreeMap;

use super::*;

const KEY: [u8; 32] = [7; 32];

type Outcome<T = ()> = Result<T, DatabaseError>;

fn put(database: &Database, pairs: &[(&str, &str, &str)]) {
    let done: Outcome = database.write(|write| {
        for (table, key, value) in pairs {
            write.put(table, key.as_bytes(), value.as_bytes())?;
        }
        Ok(())
    });
    done.unwrap();
}

fn scan(database: &Database, table: &str, prefix: &str) -> BTreeMap<String, String> {
    let pairs: Outcome<_> = database.read(|read| read.scan(table, prefix.as_bytes()));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    pairs.unwrap().iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn tables_are_apart_and_scans_are_ordered_by_key() {
    let database = Database::memory().unwrap();
    put(&database, &[("a", "x/2", "two"), ("a", "x/1", "one"), ("a", "y", "why"), ("b", "x/1", "other")]);
    assert_eq!(scan(&database, "a", "x/"), map(&[("x/1", "one"), ("x/2", "two")]));
    assert_eq!(scan(&database, "b", ""), map(&[("x/1", "other")]));
    assert_eq!(scan(&database, "none", ""), map(&[]));
    let keys: Outcome<_> = database.read(|read| Ok(read.keys("a", b"")));
    assert_eq!(keys.unwrap(), [b"x/1".to_vec(), b"x/2".to_vec(), b"y".to_vec()]);
}

#[test]
fn a_write_sees_itself_and_leaves_nothing_when_it_fails() {
    let database = Database::memory().unwrap();
    put(&database, &[("t", "kept", "1"), ("t", "gone", "2")]);
    let failed: Result<(), DatabaseError> = database.write(|write| {
        write.put("t", b"new", b"3")?;
        assert!(write.delete("t", b"gone")?);
        assert!(!write.delete("t", b"never")?);
        assert_eq!(write.get("t", b"new")?.unwrap().as_slice(), b"3");
        assert!(write.get("t", b"gone")?.is_none());
        assert_eq!(write.keys("t", b""), [b"kept".to_vec(), b"new".to_vec()]);
        assert_eq!(write.scan("t", b"n")?.len(), 1);
        Err(DatabaseError::Altered { table: "on purpose".to_owned() })
    });
    assert!(failed.is_err());
    assert_eq!(scan(&database, "t", ""), map(&[("gone", "2"), ("kept", "1")]));
}

#[test]
fn the_file_keeps_what_was_written_and_shows_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let database = Database::open(&path, &KEY).unwrap();
    put(&database, &[("secrets", "canary-name", "canary-value")]);
    assert!(matches!(Database::open(&path, &KEY), Err(DatabaseError::Open { .. })), "open twice");
    drop(database);

    let database = Database::open(&path, &KEY).unwrap();
    assert_eq!(scan(&database, "secrets", ""), map(&[("canary-name", "canary-value")]));
    drop(database);

    let file = std::fs::read(&path).unwrap();
    for canary in [&b"canary-value"[..], b"canary-name"] {
        assert!(!file.windows(canary.len()).any(|window| window == canary));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn another_key_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    drop(Database::open(&path, &KEY).unwrap());
    assert!(matches!(Database::open(&path, &[8; 32]), Err(DatabaseError::WrongKey { .. })));
    assert!(Database::open(&path, &KEY).is_ok());
}

#[test]
fn a_row_that_was_altered_or_moved_does_not_open() {
    let seal = Seal::new(&KEY);
    let place = seal.place("t", b"k");
    let row = seal.close("t", &place, b"k", b"value").unwrap();
    assert_eq!(seal.open("t", &place, &row).unwrap().value.as_slice(), b"value");
    for at in 0..row.len() {
        let mut altered = row.clone();
        altered[at] ^= 1;
        assert!(seal.open("t", &place, &altered).is_err(), "byte {at}");
    }
    assert!(seal.open("other", &place, &row).is_err());
    assert!(seal.open("t", &seal.place("t", b"l"), &row).is_err());
    assert!(seal.open("t", &place, &row[..20]).is_err());
}

#[test]
fn a_byte_changed_in_the_file_is_an_error_and_never_another_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    put(&Database::open(&path, &KEY).unwrap(), &[("t", "k", &"v".repeat(3000))]);
    let whole = std::fs::read(&path).unwrap();
    // Long runs without zero bytes are ciphertext: of the row, and of pages that it has left.
    let sealed: Vec<usize> = (0..whole.len() - 64).filter(|at| !whole[*at..at + 64].contains(&0)).collect();
    let mut refused = 0;
    for at in sealed.iter().step_by(397) {
        let mut altered = whole.clone();
        altered[*at] ^= 1;
        std::fs::write(&path, &altered).unwrap();
        match Database::open(&path, &KEY) {
            Ok(database) => {
                assert_eq!(scan(&database, "t", ""), map(&[("k", &"v".repeat(3000))]), "byte {at}")
            }
            Err(error) => {
                assert!(
                    matches!(
                        error,
                        DatabaseError::Open { .. }
                            | DatabaseError::Damaged { .. }
                            | DatabaseError::Altered { .. }
                    ),
                    "byte {at}: {error}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 5, "{refused} of {}", sealed.len());
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    std::fs::write(&path, "a letter").unwrap();
    assert!(matches!(Database::open(&path, &KEY), Err(DatabaseError::Open { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"a letter");
}
