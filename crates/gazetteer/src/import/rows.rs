//! Rows of places, countries and areas. Columns: <https://download.geonames.org/export/dump/readme.txt>.

use std::str::FromStr;

use domain::{Coordinates, Result};

use super::Progress;
use super::dump::Dump;
use crate::build::{SourceArea, SourceCountry, SourceNames, SourcePlace};
use crate::place::{FIRST_AREA_ID, Kind};

/// Which rows of a file become places.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All settlements: the `cities*` files are chosen by inhabitants already.
    Settlements,
    /// Settlements of 500 inhabitants and seats, and what is in [`Wanted::Sights`].
    Everything,
    /// Islands and landmarks that are known in several languages.
    Sights,
}

/// Inhabitants from which a settlement counts, as in `cities500`.
const SETTLEMENT: u32 = 500;
/// Names from which an island or a landmark counts. There are millions of hills; people look for those that have
/// names in other languages than their own.
const KNOWN_ISLAND: usize = 4;
const KNOWN_LANDMARK: usize = 12;

impl Wanted {
    pub(super) fn of_file(stem: &str) -> Self {
        if stem == "allCountries" { Self::Everything } else { Self::Settlements }
    }

    fn kind(self, class: &str, feature: &str, population: u32, names: usize) -> Option<Kind> {
        let sight = match feature {
            "ISL" | "ISLS" | "ATOL" if names >= KNOWN_ISLAND => Some(Kind::Island),
            "AIRP" | "BCH" | "CAPE" | "DSRT" | "GLCR" | "LK" | "LKS" | "MT" | "MTS" | "PASS" | "PK"
            | "PRK" | "RESN" | "VAL" | "VLC"
                if names >= KNOWN_LANDMARK =>
            {
                Some(Kind::Landmark)
            }
            _ => None,
        };
        let settlement = || if class == "P" { Kind::of_settlement(feature) } else { None };
        match self {
            Self::Sights => sight,
            Self::Settlements => settlement(),
            Self::Everything => {
                let counts = population >= SETTLEMENT || feature.starts_with("PPLA") || feature == "PPLC";
                settlement().filter(|_| counts).or(sight)
            }
        }
    }
}

/// `cities*` and `allCountries`: 19 columns.
pub(super) fn places(
    dump: Dump,
    wanted: Wanted,
    progress: &mut dyn FnMut(Progress),
    take: &mut dyn FnMut(SourcePlace),
) -> Result<()> {
    dump.each(progress, &mut |columns| {
        let [
            id,
            name,
            ascii,
            alternates,
            lat,
            lon,
            class,
            feature,
            country,
            _,
            area,
            _,
            _,
            _,
            people,
            height,
            model,
            ..,
        ] = columns
        else {
            return Err(format!("{} columns instead of 19", columns.len()));
        };
        let people: u64 = if people.is_empty() { 0 } else { number("population", people)? };
        let population = u32::try_from(people).unwrap_or(u32::MAX);
        let names = alternates.split(',').count();
        let Some(kind) = wanted.kind(class, feature, population, names) else { return Ok(()) };
        // A row without a country is in the open sea.
        let Ok(country) = code(country) else { return Ok(()) };
        let coordinates = Coordinates::parse(number("latitude", lat)?, number("longitude", lon)?)
            .map_err(|_| format!("{lat}, {lon} is not on earth"))?;
        let others = alternates.split(',').chain([*ascii]).filter(|name| !name.is_empty());
        take(SourcePlace {
            id: place_id(id)?,
            names: SourceNames {
                name: (*name).to_owned(),
                others: others.map(str::to_owned).collect(),
                labels: Vec::new(),
            },
            coordinates,
            country,
            area: (*area).to_owned(),
            population,
            elevation: height.parse().ok().or_else(|| model.parse().ok().filter(|metres| *metres != -9999)),
            kind,
        });
        Ok(())
    })
}

/// `countryInfo`: 19 columns.
pub(super) fn countries(dump: Dump, progress: &mut dyn FnMut(Progress)) -> Result<Vec<SourceCountry>> {
    let mut countries = Vec::new();
    dump.each(progress, &mut |columns| {
        let [iso, iso3, _, _, name, capital, _, population, _, _, _, _, _, _, _, _, id, ..] = columns else {
            return Err(format!("{} columns instead of 19", columns.len()));
        };
        countries.push(SourceCountry {
            id: place_id(id)?,
            code: code(iso)?,
            long_code: (*iso3).to_owned(),
            names: SourceNames {
                name: (*name).to_owned(),
                others: vec![(*iso3).to_owned()],
                labels: Vec::new(),
            },
            capital: (*capital).to_owned(),
            population: number("population", population)?,
        });
        Ok(())
    })?;
    Ok(countries)
}

/// `admin1CodesASCII`: code, name, ASCII name, id. The id is only used to find names.
pub(super) fn areas(dump: Dump, progress: &mut dyn FnMut(Progress)) -> Result<Vec<(u32, SourceArea)>> {
    let mut areas = Vec::new();
    dump.each(progress, &mut |columns| {
        let [codes, name, ascii, id, ..] = columns else {
            return Err(format!("{} columns instead of 4", columns.len()));
        };
        let (country, area) = codes.split_once('.').ok_or_else(|| format!("{codes} has no dot"))?;
        let names =
            SourceNames { name: (*name).to_owned(), others: vec![(*ascii).to_owned()], labels: Vec::new() };
        areas.push((place_id(id)?, SourceArea { country: code(country)?, code: area.to_owned(), names }));
        Ok(())
    })?;
    Ok(areas)
}

fn place_id(text: &str) -> Result<u32, String> {
    number("id", text).and_then(|id| {
        if id < FIRST_AREA_ID { Ok(id) } else { Err(format!("the id {id} is larger than any of GeoNames'")) }
    })
}

fn code(text: &str) -> Result<[u8; 2], String> {
    match text.as_bytes() {
        [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok([*a, *b]),
        _ => Err(format!("{text:?} is no country code")),
    }
}

fn number<T: FromStr>(what: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no {what}"))
}
