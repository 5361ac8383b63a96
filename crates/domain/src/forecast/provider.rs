//! Who a forecast comes from, what must be said beside it, and what a call costs.

use std::fmt;

use super::budget::Weight;
use super::variable::{Variable, VariableSet};

/// Where a series comes from. A series has one source, never two spliced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Source {
    OpenMeteo = 1,
    MetNorway = 2,
    Nws = 3,
    OpenWeather = 4,
    Gfs = 5,
    Sandbox = 6,
}

/// The text that a provider's licence wants shown beside its data, and where that text links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    pub text: &'static str,
    /// Absent where there is nothing to link to (the sandbox).
    pub url: Option<&'static str>,
}

impl Source {
    pub const ALL: [Self; 6] =
        [Self::OpenMeteo, Self::MetNorway, Self::Nws, Self::OpenWeather, Self::Gfs, Self::Sandbox];

    /// The name in answers, metrics and configuration; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenMeteo => "open-meteo",
            Self::MetNorway => "met-norway",
            Self::Nws => "nws",
            Self::OpenWeather => "openweather",
            Self::Gfs => "gfs",
            Self::Sandbox => "sandbox",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    pub const fn attribution(self) -> Attribution {
        match self {
            Self::OpenMeteo => {
                Attribution { text: "Weather data by Open-Meteo.com", url: Some("https://open-meteo.com/") }
            }
            // "Based on", because temperatures are shifted to the favourite's elevation.
            Self::MetNorway => {
                Attribution { text: "Based on data from MET Norway", url: Some("https://api.met.no/") }
            }
            Self::Nws => {
                Attribution { text: "National Weather Service/NOAA", url: Some("https://www.weather.gov/") }
            }
            Self::OpenWeather => Attribution {
                text: "Weather data provided by OpenWeather",
                url: Some("https://openweathermap.org/"),
            },
            Self::Gfs => Attribution {
                text: "Based on NOAA/NCEP Global Forecast System data",
                url: Some("https://registry.opendata.aws/noaa-gfs-bdp-pds/"),
            },
            Self::Sandbox => Attribution { text: "Made-up weather for development", url: None },
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|source| *source as u8 == byte)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The variables fetched and cached together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Pack {
    /// The ten variables every screen needs: at Open-Meteo 14 days of them weigh exactly 1.
    Core = 1,
    /// What only the detail page shows: pressure, visibility, new snow, UV.
    Detail = 2,
}

impl Pack {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Detail => "detail",
        }
    }

    /// The stored variables of this pack, in the order of their columns.
    pub const fn variables(self) -> &'static [Variable] {
        match self {
            Self::Core => &[
                Variable::Temperature,
                Variable::ApparentTemperature,
                Variable::Humidity,
                Variable::Precipitation,
                Variable::PrecipitationProbability,
                Variable::WeatherCode,
                Variable::CloudCover,
                Variable::WindSpeed,
                Variable::WindDirection,
                Variable::WindGust,
            ],
            Self::Detail => {
                &[Variable::Pressure, Variable::Visibility, Variable::Snowfall, Variable::UvIndex]
            }
        }
    }

    pub fn variable_set(self) -> VariableSet {
        self.variables().iter().copied().collect()
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Core, Self::Detail].into_iter().find(|pack| *pack as u8 == byte)
    }
}

/// What Open-Meteo counts for one call: the sum over locations of `max(1, v/10, v/10 · days/14)` for `v`
/// variables. Batching locations saves round trips, not quota; a failed call still counts 1.
/// Source: the weight function of the server's source code.
pub fn open_meteo_weight(locations: usize, variables: usize, days: u32) -> Weight {
    let variables = variables as u64;
    let by_variables = variables * 100;
    let by_days = (variables * 1000 * u64::from(days)).div_ceil(140);
    Weight::from_milli(by_variables.max(by_days).max(1000) * locations as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_round_trip() {
        for source in Source::ALL {
            assert_eq!(Source::parse(source.name()), Some(source));
            assert_eq!(Source::from_byte(source as u8), Some(source));
            assert!(!source.attribution().text.is_empty());
        }
        assert_eq!(Source::parse("Open-Meteo"), None);
        assert_eq!(Source::from_byte(0), None);
        for pack in [Pack::Core, Pack::Detail] {
            assert_eq!(Pack::from_byte(pack as u8), Some(pack));
        }
        assert_eq!(Pack::from_byte(3), None);
    }

    #[test]
    fn calls_weigh_what_open_meteo_says() {
        for (locations, variables, days, milli) in [
            (1, 10, 14, 1000),
            (1, 1, 1, 1000),
            (1, 32, 7, 3200),
            (1, 11, 14, 1100),
            (1, 10, 16, 1143),
            (1, 20, 16, 2286),
            (50, 10, 14, 50_000),
            (1, 4, 14, 1000),
            (0, 10, 14, 0),
        ] {
            let weight = open_meteo_weight(locations, variables, days);
            assert_eq!(weight.milli(), milli, "{locations} {variables} {days}");
        }
        assert_eq!(Pack::Core.variables().len(), 10);
    }
}
