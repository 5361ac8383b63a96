//! Makes a data file from GeoNames' own dumps, which know the language of names. `open` prefers it from then on.
//!
//! Of <https://download.geonames.org/export/dump/> it reads, each as `.txt` or as `.zip`:
//! `countryInfo`, `admin1CodesASCII`, and `cities500` (or another `cities*`) or `allCountries`; where they are there,
//! `alternateNamesV2` for names by language, and `allCountries` beside `cities500` for islands and landmarks.

mod dump;
mod languages;
mod rows;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use domain::{Error, Result};

use self::dump::Dump;
use self::languages::Languages;
use crate::build::{self, Source};
use crate::cache;

/// How far an import is; for a progress line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many lines of a file were read.
    Reading { file: String, lines: u64 },
    /// All is read; the index is being made. Takes some seconds.
    Building { places: usize },
    /// The data file is being written.
    Writing { bytes: usize },
}

/// What an import brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub places: usize,
    pub countries: usize,
    pub areas: usize,
    /// Names with a language.
    pub labels: usize,
    /// The file that was written.
    pub file: PathBuf,
}

/// Files that hold places, the first one there is read.
const PLACES: [&str; 5] = ["cities500", "cities1000", "cities5000", "cities15000", "allCountries"];
const EVERYTHING: &str = "allCountries";

/// Reads the dumps in `source_dir` and writes the data file into `cache`, the folder that [`crate::Gazetteer::open`]
/// is given. A running server goes on with what it has opened; the import serves from its next start.
///
/// Memory follows the names that are kept, about 0.5 kB each, not the size of the dumps: 450 MB for `cities500` with
/// 850,000 tagged names.
///
/// # Errors
/// `Internal`, naming the file and line, if a file is missing or is not what GeoNames publishes, or if the folder
/// cannot be written. The import that was there before stays.
pub fn import(source_dir: &Path, cache: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
    let mut source = Source::default();
    let mut things = HashMap::new();
    for row in rows::countries(Dump::open(source_dir, "countryInfo")?, progress)? {
        things.insert(row.id, Thing::Country(source.countries.len()));
        source.countries.push(row);
    }
    for (id, row) in rows::areas(Dump::open(source_dir, "admin1CodesASCII")?, progress)? {
        things.insert(id, Thing::Area(source.areas.len()));
        source.areas.push(row);
    }
    let Some((first, dump)) = first_of(source_dir, &PLACES)? else {
        return Err(Error::internal(format!("none of {} is in {}", PLACES.join(", "), source_dir.display())));
    };
    let mut take = |place: build::SourcePlace| {
        things.entry(place.id).or_insert_with(|| {
            source.places.push(place);
            Thing::Place(source.places.len() - 1)
        });
    };
    rows::places(dump, rows::Wanted::of_file(first), progress, &mut take)?;
    if first != EVERYTHING
        && let Some(dump) = Dump::find(source_dir, EVERYTHING)?
    {
        rows::places(dump, rows::Wanted::Sights, progress, &mut take)?;
    }
    let mut labels = 0;
    if let Some(dump) = Dump::find(source_dir, "alternateNamesV2")? {
        let mut languages = Languages::default();
        languages.read(dump, &things, progress)?;
        for (id, names) in languages.into_names() {
            let into = match things.get(&id) {
                Some(Thing::Place(index)) => source.places.get_mut(*index).map(|place| &mut place.names),
                Some(Thing::Country(index)) => {
                    source.countries.get_mut(*index).map(|country| &mut country.names)
                }
                Some(Thing::Area(index)) => source.areas.get_mut(*index).map(|area| &mut area.names),
                None => None,
            };
            if let Some(into) = into {
                labels += names.labels.len();
                into.others.extend(names.others);
                into.labels = names.labels;
            }
        }
    }
    let (places, countries, areas) = (source.places.len(), source.countries.len(), source.areas.len());
    progress(Progress::Building { places });
    let bytes = build::build(source)?;
    progress(Progress::Writing { bytes: bytes.len() });
    let file = cache::keep_import(cache, &bytes)?;
    Ok(Summary { places, countries, areas, labels, file })
}

/// What a GeoNames id stands for, and where it is in the [`Source`].
enum Thing {
    Place(usize),
    Country(usize),
    Area(usize),
}

fn first_of(folder: &Path, names: &[&'static str]) -> Result<Option<(&'static str, Dump)>> {
    for name in names {
        if let Some(dump) = Dump::find(folder, name)? {
            return Ok(Some((name, dump)));
        }
    }
    Ok(None)
}
