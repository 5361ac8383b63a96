//! Open-Meteo's answers, read with suspicion: anything that was not asked for is an error, not a guess.

use std::collections::HashMap;

use domain::Timestamp;
use domain::forecast::{Cell, LimitWindow, Pack, SeriesBuilder, Source, Variable};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Answer, FetchError};
use crate::http::Reply;

/// The hourly step that was asked for.
const STEP_S: u32 = 3600;
/// The grid point that answers lies at most this far from the cell's centre, in degrees. The coarsest models
/// have 0.25°, and the search for land goes one point further.
const FARTHEST: f64 = 1.0;
/// The clocks of provider and host may differ by this much, and the first slot start that much later.
const CLOCK_SLACK_S: i64 = 2 * 3600;
const LONGEST_REASON: usize = 160;

/// The provider's name of a variable; `None` for what it is not asked for.
pub(super) fn name(variable: Variable) -> Option<&'static str> {
    Some(match variable {
        Variable::Temperature => "temperature_2m",
        Variable::ApparentTemperature => "apparent_temperature",
        Variable::Humidity => "relative_humidity_2m",
        Variable::Precipitation => "precipitation",
        Variable::PrecipitationProbability => "precipitation_probability",
        Variable::WeatherCode => "weather_code",
        Variable::CloudCover => "cloud_cover",
        Variable::WindSpeed => "wind_speed_10m",
        Variable::WindDirection => "wind_direction_10m",
        Variable::WindGust => "wind_gusts_10m",
        Variable::Pressure => "pressure_msl",
        Variable::Visibility => "visibility",
        Variable::Snowfall => "snowfall",
        Variable::UvIndex => "uv_index",
        Variable::DewPoint | Variable::IsDay => return None,
    })
}

/// The unit that the answer must state where it states any: a proxy or an old server that ignores
/// `wind_speed_unit` would otherwise make every wind 3.6 times too strong.
fn unit(variable: Variable) -> Option<&'static str> {
    match variable {
        Variable::Temperature | Variable::ApparentTemperature => Some("°C"),
        Variable::Humidity | Variable::PrecipitationProbability | Variable::CloudCover => Some("%"),
        Variable::Precipitation => Some("mm"),
        Variable::WindSpeed | Variable::WindGust => Some("m/s"),
        Variable::WindDirection => Some("°"),
        Variable::Pressure => Some("hPa"),
        Variable::Visibility => Some("m"),
        Variable::Snowfall => Some("cm"),
        _ => None,
    }
}

/// Sums, probabilities and maxima are those of the **preceding** hour, and so is the code, which is made from
/// them: in our model they belong to the slot one step earlier.
fn is_of_preceding_hour(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Precipitation
            | Variable::PrecipitationProbability
            | Variable::WeatherCode
            | Variable::WindGust
            | Variable::Snowfall
    )
}

/// The error that a reply is, or the reply when it may hold data.
pub(crate) fn check(reply: Reply) -> Result<Reply, FetchError> {
    let status = reply.status;
    let reason = reason(&reply.body);
    match status {
        429 => Err(FetchError::Limited {
            window: window(reason.as_deref().unwrap_or_default()),
            retry_after: reply.retry_after(),
        }),
        400..=499 => Err(FetchError::Refused { status, reason: reason.unwrap_or_default() }),
        500.. => Err(FetchError::Server { status }),
        200 => match (reply.body.iter().find(|byte| !byte.is_ascii_whitespace()), reason) {
            (Some(b'{'), Some(reason)) => Err(FetchError::Refused { status, reason }),
            (Some(b'{' | b'['), _) => Ok(reply),
            _ => Err(FetchError::NotData { status }),
        },
        _ => Err(FetchError::NotData { status }),
    }
}

/// The text of an error body `{"error":true,"reason":"…"}`. Digits are blotted out: reasons quote coordinates.
fn reason(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: bool,
        reason: String,
    }
    // Error bodies are short; a forecast is not parsed twice.
    let body: ErrorBody = serde_json::from_slice(body.get(..body.len().min(4096))?).ok()?;
    let readable = |char: char| {
        if char.is_control() {
            ' '
        } else if char.is_ascii_digit() {
            '#'
        } else {
            char
        }
    };
    body.error.then(|| body.reason.chars().take(LONGEST_REASON).map(readable).collect())
}

/// Which counter ran out, by the provider's text. An unknown text sleeps to the next minute and asks again.
fn window(reason: &str) -> LimitWindow {
    if reason.starts_with("Hourly") {
        LimitWindow::Hour
    } else if reason.starts_with("Daily") || reason.starts_with("Monthly") {
        LimitWindow::Day
    } else if reason.starts_with("Too many concurrent") {
        LimitWindow::Concurrency
    } else {
        LimitWindow::Minute
    }
}

/// One location of an answer, as far as it is of use.
#[derive(Deserialize)]
struct Location<'a> {
    latitude: f64,
    longitude: f64,
    location_id: Option<usize>,
    #[serde(default)]
    hourly_units: HashMap<String, String>,
    #[serde(borrow)]
    hourly: HashMap<String, &'a RawValue>,
}

/// Several locations come as an array, a single one as an object.
pub(crate) fn forecasts(
    body: &[u8],
    cells: &[Cell],
    pack: Pack,
    now: Timestamp,
) -> Result<Vec<Result<Answer, FetchError>>, FetchError> {
    let body = std::str::from_utf8(body).map_err(|_| malformed("not UTF-8"))?;
    let locations: Vec<&RawValue> = if body.trim_start().starts_with('[') {
        serde_json::from_str(body).map_err(|_| malformed("not JSON"))?
    } else {
        vec![serde_json::from_str(body).map_err(|_| malformed("not JSON"))?]
    };
    if locations.len() != cells.len() {
        return Err(malformed("as many locations as asked for were expected"));
    }
    let parse = |(index, (raw, cell)): (usize, (&&RawValue, &Cell))| {
        let location =
            serde_json::from_str(raw.get()).map_err(|_| malformed("a location has another shape"))?;
        forecast(&location, index, *cell, pack, now)
    };
    Ok(locations.iter().zip(cells).enumerate().map(parse).collect())
}

fn forecast(
    location: &Location<'_>,
    index: usize,
    cell: Cell,
    pack: Pack,
    now: Timestamp,
) -> Result<Answer, FetchError> {
    if location.location_id.is_some_and(|id| id != index) || !is_near(location, cell) {
        return Err(malformed("a location is not the one asked for"));
    }
    let times: Vec<i64> = array(location, "time")?;
    check_times(location, &times, now)?;
    let mut builder =
        SeriesBuilder::new(Source::OpenMeteo, pack, now).slots(times.iter().map(|start| (*start, STEP_S)))?;
    for variable in pack.variables() {
        let Some(name) = name(*variable) else { continue };
        if unit(*variable)
            .is_some_and(|unit| location.hourly_units.get(name).is_some_and(|said| said != unit))
        {
            return Err(FetchError::Malformed(format!("{name} has another unit than asked for").into()));
        }
        let mut values: Vec<Option<f64>> = array(location, name)?;
        if values.len() == times.len() && is_of_preceding_hour(*variable) {
            move_back(&mut values, &times);
        }
        builder = builder.column(*variable, values)?;
    }
    Ok(Answer { series: builder.build()?, expires_at: None })
}

fn is_near(location: &Location<'_>, cell: Cell) -> bool {
    let centre = cell.centre();
    let across = (location.longitude - centre.lon()).abs() % 360.0;
    let east = across.min(360.0 - across) * centre.lat().to_radians().cos();
    // A comparison with NaN is false, so numbers that are none are not near.
    (location.latitude - centre.lat()).abs() <= FARTHEST && east <= FARTHEST
}

/// The hours must be in unix seconds and hold the present: otherwise a clock is wrong, theirs or ours.
fn check_times(location: &Location<'_>, times: &[i64], now: Timestamp) -> Result<(), FetchError> {
    if location.hourly_units.get("time").is_some_and(|unit| unit != "unixtime") {
        return Err(malformed("times are not in unix seconds"));
    }
    let now = now.seconds();
    let holds_now = times.first().is_some_and(|first| *first <= now + CLOCK_SLACK_S)
        && times.last().is_some_and(|last| *last >= now);
    if holds_now { Ok(()) } else { Err(malformed("the hours do not hold the present: a clock is wrong")) }
}

/// The value of each slot is the one given for its end; absent where the next hour is not in the answer.
fn move_back(values: &mut [Option<f64>], times: &[i64]) {
    for index in 0..values.len() {
        let end = times[index].saturating_add(i64::from(STEP_S));
        let follows = times.get(index + 1).is_some_and(|next| *next == end);
        values[index] = if follows { values[index + 1] } else { None };
    }
}

fn array<'a, T: Deserialize<'a>>(location: &Location<'a>, name: &str) -> Result<Vec<T>, FetchError> {
    let raw = location
        .hourly
        .get(name)
        .ok_or_else(|| FetchError::Malformed(format!("{name} is missing").into()))?;
    serde_json::from_str(raw.get())
        .map_err(|_| FetchError::Malformed(format!("{name} is not an array of numbers").into()))
}

/// The elevation service's `{"elevation":[…]}`; its model marks the unknown with NaN, which JSON writes as null.
pub(crate) fn elevations(body: &[u8], count: usize) -> Result<Vec<Option<f32>>, FetchError> {
    #[derive(Deserialize)]
    struct Elevations {
        elevation: Vec<Option<f32>>,
    }
    let answer: Elevations = serde_json::from_slice(body).map_err(|_| malformed("not elevations"))?;
    if answer.elevation.len() != count {
        return Err(malformed("as many elevations as asked for were expected"));
    }
    let possible = |metres: &f32| (-500.0..=9000.0).contains(metres);
    Ok(answer.elevation.into_iter().map(|metres| metres.filter(possible)).collect())
}

fn malformed(why: &'static str) -> FetchError {
    FetchError::Malformed(why.into())
}
