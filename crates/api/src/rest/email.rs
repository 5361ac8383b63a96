//! `/v1/me/email`: the address of the account, and the one that is to take its place.

use app::email_change::EmailAddress;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Api;
use crate::authentication::Authenticated;
use crate::client::From as FromClient;
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EmailAddress)]
pub struct EmailBody {
    #[schema(required, example = "ann@example.org")]
    email: Option<String>,
    /// What is waiting to be confirmed.
    #[schema(required)]
    pending: Option<PendingBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PendingEmail)]
pub struct PendingBody {
    #[schema(example = "ann@example.net")]
    email: String,
    /// Whose codes were not typed yet: `new`, `old`, or both.
    #[schema(example = json!(["new", "old"]))]
    waiting_for: Vec<&'static str>,
    #[schema(format = DateTime)]
    expires_at: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailChange)]
pub struct ChangeBody {
    #[schema(example = "ann@example.net", max_length = 254)]
    email: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailConfirmation)]
pub struct CodeBody {
    /// As mailed; case, spaces and dashes do not matter.
    #[schema(example = "7Q4K-M2XR")]
    code: String,
}

/// Read the address
///
/// And the one that is to take its place, if a change is pending.
#[utoipa::path(get, path = "/v1/me/email", operation_id = "getEmail", tag = "me",
    responses((status = 200, description = "The address", body = EmailBody)))]
pub async fn read(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<EmailBody>, Problem> {
    Ok(axum::Json(body(api.app.email_address(&caller).await?)))
}

/// Change the address
///
/// Mails a code to the new address and another one to the old. The change waits for both, for 24 hours; in a session
/// with a second factor that the account has had for a week the old address is only told. Needs a proof of identity from the last five minutes. The answer
/// is the same for an address that has an account. A change that was pending is cancelled.
#[utoipa::path(post, path = "/v1/me/email", operation_id = "changeEmail", tag = "me", request_body = ChangeBody,
    responses((status = 202, description = "Codes are on their way", body = EmailBody), Refused<409>, Refused<429>))]
pub async fn change(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<ChangeBody>,
) -> Result<Response, Problem> {
    api.app.begin_email_change(&caller, &client, &value.email).await?;
    let body = body(api.app.email_address(&caller).await?);
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}

/// Confirm the change of the address
///
/// With one of the mailed codes, in either order. With the last one the address changes: `pending` is null then. Ten
/// tries.
#[utoipa::path(post, path = "/v1/me/email/confirm", operation_id = "confirmEmail", tag = "me", request_body = CodeBody,
    responses((status = 200, description = "The address as it is now", body = EmailBody)))]
pub async fn confirm(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Json { value, .. }: Json<CodeBody>,
) -> Result<axum::Json<EmailBody>, Problem> {
    api.app.confirm_email_change(&caller, &value.code).await?;
    Ok(axum::Json(body(api.app.email_address(&caller).await?)))
}

/// Leave the address as it is
///
/// Cancels a pending change. That there is none is no error.
#[utoipa::path(delete, path = "/v1/me/email", operation_id = "cancelEmailChange", tag = "me",
    responses((status = 204, description = "No change is pending")))]
pub async fn cancel(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<StatusCode, Problem> {
    api.app.cancel_email_change(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn body(EmailAddress { email, pending }: EmailAddress) -> EmailBody {
    let pending = pending.map(|pending| {
        let awaited = [("new", pending.awaits_new), ("old", pending.awaits_old)];
        PendingBody {
            email: pending.email,
            waiting_for: awaited.into_iter().filter(|(_, waits)| *waits).map(|(whose, _)| whose).collect(),
            expires_at: pending.expires_at.rfc3339(),
        }
    });
    EmailBody { email, pending }
}
