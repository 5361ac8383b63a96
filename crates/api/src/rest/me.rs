//! `/v1/me`: the caller's own account.

use app::export::Export;
use app::mail::Language;
use app::preferences::Preferences;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::Invalid;
use domain::forecast::Units;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::client::{From as FromClient, cross_site};
use crate::json::{Json, OptionalJson};
use crate::openapi::{OPTIONAL, Refused, language_or_null, units_or_null};
use crate::problem::Problem;
use crate::rest::auth::left;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeBody {
    account_id: Uuid,
    /// `anonymous` until there is a way to sign in, then `registered`.
    #[schema(example = "registered")]
    kind: &'static str,
    #[schema(required, example = "ann@example.org")]
    email: Option<String>,
    /// What this session may do: `user`, `analyst`, `operator`.
    roles: Vec<&'static str>,
    /// Roles that the account was given and this session does not have: they need a second factor. Add one, or sign in
    /// with it.
    #[schema(example = json!([]))]
    withheld_roles: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    preferences: PreferencesBody,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Preferences)]
pub struct PreferencesBody {
    /// `metric`, `imperial` or `si`; null for metric.
    #[serde(default)]
    #[schema(schema_with = units_or_null)]
    units: Option<String>,
    /// Of mail: `en` or `de`. Taken from `Accept-Language` when somebody registers, and kept when it is left out here.
    #[serde(default)]
    #[schema(schema_with = language_or_null)]
    language: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdoptRequest)]
pub struct AdoptBody {
    /// Of the anonymous account. The web app leaves it out: its sign-in remembers, for an hour.
    #[serde(default)]
    access_token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adopted)]
pub struct AdoptedBody {
    /// Favourites that were taken over.
    #[schema(example = 3)]
    added: usize,
    /// Favourites whose place was there already.
    #[schema(example = 1)]
    skipped: usize,
}

/// Who am I
#[utoipa::path(get, path = "/v1/me", operation_id = "getMe", tag = "me", responses((status = 200, description = "The account", body = MeBody)))]
pub async fn read(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<MeBody>, Problem> {
    let me = api.app.me(&caller).await?;
    let kind = if me.is_anonymous { "anonymous" } else { "registered" };
    Ok(axum::Json(MeBody {
        account_id: me.account.uuid(),
        kind,
        email: me.email,
        roles: me.roles.iter().map(|role| role.name()).collect(),
        withheld_roles: me.withheld.iter().map(|role| role.name()).collect(),
        created_at: me.created_at.rfc3339(),
        preferences: PreferencesBody {
            units: me.preferences.units.map(|units| units.name().to_owned()),
            language: me.preferences.language.map(|language| language.tag().to_owned()),
        },
    }))
}

/// Remove the account
///
/// With all that is its own, at once and for good; asks for a fresh proof of identity (`/v1/auth/step-up`). A backup that
/// is put back later does not bring it back.
#[utoipa::path(delete, path = "/v1/me", operation_id = "deleteAccount", tag = "me", responses((status = 204, description = "Removed")))]
pub async fn delete(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
) -> Result<Response, Problem> {
    api.app.delete_me(&caller, &client).await?;
    Ok(left(&api, caller.has_cookie()))
}

/// Export the account
///
/// A ZIP archive of all that is kept of it: `account.json`, `favourites.json` and `favourites.geojson`. Asks for a fresh
/// proof of identity (`/v1/auth/step-up`).
#[utoipa::path(get, path = "/v1/me/export", operation_id = "exportAccount", tag = "me",
    responses((status = 200, description = "The archive", content_type = "application/zip", body = Vec<u8>)))]
pub async fn export(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    headers: HeaderMap,
    method: Method,
) -> Result<Response, Problem> {
    // It is written into the log, so it is no safe call, although it is one to follow a link to. A browser sends the
    // cookie along for other sites too, and says so.
    if caller.has_cookie() && comes_from_elsewhere(&headers) {
        return Err(cross_site());
    }
    if method == Method::HEAD {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, HeaderValue::from_static("GET"))])
            .into_response());
    }
    let Export { name, archive } = api.app.export(&caller, &client).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, attachment(&name)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, archive).into_response())
}

/// Whether the browser says that a page of another origin made the request: our own pages and links that somebody
/// typed are the others.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn attachment(name: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// Set preferences
#[utoipa::path(put, path = "/v1/me/preferences", operation_id = "setPreferences", tag = "me", request_body = PreferencesBody,
    responses((status = 204, description = "Kept")))]
pub async fn set_preferences(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Json { value, .. }: Json<PreferencesBody>,
) -> Result<StatusCode, Problem> {
    let units = value.units.as_deref().map(|name| parse_units("/units", name)).transpose()?;
    let language = value.language.as_deref().map(parse_language).transpose()?;
    api.app.set_preferences(&caller, Preferences { units, language }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adopt an anonymous account
///
/// Takes over its favourites, skipping places that are there already, and removes it.
#[utoipa::path(post, path = "/v1/me/adopt", operation_id = "adoptAccount", tag = "me", request_body(content = AdoptBody, description = OPTIONAL),
    responses((status = 200, description = "What became of its favourites", body = AdoptedBody), Refused<404>, Refused<409>))]
pub async fn adopt(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    OptionalJson(body): OptionalJson<AdoptBody>,
) -> Result<Response, Problem> {
    let adopted = api.app.adopt(&caller, body.access_token.as_deref()).await?;
    Ok(axum::Json(AdoptedBody { added: adopted.added, skipped: adopted.skipped }).into_response())
}

fn parse_language(tag: &str) -> Result<Language, Problem> {
    Language::ALL
        .into_iter()
        .find(|language| language.tag() == tag)
        .ok_or_else(|| domain::Error::from(Invalid::new("/language", "unknown", "must be en or de")).into())
}

pub fn parse_units(pointer: &'static str, name: &str) -> Result<Units, Problem> {
    Units::parse(name).ok_or_else(|| {
        domain::Error::from(Invalid::new(pointer, "unknown", "must be metric, imperial or si")).into()
    })
}
