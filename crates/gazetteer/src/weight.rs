//! How much a place weighs before anything is known of the question: by inhabitants and by what it is.

use crate::place::Kind;

/// Steps of a stored weight per point of score.
const STEPS: f64 = 50.0;
/// The stored 0: nothing weighs less.
const LEAST: f64 = -1.0;

/// Points for one place, in [`LEAST`]..about 4, as a byte.
///
/// The logarithm matters: a city ten times as large is a bit more likely to be meant, not ten times. An area stands
/// behind the city of the same name ("New York", "Lisbon", "Luxembourg"), since weather is asked for in cities.
pub(crate) fn stored(kind: Kind, population: u32) -> u8 {
    let inhabitants = 3.0 * (f64::from(population) + 1.0).log10() / 7.5;
    let rank = match kind {
        Kind::Capital => 0.35,
        Kind::Seat => 0.15,
        Kind::City => 0.0,
        Kind::District => -0.3,
        Kind::Country => 0.2,
        Kind::Area => -0.8,
        // Islands, mountains and airports have no inhabitants counted, and yet people travel there.
        Kind::Island => 0.9,
        Kind::Landmark => 0.6,
    };
    ((inhabitants + rank - LEAST) * STEPS).round().clamp(0.0, 255.0) as u8
}

/// The points behind a stored weight.
pub(crate) fn points(stored: u8) -> f32 {
    f32::from(stored) / STEPS as f32 + LEAST as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_before_their_areas_and_large_before_small() {
        assert!(stored(Kind::Capital, 517_802) > stored(Kind::Area, 2_275_591));
        assert!(stored(Kind::City, 8_804_190) > stored(Kind::Area, 19_000_000));
        assert!(stored(Kind::Country, 10_000_000) > stored(Kind::City, 500_000));
        assert!(stored(Kind::City, 1_000) > stored(Kind::City, 500));
        assert!(stored(Kind::Country, u32::MAX) < u8::MAX, "the scale has room for the largest country");
        assert!((points(stored(Kind::City, 0)) - 0.0).abs() < 0.02);
    }
}
