//! Secrets of authenticator apps, sealed, and which of their codes were taken.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static GET: Statement<(Uuid,), (Option<Vec<u8>>, i64, Option<Vec<u8>>, i64)> =
    Statement::new("SELECT sealed, confirmed_at, pending, pending_until FROM totp WHERE account_id = $1");
static OFFER: Statement<(Uuid, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO totp (account_id, last_step, confirmed_at, pending, pending_until) VALUES ($1, 0, 0, $2, $3)
     ON CONFLICT (account_id) DO UPDATE SET pending = excluded.pending, pending_until = excluded.pending_until",
);
static CONFIRM: Statement<(Vec<u8>, i64, i64, Uuid), ()> = Statement::new(
    "UPDATE totp SET sealed = $1, last_step = $2, confirmed_at = $3, pending = NULL, pending_until = 0
     WHERE account_id = $4 AND pending IS NOT NULL",
);
static TAKE: Statement<(i64, Uuid), ()> = Statement::new(
    "UPDATE totp SET last_step = $1 WHERE account_id = $2 AND last_step < $1 AND sealed IS NOT NULL",
);
static DELETE: Statement<(Uuid,), ()> = Statement::new("DELETE FROM totp WHERE account_id = $1");

/// What is stored of an account's authenticator app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Of the app that counts; `None` while there is none.
    pub sealed: Option<Vec<u8>>,
    pub confirmed_at: Timestamp,
    /// Of the app that is being set up.
    pub pending: Option<Vec<u8>>,
    pub pending_until: Timestamp,
}

pub async fn get(db: &mut Db, account: AccountId) -> Result<Option<Stored>> {
    let row = db.opt(&GET, (account.uuid(),)).await?;
    Ok(row.map(|(sealed, confirmed_at, pending, pending_until)| Stored {
        sealed,
        confirmed_at: Timestamp::from_millis(confirmed_at),
        pending,
        pending_until: Timestamp::from_millis(pending_until),
    }))
}

/// Keeps a secret that waits for its first code, in place of another such.
pub async fn offer(tx: &mut Tx, account: AccountId, pending: &[u8], until: Timestamp) -> Result<()> {
    tx.exec(&OFFER, (account.uuid(), pending, until.millis())).await.map(drop)
}

/// The pending secret counts from now on, and the code of `step` is taken; `false` when none is pending.
pub async fn confirm(
    tx: &mut Tx,
    account: AccountId,
    sealed: &[u8],
    step: i64,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.exec(&CONFIRM, (sealed, step, now.millis(), account.uuid())).await? == 1)
}

/// Takes the code of a time step, once over all nodes; `false` when it, or a later one, was taken already.
pub async fn take(tx: &mut Tx, account: AccountId, step: i64) -> Result<bool> {
    Ok(tx.exec(&TAKE, (step, account.uuid())).await? == 1)
}

/// Removes what is stored; `false` when there was nothing.
pub async fn delete(tx: &mut Tx, account: AccountId) -> Result<bool> {
    Ok(tx.exec(&DELETE, (account.uuid(),)).await? == 1)
}
