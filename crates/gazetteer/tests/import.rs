//! An import of a small dump in GeoNames' format.

use std::fs;
use std::io::Write;
use std::path::Path;

use gazetteer::{Gazetteer, Kind, Origin, Place, Progress, Query, import};

/// A row of `cities500` or `allCountries`.
fn place(
    id: u32,
    name: &str,
    others: &str,
    at: (f64, f64),
    feature: (&str, &str),
    area: &str,
    people: u32,
) -> String {
    let (class, code) = feature;
    format!(
        "{id}\t{name}\t{name}\t{others}\t{}\t{}\t{class}\t{code}\tDE\t\t{area}\t\t\t\t{people}\t\t519\tEurope/Berlin\t2026-01-01\n",
        at.0, at.1
    )
}

fn write_dump(folder: &Path) {
    let country = "#ISO\tISO3\n\
        DE\tDEU\t276\tGM\tGermany\tBerlin\t357021\t82927922\tEU\t.de\tEUR\tEuro\t49\t#####\t^\\d{5}$\tde\t2921044\tCH,PL\t\n";
    fs::write(folder.join("countryInfo.txt"), country).expect("writable");
    fs::write(
        folder.join("admin1CodesASCII.txt"),
        "DE.02\tBavaria\tBavaria\t2951839\nDE.16\tBerlin\tBerlin\t2950157\n",
    )
    .expect("writable");
    let cities = place(2_867_714, "Munich", "Minga", (48.13743, 11.57549), ("P", "PPLA"), "02", 1_260_391)
        + &place(2_950_159, "Berlin", "", (52.52437, 13.41053), ("P", "PPLC"), "16", 3_426_354)
        + &place(1, "Wüstung", "", (48.0, 11.0), ("P", "PPLQ"), "02", 0);
    let zip = fs::File::create(folder.join("cities500.zip")).expect("writable");
    let mut zip = zip::ZipWriter::new(zip);
    zip.start_file::<_, ()>("cities500.txt", zip::write::FileOptions::default()).expect("zips");
    zip.write_all(cities.as_bytes()).expect("zips");
    zip.finish().expect("zips");
    let known = "a,b,c,d,e,f,g,h,i,j,k,l";
    let everything = place(2_867_714, "Munich again", "", (48.0, 11.0), ("P", "PPLA"), "02", 5)
        + &place(2_946_000, "Zugspitze", known, (47.42107, 10.98536), ("T", "MT"), "02", 0)
        + &place(2_946_001, "Hügel", "a", (47.0, 10.0), ("T", "MT"), "02", 0);
    fs::write(folder.join("allCountries.txt"), everything).expect("writable");
    let names = "1\t2867714\tde\tMünchen\t1\t\t\t\t\t\n\
        2\t2867714\tde\tLandeshauptstadt München\t\t\t\t\t\t\n\
        3\t2867714\tit\tMonaco di Baviera\t\t\t\t\t\t\n\
        4\t2867714\tit\tMonaco\t1\t1\t\t\t\t\n\
        5\t2867714\tlink\thttps://example.org\t\t\t\t\t\t\n\
        6\t2867714\tiata\tMUC\t\t\t\t\t\t\n\
        7\t2867714\tde\tMonachium\t1\t1\t\t1\t\t\n\
        8\t2921044\tfr\tAllemagne\t\t\t\t\t\t\n\
        9\t2951839\tde\tBayern\t\t\t\t\t\t\n\
        10\t99\tde\tNirgendwo\t\t\t\t\t\t\n";
    fs::write(folder.join("alternateNamesV2.txt"), names).expect("writable");
}

fn first(gazetteer: &Gazetteer, text: &str, lang: Option<&str>) -> Option<Place> {
    gazetteer.search(&Query { text, near: None, lang, limit: 5 }).into_iter().next()
}

#[test]
fn an_import_brings_names_by_language_and_is_preferred() {
    let (dump, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write_dump(dump.path());
    let mut steps = Vec::new();
    let summary = import(dump.path(), cache.path(), &mut |step| steps.push(step)).expect("imports");
    assert_eq!((summary.places, summary.countries, summary.areas, summary.labels), (3, 1, 2, 4));
    assert!(steps.contains(&Progress::Reading { file: "cities500.txt".to_owned(), lines: 3 }));
    assert!(matches!(steps.last(), Some(Progress::Writing { .. })));

    let gazetteer = Gazetteer::open(cache.path()).expect("opens");
    assert_eq!(gazetteer.origin(), Origin::Imported);
    let munich = |text, lang| {
        let place = first(&gazetteer, text, lang).expect("found");
        assert_eq!(place.id, 2_867_714, "{text}");
        (place.name, place.admin1.unwrap_or_default(), place.country)
    };
    let named =
        |name: &str, area: &str, country: &str| (name.to_owned(), area.to_owned(), country.to_owned());
    assert_eq!(munich("Münch", None), named("Munich", "Bavaria", "Germany"));
    assert_eq!(munich("Münch", Some("de")), named("München", "Bayern", "Germany"));
    assert_eq!(munich("monaco di bav", Some("it")), named("Monaco", "Bavaria", "Germany"));
    assert_eq!(munich("Minga", Some("fr")), named("Munich", "Bavaria", "Allemagne"));
    for found_by in ["Monachium", "MUC", "Landeshaupt", "Munich, Bayern", "München, Allemagne"] {
        munich(found_by, None);
    }
    assert_eq!(first(&gazetteer, "Zugspitze", None).expect("found").kind, Kind::Landmark);
    let bavaria = first(&gazetteer, "Bayern", None).expect("found");
    assert_eq!(
        (bavaria.kind, bavaria.id),
        (Kind::Area, gazetteer::build::area_id(*b"DE", "02").expect("an id"))
    );
    for unknown in ["Wüstung", "Hügel", "Nirgendwo", "example"] {
        assert_eq!(first(&gazetteer, unknown, None), None, "{unknown}");
    }
}

#[test]
fn a_damaged_import_gives_way_to_the_bundled_data() {
    let (dump, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write_dump(dump.path());
    let summary = import(dump.path(), cache.path(), &mut |_| {}).expect("imports");
    let sound = fs::read(&summary.file).expect("readable");
    fs::write(&summary.file, &sound[..sound.len() - 1]).expect("writable");
    assert_eq!(Gazetteer::open(cache.path()).expect("opens").origin(), Origin::Bundled);
}

#[test]
fn a_dump_that_is_not_one_is_refused_with_its_line() {
    let (dump, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let refused = |what: &str| {
        let error = import(dump.path(), cache.path(), &mut |_| {}).expect_err(what).to_string();
        assert!(error.contains(what), "{error}");
    };
    refused("countryInfo.txt");
    write_dump(dump.path());
    let good = fs::read_to_string(dump.path().join("allCountries.txt")).expect("readable");
    for (wrong, why) in [("one column\n", "line 4: 1 columns"), ("\u{fffd}", "line 4")] {
        fs::write(dump.path().join("allCountries.txt"), good.clone() + wrong).expect("writable");
        refused(why);
    }
    let off_earth = place(7, "Nowhere", "", (95.0, 0.0), ("P", "PPL"), "02", 900);
    fs::write(dump.path().join("cities500.txt"), off_earth).expect("writable");
    refused("not on earth");
    fs::write(
        dump.path().join("cities500.txt"),
        place(u32::MAX, "Large", "", (5.0, 0.0), ("P", "PPL"), "02", 900),
    )
    .expect("writable");
    refused("larger than any");
    fs::remove_file(dump.path().join("cities500.txt")).expect("removable");
    fs::write(dump.path().join("cities500.zip"), b"PK\x03\x04 but no more").expect("writable");
    refused("cities500.zip");
    assert_eq!(fs::read_dir(cache.path()).expect("readable").count(), 0, "nothing was left behind");
}
