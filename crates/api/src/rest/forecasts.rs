//! Forecasts: of favourites, places and points.

use std::collections::BTreeMap;

use app::forecasts::{ForecastList, ForecastQuery};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::forecast::{Attribution, Daily, Day, Forecast, Hourly, Now, Source, Units, Variable};
use domain::{Coordinates, Error, FavouriteId, Invalid, Timestamp};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::me::parse_units;
use crate::Api;
use crate::authentication::{Asking, Authenticated};
use crate::client::From as FromClient;
use crate::json::{Json, Object, Whole};
use crate::openapi::{Refused, units};
use crate::problem::{Problem, ProblemBody};
use crate::query::{Id, Query};

/// Weather for one place, from one source, never spliced. Times of series are unix seconds UTC; a value that is
/// not known is null, never 0. A variable that was not asked for, or that the source does not have, is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forecast)]
pub struct ForecastBody {
    /// `open-meteo`, …; `sandbox` is made up.
    #[schema(example = "open-meteo")]
    source: &'static str,
    /// Show it beside the data. In lists it stands once, under `sources`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attribution: Option<AttributionBody>,
    /// When the source computed it; null when it does not say.
    #[schema(required, format = DateTime)]
    issued_at: Option<String>,
    #[schema(format = DateTime)]
    fetched_at: String,
    /// Seconds since it was fetched. Not in lists, whose bytes are kept: use `fetched_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    age_s: Option<u64>,
    /// Older than an answer should be: the source has been out of reach for hours.
    stale: bool,
    /// IANA zone of `today` and `daily`.
    #[schema(required, example = "Europe/Lisbon")]
    tz: Option<String>,
    /// Unit of each variable. In lists it stands once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    units: Option<BTreeMap<&'static str, &'static str>>,
    /// The slot that holds the present; null when the answer has run out.
    #[schema(required)]
    now: Option<NowBody>,
    #[schema(required)]
    today: Option<DayBody>,
    hourly: HourlyBody,
    daily: DailyBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attribution)]
pub struct AttributionBody {
    #[schema(example = "Weather data by Open-Meteo.com")]
    text: &'static str,
    #[schema(required, example = "https://open-meteo.com/")]
    url: Option<&'static str>,
}

/// The slot that holds the present.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Now)]
pub struct NowBody {
    /// Unix seconds at which the slot starts.
    #[schema(example = 1795251600)]
    time: i64,
    #[schema(required)]
    temperature: Option<f64>,
    #[schema(required)]
    apparent_temperature: Option<f64>,
    #[schema(required)]
    dew_point: Option<f64>,
    #[schema(required)]
    humidity: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pressure: Option<f64>,
    #[schema(required)]
    cloud_cover: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    visibility: Option<f64>,
    #[schema(required)]
    precipitation: Option<f64>,
    #[schema(required)]
    precipitation_probability: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    snowfall: Option<f64>,
    /// WMO 4677.
    #[schema(required)]
    weather_code: Option<u8>,
    #[schema(required)]
    wind_speed: Option<f64>,
    /// Degrees it comes from.
    #[schema(required)]
    wind_direction: Option<u16>,
    #[schema(required)]
    wind_gust: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    uv_index: Option<f64>,
    is_day: bool,
}

/// A local day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Day)]
pub struct DayBody {
    #[schema(format = Date, example = "2026-11-21")]
    date: String,
    #[schema(required)]
    temperature_min: Option<f64>,
    #[schema(required)]
    temperature_max: Option<f64>,
    #[schema(required)]
    precipitation: Option<f64>,
    #[schema(required)]
    precipitation_probability: Option<u8>,
    /// The most severe of the day.
    #[schema(required)]
    weather_code: Option<u8>,
    #[schema(required)]
    wind_speed_max: Option<f64>,
    #[schema(required)]
    wind_gust_max: Option<f64>,
    /// Unix seconds; null in polar day and night.
    #[schema(required)]
    sunrise: Option<i64>,
    #[schema(required)]
    sunset: Option<i64>,
}

/// One array per variable, each as long as `time`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hourly)]
pub struct HourlyBody {
    /// Unix seconds at which each slot starts.
    time: Vec<i64>,
    /// Length of each slot in seconds.
    step_s: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    temperature: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apparent_temperature: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dew_point: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Option<u8>>)]
    humidity: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pressure: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cloud_cover: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    visibility: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    precipitation: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    precipitation_probability: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snowfall: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weather_code: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wind_speed: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wind_direction: Vec<Option<u16>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wind_gust: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uv_index: Vec<Option<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    is_day: Vec<bool>,
}

/// One array per value, each as long as `date`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Daily)]
pub struct DailyBody {
    date: Vec<String>,
    temperature_min: Vec<Option<f64>>,
    temperature_max: Vec<Option<f64>>,
    precipitation: Vec<Option<f64>>,
    precipitation_probability: Vec<Option<u8>>,
    weather_code: Vec<Option<u8>>,
    wind_speed_max: Vec<Option<f64>>,
    wind_gust_max: Vec<Option<f64>>,
    sunrise: Vec<Option<i64>>,
    sunset: Vec<Option<i64>>,
}

/// The favourites screen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FavouriteForecasts)]
pub struct ListBody {
    units: BTreeMap<&'static str, &'static str>,
    /// Attribution of each source that an item names.
    sources: BTreeMap<&'static str, AttributionBody>,
    items: Vec<ListItem>,
}

/// A forecast, or what stands in its way: one failing place never fails the others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FavouriteForecast)]
pub struct ListItem {
    favourite_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    forecast: Option<ForecastBody>,
    /// `forecast_pending` while it is being fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemBody>,
}

/// Forecasts of points, in the order asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointForecasts)]
pub struct PointsBody {
    items: Vec<PointItem>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointForecast)]
pub struct PointItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    forecast: Option<ForecastBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForecastsRequest)]
pub struct PointsRequest {
    #[schema(value_type = Vec<PointRequest>, min_items = 1, max_items = 10)]
    points: Vec<Object<PointRequest>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForecastPoint)]
pub struct PointRequest {
    #[schema(minimum = -90, maximum = 90, example = 38.72)]
    lat: f64,
    #[schema(minimum = -180, maximum = 180, example = -9.14)]
    lon: f64,
    /// Metres above the sea.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = -500, maximum = 9000)]
    elevation: Option<Whole>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForecastParams {
    /// Hours from the present one; at most 384.
    #[param(minimum = 0, maximum = 384, example = 12)]
    hours: Option<u32>,
    /// Days from today; at most 16.
    #[param(minimum = 0, maximum = 16, example = 1)]
    days: Option<u32>,
    /// `metric`, `imperial` or `si`; the account's preference when left out.
    #[param(schema_with = units, example = "metric")]
    units: Option<String>,
}

impl ForecastParams {
    fn parse(self) -> Result<ForecastQuery, Problem> {
        let units = self.units.as_deref().map(|name| parse_units("?units", name)).transpose()?;
        Ok(ForecastQuery { hours: self.hours, days: self.days, units })
    }
}

/// Forecasts of all favourites
///
/// The favourites screen in one request: now, today and the next hours of each. Answers within three seconds
/// with what is there by then.
#[utoipa::path(get, path = "/v1/favourites/forecasts", operation_id = "listFavouriteForecasts", tag = "forecasts", params(ForecastParams),
    responses((status = 200, description = "One item for each favourite, in their order", body = ListBody), Refused<403>))]
pub async fn favourites(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Query(params): Query<ForecastParams>,
) -> Result<Response, Problem> {
    let body = api.app.favourite_forecasts(&caller, &client, params.parse()?, list_body).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

/// Forecast of a favourite
#[utoipa::path(get, path = "/v1/favourites/{id}/forecast", operation_id = "getFavouriteForecast", tag = "forecasts",
    params(("id" = Uuid, Path, description = "Of the favourite"), ForecastParams),
    responses((status = 200, description = "The forecast", body = ForecastBody), Refused<403>))]
pub async fn favourite(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Id(id): Id<Uuid>,
    Query(params): Query<ForecastParams>,
) -> Result<axum::Json<ForecastBody>, Problem> {
    let id = FavouriteId::from_uuid(id);
    let forecast = api.app.favourite_forecast(&caller, &client, id, params.parse()?).await?;
    Ok(axum::Json(full(forecast)))
}

/// Forecast of a place
#[utoipa::path(get, path = "/v1/places/{id}/forecast", operation_id = "getPlaceForecast", tag = "forecasts",
    params(("id" = u32, Path, description = "Of the gazetteer", example = 2267057), ForecastParams),
    responses((status = 200, description = "The forecast", body = ForecastBody), Refused<403>))]
pub async fn place(
    Asking(principal): Asking,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Id(id): Id<u32>,
    Query(params): Query<ForecastParams>,
) -> Result<axum::Json<ForecastBody>, Problem> {
    let forecast = api.app.place_forecast(&principal, &client, id, params.parse()?).await?;
    Ok(axum::Json(full(forecast)))
}

/// Forecasts of points
///
/// One to ten; one that fails does not fail the others.
#[utoipa::path(post, path = "/v1/forecasts", operation_id = "getPointForecasts", tag = "forecasts", params(ForecastParams), request_body = PointsRequest,
    responses((status = 200, description = "One item for each point, in their order", body = PointsBody)))]
pub async fn points(
    Asking(principal): Asking,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Query(params): Query<ForecastParams>,
    Json { value, .. }: Json<PointsRequest>,
) -> Result<axum::Json<PointsBody>, Problem> {
    let points = parse_points(&value.points)?;
    let forecasts = api.app.point_forecasts(&principal, &client, &points, params.parse()?).await?;
    let item = |forecast| match forecast {
        Ok(forecast) => PointItem { forecast: Some(full(forecast)), problem: None },
        Err(error) => PointItem { forecast: None, problem: Some(Problem::from(error).body("")) },
    };
    Ok(axum::Json(PointsBody { items: forecasts.into_iter().map(item).collect() }))
}

fn parse_points(points: &[Object<PointRequest>]) -> Result<Vec<(Coordinates, Option<i32>)>, Problem> {
    let mut parsed = Vec::with_capacity(points.len().min(app::forecasts::MOST_POINTS));
    let mut wrong = Vec::new();
    for (n, Object(point)) in points.iter().enumerate().take(app::forecasts::MOST_POINTS + 1) {
        let elevation = match point.elevation {
            None => None,
            Some(Whole(metres)) => match i32::try_from(metres) {
                Ok(metres @ -500..=9000) => Some(metres),
                _ => {
                    let pointer = format!("/points/{n}/elevation");
                    wrong.push(Invalid::new(pointer, "out_of_range", "must be between -500 and 9000 metres"));
                    None
                }
            },
        };
        match Coordinates::parse(point.lat, point.lon) {
            Ok(at) => parsed.push((at, elevation)),
            Err(Error::Invalid(fields)) => {
                wrong.extend(fields.into_iter().map(|field| Invalid {
                    pointer: format!("/points/{n}{}", field.pointer).into(),
                    ..field
                }))
            }
            Err(other) => return Err(other.into()),
        }
    }
    if wrong.is_empty() { Ok(parsed) } else { Err(Error::Invalid(wrong).into()) }
}

fn list_body(list: &ForecastList) -> Bytes {
    let source =
        |(source, attribution): &(Source, Attribution)| (source.name(), attribution_body(*attribution));
    let item = |(id, forecast): &(FavouriteId, domain::Result<Forecast>)| match forecast {
        Ok(forecast) => ListItem { favourite_id: id.uuid(), forecast: Some(short(forecast)), problem: None },
        Err(error) => ListItem { favourite_id: id.uuid(), forecast: None, problem: Some(describe(error)) },
    };
    let body = ListBody {
        units: labels(list.units),
        sources: list.sources.iter().map(source).collect(),
        items: list.items.iter().map(item).collect(),
    };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

/// An error that is told inside an answer; it stays the caller's to look at.
fn describe(error: &Error) -> ProblemBody {
    let problem = match error {
        Error::Unavailable { code, detail, retry_after, .. } => {
            Problem::from(Error::unavailable(code, detail.clone(), *retry_after))
        }
        Error::Limited { code, detail, retry_after } => {
            Problem::from(Error::Limited { code, detail: detail.clone(), retry_after: *retry_after })
        }
        other => Problem::from(Error::internal(other)),
    };
    problem.body("")
}

fn full(forecast: Forecast) -> ForecastBody {
    let units = labels(forecast.units);
    let (attribution, age_s) = (attribution_body(forecast.attribution), forecast.age_s);
    let body = short(&forecast);
    ForecastBody { attribution: Some(attribution), age_s: Some(age_s), units: Some(units), ..body }
}

fn short(forecast: &Forecast) -> ForecastBody {
    ForecastBody {
        source: forecast.source.name(),
        attribution: None,
        issued_at: forecast.issued_at.map(Timestamp::rfc3339),
        fetched_at: forecast.fetched_at.rfc3339(),
        age_s: None,
        stale: forecast.stale,
        tz: forecast.tz.clone(),
        units: None,
        now: forecast.now.as_ref().map(now_body),
        today: forecast.today.as_ref().map(day_body),
        hourly: hourly_body(&forecast.hourly),
        daily: daily_body(&forecast.daily),
    }
}

fn labels(units: Units) -> BTreeMap<&'static str, &'static str> {
    Variable::ALL.into_iter().filter_map(|v| Some((v.name(), units.label(v)?))).collect()
}

fn attribution_body(attribution: Attribution) -> AttributionBody {
    AttributionBody { text: attribution.text, url: attribution.url }
}

fn now_body(now: &Now) -> NowBody {
    NowBody {
        time: now.time.seconds(),
        temperature: now.temperature,
        apparent_temperature: now.apparent_temperature,
        dew_point: now.dew_point,
        humidity: now.humidity,
        pressure: now.pressure,
        cloud_cover: now.cloud_cover,
        visibility: now.visibility,
        precipitation: now.precipitation,
        precipitation_probability: now.precipitation_probability,
        snowfall: now.snowfall,
        weather_code: now.weather_code,
        wind_speed: now.wind_speed,
        wind_direction: now.wind_direction,
        wind_gust: now.wind_gust,
        uv_index: now.uv_index,
        is_day: now.is_day,
    }
}

fn day_body(day: &Day) -> DayBody {
    DayBody {
        date: day.date.to_string(),
        temperature_min: day.temperature_min,
        temperature_max: day.temperature_max,
        precipitation: day.precipitation,
        precipitation_probability: day.precipitation_probability,
        weather_code: day.weather_code,
        wind_speed_max: day.wind_speed_max,
        wind_gust_max: day.wind_gust_max,
        sunrise: day.sunrise.map(Timestamp::seconds),
        sunset: day.sunset.map(Timestamp::seconds),
    }
}

fn hourly_body(hourly: &Hourly) -> HourlyBody {
    HourlyBody {
        time: hourly.time.iter().map(|time| time.seconds()).collect(),
        step_s: hourly.step_s.clone(),
        temperature: hourly.temperature.clone(),
        apparent_temperature: hourly.apparent_temperature.clone(),
        dew_point: hourly.dew_point.clone(),
        humidity: hourly.humidity.clone(),
        pressure: hourly.pressure.clone(),
        cloud_cover: hourly.cloud_cover.clone(),
        visibility: hourly.visibility.clone(),
        precipitation: hourly.precipitation.clone(),
        precipitation_probability: hourly.precipitation_probability.clone(),
        snowfall: hourly.snowfall.clone(),
        weather_code: hourly.weather_code.clone(),
        wind_speed: hourly.wind_speed.clone(),
        wind_direction: hourly.wind_direction.clone(),
        wind_gust: hourly.wind_gust.clone(),
        uv_index: hourly.uv_index.clone(),
        is_day: hourly.is_day.clone(),
    }
}

fn daily_body(daily: &Daily) -> DailyBody {
    let seconds = |times: &[Option<Timestamp>]| times.iter().map(|t| t.map(Timestamp::seconds)).collect();
    DailyBody {
        date: daily.date.iter().map(ToString::to_string).collect(),
        temperature_min: daily.temperature_min.clone(),
        temperature_max: daily.temperature_max.clone(),
        precipitation: daily.precipitation.clone(),
        precipitation_probability: daily.precipitation_probability.clone(),
        weather_code: daily.weather_code.clone(),
        wind_speed_max: daily.wind_speed_max.clone(),
        wind_gust_max: daily.wind_gust_max.clone(),
        sunrise: seconds(&daily.sunrise),
        sunset: seconds(&daily.sunset),
    }
}
