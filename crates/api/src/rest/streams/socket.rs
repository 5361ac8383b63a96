//! `GET /v1/ws`: the same stream over a WebSocket.

use std::time::Duration;

use app::Caller;
use app::streams::{Event, Seat, SessionState, Stream};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};

use super::frames::{self, Said};
use super::{StreamQuery, credential_required, identify, within_rate};
use crate::Api;
use crate::client::cross_site;
use crate::problem::Problem;
use crate::query::Query;

/// The largest message of a client.
const MESSAGE: usize = 64 * 1024;
/// Clients say little, so little is kept to read into.
const READ_BUFFER: usize = 2 * 1024;
/// A client says who it is and where it stands within this time.
const INIT_WITHIN: Duration = Duration::from_secs(5);
/// For the other end's word of parting, so that it hears ours.
const PARTING: Duration = Duration::from_secs(1);

/// Why a WebSocket is closed: its code, and a word for whoever debugs. Codes above 4000 follow those of HTTP.
#[derive(Clone, Copy)]
struct Parting(u16, &'static str);

impl Parting {
    const GOING_AWAY: Self = Self(1001, "the server stops; come back later");
    const TEXT_ONLY: Self = Self(1003, "only text frames are understood");
    const NO_FRAME: Self = Self(1002, "this is no frame of a client");
    const NO_TEXT: Self = Self(1007, "this text is no UTF-8");
    const TOO_LARGE: Self = Self(1009, "a message holds 64 KiB at most");
    const OVERLOADED: Self = Self(1013, "too many streams; come back later");
    const MALFORMED: Self = Self(4400, "this frame is not understood");
    const UNAUTHENTICATED: Self = Self(4401, "sign in first");
    const NO_INIT: Self = Self(4408, "no init within 5 seconds");
    const REPLACED: Self = Self(4409, "the account opened another stream");
    const LIMITED: Self = Self(4429, "too many requests");
}

/// Follow changes over a WebSocket
///
/// Frames `{"t","d"}` with the events of `/v1/stream`. The client begins with `{"t":"init","token"?,"cursor"?}`
/// within five seconds, goes on with `{"t":"auth","token"}` before its token ends, and may send `{"t":"ping"}`.
/// A cookie counts from our own origin only.
#[utoipa::path(get, path = "/v1/ws", operation_id = "followChangesOverWebSocket", tag = "sync", params(StreamQuery),
    responses((status = 101, description = "Frames until somebody closes the connection"),
        (status = 426, description = "The request asks for no WebSocket"),
        crate::openapi::Refused<403>))]
pub async fn socket(
    State(api): State<Api>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let may_use_cookie = check_origin(&api, &headers, query.ticket.is_some())?;
    let shown = if may_use_cookie {
        identify(&api, &headers, query.ticket.as_deref()).await
    } else {
        let mut headers = headers;
        headers.remove(header::COOKIE);
        identify(&api, &headers, query.ticket.as_deref()).await
    };
    let Ok(upgrade) = upgrade else {
        shown?.ok_or_else(credential_required)?;
        let detail = "this is a WebSocket: ask with Connection: Upgrade and Upgrade: websocket";
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "Upgrade first", detail));
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        // What is sent is sent at once.
        .write_buffer_size(0)
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE);
    // A browser's page is not told the status of a failed opening, so what is wrong is said after it.
    let seat = api.app.seat();
    Ok(upgrade.on_upgrade(async move |socket| {
        let mut face = Face { stalled: api.app.settings().streams.stalled, has_stalled: false, socket, api };
        let parting = match seat {
            Some(seat) => face.serve(seat, shown, query.cursor).await,
            None => {
                let after = face.api.app.come_back_after(Duration::ZERO);
                face.say(frames::frame(Event::Retry(after))).await.err().unwrap_or(Some(Parting::OVERLOADED))
            }
        };
        face.part(parting).await;
    }))
}

/// Whether a cookie may say who this is. Browsers send it along whoever wrote the page, and let every page open
/// a WebSocket: only our own may use it. Front ends that the operator allowed have tokens, and of them a cookie
/// that comes along says nothing. Everybody else is refused unless they show something that only they can have.
fn check_origin(api: &Api, headers: &HeaderMap, has_ticket: bool) -> Result<bool, Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(true) };
    if api.is_own_origin(headers) {
        return Ok(true);
    }
    let has_credential = has_ticket || headers.contains_key(header::AUTHORIZATION);
    let has_cookie = headers.contains_key(header::COOKIE);
    if has_cookie && !has_credential && !api.settings.cors_origins.contains(origin) {
        return Err(cross_site());
    }
    Ok(false)
}

/// One end of a WebSocket.
struct Face {
    socket: WebSocket,
    api: Api,
    stalled: Duration,
    has_stalled: bool,
}

/// `Err(None)`: the other end is gone, and nothing more can be said to it.
type Step<T> = Result<T, Option<Parting>>;

impl Face {
    /// Everything from the first frame to the last; returns what to part with.
    async fn serve(
        &mut self,
        seat: Seat,
        shown: Result<Option<Caller>, Problem>,
        cursor: Option<String>,
    ) -> Option<Parting> {
        match self.begin(seat, shown, cursor).await {
            Ok((stream, caller)) => self.follow(stream, caller).await.err().flatten(),
            Err(parting) => parting,
        }
    }

    /// Waits for `init` and opens the stream.
    async fn begin(
        &mut self,
        seat: Seat,
        shown: Result<Option<Caller>, Problem>,
        cursor: Option<String>,
    ) -> Step<(Stream, Caller)> {
        let said = tokio::time::timeout(INIT_WITHIN, self.hear()).await;
        let said = said.map_err(|_| Some(Parting::NO_INIT))??;
        let Some(Said::Init { token, cursor: later }) = said else { return Err(Some(Parting::MALFORMED)) };
        let unauthenticated = Some(Parting::UNAUTHENTICATED);
        let caller = match token {
            Some(token) => self.api.app.authenticate_bearer(&token).await.map_err(|_| unauthenticated)?,
            None => shown.ok().flatten().ok_or(unauthenticated)?,
        };
        if let Err(wait) = within_rate(&self.api, &caller) {
            let after = self.api.app.come_back_after(wait);
            self.say(frames::frame(Event::Retry(after))).await?;
            return Err(Some(Parting::LIMITED));
        }
        let cursor = later.or(cursor);
        Ok((self.api.app.open_stream(&caller, seat, cursor.as_deref()), caller))
    }

    async fn follow(&mut self, mut stream: Stream, caller: Caller) -> Step<()> {
        loop {
            let event = tokio::select! {
                said = self.hear() => {
                    let said = said?;
                    if within_rate(&self.api, &caller).is_err() {
                        return Err(Some(Parting::LIMITED));
                    }
                    match said {
                        // Already answered, below the frames.
                        None => {}
                        Some(Said::Ping {}) => self.say_or_give_up(frames::PONG.to_owned(), &stream).await?,
                        Some(Said::Auth { token }) => {
                            stream.renew(&token).await.map_err(|_| Some(Parting::UNAUTHENTICATED))?;
                        }
                        Some(Said::Init { .. }) => return Err(Some(Parting::MALFORMED)),
                    }
                    continue;
                }
                event = stream.next() => event,
            };
            let Some(event) = event else { return Err(Some(Parting::GOING_AWAY)) };
            let parting = parting(&event);
            self.say_or_give_up(frames::frame(event), &stream).await?;
            if parting.is_some() {
                return Err(parting);
            }
        }
    }

    /// The next frame; `None` for what needs no answer of ours.
    async fn hear(&mut self) -> Step<Option<Said>> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                serde_json::from_str(&text).map(Some).map_err(|_| Some(Parting::MALFORMED))
            }
            Some(Ok(Message::Binary(_))) => Err(Some(Parting::TEXT_ONLY)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) | None => Err(None),
            Some(Err(error)) => Err(broken(error)),
        }
    }

    async fn say(&mut self, text: String) -> Step<()> {
        let sent = tokio::time::timeout(self.stalled, self.socket.send(Message::Text(text.into()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => {
                self.has_stalled = true;
                Err(None)
            }
        }
    }

    async fn say_or_give_up(&mut self, text: String, stream: &Stream) -> Step<()> {
        let said = self.say(text).await;
        if self.has_stalled {
            stream.stalled();
        }
        said
    }

    /// Says why, and waits a moment for the answer: data that nobody reads would cut the connection before our
    /// word arrives.
    async fn part(mut self, parting: Option<Parting>) {
        let Some(Parting(code, reason)) = parting else { return };
        let close = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let word = async {
            if self.socket.send(Message::Close(Some(close))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // Whoever does not answer is left.
        let _ = tokio::time::timeout(PARTING, word).await;
    }
}

/// What to part with when a message could not be read.
fn broken(error: axum::Error) -> Option<Parting> {
    match error.into_inner().downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(Parting::TOO_LARGE),
        tungstenite::Error::Utf8(_) => Some(Parting::NO_TEXT),
        tungstenite::Error::Protocol(_) => Some(Parting::NO_FRAME),
        _ => None,
    }
}

/// What the last event of a stream is followed by.
fn parting(event: &Event) -> Option<Parting> {
    match event {
        Event::Session(SessionState::Expired | SessionState::Revoked) => Some(Parting::UNAUTHENTICATED),
        Event::Session(SessionState::Replaced) => Some(Parting::REPLACED),
        Event::Retry(_) => Some(Parting::GOING_AWAY),
        _ => None,
    }
}
