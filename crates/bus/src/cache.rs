//! A cache that all nodes of an installation share. It may forget anything at any time, and be away at any time:
//! whoever asks it must have another way. Others may write to it, so a value begins with a tag that binds it to its key.

use std::sync::Arc;
use std::time::Duration;

use vault::MacKey;
use vault::mac::Tag;

use crate::installation::Installation;
use crate::redis::Redis;

/// Where there is Redis, in Redis; else nowhere.
#[derive(Clone, Default)]
pub struct SharedCache(pub(crate) Option<Place>);

/// A server, and how values in it are known.
#[derive(Clone)]
pub(crate) struct Place {
    pub redis: Arc<Redis>,
    pub installation: Arc<Installation>,
}

impl SharedCache {
    /// Whether asking it could help at all.
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What a node of this installation has put under each key. A server that fails or takes longer than 50 ms is left
    /// out at once and for some seconds, which looks as if it held nothing.
    pub async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        let nothing = || vec![None; keys.len()];
        let Some(Place { redis, installation }) = self.0.as_ref().filter(|_| !keys.is_empty()) else {
            return nothing();
        };
        let Some(found) = redis.get(keys).await.filter(|found| found.len() == keys.len()) else {
            return nothing();
        };
        let open = |(key, found): (&String, Option<Vec<u8>>)| open(&installation.values, key, found?);
        keys.iter().zip(found).map(open).collect()
    }

    /// Keeps these for a while, in place of what was there.
    pub async fn put(&self, entries: &[(String, Vec<u8>)], expiry: Duration) {
        if let Some(Place { redis, installation }) = &self.0
            && !entries.is_empty()
        {
            let close =
                |(key, value): &(String, Vec<u8>)| (key.clone(), close(&installation.values, key, value));
            redis.put(&entries.iter().map(close).collect::<Vec<_>>(), expiry).await;
        }
    }
}

/// The value behind its tag.
fn close(mac: &MacKey, key: &str, value: &[u8]) -> Vec<u8> {
    let mut closed = Vec::with_capacity(size_of::<Tag>() + value.len());
    closed.extend_from_slice(&mac.tag(&[key.as_bytes(), value]));
    closed.extend_from_slice(value);
    closed
}

/// The value, if a node has put it under this very key.
pub(crate) fn open(mac: &MacKey, key: &str, mut found: Vec<u8>) -> Option<Vec<u8>> {
    if let Some((tag, value)) = found.split_first_chunk()
        && mac.is_valid(&[key.as_bytes(), value], tag)
    {
        found.drain(..size_of::<Tag>());
        return Some(found);
    }
    metrics::counter!("fairweather_shared_cache_refused_total").increment(1);
    tracing::debug!(key, "a value of the shared cache was passed over: no node has put it there");
    None
}

#[cfg(test)]
mod tests {
    use domain::Random;
    use vault::ServerKey;

    use super::*;

    #[test]
    fn a_value_opens_under_its_key_alone() {
        let mac = |byte: u8| {
            let random = Random::new(move |bytes| bytes.fill(byte));
            MacKey::new(&ServerKey::generate(&random), "test").expect("a key")
        };
        let (ours, theirs) = (mac(1), mac(2));
        let closed = close(&ours, "oslo", b"rain");
        assert_eq!(open(&ours, "oslo", closed.clone()).as_deref(), Some(&b"rain"[..]));
        assert_eq!(open(&ours, "rome", closed.clone()), None);
        assert_eq!(open(&theirs, "oslo", closed.clone()), None);
        for bit in 0..closed.len() * 8 {
            let mut damaged = closed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&ours, "oslo", damaged), None, "bit {bit}");
        }
        for length in 0..closed.len() {
            assert_eq!(open(&ours, "oslo", closed[..length].to_vec()), None, "{length} bytes");
        }
    }
}
