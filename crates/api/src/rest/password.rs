//! `/v1/me/password`.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Api;
use crate::authentication::Authenticated;
use crate::client::From as FromClient;
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
pub struct PasswordBody {
    /// The new one: at least 15 characters, at most 256.
    #[schema(example = "four plain words do", max_length = 256)]
    password: String,
    /// The present one; left out when the account has none.
    #[serde(default)]
    #[schema(max_length = 256)]
    current: Option<String>,
}

/// Change the password
///
/// Or set the first one, for an account with an e-mail address. Needs a proof of identity from the last five minutes.
/// Ends all other sessions, and tells the holder by mail.
#[utoipa::path(put, path = "/v1/me/password", operation_id = "changePassword", tag = "me", request_body = PasswordBody,
    responses((status = 204, description = "The new password counts"), Refused<409>, Refused<429>))]
pub async fn change(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<PasswordBody>,
) -> Result<StatusCode, Problem> {
    api.app.change_password(&caller, &client, &value.password, value.current.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
