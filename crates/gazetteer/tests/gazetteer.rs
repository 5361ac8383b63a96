//! The embedded data as the server uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::Coordinates;
use gazetteer::{Gazetteer, Kind, Origin, Place, Query};
use proptest::prelude::*;

// Every test is a process of its own under nextest: they share one folder, and so also test starting at once.
static GAZETTEER: LazyLock<Gazetteer> =
    LazyLock::new(|| Gazetteer::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("places")).expect("opens"));
static ALL: LazyLock<Vec<Place>> = LazyLock::new(|| GAZETTEER.places().collect());

fn search(text: &str) -> Vec<Place> {
    GAZETTEER.search(&Query { text, near: None, lang: None, limit: 10 })
}

#[track_caller]
fn first(text: &str) -> Place {
    search(text).into_iter().next().unwrap_or_else(|| panic!("nothing found for {text:?}"))
}

fn at(lat: f64, lon: f64) -> Coordinates {
    Coordinates::parse(lat, lon).expect("on earth")
}

#[test]
fn the_place_that_is_meant_comes_first() {
    for (typed, name, country) in [
        ("Lisb", "Lisbon", "PT"),
        ("lisboa", "Lisbon", "PT"),
        ("Köln", "Köln", "DE"),
        ("Koln", "Köln", "DE"),
        ("Cologne", "Köln", "DE"),
        ("Koeln", "Köln", "DE"),
        ("sao paulo", "São Paulo", "BR"),
        ("東京", "Tokyo", "JP"),
        ("東京都", "Tokyo", "JP"),
        ("Москва", "Moscow", "RU"),
        ("москв", "Moscow", "RU"),
        ("القاهرة", "Cairo", "EG"),
        ("서울", "Seoul", "KR"),
        ("서우", "Seoul", "KR"),
        ("Bombay", "Mumbai", "IN"),
        ("Saigon", "Ho Chi Minh City", "VN"),
        ("NYC", "New York City", "US"),
        ("new york", "New York City", "US"),
        ("Paris", "Paris", "FR"),
        ("Xi'an", "Xi’an", "CN"),
        ("St. Petersburg", "Saint Petersburg", "RU"),
        ("st gallen", "Sankt Gallen", "CH"),
        ("Portugal", "Portugal", "PT"),
        ("Deutschland", "Germany", "DE"),
        ("日本", "Japan", "JP"),
        ("Bavaria", "Bavaria", "DE"),
    ] {
        let found = first(typed);
        assert_eq!((found.name.as_str(), found.country_code()), (name, country), "{typed}");
    }
}

#[test]
fn typos_are_forgiven() {
    for (typed, name) in [
        ("Lodnon", "London"),
        ("Copenhagn", "Copenhagen"),
        ("Barcelnoa", "Barcelona"),
        ("Amstredam", "Amsterdam"),
        ("Berlni", "Berlin"),
        ("Kopnhaegn", "Copenhagen"),
        ("Lodnon, England", "London"),
        ("Reykjvik", "Reykjavík"),
    ] {
        assert_eq!(first(typed).name, name, "{typed}");
    }
}

#[test]
fn a_country_or_area_after_the_name_decides() {
    for (typed, name, country, admin1) in [
        ("Paris, Texas", "Paris", "US", "Texas"),
        ("Paris, TX", "Paris", "US", "Texas"),
        ("paris texas", "Paris", "US", "Texas"),
        ("Paris, Te", "Paris", "US", "Texas"),
        ("Springfield, IL", "Springfield", "US", "Illinois"),
        ("London, Ontario", "London", "CA", "Ontario"),
        ("London, ON", "London", "CA", "Ontario"),
        ("Perth, WA", "Perth", "AU", "Western Australia"),
        ("Córdoba, España", "Córdoba", "ES", "Andalusia"),
        ("Parsi, Texas", "Paris", "US", "Texas"),
    ] {
        let found = first(typed);
        let found = (found.name.as_str(), found.country_code(), found.admin1.as_deref().unwrap_or_default());
        assert_eq!(found, (name, country, admin1), "{typed}");
    }
}

#[test]
fn what_lies_near_is_preferred() {
    let near = |text, lat, lon| {
        let query = Query { text, near: Some(at(lat, lon)), lang: None, limit: 10 };
        GAZETTEER.search(&query).into_iter().next().expect("something")
    };
    assert_eq!(near("San José", 10.0, -84.0).country_code(), "CR");
    assert_eq!(near("San Jose", 37.0, -122.0).country_code(), "US");
    assert_eq!(near("Sprin", 40.0, -90.0).admin1.as_deref(), Some("Illinois"));
}

#[test]
fn a_place_says_all_that_the_wire_shows() {
    let lisbon = GAZETTEER.get(2_267_057).expect("Lisbon");
    assert_eq!(lisbon.name, "Lisbon");
    assert_eq!(lisbon.country, "Portugal");
    assert_eq!(lisbon.admin1.as_deref(), Some("Lisbon"));
    assert_eq!(lisbon.tz, "Europe/Lisbon");
    assert_eq!(lisbon.population, 517_802);
    assert_eq!(lisbon.kind, Kind::Capital);
    assert!(lisbon.elevation.is_some());
    assert_eq!(first("Lisbon"), lisbon);
    assert_eq!(GAZETTEER.get(u32::MAX), None);
    assert_eq!(GAZETTEER.get(0), None);
}

#[test]
fn countries_are_named_in_the_language_asked_for() {
    let germany = first("Germany");
    assert_eq!(germany.kind, Kind::Country);
    assert_eq!(
        GAZETTEER.get_in(germany.id, Some("de-AT")).map(|place| place.name).as_deref(),
        Some("Deutschland")
    );
    let query = Query { text: "Munich", near: None, lang: Some("fr"), limit: 1 };
    assert_eq!(GAZETTEER.search(&query)[0].country, "Allemagne");
    assert_eq!(
        GAZETTEER.get_in(germany.id, Some("\u{0}nonsense")).map(|place| place.name).as_deref(),
        Some("Germany")
    );
}

#[test]
fn hostile_queries_find_little_and_break_nothing() {
    for text in [
        "",
        " ",
        ",",
        ",,,",
        "\u{0}",
        "\u{202e}\u{200f}",
        "🌧️🌧️",
        "%",
        "'; DROP TABLE places",
        "\u{301}\u{301}",
        "(((",
        "-",
    ] {
        assert!(search(text).len() <= 10, "{text:?}");
    }
    for text in ["", " ", ",", "\u{0}", "🌧️"] {
        assert_eq!(search(text), [], "{text:?}");
    }
    for unit in ["a", "ab ", "é", "東", "한", "\u{1f600}", "st ", "san jose, ", "\u{0}", "e\u{301}"] {
        search(&unit.repeat(20_000));
    }
    let many = GAZETTEER.search(&Query { text: "a", near: None, lang: None, limit: usize::MAX });
    assert_eq!(many.len(), gazetteer::MOST_RESULTS);
    assert_eq!(GAZETTEER.search(&Query { text: "a", near: None, lang: None, limit: 0 }).len(), 1);
}

#[test]
fn the_nearest_place_is_never_a_country() {
    let near = GAZETTEER.nearest(at(38.7251, -9.1498)).expect("a place");
    assert!(near.place.kind.is_point());
    assert!(near.distance_m < 1_000.0, "{}", near.distance_m);
    assert!(GAZETTEER.nearest(at(-90.0, 0.0)).expect("a place").distance_m > 1_000_000.0);
    let across = GAZETTEER.nearest(at(-17.0, -179.999)).expect("a place").distance_m;
    assert!(across < 100_000.0, "the antimeridian is no wall: {across}");
}

#[test]
fn every_id_leads_back_to_its_place() {
    assert!(ALL.len() > 230_000, "{}", ALL.len());
    for place in ALL.iter() {
        assert_eq!(GAZETTEER.get(place.id).as_ref(), Some(place));
        assert!(!place.name.is_empty() && !place.tz.is_empty() && !place.country.is_empty(), "{place:?}");
        assert_eq!(place.kind == Kind::Area, place.id >= gazetteer::FIRST_AREA_ID, "{place:?}");
    }
}

/// Degrees of great circle between two points, by the law of cosines: another formula than the crate's.
fn degrees_between(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.lat().to_radians(), b.lat().to_radians());
    let lon = (a.lon() - b.lon()).to_radians();
    (lat_a.sin() * lat_b.sin() + lat_a.cos() * lat_b.cos() * lon.cos()).clamp(-1.0, 1.0).acos().to_degrees()
}

/// The file that the first start leaves in its cache folder.
fn only_file(folder: &tempfile::TempDir) -> PathBuf {
    let mut files: Vec<_> =
        fs::read_dir(folder.path()).expect("readable").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let [note, map] = &files[..] else { panic!("{files:?}") };
    assert_eq!(note, &map.with_extension("checked"));
    map.clone()
}

#[test]
fn a_file_that_was_checked_is_opened_without_being_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Gazetteer::open(folder.path()).expect("opens");
    let note = only_file(&folder).with_extension("checked");
    let first = fs::read_to_string(&note).expect("readable");
    // Another note means that the file has to be summed up again; that is done, and noted.
    fs::write(&note, "1 2 3 4.5\n").expect("writable");
    Gazetteer::open(folder.path()).expect("opens");
    assert_eq!(fs::read_to_string(&note).expect("readable"), first);
}

#[test]
fn a_damaged_cache_file_is_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let opens = || {
        let gazetteer = Gazetteer::open(folder.path()).expect("opens");
        assert_eq!(gazetteer.origin(), Origin::Bundled);
        assert_eq!(gazetteer.get(2_267_057).expect("Lisbon").name, "Lisbon");
    };
    opens();
    let file = only_file(&folder);
    let sound = fs::read(&file).expect("readable");
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for damaged in [&flipped[..], &sound[..sound.len() / 3], b"", b"nonsense"] {
        fs::write(&file, damaged).expect("writable");
        opens();
        assert!(fs::read(&file).expect("readable") == sound, "repaired");
    }
    fs::write(folder.path().join("places-0123456789abcdef.map"), b"of an older release").expect("writable");
    fs::write(folder.path().join("places-0123456789abcdef.checked"), b"of an older release")
        .expect("writable");
    fs::remove_file(&file).expect("removable");
    opens();
    assert_eq!(only_file(&folder), file);
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("not a folder");
    fs::write(&file, b"").expect("writable");
    assert!(Gazetteer::open(&file).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_can_be_searched(text in any::<String>(), lang in proptest::option::of(any::<String>()), lat in -90.0..=90.0, lon in -180.0..=180.0) {
        let query = Query { text: &text, near: Some(at(lat, lon)), lang: lang.as_deref(), limit: 7 };
        let found = GAZETTEER.search(&query);
        prop_assert!(found.len() <= 7);
        prop_assert_eq!(GAZETTEER.search(&query), found);
    }

    #[test]
    fn any_letters_can_be_searched(text in "[a-zäéñß ,.'東京한서мос-]{1,30}") {
        prop_assert!(search(&text).len() <= 10);
    }

    #[test]
    fn nobody_is_nearer_than_the_nearest(lat in -90.0..=90.0, lon in -180.0..=180.0) {
        let here = at(lat, lon);
        let near = GAZETTEER.nearest(here).expect("a place");
        let points = ALL.iter().filter(|place| place.kind.is_point());
        let least = points.map(|place| degrees_between(here, place.coordinates)).fold(f64::INFINITY, f64::min);
        // A hundred-thousandth of a degree, about a metre: what single precision in the tree costs.
        prop_assert!(degrees_between(here, near.place.coordinates) < least + 1e-5);
        prop_assert!((near.distance_m / 111_195.0 - least).abs() < 1e-4);
    }

    #[test]
    fn every_point_has_a_zone(lat in -90.0..=90.0, lon in -180.0..=180.0) {
        let zone = GAZETTEER.time_zone(at(lat, lon));
        prop_assert!(zone.contains('/'), "{}", zone);
    }
}
