//! The API driven by the real kube client, in process, and once over HTTPS.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod definitions;
#[cfg(test)]
mod deletion;
#[cfg(test)]
mod https;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod server;
#[cfg(test)]
mod watches;
