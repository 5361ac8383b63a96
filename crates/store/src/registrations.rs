//! Sign-ups that wait for the mailed code. There is no account until it was typed.

use domain::Timestamp;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::Tx;

static PUT: Statement<(Vec<u8>, Vec<u8>, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO registration (registration_hash, data_key, sealed, tries, expires_at)
     VALUES ($1, $2, $3, 0, $4)",
);
static TRY: Statement<(Vec<u8>, i64), (Vec<u8>, Vec<u8>, i64)> = Statement::new(
    "UPDATE registration SET tries = tries + 1 WHERE registration_hash = $1 AND expires_at > $2
     RETURNING data_key, sealed, tries",
);
static DELETE: Statement<(Vec<u8>,), ()> =
    Statement::new("DELETE FROM registration WHERE registration_hash = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM registration WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM registration WHERE expires_at <= $1");

/// A pending registration, with the number of the try that read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Wrapped key of this registration alone.
    pub data_key: Vec<u8>,
    pub sealed: Vec<u8>,
    pub tries: i64,
}

pub async fn put(
    tx: &mut Tx,
    hash: &[u8],
    data_key: &[u8],
    sealed: &[u8],
    expires_at: Timestamp,
) -> Result<()> {
    tx.exec(&PUT, (hash, data_key, sealed, expires_at.millis())).await.map(drop)
}

/// Counts a try and returns the registration, locked until the transaction ends.
pub async fn try_once(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<Tried>> {
    let row = tx.opt(&TRY, (hash, now.millis())).await?;
    Ok(row.map(|(data_key, sealed, tries)| Tried { data_key, sealed, tries }))
}

pub async fn delete(tx: &mut Tx, hash: &[u8]) -> Result<()> {
    tx.exec(&DELETE, (hash,)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
