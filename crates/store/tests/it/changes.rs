//! Changes of favourites as the app makes them: lock the log, write, raise the head.

use domain::position::Position;
use domain::{AccountId, FavouriteId};
use store::favourites::Sealed;
use store::sync::Log;
use store::{Result, Tx, favourites, sync};

use crate::test_store::NOW;

/// Locks the log of an account that must exist.
pub async fn lock(tx: &mut Tx, account: AccountId) -> Result<Log> {
    Ok(sync::lock(tx, account).await?.ok_or(domain::Error::NotFound)?)
}

/// What a test saves: the content names the revision, so that a mix-up shows.
pub fn sealed<'a>(rev: i64, position: &'a Position, content: &'a [u8]) -> Sealed<'a> {
    Sealed { rev, position, place_tag: 7, content, updated_at: NOW }
}

pub fn at(position: &str) -> Position {
    Position::parse("/position", position).unwrap()
}

/// Adds a favourite and tells its revision, or `None` when the id is taken.
pub async fn add(tx: &mut Tx, account: AccountId, id: FavouriteId, position: &str) -> Result<Option<i64>> {
    let mut log = lock(tx, account).await?;
    let rev = log.head + 1;
    let content = format!("content {rev}");
    if !matches!(favourites::find(tx, account, id).await?, (None, false)) {
        return Ok(None);
    }
    favourites::insert(tx, &mut log, id, sealed(rev, &at(position), content.as_bytes())).await?;
    log.next_rev();
    log.favourites += 1;
    sync::raise(tx, log).await?;
    Ok(Some(rev))
}

/// Changes a live favourite, or makes it a tombstone; `None` when there is no live one.
pub async fn change(
    tx: &mut Tx,
    account: AccountId,
    id: FavouriteId,
    content: Option<&[u8]>,
) -> Result<Option<i64>> {
    let mut log = lock(tx, account).await?;
    let Some(live) = favourites::get(tx, account, id).await? else { return Ok(None) };
    let rev = log.next_rev();
    match content {
        Some(content) => {
            favourites::update(tx, &mut log, id, sealed(rev, &live.position, content)).await?;
        }
        None => {
            assert!(favourites::remove(tx, &log, id, rev, NOW).await?);
            log.favourites -= 1;
        }
    }
    sync::raise(tx, log).await?;
    Ok(Some(rev))
}
