//! What was removed, without content. A tombstone tells devices that were away, and keeps its id from coming
//! back to life.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::sync::Log;
use crate::transaction::Tx;

static INSERT: Statement<(Uuid, Uuid, i64, i64), ()> =
    Statement::new("INSERT INTO tombstone (account_id, item_id, rev, removed_at) VALUES ($1, $2, $3, $4)");
/// Whether an item of this id was removed, and is still remembered.
pub(crate) static GET: Statement<(Uuid, Uuid), (i64,)> =
    Statement::new("SELECT rev FROM tombstone WHERE account_id = $1 AND item_id = $2");
/// Removals whose revision is in `(since, until]`, in order of it.
pub(crate) static CHANGED: Statement<(Uuid, i64, i64, i64), (Uuid, i64)> = Statement::new(
    "SELECT item_id, rev FROM tombstone WHERE account_id = $1 AND rev > $2 AND rev <= $3 ORDER BY rev LIMIT $4",
);
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM tombstone WHERE account_id = $1");

pub(crate) async fn insert(tx: &mut Tx, log: &Log, item: Uuid, rev: i64, now: Timestamp) -> Result<()> {
    tx.exec_later(&INSERT, (log.account().uuid(), item, rev, now.millis())).await
}

/// Removes all tombstones of an account that is being removed.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}
