//! What happened to an account's synced data since a cursor.

use std::time::Duration;

use crate::FavouriteId;
use crate::cursor::Cursor;
use crate::favourite::Favourite;

/// How long it is remembered that something was removed. A device that was away for longer takes the snapshot.
pub const TOMBSTONES_KEPT: Duration = Duration::from_hours(90 * 24);

/// The changes that lead from one cursor to another. An item appears once, as its newest change left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// The cursor that was asked, as it was asked.
    pub from: Cursor,
    /// What the client knows after it has applied the changes: the head, or the last change of a page.
    pub to: Cursor,
    /// In the order of their revisions.
    pub changes: Vec<Change>,
    /// There are more behind `to`.
    pub has_more: bool,
}

/// The newest change of one favourite.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub id: FavouriteId,
    pub rev: i64,
    /// The favourite as it is; `None` when it was removed.
    pub item: Option<Favourite>,
}
