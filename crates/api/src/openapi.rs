//! The OpenAPI document, generated from the handlers.

use std::sync::LazyLock;

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, openapi};

mod bodies;
mod refusals;

pub use bodies::{OPTIONAL, language_or_null, units, units_or_null};
pub use refusals::Refused;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fairweather",
        description = "Accounts, favourites and forecasts for weather and travel apps.\n\n\
            Start with `POST /v1/auth/anonymous` and send the access token as `Authorization: Bearer …`.\n\n\
            Times are RFC 3339 in UTC; series are arrays per variable with unix seconds. Unknown fields and \
            parameters are refused.\n\n\
            Errors are `application/problem+json` (RFC 9457) with a stable `code`; a method that a path does not \
            have answers 405 and names those it has in `Allow`. Every answer carries `X-Request-Id`; answers to \
            a signed-in caller carry `RateLimit` and `RateLimit-Policy`.\n\n\
            Place data © GeoNames (CC BY 4.0), modified; time zones \
            © OpenStreetMap contributors (ODbL 1.0); each forecast names its source.",
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "auth", description = "The ways in, staying in, and out"),
        (name = "me", description = "The caller's own account"),
        (name = "favourites", description = "Saved places"),
        (name = "sync", description = "Keeping devices alike"),
        (name = "forecasts", description = "Weather"),
        (name = "places", description = "The gazetteer; needs no credential"),
        (name = "operator", description = "Running the installation; for operators, and for services with a key"),
        (name = "webhooks", description = "What services of one's own are told"),
        (name = "system", description = "What machines ask"),
    ),
    security(("bearer" = []), ("cookie" = [])),
    components(schemas(
        crate::problem::ProblemBody,
        crate::problem::FieldProblem,
        crate::rest::streams::HelloBody,
        crate::rest::streams::ForecastHintBody,
        crate::rest::streams::ResetBody,
        crate::rest::streams::SessionBody,
    )),
    modifiers(&Security),
)]
pub struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token, ten minutes long; refresh it at /v1/auth/refresh"))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            "__Host-sid",
            "The web app's session, from its own origin, with the header X-Fairweather-Client: web",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut document = crate::router::documented().into_openapi();
    refusals::complete(&mut document);
    bodies::complete(&mut document);
    document.to_pretty_json().map(|json| json + "\n").unwrap_or_default()
});

/// The document as it is served and committed.
pub fn openapi_json() -> &'static str {
    &JSON
}
