//! Weather: where it is asked for ([`Cell`]), what a provider answered ([`Series`]), how it is shown
//! ([`Forecast`]), and when a provider may be asked again ([`Breaker`], [`Budget`], [`TtlPolicy`]).
//!
//! The model inside is one for all providers: unix seconds in UTC, °C, m/s, hPa at mean sea level, mm,
//! percent, metres of visibility, centimetres of new snow, degrees the wind comes from. A slot is
//! `[t, t + step_s)`; instants belong to `t`, sums, probabilities and gusts to the slot starting at `t`.
//! Days, "now", daylight and units are worked out on the way out, never stored.

pub mod breaker;
pub mod budget;
pub mod cell;
pub mod codec;
pub mod codes;
pub mod days;
pub mod provider;
pub mod series;
pub mod sun;
pub mod ttl;
pub mod units;
pub mod variable;
pub mod view;

pub use breaker::{Breaker, LimitWindow, Outcome, Permit};
pub use budget::{Budget, BudgetLimits, Share, Weight};
pub use cell::{Cell, CellKey};
pub use codes::{Icon, Language, WeatherCode};
pub use days::{Day, Place};
pub use provider::{Attribution, Pack, Source};
pub use series::{BadSeries, Series, SeriesBuilder, Slot};
pub use ttl::{Freshness, TtlPolicy};
pub use units::Units;
pub use variable::{Variable, VariableSet};
pub use view::{Daily, Forecast, Hourly, Now, ViewRequest};
