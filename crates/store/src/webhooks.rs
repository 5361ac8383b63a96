//! Webhooks, and what waits to be told to them.

use domain::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

type Columns = (Uuid, Vec<u8>, Vec<u8>, String, String, Option<i64>, i64, i64);
type DeliveryColumns =
    (Uuid, Uuid, String, String, i64, Option<i64>, Option<i64>, Option<String>, i64, Option<i64>);

static PUT: Statement<(Uuid, Vec<u8>, Vec<u8>, String, String, i64, i64), ()> = Statement::new(
    "INSERT INTO webhook (webhook_id, data_key, sealed, events, state, created_at, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static ALL: Statement<(Uuid, i64), Columns> = Statement::new(
    "SELECT webhook_id, data_key, sealed, events, state, failing_since, created_at, changed_at FROM webhook
     WHERE webhook_id > $1 ORDER BY webhook_id LIMIT $2",
);
static GET: Statement<(Uuid,), Columns> = Statement::new(
    "SELECT webhook_id, data_key, sealed, events, state, failing_since, created_at, changed_at FROM webhook
     WHERE webhook_id = $1",
);
static LOCK: Statement<(Uuid,), Columns> = Statement::new(
    "UPDATE webhook SET changed_at = changed_at WHERE webhook_id = $1
     RETURNING webhook_id, data_key, sealed, events, state, failing_since, created_at, changed_at",
);
static UPDATE: Statement<(Vec<u8>, String, String, Option<i64>, i64, Uuid), ()> = Statement::new(
    "UPDATE webhook SET sealed = $1, events = $2, state = $3, failing_since = $4, changed_at = $5
     WHERE webhook_id = $6",
);
static DELETE: Statement<(Uuid,), (Uuid,)> =
    Statement::new("DELETE FROM webhook WHERE webhook_id = $1 RETURNING webhook_id");
static DELETE_DELIVERIES: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM webhook_delivery WHERE webhook_id = $1");
static QUEUE: Statement<(Uuid, Uuid, Uuid, String, Vec<u8>, String, i64, i64, i64), ()> = Statement::new(
    "INSERT INTO webhook_delivery
     (webhook_id, delivery_id, event_id, event, sealed, state, tries, due_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
static DUE: Statement<(Uuid, i64, i64), (Uuid, i64)> = Statement::new(
    "SELECT delivery_id, due_at FROM webhook_delivery WHERE webhook_id = $1 AND due_at <= $2
     ORDER BY due_at LIMIT $3",
);
static WAITING_NOW: Statement<(Uuid, i64), (i64,)> = Statement::new(
    "SELECT count(*) FROM (SELECT 1 FROM webhook_delivery WHERE webhook_id = $1 AND due_at IS NOT NULL LIMIT $2) AS one",
);
static CLAIM: Statement<(i64, i64, Uuid, Uuid, i64), (Uuid, String, Vec<u8>, i64)> = Statement::new(
    "UPDATE webhook_delivery SET due_at = $1, tries = tries + 1, tried_at = $2
     WHERE webhook_id = $3 AND delivery_id = $4 AND due_at = $5 RETURNING event_id, event, sealed, tries",
);
static FINISH: Statement<(String, Option<i64>, Option<i64>, Option<String>, Uuid, Uuid, i64), ()> =
    Statement::new(
        "UPDATE webhook_delivery SET state = $1, due_at = $2, status = $3, fault = $4
     WHERE webhook_id = $5 AND delivery_id = $6 AND tries = $7 AND due_at IS NOT NULL",
    );
static GIVE_UP: Statement<(String, String, Uuid), ()> = Statement::new(
    "UPDATE webhook_delivery SET state = $1, fault = $2, due_at = NULL
     WHERE webhook_id = $3 AND due_at IS NOT NULL",
);
static REPLAY: Statement<(String, i64, Uuid, Uuid), (Uuid,)> = Statement::new(
    "UPDATE webhook_delivery SET state = $1, tries = 0, due_at = $2
     WHERE webhook_id = $3 AND delivery_id = $4 RETURNING delivery_id",
);
static DELIVERIES: Statement<(Uuid, Uuid, i64), DeliveryColumns> = Statement::new(
    "SELECT delivery_id, event_id, event, state, tries, due_at, status, fault, created_at, tried_at
     FROM webhook_delivery WHERE webhook_id = $1 AND delivery_id < $2 ORDER BY delivery_id DESC LIMIT $3",
);
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT created_at FROM webhook_delivery WHERE created_at <= $1 ORDER BY created_at LIMIT 1 OFFSET $2",
);
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM webhook_delivery WHERE created_at <= $1");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: Uuid,
    pub data_key: Vec<u8>,
    /// Address, description and secrets.
    pub sealed: Vec<u8>,
    /// Words separated by spaces.
    pub events: String,
    pub state: String,
    /// When the first of the failures was that no success has ended.
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// One event for one webhook, before it was sent.
#[derive(Clone, Debug)]
pub struct Queued {
    pub webhook: Uuid,
    pub id: Uuid,
    pub event_id: Uuid,
    pub event: String,
    pub sealed: Vec<u8>,
    pub at: Timestamp,
}

/// A delivery that this node is to send.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: Uuid,
    pub event_id: Uuid,
    pub event: String,
    pub sealed: Vec<u8>,
    /// With this one.
    pub tries: i64,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub event_id: Uuid,
    pub event: String,
    pub state: String,
    pub tries: i64,
    pub due_at: Option<Timestamp>,
    pub status: Option<i64>,
    pub fault: Option<String>,
    pub created_at: Timestamp,
    pub tried_at: Option<Timestamp>,
}

/// How a try ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub state: &'static str,
    /// When to try again.
    pub due_at: Option<Timestamp>,
    pub status: Option<i64>,
    pub fault: Option<&'static str>,
}

/// What a delivery that waits is called.
pub const WAITING: &str = "waiting";

pub async fn put(tx: &mut Tx, new: &Stored) -> Result<()> {
    let args = (
        new.id,
        new.data_key.as_slice(),
        new.sealed.as_slice(),
        new.events.as_str(),
        new.state.as_str(),
        new.created_at.millis(),
        new.changed_at.millis(),
    );
    tx.exec(&PUT, args).await.map(drop)
}

/// In the order of their making.
pub async fn all(db: &mut Db, limit: i64) -> Result<Vec<Stored>> {
    Ok(db.all(&ALL, (Uuid::nil(), limit)).await?.into_iter().map(stored).collect())
}

pub async fn get(db: &mut Db, id: Uuid) -> Result<Option<Stored>> {
    Ok(db.opt(&GET, (id,)).await?.map(stored))
}

/// The webhook, with its row locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<Stored>> {
    Ok(tx.opt(&LOCK, (id,)).await?.map(stored))
}

pub async fn update(tx: &mut Tx, webhook: &Stored) -> Result<()> {
    let args = (
        webhook.sealed.as_slice(),
        webhook.events.as_str(),
        webhook.state.as_str(),
        webhook.failing_since.map(Timestamp::millis),
        webhook.changed_at.millis(),
        webhook.id,
    );
    tx.exec(&UPDATE, args).await.map(drop)
}

/// With all its deliveries; `false` when there was none.
pub async fn delete(tx: &mut Tx, id: Uuid) -> Result<bool> {
    let was_there = tx.opt(&DELETE, (id,)).await?.is_some();
    tx.exec(&DELETE_DELIVERIES, (id,)).await?;
    Ok(was_there)
}

pub async fn queue(tx: &mut Tx, new: &Queued) -> Result<()> {
    let at = new.at.millis();
    let (event, sealed) = (new.event.as_str(), new.sealed.as_slice());
    tx.exec(&QUEUE, (new.webhook, new.id, new.event_id, event, sealed, WAITING, 0, at, at)).await.map(drop)
}

/// Whether there is anything to take: a look that locks nothing.
pub async fn is_due(db: &mut Db, webhook: Uuid, now: Timestamp) -> Result<bool> {
    Ok(db.opt(&DUE, (webhook, now.millis(), 1)).await?.is_some())
}

/// How many deliveries wait, counted as far as `most`.
pub async fn waiting(db: &mut Db, webhook: Uuid, most: i64) -> Result<i64> {
    let (count,) = db.one(&WAITING_NOW, (webhook, most)).await?;
    Ok(count)
}

/// Takes deliveries of a webhook that are due; nobody else takes them until `until`.
pub async fn claim(
    tx: &mut Tx,
    webhook: Uuid,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let mut claimed = Vec::new();
    for (id, due_at) in tx.all(&DUE, (webhook, now.millis(), limit)).await? {
        let args = (until.millis(), now.millis(), webhook, id, due_at);
        // Nothing when another node was faster.
        if let Some((event_id, event, sealed, tries)) = tx.opt(&CLAIM, args).await? {
            claimed.push(Claimed { id, event_id, event, sealed, tries });
        }
    }
    Ok(claimed)
}

/// Notes how a try ended, unless the delivery has been taken again since.
pub async fn finish(tx: &mut Tx, webhook: Uuid, claimed: &Claimed, outcome: &Outcome) -> Result<bool> {
    let due_at = outcome.due_at.map(Timestamp::millis);
    let args = (outcome.state, due_at, outcome.status, outcome.fault, webhook, claimed.id, claimed.tries);
    Ok(tx.exec(&FINISH, args).await? == 1)
}

/// Nothing that waits for this webhook is sent any more.
pub async fn give_up(tx: &mut Tx, webhook: Uuid, state: &str, fault: &str) -> Result<()> {
    tx.exec(&GIVE_UP, (state, fault, webhook)).await.map(drop)
}

/// Has a delivery sent again, as the same event; `false` when there is none.
pub async fn replay(tx: &mut Tx, webhook: Uuid, id: Uuid, now: Timestamp) -> Result<bool> {
    Ok(tx.opt(&REPLAY, (WAITING, now.millis(), webhook, id)).await?.is_some())
}

/// The newest first.
pub async fn deliveries(
    db: &mut Db,
    webhook: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let rows = db.all(&DELIVERIES, (webhook, before.unwrap_or(Uuid::max()), limit)).await?;
    let delivery =
        |(id, event_id, event, state, tries, due_at, status, fault, created_at, tried_at)| Delivery {
            id,
            event_id,
            event,
            state,
            tries,
            due_at: Option::<i64>::map(due_at, Timestamp::from_millis),
            status,
            fault,
            created_at: Timestamp::from_millis(created_at),
            tried_at: Option::<i64>::map(tried_at, Timestamp::from_millis),
        };
    Ok(rows.into_iter().map(delivery).collect())
}

/// Removes a chunk of the deliveries that are too old and tells how many.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, before.millis() - 1).await
}

fn stored(columns: Columns) -> Stored {
    let (id, data_key, sealed, events, state, failing_since, created_at, changed_at) = columns;
    Stored {
        id,
        data_key,
        sealed,
        events,
        state,
        failing_since: failing_since.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(created_at),
        changed_at: Timestamp::from_millis(changed_at),
    }
}
