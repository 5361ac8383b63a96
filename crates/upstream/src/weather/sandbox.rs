//! Weather for development: without a network, the same on every machine, and bad on request.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use domain::forecast::{Cell, LimitWindow, Pack, Series, SeriesBuilder, Source, Variable, Weight};
use domain::{Coordinates, Timestamp};

use super::sandbox_climate::{Conditions, Push, Spot};
use super::{Answer, FetchError, Fetched, WeatherProvider};

const HOUR_S: i64 = 3600;
/// From a day ago, so that today has its first hours in every time zone, to 14 days ahead.
const BEFORE_H: i64 = 24;
const AHEAD_H: i64 = 14 * 24;
const SLOW: Duration = Duration::from_secs(4);

/// What an app developer wants to see handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Scenario {
    #[default]
    Fair = 0,
    /// Thunder, heavy rain and gales everywhere.
    Storm = 1,
    /// Fourteen degrees above the season, clear and dry.
    Heat = 2,
    /// The provider fails.
    Outage = 3,
    /// Answers take four seconds.
    Slow = 4,
    /// The provider's limit for the minute is used up.
    Limited = 5,
}

impl Scenario {
    pub const ALL: [Self; 6] = [Self::Fair, Self::Storm, Self::Heat, Self::Outage, Self::Slow, Self::Limited];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Fair => "fair",
            Self::Storm => "storm",
            Self::Heat => "heat",
            Self::Outage => "outage",
            Self::Slow => "slow",
            Self::Limited => "429",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    fn push(self) -> Push {
        match self {
            Self::Storm => Push { moisture: 2.2, temperature: 0.0, wind: 14.0 },
            Self::Heat => Push { moisture: -2.0, temperature: 14.0, wind: 0.0 },
            Self::Fair | Self::Outage | Self::Slow | Self::Limited => Push::default(),
        }
    }
}

/// A provider whose weather is computed from place, date and season. Every answer says `sandbox`.
#[derive(Default)]
pub struct Sandbox {
    scenario: AtomicU8,
}

impl Sandbox {
    pub fn new(scenario: Scenario) -> Self {
        Self { scenario: AtomicU8::new(scenario as u8) }
    }

    pub fn scenario(&self) -> Scenario {
        let number = self.scenario.load(Ordering::Relaxed);
        Scenario::ALL.into_iter().find(|scenario| *scenario as u8 == number).unwrap_or_default()
    }

    /// Changes what the next fetches answer.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.scenario.store(scenario as u8, Ordering::Relaxed);
    }

    async fn fetch_all(&self, cells: &[Cell], pack: Pack, now: Timestamp) -> Fetched {
        let scenario = self.scenario();
        match scenario {
            Scenario::Outage => return Err(FetchError::Server { status: 503 }),
            Scenario::Limited => {
                return Err(FetchError::Limited { window: LimitWindow::Minute, retry_after: None });
            }
            Scenario::Slow => tokio::time::sleep(SLOW).await,
            Scenario::Fair | Scenario::Storm | Scenario::Heat => {}
        }
        let mut answers = Vec::with_capacity(cells.len());
        for cell in cells {
            answers.push(
                series(*cell, pack, scenario.push(), now).map(|series| Answer { series, expires_at: None }),
            );
            // A batch of fifty takes tens of milliseconds of arithmetic; others may go in between.
            tokio::task::yield_now().await;
        }
        Ok(answers)
    }
}

fn series(cell: Cell, pack: Pack, push: Push, now: Timestamp) -> Result<Series, FetchError> {
    let spot = Spot::new(cell.centre(), cell.band_elevation(), push);
    let this_hour = now.seconds() - now.seconds().rem_euclid(HOUR_S);
    let starts = (-BEFORE_H..AHEAD_H).map(|hour| this_hour + hour * HOUR_S);
    let hours: Vec<Conditions> = starts.clone().map(|start| spot.conditions(start)).collect();
    let issued_at = Timestamp::from_seconds(this_hour);
    let mut builder = SeriesBuilder::new(Source::Sandbox, pack, now)
        .issued_at(issued_at)
        .slots(starts.map(|start| (start, HOUR_S as u32)))?;
    for variable in pack.variables() {
        builder = builder.column(*variable, hours.iter().map(|hour| hour.get(*variable)))?;
    }
    Ok(builder.build()?)
}

impl Conditions {
    fn get(&self, variable: Variable) -> Option<f64> {
        Some(match variable {
            Variable::Temperature => self.temperature,
            Variable::ApparentTemperature => self.apparent_temperature,
            Variable::Humidity => self.humidity,
            Variable::Precipitation => self.precipitation,
            Variable::PrecipitationProbability => self.precipitation_probability,
            Variable::WeatherCode => f64::from(self.weather_code),
            Variable::CloudCover => self.cloud_cover,
            Variable::WindSpeed => self.wind_speed,
            Variable::WindDirection => self.wind_direction,
            Variable::WindGust => self.wind_gust,
            Variable::Pressure => self.pressure,
            Variable::Visibility => self.visibility,
            Variable::Snowfall => self.snowfall,
            Variable::UvIndex => self.uv_index,
            Variable::DewPoint | Variable::IsDay => return None,
        })
    }
}

impl WeatherProvider for Sandbox {
    fn source(&self) -> Source {
        Source::Sandbox
    }

    fn batch(&self) -> usize {
        50
    }

    fn weight(&self, _cells: usize, _pack: Pack) -> Weight {
        Weight::ZERO
    }

    fn fetch<'a>(
        &'a self,
        cells: &'a [Cell],
        pack: Pack,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>> {
        Box::pin(self.fetch_all(cells, pack, now))
    }

    /// Made-up weather has no terrain of its own; the nearest place lends its height.
    fn elevations<'a>(
        &'a self,
        points: &'a [Coordinates],
    ) -> Pin<Box<dyn Future<Output = Vec<Option<i32>>> + Send + 'a>> {
        Box::pin(std::future::ready(vec![None; points.len()]))
    }
}
