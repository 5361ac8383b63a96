//! `/v1/operator/keys` and `/v1/me/keys`: credentials of a company's own services.

use app::api_keys::{Listed, NewKey};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use domain::api_key::Scopes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::{Authenticated, Operator};
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::Id;

/// An API key; its secret cannot be read any more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody {
    id: Uuid,
    #[schema(example = "Newsletter")]
    name: String,
    /// How the secret begins.
    #[schema(example = "fw_live_4mZq")]
    hint: String,
    #[schema(example = json!(["forecasts:read"]))]
    scopes: Vec<&'static str>,
    /// The operator's account; null when it was made at the server's terminal.
    #[schema(required)]
    made_by: Option<Uuid>,
    /// Requests a minute.
    #[schema(example = 600)]
    per_minute: i64,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    /// Last used; noted once a minute.
    #[schema(required, format = DateTime)]
    used_at: Option<String>,
}

/// API keys, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeys {
    items: Vec<ApiKeyBody>,
    /// Always null: there are a hundred at most.
    #[schema(required)]
    next: Option<Uuid>,
}

/// A new key. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeApiKey {
    /// For `Authorization: Bearer`.
    #[schema(example = "fw_live_…")]
    secret: String,
    #[serde(flatten)]
    key: ApiKeyBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub struct NewApiKeyBody {
    /// 1 to 100 characters on one line.
    #[schema(min_length = 1, max_length = 100, example = "Newsletter")]
    name: String,
    /// `forecasts:read`, `accounts:read`, `audit:read`, `webhooks:manage`.
    #[schema(min_items = 1, max_items = 20, example = json!(["forecasts:read"]))]
    scopes: Vec<String>,
    /// Requests a minute; 600 when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 60000)]
    per_minute: Option<u32>,
    /// For ever when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

impl From<Listed> for ApiKeyBody {
    fn from(key: Listed) -> Self {
        Self {
            id: key.id,
            name: key.name,
            hint: key.hint,
            scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
            made_by: key.made_by.map(AccountId::uuid),
            per_minute: key.per_minute,
            created_at: key.created_at.rfc3339(),
            expires_at: key.expires_at.map(|at| at.rfc3339()),
            used_at: key.used_at.map(|at| at.rfc3339()),
        }
    }
}

fn list_of(keys: Vec<Listed>) -> axum::Json<ApiKeys> {
    axum::Json(ApiKeys { items: keys.into_iter().map(ApiKeyBody::from).collect(), next: None })
}

/// List API keys
///
/// All of the installation. Needs the role of an operator.
#[utoipa::path(get, path = "/v1/operator/keys", operation_id = "listApiKeys", tag = "operator",
    responses((status = 200, description = "The keys", body = ApiKeys), Refused<404>))]
pub async fn list(
    Operator(caller): Operator,
    State(api): State<Api>,
) -> Result<axum::Json<ApiKeys>, Problem> {
    Ok(list_of(api.app.list_api_keys(&caller).await?))
}

/// Make an API key
///
/// For a service of one's own. Needs the role of an operator and a fresh proof (`insufficient_user_authentication`).
#[utoipa::path(post, path = "/v1/operator/keys", operation_id = "createApiKey", tag = "operator", request_body = NewApiKeyBody,
    responses((status = 201, description = "The key with its secret, which is shown this once", body = MadeApiKey), Refused<404>, Refused<409>))]
pub async fn create(
    Operator(caller): Operator,
    State(api): State<Api>,
    Json { value, .. }: Json<NewApiKeyBody>,
) -> Result<Response, Problem> {
    let NewApiKeyBody { name, scopes, per_minute, expires_in_days } = value;
    let new = NewKey { name, scopes: Scopes::asked(&scopes)?, per_minute, days: expires_in_days };
    let made = api.app.create_api_key(&caller, new).await?;
    let body = MadeApiKey { secret: made.secret.to_string(), key: made.listed.into() };
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

/// Revoke an API key
///
/// It works nowhere any more within five seconds. Needs the role of an operator and a fresh proof.
#[utoipa::path(delete, path = "/v1/operator/keys/{id}", operation_id = "revokeApiKey", tag = "operator",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 204, description = "It works no more")))]
pub async fn revoke(
    Operator(caller): Operator,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<StatusCode, Problem> {
    api.app.revoke_api_key(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's own API keys
///
/// Those that the caller has made, as an operator.
#[utoipa::path(get, path = "/v1/me/keys", operation_id = "listOwnApiKeys", tag = "me",
    responses((status = 200, description = "The keys", body = ApiKeys)))]
pub async fn own(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<ApiKeys>, Problem> {
    Ok(list_of(api.app.own_api_keys(&caller).await?))
}
