//! What the events of a stream carry, the same on both of its faces.

use std::sync::Arc;

use app::streams::{Event, ForecastHint};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::changes::DeltaBody;

/// `hello`: where the stream stands, at its beginning and after each `reset`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamHello)]
pub struct HelloBody {
    #[schema(example = "v1.2851.57")]
    cursor: String,
    /// Seconds between two signs of life on a stream where nothing happens.
    #[schema(example = 20)]
    heartbeat_s: u64,
}

/// `forecast`: the weather of these favourites looks different now; fetch it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamForecast)]
pub struct ForecastHintBody {
    favourites: Vec<Uuid>,
    /// When the provider computed the newest of it, or when it was fetched from one that does not say.
    #[schema(format = DateTime, example = "2026-11-21T09:28:16Z")]
    issued_at: String,
}

/// `reset`: the changes since the client's cursor cannot be told; it takes the snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamReset)]
pub struct ResetBody {
    /// `expired`, `era`, `ahead` or `malformed`.
    #[schema(example = "expired")]
    reason: &'static str,
}

/// `session`: the stream ends, or `expiring`: within a minute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamSession)]
pub struct SessionBody {
    /// `expiring`, `expired`, `revoked` or `replaced`.
    #[schema(example = "expiring")]
    state: &'static str,
}

impl From<ForecastHint> for ForecastHintBody {
    fn from(hint: ForecastHint) -> Self {
        let favourites = hint.favourites.into_iter().map(domain::FavouriteId::uuid).collect();
        Self { favourites, issued_at: hint.issued_at.rfc3339() }
    }
}

/// The data of an event as JSON on one line, and the cursor that the client knows after it. `None` for what has
/// no data and looks different on each face.
pub fn data(event: Event) -> Option<(String, Option<String>)> {
    match event {
        Event::Hello { cursor, heartbeat } => {
            let body = HelloBody { cursor: cursor.to_string(), heartbeat_s: heartbeat.as_secs() };
            Some((json(&body), Some(cursor.to_string())))
        }
        Event::Changes(delta) => {
            let to = delta.to.to_string();
            Some((json(&DeltaBody::from(Arc::unwrap_or_clone(delta))), Some(to)))
        }
        Event::Forecast(hint) => Some((json(&ForecastHintBody::from(hint)), None)),
        Event::Reset(reason) => Some((json(&ResetBody { reason: reason.as_str() }), None)),
        Event::Session(state) => Some((json(&SessionBody { state: state.name() }), None)),
        Event::Retry(_) | Event::Heartbeat => None,
    }
}

/// None of these can fail to serialise: their keys are texts and their numbers finite.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
