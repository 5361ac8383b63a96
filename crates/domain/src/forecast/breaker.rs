//! When a provider in trouble may be asked again: a pure state machine, one per provider. Nodes of one installation
//! share it where they share a database.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Random, Timestamp};

/// How a call ended, as far as the next call is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    /// 429: the provider says to wait, at least `retry_after` when it says how long.
    Limited {
        window: LimitWindow,
        retry_after: Option<Duration>,
    },
    /// HTML, 5xx, nonsense, timeout, no connection.
    Fault,
    /// The provider does not want us (MET Norway's 403): asking again makes it worse.
    Banned,
    /// It refused this one request (4xx); that says nothing about the next.
    Neutral,
}

/// Which of the provider's counters ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitWindow {
    /// Too many calls at one time.
    Concurrency,
    Minute,
    Hour,
    /// The UTC day.
    Day,
}

/// May the provider be called now?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    Go,
    /// Yes, one call: its outcome decides.
    Probe,
    Wait {
        until: Timestamp,
    },
    /// Not before the operator has acted.
    Off,
}

/// Closed (asks) → open (sleeps) → half open (asks once) → closed or open for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    state: State,
    /// Openings by faults in a row; each doubles the sleep.
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Closed { strikes: u32 },
    Open { until: Timestamp },
    HalfOpen { since: Timestamp },
    Off,
}

/// Faults in a row that open it: one may be chance.
const STRIKES: u32 = 3;
const FIRST_SLEEP: Duration = Duration::from_secs(5);
const LONGEST_SLEEP: Duration = Duration::from_secs(600);
/// A probe that has not reported by then was lost (its task was cancelled); another may go.
const PROBE_LOST: Duration = Duration::from_secs(30);
/// Longest sleep a `Retry-After` may impose.
const LONGEST_RETRY: Duration = Duration::from_secs(26 * 3600);

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { strikes: 0 }, openings: 0 }
    }
}

impl Breaker {
    /// Asks before a call. Whoever gets [`Permit::Probe`] must report its outcome.
    pub fn permit(&mut self, now: Timestamp) -> Permit {
        match self.state {
            State::Closed { .. } => Permit::Go,
            State::Off => Permit::Off,
            State::Open { until } if now < until => Permit::Wait { until },
            State::HalfOpen { since } if now < since.plus(PROBE_LOST) => {
                Permit::Wait { until: since.plus(PROBE_LOST) }
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { since: now };
                Permit::Probe
            }
        }
    }

    /// Reports a call's end. Calls that were under way when it opened change nothing by succeeding.
    pub fn record(&mut self, outcome: Outcome, now: Timestamp, random: &Random) {
        match (outcome, self.state) {
            (_, State::Off) | (Outcome::Success | Outcome::Fault | Outcome::Neutral, State::Open { .. }) => {}
            (Outcome::Success, _) | (Outcome::Neutral, State::HalfOpen { .. }) => *self = Self::default(),
            (Outcome::Neutral, State::Closed { .. }) => {}
            (Outcome::Banned, _) => self.state = State::Off,
            (Outcome::Limited { window, retry_after }, state) => {
                let until = window.over(retry_after, now, random);
                let until = if let State::Open { until: other } = state { until.max(other) } else { until };
                self.state = State::Open { until };
            }
            (Outcome::Fault, State::Closed { strikes }) if strikes + 1 < STRIKES => {
                self.state = State::Closed { strikes: strikes + 1 };
            }
            (Outcome::Fault, State::Closed { .. } | State::HalfOpen { .. }) => {
                let sleep = FIRST_SLEEP.saturating_mul(1 << self.openings.min(16)).min(LONGEST_SLEEP);
                self.openings = self.openings.saturating_add(1);
                // A quarter more or less apart, so that nodes do not come back together.
                self.state = State::Open { until: now.plus(sleep + random_part(sleep / 4, random)) };
            }
        }
    }

    /// The operator has acted (new key, new contact): start afresh.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether only the operator can make it ask again.
    pub fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// Whether calls go through as usual: for metrics and readiness.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }
}

impl LimitWindow {
    /// When its counter starts anew, by the clock, and a little later: clocks differ, and everybody else
    /// who was limited comes back at the full minute.
    fn over(self, retry_after: Option<Duration>, now: Timestamp, random: &Random) -> Timestamp {
        let (length_s, spread) = match self {
            Self::Concurrency => (1, Duration::from_secs(2)),
            Self::Minute => (60, Duration::from_secs(5)),
            Self::Hour => (3600, Duration::from_secs(60)),
            Self::Day => (86_400, Duration::from_secs(300)),
        };
        let seconds = now.seconds();
        let next = Timestamp::from_seconds(seconds - seconds.rem_euclid(length_s) + length_s);
        let asked = now.plus(retry_after.unwrap_or_default().min(LONGEST_RETRY));
        next.max(asked).plus(Duration::from_secs(1) + random_part(spread, random))
    }
}

fn random_part(of: Duration, random: &Random) -> Duration {
    Duration::from_millis(random.below(u64::try_from(of.as_millis()).unwrap_or(0) + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_seconds(text.parse::<jiff::Timestamp>().expect("a time").as_second())
    }

    /// Jitter of zero.
    fn still() -> Random {
        Random::new(|bytes| bytes.fill(0))
    }

    fn limited(window: LimitWindow) -> Outcome {
        Outcome::Limited { window, retry_after: None }
    }

    #[test]
    fn a_limit_sleeps_to_the_end_of_its_window() {
        let now = at("2026-12-31T22:41:04Z");
        for (window, until) in [
            (LimitWindow::Concurrency, "2026-12-31T22:41:06Z"),
            (LimitWindow::Minute, "2026-12-31T22:42:01Z"),
            (LimitWindow::Hour, "2026-12-31T23:00:01Z"),
            (LimitWindow::Day, "2027-01-01T00:00:01Z"),
        ] {
            let mut breaker = Breaker::default();
            breaker.record(limited(window), now, &still());
            assert_eq!(breaker.permit(now), Permit::Wait { until: at(until) });
            assert_eq!(breaker.permit(at(until)), Permit::Probe);
        }
        let mut breaker = Breaker::default();
        let retry_after = Some(Duration::from_secs(7200));
        breaker.record(Outcome::Limited { window: LimitWindow::Minute, retry_after }, now, &still());
        breaker.record(limited(LimitWindow::Minute), now, &still());
        assert_eq!(breaker.permit(now), Permit::Wait { until: at("2027-01-01T00:41:05Z") });
    }

    #[test]
    fn three_strikes_open_it_and_each_failed_probe_doubles_the_sleep() {
        let mut now = at("2026-11-21T09:41:04Z");
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.record(Outcome::Fault, now, &still());
            assert_eq!(breaker.permit(now), Permit::Go);
        }
        // A success in between forgives.
        breaker.record(Outcome::Success, now, &still());
        for _ in 0..3 {
            breaker.record(Outcome::Fault, now, &still());
        }
        for sleep in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
            let until = now.plus(Duration::from_secs(sleep));
            assert_eq!(breaker.permit(now), Permit::Wait { until });
            // Late answers of calls made before it opened.
            breaker.record(Outcome::Success, now, &still());
            breaker.record(Outcome::Fault, now, &still());
            now = until;
            assert_eq!(breaker.permit(now), Permit::Probe);
            breaker.record(Outcome::Fault, now, &still());
        }
        now = now.plus(Duration::from_secs(600));
        assert_eq!(breaker.permit(now), Permit::Probe);
        breaker.record(Outcome::Success, now, &still());
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn one_probe_at_a_time_but_a_lost_one_is_replaced() {
        let now = at("2026-11-21T09:41:04Z");
        let mut breaker = Breaker::default();
        breaker.record(limited(LimitWindow::Minute), now, &still());
        let awake = at("2026-11-21T09:42:01Z");
        assert_eq!(breaker.permit(awake), Permit::Probe);
        let lost = awake.plus(PROBE_LOST);
        assert_eq!(breaker.permit(awake), Permit::Wait { until: lost });
        assert_eq!(breaker.permit(lost), Permit::Probe);
    }

    #[test]
    fn a_ban_needs_the_operator_and_a_bad_request_does_not_count() {
        let now = at("2026-11-21T09:41:04Z");
        let mut breaker = Breaker::default();
        for _ in 0..9 {
            breaker.record(Outcome::Neutral, now, &still());
        }
        assert!(breaker.is_closed());
        breaker.record(Outcome::Banned, now, &still());
        breaker.record(Outcome::Success, now, &still());
        assert_eq!(breaker.permit(now.plus(Duration::from_secs(1_000_000))), Permit::Off);
        breaker.reset();
        assert_eq!(breaker.permit(now), Permit::Go);
    }

    #[test]
    fn every_state_can_be_kept() {
        let now = at("2026-11-21T09:41:04Z");
        let mut breaker = Breaker::default();
        let same = |breaker: &Breaker| {
            let stored = serde_json::to_string(breaker).expect("writes");
            assert_eq!(serde_json::from_str::<Breaker>(&stored).expect("reads"), *breaker, "{stored}");
        };
        same(&breaker);
        breaker.record(limited(LimitWindow::Minute), now, &still());
        same(&breaker);
        breaker.permit(at("2026-11-21T09:42:01Z"));
        same(&breaker);
        breaker.record(Outcome::Banned, now, &still());
        same(&breaker);
    }

    proptest! {
        #[test]
        fn waiting_always_ends(steps in prop::collection::vec((0..6u8, 0..100_000i64, any::<[u8; 8]>()), 1..60)) {
            let mut breaker = Breaker::default();
            let mut now = 1_795_253_296;
            for (kind, later, jitter) in steps {
                now += later;
                let moment = Timestamp::from_seconds(now);
                let random = Random::new(move |bytes| bytes.copy_from_slice(&jitter[..bytes.len()]));
                let outcome = match kind {
                    0 => Outcome::Success,
                    1 => Outcome::Fault,
                    2 => limited(LimitWindow::Minute),
                    3 => limited(LimitWindow::Hour),
                    4 => limited(LimitWindow::Day),
                    _ => Outcome::Neutral,
                };
                breaker.record(outcome, moment, &random);
                if let Permit::Wait { until } = breaker.permit(moment) {
                    prop_assert!(until > moment && until <= moment.plus(LONGEST_RETRY));
                    prop_assert_eq!(breaker.permit(until), Permit::Probe);
                }
            }
        }
    }
}
