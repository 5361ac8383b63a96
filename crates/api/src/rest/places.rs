//! `/v1/places`: the gazetteer. Needs no credential.

use app::places::{Place, PlaceSearch};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Coordinates, Invalid};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::client::From as FromClient;
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::{Id, Query};

/// A place of the gazetteer. Place data © GeoNames (CC BY 4.0), modified.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Place)]
pub struct PlaceBody {
    #[schema(example = 2267057)]
    id: u32,
    #[schema(example = "Lisbon")]
    name: String,
    /// First-level area: state, province, region.
    #[schema(required, example = "Lisbon")]
    admin1: Option<String>,
    #[schema(example = "Portugal")]
    country: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "PT")]
    country_code: String,
    #[schema(example = 38.71667)]
    lat: f64,
    #[schema(example = -9.13333)]
    lon: f64,
    /// IANA time zone.
    #[schema(example = "Europe/Lisbon")]
    tz: String,
    #[schema(example = 517802)]
    population: u32,
    /// Metres above the sea, of the place's own point; a hint.
    #[schema(required, example = 45)]
    elevation: Option<i32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceList {
    items: Vec<PlaceBody>,
    /// Always null: a search has one page.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NearestPlace {
    place: PlaceBody,
    /// From the point asked for to the place's own.
    #[schema(example = 1830)]
    distance_m: u32,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// What was typed so far; at most 100 characters. "City, Country" and "City, State" work.
    #[param(example = "Lisb", max_length = 100)]
    q: String,
    /// Language of names, where the data has them.
    #[param(example = "de", max_length = 35)]
    lang: Option<String>,
    /// Prefer places near `lat,lon`, in whole degrees: an exact position is not wanted here.
    #[param(
        example = "39,-9",
        pattern = "^(0|-?([1-9]|[1-8][0-9]|90)),(0|-?([1-9]|[1-9][0-9]|1[0-7][0-9]|180))$"
    )]
    near: Option<String>,
    #[param(minimum = 1, maximum = 50, example = 8)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Point)]
pub struct PointBody {
    #[schema(minimum = -90, maximum = 90, example = 38.72)]
    lat: f64,
    #[schema(minimum = -180, maximum = 180, example = -9.14)]
    lon: f64,
}

impl From<Place> for PlaceBody {
    fn from(place: Place) -> Self {
        Self {
            id: place.id,
            name: place.name.to_string(),
            admin1: place.admin1.map(|name| name.to_string()),
            country: place.country.to_string(),
            country_code: String::from_utf8_lossy(&place.country_code).into_owned(),
            lat: place.coordinates.lat(),
            lon: place.coordinates.lon(),
            tz: place.tz.to_string(),
            population: place.population,
            elevation: place.elevation,
        }
    }
}

/// Search places
///
/// As you type: prefixes, diacritics, many scripts, and typing errors. Best first.
#[utoipa::path(get, path = "/v1/places", operation_id = "searchPlaces", tag = "places", params(SearchQuery),
    responses((status = 200, description = "Places, best first", body = PlaceList), Refused<403>, Refused<429>), security(()))]
pub async fn search(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Problem> {
    let near = query.near.as_deref().map(near).transpose()?;
    if query.lang.as_ref().is_some_and(|lang| lang.chars().count() > 35) {
        return Err(domain::Error::from(Invalid::new("?lang", "malformed", "must be a language tag")).into());
    }
    let search = PlaceSearch { text: query.q, near, lang: query.lang, limit: query.limit };
    let items = api.app.search_places(&client, &search)?.into_iter().map(PlaceBody::from).collect();
    Ok(public(axum::Json(PlaceList { items, next: None })))
}

/// Read a place
#[utoipa::path(get, path = "/v1/places/{id}", operation_id = "getPlace", tag = "places",
    params(("id" = u32, Path, description = "Of the gazetteer", example = 2267057)),
    responses((status = 200, description = "The place", body = PlaceBody), Refused<403>, Refused<429>), security(()))]
pub async fn read(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Id(id): Id<u32>,
) -> Result<Response, Problem> {
    Ok(public(axum::Json(PlaceBody::from(api.app.place(&client, id)?))))
}

/// Find the nearest place
///
/// In the body and not in the address, since addresses end up in logs.
#[utoipa::path(post, path = "/v1/places/nearest", operation_id = "findNearestPlace", tag = "places", request_body = PointBody,
    responses((status = 200, description = "The place and how far it is", body = NearestPlace), Refused<429>), security(()))]
pub async fn nearest(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<PointBody>,
) -> Result<Response, Problem> {
    let near = api.app.nearest_place(&client, Coordinates::parse(value.lat, value.lon)?)?;
    let distance_m = near.distance_m.round() as u32;
    let body = NearestPlace { place: near.place.into(), distance_m };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response())
}

fn public(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let value = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

fn near(text: &str) -> Result<Coordinates, Problem> {
    let malformed = || {
        let detail = "must be whole degrees, like 39,-9";
        Problem::from(domain::Error::from(Invalid::new("?near", "malformed", detail)))
    };
    let (lat, lon) = text.split_once(',').ok_or_else(malformed)?;
    // Written in one way only, so that equal questions have equal addresses and share a cached answer.
    let whole = |text: &str| {
        let degrees = text.parse::<i16>().ok().filter(|degrees| degrees.to_string() == text);
        degrees.ok_or_else(malformed)
    };
    Coordinates::parse(f64::from(whole(lat)?), f64::from(whole(lon)?)).map_err(|_| malformed())
}
