//! One behaviour, two key stores: the embedded KV and the real HashiCorp Vault.
//!
//! `wire` plays the request sequences of `cases/` on both and compares each answer with the one that was recorded from Vault, so
//! that a difference is a bug of the embedded KV or a marked case with its reason. `client` asks our own Vault store the
//! questions that only a server can answer: does it log in, what does it say when something is wrong, does it recover. `cli` runs
//! Vault's own command line on both.
//! README.md says how a case is written and recorded.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod subject;
#[cfg(test)]
mod wire;
