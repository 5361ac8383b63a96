//! API keys: found by the hash of their secret, listed and removed by their id.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

type Columns = (Uuid, Vec<u8>, Vec<u8>, String, Option<Uuid>, i64, i64, Option<i64>, Option<i64>);
type NewColumns = (Uuid, Vec<u8>, Vec<u8>, Vec<u8>, String, Option<Uuid>, i64, i64, Option<i64>);

static PUT: Statement<NewColumns, ()> = Statement::new(
    "INSERT INTO api_key (key_id, key_hash, data_key, sealed, scopes, made_by, per_minute, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
static FIND: Statement<(Vec<u8>,), Columns> = Statement::new(
    "SELECT key_id, data_key, sealed, scopes, made_by, per_minute, created_at, expires_at, used_at FROM api_key
     WHERE key_hash = $1",
);
static ALL: Statement<(Uuid, i64), Columns> = Statement::new(
    "SELECT key_id, data_key, sealed, scopes, made_by, per_minute, created_at, expires_at, used_at FROM api_key
     WHERE key_id > $1 ORDER BY key_id LIMIT $2",
);
static MADE_BY: Statement<(Uuid, i64), Columns> = Statement::new(
    "SELECT key_id, data_key, sealed, scopes, made_by, per_minute, created_at, expires_at, used_at FROM api_key
     WHERE made_by = $1 ORDER BY key_id LIMIT $2",
);
static DELETE: Statement<(Uuid,), (Uuid,)> =
    Statement::new("DELETE FROM api_key WHERE key_id = $1 RETURNING key_id");
static DELETE_MADE_BY: Statement<(Uuid,), (Uuid,)> =
    Statement::new("DELETE FROM api_key WHERE made_by = $1 RETURNING key_id");
static USED: Statement<(i64, Uuid, i64), ()> =
    Statement::new("UPDATE api_key SET used_at = $1 WHERE key_id = $2 AND (used_at IS NULL OR used_at < $3)");

/// A key that is to be kept.
#[derive(Clone, Debug)]
pub struct New {
    pub id: Uuid,
    pub hash: [u8; 32],
    pub data_key: Vec<u8>,
    /// What its maker calls it.
    pub sealed: Vec<u8>,
    /// Words separated by spaces.
    pub scopes: String,
    /// `None` at the server's own terminal.
    pub made_by: Option<AccountId>,
    pub per_minute: i64,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: Uuid,
    pub data_key: Vec<u8>,
    pub sealed: Vec<u8>,
    pub scopes: String,
    pub made_by: Option<AccountId>,
    pub per_minute: i64,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

pub async fn put(tx: &mut Tx, new: &New) -> Result<()> {
    let args = (
        new.id,
        new.hash.as_slice(),
        new.data_key.as_slice(),
        new.sealed.as_slice(),
        new.scopes.as_str(),
        new.made_by.map(AccountId::uuid),
        new.per_minute,
        new.created_at.millis(),
        new.expires_at.map(Timestamp::millis),
    );
    tx.exec(&PUT, args).await.map(drop)
}

pub async fn find(db: &mut Db, hash: &[u8; 32]) -> Result<Option<Stored>> {
    Ok(db.opt(&FIND, (hash.as_slice(),)).await?.map(stored))
}

/// In the order of their making.
pub async fn all(db: &mut Db, limit: i64) -> Result<Vec<Stored>> {
    Ok(db.all(&ALL, (Uuid::nil(), limit)).await?.into_iter().map(stored).collect())
}

/// Those that this account has made.
pub async fn made_by(db: &mut Db, account: AccountId, limit: i64) -> Result<Vec<Stored>> {
    Ok(db.all(&MADE_BY, (account.uuid(), limit)).await?.into_iter().map(stored).collect())
}

/// `false` when there was none.
pub async fn delete(tx: &mut Tx, id: Uuid) -> Result<bool> {
    Ok(tx.opt(&DELETE, (id,)).await?.is_some())
}

/// Removes those that this account has made and tells which they were.
pub async fn delete_made_by(tx: &mut Tx, account: AccountId) -> Result<Vec<Uuid>> {
    Ok(tx.all(&DELETE_MADE_BY, (account.uuid(),)).await?.into_iter().map(|(id,)| id).collect())
}

/// Notes that the key was used, unless that was noted since `before`.
pub async fn used(tx: &mut Tx, id: Uuid, now: Timestamp, before: Timestamp) -> Result<()> {
    tx.exec(&USED, (now.millis(), id, before.millis())).await.map(drop)
}

fn stored(columns: Columns) -> Stored {
    let (id, data_key, sealed, scopes, made_by, per_minute, created_at, expires_at, used_at) = columns;
    Stored {
        id,
        data_key,
        sealed,
        scopes,
        made_by: made_by.map(AccountId::from_uuid),
        per_minute,
        created_at: Timestamp::from_millis(created_at),
        expires_at: expires_at.map(Timestamp::from_millis),
        used_at: used_at.map(Timestamp::from_millis),
    }
}
