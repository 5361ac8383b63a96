//! What nodes tell one another.

use domain::forecast::Cell;
use domain::{AccountId, SessionId, Timestamp};
use store::Hint;

/// Names a bucket of a traffic limit without saying whose it is.
pub type Tag = [u8; 16];

/// What one message says. Each part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Logs have moved.
    pub heads: Vec<Hint>,
    /// Sessions have ended, and when.
    pub ended: Vec<(SessionId, Timestamp)>,
    /// The weather of cells looks different.
    pub cells: Vec<ChangedCell>,
    /// Traffic was let through.
    pub taken: Vec<Taken>,
    /// Streams that are open at the node, each account's together and in the order of [`OpenStream::index`].
    pub streams: Vec<OpenStream>,
    /// Other news were lost before they were sent.
    pub has_gap: bool,
}

/// A cell whose weather looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedCell {
    pub cell: Cell,
    /// What people are told.
    pub issued_at: Timestamp,
    /// By which an answer is known to be older than this one.
    pub fetched_at: Timestamp,
}

/// What was taken from a bucket since it was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which limit; its numbers are the application's.
    pub limit: u8,
    pub bucket: Tag,
    pub cost: u32,
}

/// One of an account's streams at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenStream {
    pub account: AccountId,
    pub opened_at: Timestamp,
    /// Its place among them; with 0 what was told of this account before does not count any more.
    pub index: u8,
    /// How many there are. With none, this one stands for that alone.
    pub of: u8,
}

impl News {
    /// How many of each kind, for the metrics.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 6] {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        [
            ("heads", count(self.heads.len())),
            ("ended", count(self.ended.len())),
            ("cells", count(self.cells.len())),
            ("taken", count(self.taken.len())),
            ("streams", count(self.streams.len())),
            ("gap", u64::from(self.has_gap)),
        ]
    }
}
