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
pub fn sealed<'a>(rev: i64, position: &'a Position, content: Option<&'a [u8]>) -> Sealed<'a> {
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
    if !favourites::insert(tx, account, id, sealed(rev, &at(position), Some(content.as_bytes()))).await? {
        return Ok(None);
    }
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
    let Some(live) = favourites::get(tx, account, id).await?.filter(|stored| stored.sealed.is_some()) else {
        return Ok(None);
    };
    let rev = log.next_rev();
    favourites::update(tx, account, id, sealed(rev, &live.position, content)).await?;
    if content.is_none() {
        log.favourites -= 1;
    }
    sync::raise(tx, log).await?;
    Ok(Some(rev))
}
