//! Time zones of coordinates, from the boundaries that `tzf-rs` carries (OpenStreetMap contributors, ODbL 1.0).
//!
//! They are asked for every coordinate and never stored in the gazetteer: one place cannot have two zones, and the
//! boundary data stays separate and unmodified as its licence wants.

use std::sync::LazyLock;

use domain::Coordinates;
use tzf_rs::EmbeddedFinder;

// Built at the first question: a start that serves no place pays neither the 3 ms nor the 11 MB.
static FINDER: LazyLock<EmbeddedFinder> = LazyLock::new(EmbeddedFinder::new);

/// The IANA name; at sea the nautical zone `Etc/GMT±n`.
pub(crate) fn at(at: Coordinates) -> String {
    // The boundary files end at the antimeridian and at the poles: the edge itself belongs to no polygon.
    let lon = at.lon().clamp(-179.999_999, 179.999_999);
    let lat = at.lat().clamp(-89.999_999, 89.999_999);
    match FINDER.get_tz_name(lon, lat) {
        "" => nautical(at.lon()),
        name => name.to_owned(),
    }
}

/// The nautical zone by longitude alone, for a gap between two polygons. POSIX turns the sign around.
fn nautical(lon: f64) -> String {
    match (lon / 15.0).round() as i32 {
        0 => "Etc/GMT".to_owned(),
        hours @ 1.. => format!("Etc/GMT-{hours}"),
        hours => format!("Etc/GMT+{}", -hours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn land_sea_and_the_edges_of_the_map_all_have_a_zone() {
        let zone = |lat, lon| at(Coordinates::parse(lat, lon).expect("on earth"));
        assert_eq!(zone(38.72, -9.14), "Europe/Lisbon");
        assert_eq!(zone(40.0, -40.0), "Etc/GMT+3");
        assert_eq!(zone(0.0, 90.0), "Etc/GMT-6");
        for (lat, lon) in [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (0.0, 180.0), (71.0, 180.0)] {
            assert!(!zone(lat, lon).is_empty(), "{lat} {lon}");
        }
        assert_eq!(nautical(-179.0), "Etc/GMT+12");
        assert_eq!(nautical(3.0), "Etc/GMT");
    }
}
