//! Traffic limits: buckets in memory, bounded in number. They may be forgotten by a restart; security counters
//! may not, and live in the database.

use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{Error, Result, Timestamp};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: u32,
}

/// What is left of a bucket, for the `RateLimit` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub remaining: u32,
    /// Until the bucket is full again.
    pub reset: Duration,
}

/// One bucket per key (generic cell rate algorithm: one number each, the time at which it is full again).
pub struct Buckets<K> {
    rate: Rate,
    /// Microseconds that one request takes from the bucket.
    step: i64,
    full_at: Cache<K, Arc<AtomicI64>>,
}

/// Keys remembered at once. A key that is pushed out starts with a full bucket.
const KEYS: usize = 100_000;

impl<K: Clone + Eq + Hash> Buckets<K> {
    pub fn new(rate: Rate) -> Self {
        let step = (1_000_000.0 / rate.per_second.max(0.000_001)).max(1.0);
        Self { rate, step: step as i64, full_at: Cache::new(KEYS) }
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes `cost` requests out of the key's bucket, or tells how long to wait for them.
    pub fn take(&self, key: &K, cost: u32, now: Timestamp) -> Result<Left> {
        let now = now.millis().saturating_mul(1000);
        let bucket = match self.full_at.get(key) {
            Some(bucket) => bucket,
            None => {
                let fresh = Arc::new(AtomicI64::new(0));
                // Two first requests at once must share a bucket: the one that was put first wins.
                self.full_at.get_or_insert_with(key, || Ok::<_, ()>(fresh.clone())).unwrap_or(fresh)
            }
        };
        let depth = self.step.saturating_mul(i64::from(self.rate.burst.max(1)));
        let taken = self.step.saturating_mul(i64::from(cost));
        let mut seen = bucket.load(Ordering::Relaxed);
        loop {
            let full_at = seen.max(now).saturating_add(taken);
            let ahead = full_at - now;
            if ahead > depth {
                let wait = Duration::from_micros(u64::try_from(ahead - depth).unwrap_or(0));
                return Err(Error::limited("rate_limited", "too many requests; wait and try again", wait));
            }
            match bucket.compare_exchange_weak(seen, full_at, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let remaining = u32::try_from((depth - ahead) / self.step).unwrap_or(0);
                    let reset = Duration::from_micros(u64::try_from(ahead).unwrap_or(0));
                    return Ok(Left { remaining, reset });
                }
                Err(other) => seen = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let buckets = Buckets::new(Rate { per_second: 2.0, burst: 3 });
        let start = Timestamp::from_seconds(1000);
        for left in [2, 1, 0] {
            assert_eq!(buckets.take(&1, 1, start).unwrap().remaining, left);
        }
        let Err(Error::Limited { retry_after, .. }) = buckets.take(&1, 1, start) else { panic!() };
        assert_eq!(retry_after, Duration::from_millis(500));
        assert!(buckets.take(&2, 1, start).is_ok(), "another key has a bucket of its own");
        assert!(buckets.take(&1, 1, start.plus(retry_after)).is_ok());
        assert!(
            buckets.take(&1, 4, start.plus(Duration::from_secs(60))).is_err(),
            "never more than the burst"
        );
    }
}
