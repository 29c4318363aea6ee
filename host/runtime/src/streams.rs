//! The random streams of a template. Each is keyed by the call's stream key and the stream's name, so the same rotation gives the same
//! bytes, and using one more stream disturbs no other. Keys are made from their stream too: the same stream, the same key.

use std::collections::BTreeMap;

use chacha20::ChaCha20Rng;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_core::SeedableRng as _;
use sha2::Sha256;

use crate::call::StreamKey;

/// Names beyond this many, or longer than this, are no use to a template; a hostile one gets no more.
const STREAMS: usize = 1024;
const NAME_BYTES: usize = 512;

/// The streams that one call has opened.
pub(crate) struct Streams {
    key: StreamKey,
    open: BTreeMap<String, ChaCha20Rng>,
}

impl Streams {
    pub(crate) const fn new(key: StreamKey) -> Self {
        let open = BTreeMap::new();
        Self { key, open }
    }

    /// The named stream, where it stands; `None` if there are too many or the name is too long.
    pub(crate) fn stream(&mut self, name: &str) -> Option<&mut ChaCha20Rng> {
        if !self.open.contains_key(name) {
            if self.open.len() >= STREAMS || name.len() > NAME_BYTES {
                return None;
            }
            let stream = seeded(&self.key, name)?;
            self.open.insert(name.to_owned(), stream);
        }
        self.open.get_mut(name)
    }
}

fn seeded(key: &StreamKey, name: &str) -> Option<ChaCha20Rng> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
    mac.update(b"keymill stream 1\0");
    mac.update(name.as_bytes());
    Some(ChaCha20Rng::from_seed(mac.finalize().into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use rand_core::Rng as _;

    use super::*;

    fn read(streams: &mut Streams, name: &str) -> [u8; 16] {
        let mut bytes = [0; 16];
        streams.stream(name).unwrap().fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn a_stream_depends_on_its_key_and_name_only() {
        let mut one = Streams::new(StreamKey::new([1; 32]));
        let a = read(&mut one, "a");
        let a_next = read(&mut one, "a");
        let b = read(&mut one, "b");
        let mut again = Streams::new(StreamKey::new([1; 32]));
        assert_eq!(read(&mut again, "b"), b);
        assert_eq!(read(&mut again, "a"), a);
        assert_eq!(read(&mut again, "a"), a_next);
        assert_ne!(a, a_next);
        assert_ne!(a, b);
        assert_ne!(read(&mut Streams::new(StreamKey::new([2; 32])), "a"), a);
    }

    #[test]
    fn streams_are_bounded() {
        let mut streams = Streams::new(StreamKey::new([1; 32]));
        assert!(streams.stream(&"n".repeat(NAME_BYTES + 1)).is_none());
        for i in 0..STREAMS {
            assert!(streams.stream(&i.to_string()).is_some());
        }
        assert!(streams.stream("one more").is_none());
        assert!(streams.stream("0").is_some());
    }
}
