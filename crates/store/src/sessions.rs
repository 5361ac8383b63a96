//! Sessions, the cookies that lead to them, and the list of those that ended before their tokens did.

use domain::{AccountId, SessionId, Timestamp};
use uuid::Uuid;

use crate::challenges;
use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static INSERT: Statement<(Uuid, Uuid, Vec<u8>, Option<Vec<u8>>, i64, i64, i64), ()> = Statement::new(
    "INSERT INTO session (account_id, session_id, state, device, created_at, seen_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static GET: Statement<(Uuid, Uuid), (Vec<u8>,)> =
    Statement::new("SELECT state FROM session WHERE account_id = $1 AND session_id = $2");
static LOCK: Statement<(Uuid, Uuid), (Vec<u8>,)> = Statement::lock(
    "UPDATE session SET seen_at = seen_at WHERE account_id = $1 AND session_id = $2 RETURNING state",
);
static UPDATE: Statement<(Vec<u8>, i64, i64, Uuid, Uuid), ()> = Statement::new(
    "UPDATE session SET state = $1, seen_at = $2, expires_at = $3 WHERE account_id = $4 AND session_id = $5",
);
static DELETE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM session WHERE account_id = $1 AND session_id = $2");
static OF_ACCOUNT: Statement<(Uuid,), (Uuid,)> =
    Statement::new("SELECT session_id FROM session WHERE account_id = $1 ORDER BY session_id");
static UNUSED_LONGEST: Statement<(Uuid, i64, i64), (Uuid,)> = Statement::new(
    "SELECT session_id FROM session WHERE account_id = $1 ORDER BY seen_at DESC, session_id DESC
     LIMIT $2 OFFSET $3",
);
static PAGE: Statement<(Uuid, Uuid, i64), (Uuid, Vec<u8>, Option<Vec<u8>>, i64)> = Statement::new(
    "SELECT session_id, state, device, seen_at FROM session WHERE account_id = $1 AND session_id < $2
     ORDER BY session_id DESC LIMIT $3",
);
static EXPIRED: Statement<(i64, i64), (Uuid, Uuid)> = Statement::new(
    "SELECT account_id, session_id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
);
static PUT_COOKIE: Statement<(Vec<u8>, Uuid, Uuid), ()> =
    Statement::new("INSERT INTO cookie (cookie_hash, account_id, session_id) VALUES ($1, $2, $3)");
static FIND_COOKIE: Statement<(Vec<u8>,), (Uuid, Uuid)> =
    Statement::new("SELECT account_id, session_id FROM cookie WHERE cookie_hash = $1");
static DELETE_COOKIE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM cookie WHERE account_id = $1 AND session_id = $2");
static REVOKE: Statement<(Uuid, i64), ()> =
    Statement::new("INSERT INTO revocation (session_id, revoked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
static REVOKED_SINCE: Statement<(i64,), (Uuid, i64)> = Statement::new(
    "SELECT session_id, revoked_at FROM revocation WHERE revoked_at >= $1 ORDER BY revoked_at",
);
static CHUNK_END: Statement<(i64, i64), (i64,)> = Statement::new(
    "SELECT revoked_at FROM revocation WHERE revoked_at <= $1 ORDER BY revoked_at LIMIT 1 OFFSET $2",
);
static FORGET_REVOKED: Statement<(i64,), ()> =
    Statement::new("DELETE FROM revocation WHERE revoked_at <= $1");

/// A session to be put down. `state` is what the rules need; the store only keeps it.
pub struct New<'a> {
    pub account: AccountId,
    pub session: SessionId,
    pub state: &'a [u8],
    /// Sealed name of the device.
    pub device: Option<&'a [u8]>,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

pub async fn insert(tx: &mut Tx, new: New<'_>) -> Result<()> {
    let now = new.now.millis();
    let args =
        (new.account.uuid(), new.session.uuid(), new.state, new.device, now, now, new.expires_at.millis());
    tx.exec(&INSERT, args).await.map(drop)
}

pub async fn get(db: &mut Db, account: AccountId, session: SessionId) -> Result<Option<Vec<u8>>> {
    Ok(db.opt(&GET, (account.uuid(), session.uuid())).await?.map(|(state,)| state))
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: SessionId,
    pub state: Vec<u8>,
    /// Sealed name of the device.
    pub device: Option<Vec<u8>>,
    pub seen_at: Timestamp,
}

/// Sessions of an account, those that began last first.
pub async fn page(
    db: &mut Db,
    account: AccountId,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let before = before.map_or(Uuid::max(), SessionId::uuid);
    let rows = db.all(&PAGE, (account.uuid(), before, limit)).await?;
    let listed = |(id, state, device, seen_at)| Listed {
        id: SessionId::from_uuid(id),
        state,
        device,
        seen_at: Timestamp::from_millis(seen_at),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// The state, with the row locked until the transaction ends.
pub async fn lock(tx: &mut Tx, account: AccountId, session: SessionId) -> Result<Option<Vec<u8>>> {
    Ok(tx.opt(&LOCK, (account.uuid(), session.uuid())).await?.map(|(state,)| state))
}

pub async fn update(
    tx: &mut Tx,
    (account, session): (AccountId, SessionId),
    state: &[u8],
    seen_at: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let args = (state, seen_at.millis(), expires_at.millis(), account.uuid(), session.uuid());
    tx.exec(&UPDATE, args).await.map(drop)
}

/// Ends one session: its row and cookie go, its tokens are refused from now on. `false` when it was gone.
pub async fn end(tx: &mut Tx, account: AccountId, session: SessionId, now: Timestamp) -> Result<bool> {
    tx.exec(&DELETE_COOKIE, (account.uuid(), session.uuid())).await?;
    let ended = tx.exec(&DELETE, (account.uuid(), session.uuid())).await? == 1;
    if ended {
        tx.exec(&REVOKE, (session.uuid(), now.millis())).await?;
    }
    Ok(ended)
}

/// Ends all sessions of an account but `keep`, and tells which. A sign-in that waits for its second step is no session
/// yet, and becomes none.
pub async fn end_all(
    tx: &mut Tx,
    account: AccountId,
    keep: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    challenges::delete_all(tx, account).await?;
    let mut ended = Vec::new();
    for (session,) in tx.all(&OF_ACCOUNT, (account.uuid(),)).await? {
        let session = SessionId::from_uuid(session);
        if Some(session) != keep && end(tx, account, session, now).await? {
            ended.push(session);
        }
    }
    Ok(ended)
}

/// Sessions of an account beyond the `kept` ones that were used last, at most `limit`.
pub async fn unused_longest(
    db: &mut Db,
    account: AccountId,
    kept: u32,
    limit: i64,
) -> Result<Vec<SessionId>> {
    let rows = db.all(&UNUSED_LONGEST, (account.uuid(), limit, i64::from(kept))).await?;
    Ok(rows.into_iter().map(|(session,)| SessionId::from_uuid(session)).collect())
}

/// Sessions past their end, oldest first.
pub async fn expired(db: &mut Db, now: Timestamp, limit: i64) -> Result<Vec<(AccountId, SessionId)>> {
    let rows = db.all(&EXPIRED, (now.millis(), limit)).await?;
    Ok(rows.into_iter().map(|(a, s)| (AccountId::from_uuid(a), SessionId::from_uuid(s))).collect())
}

pub async fn put_cookie(tx: &mut Tx, hash: &[u8], account: AccountId, session: SessionId) -> Result<()> {
    tx.exec(&PUT_COOKIE, (hash, account.uuid(), session.uuid())).await.map(drop)
}

pub async fn find_cookie(db: &mut Db, hash: &[u8]) -> Result<Option<(AccountId, SessionId)>> {
    let row = db.opt(&FIND_COOKIE, (hash,)).await?;
    Ok(row.map(|(account, session)| (AccountId::from_uuid(account), SessionId::from_uuid(session))))
}

/// Sessions that ended at or after `since`, all of them: one that is left out would still be let in. Rows live for a
/// quarter of an hour, and each one cost a sign-in, so their number is bounded by what the server can hash.
pub async fn revoked_since(db: &mut Db, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
    let rows = db.all(&REVOKED_SINCE, (since.millis(),)).await?;
    Ok(rows.into_iter().map(|(s, at)| (SessionId::from_uuid(s), Timestamp::from_millis(at))).collect())
}

/// Forgets a chunk of those whose last token has ended by itself, and tells how many.
pub async fn forget_revoked(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &FORGET_REVOKED, before.millis() - 1).await
}
