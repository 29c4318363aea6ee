//! PostgreSQL: logins by password over TCP and over the socket, never as root.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use servers::{Postgres, PostgresOptions};

/// What `psql` prints on stdout, or says on stderr when it fails.
fn login(postgres: &Postgres, host: &str, user: &str, password: &str) -> Result<String, String> {
    let mut psql = Command::new(postgres.psql());
    psql.args(["-X", "-A", "-t", "-w", "-h", host, "-p", &postgres.port().to_string(), "-U", user]);
    psql.args(["-d", "postgres", "-c", "select current_user"]).env("PGPASSWORD", password);
    let output = psql.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn a_password_is_needed_everywhere() {
    let Some(postgres) = servers::postgres() else { return };
    assert_eq!(postgres.sql("create role app login password 'first'"), "");
    assert!(
        postgres.sql("select rolpassword from pg_authid where rolname = 'app'").starts_with("SCRAM-SHA-256$")
    );
    let socket = postgres.socket().display().to_string();
    for host in [postgres.host(), &socket] {
        assert_eq!(login(postgres, host, "app", "first"), Ok("app".to_owned()));
        let refused = login(postgres, host, "app", "other").unwrap_err();
        assert!(refused.contains("password authentication failed"), "{refused}");
    }
    assert_eq!(postgres.sql("select 1, 'two'\n"), "1|two");
    assert!(postgres.bin_dir().join("initdb").is_file());
}

#[test]
fn it_does_not_run_as_root() {
    let Some(postgres) = servers::postgres() else { return };
    for id in postgres.processes() {
        assert_ne!(std::fs::metadata(format!("/proc/{id}")).unwrap().uid(), 0);
    }
}

#[test]
fn two_run_side_by_side_with_settings_of_their_own() {
    let settings =
        |value: &str| PostgresOptions { settings: vec![("work_mem".to_owned(), value.to_owned())] };
    let start = |value| std::thread::spawn(move || Postgres::start(&settings(value)));
    let (one, two) = (start("1MB"), start("2MB"));
    let (Some(one), Some(two)) = (one.join().unwrap(), two.join().unwrap()) else { return };
    assert_ne!(one.port(), two.port());
    assert_eq!((one.sql("show work_mem").as_str(), two.sql("show work_mem").as_str()), ("1MB", "2MB"));
}

#[test]
#[should_panic(expected = "syntax error")]
fn a_statement_that_is_refused_fails_the_test() {
    match servers::postgres() {
        Some(postgres) => drop(postgres.sql("selec 1")),
        None => panic!("nobody can say syntax error"),
    }
}
