use super::*;
use crate::limits::Budget;

/// One key and one certificate in each, made by OpenSSL 3.
const RC2_40: &[u8] = include_bytes!("tests/rc2-40.p12");
const RC2_128: &[u8] = include_bytes!("tests/rc2-128.p12");
const PLAIN: &[u8] = include_bytes!("tests/plain.p12");
/// With 800,000 iterations.
const SLOW: &[u8] = include_bytes!("tests/slow.p12");

fn check(file: &[u8], password: &str, expected: Result<usize, Rule>) {
    let seen = read(file, password.as_bytes(), &mut Budget::new());
    assert_eq!(seen.map(|content| content.certificates.len()), expected, "{password}");
}

fn plain() -> Content {
    read(PLAIN, b"", &mut Budget::new()).expect("a file")
}

fn written(password: &str, drawn: &[u8]) -> Result<Vec<u8>, Rule> {
    let content = plain();
    write(&content.key, &content.certificates, password.as_bytes(), drawn, &mut Budget::new())
}

#[test]
fn old_files_are_read() {
    check(RC2_40, "old", Ok(1));
    check(RC2_128, "old", Ok(1));
    check(PLAIN, "", Ok(1));
    check(RC2_40, "new", Err(Rule::Undecryptable));
    check(RC2_40, "", Err(Rule::Undecryptable));
    check(PLAIN, "old", Err(Rule::Undecryptable));
    check(b"", "", Err(Rule::Undecryptable));
    check(RC2_40.get(..800).unwrap_or_default(), "old", Err(Rule::Undecryptable));
    let key = |file: &[u8]| {
        let content = read(file, b"old", &mut Budget::new()).expect("a file");
        content.key.to_pkcs8().expect("a key")
    };
    assert_eq!(key(RC2_40), key(RC2_128));
    assert_eq!(key(RC2_40), plain().key.to_pkcs8().expect("a key"));
}

#[test]
fn iterations_are_work() {
    check(SLOW, "old", Err(Rule::Work));
}

#[test]
fn what_is_written_is_read() {
    for password in ["", "pw", "Größe €"] {
        let file = written(password, &[7; DRAWN]).expect("a file");
        check(&file, password, Ok(1));
        check(&file, "other", Err(Rule::Undecryptable));
    }
    assert_eq!(written("𝄞", &[7; DRAWN]).err(), Some(Rule::BadArgument));
}

#[test]
fn drawn_bytes_decide_what_is_written() {
    assert_eq!(written("pw", &[7; DRAWN]), written("pw", &[7; DRAWN]));
    assert_ne!(written("pw", &[7; DRAWN]), written("pw", &[8; DRAWN]));
    assert_eq!(written("pw", &[7; DRAWN - 1]).err(), Some(Rule::Work));
}

#[test]
fn a_trust_store_has_no_key() {
    let certificates = plain().certificates;
    let file = write_truststore(&certificates, b"pw", &[7; DRAWN_TRUSTSTORE], &mut Budget::new());
    check(&file.expect("a file"), "pw", Err(Rule::Undecryptable));
}
