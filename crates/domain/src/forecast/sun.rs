//! Where the sun stands: daylight, sunrise and sunset from coordinates and time alone.
//!
//! The low-accuracy solar position of the NOAA solar calculator (after Meeus): within a minute of the
//! almanac between the polar circles, for the years 1900 to 2100.

use crate::Coordinates;

/// The sine of -0.833°: the sun's upper edge on the horizon, with the usual refraction.
const HORIZON_SIN: f64 = -0.014_538_1;
const DAY_S: f64 = 86_400.0;
/// 2000-01-01T12:00:00Z.
const J2000: f64 = 946_728_000.0;

/// The sun as seen from the earth's centre at one moment. It moves slowly: 0.1° in six hours at most.
#[derive(Clone, Copy, Debug)]
pub struct Sun {
    declination_sin: f64,
    declination_cos: f64,
    /// Seconds that a sundial is ahead of a clock at longitude 0.
    equation_of_time_s: f64,
}

/// Sunrise and sunset around one noon, in unix seconds; `None` where the sun does not cross the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daylight {
    pub sunrise: Option<i64>,
    pub sunset: Option<i64>,
}

impl Sun {
    /// The sun at unix second `at`.
    pub fn at(at: i64) -> Self {
        let t = (at as f64 - J2000) / (36_525.0 * DAY_S);
        let mean_longitude = (280.466_46 + t * (36_000.769_83 + t * 0.000_303_2)).to_radians();
        let anomaly = (357.529_11 + t * (35_999.050_29 - t * 0.000_153_7)).to_radians();
        let eccentricity = 0.016_708_634 - t * (0.000_042_037 + t * 0.000_000_126_7);
        let centre = anomaly.sin() * (1.914_602 - t * (0.004_817 + t * 0.000_014))
            + (2.0 * anomaly).sin() * (0.019_993 - t * 0.000_101)
            + (3.0 * anomaly).sin() * 0.000_289;
        let node = (125.04 - 1934.136 * t).to_radians();
        let longitude = mean_longitude + (centre - 0.005_69 - 0.004_78 * node.sin()).to_radians();
        let obliquity = (23.439_291 - t * (0.013_004_2 + t * (0.000_000_16 - t * 0.000_000_504))
            + 0.002_56 * node.cos())
        .to_radians();
        let declination_sin = obliquity.sin() * longitude.sin();
        let y = (obliquity / 2.0).tan().powi(2);
        let equation = y * (2.0 * mean_longitude).sin() - 2.0 * eccentricity * anomaly.sin()
            + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * mean_longitude).cos()
            - 0.5 * y * y * (4.0 * mean_longitude).sin()
            - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin();
        Self {
            declination_sin,
            declination_cos: (1.0 - declination_sin * declination_sin).sqrt(),
            equation_of_time_s: equation.to_degrees() * 240.0,
        }
    }

    /// The sine of the sun's height at a place at unix second `at`, which must be near this sun's own moment.
    pub fn height_sin(&self, place: Coordinates, at: i64) -> f64 {
        let sundial_s = at as f64 + self.equation_of_time_s + place.lon() * 240.0;
        // Half a turn after midnight the hour angle is 0.
        let hour_angle = (sundial_s / DAY_S) * std::f64::consts::TAU - std::f64::consts::PI;
        let (lat_sin, lat_cos) = place.lat().to_radians().sin_cos();
        lat_sin * self.declination_sin + lat_cos * self.declination_cos * hour_angle.cos()
    }

    /// Whether any of the sun is above the horizon.
    pub fn is_up(&self, place: Coordinates, at: i64) -> bool {
        self.height_sin(place, at) > HORIZON_SIN
    }

    /// Half the length of the day in seconds; `None` when the sun stays up or down.
    fn half_day_s(&self, place: Coordinates) -> Option<f64> {
        let (lat_sin, lat_cos) = place.lat().to_radians().sin_cos();
        let across = lat_cos * self.declination_cos;
        let cosine = (HORIZON_SIN - lat_sin * self.declination_sin) / across;
        // At a pole `across` is 0 and the quotient infinite or not a number: no crossing either way.
        (-1.0..=1.0).contains(&cosine).then(|| cosine.acos() / std::f64::consts::TAU * DAY_S)
    }

    /// The sun's highest moment nearest to unix second `around`.
    fn noon(&self, place: Coordinates, around: f64) -> f64 {
        let offset = DAY_S / 2.0 - self.equation_of_time_s - place.lon() * 240.0;
        ((around - offset) / DAY_S).round() * DAY_S + offset
    }
}

impl Daylight {
    /// The crossings around the solar noon nearest to `midday`, the middle of a local day in unix seconds.
    /// In places that keep odd time a sunset may fall after that day's midnight.
    pub fn around(place: Coordinates, midday: i64) -> Self {
        let sun = Sun::at(midday);
        let noon = sun.noon(place, midday as f64);
        Self { sunrise: crossing(place, noon, sun, -1.0), sunset: crossing(place, noon, sun, 1.0) }
    }
}

/// The crossing before (`side` -1) or after (1) `noon`. The sun of the first guess's own moment makes a better
/// guess; two rounds settle it to seconds.
fn crossing(place: Coordinates, noon: f64, at_noon: Sun, side: f64) -> Option<i64> {
    let mut crossing = noon + side * at_noon.half_day_s(place)?;
    for _ in 0..2 {
        let sun = Sun::at(crossing as i64);
        let Some(half_day) = sun.half_day_s(place) else { break };
        crossing = sun.noon(place, noon) + side * half_day;
    }
    Some(crossing.round() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().expect("a time").as_second()
    }

    fn place(lat: f64, lon: f64) -> Coordinates {
        Coordinates::parse(lat, lon).expect("on earth")
    }

    #[test]
    fn sunrise_and_sunset_agree_with_almanacs() {
        // Published times, to the minute.
        for (lat, lon, midday, sunrise, sunset) in [
            (51.4769, 0.0, "2026-06-21T12:00:00Z", "2026-06-21T03:43:00Z", "2026-06-21T20:21:30Z"),
            (51.4769, 0.0, "2026-12-21T12:00:00Z", "2026-12-21T08:03:30Z", "2026-12-21T15:53:30Z"),
            (0.0, 0.0, "2026-03-20T12:00:00Z", "2026-03-20T06:04:00Z", "2026-03-20T18:11:00Z"),
        ] {
            let daylight = Daylight::around(place(lat, lon), seconds(midday));
            for (found, published) in [(daylight.sunrise, sunrise), (daylight.sunset, sunset)] {
                let off = found.expect("the sun crosses") - seconds(published);
                assert!(off.abs() <= 90, "{published}: {off} s off");
            }
        }
    }

    #[test]
    fn the_sun_neither_rises_nor_sets_at_polar_midsummer_and_midwinter() {
        let none = Daylight { sunrise: None, sunset: None };
        for midday in ["2026-06-21T12:00:00Z", "2026-12-21T12:00:00Z"] {
            for (lat, lon) in [(78.2, 15.6), (-85.0, 0.0), (90.0, 0.0), (-90.0, 12.0)] {
                assert_eq!(Daylight::around(place(lat, lon), seconds(midday)), none, "{lat} {midday}");
            }
        }
        let midsummer = seconds("2026-06-21T00:00:00Z");
        assert!(Sun::at(midsummer).is_up(place(78.2, 15.6), midsummer));
        assert!(!Sun::at(midsummer).is_up(place(-78.2, 15.6), midsummer));
    }

    proptest! {
        #[test]
        fn the_sun_is_up_exactly_between_sunrise_and_sunset(
            lat in -66.0..66.0f64, lon in -180.0..180.0f64, midday in 1_700_000_000..2_000_000_000i64,
        ) {
            let place = place(lat, lon);
            let daylight = Daylight::around(place, midday);
            // Where the sun only grazes the horizon there may be no crossing.
            if let (Some(sunrise), Some(sunset)) = (daylight.sunrise, daylight.sunset) {
                prop_assert!(sunrise < sunset && sunset - sunrise < 86_400);
                for (at, up) in [(sunrise - 300, false), (sunrise + 300, true), (sunset - 300, true), (sunset + 300, false)] {
                    if sunset - sunrise > 3600 && sunset - sunrise < 82_800 {
                        prop_assert_eq!(Sun::at(at).is_up(place, at), up, "{} {:?}", at, daylight);
                    }
                }
                prop_assert!(((sunrise + sunset) / 2 - midday).abs() <= 43_200 + 120);
            }
        }
    }
}
