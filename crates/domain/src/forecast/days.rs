//! A place's own days out of a series: of 23, 24 or 25 hours, whatever its clocks do.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::codes::WeatherCode;
use super::series::{Column, Series};
use super::sun::Daylight;
use super::units::Units;
use super::variable::Variable;
use crate::{Coordinates, Timestamp};

/// Where a forecast is shown for.
#[derive(Clone, Debug)]
pub struct Place {
    pub coordinates: Coordinates,
    /// Metres above sea level; unknown counts as the cell's band, so temperatures are not shifted.
    pub elevation_m: Option<f32>,
    /// The IANA zone that its days follow.
    pub zone: TimeZone,
}

/// One local day. Values are in the units asked for, rounded; `None` is "not known", not 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    pub date: Date,
    /// Lowest and highest hourly temperature of the whole day, hours already past included.
    pub temperature_min: Option<f64>,
    pub temperature_max: Option<f64>,
    /// The sum of the day's slots.
    pub precipitation: Option<f64>,
    /// Percent: the highest of the day's slots.
    pub precipitation_probability: Option<u8>,
    /// The most severe code of the day.
    pub weather_code: Option<u8>,
    pub wind_speed_max: Option<f64>,
    pub wind_gust_max: Option<f64>,
    /// `None` in polar day and polar night.
    pub sunrise: Option<Timestamp>,
    pub sunset: Option<Timestamp>,
}

/// A local date and its stretch in unix seconds, `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDay {
    pub date: Date,
    pub start: i64,
    pub end: i64,
}

impl LocalDay {
    /// The local day that holds unix second `at`; `None` outside the years that a calendar knows.
    pub fn holding(at: i64, zone: &TimeZone) -> Option<Self> {
        let date = zone.to_datetime(jiff::Timestamp::from_second(at).ok()?).date();
        Self::of(date, zone)
    }

    /// A date that a zone skipped (Samoa, 2011-12-30) is a day without any length.
    pub fn of(date: Date, zone: &TimeZone) -> Option<Self> {
        let end = start_of(date.tomorrow().ok()?, zone)?;
        let start = start_of(date, zone)?.min(end);
        Some(Self { date, start, end })
    }

    pub fn next(&self, zone: &TimeZone) -> Option<Self> {
        Self::of(self.date.tomorrow().ok()?, zone)
    }

    pub fn length_s(&self) -> i64 {
        self.end - self.start
    }

    fn holds(&self, at: i64) -> bool {
        (self.start..self.end).contains(&at)
    }
}

/// A date's first moment: where midnight is skipped, the moment after the gap; where it comes twice, the first.
fn start_of(date: Date, zone: &TimeZone) -> Option<i64> {
    let midnight = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible().ok()?;
    Some(midnight.as_second())
}

/// The columns that days are made of, looked up once.
pub(super) struct DayColumns<'a> {
    series: &'a Series,
    temperature: Option<Column<'a>>,
    precipitation: Option<Column<'a>>,
    probability: Option<Column<'a>>,
    weather_code: Option<Column<'a>>,
    wind_speed: Option<Column<'a>>,
    wind_gust: Option<Column<'a>>,
}

/// What the slots of one day add up to, in the model's units.
#[derive(Default)]
struct Sums {
    covered_s: i64,
    temperature: Option<(f32, f32)>,
    precipitation: Option<f32>,
    probability: Option<f32>,
    worst: Option<WeatherCode>,
    wind_speed: Option<f32>,
    wind_gust: Option<f32>,
}

impl<'a> DayColumns<'a> {
    pub fn of(series: &'a Series) -> Self {
        Self {
            series,
            temperature: series.column(Variable::Temperature),
            precipitation: series.column(Variable::Precipitation),
            probability: series.column(Variable::PrecipitationProbability),
            weather_code: series.column(Variable::WeatherCode),
            wind_speed: series.column(Variable::WindSpeed),
            wind_gust: series.column(Variable::WindGust),
        }
    }

    /// The day's summary with `shift` °C added to temperatures; `None` when less than `least` of it is known.
    pub fn summary(
        &self,
        day: &LocalDay,
        place: &Place,
        shift: f32,
        units: Units,
        least: f64,
    ) -> Option<Day> {
        let sums = self.add_up(day);
        if sums.covered_s == 0 || (sums.covered_s as f64) < day.length_s() as f64 * least {
            return None;
        }
        let daylight = Daylight::around(place.coordinates, day.start + day.length_s() / 2);
        let converted = |variable, value: Option<f32>| value.map(|value| units.convert(variable, value));
        Some(Day {
            date: day.date,
            temperature_min: converted(Variable::Temperature, sums.temperature.map(|(low, _)| low + shift)),
            temperature_max: converted(Variable::Temperature, sums.temperature.map(|(_, high)| high + shift)),
            precipitation: converted(Variable::Precipitation, sums.precipitation),
            precipitation_probability: sums.probability.map(|percent| percent.round() as u8),
            weather_code: sums.worst.map(WeatherCode::number),
            wind_speed_max: converted(Variable::WindSpeed, sums.wind_speed),
            wind_gust_max: converted(Variable::WindGust, sums.wind_gust),
            sunrise: daylight.sunrise.map(Timestamp::from_seconds),
            sunset: daylight.sunset.map(Timestamp::from_seconds),
        })
    }

    /// Instants count for the day that holds them, sums and maxima for the day that holds their slot's middle.
    fn add_up(&self, day: &LocalDay) -> Sums {
        let mut sums = Sums::default();
        let Some(first) = self.series.first_ending_after(day.start) else { return sums };
        let value = |column: &Option<Column<'_>>, index| column.as_ref().and_then(|column| column.get(index));
        for slot in self.series.slots_from(first.index).take_while(|slot| slot.start < day.end) {
            sums.covered_s += (slot.end().min(day.end) - slot.start.max(day.start)).max(0);
            if day.holds(slot.start) {
                if let Some(value) = value(&self.temperature, slot.index) {
                    let (low, high) = sums.temperature.unwrap_or((value, value));
                    sums.temperature = Some((low.min(value), high.max(value)));
                }
                sums.wind_speed = highest(sums.wind_speed, value(&self.wind_speed, slot.index));
            }
            if day.holds(slot.middle()) {
                if let Some(value) = value(&self.precipitation, slot.index) {
                    sums.precipitation = Some(sums.precipitation.unwrap_or(0.0) + value);
                }
                sums.probability = highest(sums.probability, value(&self.probability, slot.index));
                sums.wind_gust = highest(sums.wind_gust, value(&self.wind_gust, slot.index));
                let code = value(&self.weather_code, slot.index)
                    .and_then(|number| WeatherCode::from_number(number as u8));
                sums.worst = sums.worst.into_iter().chain(code).max_by_key(|code| code.severity());
            }
        }
        sums
    }
}

fn highest(so_far: Option<f32>, value: Option<f32>) -> Option<f32> {
    match (so_far, value) {
        (Some(so_far), Some(value)) => Some(so_far.max(value)),
        (so_far, value) => so_far.or(value),
    }
}
