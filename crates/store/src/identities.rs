//! Identities at providers, and the directory that leads from one to its account.

use domain::{AccountId, IdentityId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static CLAIM: Statement<(Vec<u8>, Uuid, Uuid), ()> = Statement::new(
    "INSERT INTO identity_index (identity_tag, account_id, identity_id) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING",
);
static FIND: Statement<(Vec<u8>,), (Uuid, Uuid)> =
    Statement::new("SELECT account_id, identity_id FROM identity_index WHERE identity_tag = $1");
static RELEASE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM identity_index WHERE account_id = $1 AND identity_id = $2");
static RELEASE_ALL: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM identity_index WHERE account_id = $1");
static INSERT: Statement<(Uuid, Uuid, Vec<u8>, i64, i64), ()> = Statement::new(
    "INSERT INTO identity (account_id, identity_id, sealed, created_at, used_at) VALUES ($1, $2, $3, $4, $5)",
);
static OF_ACCOUNT: Statement<(Uuid,), (Uuid, Vec<u8>, i64, i64)> = Statement::new(
    "SELECT identity_id, sealed, created_at, used_at FROM identity WHERE account_id = $1 ORDER BY identity_id",
);
static USED: Statement<(Vec<u8>, i64, Uuid, Uuid), ()> = Statement::new(
    "UPDATE identity SET sealed = $1, used_at = $2 WHERE account_id = $3 AND identity_id = $4",
);
static DELETE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM identity WHERE account_id = $1 AND identity_id = $2");
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM identity WHERE account_id = $1");

/// An identity as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: IdentityId,
    /// Provider, issuer, subject and what is shown of them.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
}

/// Makes the identity lead to this account; `false` when it leads to one already.
pub async fn claim(tx: &mut Tx, tag: &[u8], account: AccountId, id: IdentityId) -> Result<bool> {
    Ok(tx.exec(&CLAIM, (tag, account.uuid(), id.uuid())).await? == 1)
}

/// Whom an identity leads to.
pub async fn find(db: &mut Db, tag: &[u8]) -> Result<Option<(AccountId, IdentityId)>> {
    let row = db.opt(&FIND, (tag,)).await?;
    Ok(row.map(|(account, id)| (AccountId::from_uuid(account), IdentityId::from_uuid(id))))
}

pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    id: IdentityId,
    sealed: &[u8],
    now: Timestamp,
) -> Result<()> {
    tx.exec(&INSERT, (account.uuid(), id.uuid(), sealed, now.millis(), now.millis())).await.map(drop)
}

/// All of an account, oldest first.
pub async fn of_account(db: &mut Db, account: AccountId) -> Result<Vec<Stored>> {
    let rows = db.all(&OF_ACCOUNT, (account.uuid(),)).await?;
    let stored = |(id, sealed, created_at, used_at)| Stored {
        id: IdentityId::from_uuid(id),
        sealed,
        created_at: Timestamp::from_millis(created_at),
        used_at: Timestamp::from_millis(used_at),
    };
    Ok(rows.into_iter().map(stored).collect())
}

/// Notes that somebody came in this way, and what the provider said this time.
pub async fn used(
    tx: &mut Tx,
    (account, id): (AccountId, IdentityId),
    sealed: &[u8],
    now: Timestamp,
) -> Result<()> {
    tx.exec(&USED, (sealed, now.millis(), account.uuid(), id.uuid())).await.map(drop)
}

/// Removes an identity with its entry in the directory; `false` when the account has no such.
pub async fn delete(tx: &mut Tx, account: AccountId, id: IdentityId) -> Result<bool> {
    tx.exec(&RELEASE, (account.uuid(), id.uuid())).await?;
    Ok(tx.exec(&DELETE, (account.uuid(), id.uuid())).await? == 1)
}

/// Removes those of an account that is being removed.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&RELEASE_ALL, (account.uuid(),)).await?;
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}
