//! The feed: what changed in an account's synced data since a cursor.

use domain::change::{Change, Delta};
use domain::cursor::{Cursor, Reset};
use domain::{AccountId, Result};
use store::favourites::Changed;
use store::sync::Head;
use store::{Db, favourites, sync};
use vault::DataKey;

use crate::App;
use crate::caller::{Caller, account_is_gone, page_limit};
use crate::favourites::open;

/// Changes of one page, unless fewer are asked for.
pub const MOST_CHANGES: u32 = 500;

impl App {
    /// What changed since a cursor as a client kept it: the outer error is trouble, the inner one sends the
    /// client to the snapshot.
    pub async fn changes(
        &self,
        caller: &Caller,
        since: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Result<Delta, Reset>> {
        let limit = page_limit(limit, MOST_CHANGES, MOST_CHANGES)?;
        match since.ok_or(Reset::Malformed).and_then(Cursor::parse) {
            Ok(since) => self.changes_since(caller.account, since, limit).await,
            Err(reset) => Ok(Err(reset)),
        }
    }

    /// The same for whoever follows an account's log. Cursor, head and rows are judged and read as of one
    /// moment, so a change is told once and a purged tombstone is never passed over.
    pub(crate) async fn changes_since(
        &self,
        account: AccountId,
        since: Cursor,
        limit: u32,
    ) -> Result<Result<Delta, Reset>> {
        let read = self.store.snapshot(async move |db| {
            let head = sync::head(db, account).await?.ok_or_else(account_is_gone)?;
            Pending::read(db, account, head, since, limit).await
        });
        let pending = match read.await? {
            Ok(pending) => pending,
            Err(reset) => return Ok(Err(reset)),
        };
        let key = self.data_keys.get(account).await?;
        pending.open(&key, account).map(Ok)
    }

    /// The cursor at which an account's log ends now.
    pub async fn newest_cursor(&self, caller: &Caller) -> Result<Cursor> {
        let account = caller.account;
        let head = self.store.read(async move |db| sync::head(db, account).await).await?;
        Ok(head.ok_or_else(account_is_gone)?.cursor())
    }
}

/// A delta whose items are still sealed: opening them needs no database.
pub(crate) struct Pending {
    from: Cursor,
    to: Cursor,
    rows: Vec<Changed>,
    has_more: bool,
}

impl Pending {
    /// Reads within one snapshot, or under the account's locked log.
    pub(crate) async fn read(
        db: &mut Db,
        account: AccountId,
        head: Head,
        since: Cursor,
        limit: u32,
    ) -> store::Result<Result<Self, Reset>> {
        if let Err(reset) = head.check(since) {
            return Ok(Err(reset));
        }
        let mut rows = favourites::changed(db, account, since.seq, head.head, i64::from(limit) + 1).await?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        // A page ends at its last row: what lies behind was not told.
        let to = match rows.last() {
            Some(last) if has_more => head.eras.cursor(last.rev),
            _ => head.cursor(),
        };
        Ok(Ok(Self { from: since, to, rows, has_more }))
    }

    pub(crate) fn open(self, key: &DataKey, account: AccountId) -> Result<Delta> {
        let Self { from, to, rows, has_more } = self;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let item = row.live.map(|live| open(key, account, live)).transpose()?;
            changes.push(Change { id: row.id, rev: row.rev, item });
        }
        Ok(Delta { from, to, changes, has_more })
    }
}
