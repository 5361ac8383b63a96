//! What was answered to a request that may come again: a retry gets the same answer and changes nothing.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

type Columns = (Vec<u8>, i64, i64, Option<Uuid>, Option<Vec<u8>>);

static GET: Statement<(Uuid, String, i64), Columns> = Statement::new(
    "SELECT digest, status, rev, item_id, answer FROM receipt
     WHERE account_id = $1 AND mid = $2 AND expires_at > $3",
);
static PUT: Statement<(Uuid, String, Vec<u8>, i64, i64, Option<Uuid>, Option<Vec<u8>>, i64), ()> = Statement::new(
    "INSERT INTO receipt (account_id, mid, digest, status, rev, item_id, answer, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (account_id, mid) DO UPDATE SET digest = excluded.digest, status = excluded.status,
        rev = excluded.rev, item_id = excluded.item_id, answer = excluded.answer, expires_at = excluded.expires_at",
);
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM receipt WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT expires_at FROM receipt WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM receipt WHERE expires_at <= $1");

/// A remembered answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Keyed hash of the request: the same key with another content is a mistake, not a retry.
    pub digest: Vec<u8>,
    pub status: i64,
    pub rev: i64,
    pub item_id: Option<Uuid>,
    /// Sealed extra of the answer, if it had any.
    pub answer: Option<Vec<u8>>,
}

fn stored((digest, status, rev, item_id, answer): Columns) -> Receipt {
    Receipt { digest, status, rev, item_id, answer }
}

pub async fn get(db: &mut Db, account: AccountId, mid: &str, now: Timestamp) -> Result<Option<Receipt>> {
    Ok(db.opt(&GET, (account.uuid(), mid, now.millis())).await?.map(stored))
}

/// The receipts of several mids, in their order.
pub async fn get_many(
    db: &mut Db,
    account: AccountId,
    mids: &[String],
    now: Timestamp,
) -> Result<Vec<Option<Receipt>>> {
    let runs: Vec<_> = mids.iter().map(|mid| (account.uuid(), mid.as_str(), now.millis())).collect();
    let found = db.many(&GET, &runs).await?;
    Ok(found.into_iter().map(|rows| rows.into_iter().next().map(stored)).collect())
}

pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    mid: &str,
    receipt: &Receipt,
    expires_at: Timestamp,
) -> Result<()> {
    put_many(tx, account, &[(mid.to_owned(), receipt.clone(), expires_at)]).await
}

/// Keeps the receipts of several mids, each until its time.
pub async fn put_many(
    tx: &mut Tx,
    account: AccountId,
    receipts: &[(String, Receipt, Timestamp)],
) -> Result<()> {
    for (mid, receipt, expires_at) in receipts {
        let Receipt { digest, status, rev, item_id, answer } = receipt.clone();
        let args = (account.uuid(), mid.clone(), digest, status, rev, item_id, answer, expires_at.millis());
        tx.exec_later(&PUT, args).await?;
    }
    Ok(())
}

pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
