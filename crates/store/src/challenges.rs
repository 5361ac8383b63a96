//! Challenges by their hashes: what somebody must answer within minutes to go on. In the database, so that one drawn
//! at one node is answered at any other, and only once.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static INSERT: Statement<(Vec<u8>, Uuid, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO challenge (challenge_hash, account_id, state, tries, until) VALUES ($1, $2, $3, 0, $4)",
);
static FORGET: Statement<(Uuid, i64), ()> =
    Statement::new("DELETE FROM challenge WHERE account_id = $1 AND until <= $2");
static GET: Statement<(Vec<u8>, i64), (Uuid, Vec<u8>)> =
    Statement::new("SELECT account_id, state FROM challenge WHERE challenge_hash = $1 AND until > $2");
static TRY: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("UPDATE challenge SET tries = tries + 1 WHERE challenge_hash = $1 RETURNING tries");
static TAKE: Statement<(Vec<u8>, i64), (Uuid, Vec<u8>)> = Statement::new(
    "DELETE FROM challenge WHERE challenge_hash = $1 AND until > $2 RETURNING account_id, state",
);
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM challenge WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT until FROM challenge WHERE until <= $1 ORDER BY until LIMIT 1 OFFSET $2");
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM challenge WHERE until <= $1");

/// Whom a challenge was drawn for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The nil account where nobody has said yet who they are.
    pub account: AccountId,
    /// What the rules need.
    pub state: Vec<u8>,
}

fn challenge((account, state): (Uuid, Vec<u8>)) -> Challenge {
    Challenge { account: AccountId::from_uuid(account), state }
}

/// Keeps a challenge until it is answered or old, and removes those of the same account that are old already.
pub async fn draw(
    tx: &mut Tx,
    hash: &[u8],
    challenge: &Challenge,
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let Challenge { account, state } = challenge;
    // Those of nobody are many, and the clean-up's.
    if !account.uuid().is_nil() {
        tx.exec(&FORGET, (account.uuid(), now.millis())).await?;
    }
    tx.exec(&INSERT, (hash, account.uuid(), state.as_slice(), until.millis())).await.map(drop)
}

/// A challenge that still counts, left where it is.
pub async fn get(db: &mut Db, hash: &[u8], now: Timestamp) -> Result<Option<Challenge>> {
    Ok(db.opt(&GET, (hash, now.millis())).await?.map(challenge))
}

/// Counts a try and tells its number, with the row locked until the transaction ends; `None` when it was answered.
pub async fn try_once(tx: &mut Tx, hash: &[u8]) -> Result<Option<i64>> {
    Ok(tx.opt(&TRY, (hash,)).await?.map(|(tries,)| tries))
}

/// Takes the challenge, once over all nodes; `None` when it is none, was taken or is old.
pub async fn take(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<Challenge>> {
    Ok(tx.opt(&TAKE, (hash, now.millis())).await?.map(challenge))
}

/// Removes the challenges of an account: what it proves itself with has changed, or it is being removed.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
