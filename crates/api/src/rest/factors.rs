//! `/v1/me/factors`: authenticator app and recovery codes. Passkeys are second factors too, at `/v1/me/passkeys`.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Api;
use crate::authentication::Authenticated;
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;

#[derive(Debug, Serialize, ToSchema)]
pub struct FactorList {
    /// Null when codes of an authenticator app do not count.
    #[schema(required)]
    totp: Option<TotpFactor>,
    /// How many; they are listed at `/v1/me/passkeys`.
    #[schema(example = 1)]
    passkeys: usize,
    /// How many are left.
    #[schema(example = 10)]
    recovery_codes: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct TotpFactor {
    #[schema(format = DateTime)]
    created_at: String,
}

/// What to show the person: the address as a QR code, or the secret to type.
#[derive(Debug, Serialize, ToSchema)]
pub struct TotpSetup {
    /// Base 32.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    #[schema(
        example = "otpauth://totp/Fairweather:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Fairweather&algorithm=SHA1&digits=6&period=30"
    )]
    otpauth_uri: String,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: u64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpConfirmation {
    /// What the app shows now.
    #[schema(example = "287082")]
    code: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmedTotp {
    /// Ten codes for the day the phone is lost, each good once; shown this once. Null when the account has some.
    #[schema(required, example = json!(["7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"]))]
    recovery_codes: Option<Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Ten, each good once; shown this once.
    #[schema(example = json!(["7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"]))]
    recovery_codes: Vec<String>,
}

/// List second factors
#[utoipa::path(get, path = "/v1/me/factors", operation_id = "listFactors", tag = "me",
    responses((status = 200, description = "What is asked for beside a password or a provider", body = FactorList)))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<FactorList>, Problem> {
    let factors = api.app.list_factors(&caller).await?;
    Ok(axum::Json(FactorList {
        totp: factors.totp.map(|since| TotpFactor { created_at: since.rfc3339() }),
        passkeys: factors.passkeys,
        recovery_codes: factors.recovery_codes,
    }))
}

/// Set up an authenticator app
///
/// The secret counts when a code of it was confirmed within ten minutes; one that counts already goes on until then.
/// Needs a step-up.
#[utoipa::path(post, path = "/v1/me/factors/totp", operation_id = "setUpTotp", tag = "me",
    responses((status = 200, description = "What to show the person", body = TotpSetup), Refused<409>))]
pub async fn set_up_totp(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<TotpSetup>, Problem> {
    let pending = api.app.begin_totp(&caller).await?;
    Ok(axum::Json(TotpSetup {
        secret: pending.secret.to_string(),
        otpauth_uri: pending.uri.to_string(),
        expires_in: pending.expires_in.as_secs(),
    }))
}

/// Confirm an authenticator app
///
/// With the code that it shows. From now on signing in asks for one.
#[utoipa::path(post, path = "/v1/me/factors/totp/confirm", operation_id = "confirmTotp", tag = "me", request_body = TotpConfirmation,
    responses((status = 201, description = "Codes of the app count", body = ConfirmedTotp), Refused<409>))]
pub async fn confirm_totp(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Json { value, .. }: Json<TotpConfirmation>,
) -> Result<(StatusCode, axum::Json<ConfirmedTotp>), Problem> {
    let codes = api.app.confirm_totp(&caller, &value.code).await?;
    let recovery_codes = codes.map(|codes| codes.iter().map(|code| code.to_string()).collect());
    Ok((StatusCode::CREATED, axum::Json(ConfirmedTotp { recovery_codes })))
}

/// Remove the authenticator app
///
/// All other sessions end. Operators and analysts keep a second factor: 409 `second_factor_required`. Needs a step-up.
#[utoipa::path(delete, path = "/v1/me/factors/totp", operation_id = "removeTotp", tag = "me",
    responses((status = 204, description = "Its codes count no more"), Refused<404>, Refused<409>))]
pub async fn remove_totp(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<StatusCode, Problem> {
    api.app.remove_totp(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make new recovery codes
///
/// Those that are left count no more. Needs a second factor and a step-up.
#[utoipa::path(post, path = "/v1/me/factors/recovery-codes", operation_id = "makeRecoveryCodes", tag = "me",
    responses((status = 201, description = "Ten codes", body = RecoveryCodes), Refused<409>))]
pub async fn new_recovery_codes(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<(StatusCode, axum::Json<RecoveryCodes>), Problem> {
    let codes = api.app.new_recovery_codes(&caller).await?;
    let recovery_codes = codes.iter().map(|code| code.to_string()).collect();
    Ok((StatusCode::CREATED, axum::Json(RecoveryCodes { recovery_codes })))
}
