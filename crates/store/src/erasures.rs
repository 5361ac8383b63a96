//! Accounts that were removed lately. The row is written in the transaction that removes the account; a ledger outside
//! of the database takes it over, which survives when the database is put back to an older state.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Uuid, i64), ()> =
    Statement::new("INSERT INTO erasure (erased_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
static NOTED: Statement<(Uuid,), (i64,)> = Statement::new("SELECT at FROM erasure WHERE erased_id = $1");
static SINCE: Statement<(i64, Uuid, i64), (Uuid, i64)> = Statement::new(
    "SELECT erased_id, at FROM erasure WHERE (at, erased_id) > ($1, $2) ORDER BY at, erased_id LIMIT $3",
);
static CHUNK_END: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT at FROM erasure WHERE at <= $1 ORDER BY at LIMIT 1 OFFSET $2");
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM erasure WHERE at <= $1");

/// An account that was removed, and when.
pub type Erasure = (AccountId, Timestamp);

pub async fn put(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<()> {
    tx.exec_later(&PUT, (account.uuid(), now.millis())).await
}

/// When removals were, of those that are noted (still, for they are not kept for ever).
pub async fn noted(db: &mut Db, accounts: &[AccountId]) -> Result<Vec<Option<Timestamp>>> {
    let runs: Vec<_> = accounts.iter().map(|account| (account.uuid(),)).collect();
    let found = db.many(&NOTED, &runs).await?;
    Ok(found.into_iter().map(|rows| rows.first().map(|(at,)| Timestamp::from_millis(*at))).collect())
}

/// Removals behind one of them, in the order of their times.
pub async fn since(db: &mut Db, (account, at): Erasure, limit: i64) -> Result<Vec<Erasure>> {
    let rows = db.all(&SINCE, (at.millis(), account.uuid(), limit)).await?;
    Ok(rows.into_iter().map(|(id, at)| (AccountId::from_uuid(id), Timestamp::from_millis(at))).collect())
}

/// Forgets a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis()).await
}
