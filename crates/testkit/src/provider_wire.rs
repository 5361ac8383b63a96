//! The bodies of the fake provider: Open-Meteo's JSON, sound or with one [`Fault`] in it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::provider::Fault;

const HOUR_S: i64 = 3600;

/// What a query asked for, as far as the fake cares.
pub(crate) struct Asked {
    pub points: Vec<(f64, f64)>,
    elevations: Vec<f64>,
    hourly: Vec<String>,
    days: i64,
}

impl Asked {
    /// Reads `a=b&c=d,e`; what cannot be read counts as not asked for.
    pub fn parse(query: &str) -> Self {
        let query = query.replace("%2C", ",");
        let fields: HashMap<&str, &str> =
            query.split('&').filter_map(|field| field.split_once('=')).collect();
        let numbers = |name: &str| -> Vec<f64> {
            let list = fields.get(name).copied().unwrap_or_default();
            list.split(',').filter_map(|number| number.parse().ok()).collect()
        };
        Self {
            points: numbers("latitude").into_iter().zip(numbers("longitude")).collect(),
            elevations: numbers("elevation"),
            hourly: fields
                .get("hourly")
                .map(|list| list.split(',').map(String::from).collect())
                .unwrap_or_default(),
            days: fields.get("forecast_days").and_then(|days| days.parse().ok()).unwrap_or(7),
        }
    }
}

/// Colder towards the poles and with height, warmest at 12 UTC; a tenth of a degree is kept.
pub fn temperature(lat: f64, elevation_m: f64, at: i64) -> f64 {
    let hour = (at.div_euclid(HOUR_S)).rem_euclid(24) as f64;
    let day = ((hour - 12.0) / 24.0 * std::f64::consts::TAU).cos() * 4.0;
    ((25.0 - lat.abs() * 0.4 - elevation_m * 0.0065 + day) * 10.0).round() / 10.0
}

/// A value of any variable; the preceding hour's sum counts the hours of the day, so a shift shows.
fn value(name: &str, point: (f64, f64), elevation_m: f64, at: i64) -> f64 {
    let hour = at.div_euclid(HOUR_S).rem_euclid(24) as f64;
    match name {
        "temperature_2m" => temperature(point.0, elevation_m, at),
        "apparent_temperature" => temperature(point.0, elevation_m, at) - 2.0,
        "relative_humidity_2m" => 60.0 + hour,
        "precipitation" => hour / 10.0,
        "precipitation_probability" => hour * 4.0,
        "weather_code" => [0.0, 3.0, 61.0, 95.0][(hour as usize / 6).min(3)],
        "cloud_cover" => 100.0 - hour,
        "wind_speed_10m" => 2.0 + hour / 10.0,
        "wind_direction_10m" => hour * 15.0,
        "wind_gusts_10m" => 5.0 + hour / 10.0,
        "pressure_msl" => 1013.2,
        "visibility" => 24_140.0,
        "snowfall" => hour / 100.0,
        "uv_index" => 1.5,
        _ => 0.0,
    }
}

fn unit(name: &str) -> &'static str {
    match name {
        "temperature_2m" | "apparent_temperature" => "°C",
        "relative_humidity_2m" | "precipitation_probability" | "cloud_cover" => "%",
        "precipitation" => "mm",
        "wind_speed_10m" | "wind_gusts_10m" => "m/s",
        "wind_direction_10m" => "°",
        "pressure_msl" => "hPa",
        "visibility" => "m",
        "snowfall" => "cm",
        "weather_code" => "wmo code",
        _ => "",
    }
}

pub(crate) fn forecast(asked: &Asked, now: i64, fault: Fault) -> String {
    let mut locations: Vec<Value> =
        (0..asked.points.len()).map(|index| location(asked, index, now, fault)).collect();
    match fault {
        Fault::WrongOrder => locations.reverse(),
        Fault::WrongCount => {
            locations.pop();
        }
        Fault::OneBadLocation => {
            if let Some(last) = locations.last_mut() {
                *last = json!({"latitude": "north", "hourly": []});
            }
        }
        _ => {}
    }
    let as_object = (asked.points.len() == 1) != (fault == Fault::ArrayObjectSwap);
    let body = match locations.first() {
        Some(first) if as_object && fault != Fault::WrongCount => first.to_string(),
        _ => Value::Array(locations).to_string(),
    };
    if fault == Fault::NanLiteral {
        body.replacen("[0.0,", "[NaN,", 1).replacen("null", "NaN", 1)
    } else {
        body
    }
}

fn location(asked: &Asked, index: usize, now: i64, fault: Fault) -> Value {
    let point = asked.points[index];
    let elevation_m = asked.elevations.get(index).copied().unwrap_or(0.0);
    let times = times(asked.days, now, fault);
    let mut hourly = serde_json::Map::new();
    let mut units = serde_json::Map::new();
    hourly.insert("time".into(), json!(times));
    units.insert("time".into(), json!("unixtime"));
    for name in &asked.hourly {
        let mut values: Vec<Value> =
            times.iter().map(|at| json!(value(name, point, elevation_m, *at))).collect();
        spoil(name, &mut values, fault);
        if !(fault == Fault::MissingArray && name == "weather_code") {
            hourly.insert(name.clone(), Value::Array(values));
        }
        let wind = name.starts_with("wind_speed");
        units
            .insert(name.clone(), json!(if wind && fault == Fault::WrongUnit { "km/h" } else { unit(name) }));
    }
    // The grid's own point, not the one asked for.
    let snapped = |degrees: f64| (degrees * 8.0).round() / 8.0;
    let mut location = json!({
        "latitude": snapped(point.0), "longitude": snapped(point.1), "generationtime_ms": 0.09,
        "utc_offset_seconds": 3600, "timezone": "Europe/Berlin", "timezone_abbreviation": "GMT+1",
        "elevation": elevation_m, "hourly_units": units,
    });
    if index > 0 {
        location["location_id"] = json!(index);
    }
    if fault == Fault::NoUnits {
        location["hourly_units"] = json!({});
    }
    if fault != Fault::MissingHourly {
        location["hourly"] = Value::Object(hourly);
    }
    location
}

/// Whole days of hours from UTC midnight on.
fn times(days: i64, now: i64, fault: Fault) -> Vec<i64> {
    let skew = if let Fault::ClockSkew(hours) = fault { hours * HOUR_S } else { 0 };
    let midnight = now - now.rem_euclid(86_400) + skew;
    let (from, to) = match fault {
        // One offset for the whole horizon makes the first or the last day an hour shorter or longer.
        Fault::ShortDay => (1, days * 24),
        Fault::LongDay => (-1, days * 24),
        _ => (0, days * 24),
    };
    let mut times: Vec<i64> = (from..to).map(|hour| midnight + hour * HOUR_S).collect();
    match fault {
        Fault::DuplicateTimes if times.len() > 5 => times[5] = times[4],
        Fault::UnorderedTimes if times.len() > 5 => times.swap(4, 5),
        _ => {}
    }
    times
}

fn spoil(name: &str, values: &mut Vec<Value>, fault: Fault) {
    match fault {
        Fault::WrongTypes => values.iter_mut().for_each(|value| *value = json!(value.to_string())),
        Fault::Nulls => values.iter_mut().for_each(|value| *value = Value::Null),
        Fault::OneNull | Fault::NanLiteral if name == "temperature_2m" => values[7] = Value::Null,
        Fault::Warmer if name == "temperature_2m" => {
            let warmer = |value: &mut Value| *value = json!(value.as_f64().unwrap_or_default() + 10.0);
            values.iter_mut().for_each(warmer);
        }
        Fault::DifferentLengths if name == "cloud_cover" => {
            values.pop();
        }
        Fault::Impossible if name == "wind_speed_10m" => {
            values.iter_mut().for_each(|value| *value = json!(1_000_000.0));
        }
        _ => {}
    }
}

pub(crate) fn elevations(asked: &Asked) -> String {
    // Higher to the north, unknown at the poles.
    let metres = |lat: f64| if lat.abs() > 89.0 { Value::Null } else { json!((lat * 10.0).round().max(0.0)) };
    json!({"elevation": asked.points.iter().map(|point| metres(point.0)).collect::<Vec<_>>()}).to_string()
}
