//! The order of what was found: by name, weight and nearness.

use domain::Coordinates;

use super::hits::Hits;
use crate::atlas::Atlas;
use crate::fold::fold;
use crate::labels::Lang;
use crate::place::Place;
use crate::record::Record;
use crate::{sphere, weight};

/// Points for being where the user is, and for being on the same continent.
const HERE: f64 = 1.6;
const HERE_M: f64 = 150_000.0;
const CONTINENT: f64 = 0.6;
const CONTINENT_M: f64 = 1_500_000.0;
/// Points for a name in the user's language; it makes up for not being the place's first name.
const OWN_LANGUAGE: f32 = 0.25;
/// Two entries of one name this near are one place to a reader: a city and its district or municipality.
const SAME_PLACE_M: f64 = 15_000.0;

pub(super) fn best(
    atlas: &Atlas,
    hits: Hits,
    typed: &str,
    near: Option<Coordinates>,
    lang: Option<Lang>,
    limit: usize,
) -> Vec<Place> {
    let mut ranked: Vec<(f32, u32, Record)> = hits
        .into_iter()
        .filter_map(|(ordinal, text)| {
            let record = atlas.record(ordinal)?;
            let spoken = atlas.label(ordinal, lang).is_some_and(|label| fold(label).starts_with(typed));
            let own = if spoken { OWN_LANGUAGE } else { 0.0 };
            let nearness = near.map_or(0.0, |near| nearness(&record, near));
            Some((text + weight::points(record.weight) + own + nearness, ordinal, record))
        })
        .collect();
    // Ordinals make the order the same every time.
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut shown: Vec<(&Record, &str)> = Vec::with_capacity(limit);
    let mut places = Vec::with_capacity(limit);
    for (_, ordinal, record) in &ranked {
        let name = atlas.text(record.name);
        if shown.iter().any(|(other, other_name)| name == *other_name && is_same(record, other)) {
            continue;
        }
        shown.push((record, name));
        places.extend(atlas.place(*ordinal, lang));
        if places.len() >= limit {
            break;
        }
    }
    places
}

fn nearness(record: &Record, near: Coordinates) -> f32 {
    let Some(at) = record.coordinates() else { return 0.0 };
    let metres = sphere::distance_m(at, near);
    (HERE * (-metres / HERE_M).exp() + CONTINENT * (-metres / CONTINENT_M).exp()) as f32
}

fn is_same(a: &Record, b: &Record) -> bool {
    a.country == b.country
        && a.coordinates().zip(b.coordinates()).is_some_and(|(a, b)| sphere::distance_m(a, b) < SAME_PLACE_M)
}
