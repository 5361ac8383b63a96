//! A point on earth in WGS 84 degrees.

use crate::{Error, Invalid, Result};

/// Latitude -90 to 90 and longitude -180 to 180, both finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    lat: f64,
    lon: f64,
}

impl Coordinates {
    /// Refuses NaN, infinities and what is out of range, pointing at `/lat` and `/lon`.
    pub fn parse(lat: f64, lon: f64) -> Result<Self> {
        let mut wrong = Vec::new();
        if !(-90.0..=90.0).contains(&lat) {
            wrong.push(Invalid::new("/lat", "out_of_range", "must be between -90 and 90"));
        }
        if !(-180.0..=180.0).contains(&lon) {
            wrong.push(Invalid::new("/lon", "out_of_range", "must be between -180 and 180"));
        }
        if wrong.is_empty() { Ok(Self { lat, lon }) } else { Err(Error::Invalid(wrong)) }
    }

    pub const fn lat(self) -> f64 {
        self.lat
    }

    pub const fn lon(self) -> f64 {
        self.lon
    }

    /// Rounded to `places` decimals: what leaves for a provider or into a key.
    pub fn rounded(self, places: i32) -> Self {
        let factor = 10f64.powi(places);
        Self { lat: (self.lat * factor).round() / factor, lon: (self.lon * factor).round() / factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_on_earth() {
        assert!(Coordinates::parse(90.0, -180.0).is_ok());
        for (lat, lon) in [(90.1, 0.0), (0.0, 180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            let Err(Error::Invalid(fields)) = Coordinates::parse(lat, lon) else { panic!("{lat} {lon}") };
            assert_eq!(fields.len(), 1);
            assert_eq!(fields[0].code, "out_of_range");
        }
    }
}
