//! Countries and first-level areas among the places: where they stand, and their ids.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::{Entry, Source, SourcePlace, codes};
use crate::fold::fold;
use crate::place::{FIRST_AREA_ID, Kind};

/// Long codes are GeoNames ids (below 100 million) and get a range of their own.
const LONG_CODES_FROM: u32 = 1 << 28;

/// The id of a first-level area, the same in every build. `None` for a code that GeoNames would not give.
///
/// The packages that the bundled data is made from know areas only by code. Short codes (up to three letters and
/// digits) are read as a number to base 37, long ones are GeoNames ids already.
pub fn area_id(country: [u8; 2], code: &str) -> Option<u32> {
    if code.len() > 3 {
        let number = code.parse::<u32>().ok().filter(|number| *number < LONG_CODES_FROM)?;
        return Some(FIRST_AREA_ID + LONG_CODES_FROM + number);
    }
    if code.is_empty() {
        return None;
    }
    let letter = |byte: u8| byte.is_ascii_uppercase().then(|| u32::from(byte - b'A'));
    let mut number = letter(country[0])? * 26 + letter(country[1])?;
    for position in 0..3 {
        // 0 is "no such position", so that "1" and "01" differ.
        let digit = match code.as_bytes().get(position) {
            None => 0,
            Some(byte) => 1 + char::from(*byte).to_digit(36)?,
        };
        number = number * 37 + digit;
    }
    Some(FIRST_AREA_ID + number)
}

/// All that becomes records.
pub(super) fn entries(source: Source) -> Vec<Entry> {
    let mut by_country: HashMap<[u8; 2], Vec<&SourcePlace>> = HashMap::new();
    let mut by_area: BTreeMap<([u8; 2], &str), Vec<&SourcePlace>> = BTreeMap::new();
    for place in source.places.iter().filter(|place| is_settlement(place.kind)) {
        by_country.entry(place.country).or_default().push(place);
        by_area.entry((place.country, &place.area)).or_default().push(place);
    }
    let mut entries = Vec::with_capacity(source.places.len() + source.areas.len() + source.countries.len());
    for country in source.countries {
        let Some(places) = by_country.get(&country.code) else { continue };
        let capital = fold(&country.capital);
        let seat = places.iter().copied().max_by_key(|place| {
            let called = !capital.is_empty() && fold(&place.names.name) == capital;
            (place.kind == Kind::Capital, called, place.population, std::cmp::Reverse(place.id))
        });
        let Some(seat) = seat else { continue };
        entries.push(Entry {
            id: country.id,
            codes: vec![String::from_utf8_lossy(&country.code).into_owned(), country.long_code],
            names: country.names,
            coordinates: seat.coordinates,
            country: country.code,
            area: String::new(),
            population: country.population,
            elevation: seat.elevation,
            kind: Kind::Country,
        });
    }
    for area in source.areas {
        let Some(id) = area_id(area.country, &area.code) else { continue };
        let Some(places) = by_area.get(&(area.country, area.code.as_str())) else { continue };
        let seat = places.iter().copied().max_by_key(|place| {
            let seat = matches!(place.kind, Kind::Seat | Kind::Capital);
            (seat, place.population, std::cmp::Reverse(place.id))
        });
        let Some(seat) = seat else { continue };
        // Districts are counted in their cities.
        let counted = places.iter().filter(|place| place.kind != Kind::District);
        let population = counted.fold(0_u32, |sum, place| sum.saturating_add(place.population));
        entries.push(Entry {
            id,
            codes: codes::of_area(area.country, &area.code, &area.names.name),
            names: area.names,
            coordinates: seat.coordinates,
            country: area.country,
            area: area.code,
            population,
            elevation: seat.elevation,
            kind: Kind::Area,
        });
    }
    // GeoNames lists some city states and islands both ways under one id; the country stays.
    let taken: std::collections::HashSet<u32> = entries.iter().map(|entry| entry.id).collect();
    let places = source.places.into_iter().filter(|place| !taken.contains(&place.id));
    entries.extend(places.map(|place| Entry {
        id: place.id,
        names: place.names,
        coordinates: place.coordinates,
        country: place.country,
        area: place.area,
        codes: Vec::new(),
        population: place.population,
        elevation: place.elevation,
        kind: place.kind,
    }));
    entries
}

fn is_settlement(kind: Kind) -> bool {
    matches!(kind, Kind::City | Kind::Seat | Kind::Capital | Kind::District)
}

/// Ordinals of one kind, in order: the position is the index by which records name them.
pub(super) fn ordinals(entries: &[Entry], kind: Kind) -> Vec<u32> {
    let of_kind = entries.iter().enumerate().filter(|(_, entry)| entry.kind == kind);
    // An index is 16 bits and its highest value means "none"; the world has 250 countries and 4,000 areas.
    of_kind.map(|(ordinal, _)| ordinal as u32).take(usize::from(u16::MAX)).collect()
}

pub(super) fn index_by_code<K: Hash + Eq>(
    entries: &[Entry],
    ordinals: &[u32],
    code: impl Fn(&Entry) -> K,
) -> HashMap<K, u16> {
    (0..).zip(ordinals).map(|(index, ordinal)| (code(&entries[*ordinal as usize]), index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_areas_differ_and_stay() {
        // Saved favourites refer to these numbers: they must never change.
        assert_eq!(area_id(*b"US", "TX"), Some(FIRST_AREA_ID + 27_293_642));
        assert_eq!(area_id(*b"AI", "11205389"), Some(FIRST_AREA_ID + LONG_CODES_FROM + 11_205_389));
        assert_ne!(area_id(*b"PT", "1"), area_id(*b"PT", "01"));
        for (country, code) in
            [(*b"US", ""), (*b"us", "TX"), (*b"US", "T-"), (*b"US", "TEXAS"), (*b"US", "é")]
        {
            assert_eq!(area_id(country, code), None, "{code}");
        }
    }
}
