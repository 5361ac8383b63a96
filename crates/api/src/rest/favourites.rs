//! `/v1/favourites`.

use app::favourites::{After, Condition, Page, Written};
use app::idempotency::Idempotency;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::cursor::Cursor;
use domain::favourite::{Favourite, Fields, NewFavourite, Patch, PatchFields};
use domain::{FavouriteId, Invalid};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::json::{Json, Whole};
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::{Id, Query};

/// A saved place or point.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Favourite)]
pub struct FavouriteBody {
    pub id: Uuid,
    /// Number of the change that made it what it is; its ETag is `"r<rev>"`.
    #[schema(example = 42)]
    pub rev: i64,
    #[schema(example = "Oslo")]
    pub name: String,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90, example = 59.91)]
    pub lat: f64,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180, example = 10.75)]
    pub lon: f64,
    /// IANA time zone, computed from the coordinates.
    #[schema(example = "Europe/Oslo")]
    pub tz: String,
    /// Of the gazetteer, when it was picked there.
    #[schema(required, example = 3143244)]
    pub place_id: Option<u32>,
    /// Metres above the sea; null when nobody said.
    #[schema(required, example = 23)]
    pub elevation: Option<i32>,
    #[schema(required)]
    pub note: Option<String>,
    /// Fractional index: favourites are ordered by (position, id), compared byte by byte.
    #[schema(example = "a0", pattern = "^[0-9A-Za-z]{1,64}$")]
    pub position: String,
    #[schema(format = DateTime, example = "2026-11-21T09:28:16Z")]
    pub updated_at: String,
}

/// A favourite that was just created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedFavourite {
    #[serde(flatten)]
    favourite: FavouriteBody,
    /// Other favourites at the same place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    duplicate_of: Vec<Uuid>,
}

/// Favourites in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct FavouritePage {
    items: Vec<FavouriteBody>,
    /// Give it as `after` for the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
    /// Position in the log of changes when the first page was read.
    #[schema(example = "v1.2851.57")]
    cursor: String,
}

/// Either `place_id`, or `name` with `lat` and `lon`; what is given beside a `place_id` goes before its values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFavourite, example = json!({"place_id": 2267057}))]
pub struct NewFavouriteBody {
    /// 1 to 100 characters on one line.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Cabin")]
    name: Option<String>,
    #[serde(default)]
    #[schema(minimum = -90, maximum = 90, example = 60.1)]
    lat: Option<f64>,
    #[serde(default)]
    #[schema(minimum = -180, maximum = 180, example = 9.2)]
    lon: Option<f64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, example = 2267057)]
    place_id: Option<Whole>,
    /// Metres above the sea.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = -500, maximum = 9000)]
    elevation: Option<Whole>,
    /// Up to 2000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// Behind all others when left out.
    #[serde(default)]
    #[schema(pattern = "^[0-9A-Za-z]{1,64}$")]
    position: Option<String>,
}

/// A JSON merge patch (RFC 7396): fields that are left out stay; `null` clears place, elevation or note.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FavouritePatch {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = f64, minimum = -90, maximum = 90)]
    lat: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = f64, minimum = -180, maximum = 180)]
    lon: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 0)]
    place_id: Option<Option<Whole>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = -500, maximum = 9000)]
    elevation: Option<Option<Whole>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    note: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, pattern = "^[0-9A-Za-z]{1,64}$")]
    position: Option<Option<String>>,
}

/// Tells a field that is `null` from one that is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Favourites of one page: 1 to the account's quota, 200 when left out.
    #[param(minimum = 1, example = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

impl From<Favourite> for FavouriteBody {
    fn from(favourite: Favourite) -> Self {
        let Favourite { id, rev, content, position, updated_at } = favourite;
        Self {
            id: id.uuid(),
            rev,
            name: content.name,
            lat: content.lat,
            lon: content.lon,
            tz: content.tz,
            place_id: content.place_id,
            elevation: content.elevation,
            note: content.note,
            position: position.to_string(),
            updated_at: updated_at.rfc3339(),
        }
    }
}

impl NewFavouriteBody {
    pub fn parse(self) -> domain::Result<NewFavourite> {
        let Self { name, lat, lon, place_id, elevation, note, position } = self;
        let (place_id, elevation) = (place_id.map(|id| id.0), elevation.map(|metres| metres.0));
        NewFavourite::parse(None, Fields { name, note, lat, lon, place_id, elevation, position })
    }
}

impl FavouritePatch {
    pub fn parse(self) -> domain::Result<Patch> {
        let Self { name, lat, lon, place_id, elevation, note, position } = self;
        let whole = |number: Option<Option<Whole>>| number.map(|given| given.map(|whole| whole.0));
        let (place_id, elevation) = (whole(place_id), whole(elevation));
        Patch::parse(PatchFields { name, note, lat, lon, place_id, elevation, position })
    }
}

/// List favourites
///
/// In order of (position, id). A synchronising client takes them in one page and goes on from `cursor`.
#[utoipa::path(get, path = "/v1/favourites", operation_id = "listFavourites", tag = "favourites", params(ListQuery),
    responses((status = 200, description = "A page of favourites", body = FavouritePage)))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    if query.limit.is_none() && query.after.is_none() {
        let body = api.app.favourites_rendered(&caller, page_body).await?;
        return Ok((json, body).into_response());
    }
    let after = query.after.as_deref().map(parse_after).transpose()?;
    let page = api.app.favourites(&caller, query.limit, after).await?;
    let mut response = (json, page_body(&page)).into_response();
    if let Some(after) = &page.next {
        let limit = query.limit.map_or(String::new(), |limit| format!("limit={limit}&"));
        let link = format!("</v1/favourites?{limit}after={}>; rel=\"next\"", after_text(after));
        response.headers_mut().extend(HeaderValue::try_from(link).map(|link| (header::LINK, link)));
    }
    Ok(response)
}

/// Create a favourite
///
/// Under an id of its own; PUT takes one that the client made. The same place twice is allowed and told.
#[utoipa::path(post, path = "/v1/favourites", operation_id = "createFavourite", tag = "favourites", request_body = NewFavouriteBody,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^\"*[!#-~]([!-~]{0,62}[!#-~])?\"*$", example = "8e03978e-40d5-43e8-bc93-6894a57f9324", description = "Repeats of the request have its effect once, for 24 hours")),
    responses((status = 201, description = "Created", body = CreatedFavourite, headers(
        ("ETag" = String, description = "`\"r<rev>\"`"), ("Location" = String, description = "Where it is"))), Refused<409>))]
pub async fn create(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    headers: HeaderMap,
    Json { value, raw }: Json<NewFavouriteBody>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(&api, &headers, &Method::POST, "/v1/favourites", &raw)?;
    let written = api.app.add_favourite(&caller, value.parse()?, idempotency).await?;
    answer(written)
}

/// Read a favourite
#[utoipa::path(get, path = "/v1/favourites/{id}", operation_id = "getFavourite", tag = "favourites",
    params(("id" = Uuid, Path, description = "Of the favourite"),
        ("If-None-Match" = Option<String>, Header, description = "ETags that the client has")),
    responses((status = 200, description = "The favourite", body = FavouriteBody, headers(("ETag" = String, description = "`\"r<rev>\"`"))),
        (status = 304, description = "The client has it already")))]
pub async fn read(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let favourite = api.app.favourite(&caller, FavouriteId::from_uuid(id)).await?;
    let condition = revs(&headers, &header::IF_NONE_MATCH)?;
    let known = match condition {
        Some(Tags::Any) => true,
        Some(Tags::Revs(revs)) => revs.contains(&favourite.rev),
        None => false,
    };
    let tag = etag(favourite.rev);
    if known {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, axum::Json(FavouriteBody::from(favourite))).into_response())
}

/// Create or replace a favourite
///
/// The client makes the id (UUIDv7). Replaces name, coordinates, place, elevation and note; a position that is
/// left out is kept.
#[utoipa::path(put, path = "/v1/favourites/{id}", operation_id = "putFavourite", tag = "favourites", request_body = NewFavouriteBody,
    params(("id" = Uuid, Path, description = "Made by the client"),
        ("If-Match" = Option<String>, Header, description = "Only if its ETag is one of these"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none yet"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^\"*[!#-~]([!-~]{0,62}[!#-~])?\"*$", example = "8e03978e-40d5-43e8-bc93-6894a57f9324", description = "Repeats of the request have its effect once, for 24 hours")),
    responses((status = 200, body = FavouriteBody, description = "Replaced"), (status = 201, description = "Created", body = CreatedFavourite), Refused<409>, Refused<412>))]
pub async fn put(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    headers: HeaderMap,
    Json { value, raw }: Json<NewFavouriteBody>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(&api, &headers, &Method::PUT, &id.to_string(), &raw)?;
    let condition = condition(&headers)?;
    let id = FavouriteId::of_client(id).map_err(domain::Error::from)?;
    answer(api.app.put_favourite(&caller, id, value.parse()?, condition, idempotency).await?)
}

/// Change fields of a favourite
///
/// A JSON merge patch. Two devices that change different fields both keep their change.
#[utoipa::path(patch, path = "/v1/favourites/{id}", operation_id = "patchFavourite", tag = "favourites", request_body(content((FavouritePatch = "application/json"), (FavouritePatch = "application/merge-patch+json"))),
    params(("id" = Uuid, Path, description = "Of the favourite"),
        ("If-Match" = Option<String>, Header, description = "Only if its ETag is one of these"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^\"*[!#-~]([!-~]{0,62}[!#-~])?\"*$", example = "8e03978e-40d5-43e8-bc93-6894a57f9324", description = "Repeats of the request have its effect once, for 24 hours")),
    responses((status = 200, description = "The favourite as it is now", body = FavouriteBody, headers(("ETag" = String, description = "`\"r<rev>\"`"))), Refused<409>, Refused<412>))]
pub async fn patch(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    headers: HeaderMap,
    Json { value, raw }: Json<FavouritePatch>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(&api, &headers, &Method::PATCH, &id.to_string(), &raw)?;
    let condition = condition(&headers)?;
    let id = FavouriteId::from_uuid(id);
    answer(api.app.patch_favourite(&caller, id, value.parse()?, condition, idempotency).await?)
}

/// Remove a favourite
#[utoipa::path(delete, path = "/v1/favourites/{id}", operation_id = "deleteFavourite", tag = "favourites",
    params(("id" = Uuid, Path, description = "Of the favourite"),
        ("If-Match" = Option<String>, Header, description = "Only if its ETag is one of these"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^\"*[!#-~]([!-~]{0,62}[!#-~])?\"*$", example = "8e03978e-40d5-43e8-bc93-6894a57f9324", description = "Repeats of the request have its effect once, for 24 hours")),
    responses((status = 204, description = "Removed"), Refused<409>, Refused<412>))]
pub async fn delete(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let idempotency = idempotency(&api, &headers, &Method::DELETE, &id.to_string(), &[])?;
    let condition = condition(&headers)?;
    answer(api.app.delete_favourite(&caller, FavouriteId::from_uuid(id), condition, idempotency).await?)
}

fn answer(written: Written) -> Result<Response, Problem> {
    match written {
        Written::Created { favourite, duplicate_of } => {
            let location = format!("/v1/favourites/{}", favourite.id);
            let duplicate_of = duplicate_of.into_iter().map(FavouriteId::uuid).collect();
            let tag = etag(favourite.rev);
            let body = CreatedFavourite { favourite: favourite.into(), duplicate_of };
            Ok((StatusCode::CREATED, tag, [(header::LOCATION, location)], axum::Json(body)).into_response())
        }
        Written::Replaced(favourite) => {
            Ok((etag(favourite.rev), axum::Json(FavouriteBody::from(favourite))).into_response())
        }
        Written::Deleted { .. } => Ok(StatusCode::NO_CONTENT.into_response()),
        Written::Refused(current) => {
            let problem = Problem::from(domain::Error::Precondition);
            let current = current.map(|favourite| Box::new(FavouriteBody::from(favourite)));
            Err(Problem { current, ..problem })
        }
    }
}

fn page_body(page: &Page) -> Bytes {
    let body = FavouritePage {
        items: page.items.iter().cloned().map(FavouriteBody::from).collect(),
        next: page.next.as_ref().map(after_text),
        cursor: page.cursor.to_string(),
    };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

/// Opaque to clients: position, id and the cursor of the first page.
pub fn after_text(after: &After) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", after.position, after.id, after.cursor))
}

pub fn parse_after(text: &str) -> Result<After, Problem> {
    let malformed =
        || Problem::from(domain::Error::from(Invalid::new("?after", "malformed", "is no `next` of a page")));
    let bytes = if text.len() <= 300 { URL_SAFE_NO_PAD.decode(text).ok() } else { None };
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(malformed)?;
    let mut parts = plain.split(' ');
    let (Some(position), Some(id), Some(cursor), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    let position = domain::position::Position::parse("?after", position).map_err(|_| malformed())?;
    let id = FavouriteId::from_uuid(Uuid::parse_str(id).map_err(|_| malformed())?);
    let cursor = Cursor::parse(cursor).map_err(|_| malformed())?;
    Ok(After { position: position.to_string(), id, cursor })
}

pub fn etag(rev: i64) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"r{rev}\""))]
}

enum Tags {
    Any,
    Revs(Vec<i64>),
}

/// The revision whose tag this is, to the letter: `"r05"` and `"r+5"` are tags of nothing.
fn rev_of(tag: &str) -> Option<i64> {
    let rev = tag.strip_prefix("\"r")?.strip_suffix('"')?.parse().ok()?;
    let [(_, ours)] = etag(rev);
    (ours == tag).then_some(rev)
}

/// The revisions that a conditional header names; tags that are not ours match nothing.
///
/// Weak tags count as strong ones, in `If-Match` too. A proxy that compresses answers makes our tags weak, since the
/// bytes are others; what they name is a revision, which is the same in every encoding.
fn revs(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut revs = Vec::new();
    let mut present = false;
    for value in headers.get_all(name) {
        present = true;
        let text = value.to_str().map_err(|_| {
            Problem::from(domain::Error::from(Invalid::new(name.to_string(), "malformed", "must be ETags")))
        })?;
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Some(Tags::Any));
            }
            revs.extend(rev_of(tag.strip_prefix("W/").unwrap_or(tag)));
        }
    }
    Ok(present.then_some(Tags::Revs(revs)))
}

pub fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    let mut condition = Condition::default();
    match revs(headers, &header::IF_MATCH)? {
        Some(Tags::Any) => condition.exists = true,
        Some(Tags::Revs(revs)) => condition.revs = Some(revs),
        None => {}
    }
    match revs(headers, &header::IF_NONE_MATCH)? {
        Some(Tags::Any) => condition.absent = true,
        Some(Tags::Revs(_)) => {
            let detail = "only * can be used with a write";
            return Err(domain::Error::from(Invalid::new("If-None-Match", "malformed", detail)).into());
        }
        None => {}
    }
    Ok(condition)
}

fn idempotency(
    api: &Api,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    // A value that is not ASCII is refused by the same rule as an empty one.
    let key = value.to_str().unwrap_or_default();
    Ok(Some(api.app.idempotency(key, method.as_str(), path, body)?))
}
