//! What machines ask: health, keys, codes, the document itself.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::forecast::{Language, WeatherCode};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::client::{is_proxied, network};
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::Query;

/// A WMO 4677 code of the kind forecasts carry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherCode)]
pub struct CodeBody {
    #[schema(example = 61)]
    code: u8,
    #[schema(example = "slight rain")]
    text: &'static str,
    /// Name of a symbol; the web app draws one for each.
    #[schema(example = "rain")]
    icon: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherCodeList)]
pub struct CodeList {
    items: Vec<CodeBody>,
    #[schema(required)]
    next: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LanguageQuery {
    /// `en` or `de`; English for any other.
    #[param(example = "en")]
    lang: Option<String>,
}

/// Weather codes
#[utoipa::path(get, path = "/v1/weather-codes", operation_id = "listWeatherCodes", tag = "places", params(LanguageQuery),
    responses((status = 200, description = "All codes", body = CodeList)), security(()))]
pub async fn weather_codes(Query(query): Query<LanguageQuery>) -> Response {
    let language = Language::for_tag(query.lang.as_deref().unwrap_or("en"));
    let code = |code: WeatherCode| CodeBody {
        code: code.number(),
        text: code.text(language),
        icon: code.icon().name(),
    };
    let body = CodeList { items: WeatherCode::all().map(code).collect(), next: None };
    ([(header::CACHE_CONTROL, "public, max-age=86400")], axum::Json(body)).into_response()
}

/// Signing keys
///
/// The public keys of our access tokens (RFC 7517), for services that verify them.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getSigningKeys", tag = "system",
    responses((status = 200, description = "A JSON Web Key Set", content_type = "application/json", body = serde_json::Value)), security(()))]
pub async fn jwks(State(api): State<Api>) -> Response {
    let headers =
        [(header::CACHE_CONTROL, "public, max-age=300"), (header::CONTENT_TYPE, "application/json")];
    (headers, api.app.jwks()).into_response()
}

/// How long a copy of `security.txt` is good.
const SECURITY_TXT_FOR: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Where to tell of a weakness
///
/// RFC 9116; 404 when the operator has not said where.
#[utoipa::path(get, path = "/.well-known/security.txt", operation_id = "getSecurityContact", tag = "system",
    responses((status = 200, description = "The contact", body = String, content_type = "text/plain"), Refused<404>), security(()))]
pub async fn security_txt(State(api): State<Api>) -> Result<Response, Problem> {
    let contact = api.settings.security_contact.as_deref().ok_or(domain::Error::NotFound)?;
    let (url, expires) = (&api.app.settings().public_url, api.app.now().plus(SECURITY_TXT_FOR).rfc3339());
    let text = format!(
        "Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en, de\n\
         Canonical: {url}/.well-known/security.txt\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    Ok((headers, text).into_response())
}

/// Alive
///
/// The process answers. Says nothing of the database; `/readyz` does.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "system", responses((status = 200, description = "Alive", body = String, content_type = "text/plain")), security(()))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready
///
/// The database answers and no shutdown has begun: send requests here.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "system",
    responses((status = 200, description = "Ready", body = String, content_type = "text/plain")), security(()))]
pub async fn readyz(State(api): State<Api>) -> Result<&'static str, Problem> {
    let (code, title, detail) = if api.settings.draining.has_begun() {
        ("draining", "Draining", "this server is about to stop")
    } else if api.app.is_ready().await {
        return Ok("ready\n");
    } else {
        ("not_ready", "Not ready", "the database does not answer")
    };
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail);
    Err(Problem { retry_after: Some(Duration::from_secs(5)), ..problem })
}

/// Prometheus' text. For this machine only: it tells how the business goes.
pub async fn metrics(State(api): State<Api>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // A proxy on this machine makes everybody look local, so what came through one is refused too.
    let proxied = is_proxied(&api, &parts)
        || parts.headers.contains_key("x-forwarded-for")
        || parts.headers.contains_key(header::FORWARDED);
    if proxied || !network(&api, &parts).is_loopback() {
        return Problem::not_found().into_response();
    }
    let (cells, bytes) = api.app.weather().in_memory();
    metrics::gauge!("fairweather_weather_cells").set(cells as f64);
    metrics::gauge!("fairweather_weather_cell_bytes").set(bytes as f64);
    metrics::gauge!("fairweather_streams").set(api.app.open_streams() as f64);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, kind)], (api.settings.metrics)()).into_response()
}

/// The document that describes all this.
pub async fn openapi() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    (headers, crate::openapi_json()).into_response()
}
