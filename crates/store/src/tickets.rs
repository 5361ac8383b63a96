//! Tickets that open one stream each, by their hash. In the database, so that a ticket drawn at one node opens a
//! stream at any other, and only one of all that try.

use domain::{AccountId, SessionId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static INSERT: Statement<(Vec<u8>, Uuid, Uuid, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO stream_ticket (ticket_hash, account_id, session_id, state, until) VALUES ($1, $2, $3, $4, $5)",
);
static FORGET: Statement<(Uuid, i64), ()> =
    Statement::new("DELETE FROM stream_ticket WHERE account_id = $1 AND until <= $2");
static IS_THERE: Statement<(Vec<u8>, i64), (Uuid,)> =
    Statement::new("SELECT account_id FROM stream_ticket WHERE ticket_hash = $1 AND until > $2");
static USE: Statement<(Vec<u8>, i64), (Uuid, Uuid, Vec<u8>)> = Statement::new(
    "DELETE FROM stream_ticket WHERE ticket_hash = $1 AND until > $2 RETURNING account_id, session_id, state",
);
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM stream_ticket WHERE account_id = $1");
static CHUNK_END: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT until FROM stream_ticket WHERE until <= $1 ORDER BY until LIMIT 1 OFFSET $2");
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM stream_ticket WHERE until <= $1");

/// Whom a ticket is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub account: AccountId,
    pub session: SessionId,
    /// What the rules need of the credential that drew it.
    pub state: Vec<u8>,
}

/// Keeps a ticket until it is used or old, and removes those of the same account that are old already: what one
/// account has here is bounded by how fast it may ask and how long a ticket is good, not by the next clean-up.
pub async fn draw(tx: &mut Tx, hash: &[u8], ticket: &Ticket, until: Timestamp, now: Timestamp) -> Result<()> {
    let Ticket { account, session, state } = ticket;
    tx.exec(&FORGET, (account.uuid(), now.millis())).await?;
    let args = (hash, account.uuid(), session.uuid(), state.as_slice(), until.millis());
    tx.exec(&INSERT, args).await.map(drop)
}

/// Whether a ticket could be taken.
pub async fn is_there(db: &mut Db, hash: &[u8], now: Timestamp) -> Result<bool> {
    Ok(db.opt(&IS_THERE, (hash, now.millis())).await?.is_some())
}

/// Takes the ticket, once over all nodes; `None` when it is none, was used or is old.
pub async fn take(tx: &mut Tx, hash: &[u8], now: Timestamp) -> Result<Option<Ticket>> {
    let row = tx.opt(&USE, (hash, now.millis())).await?;
    Ok(row.map(|(account, session, state)| Ticket {
        account: AccountId::from_uuid(account),
        session: SessionId::from_uuid(session),
        state,
    }))
}

/// Removes the tickets of an account that is being removed.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
