//! The last good answer for each cell of the weather grid, and what is known of each provider. Nothing here
//! belongs to a person: a cell says where weather is, not who asked.

use domain::Timestamp;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static GET: Statement<(String,), (Vec<u8>, i64)> =
    Statement::new("SELECT series, fetched_at FROM cell_forecast WHERE cell_key = $1");
static PUT: Statement<(String, Vec<u8>, i64, i64), ()> = Statement::new(
    "INSERT INTO cell_forecast (cell_key, series, fetched_at) VALUES ($1, $2, $3)
     ON CONFLICT (cell_key) DO UPDATE SET series = excluded.series, fetched_at = excluded.fetched_at
     WHERE excluded.fetched_at >= cell_forecast.fetched_at OR cell_forecast.fetched_at > $4",
);
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT fetched_at FROM cell_forecast WHERE fetched_at <= $1 ORDER BY fetched_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM cell_forecast WHERE fetched_at <= $1");
static PROVIDER: Statement<(String, Vec<u8>, i64), (Vec<u8>,)> = Statement::new(
    "INSERT INTO provider_state (provider, state, updated_at) VALUES ($1, $2, $3)
     ON CONFLICT (provider) DO UPDATE SET provider = excluded.provider RETURNING state",
);
static SET_PROVIDER: Statement<(Vec<u8>, i64, String), ()> =
    Statement::new("UPDATE provider_state SET state = $1, updated_at = $2 WHERE provider = $3");
static ELEVATION: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT metres FROM elevation WHERE point_tag = $1");
static SET_ELEVATION: Statement<(Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO elevation (point_tag, metres) VALUES ($1, $2)
     ON CONFLICT (point_tag) DO UPDATE SET metres = excluded.metres",
);

/// The stored series and when it was fetched.
pub async fn get(db: &mut Db, key: &str) -> Result<Option<(Vec<u8>, Timestamp)>> {
    Ok(get_many(db, &[key]).await?.into_iter().flatten().next())
}

/// The same of several cells, in their order.
pub async fn get_many(db: &mut Db, keys: &[&str]) -> Result<Vec<Option<(Vec<u8>, Timestamp)>>> {
    let runs: Vec<_> = keys.iter().map(|key| (*key,)).collect();
    let found = db.many(&GET, &runs).await?;
    let first = |rows: Vec<(Vec<u8>, i64)>| rows.into_iter().next();
    Ok(found
        .into_iter()
        .map(|rows| first(rows).map(|(series, at)| (series, Timestamp::from_millis(at))))
        .collect())
}

/// Keeps an answer, unless a newer one is there: a node that stood still for a while may come late with its own. One
/// that was fetched after `latest` does not count as newer: a clock that was ahead has written it.
pub async fn put(
    tx: &mut Tx,
    key: &str,
    series: &[u8],
    fetched_at: Timestamp,
    latest: Timestamp,
) -> Result<()> {
    put_many(tx, &[(key, series, fetched_at)], latest).await
}

/// The same of several. In the order of the keys: two that write the same cells would else wait for each other.
pub async fn put_many(tx: &mut Tx, answers: &[(&str, &[u8], Timestamp)], latest: Timestamp) -> Result<()> {
    let latest = latest.millis();
    let runs: Vec<_> = answers.iter().map(|(key, series, at)| (*key, *series, at.millis(), latest)).collect();
    tx.exec_many(&PUT, &runs).await
}

/// Removes a chunk of the answers that are too old to be shown even as the last resort, and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis() - 1).await
}

/// A provider's state (budget and breaker), locked until the transaction ends; empty at first.
pub async fn lock_provider(tx: &mut Tx, provider: &str, now: Timestamp) -> Result<Vec<u8>> {
    let (state,) = tx.one(&PROVIDER, (provider, &[][..], now.millis())).await?;
    Ok(state)
}

pub async fn set_provider(tx: &mut Tx, provider: &str, state: &[u8], now: Timestamp) -> Result<()> {
    tx.exec(&SET_PROVIDER, (state, now.millis(), provider)).await.map(drop)
}

/// Metres above the sea of a rounded coordinate, if the provider told it before.
pub async fn elevation(db: &mut Db, point_tag: &[u8]) -> Result<Option<i64>> {
    Ok(db.opt(&ELEVATION, (point_tag,)).await?.map(|(metres,)| metres))
}

pub async fn set_elevation(tx: &mut Tx, point_tag: &[u8], metres: i64) -> Result<()> {
    tx.exec(&SET_ELEVATION, (point_tag, metres)).await.map(drop)
}
