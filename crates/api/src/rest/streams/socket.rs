//! `GET /v1/ws`: the same stream over a WebSocket.

use std::convert::Infallible;
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
use crate::client::{From as FromClient, cross_site};
use crate::problem::Problem;
use crate::query::Query;

/// The largest message of a client.
const MESSAGE: usize = 64 * 1024;
/// Clients say little, so little is kept to read into.
const READ_BUFFER: usize = 2 * 1024;
/// A client says who it is and where it stands within this time.
const INIT_WITHIN: Duration = Duration::from_secs(5);
/// Pings and pongs that a client may send before it says who it is.
const CONTROLS_BEFORE_INIT: usize = 16;
/// For the other end's word of parting, so that it hears ours.
const PARTING: Duration = Duration::from_secs(1);
/// Bytes a second that a client must take of a long frame.
const SLOWEST: usize = 4 * 1024;

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
    FromClient(client): FromClient,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let may_use_cookie = check_origin(&api, &headers, query.ticket.is_some())?;
    let shown = if may_use_cookie {
        identify(&api, &client, &headers, query.ticket.as_deref()).await
    } else {
        let mut headers = headers;
        headers.remove(header::COOKIE);
        identify(&api, &client, &headers, query.ticket.as_deref()).await
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
    let is_known = matches!(shown, Ok(Some(_)));
    let seat = if is_known { api.app.seat() } else { api.app.waiting_seat(&client) };
    Ok(upgrade.on_upgrade(async move |socket| {
        let mut face = Face { stalled: api.app.settings().streams.stalled, has_stalled: false, socket, api };
        let end = match seat {
            Some(seat) => {
                let Err(end) = face.serve(seat, shown, query.cursor).await;
                end
            }
            None => face.send_away(Duration::ZERO, Parting::OVERLOADED).await,
        };
        face.part(end).await;
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

/// How it came to its end.
enum End {
    /// The other end is gone, or reads nothing: nothing more can be said to it.
    Gone,
    /// The other end has closed, and is waiting for our answer.
    Closed,
    /// We close.
    With(Parting),
}

impl From<Parting> for End {
    fn from(parting: Parting) -> Self {
        Self::With(parting)
    }
}

type Step<T> = Result<T, End>;

impl Face {
    /// Everything from the first frame to the last.
    async fn serve(
        &mut self,
        seat: Seat,
        shown: Result<Option<Caller>, Problem>,
        cursor: Option<String>,
    ) -> Step<Infallible> {
        let (stream, caller) = self.begin(seat, shown, cursor).await?;
        self.follow(stream, &caller).await
    }

    /// Waits for `init` and opens the stream.
    async fn begin(
        &mut self,
        seat: Seat,
        shown: Result<Option<Caller>, Problem>,
        cursor: Option<String>,
    ) -> Step<(Stream, Caller)> {
        let shown = shown.ok().flatten();
        // Now and not after `init`: an account that is silent many times over is bounded by its rate.
        if let Some(caller) = &shown {
            self.count(caller).await?;
        }
        let app = self.api.app.clone();
        let said = tokio::select! {
            said = tokio::time::timeout(INIT_WITHIN, self.hear_first()) => said.map_err(|_| Parting::NO_INIT)??,
            () = app.streams_closing() => {
                return Err(self.send_away(Duration::ZERO, Parting::GOING_AWAY).await);
            }
        };
        let Said::Init { token, cursor: later } = said else { return Err(Parting::MALFORMED.into()) };
        let caller = match token {
            Some(token) => {
                let caller = app.authenticate_bearer(&token).await.map_err(|_| Parting::UNAUTHENTICATED)?;
                self.count(&caller).await?;
                caller
            }
            None => shown.ok_or(Parting::UNAUTHENTICATED)?,
        };
        Ok((app.open_stream(&caller, seat, later.or(cursor).as_deref()), caller))
    }

    /// Counts the opening of a stream.
    async fn count(&mut self, caller: &Caller) -> Step<()> {
        match within_rate(&self.api, caller) {
            Ok(_) => Ok(()),
            Err(wait) => Err(self.send_away(wait, Parting::LIMITED).await),
        }
    }

    /// Says when to come back.
    async fn send_away(&mut self, least: Duration, parting: Parting) -> End {
        let after = self.api.app.come_back_after(least);
        self.say(frames::frame(Event::Retry(after))).await.err().unwrap_or(End::With(parting))
    }

    async fn follow(&mut self, mut stream: Stream, caller: &Caller) -> Step<Infallible> {
        loop {
            let event = tokio::select! {
                said = self.hear() => {
                    let said = said?;
                    if within_rate(&self.api, caller).is_err() {
                        return Err(Parting::LIMITED.into());
                    }
                    match said {
                        // Already answered, below the frames.
                        None => {}
                        Some(Said::Ping {}) => self.say_or_give_up(frames::PONG, &stream).await?,
                        Some(Said::Auth { token }) => {
                            stream.renew(&token).await.map_err(|_| Parting::UNAUTHENTICATED)?;
                        }
                        Some(Said::Init { .. }) => return Err(Parting::MALFORMED.into()),
                    }
                    continue;
                }
                event = stream.next() => event,
            };
            let Some(event) = event else { return Err(Parting::GOING_AWAY.into()) };
            let parting = parting(&event);
            self.say_or_give_up(frames::frame(event), &stream).await?;
            if let Some(parting) = parting {
                return Err(parting.into());
            }
        }
    }

    /// The first frame that is not for the connection alone.
    async fn hear_first(&mut self) -> Step<Said> {
        for _ in 0..=CONTROLS_BEFORE_INIT {
            if let Some(said) = self.hear().await? {
                return Ok(said);
            }
        }
        Err(Parting::LIMITED.into())
    }

    /// The next frame; `None` for what needs no answer of ours.
    async fn hear(&mut self) -> Step<Option<Said>> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                frames::read(&text).map(Some).ok_or_else(|| Parting::MALFORMED.into())
            }
            Some(Ok(Message::Binary(_))) => Err(Parting::TEXT_ONLY.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) => Err(End::Closed),
            None => Err(End::Gone),
            Some(Err(error)) => Err(broken(error)),
        }
    }

    async fn say(&mut self, text: Utf8Bytes) -> Step<()> {
        // A frame goes whole, so what is seen of a slow client's progress is only that it has come to its end.
        let patience = self.stalled + Duration::from_secs((text.len() / SLOWEST) as u64);
        let sent = tokio::time::timeout(patience, self.socket.send(Message::Text(text))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                self.has_stalled = true;
                Err(End::Gone)
            }
        }
    }

    async fn say_or_give_up(&mut self, text: Utf8Bytes, stream: &Stream) -> Step<()> {
        let said = tokio::select! {
            said = self.say(text) => said,
            () = stream.overdue() => Err(End::Gone),
        };
        if self.has_stalled {
            stream.stalled();
        }
        said
    }

    /// Says why, and waits a moment for the answer: data that nobody reads would cut the connection before our
    /// word arrives. Who closed first is answered.
    async fn part(mut self, end: End) {
        let word = async {
            if let End::With(Parting(code, reason)) = end {
                let close = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
                if self.socket.send(Message::Close(Some(close))).await.is_err() {
                    return;
                }
            } else if matches!(end, End::Gone) {
                return;
            }
            // Reading also sends the answer to a close, which was made ready when that was read.
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        // Whoever does not answer is left.
        let _ = tokio::time::timeout(PARTING, word).await;
    }
}

/// What to part with when a message could not be read.
fn broken(error: axum::Error) -> End {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => End::With(Parting::TOO_LARGE),
        Some(tungstenite::Error::Utf8(_)) => End::With(Parting::NO_TEXT),
        Some(tungstenite::Error::Protocol(_)) => End::With(Parting::NO_FRAME),
        _ => End::Gone,
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
