//! Security counters: failed passwords, mail sent. In the database, so that they hold over restarts and nodes.
//! The tag is a keyed hash of what is counted; the rules own the state.

use domain::Timestamp;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static GET: Statement<(Vec<u8>, i64), (Vec<u8>,)> =
    Statement::new("SELECT state FROM throttle WHERE tag = $1 AND expires_at > $2");
static LOCK: Statement<(Vec<u8>, Vec<u8>, i64), (Vec<u8>, i64)> = Statement::new(
    "INSERT INTO throttle (tag, state, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (tag) DO UPDATE SET expires_at = throttle.expires_at RETURNING state, expires_at",
);
static PUT: Statement<(Vec<u8>, i64, Vec<u8>), ()> =
    Statement::new("UPDATE throttle SET state = $1, expires_at = $2 WHERE tag = $3");
static DELETE: Statement<(Vec<u8>,), ()> = Statement::new("DELETE FROM throttle WHERE tag = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM throttle WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM throttle WHERE expires_at <= $1");

/// The state, or `None` when there is none or it has expired.
pub async fn get(db: &mut Db, tag: &[u8], now: Timestamp) -> Result<Option<Vec<u8>>> {
    Ok(db.opt(&GET, (tag, now.millis())).await?.map(|(state,)| state))
}

/// The state, with the row locked (and made, if need be) until the transaction ends.
pub async fn lock(tx: &mut Tx, tag: &[u8], now: Timestamp) -> Result<Option<Vec<u8>>> {
    let (state, expires_at) = tx.one(&LOCK, (tag, &[][..], now.millis())).await?;
    Ok(if state.is_empty() || expires_at <= now.millis() { None } else { Some(state) })
}

pub async fn put(tx: &mut Tx, tag: &[u8], state: &[u8], expires_at: Timestamp) -> Result<()> {
    tx.exec(&PUT, (state, expires_at.millis(), tag)).await.map(drop)
}

pub async fn delete(tx: &mut Tx, tag: &[u8]) -> Result<()> {
    tx.exec(&DELETE, (tag,)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
