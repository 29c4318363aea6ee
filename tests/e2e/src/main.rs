//! The story, from manifests to values, with the binary that users run: against the standalone API and the embedded KV.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod story;
