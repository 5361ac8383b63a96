//! A forecast as somebody sees it: their place, their time zone, their units, from now on.

use jiff::civil::Date;

use super::cell::Cell;
use super::codes::WeatherCode;
use super::days::{Day, DayColumns, LocalDay, Place};
use super::provider::{Attribution, Source};
use super::series::{Column, Series, Slot};
use super::sun::Sun;
use super::ttl::TtlPolicy;
use super::units::Units;
use super::variable::{Variable, VariableSet};
use crate::Timestamp;

/// How temperature falls with height in the standard atmosphere, in K/m.
const LAPSE: f32 = 0.0065;
/// A day after today is shown when at least this much of it is known: a minimum of three night hours misleads.
const LEAST_OF_A_DAY: f64 = 0.75;
/// One position of the sun serves the slots this near to it, in seconds.
const SUN_SERVES_S: i64 = 3 * 3600;

/// How much of a forecast is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewRequest {
    /// Hours from the start of the slot that holds now; 0 for none.
    pub hours: u32,
    /// Local days from today; 0 for none. `today` is there in any case.
    pub days: u32,
    pub units: Units,
    /// The hourly variables; `now` always has all.
    pub variables: VariableSet,
}

impl ViewRequest {
    /// Everything a provider gave.
    pub const fn full(units: Units) -> Self {
        Self { hours: 16 * 24, days: 16, units, variables: VariableSet::ALL }
    }
}

/// What is shown. Values are in `units`, rounded to what a reader can use ([`Units::decimals`]); `None` is
/// "not known", never 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub source: Source,
    pub attribution: Attribution,
    /// When the provider computed it; `None` where it does not say.
    pub issued_at: Option<Timestamp>,
    pub fetched_at: Timestamp,
    /// Whole seconds since it was fetched.
    pub age_s: u64,
    /// Older than any answer should be: the provider has been out of reach for hours.
    pub stale: bool,
    /// The IANA name of the zone that `today` and `daily` follow, where it has one.
    pub tz: Option<String>,
    pub units: Units,
    /// `None` when no slot holds the present (an answer that has run out).
    pub now: Option<Now>,
    pub today: Option<Day>,
    pub hourly: Hourly,
    pub daily: Daily,
}

/// The slot that holds the present, with the instants of its start; only `is_day` is of the very moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Now {
    /// When the slot starts.
    pub time: Timestamp,
    pub step_s: u32,
    pub temperature: Option<f64>,
    pub apparent_temperature: Option<f64>,
    pub dew_point: Option<f64>,
    pub humidity: Option<u8>,
    pub pressure: Option<f64>,
    pub cloud_cover: Option<u8>,
    pub visibility: Option<f64>,
    pub precipitation: Option<f64>,
    pub precipitation_probability: Option<u8>,
    pub snowfall: Option<f64>,
    pub weather_code: Option<u8>,
    pub wind_speed: Option<f64>,
    pub wind_direction: Option<u16>,
    pub wind_gust: Option<f64>,
    pub uv_index: Option<f64>,
    pub is_day: bool,
}

/// One array per variable, all as long as `time`; a variable that was not asked for, or that the answer does
/// not carry at all, is an empty array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hourly {
    /// When each slot starts.
    pub time: Vec<Timestamp>,
    /// How long each slot is, in seconds.
    pub step_s: Vec<u32>,
    pub temperature: Vec<Option<f64>>,
    pub apparent_temperature: Vec<Option<f64>>,
    pub dew_point: Vec<Option<f64>>,
    pub humidity: Vec<Option<u8>>,
    pub pressure: Vec<Option<f64>>,
    pub cloud_cover: Vec<Option<u8>>,
    pub visibility: Vec<Option<f64>>,
    pub precipitation: Vec<Option<f64>>,
    pub precipitation_probability: Vec<Option<u8>>,
    pub snowfall: Vec<Option<f64>>,
    pub weather_code: Vec<Option<u8>>,
    pub wind_speed: Vec<Option<f64>>,
    pub wind_direction: Vec<Option<u16>>,
    pub wind_gust: Vec<Option<f64>>,
    pub uv_index: Vec<Option<f64>>,
    /// At the start of each slot.
    pub is_day: Vec<bool>,
}

/// One array per value of [`Day`], all as long as `date`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Daily {
    pub date: Vec<Date>,
    pub temperature_min: Vec<Option<f64>>,
    pub temperature_max: Vec<Option<f64>>,
    pub precipitation: Vec<Option<f64>>,
    pub precipitation_probability: Vec<Option<u8>>,
    pub weather_code: Vec<Option<u8>>,
    pub wind_speed_max: Vec<Option<f64>>,
    pub wind_gust_max: Vec<Option<f64>>,
    pub sunrise: Vec<Option<Timestamp>>,
    pub sunset: Vec<Option<Timestamp>>,
}

impl Forecast {
    /// `core` holds the hours, `detail` adds its variables where it comes from the same source (a forecast is
    /// never spliced from two). `cell` is the one both were fetched for: temperatures are shifted from its
    /// elevation band to the place's own elevation.
    pub fn of(
        core: &Series,
        detail: Option<&Series>,
        cell: Cell,
        place: &Place,
        request: &ViewRequest,
        now: Timestamp,
    ) -> Self {
        let reader = Reader::new(core, detail, cell, place, request.units);
        let at = now.seconds();
        let current = core.slot_at(at);
        let age = now.since(core.fetched_at());
        let (today, daily) = reader.days(request.days, at);
        Self {
            source: core.source(),
            attribution: core.source().attribution(),
            issued_at: core.issued_at(),
            fetched_at: core.fetched_at(),
            age_s: age.as_secs(),
            stale: age >= TtlPolicy::default().hard,
            tz: place.zone.iana_name().map(String::from),
            units: request.units,
            now: current.map(|slot| reader.now(slot, at)),
            today,
            hourly: reader.hourly(request, core.first_ending_after(at)),
            daily,
        }
    }

    /// Whether a reader sees the same: all values, and where they come from. When they were fetched is no
    /// value.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        let values = |of: &Self| (of.source, of.units, of.tz.clone());
        values(self) == values(other)
            && (&self.now, &self.today) == (&other.now, &other.today)
            && (&self.hourly, &self.daily) == (&other.hourly, &other.daily)
    }
}

/// A series' columns, found once, and how to show them.
struct Reader<'a> {
    core: &'a Series,
    detail: Option<&'a Series>,
    place: &'a Place,
    units: Units,
    /// °C to add to every temperature.
    shift: f32,
    columns: [Option<Column<'a>>; 14],
}

impl<'a> Reader<'a> {
    fn new(core: &'a Series, detail: Option<&'a Series>, cell: Cell, place: &'a Place, units: Units) -> Self {
        let detail = detail.filter(|detail| detail.source() == core.source());
        let shift = place.elevation_m.filter(|metres| metres.is_finite());
        let shift = shift.map_or(0.0, |metres| (cell.band_elevation() - metres) * LAPSE);
        let mut columns = [None; 14];
        for (variable, column) in Variable::ALL.into_iter().zip(&mut columns) {
            *column = core.column(variable).or_else(|| detail?.column(variable));
        }
        Self { core, detail, place, units, shift, columns }
    }

    /// Where the values of `slot` are in the detail columns, which may begin at another hour.
    fn detail_index(&self, slot: Slot) -> Option<usize> {
        let other = self.detail?.slot_at(slot.start)?;
        (other.start == slot.start && other.step_s == slot.step_s).then_some(other.index)
    }

    fn has(&self, variable: Variable) -> bool {
        match variable {
            Variable::IsDay => true,
            Variable::DewPoint => self.has(Variable::Temperature) && self.has(Variable::Humidity),
            _ => self.columns.get(variable as usize).is_some_and(Option::is_some),
        }
    }

    /// A stored value in the model's units, temperatures shifted to the place's elevation.
    fn model(&self, variable: Variable, index: usize) -> Option<f32> {
        let value = self.columns.get(variable as usize)?.as_ref()?.get(index)?;
        match variable {
            Variable::Temperature | Variable::ApparentTemperature => Some(value + self.shift),
            _ => Some(value),
        }
    }

    fn shown(&self, variable: Variable, index: usize) -> Option<f64> {
        self.model(variable, index).map(|value| self.units.convert(variable, value))
    }

    fn dew_point(&self, index: usize) -> Option<f64> {
        let temperature = self.model(Variable::Temperature, index)?;
        let dew_point = dew_point(temperature, self.model(Variable::Humidity, index)?)?;
        Some(self.units.convert(Variable::DewPoint, dew_point))
    }

    fn percent(&self, variable: Variable, index: usize) -> Option<u8> {
        self.model(variable, index).map(|value| value.round() as u8)
    }

    fn code(&self, index: usize) -> Option<u8> {
        let number = self.model(Variable::WeatherCode, index)?;
        WeatherCode::from_number(number as u8).map(WeatherCode::number)
    }

    fn direction(&self, index: usize) -> Option<u16> {
        self.model(Variable::WindDirection, index).map(|degrees| degrees as u16 % 360)
    }

    fn now(&self, slot: Slot, at: i64) -> Now {
        let index = slot.index;
        let detailed = |variable| self.shown(variable, self.detail_index(slot)?);
        Now {
            time: Timestamp::from_seconds(slot.start),
            step_s: slot.step_s,
            temperature: self.shown(Variable::Temperature, index),
            apparent_temperature: self.shown(Variable::ApparentTemperature, index),
            dew_point: self.dew_point(index),
            humidity: self.percent(Variable::Humidity, index),
            pressure: detailed(Variable::Pressure),
            cloud_cover: self.percent(Variable::CloudCover, index),
            visibility: detailed(Variable::Visibility),
            precipitation: self.shown(Variable::Precipitation, index),
            precipitation_probability: self.percent(Variable::PrecipitationProbability, index),
            snowfall: detailed(Variable::Snowfall),
            weather_code: self.code(index),
            wind_speed: self.shown(Variable::WindSpeed, index),
            wind_direction: self.direction(index),
            wind_gust: self.shown(Variable::WindGust, index),
            uv_index: detailed(Variable::UvIndex),
            is_day: Sun::at(at).is_up(self.place.coordinates, at),
        }
    }

    fn hourly(&self, request: &ViewRequest, first: Option<Slot>) -> Hourly {
        let Some(first) = first.filter(|_| request.hours > 0) else { return Hourly::default() };
        let until = first.start.saturating_add(i64::from(request.hours) * 3600);
        let slots: Vec<Slot> =
            self.core.slots_from(first.index).take_while(|slot| slot.start < until).collect();
        let wanted = |variable| request.variables.contains(variable) && self.has(variable);
        let shown = |variable| gather(&slots, wanted(variable), |slot| self.shown(variable, slot.index));
        let percent = |variable| gather(&slots, wanted(variable), |slot| self.percent(variable, slot.index));
        let detailed = |variable| {
            gather(&slots, wanted(variable), |slot| self.shown(variable, self.detail_index(*slot)?))
        };
        Hourly {
            time: slots.iter().map(|slot| Timestamp::from_seconds(slot.start)).collect(),
            step_s: slots.iter().map(|slot| slot.step_s).collect(),
            temperature: shown(Variable::Temperature),
            apparent_temperature: shown(Variable::ApparentTemperature),
            dew_point: gather(&slots, wanted(Variable::DewPoint), |slot| self.dew_point(slot.index)),
            humidity: percent(Variable::Humidity),
            pressure: detailed(Variable::Pressure),
            cloud_cover: percent(Variable::CloudCover),
            visibility: detailed(Variable::Visibility),
            precipitation: shown(Variable::Precipitation),
            precipitation_probability: percent(Variable::PrecipitationProbability),
            snowfall: detailed(Variable::Snowfall),
            weather_code: gather(&slots, wanted(Variable::WeatherCode), |slot| self.code(slot.index)),
            wind_speed: shown(Variable::WindSpeed),
            wind_direction: gather(&slots, wanted(Variable::WindDirection), |slot| {
                self.direction(slot.index)
            }),
            wind_gust: shown(Variable::WindGust),
            uv_index: detailed(Variable::UvIndex),
            is_day: if wanted(Variable::IsDay) { self.is_day(&slots) } else { Vec::new() },
        }
    }

    fn is_day(&self, slots: &[Slot]) -> Vec<bool> {
        let mut latest: Option<(i64, Sun)> = None;
        slots
            .iter()
            .map(|slot| {
                let (of, sun) = match latest {
                    Some((of, sun)) if (slot.start - of).abs() <= SUN_SERVES_S => (of, sun),
                    // Ahead of the slot, so that one position serves the slots on both its sides.
                    _ => (slot.start + SUN_SERVES_S, Sun::at(slot.start + SUN_SERVES_S)),
                };
                latest = Some((of, sun));
                sun.is_up(self.place.coordinates, slot.start)
            })
            .collect()
    }

    /// Today, and the first `count` days from it.
    fn days(&self, count: u32, at: i64) -> (Option<Day>, Daily) {
        let columns = DayColumns::of(self.core);
        let mut daily = Daily::default();
        let Some(mut local) = LocalDay::holding(at, &self.place.zone) else { return (None, daily) };
        let today = columns.summary(&local, self.place, self.shift, self.units, 0.0);
        if count == 0 {
            return (today, daily);
        }
        if let Some(today) = &today {
            daily.push(today.clone());
        }
        for _ in 1..count {
            let Some(next) = local.next(&self.place.zone) else { break };
            local = next;
            // A skipped date has no hours; the days after it still count.
            if local.length_s() == 0 {
                continue;
            }
            match columns.summary(&local, self.place, self.shift, self.units, LEAST_OF_A_DAY) {
                Some(day) => daily.push(day),
                None => break,
            }
        }
        (today, daily)
    }
}

impl Daily {
    fn push(&mut self, day: Day) {
        self.date.push(day.date);
        self.temperature_min.push(day.temperature_min);
        self.temperature_max.push(day.temperature_max);
        self.precipitation.push(day.precipitation);
        self.precipitation_probability.push(day.precipitation_probability);
        self.weather_code.push(day.weather_code);
        self.wind_speed_max.push(day.wind_speed_max);
        self.wind_gust_max.push(day.wind_gust_max);
        self.sunrise.push(day.sunrise);
        self.sunset.push(day.sunset);
    }
}

fn gather<T>(slots: &[Slot], wanted: bool, value: impl FnMut(&Slot) -> Option<T>) -> Vec<Option<T>> {
    if wanted { slots.iter().map(value).collect() } else { Vec::new() }
}

/// Magnus formula over water (WMO coefficients) in °C and percent; `None` in perfectly dry air, where there is none.
fn dew_point(temperature: f32, humidity: f32) -> Option<f32> {
    if humidity < 1.0 {
        return None;
    }
    let gamma = (humidity.min(100.0) / 100.0).ln() + 17.62 * temperature / (243.12 + temperature);
    Some((243.12 * gamma / (17.62 - gamma)).min(temperature))
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
