//! Live favourites. What the person saved is sealed; order and revision are not.
//!
//! Writes take the account's locked log, so none can happen without it.

use domain::position::Position;
use domain::{AccountId, FavouriteId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::sync::{self, Head, Log};
use crate::tombstones;
use crate::transaction::{Db, Tx};

type Columns = (Uuid, i64, String, Vec<u8>, i64);

static INSERT: Statement<(Uuid, Uuid, i64, String, i64, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO favourite (account_id, favourite_id, rev, position, place_tag, sealed, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static UPDATE: Statement<(i64, String, i64, Vec<u8>, i64, Uuid, Uuid), ()> = Statement::new(
    "UPDATE favourite SET rev = $1, position = $2, place_tag = $3, sealed = $4, updated_at = $5
     WHERE account_id = $6 AND favourite_id = $7",
);
static REMOVE: Statement<(Uuid, Uuid), ()> =
    Statement::new("DELETE FROM favourite WHERE account_id = $1 AND favourite_id = $2");
static GET: Statement<(Uuid, Uuid), Columns> = Statement::new(
    "SELECT favourite_id, rev, position, sealed, updated_at FROM favourite
     WHERE account_id = $1 AND favourite_id = $2",
);
static LIVE: Statement<(Uuid,), Columns> = Statement::new(
    "SELECT favourite_id, rev, position, sealed, updated_at FROM favourite
     WHERE account_id = $1 ORDER BY position, favourite_id",
);
static LIVE_AFTER: Statement<(Uuid, String, Uuid, i64), Columns> = Statement::new(
    "SELECT favourite_id, rev, position, sealed, updated_at FROM favourite
     WHERE account_id = $1 AND (position > $2 OR (position = $2 AND favourite_id > $3))
     ORDER BY position, favourite_id LIMIT $4",
);
static CHANGED: Statement<(Uuid, i64, i64, i64), Columns> = Statement::new(
    "SELECT favourite_id, rev, position, sealed, updated_at FROM favourite
     WHERE account_id = $1 AND rev > $2 AND rev <= $3 ORDER BY rev LIMIT $4",
);
static SAME_PLACE: Statement<(Uuid, i64), (Uuid,)> = Statement::new(
    "SELECT favourite_id FROM favourite WHERE account_id = $1 AND place_tag = $2 ORDER BY favourite_id LIMIT 10",
);
static DELETE_ALL: Statement<(Uuid,), ()> = Statement::new("DELETE FROM favourite WHERE account_id = $1");

/// A live favourite as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub id: FavouriteId,
    pub rev: i64,
    pub position: Position,
    pub sealed: Vec<u8>,
    pub updated_at: Timestamp,
}

/// A favourite as its last change left it; `live` is `None` where that was its removal.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub id: FavouriteId,
    pub rev: i64,
    pub live: Option<Stored>,
}

/// What a write puts down.
pub struct Sealed<'a> {
    pub rev: i64,
    pub position: &'a Position,
    /// Keyed hash of the place: equal for the same place of the same account.
    pub place_tag: i64,
    pub content: &'a [u8],
    pub updated_at: Timestamp,
}

fn stored((id, rev, position, sealed, updated_at): Columns) -> Stored {
    Stored {
        id: FavouriteId::from_uuid(id),
        rev,
        position: Position::stored(position),
        sealed,
        updated_at: Timestamp::from_millis(updated_at),
    }
}

/// Puts a new favourite down under an id that neither a live nor a removed one has; see [`find`].
pub async fn insert(tx: &mut Tx, log: &mut Log, id: FavouriteId, new: Sealed<'_>) -> Result<()> {
    let (account, position, content) = (log.account().uuid(), new.position.to_string(), new.content.to_vec());
    log.note_place(new.place_tag);
    let args = (account, id.uuid(), new.rev, position, new.place_tag, content, new.updated_at.millis());
    tx.exec_later(&INSERT, args).await
}

/// Replaces a favourite.
pub async fn update(tx: &mut Tx, log: &mut Log, id: FavouriteId, new: Sealed<'_>) -> Result<()> {
    let (account, position, content) = (log.account().uuid(), new.position.to_string(), new.content.to_vec());
    log.note_place(new.place_tag);
    let args = (new.rev, position, new.place_tag, content, new.updated_at.millis(), account, id.uuid());
    tx.exec_later(&UPDATE, args).await
}

/// Makes a favourite a tombstone of revision `rev`; `false` when there is no live one.
pub async fn remove(tx: &mut Tx, log: &Log, id: FavouriteId, rev: i64, now: Timestamp) -> Result<bool> {
    if tx.exec(&REMOVE, (log.account().uuid(), id.uuid())).await? == 0 {
        return Ok(false);
    }
    tombstones::insert(tx, log, id.uuid(), rev, now).await?;
    Ok(true)
}

/// A live favourite, and whether one of this id was removed and is still remembered.
pub async fn find(db: &mut Db, account: AccountId, id: FavouriteId) -> Result<(Option<Stored>, bool)> {
    let args = (account.uuid(), id.uuid());
    let (live, removed) = db.pair((&GET, args), (&tombstones::GET, args)).await?;
    Ok((live.into_iter().next().map(stored), !removed.is_empty()))
}

/// A live favourite.
pub async fn get(db: &mut Db, account: AccountId, id: FavouriteId) -> Result<Option<Stored>> {
    Ok(db.opt(&GET, (account.uuid(), id.uuid())).await?.map(stored))
}

/// All live favourites in order. Bounded by the account's quota.
pub async fn live(db: &mut Db, account: AccountId) -> Result<Vec<Stored>> {
    Ok(db.all(&LIVE, (account.uuid(),)).await?.into_iter().map(stored).collect())
}

/// Where the account's log stands, and live favourites behind (position, id), in order; `None` when the account is gone.
/// Ask within a snapshot: otherwise a row may be newer than the head.
pub async fn page(
    db: &mut Db,
    account: AccountId,
    after: (&str, FavouriteId),
    limit: i64,
) -> Result<Option<(Head, Vec<Stored>)>> {
    let behind = (account.uuid(), after.0, after.1.uuid(), limit);
    let (head, rows) = db.pair((&sync::READ, (account.uuid(),)), (&LIVE_AFTER, behind)).await?;
    let Some(head) = head.into_iter().next() else { return Ok(None) };
    Ok(Some((Head::stored(head)?, rows.into_iter().map(stored).collect())))
}

/// Favourites and tombstones whose last change lies behind `since`, up to `head`, in the order of the changes.
/// Tell head and rows from one snapshot, or from under the locked log: otherwise a row may have moved behind
/// `head`, or a tombstone may have been purged, in between.
pub async fn changed(
    db: &mut Db,
    account: AccountId,
    since: i64,
    head: i64,
    limit: i64,
) -> Result<Vec<Changed>> {
    let span = (account.uuid(), since, head, limit);
    let (rows, removed) = db.pair((&CHANGED, span), (&tombstones::CHANGED, span)).await?;
    let live =
        rows.into_iter().map(stored).map(|live| Changed { id: live.id, rev: live.rev, live: Some(live) });
    let mut changes: Vec<Changed> = live.collect();
    changes.extend(removed.into_iter().map(|(item, rev)| Changed {
        id: FavouriteId::from_uuid(item),
        rev,
        live: None,
    }));
    changes.sort_unstable_by_key(|change| change.rev);
    changes.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(changes)
}

/// Live favourites of the log's account at a place, at most ten.
pub async fn same_place(db: &mut Db, log: &Log, place_tag: i64) -> Result<Vec<FavouriteId>> {
    if !log.may_have_place(place_tag) {
        return Ok(Vec::new());
    }
    let rows = db.all(&SAME_PLACE, (log.account().uuid(), place_tag)).await?;
    Ok(rows.into_iter().map(|(id,)| FavouriteId::from_uuid(id)).collect())
}

/// Removes all favourites of an account that is being removed.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE_ALL, (account.uuid(),)).await.map(drop)
}
