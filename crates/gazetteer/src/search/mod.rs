//! Search as you type: strict first, then lenient.
//!
//! A query is read in one or more ways ([`reading`]), each a name and perhaps a country or area that it must lie in.
//! Strict search takes names that are, or begin with, what was typed ([`strict`]). Only where that leaves doubt,
//! lenient search allows typos ([`lenient`]) and other scripts ([`romanise`]). What both find is ranked together ([`ranking`]).
//!
//! The work of one search is bounded: by the length of a query, by the number of readings, and by a budget of index
//! nodes per walk. Memory is bounded with it.

mod hits;
mod lenient;
mod ranking;
mod reading;
mod romanise;
mod scope;
mod strict;

use self::hits::Hits;
use self::reading::Reading;
use crate::atlas::Atlas;
use crate::labels::Lang;
use crate::place::{LONGEST_QUERY, MOST_RESULTS, Place, Query};

pub(crate) fn search(atlas: &Atlas, query: &Query<'_>) -> Vec<Place> {
    let text = match query.text.char_indices().nth(LONGEST_QUERY) {
        Some((end, _)) => &query.text[..end],
        None => query.text,
    };
    let lang = query.lang.and_then(Lang::parse);
    let readings = reading::readings(atlas, text);
    let mut hits = Hits::default();
    for reading in &readings {
        strict::search(atlas, reading, query.near, &mut hits);
    }
    let lenient: Vec<Reading> = readings.iter().filter(|reading| reading.lenient).cloned().collect();
    for reading in &lenient {
        lenient::one_typo(atlas, reading, &mut hits);
    }
    if hits.best().is_none() {
        for reading in lenient.iter().filter_map(Reading::romanised) {
            strict::search(atlas, &reading, query.near, &mut hits);
            lenient::one_typo(atlas, &reading, &mut hits);
            lenient::two_typos(atlas, &reading, &mut hits);
        }
    }
    for reading in &lenient {
        lenient::two_typos(atlas, reading, &mut hits);
    }
    let limit = query.limit.clamp(1, MOST_RESULTS);
    let typed = readings.first().map_or("", |reading: &Reading| &reading.name);
    ranking::best(atlas, hits, typed, query.near, lang, limit)
}
