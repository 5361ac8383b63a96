//! Whether a provider is there at all.

use std::time::Duration;

use domain::forecast::{Cell, Pack};
use domain::{Coordinates, Timestamp};

use super::WeatherProvider;

/// How long `dev` waits before it starts with the sandbox.
pub const PROBE_LIMIT: Duration = Duration::from_millis(1500);

/// Asks for one cell that is nobody's favourite (Greenwich) and tells whether a sound answer came within
/// `limit` in all: name, connection, request, body.
pub async fn answers_within(provider: &dyn WeatherProvider, limit: Duration, now: Timestamp) -> bool {
    let Ok(greenwich) = Coordinates::parse(51.4769, 0.0) else { return false };
    let cell = [Cell::of(greenwich, 46.0)];
    match tokio::time::timeout(limit, provider.fetch(&cell, Pack::Core, now)).await {
        Ok(Ok(answers)) => answers.first().is_some_and(Result::is_ok),
        Ok(Err(_)) | Err(_) => false,
    }
}
