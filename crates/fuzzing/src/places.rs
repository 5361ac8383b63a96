//! The gazetteer: questions that people type, the file that it reads, the dumps that an operator imports.

use std::fs;
use std::sync::LazyLock;

use domain::Coordinates;
use gazetteer::{Gazetteer, LONGEST_QUERY, Origin, Query};
use tempfile::TempDir;

/// The bundled places, expanded once.
static BUNDLED: LazyLock<(TempDir, Gazetteer)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let places = Gazetteer::open(folder.path()).expect("places");
    (folder, places)
});

/// A question, and the language of the answer.
pub fn place_query(input: &[u8]) {
    let [typed, lang] = crate::parts(input);
    let (Some(typed), Some(lang)) = (crate::text(typed), crate::text(lang)) else { return };
    let near = input.len().is_multiple_of(2).then(|| Coordinates::parse(47.0, 8.0).expect("on earth"));
    let query = Query { text: typed, near, lang: Some(lang), limit: input.len() % 64 };
    let places = BUNDLED.1.search(&query);
    assert!(places.len() <= query.limit.clamp(1, gazetteer::MOST_RESULTS));
    let mut ids: Vec<u32> = places.iter().map(|place| place.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), places.len(), "a place is told once");
    for id in ids {
        assert!(BUNDLED.1.get(id).is_some(), "{id}");
    }
    // What is typed beyond the longest question changes nothing.
    if typed.chars().count() >= LONGEST_QUERY {
        let longer = format!("{typed} and more");
        assert_eq!(BUNDLED.1.search(&Query { text: &longer, ..query }), places);
    }
}

/// A file in the place of an import: used when it is whole, passed over else.
pub fn places_file(input: &[u8]) {
    let folder = BUNDLED.0.path();
    let import = folder.join("imported-places.map");
    fs::write(&import, input).expect("a file");
    let places = Gazetteer::open(folder).expect("the bundled places are there");
    fs::remove_file(&import).expect("a file");
    assert_eq!(places.origin(), Origin::Bundled);
    assert_eq!(places.len(), BUNDLED.1.len());
}

/// Dumps in GeoNames' format: countries, areas, places, names.
pub fn place_import(input: &[u8]) {
    let names = ["countryInfo", "admin1CodesASCII", "cities500", "alternateNamesV2"];
    let folder = tempfile::tempdir().expect("a folder");
    let cache = tempfile::tempdir().expect("a folder");
    for (name, content) in names.into_iter().zip(crate::parts::<4>(input)) {
        fs::write(folder.path().join(format!("{name}.txt")), content).expect("a file");
    }
    let Ok(summary) = gazetteer::import(folder.path(), cache.path(), &mut |_| {}) else {
        assert_eq!(
            fs::read_dir(cache.path()).expect("a folder").count(),
            0,
            "what is refused leaves nothing"
        );
        return;
    };
    let lines = input.iter().filter(|byte| **byte == b'\n').count() + names.len();
    assert!(summary.places + summary.countries + summary.areas <= lines);
    let places = Gazetteer::open(cache.path()).expect("opens");
    assert_eq!(places.origin(), Origin::Imported, "what was written is whole");
    for place in places.places() {
        assert!(places.get(place.id).is_some(), "{}", place.id);
        let _ = places.search(&Query { text: &place.name, near: None, lang: Some("de"), limit: 8 });
        let _ = places.nearest(place.coordinates);
    }
}
