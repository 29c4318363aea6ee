//! What `host/deploy` installs: the chart against the install file, rendered by Helm itself; and `keymill run` as a process of its own
//! under exactly the shipped rights, on the real API server with a real Vault. Commands are those of `host/deploy/README.md`.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod chart;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod image;
#[cfg(test)]
mod install;
#[cfg(test)]
mod leader;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod missing_rights;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod rights;
