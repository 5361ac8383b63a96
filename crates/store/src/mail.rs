//! Mail that waits to be sent, or is shown in the mailbox of a development server. Sealed, each with a key of
//! its own.

use domain::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Uuid, Vec<u8>, Vec<u8>, i64), ()> =
    Statement::new("INSERT INTO mail (mail_id, data_key, sealed, created_at) VALUES ($1, $2, $3, $4)");
static NEWEST: Statement<(i64,), (Uuid, Vec<u8>, Vec<u8>, i64)> =
    Statement::new("SELECT mail_id, data_key, sealed, created_at FROM mail ORDER BY mail_id DESC LIMIT $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT created_at FROM mail WHERE created_at <= $1 ORDER BY created_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM mail WHERE created_at <= $1");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: Uuid,
    pub data_key: Vec<u8>,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

pub async fn put(tx: &mut Tx, mail: &Stored) -> Result<()> {
    let args = (mail.id, mail.data_key.as_slice(), mail.sealed.as_slice(), mail.created_at.millis());
    tx.exec(&PUT, args).await.map(drop)
}

/// The newest first.
pub async fn newest(db: &mut Db, limit: i64) -> Result<Vec<Stored>> {
    let rows = db.all(&NEWEST, (limit,)).await?;
    let stored =
        |(id, data_key, sealed, at)| Stored { id, data_key, sealed, created_at: Timestamp::from_millis(at) };
    Ok(rows.into_iter().map(stored).collect())
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis() - 1).await
}
