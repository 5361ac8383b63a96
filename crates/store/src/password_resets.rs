//! Mailed secrets by which a password is reset, each known by its hash alone. Some undo what was added to the account,
//! too: those outlive a change of the password, which whoever added it may have made.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Vec<u8>, Uuid, i64, Option<i64>), ()> = Statement::new(
    "INSERT INTO password_reset (reset_hash, account_id, expires_at, undoes) VALUES ($1, $2, $3, $4)",
);
static FIND: Statement<(Vec<u8>, i64), (Uuid,)> =
    Statement::new("SELECT account_id FROM password_reset WHERE reset_hash = $1 AND expires_at > $2");
static TAKE: Statement<(Vec<u8>, i64), (Uuid, Option<i64>)> = Statement::new(
    "DELETE FROM password_reset WHERE reset_hash = $1 AND expires_at > $2 RETURNING account_id, undoes",
);
static DELETE_PLAIN: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM password_reset WHERE account_id = $1 AND undoes IS NULL");
static DELETE_ALL: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM password_reset WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM password_reset WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM password_reset WHERE expires_at <= $1");

/// A secret that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub account: AccountId,
    /// What was added to the account from then on is undone.
    pub undoes: Option<Timestamp>,
}

pub async fn put(
    tx: &mut Tx,
    hash: &[u8],
    account: AccountId,
    expires_at: Timestamp,
    undoes: Option<Timestamp>,
) -> Result<()> {
    let args = (hash, account.uuid(), expires_at.millis(), undoes.map(Timestamp::millis));
    tx.exec(&PUT, args).await.map(drop)
}

/// Whose password it resets.
pub async fn find(db: &mut Db, hash: &[u8], now: Timestamp) -> Result<Option<AccountId>> {
    Ok(db.opt(&FIND, (hash, now.millis())).await?.map(|(id,)| AccountId::from_uuid(id)))
}

/// The same, and it works no more: of two that come at once, one gets it.
pub async fn take(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<Taken>> {
    let taken = tx.opt(&TAKE, (hash, now.millis())).await?;
    Ok(taken.map(|(account, undoes)| Taken {
        account: AccountId::from_uuid(account),
        undoes: undoes.map(Timestamp::from_millis),
    }))
}

/// Makes those work no more that reset a password alone.
pub async fn delete_plain(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_PLAIN, (account.uuid(),)).await.map(drop)
}

/// Makes all of an account's work no more.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
