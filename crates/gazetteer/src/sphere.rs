//! Distances on a sphere of the earth's mean radius. Against the ellipsoid they err by up to half a per cent, which
//! no ranking and no "12 km away" notices.

use domain::Coordinates;

/// Mean radius of the earth in metres (IUGG).
const RADIUS_M: f64 = 6_371_008.8;

/// Metres along the great circle (haversine, exact for near points too).
pub(crate) fn distance_m(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.lat().to_radians(), b.lat().to_radians());
    let half_lat = ((lat_b - lat_a) / 2.0).sin();
    let half_lon = ((b.lon() - a.lon()).to_radians() / 2.0).sin();
    let h = half_lat * half_lat + lat_a.cos() * lat_b.cos() * half_lon * half_lon;
    2.0 * RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
}

/// The point on the unit sphere. Straight-line distance there orders points as the great circle does.
pub(crate) fn unit_vector(at: Coordinates) -> [f32; 3] {
    let (lat, lon) = (at.lat().to_radians(), at.lon().to_radians());
    [(lat.cos() * lon.cos()) as f32, (lat.cos() * lon.sin()) as f32, lat.sin() as f32]
}

/// The square of the straight-line distance on the unit sphere that `metres` along the ground span.
pub(crate) fn chord_squared(metres: f64) -> f32 {
    let chord = 2.0 * (metres / RADIUS_M / 2.0).sin();
    (chord * chord) as f32
}
