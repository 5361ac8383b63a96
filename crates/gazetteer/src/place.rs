//! What the gazetteer answers with.

use domain::Coordinates;

/// A question to [`crate::Gazetteer::search`].
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// What was typed so far. Only the first [`LONGEST_QUERY`] characters count.
    pub text: &'a str,
    /// Prefers what lies near this point.
    pub near: Option<Coordinates>,
    /// A BCP 47 tag (`de`, `pt-BR`, `zh-Hant`). Names are shown in this language where the data has them.
    pub lang: Option<&'a str>,
    /// How many places at most, 1 to [`MOST_RESULTS`]; what lies outside is clamped.
    pub limit: usize,
}

/// Characters of a query that are looked at. No name in the data that anybody types is longer.
pub const LONGEST_QUERY: usize = 100;

/// The most places one search answers with.
pub const MOST_RESULTS: usize = 50;

/// An entry of the gazetteer.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// A GeoNames id, or from [`FIRST_AREA_ID`] on an id of ours for a first-level area. Stable over rebuilds and
    /// imports.
    pub id: u32,
    pub name: String,
    /// Name of the first-level area (state, province, region) that it lies in.
    pub admin1: Option<String>,
    /// Name of the country; empty only if the data names none.
    pub country: String,
    /// ISO 3166-1 alpha-2, upper case. GeoNames adds `XK` for Kosovo.
    pub country_code: [u8; 2],
    /// For a country or area: of its capital or seat, where its weather is asked for.
    pub coordinates: Coordinates,
    /// IANA time zone of the coordinates, such as `Europe/Lisbon`.
    pub tz: String,
    /// Inhabitants; 0 if unknown.
    pub population: u32,
    /// Metres above the sea. A hint: the weather provider's elevation model is better.
    pub elevation: Option<i32>,
    pub kind: Kind,
}

impl Place {
    /// The country code as text; empty if the data names none.
    pub fn country_code(&self) -> &str {
        std::str::from_utf8(&self.country_code).unwrap_or_default().trim_end_matches('\0')
    }
}

/// Ids from here on are first-level areas, which the bundled data knows by code and not by GeoNames id.
pub const FIRST_AREA_ID: u32 = 1 << 30;

/// What kind of place it is. The numbers are stored in the data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A city, town or village.
    City = 0,
    /// The seat of a first-level area.
    Seat = 1,
    /// The capital of a country.
    Capital = 2,
    /// A part of a city.
    District = 3,
    Country = 4,
    /// A first-level area: state, province, region.
    Area = 5,
    Island = 6,
    /// A mountain, lake, park, airport or other landmark.
    Landmark = 7,
}

impl Kind {
    /// The stable name for the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Seat => "seat",
            Self::Capital => "capital",
            Self::District => "district",
            Self::Country => "country",
            Self::Area => "area",
            Self::Island => "island",
            Self::Landmark => "landmark",
        }
    }

    /// What a settlement is, by GeoNames' feature code (`PPLC`, `PPLA`, ..). `None` if nobody lives there any more.
    pub fn of_settlement(feature_code: &str) -> Option<Self> {
        match feature_code {
            "PPLC" => Some(Self::Capital),
            "PPLA" => Some(Self::Seat),
            "PPLX" => Some(Self::District),
            "PPLQ" | "PPLH" | "PPLW" | "PPLCH" => None,
            _ => Some(Self::City),
        }
    }

    pub(crate) const fn from_stored(number: u8) -> Self {
        match number {
            1 => Self::Seat,
            2 => Self::Capital,
            3 => Self::District,
            4 => Self::Country,
            5 => Self::Area,
            6 => Self::Island,
            7 => Self::Landmark,
            _ => Self::City,
        }
    }

    /// Whether it is one point on the ground; countries and areas stand at their capital or seat and must not be
    /// found as "nearest".
    pub const fn is_point(self) -> bool {
        !matches!(self, Self::Country | Self::Area)
    }
}

/// The place nearest to a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    pub place: Place,
    /// Metres along the great circle.
    pub distance_m: f64,
}
