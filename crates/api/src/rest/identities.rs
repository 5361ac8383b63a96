//! `/v1/me/identities`: Google, Facebook and other providers that lead into the caller's account.

use app::identities::Identity;
use axum::extract::State;
use domain::IdentityId;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::Id;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityBody {
    id: Uuid,
    /// The provider's name, as `/v1/auth/providers` lists it.
    #[schema(example = "google")]
    provider: String,
    /// Verified by the provider; for the eye alone, it is no way in. Null when the provider tells none.
    #[schema(required, example = "ann@example.org")]
    email: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When somebody last came in this way.
    #[schema(format = DateTime)]
    used_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityList {
    items: Vec<IdentityBody>,
    /// Always null: an account has a handful.
    #[schema(required)]
    next: Option<String>,
}

impl From<Identity> for IdentityBody {
    fn from(Identity { id, provider, email, created_at, used_at, .. }: Identity) -> Self {
        let (created_at, used_at) = (created_at.rfc3339(), used_at.rfc3339());
        Self { id: id.uuid(), provider, email, created_at, used_at }
    }
}

/// List identities
///
/// Which providers lead into this account. To add one, start at `/v1/auth/oauth/{provider}/start` with the purpose
/// `link`.
#[utoipa::path(get, path = "/v1/me/identities", operation_id = "listIdentities", tag = "me",
    responses((status = 200, description = "All of them, oldest first", body = IdentityList)))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<IdentityList>, Problem> {
    let items = api.app.list_identities(&caller).await?;
    Ok(axum::Json(IdentityList { items: items.into_iter().map(IdentityBody::from).collect(), next: None }))
}

/// Remove an identity
///
/// It leads here no longer, and all other sessions end. Needs a fresh sign-in; the last way into an account stays
/// (`last_way_in`).
#[utoipa::path(delete, path = "/v1/me/identities/{id}", operation_id = "removeIdentity", tag = "me",
    params(("id" = Uuid, Path, description = "As listed")),
    responses((status = 204, description = "Removed"), Refused<409>))]
pub async fn delete(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<StatusCode, Problem> {
    api.app.delete_identity(&caller, IdentityId::from_uuid(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
