//! Favourites: add, read, change, remove. One transaction each, on the account's locked log.

use domain::cursor::Cursor;
use domain::favourite::Favourite;
use domain::{Error, FavouriteId};

mod draft;
mod read;
mod write;
pub(crate) mod writer;

pub(crate) use draft::{Draft, open};

/// A condition on what is there, from `If-Match` and `If-None-Match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// One of these revisions must be the current one.
    pub revs: Option<Vec<i64>>,
    /// `If-Match: *`: there must be one.
    pub exists: bool,
    /// `If-None-Match: *`: there must be none.
    pub absent: bool,
}

impl Condition {
    fn holds(&self, current: Option<&Favourite>) -> bool {
        match current {
            None => self.revs.is_none() && !self.exists,
            Some(favourite) => {
                !self.absent && self.revs.as_ref().is_none_or(|revs| revs.contains(&favourite.rev))
            }
        }
    }
}

/// What a write did.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Created {
        favourite: Favourite,
        duplicate_of: Vec<FavouriteId>,
    },
    Replaced(Favourite),
    Deleted {
        /// Of the tombstone.
        rev: i64,
    },
    /// A condition did not hold; this is what is there.
    Refused(Option<Favourite>),
}

/// One page of favourites in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub items: Vec<Favourite>,
    pub next: Option<After>,
    /// The log's position when the first page was read.
    pub cursor: Cursor,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    pub position: String,
    pub id: FavouriteId,
    pub cursor: Cursor,
}

fn gone() -> Error {
    Error::conflict("gone", "this favourite was removed; save it under a new id")
}

pub(crate) fn unknown_place() -> Error {
    domain::Invalid::new("/place_id", "unknown", "there is no place with this id").into()
}
