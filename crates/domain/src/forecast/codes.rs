//! Present weather as WMO 4677 codes, the subset that forecasts use.

/// One code that we know. Whether an icon shows sun or moon follows from `is_day`, never from the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeatherCode(&'static Entry);

/// A language in which codes have a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
}

/// A drawing for a code. Clients draw a sun or a moon into the first three by `is_day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    Clear,
    MainlyClear,
    PartlyCloudy,
    Overcast,
    Smoke,
    Haze,
    Dust,
    Tornado,
    Fog,
    Drizzle,
    FreezingRain,
    Rain,
    HeavyRain,
    Sleet,
    Snow,
    HeavySnow,
    IcePellets,
    Showers,
    SleetShowers,
    SnowShowers,
    Thunderstorm,
    Hail,
}

impl Icon {
    /// The name in answers and of the drawing; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::MainlyClear => "mainly-clear",
            Self::PartlyCloudy => "partly-cloudy",
            Self::Overcast => "overcast",
            Self::Smoke => "smoke",
            Self::Haze => "haze",
            Self::Dust => "dust",
            Self::Tornado => "tornado",
            Self::Fog => "fog",
            Self::Drizzle => "drizzle",
            Self::FreezingRain => "freezing-rain",
            Self::Rain => "rain",
            Self::HeavyRain => "heavy-rain",
            Self::Sleet => "sleet",
            Self::Snow => "snow",
            Self::HeavySnow => "heavy-snow",
            Self::IcePellets => "ice-pellets",
            Self::Showers => "showers",
            Self::SleetShowers => "sleet-showers",
            Self::SnowShowers => "snow-showers",
            Self::Thunderstorm => "thunderstorm",
            Self::Hail => "hail",
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Entry {
    number: u8,
    /// How much it matters to somebody outside; a day shows its highest.
    severity: u8,
    icon: Icon,
    english: &'static str,
    german: &'static str,
}

const fn entry(number: u8, severity: u8, icon: Icon, english: &'static str, german: &'static str) -> Entry {
    Entry { number, severity, icon, english, german }
}

/// By number. The order of severity puts what endangers (ice, thunder, hail, tornado) above what wets.
static ENTRIES: [Entry; 37] = [
    entry(0, 0, Icon::Clear, "Clear sky", "Klarer Himmel"),
    entry(1, 1, Icon::MainlyClear, "Mainly clear", "Überwiegend klar"),
    entry(2, 2, Icon::PartlyCloudy, "Partly cloudy", "Teilweise bewölkt"),
    entry(3, 3, Icon::Overcast, "Overcast", "Bedeckt"),
    entry(4, 6, Icon::Smoke, "Smoke", "Rauch"),
    entry(5, 5, Icon::Haze, "Haze", "Trockener Dunst"),
    entry(6, 7, Icon::Dust, "Dust", "Staub"),
    entry(19, 99, Icon::Tornado, "Tornado", "Tornado"),
    entry(45, 10, Icon::Fog, "Fog", "Nebel"),
    entry(48, 11, Icon::Fog, "Freezing fog", "Gefrierender Nebel"),
    entry(51, 20, Icon::Drizzle, "Light drizzle", "Leichter Nieselregen"),
    entry(53, 21, Icon::Drizzle, "Drizzle", "Nieselregen"),
    entry(55, 22, Icon::Drizzle, "Heavy drizzle", "Starker Nieselregen"),
    entry(56, 60, Icon::FreezingRain, "Light freezing drizzle", "Leichter gefrierender Nieselregen"),
    entry(57, 62, Icon::FreezingRain, "Freezing drizzle", "Gefrierender Nieselregen"),
    entry(61, 25, Icon::Rain, "Light rain", "Leichter Regen"),
    entry(63, 30, Icon::Rain, "Rain", "Regen"),
    entry(65, 45, Icon::HeavyRain, "Heavy rain", "Starker Regen"),
    entry(66, 64, Icon::FreezingRain, "Light freezing rain", "Leichter gefrierender Regen"),
    entry(67, 68, Icon::FreezingRain, "Freezing rain", "Gefrierender Regen"),
    entry(68, 33, Icon::Sleet, "Light sleet", "Leichter Schneeregen"),
    entry(69, 40, Icon::Sleet, "Sleet", "Schneeregen"),
    entry(71, 34, Icon::Snow, "Light snow", "Leichter Schneefall"),
    entry(73, 42, Icon::Snow, "Snow", "Schneefall"),
    entry(75, 50, Icon::HeavySnow, "Heavy snow", "Starker Schneefall"),
    entry(77, 32, Icon::Snow, "Snow grains", "Schneegriesel"),
    entry(79, 44, Icon::IcePellets, "Ice pellets", "Eiskörner"),
    entry(80, 24, Icon::Showers, "Light showers", "Leichte Regenschauer"),
    entry(81, 31, Icon::Showers, "Showers", "Regenschauer"),
    entry(82, 48, Icon::Showers, "Violent showers", "Heftige Regenschauer"),
    entry(83, 35, Icon::SleetShowers, "Light sleet showers", "Leichte Schneeregenschauer"),
    entry(84, 41, Icon::SleetShowers, "Sleet showers", "Schneeregenschauer"),
    entry(85, 36, Icon::SnowShowers, "Light snow showers", "Leichte Schneeschauer"),
    entry(86, 47, Icon::SnowShowers, "Heavy snow showers", "Starke Schneeschauer"),
    entry(95, 80, Icon::Thunderstorm, "Thunderstorm", "Gewitter"),
    entry(96, 85, Icon::Hail, "Thunderstorm with hail", "Gewitter mit Hagel"),
    entry(99, 90, Icon::Hail, "Thunderstorm with heavy hail", "Gewitter mit starkem Hagel"),
];

impl WeatherCode {
    /// The code of this number; `None` for one that forecasts do not use.
    pub fn from_number(number: u8) -> Option<Self> {
        let found = ENTRIES.binary_search_by_key(&number, |entry| entry.number).ok()?;
        Some(Self(&ENTRIES[found]))
    }

    /// Every code, by number: the table that clients load once.
    pub fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(Self)
    }

    pub fn number(self) -> u8 {
        self.0.number
    }

    pub fn text(self, language: Language) -> &'static str {
        match language {
            Language::English => self.0.english,
            Language::German => self.0.german,
        }
    }

    pub fn icon(self) -> Icon {
        self.0.icon
    }

    /// Higher is worse; no two codes are alike, so the worst of a day is unambiguous.
    pub fn severity(self) -> u8 {
        self.0.severity
    }
}

impl Language {
    /// The best of ours for a language tag such as `de-AT`; English for any other language.
    pub fn for_tag(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("de") { Self::German } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_unambiguous() {
        let numbers: Vec<u8> = WeatherCode::all().map(WeatherCode::number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        let severities: HashSet<u8> = WeatherCode::all().map(WeatherCode::severity).collect();
        assert_eq!(severities.len(), numbers.len());
        for language in [Language::English, Language::German] {
            let texts: HashSet<&str> = WeatherCode::all().map(|code| code.text(language)).collect();
            assert_eq!(texts.len(), numbers.len());
        }
        for number in [4, 5, 6, 19, 68, 69, 79, 83, 84] {
            assert_eq!(WeatherCode::from_number(number).map(WeatherCode::number), Some(number));
        }
        assert_eq!(WeatherCode::from_number(10), None);
        assert_eq!(WeatherCode::from_number(255), None);
    }

    #[test]
    fn worse_weather_is_more_severe() {
        let severity = |number| WeatherCode::from_number(number).map(WeatherCode::severity);
        for worse_first in
            [[99, 96, 95, 67], [67, 75, 65, 63], [63, 61, 80, 51], [51, 48, 45, 3], [3, 2, 1, 0]]
        {
            assert!(worse_first.map(severity).is_sorted_by(|a, b| a > b), "{worse_first:?}");
        }
        assert_eq!(Language::for_tag("de-AT"), Language::German);
        assert_eq!(Language::for_tag("den"), Language::English);
    }
}
