//! Removing old tombstones. A device that has not heard of them by then is sent to the snapshot.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry::CHUNK;
use crate::statement::Statement;
use crate::sync;
use crate::transaction::{Db, Tx};

static ACCOUNTS: Statement<(i64, i64), (Uuid,)> =
    Statement::new("SELECT account_id FROM tombstone WHERE removed_at < $1 ORDER BY removed_at LIMIT $2");
static OLD: Statement<(Uuid, i64, i64), (i64,)> = Statement::new(
    "SELECT rev FROM tombstone WHERE account_id = $1 AND removed_at < $2 ORDER BY rev LIMIT $3",
);
static PURGE: Statement<(Uuid, i64, i64), ()> =
    Statement::new("DELETE FROM tombstone WHERE account_id = $1 AND rev <= $2 AND removed_at < $3");

/// Accounts with tombstones from before a moment.
pub async fn accounts(db: &mut Db, before: Timestamp) -> Result<Vec<AccountId>> {
    let rows = db.all(&ACCOUNTS, (before.millis(), CHUNK)).await?;
    let mut accounts: Vec<_> = rows.into_iter().map(|(id,)| AccountId::from_uuid(id)).collect();
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}

/// Removes a chunk of an account's tombstones from before a moment, raises the log's floor to the last of them, and
/// tells how many there were: fewer than [`CHUNK`] when none are left.
pub async fn purge(tx: &mut Tx, account: AccountId, before: Timestamp) -> Result<u64> {
    let log = sync::lock(tx, account).await?;
    let old = tx.all(&OLD, (account.uuid(), before.millis(), CHUNK)).await?;
    let Some(&(last,)) = old.last() else { return Ok(0) };
    if let Some(log) = log {
        sync::raise_floor(tx, &log, last).await?;
    }
    tx.exec(&PURGE, (account.uuid(), last, before.millis())).await
}
