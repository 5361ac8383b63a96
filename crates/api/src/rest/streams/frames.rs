//! Frames of the WebSocket: `{"t":…,"d":…}`, the same events as over SSE.

use app::streams::Event;
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
pub fn frame(event: Event) -> String {
    let name = event.name();
    if let Event::Retry(after) = event {
        return format!(r#"{{"t":"retry","d":{{"ms":{}}}}}"#, after.as_millis());
    }
    match events::data(event) {
        Some((data, _)) => format!(r#"{{"t":"{name}","d":{data}}}"#),
        None => format!(r#"{{"t":"{name}"}}"#),
    }
}

/// The answer to a ping.
pub const PONG: &str = r#"{"t":"pong"}"#;
