//! One place as the data file holds it: 32 bytes.

use domain::Coordinates;

use crate::place::Kind;

pub(crate) const RECORD: usize = 32;
/// No area or country.
pub(crate) const NONE: u16 = u16::MAX;
const NO_ELEVATION: i16 = i16::MIN;
/// Five decimals of a degree, about a metre: what GeoNames gives.
const DEGREE: f64 = 100_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Record {
    pub id: u32,
    /// In hundred-thousandths of a degree.
    pub lat: i32,
    pub lon: i32,
    pub population: u32,
    /// Where the name starts in the arena.
    pub name: u32,
    pub elevation: Option<i16>,
    /// Index among the areas, or [`NONE`].
    pub area: u16,
    /// Index among the countries, or [`NONE`].
    pub country: u16,
    pub country_code: [u8; 2],
    pub kind: Kind,
    /// See [`crate::weight`].
    pub weight: u8,
}

impl Record {
    pub(crate) fn encode(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[0..4].copy_from_slice(&self.id.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.lat.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.lon.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.population.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.name.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.elevation.unwrap_or(NO_ELEVATION).to_le_bytes());
        bytes[22..24].copy_from_slice(&self.area.to_le_bytes());
        bytes[24..26].copy_from_slice(&self.country.to_le_bytes());
        bytes[26..28].copy_from_slice(&self.country_code);
        bytes[28] = self.kind as u8;
        bytes[29] = self.weight;
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; RECORD]) -> Self {
        let four = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let two = |at: usize| [bytes[at], bytes[at + 1]];
        let elevation = i16::from_le_bytes(two(20));
        Self {
            id: u32::from_le_bytes(four(0)),
            lat: i32::from_le_bytes(four(4)),
            lon: i32::from_le_bytes(four(8)),
            population: u32::from_le_bytes(four(12)),
            name: u32::from_le_bytes(four(16)),
            elevation: (elevation != NO_ELEVATION).then_some(elevation),
            area: u16::from_le_bytes(two(22)),
            country: u16::from_le_bytes(two(24)),
            country_code: two(26),
            kind: Kind::from_stored(bytes[28]),
            weight: bytes[29],
        }
    }

    /// `None` only for a record that no build writes.
    pub(crate) fn coordinates(&self) -> Option<Coordinates> {
        Coordinates::parse(f64::from(self.lat) / DEGREE, f64::from(self.lon) / DEGREE).ok()
    }
}

/// Degrees as a record holds them.
pub(crate) fn stored_degrees(degrees: f64) -> i32 {
    (degrees * DEGREE).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_bytes() {
        let record = Record {
            id: 2_267_057,
            lat: stored_degrees(38.725_09),
            lon: stored_degrees(-9.149_8),
            population: 517_802,
            name: 77,
            elevation: Some(-45),
            area: 3,
            country: NONE,
            country_code: *b"PT",
            kind: Kind::Capital,
            weight: 200,
        };
        assert_eq!(Record::decode(&record.encode()), record);
        let flat = Record { elevation: None, ..record };
        assert_eq!(Record::decode(&flat.encode()), flat);
        assert_eq!(record.coordinates(), Coordinates::parse(38.725_09, -9.149_8).ok());
    }
}
