//! The role's side: the hash, the statement and the transaction.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use postgres_protocol::password::scram_sha_256;
use tokio_postgres::{Client, Transaction};

use super::mode::{Credential, Mode};

/// What stands in the statement for a password: its SCRAM verifier, with PostgreSQL's own number of iterations. What looks like a
/// hash already is passed on. Where PostgreSQL would fall back to the raw bytes, CloudNativePG refuses.
pub(super) fn verifier(credential: &Credential) -> Result<String, String> {
    let password = credential.password.as_str();
    if credential.is_verbatim || looks_like_md5(password) || looks_like_scram(password) {
        return Ok(password.to_owned());
    }
    stringprep::saslprep(password).map_err(|_| "SASLprep refuses the password".to_owned())?;
    Ok(scram_sha_256(password.as_bytes()))
}

/// The ALTER, in a transaction that keeps it out of the log whatever happens. Committing is the caller's.
pub(super) async fn alter<'a>(
    client: &'a mut Client,
    mode: Mode,
    role: &str,
    verifier: &str,
) -> Result<Transaction<'a>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .batch_execute("SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'PANIC'")
        .await?;
    let (role, attributes, literal) = (escape_identifier(role), mode.attributes(), escape_literal(verifier));
    transaction.batch_execute(&format!("ALTER ROLE {role} WITH {attributes}PASSWORD {literal}")).await?;
    Ok(transaction)
}

/// The version of the role's row: it moves with every ALTER, whoever's.
pub(super) async fn row(client: &Client, role: &str) -> Result<String, tokio_postgres::Error> {
    let query = "SELECT xmin::text FROM pg_catalog.pg_authid WHERE rolname = $1";
    client.query_one(query, &[&role]).await?.try_get(0)
}

/// A standby's roles are the primary's.
pub(super) async fn is_standby(client: &Client) -> Result<bool, tokio_postgres::Error> {
    client.query_one("SELECT pg_catalog.pg_is_in_recovery()", &[]).await?.try_get(0)
}

fn looks_like_md5(password: &str) -> bool {
    let digits = password.strip_prefix("md5");
    digits.is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn looks_like_scram(password: &str) -> bool {
    let parts = password.strip_prefix("SCRAM-SHA-256$").map(|rest| rest.split(['$', ':']).count());
    parts == Some(4)
}
