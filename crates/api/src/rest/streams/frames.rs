//! Frames of the WebSocket: `{"t":…,"d":…}`, the same events as over SSE.

use app::streams::Event;
use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;

use super::events;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// First, within five seconds.
    Init {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        cursor: Option<String>,
    },
    /// Before the token ends: the next one.
    Auth { token: String },
    /// Answered by a pong.
    Ping {},
}

/// The frame of an event.
pub fn frame(event: Event) -> Utf8Bytes {
    let name = event.name();
    match event {
        // Most frames by far, and all alike.
        Event::Heartbeat => Utf8Bytes::from_static(r#"{"t":"hb"}"#),
        Event::Retry(after) => format!(r#"{{"t":"retry","d":{{"ms":{}}}}}"#, after.as_millis()).into(),
        event => match events::data(event) {
            Some((data, _)) => format!(r#"{{"t":"{name}","d":{data}}}"#).into(),
            None => format!(r#"{{"t":"{name}"}}"#).into(),
        },
    }
}

/// The answer to a ping.
pub const PONG: Utf8Bytes = Utf8Bytes::from_static(r#"{"t":"pong"}"#);
