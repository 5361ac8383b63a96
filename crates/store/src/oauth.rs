//! Steps of a way through a provider, each good once: whoever takes one has removed it.

use domain::Timestamp;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::Tx;

static PUT: Statement<(Vec<u8>, Vec<u8>, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO oauth_step (step_hash, data_key, sealed, expires_at) VALUES ($1, $2, $3, $4)",
);
static TAKE: Statement<(Vec<u8>, i64), (Vec<u8>, Vec<u8>)> = Statement::new(
    "DELETE FROM oauth_step WHERE step_hash = $1 AND expires_at > $2 RETURNING data_key, sealed",
);
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM oauth_step WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM oauth_step WHERE expires_at <= $1");

/// A step as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Wrapped key of this step alone.
    pub data_key: Vec<u8>,
    pub sealed: Vec<u8>,
}

pub async fn put(tx: &mut Tx, hash: &[u8], step: &Stored, expires_at: Timestamp) -> Result<()> {
    let args = (hash, step.data_key.as_slice(), step.sealed.as_slice(), expires_at.millis());
    tx.exec(&PUT, args).await.map(drop)
}

/// Takes the step, once over all nodes; `None` when there is none, it was taken or is old.
pub async fn take(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<Stored>> {
    let row = tx.opt(&TAKE, (hash, now.millis())).await?;
    Ok(row.map(|(data_key, sealed)| Stored { data_key, sealed }))
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
