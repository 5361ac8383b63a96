//! Time is an argument: everything that needs it is handed a [`Clock`] or a [`Timestamp`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How far the clocks of an installation's nodes may differ. A time that lies further in the future is wrong.
pub const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies in the future (clocks may step back).
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This, or the latest that a clock that is nearly right can have said by `now`.
    #[must_use]
    pub fn clamped(self, now: Self) -> Self {
        self.min(now.plus(CLOCK_SKEW))
    }

    /// RFC 3339 in UTC with whole seconds, `2026-11-21T09:28:16Z`.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_second(self.seconds()) {
            Ok(moment) => moment.to_string(),
            Err(_) => String::from("1970-01-01T00:00:00Z"),
        }
    }
}

/// Where the time comes from. Only `server` makes the system's; tests make one they can move.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System {
        /// Milliseconds that are added to the machine's.
        correction: Arc<AtomicI64>,
        made: Instant,
    },
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System { correction: Arc::default(), made: Instant::now() })
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.millis()))))
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { correction, .. } => {
                Timestamp(machine().saturating_add(correction.load(Ordering::Relaxed)))
            }
            Source::Fixed(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// From here on shows this time and goes on from it, whatever the machine's clock shows; so do its clones. Returns
    /// the milliseconds by which the machine's is behind, negative when it is ahead; `None` for a fixed clock, which
    /// stays as it is.
    pub fn set(&self, now: Timestamp) -> Option<i64> {
        let Source::System { correction, .. } = &self.0 else { return None };
        let behind = now.0.saturating_sub(machine());
        correction.store(behind, Ordering::Relaxed);
        Some(behind)
    }

    /// How long ago something was that no setting of a clock may move: only the difference of two means anything. Goes
    /// on while the process is stopped.
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System { made, .. } => made.elapsed(),
            Source::Fixed(millis) => {
                Duration::from_millis(u64::try_from(millis.load(Ordering::SeqCst)).unwrap_or(0))
            }
        }
    }

    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Source::Fixed(_))
    }

    /// Moves a fixed clock; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(millis) = &self.0 {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// Milliseconds since the epoch, as this machine has it.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
fn machine() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_goes_on_from_there() {
        let clock = Clock::system();
        let seen = clock.clone();
        let true_now = clock.now().plus(Duration::from_secs(300));
        assert!(clock.set(true_now).is_some_and(|behind| (299_000..=300_000).contains(&behind)));
        assert!(seen.now() >= true_now && seen.now().since(true_now) < Duration::from_secs(60));
        let fixed = Clock::fixed(Timestamp::from_seconds(100));
        assert_eq!((fixed.set(true_now), fixed.now()), (None, Timestamp::from_seconds(100)));
    }

    #[test]
    fn no_setting_moves_what_is_monotonic() {
        let clock = Clock::system();
        let before = clock.monotonic();
        clock.set(clock.now().minus(Duration::from_hours(1)));
        let after = clock.clone().monotonic();
        assert!(before <= after && after < before + Duration::from_mins(10));
        let fixed = Clock::fixed(Timestamp::from_seconds(100));
        let before = fixed.monotonic();
        fixed.advance(Duration::from_secs(5));
        assert_eq!(fixed.monotonic(), before + Duration::from_secs(5));
    }

    #[test]
    fn a_moment_prints_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_795_253_296_789).rfc3339(), "2026-11-21T09:28:16Z");
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(Timestamp::from_seconds(100));
        let seen = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(seen.now(), Timestamp::from_seconds(105));
        assert_eq!(Timestamp::from_seconds(100).since(seen.now()), Duration::ZERO);
    }
}
