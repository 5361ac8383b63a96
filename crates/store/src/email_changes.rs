//! Addresses that are to take the place of an account's, one at a time. Sealed with the account's data key.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Uuid, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO email_change (account_id, sealed, tries, expires_at) VALUES ($1, $2, 0, $3)
     ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, tries = 0, expires_at = excluded.expires_at",
);
static GET: Statement<(Uuid, i64), (Vec<u8>, i64)> =
    Statement::new("SELECT sealed, expires_at FROM email_change WHERE account_id = $1 AND expires_at > $2");
static TRY: Statement<(Uuid, i64), (Vec<u8>, i64)> = Statement::new(
    "UPDATE email_change SET tries = tries + 1 WHERE account_id = $1 AND expires_at > $2 RETURNING sealed, tries",
);
static UPDATE: Statement<(Vec<u8>, Uuid), ()> =
    Statement::new("UPDATE email_change SET sealed = $1 WHERE account_id = $2");
static DELETE: Statement<(Uuid,), ()> = Statement::new("DELETE FROM email_change WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM email_change WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM email_change WHERE expires_at <= $1");

/// A pending change, with the number of the try that read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub sealed: Vec<u8>,
    pub tries: i64,
}

/// Begins a change, in place of one that was pending.
pub async fn put(tx: &mut Tx, account: AccountId, sealed: &[u8], expires_at: Timestamp) -> Result<()> {
    tx.exec(&PUT, (account.uuid(), sealed, expires_at.millis())).await.map(drop)
}

/// What is pending, and until when.
pub async fn get(db: &mut Db, account: AccountId, now: Timestamp) -> Result<Option<(Vec<u8>, Timestamp)>> {
    let row = db.opt(&GET, (account.uuid(), now.millis())).await?;
    Ok(row.map(|(sealed, until)| (sealed, Timestamp::from_millis(until))))
}

/// Counts a try and returns the change, locked until the transaction ends.
pub async fn try_once(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Option<Tried>> {
    let row = tx.opt(&TRY, (account.uuid(), now.millis())).await?;
    Ok(row.map(|(sealed, tries)| Tried { sealed, tries }))
}

pub async fn update(tx: &mut Tx, account: AccountId, sealed: &[u8]) -> Result<()> {
    tx.exec(&UPDATE, (sealed, account.uuid())).await.map(drop)
}

/// Cancels the change, if there is one; `false` when there was none.
pub async fn delete(tx: &mut Tx, account: AccountId) -> Result<bool> {
    Ok(tx.exec(&DELETE, (account.uuid(),)).await? > 0)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
