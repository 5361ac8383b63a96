//! A cache that all nodes of an installation share. It may forget anything at any time, and be away at any time:
//! whoever asks it must have another way.

use std::sync::Arc;
use std::time::Duration;

use crate::redis::Redis;

/// Where there is Redis, in Redis; else nowhere.
#[derive(Clone, Default)]
pub struct SharedCache(pub(crate) Option<Arc<Redis>>);

impl SharedCache {
    /// Whether asking it could help at all.
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What is kept under each key. A server that fails or takes longer than 50 ms is left out at once and for some
    /// seconds, which looks as if it held nothing.
    pub async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        let found = match &self.0 {
            Some(redis) if !keys.is_empty() => redis.get(keys).await,
            _ => None,
        };
        found.filter(|found| found.len() == keys.len()).unwrap_or_else(|| vec![None; keys.len()])
    }

    /// Keeps these for a while, in place of what was there.
    pub async fn put(&self, entries: &[(String, Vec<u8>)], expiry: Duration) {
        if let Some(redis) = &self.0
            && !entries.is_empty()
        {
            redis.put(entries, expiry).await;
        }
    }
}
