//! Bad days: `keymill run` as a process of its own, on a real API server and a real Vault, both behind a proxy that fails on
//! demand. In each: no wrong write, no rotation, an honest condition, and all is well within five seconds of the end.

#[cfg(test)]
mod api_server;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod etcd;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod world;
