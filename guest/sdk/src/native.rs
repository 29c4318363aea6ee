//! Stands in for the host's imports where there is no host: on any target but wasm32, in a guest's own unit tests. Each
//! thread has its own: streams that a seed decides, a clock that stands still, capabilities that are denied.
//!
//! Not random: nothing that it gives may become a secret. It is the same on every machine, which is the point.

use std::{cell::RefCell, collections::HashMap};

use crate::{KeySpec, bindings::generator::keymill::guest::log::Level};

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

#[derive(Default)]
struct Host {
    seed: u64,
    now: u64,
    positions: HashMap<String, u64>,
}

/// Starts a call: streams begin anew under this seed, the clock shows `now`.
#[cfg(feature = "testing")]
pub(crate) fn begin(seed: u64, now: u64) {
    HOST.with_borrow_mut(|host| *host = Host { seed, now, positions: HashMap::new() });
}

pub(crate) fn bytes(stream: &str, count: u32) -> Vec<u8> {
    HOST.with_borrow_mut(|host| {
        let key = stream.bytes().fold(mix(host.seed), |key, byte| mix(key ^ u64::from(byte)));
        let position = host.positions.entry(stream.to_owned()).or_default();
        (0..count)
            .map(|_| {
                *position += 1;
                let [byte, ..] = mix(key ^ mix(*position)).to_le_bytes();
                byte
            })
            .collect()
    })
}

pub(crate) fn key(stream: &str, _: KeySpec) -> Vec<u8> {
    format!("a stand-in for a key of the stream {stream}").into_bytes()
}

pub(crate) fn now() -> u64 {
    HOST.with_borrow(|host| host.now)
}

pub(crate) fn write(_: Level, _: &str) {}

pub(crate) fn heavy(_: u32) {}

/// One step of splitmix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

pub(crate) mod kube {
    //! Nothing is granted.
    use crate::{Refusal, bindings::types::Entry};

    pub(crate) fn read(_: &str) -> Result<Vec<Entry>, Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn token(_: &str) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::Denied)
    }
}

pub(crate) mod vault {
    //! Nothing is granted.
    use crate::{
        Refusal,
        bindings::generator::keymill::guest::vault::{Lease, Reply},
    };

    pub(crate) fn read(_: &str, _: &str, _: &[(String, String)]) -> Result<Reply, Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn write(_: &str, _: &str, _: &[u8]) -> Result<Reply, Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn keys(_: &str, _: &str) -> Result<Vec<String>, Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn delete(_: &str, _: &str) -> Result<(), Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn renew(_: &str, _: &str, _: u64) -> Result<Lease, Refusal> {
        Err(Refusal::Denied)
    }

    pub(crate) fn revoke(_: &str, _: &str) -> Result<(), Refusal> {
        Err(Refusal::Denied)
    }
}
