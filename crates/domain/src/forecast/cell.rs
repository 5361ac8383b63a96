//! The square of the weather grid a coordinate falls in: what forecasts are fetched and cached by.

use std::fmt;

use crate::Coordinates;

/// Rows of 0.05° from the south pole to the north pole.
const ROWS: u16 = 3600;
const ROWS_PER_DEGREE: f64 = 20.0;
/// Metres between two elevation bands.
const BAND_M: f32 = 100.0;
/// The Dead Sea's shore and a little, Everest and a little.
const BANDS: std::ops::RangeInclusive<i8> = -5..=90;

/// 0.05° of latitude by 0.05°, 0.1° (from 50°) or 0.25° (from 70°) of longitude, so never wider than
/// about 5.6 km north to south and 9.5 km east to west, and a band of 100 m of elevation in it.
///
/// Cost at a provider grows with distinct cells, so two users in one cell share one answer. A cell's
/// text still tells where somebody's favourite is, within kilometres: keep it out of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    lat_index: u16,
    lon_index: u16,
    band: i8,
}

/// A cell as five bytes, stable for ever: row, column (big endian), band. Sorts like the cell.
pub type CellKey = [u8; 5];

impl Cell {
    /// The cell of a point `elevation_m` metres above sea level; an elevation that is not finite counts as 0.
    ///
    /// Longitudes 180 and -180 are one meridian, and at a pole itself every longitude is one point.
    pub fn of(point: Coordinates, elevation_m: f32) -> Self {
        // Each row holds its southern edge; the last one also holds the pole.
        let lat_index = floor_index((point.lat() + 90.0) * ROWS_PER_DEGREE, ROWS);
        let columns_per_degree = columns_per_degree(lat_index);
        let at_pole = point.lat().abs() == 90.0;
        let east = if at_pole || point.lon() == 180.0 { 0.0 } else { point.lon() + 180.0 };
        let lon_index = floor_index(east * f64::from(columns_per_degree), columns(lat_index));
        let elevation_m = if elevation_m.is_finite() { elevation_m } else { 0.0 };
        let nearest = (elevation_m / BAND_M).round();
        let band = nearest.clamp(f32::from(*BANDS.start()), f32::from(*BANDS.end())) as i8;
        Self { lat_index, lon_index, band }
    }

    /// The middle of the square, to 0.001°: what is sent to a provider.
    pub fn centre(self) -> Coordinates {
        let lat = (f64::from(self.lat_index) + 0.5) / ROWS_PER_DEGREE - 90.0;
        let lon = (f64::from(self.lon_index) + 0.5) / f64::from(columns_per_degree(self.lat_index)) - 180.0;
        Coordinates::parse(lat, lon).expect("an index inside the grid is a point on earth").rounded(3)
    }

    /// The elevation this band stands for, in metres; at most 50 m from every point in it.
    pub fn band_elevation(self) -> f32 {
        f32::from(self.band) * BAND_M
    }

    pub fn key(self) -> CellKey {
        let [lat_high, lat_low] = self.lat_index.to_be_bytes();
        let [lon_high, lon_low] = self.lon_index.to_be_bytes();
        // An offset of 128 makes negative bands sort before positive ones.
        [lat_high, lat_low, lon_high, lon_low, (self.band as u8) ^ 0x80]
    }

    /// `None` for bytes that name no cell.
    pub fn from_key(key: CellKey) -> Option<Self> {
        let [lat_high, lat_low, lon_high, lon_low, band] = key;
        let cell = Self {
            lat_index: u16::from_be_bytes([lat_high, lat_low]),
            lon_index: u16::from_be_bytes([lon_high, lon_low]),
            band: (band ^ 0x80) as i8,
        };
        let exists =
            cell.lat_index < ROWS && cell.lon_index < columns(cell.lat_index) && BANDS.contains(&cell.band);
        exists.then_some(cell)
    }

    /// Reads what [`Display`](fmt::Display) wrote: ten lower-case hexadecimal digits of the key.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 10] = text.as_bytes().try_into().ok()?;
        let mut key = CellKey::default();
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Self::from_key(key)
    }

    /// A number that looks random but is always the same for this cell: for jitter that must not change
    /// between nodes and restarts.
    pub fn scatter(self) -> u64 {
        let [a, b, c, d, e] = self.key();
        let mut mixed = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The integer part of `value`, kept within `0..count`.
fn floor_index(value: f64, count: u16) -> u16 {
    value.floor().clamp(0.0, f64::from(count - 1)) as u16
}

/// Columns per degree of longitude in a row: squares stay roughly square towards the poles.
fn columns_per_degree(lat_index: u16) -> u16 {
    // Distance of the row's edge nearer to the equator, in rows; 1800 rows lie on either side.
    let from_equator = if lat_index < 1800 { 1799 - lat_index } else { lat_index - 1800 };
    match from_equator {
        0..1000 => 20,
        1000..1400 => 10,
        _ => 4,
    }
}

fn columns(lat_index: u16) -> u16 {
    360 * columns_per_degree(lat_index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> Coordinates {
        Coordinates::parse(lat, lon).expect("on earth")
    }

    #[test]
    fn known_points_have_known_cells() {
        let lisbon = Cell::of(at(38.71667, -9.13333), 45.0);
        assert_eq!(lisbon.centre(), at(38.725, -9.125));
        assert_eq!(lisbon.band_elevation(), 0.0);
        assert_eq!(lisbon.to_string(), "0a0e0d5980");
        assert_eq!(Cell::of(at(38.71667, -9.13333), 50.0).band_elevation(), 100.0);
        assert_eq!(Cell::of(at(60.13, 10.04), f32::NAN).centre(), at(60.125, 10.05));
        assert_eq!(Cell::of(at(78.22, 15.64), -40.0).centre(), at(78.225, 15.625));
    }

    #[test]
    fn the_antimeridian_and_the_poles_are_one_place_each() {
        for lat in [-89.99, -71.0, -55.0, 0.0, 12.3, 51.0, 69.99, 70.0, 89.99] {
            assert_eq!(Cell::of(at(lat, 180.0), 0.0), Cell::of(at(lat, -180.0), 0.0), "{lat}");
        }
        for lon in [-180.0, -37.2, 0.0, 119.0, 180.0] {
            assert_eq!(Cell::of(at(90.0, lon), 0.0), Cell::of(at(90.0, 0.0), 0.0));
            assert_eq!(Cell::of(at(-90.0, lon), 0.0), Cell::of(at(-90.0, 0.0), 0.0));
        }
        assert!(Cell::of(at(90.0, 5.0), 0.0).centre().lat() > 89.9);
    }

    #[test]
    fn columns_widen_at_50_and_70_degrees() {
        for (lat, step) in
            [(0.0, 0.05), (49.99, 0.05), (50.0, 0.1), (-50.01, 0.1), (69.99, 0.1), (70.0, 0.25)]
        {
            let first = Cell::of(at(lat, 10.0), 0.0).centre().lon();
            let next = Cell::of(at(lat, 10.0 + step), 0.0).centre().lon();
            assert!((next - first - step).abs() < 2e-3, "{lat}: {first} {next}");
        }
    }

    #[test]
    fn what_names_no_cell_is_refused() {
        for text in [
            "",
            "0a0e0d598",
            "0a0e0d59800",
            "0A0E0D5980",
            "ffff000080",
            "0000ffff80",
            "0a0e0d59ff",
            "ä0e0d5980",
        ] {
            assert_eq!(Cell::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_point_lies_in_its_cell(lat in -90.0..=90.0f64, lon in -180.0..=180.0f64, m in -500.0..9000.0f32) {
            let cell = Cell::of(at(lat, lon), m);
            let centre = cell.centre();
            let half_width = 0.5 / f64::from(columns_per_degree(cell.lat_index)) + 1e-3;
            let across = (lon - centre.lon()).abs();
            prop_assert!((lat - centre.lat()).abs() <= 0.026);
            prop_assert!(across.min(360.0 - across) <= half_width || lat.abs() == 90.0);
            prop_assert!((m - cell.band_elevation()).abs() <= 50.01);
            // The bound on the ground: half a diagonal of the widest square.
            let east_km = across.min(360.0 - across) * 111.3 * lat.to_radians().cos();
            let north_km = (lat - centre.lat()) * 111.3;
            prop_assert!(east_km.hypot(north_km) < 5.7);
        }

        #[test]
        fn the_centre_maps_to_the_same_cell(lat in -90.0..=90.0f64, lon in -180.0..=180.0f64, m in -500.0..9000.0f32) {
            let cell = Cell::of(at(lat, lon), m);
            prop_assert_eq!(Cell::of(cell.centre(), cell.band_elevation()), cell);
        }

        #[test]
        fn keys_round_trip_and_sort_like_cells(a in any::<[u8; 5]>(), b in any::<[u8; 5]>()) {
            if let (Some(one), Some(other)) = (Cell::from_key(a), Cell::from_key(b)) {
                prop_assert_eq!(one.key(), a);
                prop_assert_eq!(Cell::parse(&one.to_string()), Some(one));
                prop_assert_eq!(one.cmp(&other), a.cmp(&b));
            }
        }
    }
}
