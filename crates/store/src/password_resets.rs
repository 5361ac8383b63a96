//! Mailed secrets by which a password is reset, each known by its hash alone.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Vec<u8>, Uuid, i64), ()> =
    Statement::new("INSERT INTO password_reset (reset_hash, account_id, expires_at) VALUES ($1, $2, $3)");
static FIND: Statement<(Vec<u8>, i64), (Uuid,)> =
    Statement::new("SELECT account_id FROM password_reset WHERE reset_hash = $1 AND expires_at > $2");
static TAKE: Statement<(Vec<u8>, i64), (Uuid,)> = Statement::new(
    "DELETE FROM password_reset WHERE reset_hash = $1 AND expires_at > $2 RETURNING account_id",
);
static DELETE_ALL: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM password_reset WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM password_reset WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM password_reset WHERE expires_at <= $1");

pub async fn put(tx: &mut Tx, hash: &[u8], account: AccountId, expires_at: Timestamp) -> Result<()> {
    tx.exec(&PUT, (hash, account.uuid(), expires_at.millis())).await.map(drop)
}

/// Whose password it resets.
pub async fn find(db: &mut Db, hash: &[u8], now: Timestamp) -> Result<Option<AccountId>> {
    Ok(db.opt(&FIND, (hash, now.millis())).await?.map(|(id,)| AccountId::from_uuid(id)))
}

/// The same, and it works no more: of two that come at once, one gets it.
pub async fn take(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<AccountId>> {
    Ok(tx.opt(&TAKE, (hash, now.millis())).await?.map(|(id,)| AccountId::from_uuid(id)))
}

/// Makes all of an account's work no more.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
