//! Places, search as you type, the nearest place, time zones. No network and, once opened, no I/O: everything lies in
//! a file that is mapped read-only.
//!
//! Invariants: a search never panics and does a bounded amount of work, whatever is typed; an id means the same place
//! in every build and import; a place's time zone is that of its coordinates.
//!
//! Data: GeoNames (CC BY 4.0, modified), CLDR country names (Unicode-3.0), time zone boundaries of OpenStreetMap
//! contributors (ODbL 1.0). See `docs/places.md`.

mod atlas;
pub mod build;
mod bundle;
mod cache;
mod fold;
mod format;
mod import;
mod index;
mod labels;
mod place;
mod record;
mod search;
mod sphere;
mod tree;
mod walk;
mod weight;
mod zone;

use std::path::Path;

use domain::{Coordinates, Result};

use self::atlas::Atlas;
pub use self::bundle::bundle;
pub use self::cache::Origin;
pub use self::import::{Progress, Summary, import};
pub use self::labels::Lang;
pub use self::place::{FIRST_AREA_ID, Kind, LONGEST_QUERY, MOST_RESULTS, Near, Place, Query};

/// All places. Cheap to share, needs no lock.
pub struct Gazetteer {
    atlas: Atlas,
    origin: Origin,
}

impl Gazetteer {
    /// Opens the places of a cache folder: an import if there is one, else the bundled data, which is expanded into
    /// the folder at the first start (a quarter of a second) and only checked and mapped at later ones. A damaged
    /// file is noticed and replaced. Blocks; call it off the async threads.
    ///
    /// # Errors
    /// `Internal` if the folder cannot be written.
    pub fn open(cache: &Path) -> Result<Self> {
        let (map, origin) = cache::open(cache)?;
        Ok(Self { atlas: Atlas::open(map)?, origin })
    }

    /// Whether this is the bundled data or an import.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The number of places, countries and areas included.
    pub fn len(&self) -> usize {
        self.atlas.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The places that are probably meant, the likeliest first; none if nothing fits. The same question has the same
    /// answer every time.
    pub fn search(&self, query: &Query<'_>) -> Vec<Place> {
        search::search(&self.atlas, query)
    }

    /// The place of an id, under its international name.
    pub fn get(&self, id: u32) -> Option<Place> {
        self.get_in(id, None)
    }

    /// The place of an id, under its name in a language (a BCP 47 tag) where the data has one.
    pub fn get_in(&self, id: u32, lang: Option<&str>) -> Option<Place> {
        self.atlas.place(self.atlas.ordinal(id)?, lang.and_then(Lang::parse))
    }

    /// All places, the weightiest first.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.len() as u32).filter_map(|ordinal| self.atlas.place(ordinal, None))
    }

    /// The place nearest to a point, never a country or area. `None` only for a gazetteer without places.
    pub fn nearest(&self, at: Coordinates) -> Option<Near> {
        self.atlas.nearest(at)
    }

    /// The IANA zone of a point; at sea `Etc/GMT±n`.
    pub fn time_zone(&self, at: Coordinates) -> String {
        zone::at(at)
    }
}
