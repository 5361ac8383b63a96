//! What requests say, read as the handlers read it: for `crates/fuzzing`, which has no server. Handlers do not come here.

use std::net::IpAddr;

use app::favourites::Condition;
use app::sync::Batch;
use axum::extract::FromRequestParts;
use domain::favourite::{NewFavourite, Patch};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Request, header};
use serde::de::DeserializeOwned;

use crate::client::TrustedProxies;
use crate::json;
use crate::problem::Problem;
use crate::query::Query;
use crate::rest::{
    api_keys, auth, email, factors, favourites, forecasts, me, oauth, operator, passkeys, password, places,
    sessions, streams, sync, webhooks,
};

/// Why something was refused; its public parts are what a client is told.
pub use crate::problem::Problem as Refusal;

/// A body or a query with nothing left of it but whether it is one.
pub type Reader = fn(&[u8]) -> Result<(), Problem>;

/// Every body that is JSON and has no function of its own below.
pub const BODIES: [Reader; 23] = [
    body::<api_keys::NewApiKeyBody>,
    body::<auth::Credentials>,
    body::<auth::Confirmation>,
    body::<auth::LoginBody>,
    body::<auth::SecondStepBody>,
    body::<auth::ForgotBody>,
    body::<auth::ResetBody>,
    body::<auth::RefreshBody>,
    body::<auth::LogoutBody>,
    body::<auth::RevokeBody>,
    body::<auth::StepUpBody>,
    body::<email::ChangeBody>,
    body::<factors::TotpConfirmation>,
    body::<forecasts::PointsRequest>,
    body::<me::PreferencesBody>,
    body::<me::AdoptBody>,
    body::<oauth::StartBody>,
    body::<oauth::GrantBody>,
    body::<operator::RoleChange>,
    body::<password::PasswordBody>,
    body::<places::PointBody>,
    body::<webhooks::NewWebhookBody>,
    body::<webhooks::WebhookPatch>,
];

/// The same for passkeys, whose names are the standard's.
pub const CREDENTIALS: [Reader; 4] = [
    body::<passkeys::NewPasskeyRequest>,
    body::<passkeys::PasskeySignIn>,
    body::<passkeys::PasskeyStart>,
    body::<passkeys::PasskeyRename>,
];

/// Every query string.
pub const QUERIES: [Reader; 8] = [
    query::<favourites::ListQuery>,
    query::<forecasts::ForecastParams>,
    query::<oauth::CallbackQuery>,
    query::<operator::AccountsQuery>,
    query::<places::SearchQuery>,
    query::<sessions::SessionsQuery>,
    query::<streams::StreamQuery>,
    query::<webhooks::DeliveriesQuery>,
];

fn body<T: DeserializeOwned>(raw: &[u8]) -> Result<(), Problem> {
    json::parse::<T>(raw).map(drop)
}

/// What cannot stand in an address at all is refused by the connection, and counts as empty here.
fn query<T: DeserializeOwned>(raw: &[u8]) -> Result<(), Problem> {
    let address = [b"/?", raw].concat();
    let request = Request::builder().uri(address.as_slice()).body(()).unwrap_or_default();
    let (mut parts, ()) = request.into_parts();
    // It waits for nothing.
    let read = Query::<T>::from_request_parts(&mut parts, &()).now_or_never();
    read.unwrap_or_else(|| Err(Problem::internal())).map(drop)
}

/// The body of `POST /v1/favourites` and of `PUT`.
pub fn new_favourite(raw: &[u8]) -> Result<NewFavourite, Problem> {
    Ok(json::parse::<favourites::NewFavouriteBody>(raw)?.parse()?)
}

/// The body of `PATCH /v1/favourites/{id}`.
pub fn favourite_patch(raw: &[u8]) -> Result<Patch, Problem> {
    Ok(json::parse::<favourites::FavouritePatch>(raw)?.parse()?)
}

/// The body of `POST /v1/sync`.
pub fn batch(raw: &[u8]) -> Result<Batch, Problem> {
    json::parse::<sync::SyncBody>(raw)?.parse()
}

/// `If-Match` and `If-None-Match` of a write; `None` when one of them is no header's value.
pub fn condition(
    if_match: Option<&[u8]>,
    if_none_match: Option<&[u8]>,
) -> Option<Result<Condition, Problem>> {
    let mut headers = HeaderMap::new();
    for (name, value) in [(header::IF_MATCH, if_match), (header::IF_NONE_MATCH, if_none_match)] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_bytes(value).ok()?);
        }
    }
    Some(favourites::condition(&headers))
}

/// The ETag of a revision.
pub fn etag(rev: i64) -> String {
    let [(_, tag)] = favourites::etag(rev);
    tag
}

/// `?after=` of a list, written again.
pub fn page_after(text: &str) -> Result<String, Problem> {
    favourites::parse_after(text).map(|after| favourites::after_text(&after))
}

/// Whether a WebSocket's client may say this.
pub fn is_frame(text: &str) -> bool {
    streams::read(text).is_some()
}

/// Where a request comes from, by the lines of `X-Forwarded-For`; `None` when one of them is no header's value.
pub fn origin<'a>(
    proxies: &TrustedProxies,
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'a [u8]>,
) -> Option<IpAddr> {
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line).ok()?);
    }
    Some(proxies.origin(peer, &headers))
}
