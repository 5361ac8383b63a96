//! Makes the data file from lists of places, whoever read them: the workspace's `xtask` from registry packages, or
//! [`crate::import`] from GeoNames' dumps.

mod areas;
mod codes;
mod names;
pub(crate) mod short;
mod texts;

use domain::{Coordinates, Error, Result};

pub use self::areas::area_id;
use self::names::Names;
use self::texts::Texts;
use crate::format::{self, SECTIONS, Section};
use crate::index::{self, ORDINALS, Posting};
use crate::labels::Lang;
use crate::place::Kind;
use crate::record::{NONE, Record, stored_degrees};
use crate::{bundle, weight};

/// What a data file is made from.
#[derive(Default)]
pub struct Source {
    pub places: Vec<SourcePlace>,
    pub countries: Vec<SourceCountry>,
    pub areas: Vec<SourceArea>,
}

/// All names of one thing.
#[derive(Clone, Default)]
pub struct SourceNames {
    /// The one that is shown.
    pub name: String,
    /// All others that it is found by.
    pub others: Vec<String>,
    /// The one to show per language.
    pub labels: Vec<(Lang, String)>,
}

/// A city, town, village, island or landmark.
pub struct SourcePlace {
    /// GeoNames id, below [`crate::FIRST_AREA_ID`].
    pub id: u32,
    pub names: SourceNames,
    pub coordinates: Coordinates,
    /// ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// GeoNames' code of the first-level area, such as `CA` in the United States; may be empty.
    pub area: String,
    pub population: u32,
    /// Metres.
    pub elevation: Option<i16>,
    pub kind: Kind,
}

/// A country; it is given the coordinates of its capital.
pub struct SourceCountry {
    pub id: u32,
    pub code: [u8; 2],
    /// ISO 3166-1 alpha-3; may be empty.
    pub long_code: String,
    pub names: SourceNames,
    /// Name of the capital; may be empty.
    pub capital: String,
    pub population: u32,
}

/// A first-level area; it is given the coordinates of its seat.
pub struct SourceArea {
    pub country: [u8; 2],
    pub code: String,
    pub names: SourceNames,
}

/// One thing that becomes a record.
struct Entry {
    id: u32,
    names: SourceNames,
    coordinates: Coordinates,
    country: [u8; 2],
    area: String,
    /// For qualifiers only, such as `TX`.
    codes: Vec<String>,
    population: u32,
    elevation: Option<i16>,
    kind: Kind,
}

impl Entry {
    fn weight(&self) -> u8 {
        weight::stored(self.kind, self.population)
    }
}

/// The bytes of a data file. Countries and areas without any place in them are left out: nothing says where they lie.
///
/// # Errors
/// `Internal` if there are no places, more than fit (16 million), or two with one id.
pub fn build(source: Source) -> Result<Vec<u8>> {
    let entries = ranked(areas::entries(source))?;
    let countries = areas::ordinals(&entries, Kind::Country);
    let areas = areas::ordinals(&entries, Kind::Area);
    let mut texts = Texts::default();
    let mut names = Names::default();
    let mut records = Vec::new();
    let mut labels = Vec::new();
    let country_index = areas::index_by_code(&entries, &countries, |entry| entry.country);
    let area_index = areas::index_by_code(&entries, &areas, |entry| (entry.country, entry.area.clone()));

    for (ordinal, entry) in entries.iter().enumerate() {
        let ordinal = ordinal as u32;
        let record = Record {
            id: entry.id,
            lat: stored_degrees(entry.coordinates.lat()),
            lon: stored_degrees(entry.coordinates.lon()),
            population: entry.population,
            name: texts.add(&entry.names.name)?,
            elevation: entry.elevation,
            area: area_index.get(&(entry.country, entry.area.clone())).copied().unwrap_or(NONE),
            country: country_index.get(&entry.country).copied().unwrap_or(NONE),
            country_code: entry.country,
            kind: entry.kind,
            weight: entry.weight(),
        };
        for (lang, label) in &entry.names.labels {
            labels.push((ordinal, lang.stored(), texts.add(label)?));
        }
        names.add(ordinal, entry);
        records.extend_from_slice(&record.encode());
    }

    let worth = |posting: Posting| {
        let weight = entries.get(posting.ordinal() as usize).map_or(0, Entry::weight);
        weight::points(weight) - posting.penalty()
    };
    let (short, short_lists) = short::build(&names.places, worth)?;
    let qualifiers = index::build(names.qualifiers, worth)?;
    let names = index::build(names.places, worth)?;
    labels.sort_unstable();
    labels.dedup_by_key(|label| (label.0, label.1));

    let (by_id, tree) = bundle::derived(&records)?;
    let mut sections: [Vec<u8>; SECTIONS] = std::array::from_fn(|_| Vec::new());
    let mut put = |section: Section, bytes: Vec<u8>| sections[section as usize] = bytes;
    put(Section::Records, records);
    put(Section::ById, by_id);
    put(Section::Arena, texts.into_bytes());
    put(Section::Countries, words(countries));
    put(Section::Areas, words(areas));
    put(Section::Tree, tree);
    put(Section::Names, names.fst);
    put(Section::NameEntries, names.entries);
    put(Section::NameLists, names.lists);
    put(Section::Short, short);
    put(Section::ShortLists, short_lists);
    put(Section::Qualifiers, qualifiers.fst);
    put(Section::QualifierEntries, qualifiers.entries);
    put(Section::QualifierLists, qualifiers.lists);
    put(Section::Labels, words(labels.into_iter().flat_map(|(ordinal, lang, at)| [ordinal, lang, at])));
    Ok(format::assemble(sections))
}

/// The weightiest first, so that an ordinal is a rank.
fn ranked(mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
    if entries.is_empty() || entries.len() >= ORDINALS as usize {
        return Err(Error::internal(format!("{} places do not make a gazetteer", entries.len())));
    }
    entries.sort_by_key(|entry| {
        std::cmp::Reverse((entry.weight(), entry.population, std::cmp::Reverse(entry.id)))
    });
    Ok(entries)
}

fn words(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}
