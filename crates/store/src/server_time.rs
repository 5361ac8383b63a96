//! The time of PostgreSQL, which all nodes go by: what one of them wrote to be good for half a minute is read by
//! another, whose machine may have another idea of the time.

use std::time::Duration;

use domain::{Clock, Timestamp};
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::error::{Error, Result};

const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Between two looks: a machine's clock may be set while a node runs.
pub(crate) const EVERY: Duration = Duration::from_secs(30);
/// An answer that took longer tells the time too roughly.
const SLOW: Duration = Duration::from_millis(500);
/// A difference worth a word.
const NOTABLE: i64 = 5_000;

/// Sets a clock by the server's. One that is fixed stays as it is.
pub(crate) async fn follow(client: &Client, clock: &Clock) -> Result<()> {
    if clock.is_fixed() {
        return Ok(());
    }
    let asked = Instant::now();
    let row = client.query_typed_one(NOW, &[]).await;
    let there: i64 = row.map_err(|error| Error::Unavailable(error.to_string()))?.get(0);
    let took = asked.elapsed();
    if took < SLOW {
        let before = clock.now();
        let behind = clock.set(Timestamp::from_millis(there).plus(took / 2)).unwrap_or_default();
        let moved = clock.now().millis() - before.millis();
        if moved.abs() > NOTABLE {
            tracing::warn!(
                seconds = behind as f64 / 1000.0,
                "this machine's clock is behind PostgreSQL's by so much (ahead when negative): PostgreSQL's counts"
            );
        }
    }
    Ok(())
}
