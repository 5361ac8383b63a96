//! `GET /v1/stream`: server-sent events.
//!
//! A browser's EventSource gives up for good on most statuses, so whatever is wrong with a cursor, with the rate
//! or with the server's load is said in a stream with status 200. Only a missing credential is a problem.

use std::fmt::Write;
use std::time::Duration;

use app::streams::{Event, Stream};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, header};

use super::{StreamQuery, credential_required, events, identify, pump, within_rate};
use crate::Api;
use crate::authentication::{renewed_cookie, tell_limit};
use crate::client::From as FromClient;
use crate::problem::Problem;
use crate::query::Query;

/// Follow changes
///
/// Server-sent events: `hello`, `changes` (its data is a `Delta`, its id the cursor behind it), `forecast`,
/// `reset`, `session`; a comment every 20 seconds. A cursor that cannot be gone on from leads to `reset` and not
/// to an error. A server that cannot serve the stream says `retry:` and ends it.
#[utoipa::path(get, path = "/v1/stream", operation_id = "followChanges", tag = "sync",
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The last cursor that was received; browsers send it by themselves", example = "v1.2851.57")),
    responses((status = 200, description = "Events until somebody closes the stream", body = String, content_type = "text/event-stream")))]
pub async fn stream(
    State(api): State<Api>,
    Query(query): Query<StreamQuery>,
    FromClient(client): FromClient,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = identify(&api, &client, &headers, query.ticket.as_deref()).await?;
    let caller = shown.ok_or_else(credential_required)?;
    let left = within_rate(&api, &caller);
    let body = match (&left, method == Method::HEAD) {
        (_, true) => Body::empty(),
        (Err(wait), _) => sent_away(api.app.come_back_after(*wait)),
        (Ok(_), _) => match api.app.seat() {
            Some(seat) => {
                let cursor = last_event_id(&headers).or(query.cursor.as_deref());
                follow(&api, api.app.open_stream(&caller, seat, cursor))
            }
            None => sent_away(api.app.come_back_after(Duration::ZERO)),
        },
    };
    let mut response = body.into_response();
    let told = response.headers_mut();
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx collects answers before it passes them on, unless it is told.
    told.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Ok(left) = left {
        tell_limit(&api, told, left.remaining, left.reset);
    }
    if let Some(cookie) = renewed_cookie(&api, &caller, &headers) {
        told.insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// An empty one is what a client has that never got any; text that is no ASCII is no cursor either.
fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("last-event-id").filter(|value| !value.is_empty())?;
    Some(value.to_str().unwrap_or("?"))
}

fn sent_away(after: Duration) -> Body {
    Body::from(retry(after))
}

fn retry(after: Duration) -> String {
    format!("retry: {}\n\n", after.as_millis())
}

/// The text of one event.
fn text(event: Event) -> Bytes {
    let name = event.name();
    match event {
        // Most texts by far, and all alike.
        Event::Heartbeat => Bytes::from_static(b":hb\n\n"),
        Event::Retry(after) => retry(after).into(),
        event => {
            let Some((data, id)) = events::data(event) else { return Bytes::new() };
            let mut text = String::with_capacity(data.len() + 96);
            if let Some(id) = id {
                let _ = writeln!(text, "id: {id}");
            }
            // Infallible: it writes to memory.
            let _ = write!(text, "event: {name}\ndata: {data}\n\n");
            text.into()
        }
    }
}

/// First of all, how long a browser is to wait before it comes back by itself.
fn follow(api: &Api, stream: Stream) -> Body {
    let greeting = retry(api.app.come_back_after(Duration::ZERO));
    pump::body(stream, greeting, text, api.app.settings().streams.stalled)
}
