//! `/v1/stream`, `/v1/ws` and `/v1/stream/ticket`: two faces of one stream, and what opens them from elsewhere.

use app::streams::TICKET_LIFETIME;
use app::{Caller, Client, limits::Left};
use axum::extract::State;
use domain::Error;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::authentication::{Authenticated, authenticate};
use crate::problem::Problem;

mod events;
mod frames;
mod pump;
mod socket;
mod sse;

pub use events::{ForecastHintBody, HelloBody, ResetBody, SessionBody};
pub use frames::read;
pub use socket::{__path_socket, socket};
pub use sse::{__path_stream, stream};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Where to go on from; the header `Last-Event-ID` goes before it. Without either the stream begins at the
    /// present.
    #[param(example = "v1.2851.57")]
    cursor: Option<String>,
    /// From `POST /v1/stream/ticket`, for clients that can set no header.
    #[param(max_length = 43)]
    ticket: Option<String>,
}

/// What opens one stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamTicket)]
pub struct TicketBody {
    /// For `?ticket=`; good once.
    #[schema(example = "3q2-7wXkq0hBv0jYk1rXo2m5u8zTgP4cW6sLfN9dAbE")]
    ticket: String,
    /// Seconds for which it is good.
    #[schema(example = 30)]
    expires_in: u64,
}

/// Draw a ticket for a stream
///
/// For an EventSource or WebSocket on another origin, which can set no header: the ticket stands in the URL, opens
/// one stream within 30 seconds, and the stream ends when the caller's own credential does.
#[utoipa::path(post, path = "/v1/stream/ticket", operation_id = "createStreamTicket", tag = "sync",
    responses((status = 200, description = "The ticket", body = TicketBody)))]
pub async fn ticket(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
) -> Result<axum::Json<TicketBody>, Problem> {
    let ticket = api.app.draw_ticket(&caller).await?.to_string();
    Ok(axum::Json(TicketBody { ticket, expires_in: TICKET_LIFETIME.as_secs() }))
}

/// Who opens a stream: by header, else by ticket, else by cookie.
async fn identify(
    api: &Api,
    client: &Client,
    headers: &HeaderMap,
    ticket: Option<&str>,
) -> Result<Option<Caller>, Problem> {
    match ticket {
        Some(ticket) if !headers.contains_key(header::AUTHORIZATION) => {
            Ok(Some(api.app.authenticate_ticket(client, ticket).await?))
        }
        _ => authenticate(api, true, headers).await,
    }
}

fn credential_required() -> Problem {
    let detail = "this needs an access token (Authorization: Bearer …), a ticket or the web app's session";
    Error::unauthenticated("credential_required", detail).into()
}

/// Counts the opening of a stream, or a frame on one. The error is how long to wait.
fn within_rate(api: &Api, caller: &Caller) -> Result<Left, std::time::Duration> {
    api.app.limit_requests(caller).map_err(|error| match error {
        Error::Limited { retry_after, .. } => retry_after,
        _ => std::time::Duration::ZERO,
    })
}
