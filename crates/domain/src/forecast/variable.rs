//! The variables of the weather model, how finely each is stored and what is physically possible.

use super::provider::Pack;

/// One quantity of a forecast. The first fourteen are stored, the last two are computed on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Variable {
    /// °C, 2 m above ground.
    Temperature = 0,
    /// °C as felt with wind and humidity.
    ApparentTemperature = 1,
    /// Relative humidity in percent, 2 m above ground.
    Humidity = 2,
    /// Millimetres of water in the slot.
    Precipitation = 3,
    /// Percent chance of more than 0.1 mm in the slot.
    PrecipitationProbability = 4,
    /// WMO 4677.
    WeatherCode = 5,
    /// Percent of the sky.
    CloudCover = 6,
    /// m/s, 10 m above ground.
    WindSpeed = 7,
    /// Degrees the wind comes from, 0 to 359.
    WindDirection = 8,
    /// m/s, strongest gust in the slot.
    WindGust = 9,
    /// hPa at mean sea level.
    Pressure = 10,
    /// Metres.
    Visibility = 11,
    /// Centimetres of new snow in the slot.
    Snowfall = 12,
    /// The UV index.
    UvIndex = 13,
    /// °C, from temperature and humidity.
    DewPoint = 14,
    /// Whether the sun is up, from its position.
    IsDay = 15,
}

/// How a stored variable becomes an integer: value · `per_unit`, one or two bytes wide, the largest
/// bit pattern meaning "absent" (two-byte values are signed and use the smallest).
#[derive(Clone, Copy)]
pub(super) struct Storage {
    pub wide: bool,
    pub per_unit: f32,
    /// What can be on earth with a margin; anything else is a fault of the provider.
    pub min: f32,
    pub max: f32,
}

impl Variable {
    pub const ALL: [Self; 16] = [
        Self::Temperature,
        Self::ApparentTemperature,
        Self::Humidity,
        Self::Precipitation,
        Self::PrecipitationProbability,
        Self::WeatherCode,
        Self::CloudCover,
        Self::WindSpeed,
        Self::WindDirection,
        Self::WindGust,
        Self::Pressure,
        Self::Visibility,
        Self::Snowfall,
        Self::UvIndex,
        Self::DewPoint,
        Self::IsDay,
    ];

    /// The name in answers; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::ApparentTemperature => "apparent_temperature",
            Self::Humidity => "humidity",
            Self::Precipitation => "precipitation",
            Self::PrecipitationProbability => "precipitation_probability",
            Self::WeatherCode => "weather_code",
            Self::CloudCover => "cloud_cover",
            Self::WindSpeed => "wind_speed",
            Self::WindDirection => "wind_direction",
            Self::WindGust => "wind_gust",
            Self::Pressure => "pressure",
            Self::Visibility => "visibility",
            Self::Snowfall => "snowfall",
            Self::UvIndex => "uv_index",
            Self::DewPoint => "dew_point",
            Self::IsDay => "is_day",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.name() == name)
    }

    /// The pack whose series holds it, directly or as what it is computed from.
    pub const fn pack(self) -> Pack {
        match self {
            Self::Pressure | Self::Visibility | Self::Snowfall | Self::UvIndex => Pack::Detail,
            _ => Pack::Core,
        }
    }

    /// `None` for what is computed and never stored.
    pub(super) const fn storage(self) -> Option<Storage> {
        let (wide, per_unit, min, max) = match self {
            Self::Temperature => (true, 100.0, -95.0, 65.0),
            Self::ApparentTemperature => (true, 100.0, -130.0, 95.0),
            Self::Humidity => (false, 1.0, 0.0, 105.0),
            // The record of one hour is 305 mm.
            Self::Precipitation => (true, 50.0, 0.0, 650.0),
            Self::PrecipitationProbability => (false, 1.0, 0.0, 100.0),
            Self::WeatherCode => (false, 1.0, 0.0, 99.0),
            Self::CloudCover => (false, 1.0, 0.0, 100.0),
            Self::WindSpeed => (true, 100.0, 0.0, 120.0),
            Self::WindDirection => (true, 1.0, 0.0, 360.0),
            Self::WindGust => (true, 100.0, 0.0, 160.0),
            Self::Pressure => (true, 10.0, 850.0, 1100.0),
            // Stored in tens of metres: models stop at 24 or 80 km.
            Self::Visibility => (true, 0.1, 0.0, 320_000.0),
            Self::Snowfall => (true, 50.0, 0.0, 200.0),
            Self::UvIndex => (false, 10.0, 0.0, 25.0),
            Self::DewPoint | Self::IsDay => return None,
        };
        Some(Storage { wide, per_unit, min, max })
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of variables, as a request asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VariableSet(u16);

impl VariableSet {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u16::MAX);

    /// What the list of favourites shows for each hour.
    pub const LIST: Self = Self(
        Variable::Temperature.bit()
            | Variable::Precipitation.bit()
            | Variable::PrecipitationProbability.bit()
            | Variable::WeatherCode.bit()
            | Variable::IsDay.bit(),
    );

    pub const fn contains(self, variable: Variable) -> bool {
        self.0 & variable.bit() != 0
    }

    #[must_use]
    pub const fn with(self, variable: Variable) -> Self {
        Self(self.0 | variable.bit())
    }

    pub fn iter(self) -> impl Iterator<Item = Variable> {
        Variable::ALL.into_iter().filter(move |variable| self.contains(*variable))
    }
}

impl FromIterator<Variable> for VariableSet {
    fn from_iter<I: IntoIterator<Item = Variable>>(variables: I) -> Self {
        variables.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_range_fits_its_bytes() {
        for (index, variable) in Variable::ALL.into_iter().enumerate() {
            assert_eq!(variable as usize, index);
            assert_eq!(Variable::parse(variable.name()), Some(variable));
            if let Some(storage) = variable.storage() {
                let largest = if storage.wide { 32_767.0 } else { 254.0 };
                assert!(storage.max * storage.per_unit <= largest, "{}", variable.name());
                assert!(storage.min * storage.per_unit >= if storage.wide { -32_767.0 } else { 0.0 });
            }
        }
        assert_eq!(Variable::parse("Temperature"), None);
    }

    #[test]
    fn the_packs_hold_each_stored_variable_once() {
        let mut seen = VariableSet::NONE;
        for pack in [Pack::Core, Pack::Detail] {
            for variable in pack.variables() {
                assert_eq!(variable.pack(), pack);
                assert!(!seen.contains(*variable));
                assert!(variable.storage().is_some());
                seen = seen.with(*variable);
            }
        }
        assert_eq!(seen.iter().count(), 14);
        assert_eq!(VariableSet::LIST.iter().count(), 5);
    }
}
