//! Frames of the WebSocket: `{"t":…,"d":…}`, the same events as over SSE.

use app::streams::Event;
use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;

use super::events;
use crate::json::Object;

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

/// What a client said; `None` for what is no frame.
pub fn read(text: &str) -> Option<Said> {
    // Left to itself, serde also takes an array that begins with the tag.
    serde_json::from_str(text).ok().map(|Object(said)| said)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_an_object_of_a_known_kind() {
        assert!(matches!(read(r#"{"t":"ping"}"#), Some(Said::Ping {})));
        assert!(matches!(
            read(r#"{"cursor":"v1.1.2","t":"init"}"#),
            Some(Said::Init { token: None, cursor: Some(_) })
        ));
        for other in [
            r#"["ping"]"#,
            r#"["auth","token"]"#,
            r#"{"t":"ping","x":1}"#,
            r#"{"t":"pong"}"#,
            "{}",
            "\"ping\"",
            "",
        ] {
            assert!(read(other).is_none(), "{other}");
        }
    }
}
