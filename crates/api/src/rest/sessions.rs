//! `/v1/me/sessions`: where the caller is signed in.

use app::sessions::Session;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::SessionId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::{Id, Query};
use crate::rest::auth::forget_cookie;

/// One device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionItem {
    id: Uuid,
    /// What the device calls itself: good for recognising it, proof of nothing.
    #[schema(required, example = "Firefox on Linux")]
    device: Option<String>,
    #[schema(required, example = "Firefox")]
    app: Option<String>,
    /// `cookie` for the web app, `bearer` for whoever keeps tokens.
    #[schema(example = "cookie")]
    kind: &'static str,
    /// What its holder proved: `pwd`, …
    #[schema(example = json!(["pwd"]))]
    proofs: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Last seen; noted once an hour for a cookie, at each refresh for tokens.
    #[schema(format = DateTime)]
    seen_at: String,
    /// When it ends by itself, if it is not used before.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Whether this request was made with it.
    current: bool,
}

/// Sessions, those that began last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    items: Vec<SessionItem>,
    /// Give it as `after` for the next page; null on the last.
    #[schema(required)]
    next: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// `next` of the page before.
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
}

/// How many sessions have ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSessions {
    #[schema(example = 3)]
    pub ended: usize,
}

impl From<Session> for SessionItem {
    fn from(session: Session) -> Self {
        let (device, app) = match session.device {
            Some(device) => (device.name(), device.app),
            None => (None, None),
        };
        Self {
            id: session.id.uuid(),
            device,
            app,
            kind: session.kind.name(),
            proofs: session.proofs.to_string().split_whitespace().map(String::from).collect(),
            created_at: session.created_at.rfc3339(),
            seen_at: session.seen_at.rfc3339(),
            expires_at: session.ends_at.rfc3339(),
            current: session.is_current,
        }
    }
}

/// List sessions
///
/// Where the caller is signed in, those that began last first.
#[utoipa::path(get, path = "/v1/me/sessions", operation_id = "listSessions", tag = "me", params(SessionsQuery),
    responses((status = 200, description = "A page of sessions", body = Sessions)))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Query(query): Query<SessionsQuery>,
) -> Result<axum::Json<Sessions>, Problem> {
    let page = api.app.list_sessions(&caller, query.after.map(SessionId::from_uuid), query.limit).await?;
    let items = page.sessions.into_iter().map(SessionItem::from).collect();
    Ok(axum::Json(Sessions { items, next: page.next.map(SessionId::uuid) }))
}

/// End a session
///
/// Everywhere within five seconds, its streams too. Another one than one's own needs a fresh proof
/// (`insufficient_user_authentication`). One's own is signed out of: an anonymous account refuses that with
/// `discard_required`.
#[utoipa::path(delete, path = "/v1/me/sessions/{id}", operation_id = "endSession", tag = "me",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 204, description = "It has ended"), Refused<409>))]
pub async fn end(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<Response, Problem> {
    let session = SessionId::from_uuid(id);
    api.app.end_session(&caller, session).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if session == caller.session() && caller.has_cookie() {
        forget_cookie(&api, &mut response);
    }
    Ok(response)
}

/// End all other sessions
///
/// Everywhere within five seconds. Needs a fresh proof (`insufficient_user_authentication`).
#[utoipa::path(delete, path = "/v1/me/sessions", operation_id = "endOtherSessions", tag = "me",
    responses((status = 200, description = "How many have ended", body = EndedSessions)))]
pub async fn end_others(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<EndedSessions>, Problem> {
    let ended = api.app.end_other_sessions(&caller).await?;
    Ok(axum::Json(EndedSessions { ended }))
}
