//! The story, from manifests to values, with the binary that users run: against the standalone API and the embedded KV, and against
//! a real kube-apiserver, Vault and PostgreSQL.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod cloudnative_pg;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod custom_generator;
#[cfg(test)]
mod database;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod form;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod kv;
#[cfg(test)]
mod login;
#[cfg(test)]
mod policy_rollout;
#[cfg(test)]
mod rotations;
#[cfg(test)]
mod story;
