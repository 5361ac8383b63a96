//! `/v1/auth`: the ways in, staying in, and out.

use app::second_factor::SecondFactor;
use app::sign_in::{DeviceToken, SignedIn, Tokens};
use app::step_up::Shown;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::session::Proof;
use domain::{Error, Invalid};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::{Authenticated, MaybeAuthenticated, MaybeCookie};
use crate::client::From as FromClient;
use crate::json::{Json, OptionalJson};
use crate::openapi::{OPTIONAL, Refused};
use crate::problem::Problem;
use crate::rest::webauthn::{RequestOptionsBody, ShownCredential};

/// An object without fields.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// What a signed-in client keeps. Our own web page gets a cookie instead, and no tokens.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensBody {
    /// JWT (ES256), for `Authorization: Bearer`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: u64,
    /// Exchange it at `/v1/auth/refresh`, once.
    #[schema(example = "rt1.AZ3x…")]
    refresh_token: String,
    session_id: Uuid,
    account_id: Uuid,
    /// After a password was typed. Keep it for a year, whoever is signed in, and send it with the next sign-in: failures
    /// of strangers do not slow down a device that is known. The web app gets a cookie instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "dt1.q83v…")]
    device_token: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[schema(example = "ann@example.org", max_length = 254)]
    email: String,
    /// At least 15 characters, at most 256.
    #[schema(example = "four plain words do", max_length = 256)]
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoginRequest)]
pub struct LoginBody {
    #[schema(example = "ann@example.org", max_length = 254)]
    email: String,
    #[schema(example = "four plain words do", max_length = 256)]
    password: String,
    /// What the last sign-in on this device answered.
    #[serde(default)]
    #[schema(example = "dt1.q83v…", max_length = 100)]
    device_token: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgotPasswordRequest)]
pub struct ForgotBody {
    #[schema(example = "ann@example.org", max_length = 254)]
    email: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResetPasswordRequest)]
pub struct ResetBody {
    /// From the mailed link: what stands behind `#token=`.
    reset: String,
    /// The new one: at least 15 characters, at most 256.
    #[schema(example = "four plain words do", max_length = 256)]
    password: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Registration)]
pub struct RegistrationBody {
    /// Keep it: with the mailed code it completes the registration.
    registration: String,
    /// Seconds.
    #[schema(example = 1800)]
    expires_in: u64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    registration: String,
    /// As mailed; case, spaces and dashes do not matter.
    #[schema(example = "7Q4K-M2XR")]
    code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshRequest)]
pub struct RefreshBody {
    refresh_token: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LogoutRequest)]
pub struct LogoutBody {
    /// Ends the session of this token, when the request carries no other credential.
    #[serde(default)]
    refresh_token: Option<String>,
    /// An anonymous account has no other way in: say `true` to remove it with all its data.
    #[serde(default)]
    discard: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevokeRequest)]
pub struct RevokeBody {
    /// A refresh token.
    token: String,
}

/// One proof, of those that `accepts` named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepUpRequest)]
pub struct StepUpBody {
    #[serde(default)]
    #[schema(max_length = 256)]
    password: Option<String>,
    /// Of the authenticator app.
    #[serde(default)]
    #[schema(example = "287082")]
    code: Option<String>,
    /// What the browser gave for `/v1/auth/passkeys/start` with the purpose `step_up`.
    #[serde(default)]
    credential: Option<ShownCredential>,
}

/// The challenge, and one second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondStepRequest)]
pub struct SecondStepBody {
    challenge: String,
    /// Of the authenticator app.
    #[serde(default)]
    #[schema(example = "287082")]
    code: Option<String>,
    /// As it was shown; case, spaces and dashes do not matter.
    #[serde(default)]
    #[schema(example = "7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M")]
    recovery_code: Option<String>,
    /// What the browser gave for `public_key`.
    #[serde(default)]
    credential: Option<ShownCredential>,
}

/// The account has a second factor: answer the challenge at `/v1/auth/mfa`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondStep)]
pub struct SecondStepAsked {
    /// Always true.
    mfa_required: bool,
    /// Good for one right answer, from the same kind of client.
    challenge: String,
    /// Seconds.
    #[schema(example = 300)]
    expires_in: u64,
    /// What will do, any one of them: `totp`, `passkey`, `recovery_code`.
    #[schema(example = json!(["totp", "recovery_code"]))]
    factors: Vec<&'static str>,
    /// What to hand to the browser when `passkey` is among the factors; null otherwise.
    #[schema(required)]
    public_key: Option<RequestOptionsBody>,
}

/// Tokens, or what is missing for them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the answer; each form is written where it is made")]
pub enum SignInAnswer {
    Tokens(TokensBody),
    SecondStep(SecondStepAsked),
}

/// A body that gives exactly one of several proofs.
fn exactly_one<T>(given: impl IntoIterator<Item = Option<T>>, names: &'static str) -> Result<T, Problem> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Error::from(Invalid::new("", "exactly_one", format!("give exactly one of {names}"))).into()),
    }
}

/// Start anonymously
///
/// Makes an account without any personal data. It can gain a way to sign in later and keeps everything.
#[utoipa::path(post, path = "/v1/auth/anonymous", operation_id = "startAnonymously", tag = "auth", request_body(content = inline(Empty), description = OPTIONAL),
    responses((status = 201, description = "The new account", body = TokensBody), (status = 204, description = "The web app: a session cookie was set"), Refused<429>),
    security(()))]
pub async fn anonymous(
    State(api): State<Api>,
    FromClient(client): FromClient,
    OptionalJson(Empty {}): OptionalJson<Empty>,
) -> Result<Response, Problem> {
    let signed_in = api.app.sign_up_anonymously(&client).await?;
    Ok(answer(&api, StatusCode::CREATED, signed_in))
}

/// Register
///
/// Mails a code. The answer is the same for an address that has an account. From an anonymous session it
/// upgrades that account.
#[utoipa::path(post, path = "/v1/auth/register", operation_id = "register", tag = "auth", request_body = Credentials,
    responses((status = 202, description = "A code is on its way, if the address can be mailed", body = RegistrationBody), Refused<409>, Refused<429>), security((), ("bearer" = [])))]
pub async fn register(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    Json { value, .. }: Json<Credentials>,
) -> Result<Response, Problem> {
    let begun = api.app.register(caller.as_ref(), &client, &value.email, &value.password).await?;
    let body = RegistrationBody { registration: begun.secret, expires_in: begun.expires_in.as_secs() };
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}

/// Confirm a registration
///
/// With the mailed code. Five tries, thirty minutes.
#[utoipa::path(post, path = "/v1/auth/register/confirm", operation_id = "confirmRegistration", tag = "auth", request_body = Confirmation,
    responses((status = 201, description = "Signed in", body = TokensBody), (status = 204, description = "The web app: a session cookie was set"), Refused<409>, Refused<429>),
    security((), ("bearer" = [])))]
pub async fn confirm(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    Json { value, .. }: Json<Confirmation>,
) -> Result<Response, Problem> {
    let signed_in =
        api.app.confirm_registration(caller.as_ref(), &client, &value.registration, &value.code).await?;
    Ok(answer(&api, StatusCode::CREATED, signed_in))
}

/// Sign in
///
/// An account with a second factor is asked for it: the answer is a challenge then, for `/v1/auth/mfa`, and for the web
/// app too it comes with status 200.
///
/// Five failures for an address are free; then each next try waits twice as long, up to 30 minutes
/// (`too_many_attempts`). After a hundred in a row the password is refused (`password_refused`) until it was reset by
/// mail, but on devices that signed in before: those show `device_token` and have failures of their own.
#[utoipa::path(post, path = "/v1/auth/login", operation_id = "signIn", tag = "auth", request_body = LoginBody,
    responses((status = 200, description = "Signed in, or a second factor is needed", body = SignInAnswer), (status = 204, description = "The web app: a session cookie was set"), Refused<429>),
    security((), ("bearer" = [])))]
pub async fn login(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(mut client): FromClient,
    Json { value, .. }: Json<LoginBody>,
) -> Result<Response, Problem> {
    client.device_token = value.device_token.or(client.device_token);
    let signed_in = api.app.log_in(caller.as_ref(), &client, &value.email, &value.password).await?;
    Ok(answer(&api, StatusCode::OK, signed_in))
}

/// Sign in with a second factor
///
/// Answers the challenge of a sign-in. Ten wrong answers end it; wrong codes of an authenticator app slow the next down.
#[utoipa::path(post, path = "/v1/auth/mfa", operation_id = "signInWithSecondFactor", tag = "auth", request_body = SecondStepBody,
    responses((status = 200, description = "Signed in", body = TokensBody), (status = 204, description = "The web app: a session cookie was set"), Refused<429>),
    security(()))]
pub async fn second_step(
    State(api): State<Api>,
    MaybeCookie(caller): MaybeCookie,
    FromClient(client): FromClient,
    Json { value, .. }: Json<SecondStepBody>,
) -> Result<Response, Problem> {
    let SecondStepBody { challenge, code, recovery_code, credential } = value;
    let shown = [
        code.map(SecondFactor::Code),
        recovery_code.map(SecondFactor::RecoveryCode),
        credential.map(|credential| SecondFactor::Passkey(credential.into())),
    ];
    let shown = exactly_one(shown, "code, recovery_code and credential")?;
    api.app.limit_secrets(&client)?;
    let signed_in = api.app.answer_second_step(caller.as_ref(), &client, &challenge, shown).await?;
    Ok(answer(&api, StatusCode::OK, signed_in))
}

/// Ask for a new password
///
/// Mails a link that works once, for 30 minutes. The answer is the same for an address without an account, and a
/// throttled password changes nothing.
#[utoipa::path(post, path = "/v1/auth/password/forgot", operation_id = "forgotPassword", tag = "auth", request_body = ForgotBody,
    responses((status = 202, description = "A link is on its way, if the address has an account"), Refused<429>), security(()))]
pub async fn forgot(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<ForgotBody>,
) -> Result<StatusCode, Problem> {
    api.app.forgot_password(&client, &value.email).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password
///
/// With what the mailed link carries. Ends every session, cancels a pending change of the address, and signs nobody in:
/// sign in with the new password, and with the second factor if there is one.
#[utoipa::path(post, path = "/v1/auth/password/reset", operation_id = "resetPassword", tag = "auth", request_body = ResetBody,
    responses((status = 204, description = "The new password counts"), Refused<429>), security(()))]
pub async fn reset(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<ResetBody>,
) -> Result<StatusCode, Problem> {
    api.app.reset_password(&client, &value.reset, &value.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refresh
///
/// Exchanges a refresh token for the next pair. A lost answer is no harm: ask again with the same token.
#[utoipa::path(post, path = "/v1/auth/refresh", operation_id = "refreshTokens", tag = "auth", request_body = RefreshBody,
    responses((status = 200, description = "The next pair", body = TokensBody), Refused<429>), security(()))]
pub async fn refresh(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<RefreshBody>,
) -> Result<Response, Problem> {
    let tokens = api.app.refresh(&client, &value.refresh_token).await?;
    Ok(answer(&api, StatusCode::OK, SignedIn::Tokens(tokens)))
}

/// Sign out
///
/// Ends the caller's session at once and everywhere.
#[utoipa::path(post, path = "/v1/auth/logout", operation_id = "signOut", tag = "auth", request_body(content = LogoutBody, description = OPTIONAL),
    responses((status = 204, description = "The session has ended"), Refused<409>, Refused<429>), security((), ("bearer" = [])))]
pub async fn logout(
    State(api): State<Api>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    OptionalJson(body): OptionalJson<LogoutBody>,
) -> Result<Response, Problem> {
    let token = body.refresh_token.as_deref().map(|token| (&client, token));
    api.app.log_out(caller.as_ref(), token, body.discard).await?;
    Ok(left(&api, caller.is_some_and(|caller| caller.has_cookie())))
}

/// The answer to somebody who has no session any more.
pub(super) fn left(api: &Api, has_cookie: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if has_cookie {
        forget_cookie(api, &mut response);
    }
    response
}

/// Revoke a refresh token
///
/// Ends its session. Unknown tokens are no error (RFC 7009). An anonymous account is signed out of by logging out.
#[utoipa::path(post, path = "/v1/auth/revoke", operation_id = "revokeToken", tag = "auth", request_body = RevokeBody,
    responses((status = 200, description = "It does not count any more"), Refused<409>, Refused<429>), security(()))]
pub async fn revoke(
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<RevokeBody>,
) -> Result<StatusCode, Problem> {
    api.app.revoke_token(&client, &value.token).await?;
    Ok(StatusCode::OK)
}

/// Step up
///
/// Shows again who the caller is. Sensitive changes ask for it with 401 `insufficient_user_authentication` when the
/// last proof is older than five minutes; they go through for five minutes after this. The tokens are of the same
/// session, and say when its last proof was: use the new access token from now on.
#[utoipa::path(post, path = "/v1/auth/step-up", operation_id = "stepUp", tag = "auth", request_body = StepUpBody,
    responses((status = 200, description = "Proved; tokens of the same session", body = TokensBody), (status = 204, description = "Proved; the web app's cookie stays as it is"), Refused<429>))]
pub async fn step_up(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    FromClient(client): FromClient,
    Json { value, .. }: Json<StepUpBody>,
) -> Result<Response, Problem> {
    let StepUpBody { password, code, credential } = value;
    let shown = [
        password.map(Shown::Password),
        code.map(Shown::Code),
        credential.map(|credential| Shown::Passkey(credential.into())),
    ];
    let shown = exactly_one(shown, "password, code and credential")?;
    let tokens = api.app.step_up(&caller, &client, shown).await?;
    Ok(match tokens {
        Some(tokens) => axum::Json(TokensBody::from(tokens)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: tokens.refresh_token,
            session_id: tokens.session.uuid(),
            account_id: tokens.account.uuid(),
            device_token: tokens.device.map(|device| device.text.to_string()),
        }
    }
}

pub(super) fn answer(api: &Api, status: StatusCode, signed_in: SignedIn) -> Response {
    match signed_in {
        SignedIn::Tokens(tokens) => (status, axum::Json(TokensBody::from(tokens))).into_response(),
        SignedIn::SecondStep(step) => {
            let body = SecondStepAsked {
                mfa_required: true,
                challenge: step.challenge.to_string(),
                expires_in: step.expires_in.as_secs(),
                factors: step.factors.into_iter().map(Proof::word).collect(),
                public_key: step.passkey.map(RequestOptionsBody::from),
            };
            (StatusCode::OK, axum::Json(body)).into_response()
        }
        SignedIn::Cookie { value, ends_at, device } => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            set_cookie(&mut response, &api.settings.cookie.set(&value, ends_at, api.app.now()));
            remember_device(api, &mut response, device);
            response
        }
    }
}

/// An answer beside which a session may begin: its tokens go into the body, its cookie into the head.
pub(super) fn signed_in_beside(
    api: &Api,
    signed_in: Option<SignedIn>,
    body: impl FnOnce(Option<TokensBody>) -> Response,
) -> Response {
    match signed_in {
        Some(SignedIn::Tokens(tokens)) => body(Some(tokens.into())),
        Some(SignedIn::Cookie { value, ends_at, device }) => {
            let mut response = body(None);
            set_cookie(&mut response, &api.settings.cookie.set(&value, ends_at, api.app.now()));
            remember_device(api, &mut response, device);
            response
        }
        Some(SignedIn::SecondStep(_)) | None => body(None),
    }
}

/// Lets a browser forget the cookie of a session that has ended.
pub fn forget_cookie(api: &Api, response: &mut Response) {
    set_cookie(response, &api.settings.cookie.clear());
}

fn remember_device(api: &Api, response: &mut Response, device: Option<DeviceToken>) {
    if let Some(DeviceToken { text, ends_at }) = device {
        set_cookie(response, &api.settings.cookie.device().set(&text, ends_at, api.app.now()));
    }
}

pub(super) fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
