//! How long an answer is good for.

use std::time::Duration;

use super::cell::Cell;
use crate::Timestamp;
use crate::clock::CLOCK_SKEW;

/// What may be done with an answer of a certain age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it and refresh it behind the answer.
    Ageing,
    /// Refresh it first; serve it, marked stale, when that fails.
    Stale,
    /// Too old for anybody, or not of this time at all.
    Dead,
}

/// The ages at which an answer stops being fresh, usable without asking, usable at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlPolicy {
    pub soft: Duration,
    /// Each cell's soft age is longer by its own share of this, so that cells fetched in one batch
    /// do not all fall due in one second.
    pub jitter: Duration,
    pub hard: Duration,
    pub dead: Duration,
    /// How far the clock of the node that fetched an answer may be ahead of ours.
    pub ahead: Duration,
}

impl Default for TtlPolicy {
    /// No model behind Open-Meteo changes a cell more often than hourly.
    fn default() -> Self {
        Self {
            soft: Duration::from_secs(3600),
            jitter: Duration::from_secs(600),
            hard: Duration::from_secs(3 * 3600),
            dead: Duration::from_secs(48 * 3600),
            ahead: CLOCK_SKEW,
        }
    }
}

impl TtlPolicy {
    /// When the answer for `cell` should be refreshed. `factor` is 1, or 2 while the provider's budget runs low
    /// (see [`super::Budget::ttl_factor`]); the hard and the dead age never stretch.
    pub fn due(&self, cell: Cell, fetched_at: Timestamp, factor: u32) -> Timestamp {
        let jitter_ms = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        let own = Duration::from_millis(cell.scatter() % jitter_ms.saturating_add(1));
        fetched_at.plus((self.soft + own).saturating_mul(factor.max(1)))
    }

    /// The last moment at which an answer can have been fetched by now. One that says later was fetched by a node whose
    /// clock was far ahead, or before ours was set back: nobody knows how old it is, and believed it would stay fresh
    /// until that time has come.
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        now.plus(self.ahead)
    }

    pub fn freshness(&self, cell: Cell, fetched_at: Timestamp, now: Timestamp, factor: u32) -> Freshness {
        let age = now.since(fetched_at);
        if age >= self.dead || fetched_at > self.latest(now) {
            Freshness::Dead
        } else if age >= self.hard {
            Freshness::Stale
        } else if now >= self.due(cell, fetched_at, factor) {
            Freshness::Ageing
        } else {
            Freshness::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Coordinates;

    #[test]
    fn an_answer_ages_in_steps() {
        let cell = Cell::of(Coordinates::parse(38.7, -9.1).expect("on earth"), 45.0);
        let policy = TtlPolicy::default();
        let fetched = Timestamp::from_seconds(1_795_253_296);
        let after = |minutes: u64, factor| {
            policy.freshness(cell, fetched, fetched.plus(Duration::from_secs(minutes * 60)), factor)
        };
        assert_eq!(after(59, 1), Freshness::Fresh);
        assert_eq!(after(71, 1), Freshness::Ageing);
        assert_eq!(after(71, 2), Freshness::Fresh);
        assert_eq!(after(141, 2), Freshness::Ageing);
        assert_eq!(after(180, 2), Freshness::Stale);
        assert_eq!(after(48 * 60, 2), Freshness::Dead);
        // A clock that stepped back a little makes nothing stale.
        let before = |millis| fetched.minus(Duration::from_millis(millis));
        assert_eq!(policy.freshness(cell, fetched, before(300_000), 1), Freshness::Fresh);
        assert_eq!(policy.freshness(cell, fetched, before(300_001), 1), Freshness::Dead);
    }

    proptest! {
        #[test]
        fn cells_fall_due_within_the_jitter(lat in -90.0..90.0f64, lon in -180.0..180.0f64) {
            let cell = Cell::of(Coordinates::parse(lat, lon).expect("on earth"), 0.0);
            let due = TtlPolicy::default().due(cell, Timestamp::from_seconds(0), 1).seconds();
            prop_assert!((3600..=4200).contains(&due));
        }
    }
}
