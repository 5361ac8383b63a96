//! Recovery codes by their hashes, each good once.

use domain::AccountId;
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static INSERT: Statement<(Uuid, Vec<u8>), ()> =
    Statement::new("INSERT INTO recovery_code (account_id, code_hash) VALUES ($1, $2)");
static TAKE: Statement<(Uuid, Vec<u8>), ()> =
    Statement::new("DELETE FROM recovery_code WHERE account_id = $1 AND code_hash = $2");
static COUNT: Statement<(Uuid,), (i64,)> =
    Statement::new("SELECT count(*) FROM recovery_code WHERE account_id = $1");
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM recovery_code WHERE account_id = $1");

/// Puts these in place of whatever codes there were.
pub async fn replace(tx: &mut Tx, account: AccountId, hashes: &[[u8; 32]]) -> Result<()> {
    delete_all(tx, account).await?;
    for hash in hashes {
        tx.exec(&INSERT, (account.uuid(), &hash[..])).await?;
    }
    Ok(())
}

/// Takes a code, once over all nodes; `false` when it is none of the account's, or was taken.
pub async fn take(tx: &mut Tx, account: AccountId, hash: &[u8]) -> Result<bool> {
    Ok(tx.exec(&TAKE, (account.uuid(), hash)).await? == 1)
}

/// How many are left.
pub async fn count(db: &mut Db, account: AccountId) -> Result<i64> {
    Ok(db.one(&COUNT, (account.uuid(),)).await?.0)
}

pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}
