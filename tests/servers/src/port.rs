//! Free loopback ports.
//!
//! From below the range that the system gives to outgoing connections, so that no connection takes a port between the choice
//! and the server's own bind, and at random, so that two test binaries rarely choose the same. When they do, the server that
//! comes second ends and is started on others (`process::on_free_ports`).

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

const FIRST: u16 = 15_000;
/// Even ports only: Vault in dev mode takes the one above its own as well.
const COUNT: u16 = 8_000;
const ATTEMPTS: usize = 100;

/// A port on which nobody listens.
///
/// # Errors
/// When none of a hundred is free.
pub fn free() -> Result<u16> {
    for _ in 0..ATTEMPTS {
        let random = getrandom::u32().context("draw a port")?;
        let port = FIRST + 2 * u16::try_from(random % u32::from(COUNT))?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port among {ATTEMPTS} from {FIRST} to {}", FIRST + 2 * COUNT)
}

/// 128 random bits as hex: a token or a password that nobody else has.
pub(crate) fn unguessable() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("draw a token")?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
