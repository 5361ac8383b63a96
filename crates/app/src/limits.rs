//! Traffic limits: buckets in memory, bounded in number. They may be forgotten by a restart; security counters
//! may not, and live in the database.
//!
//! Nodes tell one another what they took, so a limit holds over all of them: each may let through a burst of its own
//! until it has heard of the others.

use std::hash::Hash;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::Tag;
use domain::{Error, Result, Timestamp};
use quick_cache::sync::Cache;

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
    buckets: Cache<K, Arc<Bucket>>,
    elsewhere: Option<Elsewhere<K>>,
}

/// The same buckets as other nodes know them.
struct Elsewhere<K> {
    tag: Box<dyn Fn(&K) -> Tag + Send + Sync>,
    by_tag: Cache<Tag, Arc<Bucket>>,
    /// Those with something to tell, each once.
    touched: Mutex<Vec<Arc<Bucket>>>,
}

#[derive(Default)]
struct Bucket {
    full_at: AtomicI64,
    tag: Tag,
    /// What was taken here since the others were told.
    untold: AtomicU32,
}

/// Keys remembered at once. A key that is pushed out starts with a full bucket.
const KEYS: usize = 100_000;
/// Other nodes are told when a hundredth of the burst was taken. Less than that makes no difference to anybody.
const WORTH_TELLING: u32 = 100;
/// So many bursts may be owed. Nodes that let through a burst each, before they heard of one another, owe one each.
const MOST_OWED: i64 = 64;

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// Of this process alone.
    pub fn new(rate: Rate) -> Self {
        let step = (1_000_000.0 / rate.per_second.max(0.000_001)).max(1.0);
        Self { rate, step: step as i64, buckets: Cache::new(KEYS), elsewhere: None }
    }

    /// Of several nodes, which know a bucket by its tag.
    pub fn over_nodes(rate: Rate, tag: impl Fn(&K) -> Tag + Send + Sync + 'static) -> Self {
        let (by_tag, touched) = (Cache::new(KEYS), Mutex::default());
        Self { elsewhere: Some(Elsewhere { tag: Box::new(tag), by_tag, touched }), ..Self::new(rate) }
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Microseconds in a full bucket.
    fn depth(&self) -> i64 {
        self.step.saturating_mul(i64::from(self.rate.burst.max(1)))
    }

    fn bucket(&self, key: &K) -> Arc<Bucket> {
        if let Some(bucket) = self.buckets.get(key) {
            return bucket;
        }
        // Others may have told of it before anybody came here.
        let fresh = match &self.elsewhere {
            Some(elsewhere) => elsewhere.bucket((elsewhere.tag)(key)),
            None => Arc::default(),
        };
        // Two first requests at once must share a bucket: the one that was put first wins.
        self.buckets.get_or_insert_with(key, || Ok::<_, ()>(fresh.clone())).unwrap_or(fresh)
    }

    /// Takes `cost` requests out of the key's bucket, or tells how long to wait for them.
    pub fn take(&self, key: &K, cost: u32, now: Timestamp) -> Result<Left> {
        let now = microseconds(now);
        let bucket = self.bucket(key);
        let depth = self.depth();
        let taken = self.step.saturating_mul(i64::from(cost));
        let mut seen = bucket.full_at.load(Ordering::Relaxed);
        loop {
            let full_at = seen.max(now).saturating_add(taken);
            let ahead = full_at - now;
            if ahead > depth {
                let wait = Duration::from_micros(u64::try_from(ahead - depth).unwrap_or(0));
                return Err(Error::limited("rate_limited", "too many requests; wait and try again", wait));
            }
            match bucket.full_at.compare_exchange_weak(seen, full_at, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    if let Some(elsewhere) = &self.elsewhere {
                        elsewhere.touch(&bucket, cost);
                    }
                    let remaining = u32::try_from((depth - ahead) / self.step).unwrap_or(0);
                    let reset = Duration::from_micros(u64::try_from(ahead).unwrap_or(0));
                    return Ok(Left { remaining, reset });
                }
                Err(other) => seen = other,
            }
        }
    }

    /// What other nodes are to be told now: of the buckets from which enough was taken the emptiest, at most so many.
    /// The rest waits for the next time.
    pub fn untold(&self, most: usize, now: Timestamp) -> Vec<(Tag, u32)> {
        let Some(elsewhere) = &self.elsewhere else { return Vec::new() };
        let now = microseconds(now);
        let least = (self.rate.burst / WORTH_TELLING).max(1);
        let touched = std::mem::take(&mut *elsewhere.touched());
        let is_worth = |bucket: &Arc<Bucket>| bucket.untold.load(Ordering::Relaxed) >= least;
        let (mut worth, mut rest): (Vec<_>, Vec<_>) = touched.into_iter().partition(is_worth);
        let owed = |bucket: &Arc<Bucket>| {
            let taken = self.step.saturating_mul(i64::from(bucket.untold.load(Ordering::Relaxed)));
            (bucket.full_at.load(Ordering::Relaxed) - now).max(0).saturating_add(taken)
        };
        worth.sort_by_cached_key(|bucket| std::cmp::Reverse(owed(bucket)));
        rest.extend(worth.drain(most.min(worth.len())..));
        elsewhere.touched().extend(rest);
        worth.into_iter().map(|bucket| (bucket.tag, bucket.untold.swap(0, Ordering::Relaxed))).collect()
    }

    /// Another node has let so much through.
    pub fn taken_elsewhere(&self, tag: Tag, cost: u32, now: Timestamp) {
        let Some(elsewhere) = &self.elsewhere else { return };
        let now = microseconds(now);
        let taken = self.step.saturating_mul(i64::from(cost));
        let latest = now.saturating_add(self.depth().saturating_mul(MOST_OWED));
        let later = |full_at: i64| Some(full_at.max(now).saturating_add(taken).min(latest.max(full_at)));
        let bucket = elsewhere.bucket(tag);
        let _ = bucket.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }
}

impl<K> Elsewhere<K> {
    fn touched(&self) -> MutexGuard<'_, Vec<Arc<Bucket>>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bucket(&self, tag: Tag) -> Arc<Bucket> {
        if let Some(bucket) = self.by_tag.get(&tag) {
            return bucket;
        }
        let fresh = Arc::new(Bucket { tag, ..Bucket::default() });
        self.by_tag.get_or_insert_with(&tag, || Ok::<_, ()>(fresh.clone())).unwrap_or(fresh)
    }

    fn touch(&self, bucket: &Arc<Bucket>, cost: u32) {
        if bucket.untold.fetch_add(cost, Ordering::Relaxed) > 0 {
            return;
        }
        let mut touched = self.touched();
        if touched.len() < KEYS {
            touched.push(bucket.clone());
        } else {
            // The others are not told of it, rather than that memory grows.
            bucket.untold.store(0, Ordering::Relaxed);
        }
    }
}

fn microseconds(moment: Timestamp) -> i64 {
    moment.millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

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

    const START: Timestamp = Timestamp::from_seconds(1000);

    fn nodes(count: usize, rate: Rate) -> Vec<Buckets<u8>> {
        (0..count).map(|_| Buckets::over_nodes(rate, |key| [*key; 16])).collect()
    }

    /// Every node tells the others what it took.
    fn exchange(nodes: &[Buckets<u8>], now: Timestamp) {
        let told: Vec<_> = nodes.iter().map(|node| node.untold(usize::MAX, now)).collect();
        for (from, told) in told.iter().enumerate() {
            for (to, node) in nodes.iter().enumerate().filter(|(to, _)| *to != from) {
                assert_ne!(from, to);
                told.iter().for_each(|(tag, cost)| node.taken_elsewhere(*tag, *cost, now));
            }
        }
    }

    #[test]
    fn what_was_taken_elsewhere_is_gone_here() {
        let nodes = nodes(2, Rate { per_second: 1.0, burst: 10 });
        for _ in 0..6 {
            nodes[0].take(&1, 1, START).unwrap();
        }
        exchange(&nodes, START);
        assert_eq!(nodes[1].take(&1, 1, START).unwrap().remaining, 3);
        assert_eq!(nodes[1].take(&2, 1, START).unwrap().remaining, 9, "another key has a bucket of its own");
        exchange(&nodes, START);
        assert_eq!(nodes[0].take(&1, 1, START).unwrap().remaining, 2);
        exchange(&nodes, START);
        exchange(&nodes, START);
        assert_eq!(nodes[1].take(&1, 1, START).unwrap().remaining, 1, "what was told is not told again");
    }

    #[test]
    fn the_emptiest_are_told_first_and_the_rest_later() {
        let buckets = &nodes(1, Rate { per_second: 1.0, burst: 1000 })[0];
        for (key, cost) in [(1, 20), (2, 400), (3, 9), (4, 100)] {
            buckets.take(&key, cost, START).unwrap();
        }
        assert_eq!(buckets.untold(2, START), [([2; 16], 400), ([4; 16], 100)]);
        buckets.take(&3, 2, START).unwrap();
        assert_eq!(buckets.untold(9, START), [([1; 16], 20), ([3; 16], 11)]);
        assert_eq!(buckets.untold(9, START), []);
    }

    #[test]
    fn nonsense_from_elsewhere_locks_nobody_out_for_long() {
        let buckets = &nodes(1, Rate { per_second: 1.0, burst: 10 })[0];
        for _ in 0..1000 {
            buckets.taken_elsewhere([1; 16], u32::MAX, START);
        }
        let Err(Error::Limited { retry_after, .. }) = buckets.take(&1, 1, START) else { panic!() };
        assert!(retry_after <= Duration::from_secs(10 * 64), "{retry_after:?}");
    }

    proptest! {
        /// Over all nodes no more than the rate and a burst for each node, whoever asks where and when.
        #[test]
        fn a_limit_holds_over_all_nodes(
            asked in vec((0..3usize, 0..400u64, any::<bool>()), 1..400),
        ) {
            let (per_second, burst) = (5.0, 20);
            let nodes = nodes(3, Rate { per_second, burst });
            let (mut now, mut let_through, mut since_exchange) = (START, 0.0, Duration::ZERO);
            for (node, millis, is_exchanged) in asked {
                let pause = Duration::from_millis(millis);
                (now, since_exchange) = (now.plus(pause), since_exchange + pause);
                if is_exchanged || since_exchange >= Duration::from_secs(1) {
                    exchange(&nodes, now);
                    since_exchange = Duration::ZERO;
                }
                let_through += if nodes[node].take(&1, 1, now).is_ok() { 1.0 } else { 0.0 };
                let passed = now.since(START).as_secs_f64();
                prop_assert!(let_through <= f64::from(burst) * 3.0 + per_second * passed, "{let_through} in {passed} s");
            }
        }
    }
}
