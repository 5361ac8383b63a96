//! The audit log: what happened to accounts, for as long as the operator keeps it. Nothing in it is personal but ids,
//! and those go with the account.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

type Columns = (
    Uuid,
    i64,
    String,
    Option<Uuid>,
    String,
    Option<Uuid>,
    Option<Vec<u8>>,
    Option<String>,
    Option<Uuid>,
    i64,
);

static PUT: Statement<Columns, ()> = Statement::new(
    "INSERT INTO audit (audit_id, at, event, subject_id, actor, actor_id, network, word, item_id, times)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
static ALL: Statement<(Uuid, i64), Columns> = Statement::new(
    "SELECT audit_id, at, event, subject_id, actor, actor_id, network, word, item_id, times FROM audit
     WHERE audit_id < $1 ORDER BY audit_id DESC LIMIT $2",
);
static OF_SUBJECT: Statement<(Uuid, Uuid, i64), Columns> = Statement::new(
    "SELECT audit_id, at, event, subject_id, actor, actor_id, network, word, item_id, times FROM audit
     WHERE subject_id = $1 AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3",
);
static OF_EVENT: Statement<(String, Uuid, i64), Columns> = Statement::new(
    "SELECT audit_id, at, event, subject_id, actor, actor_id, network, word, item_id, times FROM audit
     WHERE event = $1 AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3",
);
static OF_BOTH: Statement<(Uuid, String, Uuid, i64), Columns> = Statement::new(
    "SELECT audit_id, at, event, subject_id, actor, actor_id, network, word, item_id, times FROM audit
     WHERE subject_id = $1 AND event = $2 AND audit_id < $3 ORDER BY audit_id DESC LIMIT $4",
);
static REPLACE_SUBJECT: Statement<(Uuid, Uuid), ()> =
    Statement::new("UPDATE audit SET subject_id = $1 WHERE subject_id = $2");
static REPLACE_ACTOR: Statement<(Uuid, Uuid), ()> =
    Statement::new("UPDATE audit SET actor_id = $1 WHERE actor_id = $2");
static CHUNK_END: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT at FROM audit WHERE at <= $1 ORDER BY at LIMIT 1 OFFSET $2");
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM audit WHERE at <= $1");

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of version 7, so that lines are in the order of their moments.
    pub id: Uuid,
    pub at: Timestamp,
    pub event: String,
    /// The account that it happened to, or what its id was replaced by.
    pub subject: Option<Uuid>,
    pub actor: String,
    pub actor_id: Option<Uuid>,
    /// A keyed hash.
    pub network: Option<Vec<u8>>,
    /// What more there is to say, from a closed list.
    pub word: Option<String>,
    /// The session, key or webhook that it is about.
    pub item: Option<Uuid>,
    /// How often, where several are told as one.
    pub times: i64,
}

/// Which lines.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub subject: Option<Uuid>,
    pub event: Option<String>,
    /// Only lines before this one.
    pub before: Option<Uuid>,
}

pub async fn put(tx: &mut Tx, row: &Row) -> Result<()> {
    let args = (
        row.id,
        row.at.millis(),
        row.event.as_str(),
        row.subject,
        row.actor.as_str(),
        row.actor_id,
        row.network.as_deref(),
        row.word.as_deref(),
        row.item,
        row.times,
    );
    tx.exec(&PUT, args).await.map(drop)
}

/// The newest first.
pub async fn page(db: &mut Db, filter: &Filter, limit: i64) -> Result<Vec<Row>> {
    let before = filter.before.unwrap_or(Uuid::max());
    let rows = match (filter.subject, filter.event.as_deref()) {
        (None, None) => db.all(&ALL, (before, limit)).await?,
        (Some(subject), None) => db.all(&OF_SUBJECT, (subject, before, limit)).await?,
        (None, Some(event)) => db.all(&OF_EVENT, (event, before, limit)).await?,
        (Some(subject), Some(event)) => db.all(&OF_BOTH, (subject, event, before, limit)).await?,
    };
    Ok(rows.into_iter().map(row).collect())
}

fn row((id, at, event, subject, actor, actor_id, network, word, item, times): Columns) -> Row {
    Row { id, at: Timestamp::from_millis(at), event, subject, actor, actor_id, network, word, item, times }
}

/// From now on the log knows the account by `pseudonym` alone.
pub async fn replace(tx: &mut Tx, account: AccountId, pseudonym: Uuid) -> Result<()> {
    tx.exec(&REPLACE_SUBJECT, (pseudonym, account.uuid())).await?;
    tx.exec(&REPLACE_ACTOR, (pseudonym, account.uuid())).await.map(drop)
}

/// Removes a chunk of those that are too old and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis() - 1).await
}
