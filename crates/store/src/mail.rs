//! Mail that waits to be sent, or is shown in the mailbox of a development server. Sealed, each with a key of
//! its own.
//!
//! Of several nodes one sends a message: it claims it for a while, and nobody else looks at it before that is over.

use domain::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(Uuid, Vec<u8>, Vec<u8>, i64, i64), ()> = Statement::new(
    "INSERT INTO mail (mail_id, data_key, sealed, created_at, due_at) VALUES ($1, $2, $3, $4, $5)",
);
static NEWEST: Statement<(i64,), (Uuid, Vec<u8>, Vec<u8>, i64)> =
    Statement::new("SELECT mail_id, data_key, sealed, created_at FROM mail ORDER BY mail_id DESC LIMIT $1");
static NTH: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT created_at FROM mail WHERE created_at > $1 ORDER BY created_at LIMIT 1 OFFSET $2");
static DUE: Statement<(i64,), (Uuid,)> =
    Statement::new("SELECT mail_id FROM mail WHERE due_at <= $1 ORDER BY due_at LIMIT 1");
static CLAIM: Statement<(Uuid, i64, Uuid, i64), (Vec<u8>, Vec<u8>, i64, i64)> = Statement::new(
    "UPDATE mail SET claim = $1, due_at = $2, attempts = attempts + 1 WHERE mail_id = $3 AND due_at <= $4
     RETURNING data_key, sealed, created_at, attempts",
);
static PUT_OFF: Statement<(i64, Uuid, Uuid), ()> =
    Statement::new("UPDATE mail SET due_at = $1 WHERE mail_id = $2 AND claim = $3");
static REMOVE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM mail WHERE mail_id = $1 AND claim = $2");
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT created_at FROM mail WHERE created_at <= $1 ORDER BY created_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM mail WHERE created_at <= $1");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: Uuid,
    pub data_key: Vec<u8>,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// A message that is this node's to send for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub mail: Stored,
    /// Which attempt this is: 1 for the first.
    pub attempt: i64,
    claim: Uuid,
}

pub async fn put(tx: &mut Tx, mail: &Stored) -> Result<()> {
    let at = mail.created_at.millis();
    tx.exec(&PUT, (mail.id, mail.data_key.as_slice(), mail.sealed.as_slice(), at, at)).await.map(drop)
}

/// The newest first.
pub async fn newest(db: &mut Db, limit: i64) -> Result<Vec<Stored>> {
    let rows = db.all(&NEWEST, (limit,)).await?;
    let stored =
        |(id, data_key, sealed, at)| Stored { id, data_key, sealed, created_at: Timestamp::from_millis(at) };
    Ok(rows.into_iter().map(stored).collect())
}

/// Whether there are at least so many (one or more).
pub async fn holds(db: &mut Db, count: i64) -> Result<bool> {
    Ok(db.opt(&NTH, (i64::MIN, count - 1)).await?.is_some())
}

/// Something that waits longest of what is due now; `None` when nothing is.
pub async fn due(db: &mut Db, now: Timestamp) -> Result<Option<Uuid>> {
    Ok(db.opt(&DUE, (now.millis(),)).await?.map(|(id,)| id))
}

/// Claims a message until a moment; `None` when somebody else was faster, or it is not due any more.
pub async fn claim(
    tx: &mut Tx,
    id: Uuid,
    claim: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Claimed>> {
    let row = tx.opt(&CLAIM, (claim, until.millis(), id, now.millis())).await?;
    Ok(row.map(|(data_key, sealed, at, attempt)| {
        let mail = Stored { id, data_key, sealed, created_at: Timestamp::from_millis(at) };
        Claimed { mail, attempt, claim }
    }))
}

/// Tries it again later, unless the claim has lapsed and somebody else is at it.
pub async fn put_off(tx: &mut Tx, claimed: &Claimed, due_at: Timestamp) -> Result<()> {
    tx.exec(&PUT_OFF, (due_at.millis(), claimed.mail.id, claimed.claim)).await.map(drop)
}

/// Removes a message that was sent, or never will be.
pub async fn remove(tx: &mut Tx, claimed: &Claimed) -> Result<()> {
    tx.exec(&REMOVE, (claimed.mail.id, claimed.claim)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis() - 1).await
}
