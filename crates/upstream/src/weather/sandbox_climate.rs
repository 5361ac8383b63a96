//! The sandbox's weather: a pure function of place, elevation and moment that looks like weather.
//!
//! Slow waves on the unit sphere stand for pressure systems and fronts. They are functions of the point, not
//! of latitude and longitude, so there is no seam at the antimeridian and none at the poles, and neighbouring
//! cells and hours always fit. Climate (mean, season, day) comes from latitude, date and elevation.

use std::f64::consts::TAU;

use domain::Coordinates;
use domain::forecast::sun::Sun;

/// Kelvin per metre.
const LAPSE: f64 = 0.0065;
const HOUR_S: i64 = 3600;
const DAY_S: f64 = 86_400.0;
/// Moisture above which it rains.
const RAIN_FROM: f64 = 0.85;

/// What a scenario does to the sky.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Push {
    pub moisture: f64,
    pub temperature: f64,
    pub wind: f64,
}

/// A point of the sphere with its elevation.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    coordinates: Coordinates,
    elevation_m: f64,
    /// The unit vector to it.
    direction: [f64; 3],
    push: Push,
}

/// The weather of one hour in the model's units: instants at its start, sums over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    pub temperature: f64,
    pub apparent_temperature: f64,
    pub humidity: f64,
    pub precipitation: f64,
    pub precipitation_probability: f64,
    pub weather_code: u8,
    pub cloud_cover: f64,
    pub wind_speed: f64,
    pub wind_direction: f64,
    pub wind_gust: f64,
    pub pressure: f64,
    pub visibility: f64,
    pub snowfall: f64,
    pub uv_index: f64,
}

impl Spot {
    pub fn new(coordinates: Coordinates, elevation_m: f32, push: Push) -> Self {
        let (lat_sin, lat_cos) = coordinates.lat().to_radians().sin_cos();
        let (lon_sin, lon_cos) = coordinates.lon().to_radians().sin_cos();
        let direction = [lat_cos * lon_cos, lat_cos * lon_sin, lat_sin];
        Self { coordinates, elevation_m: f64::from(elevation_m), direction, push }
    }

    /// The hour that starts at unix second `start`.
    pub fn conditions(&self, start: i64) -> Conditions {
        let middle = start + HOUR_S / 2;
        // Rounded first, so that what is shown agrees with itself: no snow at +0.5 °C, no rain of 0.0 mm.
        let temperature = tenths(self.temperature(start));
        let cloud_cover = cloud_cover(self.moisture(start));
        let moisture = self.moisture(middle);
        let precipitation = tenths(rain(moisture, temperature));
        let [east, north] = self.wind(start);
        let wind_speed = east.hypot(north);
        let humidity = self.humidity(start, cloud_cover, precipitation);
        let is_fog = precipitation == 0.0 && humidity > 96.0 && wind_speed < 2.5;
        let convective = temperature > 18.0 && (moisture > 1.6 || self.push.wind > 0.0);
        let weather_code =
            if is_fog { 45 } else { code(temperature, precipitation, cloud_cover, convective) };
        let gustiness = if convective && precipitation > 0.0 { 2.0 } else { 1.5 };
        Conditions {
            temperature,
            apparent_temperature: apparent(temperature, humidity, wind_speed),
            humidity,
            precipitation,
            precipitation_probability: probability(moisture, precipitation),
            weather_code,
            cloud_cover,
            wind_speed,
            // The wind is named after where it comes from, clockwise from north.
            wind_direction: (270.0 - north.atan2(east).to_degrees()).rem_euclid(360.0),
            wind_gust: wind_speed * gustiness + 1.0,
            pressure: 1013.0 - 14.0 * self.system(start) * self.storminess() - self.push.wind,
            visibility: visibility(is_fog, weather_code, humidity),
            snowfall: if (70..80).contains(&weather_code) { precipitation * 0.8 } else { 0.0 },
            uv_index: self.uv_index(start, cloud_cover),
        }
    }

    fn temperature(&self, at: i64) -> f64 {
        let tilt = self.direction[2];
        let mean = 27.0 - 45.0 * tilt.abs().powf(3.5);
        // Warmest around 25 July in the north; the sign of `tilt` turns it around in the south.
        let season = tilt.signum() * tilt.abs().powf(1.5) * 14.0 * phase(at, 365.2425 * DAY_S, 205.0 * DAY_S);
        // Warmest three hours after the sun's noon, less so under cloud and towards the poles.
        let across = self.direction[0].hypot(self.direction[1]);
        let local = at + (self.coordinates.lon() * 240.0) as i64;
        let day = across
            * (6.0 - 3.5 * cloud_cover(self.moisture(at)) / 100.0)
            * phase(local, DAY_S, 15.0 * 3600.0);
        let passing = 4.0 * self.wave(11, 9.0, 6.0, at) * self.storminess();
        (mean + season + day + passing + self.push.temperature - LAPSE * self.elevation_m).clamp(-80.0, 52.0)
    }

    /// How wet the air is, from about -2 to 2: low pressure and fronts of three sizes, less in the deserts' belt.
    fn moisture(&self, at: i64) -> f64 {
        let belt = ((self.coordinates.lat().abs() - 25.0) / 9.0).powi(2);
        0.55 * self.system(at)
            + 0.55 * self.wave(21, 28.0, 2.5, at)
            + 0.35 * self.wave(22, 90.0, 0.8, at)
            + 0.2 * self.wave(23, 260.0, 0.3, at)
            - 0.5 * (-belt).exp()
            + self.push.moisture
    }

    /// The large pressure systems: positive where pressure is low.
    fn system(&self, at: i64) -> f64 {
        self.wave(31, 8.0, 5.0, at)
    }

    /// Weather changes little at the equator and much from the middle latitudes on.
    fn storminess(&self) -> f64 {
        0.35 + 0.65 * self.direction[2].abs().powf(0.7)
    }

    fn wind(&self, at: i64) -> [f64; 2] {
        let strength = (3.0 + 3.0 * self.storminess()) * (1.0 + self.elevation_m.max(0.0) / 4000.0);
        let component =
            |seed| strength * self.wave(seed, 14.0, 2.0, at) + 0.8 * self.wave(seed + 1, 120.0, 0.4, at);
        let (east, north) = (component(41) + 1.5 + self.push.wind, component(51) + self.push.wind / 2.0);
        [east.clamp(-40.0, 40.0), north.clamp(-40.0, 40.0)]
    }

    fn humidity(&self, at: i64, cloud_cover: f64, precipitation: f64) -> f64 {
        let local = at + (self.coordinates.lon() * 240.0) as i64;
        let across = self.direction[0].hypot(self.direction[1]);
        let dry_air = 58.0 + 0.3 * cloud_cover - 14.0 * across * phase(local, DAY_S, 15.0 * 3600.0);
        let noise = 8.0 * self.wave(61, 40.0, 1.5, at);
        let least = if precipitation > 0.0 { 82.0 } else { 12.0 };
        (dry_air + noise - self.push.temperature * 2.0).clamp(least, 100.0)
    }

    fn uv_index(&self, at: i64, cloud_cover: f64) -> f64 {
        let height = Sun::at(at).height_sin(self.coordinates, at).max(0.0);
        let through_cloud = 1.0 - 0.75 * (cloud_cover / 100.0).powi(3);
        12.5 * height.powf(1.3) * through_cloud * (1.0 + self.elevation_m.max(0.0) / 10_000.0)
    }

    /// A sum of waves over the sphere that drift and pulse: about -1.5 to 1.5, mostly within ±0.8. Crests lie
    /// about 2π / `number` earth radii apart and take about `days` to pass.
    fn wave(&self, seed: u64, number: f64, days: f64, at: i64) -> f64 {
        let passed = at as f64 / (days * DAY_S) * TAU;
        let mut sum = 0.0;
        for index in 0..5 {
            let [a, b, c, d] = constants(seed * 16 + index);
            // A direction of travel: any vector that is not tiny does.
            let [x, y, z] = [a - 0.5, b - 0.5, c - 0.5];
            let length = (x * x + y * y + z * z).sqrt().max(0.1);
            let along = (x * self.direction[0] + y * self.direction[1] + z * self.direction[2]) / length;
            sum += (along * number * (0.8 + 0.4 * d) + passed * (0.6 + 0.8 * a) + d * TAU * 7.0).sin();
        }
        sum * 0.5
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Four constants in 0..1 that look random: the same for a seed for ever.
fn constants(seed: u64) -> [f64; 4] {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::array::from_fn(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    })
}

/// 1 at `peak` seconds into each `period`, -1 half a period later.
fn phase(at: i64, period: f64, peak: f64) -> f64 {
    ((at as f64 - peak) / period * TAU).cos()
}

fn cloud_cover(moisture: f64) -> f64 {
    (100.0 / (1.0 + (-4.0 * (moisture - 0.15)).exp())).clamp(0.0, 100.0)
}

/// Millimetres in an hour: more from warm air, which holds more water. The sky is overcast from
/// [`RAIN_FROM`] on, so there is no rain out of the blue.
fn rain(moisture: f64, temperature: f64) -> f64 {
    let excess = (moisture - RAIN_FROM).max(0.0);
    let warmth = (0.6 + 0.05 * temperature).clamp(0.25, 2.0);
    (excess.powf(1.4) * 5.0 * warmth).min(40.0)
}

fn probability(moisture: f64, precipitation: f64) -> f64 {
    let likely = 100.0 / (1.0 + (-5.0 * (moisture - RAIN_FROM)).exp());
    likely.clamp(if precipitation > 0.0 { 55.0 } else { 0.0 }, if precipitation > 0.0 { 100.0 } else { 55.0 })
}

/// Feels-like by Steadman's formula with wind and vapour pressure (Australian Bureau of Meteorology).
fn apparent(temperature: f64, humidity: f64, wind: f64) -> f64 {
    let vapour = humidity / 100.0 * 6.105 * (17.27 * temperature / (237.7 + temperature)).exp();
    (temperature + 0.33 * vapour - 0.7 * wind - 4.0).clamp(-110.0, 80.0)
}

/// The WMO code for an hour's amounts.
fn code(temperature: f64, mm: f64, cloud_cover: f64, convective: bool) -> u8 {
    let by_amount = |slight, moderate, heavy| match mm {
        ..2.5 => slight,
        ..7.6 => moderate,
        _ => heavy,
    };
    if mm <= 0.0 {
        return match cloud_cover {
            ..20.0 => 0,
            ..50.0 => 1,
            ..80.0 => 2,
            _ => 3,
        };
    }
    match temperature {
        ..0.5 => match mm {
            ..0.8 => 71,
            ..2.5 => 73,
            _ => 75,
        },
        ..2.0 => by_amount(68, 69, 69),
        _ if convective && mm >= 2.0 => 95,
        _ if temperature > 18.0 => by_amount(80, 81, 82),
        _ => match mm {
            ..=0.5 => 51,
            ..=1.0 => 53,
            ..=1.3 => 55,
            _ => by_amount(61, 63, 65),
        },
    }
}

/// Metres.
fn visibility(is_fog: bool, code: u8, humidity: f64) -> f64 {
    let clear = 40_000.0 - 250.0 * humidity;
    match code {
        _ if is_fog => 400.0,
        75 => 1_500.0,
        71..=79 => 4_000.0,
        65 | 82 | 95 => 5_000.0,
        50.. => clear.min(11_000.0),
        _ => clear,
    }
}
