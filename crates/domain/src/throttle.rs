//! How failed sign-ins slow the next ones down: per account, per known device, per network.
//!
//! The rules look at numbers and at `now` alone; the counters live in the database, so that they hold across
//! nodes and restarts. They are kept for addresses that have no account as well: otherwise a refusal would
//! tell which exist.

use std::time::Duration;

use crate::{Error, Result, Timestamp};

/// Failures in a row that cost nothing.
pub const FREE_FAILURES: u32 = 5;
/// Failures in a row after which the password is refused until a mailed reset (NIST SP 800-63B-4, 3.2.2).
pub const MOST_FAILURES: u32 = 100;
/// The longest wait between two attempts.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);
/// Failures that one network may cause within [`NETWORK_WINDOW`].
pub const NETWORK_FAILURES: u32 = 100;
/// The window of [`NETWORK_FAILURES`], which begins with the first failure.
pub const NETWORK_WINDOW: Duration = Duration::from_secs(60 * 60);

/// What to do with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look at the password.
    Allowed,
    /// Not before this much time has passed; the password is not looked at.
    Wait(Duration),
    /// Not at all until the password was reset by mail.
    Refused,
}

impl Verdict {
    /// The sterner of two: an attempt must pass the throttle of its account and of its network.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Wait(one), Self::Wait(two)) => Self::Wait(one.max(two)),
            (Self::Wait(wait), Self::Allowed) | (Self::Allowed, Self::Wait(wait)) => Self::Wait(wait),
            (Self::Allowed, Self::Allowed) => Self::Allowed,
        }
    }

    /// Fails with `Limited`: `too_many_attempts`, or `password_refused` when only a reset helps.
    pub fn require_allowed(self) -> Result<()> {
        match self {
            Self::Allowed => Ok(()),
            Self::Wait(wait) => {
                Err(Error::limited("too_many_attempts", "too many failed attempts; wait and try again", wait))
            }
            Self::Refused => Err(Error::limited(
                "password_refused",
                "too many failed attempts; reset the password by mail",
                LONGEST_WAIT,
            )),
        }
    }
}

/// Failures in a row for one account, or for one device that signed in to it before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountThrottle {
    /// How many.
    pub failures: u32,
    /// When the last one was; meaningless while there is none.
    pub last_failure: Timestamp,
}

impl AccountThrottle {
    /// Five failures are free; then each doubles the wait before the next attempt, from 1 s to 30 min; after
    /// a hundred the password is refused.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        if self.failures >= MOST_FAILURES {
            return Verdict::Refused;
        }
        let Some(doublings) = self.failures.checked_sub(FREE_FAILURES) else {
            return Verdict::Allowed;
        };
        // Two to the eleventh seconds pass half an hour: a larger exponent changes nothing.
        let wait = Duration::from_secs(1 << doublings.min(11)).min(LONGEST_WAIT);
        match wait.saturating_sub(now.since(self.last_failure)) {
            Duration::ZERO => Verdict::Allowed,
            left => Verdict::Wait(left),
        }
    }

    /// One more failure, at `now`.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        Self { failures: self.failures.saturating_add(1), last_failure: self.last_failure.max(now) }
    }

    /// A success, or a mailed reset, forgets the failures.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self::default()
    }
}

/// Failures from one network (an IPv4 address, an IPv6 /64) in the current window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkThrottle {
    /// How many.
    pub failures: u32,
    /// When the window began; meaningless while there is none.
    pub since: Timestamp,
}

impl NetworkThrottle {
    /// Refuses for the rest of the hour after a hundred failures in it.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let left = NETWORK_WINDOW.saturating_sub(now.since(self.since));
        if self.failures < NETWORK_FAILURES || left.is_zero() {
            Verdict::Allowed
        } else {
            Verdict::Wait(left)
        }
    }

    /// One more failure, at `now`. A success does not clear it: many accounts share a network.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        if self.failures == 0 || now.since(self.since) >= NETWORK_WINDOW {
            Self { failures: 1, since: now }
        } else {
            Self { failures: self.failures.saturating_add(1), ..self }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    #[test]
    fn five_are_free_and_then_the_wait_doubles_to_half_an_hour() {
        let mut throttle = AccountThrottle::default();
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..MOST_FAILURES {
            if let Verdict::Wait(wait) = throttle.verdict(now) {
                waits.push(wait.as_secs());
                assert_eq!(throttle.verdict(now.plus(wait - Duration::from_millis(1))), {
                    Verdict::Wait(Duration::from_millis(1))
                });
                now = now.plus(wait);
            }
            assert_eq!(throttle.verdict(now), Verdict::Allowed);
            throttle = throttle.failed(now);
        }
        assert_eq!(waits[..12], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800]);
        assert_eq!(waits.len(), 95);
        assert!(waits[11..].iter().all(|wait| *wait == 1800));
        assert_eq!(throttle.verdict(now.plus(Duration::from_secs(1 << 40))), Verdict::Refused);
        assert_eq!(throttle.cleared().verdict(now), Verdict::Allowed);
    }

    #[test]
    fn counters_cannot_overflow() {
        let full = AccountThrottle { failures: u32::MAX, last_failure: START };
        assert_eq!(full.failed(START).verdict(START), Verdict::Refused);
        let full = NetworkThrottle { failures: u32::MAX, since: START };
        assert_eq!(full.failed(START).failures, u32::MAX);
    }

    #[test]
    fn a_network_has_a_hundred_failures_an_hour() {
        let mut network = NetworkThrottle::default();
        for second in 0..100 {
            let now = START.plus(Duration::from_secs(second));
            assert_eq!(network.verdict(now), Verdict::Allowed);
            network = network.failed(now);
        }
        let now = START.plus(Duration::from_secs(100));
        assert_eq!(network.verdict(now), Verdict::Wait(Duration::from_secs(3500)));
        let later = START.plus(NETWORK_WINDOW);
        assert_eq!(network.verdict(later), Verdict::Allowed);
        assert_eq!(network.failed(later), NetworkThrottle { failures: 1, since: later });
    }

    #[test]
    fn the_sterner_verdict_wins() {
        let short = Verdict::Wait(Duration::from_secs(1));
        let long = Verdict::Wait(Duration::from_secs(2));
        assert_eq!(Verdict::Allowed.and(short), short);
        assert_eq!(long.and(short), long);
        assert_eq!(long.and(Verdict::Refused), Verdict::Refused);
        assert!(Verdict::Allowed.and(Verdict::Allowed).require_allowed().is_ok());
        assert!(matches!(
            long.require_allowed(),
            Err(Error::Limited { code: "too_many_attempts", retry_after, .. }) if retry_after.as_secs() == 2
        ));
    }
}
