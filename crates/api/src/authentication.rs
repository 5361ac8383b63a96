//! From headers to a [`Caller`]. A request carries exactly one credential: with `Authorization` present,
//! cookies are ignored.

use std::time::Duration;

use app::api_keys::is_api_key;
use app::{Caller, Network, Principal, Service};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Error;
use domain::account::Role;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};

use crate::Api;
use crate::client::{cross_site, is_web, network};
use crate::problem::Problem;

/// Lets a request pass only with a credential that counts, and within its account's rate or its key's.
pub async fn require(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    if let Some(secret) = api_key(request.headers()) {
        return match api.app.authenticate_key(secret).await {
            Ok(service) => serve(&api, service, request, next).await,
            Err(error) => Problem::from(error).into_response(),
        };
    }
    let caller = match authenticate(&api, request.method().is_safe(), request.headers()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            let detail = "this needs an access token (Authorization: Bearer …) or the web app's session";
            return Problem::from(Error::unauthenticated("credential_required", detail)).into_response();
        }
        Err(problem) => return problem.into_response(),
    };
    let left = match api.app.limit_requests(&caller) {
        Ok(left) => left,
        Err(error) => {
            let problem = Problem::from(error);
            let until_next = problem.retry_after.unwrap_or_default();
            let mut response = problem.into_response();
            tell_limit(&api, response.headers_mut(), 0, until_next);
            return response;
        }
    };
    request.extensions_mut().insert(caller);
    let renewed = renewed_cookie(&api, &caller, request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Some(cookie) = renewed {
        headers.insert(header::SET_COOKIE, cookie);
    }
    tell_limit(&api, headers, left.remaining, left.reset);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The same for a service with a key.
async fn serve(api: &Api, service: Service, mut request: Request, next: Next) -> Response {
    let (remaining, reset, mut response) = match api.app.limit_service(&service) {
        Ok(left) => {
            request.extensions_mut().insert(service);
            (left.remaining, left.reset, next.run(request).await)
        }
        Err(error) => {
            let problem = Problem::from(error);
            (0, problem.retry_after.unwrap_or_default(), problem.into_response())
        }
    };
    let headers = response.headers_mut();
    let told = [
        ("ratelimit-policy", format!("\"key\";q={};w=60", service.per_minute())),
        ("ratelimit", format!("\"key\";r={remaining};t={}", reset.as_secs())),
    ];
    for (name, value) in told {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What is meant as an API key, be it a true one or not.
fn api_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    bearer(value).filter(|token| is_api_key(token))
}

/// The session's own cookie with its new end, when that has moved: a browser forgets a cookie on the day it was
/// first told, however often it is used.
pub fn renewed_cookie(api: &Api, caller: &Caller, headers: &HeaderMap) -> Option<HeaderValue> {
    let ends_at = caller.renewed_until()?;
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let cookie = api.settings.cookie.set(api.settings.cookie.find(cookies)?, ends_at, api.app.now());
    let mut value = HeaderValue::try_from(cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `RateLimit` and its policy: what is left, and for how long that counts.
pub fn tell_limit(api: &Api, headers: &mut HeaderMap, remaining: u32, reset: Duration) {
    headers.insert("ratelimit-policy", api.rate_limit_policy.clone());
    let value = format!("\"account\";r={remaining};t={}", reset.as_secs());
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert("ratelimit", value);
    }
}

/// Lets every request pass: handlers that care who asks say so with [`MaybeAuthenticated`]. What they answer
/// is kept nowhere.
pub async fn allow(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Who shows a credential in the headers, if anybody does.
pub async fn authenticate(api: &Api, is_safe: bool, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer).ok_or_else(|| {
            let detail = "the header must look like Authorization: Bearer <access token>";
            Problem::from(Error::unauthenticated("invalid_token", detail))
        })?;
        if is_api_key(token) {
            return Err(not_for_keys());
        }
        return Ok(Some(api.app.authenticate_bearer(token).await?));
    }
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
    let Some(value) = cookies.and_then(|cookies| api.settings.cookie.find(cookies)) else { return Ok(None) };
    // A browser sends the cookie along whoever wrote the page: what changes something must show that our own
    // page did, by a header that other origins cannot set and by the browser's word.
    let is_own_page = is_web(headers) && api.is_same_origin(headers);
    if !is_safe && !is_own_page {
        return Err(cross_site());
    }
    Ok(Some(api.app.authenticate_cookie(value).await?))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Where a request comes from, for those that may change something: it is written down with what they do.
fn seen_at(api: &Api, parts: &Parts) -> Option<Network> {
    (!parts.method.is_safe()).then(|| network(api, parts))
}

/// The caller of a route behind [`require`]: a person. A key stands for nobody, so it opens nothing that asks for this.
pub struct Authenticated(pub Caller);

impl FromRequestParts<Api> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match parts.extensions.get::<Caller>() {
            Some(caller) => Ok(Self(caller.seen_at(seen_at(api, parts)))),
            None if parts.extensions.get::<Service>().is_some() => Err(not_for_keys()),
            None => Err(Problem::internal()),
        }
    }
}

/// Whoever asks on a route behind [`require`]: a person, or a service. What a service may is looked at where the work
/// is done.
pub struct Asking(pub Principal);

impl FromRequestParts<Api> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let network = seen_at(api, parts);
        let caller = parts.extensions.get::<Caller>().map(|caller| caller.seen_at(network).into());
        let service = || parts.extensions.get::<Service>().map(|it| Principal::Service(it.seen_at(network)));
        caller.or_else(service).map(Self).ok_or_else(Problem::internal)
    }
}

/// An operator on a route behind [`require`]. For others there is nothing here, whatever else they send.
pub struct Operator(pub Caller);

impl FromRequestParts<Api> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Authenticated(caller) = Authenticated::from_request_parts(parts, api).await?;
        if caller.roles().has(Role::Operator) { Ok(Self(caller)) } else { Err(Problem::not_found()) }
    }
}

/// An operator, or a service.
pub struct Manager(pub Principal);

impl FromRequestParts<Api> for Manager {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Asking(principal) = Asking::from_request_parts(parts, api).await?;
        if principal.may_manage() { Ok(Self(principal)) } else { Err(Problem::not_found()) }
    }
}

fn not_for_keys() -> Problem {
    let detail = "an API key stands for a service and nobody's account, so it does not open this";
    Problem::from(Error::forbidden("not_for_keys", detail))
}

/// The caller of a route behind [`allow`], if there is one. A credential that is wrong is refused, except an
/// outdated cookie: whoever signs in anew may still carry it.
///
/// Handlers that look at no credential must not ask for this. Apps send their access token along with every
/// request, and an expired one must not stand in the way of the refresh that replaces it.
pub struct MaybeAuthenticated(pub Option<Caller>);

impl FromRequestParts<Api> for MaybeAuthenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let has_bearer = parts.headers.contains_key(header::AUTHORIZATION);
        match authenticate(api, parts.method.is_safe(), &parts.headers).await {
            Ok(caller) => Ok(Self(caller.map(|caller| caller.seen_at(seen_at(api, parts))))),
            Err(problem) if has_bearer || problem.status != http::StatusCode::UNAUTHORIZED => Err(problem),
            Err(_) => Ok(Self(None)),
        }
    }
}

/// The same for a handler that cares for the session of a browser alone: an access token is not looked at, so an expired
/// one is in nobody's way.
pub struct MaybeCookie(pub Option<Caller>);

impl FromRequestParts<Api> for MaybeCookie {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self(None));
        }
        let MaybeAuthenticated(caller) = MaybeAuthenticated::from_request_parts(parts, api).await?;
        Ok(Self(caller))
    }
}
