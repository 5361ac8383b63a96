//! `/v1/auth/providers` and `/v1/auth/oauth`: ways in through Google, Facebook and others.

use app::oauth::{Answer, Arrived, Grant, Landing, Outcome, Provider, Purpose, StartRequest, Started};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::oauth_cookie::{OAUTH_LIFETIME, OauthCookie};
use domain::{Error, Invalid};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::Api;
use crate::authentication::MaybeAuthenticated;
use crate::client::{From as FromClient, Navigation};
use crate::json::{Form, Json, OptionalJson};
use crate::openapi::{OPTIONAL, Refused};
use crate::problem::Problem;
use crate::query::{Id, Query};
use crate::rest::auth::{TokensBody, answer, set_cookie};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderBody {
    /// Its place in the paths below.
    #[schema(example = "google")]
    name: String,
    /// What people know it by.
    #[schema(example = "Google")]
    label: String,
    /// `oidc`, `google` or `facebook`.
    #[schema(example = "google")]
    kind: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderList {
    items: Vec<ProviderBody>,
    /// Always null: there are a few.
    #[schema(required)]
    next: Option<String>,
}

impl From<&Provider> for ProviderBody {
    fn from(provider: &Provider) -> Self {
        let settings = provider.settings();
        let name = settings.name.as_str().to_owned();
        Self { name, label: settings.label.clone(), kind: settings.kind.name() }
    }
}

/// Our own page says where to come back to with `return_to`; an app with `redirect_uri` and `code_challenge`, or it
/// says `native`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OauthStart)]
pub struct StartBody {
    /// `login` (when left out), `link` or `step_up`. The last two need a credential.
    #[serde(default)]
    #[schema(example = "login")]
    purpose: Option<String>,
    /// The web app: a path of this server, `/` when left out.
    #[serde(default)]
    #[schema(max_length = 512, example = "/settings")]
    return_to: Option<String>,
    /// An app: one of the addresses that the operator registered.
    #[serde(default)]
    #[schema(max_length = 512, example = "org.example.app:/callback")]
    redirect_uri: Option<String>,
    /// An app: S256 of a verifier that it keeps (RFC 7636).
    #[serde(default)]
    #[schema(example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    code_challenge: Option<String>,
    /// An app that asks the provider through the system: gets a nonce for the ID token instead of an address.
    #[serde(default)]
    native: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OauthStarted)]
pub struct StartedBody {
    /// Send the browser there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://accounts.google.com/o/oauth2/v2/auth?…")]
    url: Option<String>,
    /// With `native`: have the provider put it into the ID token, as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    nonce: Option<String>,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: u64,
}

/// What providers put into the address. They add to it as they like, so more is passed over.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallbackQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    error: Option<String>,
    /// Who answers (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
}

/// Either `code` and `code_verifier`, or `id_token` and `nonce`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OauthGrant)]
pub struct GrantBody {
    /// From the registered address.
    #[serde(default)]
    code: Option<String>,
    /// The verifier behind the challenge that this began with.
    #[serde(default)]
    #[schema(max_length = 128)]
    code_verifier: Option<String>,
    /// From the system, after `native`.
    #[serde(default)]
    id_token: Option<String>,
    /// The one that `start` gave.
    #[serde(default)]
    nonce: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct SignedRequest {
    /// Signed by Facebook with the app's secret.
    signed_request: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeletionConfirmation)]
pub struct DeletionBody {
    /// Where its state can be seen.
    url: String,
    confirmation_code: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeletionState)]
pub struct DeletionStateBody {
    /// Always `done`: what was held was removed before the code was given.
    #[schema(example = "done")]
    status: &'static str,
}

/// List providers
///
/// Through which people can sign in here, beside a password.
#[utoipa::path(get, path = "/v1/auth/providers", operation_id = "listProviders", tag = "auth",
    responses((status = 200, description = "In the order of their names", body = ProviderList)), security(()))]
pub async fn providers(State(api): State<Api>) -> axum::Json<ProviderList> {
    let items = api.app.providers().iter().map(ProviderBody::from).collect();
    axum::Json(ProviderList { items, next: None })
}

/// Begin at a provider
///
/// Answers where to send the browser. `login` signs in, makes an account for somebody new, or makes the caller's
/// anonymous account theirs. `link` has the provider lead to the caller's account as well, and needs a fresh sign-in.
/// `step_up` proves again who holds the caller's session. An e-mail address never leads to an account.
///
/// Our own page comes back to `return_to` with `#provider=…&outcome=…` behind it, where the outcome is `signed_in`,
/// `linked` or `stepped_up`, or with `#provider=…&error=…`. An app comes back to `redirect_uri` with `?code=…` or
/// `?error=…`.
#[utoipa::path(post, path = "/v1/auth/oauth/{provider}/start", operation_id = "startOauth", tag = "auth",
    params(("provider" = String, Path, description = "As listed")),
    request_body(content = StartBody, description = OPTIONAL),
    responses((status = 200, description = "What to do next", body = StartedBody), Refused<409>, Refused<429>),
    security((), ("bearer" = []), ("cookie" = [])))]
pub async fn start(
    State(api): State<Api>,
    Id(provider): Id<String>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    OptionalJson(body): OptionalJson<StartBody>,
) -> Result<Response, Problem> {
    let StartBody { purpose, return_to, redirect_uri, code_challenge, native } = body;
    let purpose = purpose.map(|name| {
        let unknown = || Invalid::new("/purpose", "unknown", "must be login, link or step_up");
        Purpose::parse(&name).ok_or_else(unknown)
    });
    let purpose = purpose.transpose().map_err(Error::from)?;
    let request = StartRequest { purpose, return_to, redirect_uri, code_challenge, native };
    let started = api.app.start_oauth(caller.as_ref(), &client, &provider, request).await?;
    let expires_in = OAUTH_LIFETIME.as_secs();
    Ok(match started {
        Started::Away { url, cookie } => {
            let body = StartedBody { url: Some(url), nonce: None, expires_in };
            let mut response = axum::Json(body).into_response();
            if let Some(cookie) = cookie {
                set_cookie(&mut response, &oauth_cookie(&api).set(&cookie));
            }
            response
        }
        Started::Native { nonce } => {
            let body = StartedBody { url: None, nonce: Some(nonce.to_string()), expires_in };
            axum::Json(body).into_response()
        }
    })
}

/// Come back from a provider
///
/// For browsers: the provider sends them here. Only the browser that began may come, and once.
#[utoipa::path(get, path = "/v1/auth/oauth/{provider}/callback", operation_id = "finishOauth", tag = "auth",
    params(("provider" = String, Path, description = "As listed"), CallbackQuery),
    responses((status = 303, description = "To the page or app where this began"), Refused<403>, Refused<429>), security(()))]
pub async fn callback(
    State(api): State<Api>,
    Id(provider): Id<String>,
    Navigation(client): Navigation,
    Query(query): Query<CallbackQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let CallbackQuery { state, code, error, iss } = query;
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let cookie = oauth_cookie(&api).find(cookies);
    let brought = Answer { state, code, error, issuer: iss };
    let landing = api.app.oauth_callback(&client, &provider, cookie, brought).await?;
    let (location, signed_in) = match landing {
        Landing::App { url } => (url, None),
        Landing::Web { return_to, outcome } => {
            let (told, signed_in) = match outcome {
                Outcome::SignedIn(signed_in) => (String::from("outcome=signed_in"), Some(signed_in)),
                // Behind the #, which no server and no log ever sees.
                Outcome::SecondStep(step) => {
                    let factors: Vec<_> = step.factors.iter().map(|factor| factor.word()).collect();
                    let (challenge, factors) = (step.challenge.as_str(), factors.join(","));
                    (format!("outcome=second_factor&challenge={challenge}&factors={factors}"), None)
                }
                Outcome::Linked => (String::from("outcome=linked"), None),
                Outcome::SteppedUp => (String::from("outcome=stepped_up"), None),
                Outcome::Failed(code) => (format!("error={code}"), None),
            };
            // A name of letters, digits and dashes, words of ours, base64url: nothing to encode.
            (format!("{return_to}#provider={provider}&{told}"), signed_in)
        }
    };
    let mut response = match signed_in {
        Some(signed_in) => answer(&api, StatusCode::SEE_OTHER, signed_in),
        None => StatusCode::SEE_OTHER.into_response(),
    };
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(location).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::LOCATION, location);
    if cookie.is_some() {
        set_cookie(&mut response, &oauth_cookie(&api).clear());
    }
    Ok(response)
}

/// Exchange what an app got
///
/// The code that its browser brought, with the verifier; or an ID token with the nonce of `start`. Each is good once.
/// Linking and stepping up need the credential of the session in which that began.
#[utoipa::path(post, path = "/v1/auth/oauth/{provider}/token", operation_id = "exchangeOauth", tag = "auth",
    params(("provider" = String, Path, description = "As listed")), request_body = GrantBody,
    responses((status = 200, description = "Signed in, or stepped up: tokens of that session", body = TokensBody),
        (status = 204, description = "Linked; or the web app: a session cookie was set"), Refused<409>, Refused<429>),
    security((), ("bearer" = []), ("cookie" = [])))]
pub async fn token(
    State(api): State<Api>,
    Id(provider): Id<String>,
    MaybeAuthenticated(caller): MaybeAuthenticated,
    FromClient(client): FromClient,
    Json { value, .. }: Json<GrantBody>,
) -> Result<Response, Problem> {
    let GrantBody { code, code_verifier, id_token, nonce } = value;
    let grant = match (code, code_verifier, id_token, nonce) {
        (Some(code), Some(verifier), None, None) => Grant::Code { code, verifier: Zeroizing::new(verifier) },
        (None, None, Some(id_token), Some(nonce)) => Grant::IdToken { id_token, nonce },
        _ => {
            let detail = "give code and code_verifier, or id_token and nonce";
            return Err(Error::from(Invalid::new("", "required", detail)).into());
        }
    };
    let arrived = api.app.exchange_oauth(caller.as_ref(), &client, &provider, grant).await?;
    Ok(match arrived {
        Arrived::SignedIn(signed_in) => answer(&api, StatusCode::OK, signed_in),
        Arrived::SteppedUp(Some(tokens)) => axum::Json(TokensBody::from(tokens)).into_response(),
        Arrived::SteppedUp(None) | Arrived::Linked => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Facebook: somebody removed the app
///
/// The identity leads nowhere from now on; an account without another way in goes with it.
#[utoipa::path(post, path = "/v1/auth/oauth/{provider}/deauthorize", operation_id = "facebookDeauthorize", tag = "auth",
    params(("provider" = String, Path, description = "A provider of the kind `facebook`")),
    request_body(content = SignedRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "Done")), security(()))]
pub async fn deauthorize(
    State(api): State<Api>,
    Id(provider): Id<String>,
    Form(body): Form<SignedRequest>,
) -> Result<StatusCode, Problem> {
    api.app.facebook_deauthorize(&provider, &body.signed_request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Facebook: somebody asks to be forgotten
///
/// Done at once; the answer says where that can be seen.
#[utoipa::path(post, path = "/v1/auth/oauth/{provider}/deletion", operation_id = "facebookDeletion", tag = "auth",
    params(("provider" = String, Path, description = "A provider of the kind `facebook`")),
    request_body(content = SignedRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Done", body = DeletionBody)), security(()))]
pub async fn deletion(
    State(api): State<Api>,
    Id(provider): Id<String>,
    Form(body): Form<SignedRequest>,
) -> Result<axum::Json<DeletionBody>, Problem> {
    let deletion = api.app.facebook_deletion(&provider, &body.signed_request).await?;
    Ok(axum::Json(DeletionBody { url: deletion.url, confirmation_code: deletion.confirmation_code }))
}

/// Look at a deletion
///
/// That Facebook was told of.
#[utoipa::path(get, path = "/v1/auth/oauth/{provider}/deletion/{code}", operation_id = "facebookDeletionState", tag = "auth",
    params(("provider" = String, Path, description = "A provider of the kind `facebook`"),
        ("code" = String, Path, description = "As Facebook was told")),
    responses((status = 200, description = "Its state", body = DeletionStateBody)), security(()))]
pub async fn deletion_state(
    State(api): State<Api>,
    Id((provider, code)): Id<(String, String)>,
) -> Result<axum::Json<DeletionStateBody>, Problem> {
    api.app.is_deleted(&provider, &code)?;
    Ok(axum::Json(DeletionStateBody { status: "done" }))
}

fn oauth_cookie(api: &Api) -> OauthCookie {
    OauthCookie::beside(api.settings.cookie)
}
