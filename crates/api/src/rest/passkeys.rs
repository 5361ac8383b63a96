//! Passkeys: `/v1/me/passkeys`, and signing in with one under `/v1/auth/passkeys`.

use app::passkeys::{Passkey, StartFor};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Error, PasskeyId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::{Authenticated, MaybeAuthenticated};
use crate::client::From as FromClient;
use crate::json::{Json, OptionalJson};
use crate::openapi::{OPTIONAL, Refused};
use crate::problem::Problem;
use crate::query::Id;
use crate::rest::auth::{TokensBody, answer, signed_in_beside};
use crate::rest::webauthn::{CreatedCredential, CreationOptionsBody, RequestOptionsBody, ShownCredential};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct PasskeyBody {
    id: Uuid,
    #[schema(example = "My phone")]
    name: String,
    /// Whether a provider keeps copies of it, so that losing the device does not lose it.
    backed_up: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    used_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyList {
    items: Vec<PasskeyBody>,
    /// Always null: an account has twenty at most.
    #[schema(required)]
    next: Option<String>,
}

/// What to hand to the browser.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyCreation {
    public_key: CreationOptionsBody,
    /// Seconds.
    #[schema(example = 300)]
    expires_in: u64,
}

/// What to hand to the browser.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyRequest {
    public_key: RequestOptionsBody,
    /// Seconds.
    #[schema(example = 300)]
    expires_in: u64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskeyRequest {
    #[schema(example = "My phone", max_length = 100)]
    name: String,
    credential: CreatedCredential,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AddedPasskey {
    passkey: PasskeyBody,
    /// Ten codes for the day the device is lost, each good once; shown this once. Null when the account has some, or
    /// when it can be signed in to with a passkey alone.
    #[schema(required, example = json!(["7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"]))]
    recovery_codes: Option<Vec<String>>,
    /// For an account that was anonymous: its earlier sessions have ended, and this one begins. The web app gets a cookie
    /// and null here.
    #[schema(required)]
    tokens: Option<TokensBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRename {
    #[schema(example = "Old phone", max_length = 100)]
    name: String,
}

/// What the passkey is to be shown for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyPurpose {
    #[default]
    SignIn,
    /// To be answered at `/v1/auth/step-up`; needs a credential.
    StepUp,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyStart {
    #[serde(default)]
    purpose: PasskeyPurpose,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignIn {
    credential: ShownCredential,
}

impl From<Passkey> for PasskeyBody {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id.uuid(),
            name: passkey.name,
            backed_up: passkey.is_backed_up,
            created_at: passkey.created_at.rfc3339(),
            used_at: passkey.used_at.rfc3339(),
        }
    }
}

/// Begin to use a passkey
///
/// Hand `public_key` to the browser (`PublicKeyCredential.parseRequestOptionsFromJSON`, then
/// `navigator.credentials.get`), and what it gives to `/v1/auth/passkeys/finish`, or to `/v1/auth/step-up`. Good once and
/// for five minutes.
#[utoipa::path(post, path = "/v1/auth/passkeys/start", operation_id = "startPasskeySignIn", tag = "auth", request_body(content = PasskeyStart, description = OPTIONAL),
    responses((status = 200, description = "What to hand to the browser", body = PasskeyRequest), Refused<429>), security((), ("bearer" = [])))]
pub async fn start_sign_in(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    OptionalJson(body): OptionalJson<PasskeyStart>,
) -> Result<Response, Problem> {
    let purpose = match (body.purpose, &caller) {
        (PasskeyPurpose::SignIn, _) => StartFor::SignIn(&client),
        (PasskeyPurpose::StepUp, Some(caller)) => StartFor::StepUp(caller),
        (PasskeyPurpose::StepUp, None) => {
            let detail = "only somebody who is signed in can step up";
            return Err(Error::unauthenticated("credential_required", detail).into());
        }
    };
    let options = api.app.start_showing(purpose).await?;
    let expires_in = options.timeout.as_secs();
    let body = PasskeyRequest { public_key: options.into(), expires_in };
    Ok(axum::Json(body).into_response())
}

/// Sign in with a passkey
///
/// A passkey is two factors in one, so nothing else is asked for.
#[utoipa::path(post, path = "/v1/auth/passkeys/finish", operation_id = "signInWithPasskey", tag = "auth", request_body = PasskeySignIn,
    responses((status = 200, description = "Signed in", body = TokensBody), (status = 204, description = "The web app: a session cookie was set"), Refused<429>), security((), ("bearer" = [])))]
pub async fn finish_sign_in(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    Json { value, .. }: Json<PasskeySignIn>,
) -> Result<Response, Problem> {
    api.app.limit_secrets(&client)?;
    let signed_in = api.app.sign_in_with_passkey(caller.as_ref(), &client, &value.credential.into()).await?;
    Ok(answer(&api, StatusCode::OK, signed_in))
}

/// List passkeys
#[utoipa::path(get, path = "/v1/me/passkeys", operation_id = "listPasskeys", tag = "me",
    responses((status = 200, description = "All of them, oldest first", body = PasskeyList)))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<PasskeyList>, Problem> {
    let items = api.app.list_passkeys(&caller).await?;
    Ok(axum::Json(PasskeyList { items: items.into_iter().map(PasskeyBody::from).collect(), next: None }))
}

/// Begin to add a passkey
///
/// Hand `public_key` to the browser (`PublicKeyCredential.parseCreationOptionsFromJSON`, then
/// `navigator.credentials.create`), and what it gives to `/v1/me/passkeys/finish`. Good once and for five minutes. Needs a
/// step-up; an anonymous account needs none.
#[utoipa::path(post, path = "/v1/me/passkeys/start", operation_id = "startPasskey", tag = "me",
    responses((status = 200, description = "What to hand to the browser", body = PasskeyCreation), Refused<409>))]
pub async fn start(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<PasskeyCreation>, Problem> {
    let options = api.app.start_passkey(&caller).await?;
    let expires_in = options.timeout.as_secs();
    Ok(axum::Json(PasskeyCreation { public_key: options.into(), expires_in }))
}

/// Add a passkey
///
/// From now on it is a way in by itself, and the second factor beside any other. An anonymous account has an owner from
/// here on: its earlier sessions end, and a new one begins.
#[utoipa::path(post, path = "/v1/me/passkeys/finish", operation_id = "addPasskey", tag = "me", request_body = NewPasskeyRequest,
    responses((status = 201, description = "It counts", body = AddedPasskey), Refused<409>))]
pub async fn finish(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<NewPasskeyRequest>,
) -> Result<Response, Problem> {
    let NewPasskeyRequest { name, credential } = value;
    let added = api.app.finish_passkey(&caller, &client, &name, credential.into()).await?;
    let (passkey, codes) = (added.passkey.into(), added.recovery_codes);
    let recovery_codes = codes.map(|codes| codes.iter().map(|code| code.to_string()).collect());
    Ok(signed_in_beside(&api, added.signed_in, |tokens| {
        (StatusCode::CREATED, axum::Json(AddedPasskey { passkey, recovery_codes, tokens })).into_response()
    }))
}

/// Rename a passkey
#[utoipa::path(patch, path = "/v1/me/passkeys/{id}", operation_id = "renamePasskey", tag = "me", params(("id" = Uuid, Path)), request_body = PasskeyRename,
    responses((status = 200, description = "As it is now", body = PasskeyBody)))]
pub async fn rename(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    Json { value, .. }: Json<PasskeyRename>,
) -> Result<axum::Json<PasskeyBody>, Problem> {
    let renamed = api.app.rename_passkey(&caller, PasskeyId::from_uuid(id), &value.name).await?;
    Ok(axum::Json(renamed.into()))
}

/// Remove a passkey
///
/// All other sessions end. The only way into an account stays: 409 `last_way_in`. Needs a step-up.
#[utoipa::path(delete, path = "/v1/me/passkeys/{id}", operation_id = "removePasskey", tag = "me", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It leads here no longer"), Refused<409>))]
pub async fn remove(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<StatusCode, Problem> {
    api.app.remove_passkey(&caller, PasskeyId::from_uuid(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
