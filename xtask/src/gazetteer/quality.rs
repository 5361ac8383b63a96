//! How often the place that is meant comes first.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use gazetteer::{Gazetteer, Query};

use crate::Result;

/// Searches names of places. A hit is a place in the wanted time zone: lenient, but nobody had to judge by hand.
#[derive(Args)]
pub struct Quality {
    /// Tab-separated lines: language, name, wanted time zone, set. `bench/places/exemplar_cities.py` makes them.
    names: PathBuf,
    /// The gazetteer's cache folder.
    #[arg(long)]
    cache: PathBuf,
    /// Prints the names that were not found.
    #[arg(long)]
    misses: bool,
    /// Searches with the name's language as `lang`.
    #[arg(long)]
    with_lang: bool,
}

#[derive(Default)]
struct Score {
    asked: u32,
    first: u32,
    first_five: u32,
}

impl Quality {
    pub fn run(self) -> Result<()> {
        let gazetteer = Gazetteer::open(&self.cache)?;
        let mut scores: BTreeMap<(String, String), Score> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.names)?.lines() {
            let [lang, name, zone, set] = line.split('\t').collect::<Vec<_>>()[..] else {
                return Err(format!("not four columns: {line}").into());
            };
            let lang_asked = self.with_lang.then_some(lang);
            let places = gazetteer.search(&Query { text: name, near: None, lang: lang_asked, limit: 5 });
            let at = places.iter().position(|place| place.tz == zone);
            for key in [(set.to_owned(), String::new()), (set.to_owned(), lang.to_owned())] {
                let score = scores.entry(key).or_default();
                score.asked += 1;
                score.first += u32::from(at == Some(0));
                score.first_five += u32::from(at.is_some());
            }
            if self.misses && at != Some(0) {
                let found = places.first().map_or("nothing".to_owned(), |place| {
                    format!("{}, {} ({})", place.name, place.country, place.tz)
                });
                println!("miss\t{set}\t{lang}\t{name}\t{zone}\t{found}");
            }
        }
        println!("set\tlanguage\tnames\tfirst %\tfirst five %");
        for ((set, lang), score) in scores {
            let percent = |count: u32| 100.0 * f64::from(count) / f64::from(score.asked.max(1));
            let lang = if lang.is_empty() { "all" } else { &lang };
            println!(
                "{set}\t{lang}\t{}\t{:.1}\t{:.1}",
                score.asked,
                percent(score.first),
                percent(score.first_five)
            );
        }
        Ok(())
    }
}
