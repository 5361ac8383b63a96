//! Units on the way out: the model has one set inside, each account chooses what it reads.

use serde::{Deserialize, Serialize};

use super::variable::Variable;

/// What an account reads. Dew point and apparent temperature go with temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// °C, km/h, mm, cm of snow, hPa, km.
    #[default]
    Metric,
    /// °F, mph, inches, inHg, miles.
    Imperial,
    /// °C, m/s, mm (snow too), hPa, m: the model's own, for programs.
    Si,
}

impl Units {
    pub const ALL: [Self; 3] = [Self::Metric, Self::Imperial, Self::Si];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Imperial => "imperial",
            Self::Si => "si",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|units| units.name() == name)
    }

    /// The label beside a value; `None` for what has no unit (code, UV index, is_day).
    pub const fn label(self, variable: Variable) -> Option<&'static str> {
        self.scale(variable).label
    }

    /// Decimals that a converted value is rounded to: as many as mean something to a reader.
    pub const fn decimals(self, variable: Variable) -> u8 {
        self.scale(variable).decimals
    }

    /// A value of the model (°C, m/s, mm, cm of snow, hPa, m, %) in these units, rounded.
    pub fn convert(self, variable: Variable, value: f32) -> f64 {
        let scale = self.scale(variable);
        let digits = [1.0, 10.0, 100.0][usize::from(scale.decimals.min(2))];
        let rounded = ((f64::from(value) * scale.factor + scale.offset) * digits).round() / digits;
        // Negative zero would print as "-0.0".
        rounded + 0.0
    }

    /// The way back to the model's unit: for thresholds that a user types.
    pub fn to_model(self, variable: Variable, value: f64) -> f64 {
        let scale = self.scale(variable);
        (value - scale.offset) / scale.factor
    }

    const fn scale(self, variable: Variable) -> Scale {
        match variable {
            Variable::Temperature | Variable::ApparentTemperature | Variable::DewPoint => match self {
                Self::Imperial => Scale { factor: 1.8, offset: 32.0, decimals: 1, label: Some("°F") },
                Self::Metric | Self::Si => Scale::new(1.0, 1, "°C"),
            },
            Variable::WindSpeed | Variable::WindGust => match self {
                Self::Metric => Scale::new(3.6, 1, "km/h"),
                Self::Imperial => Scale::new(3600.0 / 1609.344, 1, "mph"),
                Self::Si => Scale::new(1.0, 1, "m/s"),
            },
            Variable::Precipitation => match self {
                Self::Imperial => Scale::new(1.0 / 25.4, 2, "in"),
                Self::Metric | Self::Si => Scale::new(1.0, 1, "mm"),
            },
            Variable::Snowfall => match self {
                Self::Metric => Scale::new(1.0, 1, "cm"),
                Self::Imperial => Scale::new(1.0 / 2.54, 1, "in"),
                Self::Si => Scale::new(10.0, 0, "mm"),
            },
            Variable::Pressure => match self {
                Self::Imperial => Scale::new(1.0 / 33.863_89, 2, "inHg"),
                Self::Metric | Self::Si => Scale::new(1.0, 1, "hPa"),
            },
            Variable::Visibility => match self {
                Self::Metric => Scale::new(0.001, 1, "km"),
                Self::Imperial => Scale::new(1.0 / 1609.344, 1, "mi"),
                Self::Si => Scale::new(1.0, 0, "m"),
            },
            Variable::Humidity | Variable::PrecipitationProbability | Variable::CloudCover => {
                Scale::new(1.0, 0, "%")
            }
            Variable::WindDirection => Scale::new(1.0, 0, "°"),
            Variable::UvIndex => Scale { factor: 1.0, offset: 0.0, decimals: 1, label: None },
            Variable::WeatherCode | Variable::IsDay => {
                Scale { factor: 1.0, offset: 0.0, decimals: 0, label: None }
            }
        }
    }
}

struct Scale {
    factor: f64,
    offset: f64,
    decimals: u8,
    label: Option<&'static str>,
}

impl Scale {
    const fn new(factor: f64, decimals: u8, label: &'static str) -> Self {
        Self { factor, offset: 0.0, decimals, label: Some(label) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values_convert_to_known_values() {
        for (units, variable, value, expected, label) in [
            (Units::Imperial, Variable::Temperature, -40.0, -40.0, Some("°F")),
            (Units::Imperial, Variable::Temperature, 21.5, 70.7, Some("°F")),
            (Units::Metric, Variable::WindSpeed, 10.0, 36.0, Some("km/h")),
            (Units::Imperial, Variable::WindGust, 10.0, 22.4, Some("mph")),
            (Units::Imperial, Variable::Precipitation, 25.4, 1.0, Some("in")),
            (Units::Imperial, Variable::Pressure, 1013.25, 29.92, Some("inHg")),
            (Units::Metric, Variable::Visibility, 24_140.0, 24.1, Some("km")),
            (Units::Imperial, Variable::Visibility, 16_093.0, 10.0, Some("mi")),
            (Units::Si, Variable::Snowfall, 1.5, 15.0, Some("mm")),
            (Units::Metric, Variable::Temperature, -0.04, 0.0, Some("°C")),
            (Units::Si, Variable::UvIndex, 5.25, 5.3, None),
        ] {
            let converted = units.convert(variable, value);
            assert_eq!(converted, expected, "{units:?} {}", variable.name());
            assert!(converted != 0.0 || converted.is_sign_positive());
            assert_eq!(units.label(variable), label);
        }
        for units in Units::ALL {
            assert_eq!(Units::parse(units.name()), Some(units));
        }
    }

    proptest! {
        #[test]
        fn converting_keeps_order_and_goes_back(a in -90.0..320.0f32, b in -90.0..320.0f32) {
            for units in Units::ALL {
                for variable in Variable::ALL {
                    let (low, high) = (a.min(b), a.max(b));
                    prop_assert!(units.convert(variable, low) <= units.convert(variable, high));
                    let back = units.to_model(variable, units.convert(variable, a));
                    let step = 0.51 * 10f64.powi(-i32::from(units.decimals(variable)));
                    let tolerance = (units.to_model(variable, step) - units.to_model(variable, 0.0)).abs() + 1e-4;
                    prop_assert!((back - f64::from(a)).abs() <= tolerance, "{} {back} {a}", variable.name());
                }
            }
        }
    }
}
