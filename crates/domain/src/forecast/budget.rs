//! What a provider lets us spend, counted by the clock as the providers count it.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The cost of calls in thousandths of one call: an integer, so that a day of sums stays exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(u64);

impl Weight {
    pub const ZERO: Self = Self(0);

    pub const fn calls(calls: u64) -> Self {
        Self(calls.saturating_mul(1000))
    }

    pub const fn from_milli(milli: u64) -> Self {
        Self(milli)
    }

    pub const fn milli(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Who a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Cells in which favourites live: may spend everything, and half of it is theirs alone.
    Favourites,
    /// Explicit points and place pages: at most half, so that nobody burns the day's weather for the others.
    Points,
}

/// Most weight per minute, hour, UTC day and UTC month; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetLimits {
    pub minute: Option<Weight>,
    pub hour: Option<Weight>,
    pub day: Option<Weight>,
    pub month: Option<Weight>,
}

impl BudgetLimits {
    /// An operator's own container, the sandbox.
    pub const UNLIMITED: Self = Self { minute: None, hour: None, day: None, month: None };

    /// The free host of Open-Meteo, per address. Source: its terms.
    pub const OPEN_METEO_FREE: Self = Self {
        minute: Some(Weight::calls(600)),
        hour: Some(Weight::calls(5_000)),
        day: Some(Weight::calls(10_000)),
        month: Some(Weight::calls(300_000)),
    };

    /// A paid plan of `calls` a month.
    pub const fn monthly(calls: u64) -> Self {
        Self { month: Some(Weight::calls(calls)), ..Self::UNLIMITED }
    }

    fn of(&self, period: Period) -> Option<Weight> {
        match period {
            Period::Minute => self.minute,
            Period::Hour => self.hour,
            Period::Day => self.day,
            Period::Month => self.month,
        }
    }
}

/// The weight spent in the running windows. Serializable: a restart must not forget it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    windows: [Window; 4],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    /// Unix seconds.
    start: i64,
    spent: Weight,
    by_points: Weight,
}

#[derive(Clone, Copy)]
enum Period {
    Minute,
    Hour,
    Day,
    Month,
}

const PERIODS: [Period; 4] = [Period::Minute, Period::Hour, Period::Day, Period::Month];

/// Above this share of an hour's, day's or month's limit, answers live twice as long.
const LOW_PERCENT: u64 = 80;

/// The call does not fit any more; it may after `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    pub until: Timestamp,
}

impl Exhausted {
    pub fn retry_after(self, now: Timestamp) -> Duration {
        self.until.since(now)
    }
}

impl Budget {
    /// Takes `weight` if it fits into every window, or takes nothing.
    pub fn spend(
        &mut self,
        limits: &BudgetLimits,
        share: Share,
        weight: Weight,
        now: Timestamp,
    ) -> Result<(), Exhausted> {
        self.check(limits, share, weight, now)?;
        self.charge(share, weight, now);
        Ok(())
    }

    /// Whether `weight` would fit; on refusal the moment when the last window in the way ends.
    pub fn check(
        &self,
        limits: &BudgetLimits,
        share: Share,
        weight: Weight,
        now: Timestamp,
    ) -> Result<(), Exhausted> {
        let mut until = None;
        for (period, window) in PERIODS.into_iter().zip(self.at(now).windows) {
            let Some(limit) = limits.of(period) else { continue };
            let over = window.spent.plus(weight) > limit;
            let over_half = window.by_points.plus(weight).0.saturating_mul(2) > limit.0;
            if over || (share == Share::Points && over_half) {
                until = until.max(Some(period.end(now)));
            }
        }
        until.map_or(Ok(()), |until| Err(Exhausted { until }))
    }

    /// Counts what was spent whether or not it fits: a call made elsewhere, or one dearer than expected.
    pub fn charge(&mut self, share: Share, weight: Weight, now: Timestamp) {
        *self = self.at(now);
        for window in &mut self.windows {
            window.spent = window.spent.plus(weight);
            if share == Share::Points {
                window.by_points = window.by_points.plus(weight);
            }
        }
    }

    /// 2 while 80 % of an hour's, day's or month's limit is spent, else 1. Minutes are too short to matter.
    pub fn ttl_factor(&self, limits: &BudgetLimits, now: Timestamp) -> u32 {
        let low = PERIODS.into_iter().zip(self.at(now).windows).skip(1).any(|(period, window)| {
            limits.of(period).is_some_and(|limit| {
                window.spent.0.saturating_mul(100) >= limit.0.saturating_mul(LOW_PERCENT)
            })
        });
        if low { 2 } else { 1 }
    }

    /// Spent in the running minute, hour, day and month: for metrics.
    pub fn spent(&self, now: Timestamp) -> [Weight; 4] {
        self.at(now).windows.map(|window| window.spent)
    }

    /// The windows as they stand at `now`. A clock that stepped back resets nothing: better to spend less.
    fn at(&self, now: Timestamp) -> Self {
        let mut windows = self.windows;
        for (period, window) in PERIODS.into_iter().zip(&mut windows) {
            let start = period.start(now);
            if start > window.start {
                *window = Window { start, ..Window::default() };
            }
        }
        Self { windows }
    }
}

impl Period {
    fn start(self, now: Timestamp) -> i64 {
        let seconds = now.seconds();
        match self.length_s() {
            Some(length) => seconds - seconds.rem_euclid(length),
            None => unix(month(seconds).first_of_month()),
        }
    }

    fn end(self, now: Timestamp) -> Timestamp {
        let seconds = match self.length_s() {
            Some(length) => self.start(now).saturating_add(length),
            None => unix(month(now.seconds()).last_of_month()).saturating_add(86_400),
        };
        Timestamp::from_seconds(seconds)
    }

    fn length_s(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3600),
            Self::Day => Some(86_400),
            Self::Month => None,
        }
    }
}

fn month(seconds: i64) -> Date {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

fn unix(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |midnight| midnight.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_seconds(text.parse::<jiff::Timestamp>().expect("a time").as_second())
    }

    const LIMITS: BudgetLimits = BudgetLimits {
        minute: Some(Weight::calls(10)),
        hour: Some(Weight::calls(20)),
        day: Some(Weight::calls(30)),
        month: Some(Weight::calls(100)),
    };

    #[test]
    fn points_get_half_and_favourites_the_rest() {
        let now = at("2026-11-21T09:41:04Z");
        let mut budget = Budget::default();
        assert_eq!(budget.spend(&LIMITS, Share::Points, Weight::calls(5), now), Ok(()));
        let minute_ends = Err(Exhausted { until: at("2026-11-21T09:42:00Z") });
        assert_eq!(budget.spend(&LIMITS, Share::Points, Weight::from_milli(1), now), minute_ends);
        assert_eq!(budget.spend(&LIMITS, Share::Favourites, Weight::calls(5), now), Ok(()));
        assert_eq!(budget.spend(&LIMITS, Share::Favourites, Weight::from_milli(1), now), minute_ends);
        assert_eq!(budget.spent(now), [Weight::calls(10); 4]);
    }

    #[test]
    fn each_window_ends_on_the_clock() {
        let now = at("2026-11-30T23:59:59Z");
        let mut budget = Budget::default();
        for (weight, until) in [(11, "2026-12-01T00:00:00Z"), (21, "2026-12-01T00:00:00Z")] {
            let refused = budget.check(&LIMITS, Share::Favourites, Weight::calls(weight), now);
            assert_eq!(refused, Err(Exhausted { until: at(until) }));
        }
        budget.charge(Share::Favourites, Weight::calls(100), at("2026-11-21T09:41:04Z"));
        let full_month =
            budget.check(&LIMITS, Share::Favourites, Weight::calls(1), at("2026-11-22T00:00:00Z"));
        assert_eq!(full_month, Err(Exhausted { until: at("2026-12-01T00:00:00Z") }));
        assert_eq!(
            budget.check(&LIMITS, Share::Favourites, Weight::calls(1), at("2026-12-01T00:00:00Z")),
            Ok(())
        );
        // The clock steps back: what was spent still counts.
        assert!(
            budget.check(&LIMITS, Share::Favourites, Weight::calls(1), at("2026-10-01T00:00:00Z")).is_err()
        );
    }

    #[test]
    fn at_80_percent_answers_live_longer() {
        let now = at("2026-11-21T09:41:04Z");
        let mut budget = Budget::default();
        budget.charge(Share::Favourites, Weight::from_milli(15_999), now);
        assert_eq!(budget.ttl_factor(&LIMITS, now), 1);
        budget.charge(Share::Favourites, Weight::from_milli(1), now);
        assert_eq!(budget.ttl_factor(&LIMITS, now), 2);
        assert_eq!(budget.ttl_factor(&BudgetLimits::UNLIMITED, now), 1);
        assert_eq!(budget.ttl_factor(&LIMITS, at("2026-11-21T10:00:00Z")), 1);
    }

    #[test]
    fn a_budget_survives_a_restart() {
        let now = at("2026-11-21T09:41:04Z");
        let mut budget = Budget::default();
        budget.charge(Share::Points, Weight::from_milli(1143), now);
        let stored = serde_json::to_string(&budget).expect("writes");
        assert_eq!(serde_json::from_str::<Budget>(&stored).expect("reads"), budget);
    }

    proptest! {
        #[test]
        fn no_window_is_ever_overspent(calls in prop::collection::vec((0..4000i64, any::<bool>(), 1..4000u64), 1..200)) {
            let mut budget = Budget::default();
            let mut now = 1_795_253_296;
            for (later, points, milli) in calls {
                now += later;
                let share = if points { Share::Points } else { Share::Favourites };
                let moment = Timestamp::from_seconds(now);
                let outcome = budget.spend(&LIMITS, share, Weight::from_milli(milli), moment);
                if let Err(exhausted) = outcome {
                    prop_assert!(exhausted.until > moment);
                }
                for (window, period) in budget.windows.iter().zip(PERIODS) {
                    let limit = LIMITS.of(period).expect("limited");
                    prop_assert!(window.spent <= limit);
                    prop_assert!(window.by_points.0 * 2 <= limit.0);
                    prop_assert!(window.by_points <= window.spent);
                }
            }
        }
    }
}
