//! Passkeys, and the directory that leads from a credential's id to its account.

use domain::{AccountId, PasskeyId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static CLAIM: Statement<(Vec<u8>, Uuid, Uuid), ()> = Statement::new(
    "INSERT INTO passkey_index (credential_tag, account_id, passkey_id) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING",
);
static INSERT: Statement<(Uuid, Uuid, Vec<u8>, i64, i64, i64), ()> = Statement::new(
    "INSERT INTO passkey (account_id, passkey_id, sealed, counter, created_at, used_at)
     VALUES ($1, $2, $3, $4, $5, $6)",
);
static FIND: Statement<(Vec<u8>,), (Uuid, Uuid)> =
    Statement::new("SELECT account_id, passkey_id FROM passkey_index WHERE credential_tag = $1");
static GET: Statement<(Uuid, Uuid), (Vec<u8>, i64, i64)> = Statement::new(
    "SELECT sealed, created_at, used_at FROM passkey WHERE account_id = $1 AND passkey_id = $2",
);
static OF_ACCOUNT: Statement<(Uuid,), (Uuid, Vec<u8>, i64, i64)> = Statement::new(
    "SELECT passkey_id, sealed, created_at, used_at FROM passkey WHERE account_id = $1 ORDER BY passkey_id",
);
static USE: Statement<(i64, i64, Uuid, Uuid), ()> = Statement::new(
    "UPDATE passkey SET counter = $1, used_at = $2
     WHERE account_id = $3 AND passkey_id = $4 AND (counter < $1 OR (counter = 0 AND $1 = 0))",
);
static RESEAL: Statement<(Vec<u8>, Uuid, Uuid), ()> =
    Statement::new("UPDATE passkey SET sealed = $1 WHERE account_id = $2 AND passkey_id = $3");
static DELETE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM passkey WHERE account_id = $1 AND passkey_id = $2");
static RELEASE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM passkey_index WHERE account_id = $1 AND passkey_id = $2");
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM passkey WHERE account_id = $1");
static RELEASE_ALL: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM passkey_index WHERE account_id = $1");

/// A passkey as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: PasskeyId,
    /// Name, credential id, public key.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
}

fn stored((id, sealed, created_at, used_at): (Uuid, Vec<u8>, i64, i64)) -> Stored {
    Stored {
        id: PasskeyId::from_uuid(id),
        sealed,
        created_at: Timestamp::from_millis(created_at),
        used_at: Timestamp::from_millis(used_at),
    }
}

/// Puts a passkey down; `false` when its credential is somebody's already.
pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    tag: &[u8],
    passkey: &Stored,
    counter: u32,
) -> Result<bool> {
    if tx.exec(&CLAIM, (tag, account.uuid(), passkey.id.uuid())).await? == 0 {
        return Ok(false);
    }
    let Stored { id, sealed, created_at, used_at } = passkey;
    let args = (
        account.uuid(),
        id.uuid(),
        sealed.as_slice(),
        i64::from(counter),
        created_at.millis(),
        used_at.millis(),
    );
    tx.exec(&INSERT, args).await?;
    Ok(true)
}

pub async fn find(db: &mut Db, tag: &[u8]) -> Result<Option<(AccountId, PasskeyId)>> {
    let row = db.opt(&FIND, (tag,)).await?;
    Ok(row.map(|(account, passkey)| (AccountId::from_uuid(account), PasskeyId::from_uuid(passkey))))
}

pub async fn get(db: &mut Db, account: AccountId, id: PasskeyId) -> Result<Option<Stored>> {
    let row = db.opt(&GET, (account.uuid(), id.uuid())).await?;
    Ok(row.map(|(sealed, created_at, used_at)| stored((id.uuid(), sealed, created_at, used_at))))
}

/// All of an account, oldest first. Their number is bounded where they are added.
pub async fn of_account(db: &mut Db, account: AccountId) -> Result<Vec<Stored>> {
    Ok(db.all(&OF_ACCOUNT, (account.uuid(),)).await?.into_iter().map(stored).collect())
}

/// Notes a use with the authenticator's own count; `false` when the count has not risen: two authenticators sign with
/// this key then. Those that do not count say zero each time.
pub async fn note_use(
    tx: &mut Tx,
    account: AccountId,
    id: PasskeyId,
    counter: u32,
    now: Timestamp,
) -> Result<bool> {
    let args = (i64::from(counter), now.millis(), account.uuid(), id.uuid());
    Ok(tx.exec(&USE, args).await? == 1)
}

pub async fn reseal(tx: &mut Tx, account: AccountId, id: PasskeyId, sealed: &[u8]) -> Result<()> {
    tx.exec(&RESEAL, (sealed, account.uuid(), id.uuid())).await.map(drop)
}

/// Removes a passkey; `false` when it is not the account's.
pub async fn delete(tx: &mut Tx, account: AccountId, id: PasskeyId) -> Result<bool> {
    tx.exec(&RELEASE, (account.uuid(), id.uuid())).await?;
    Ok(tx.exec(&DELETE, (account.uuid(), id.uuid())).await? == 1)
}

pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&RELEASE_ALL, (account.uuid(),)).await?;
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}
