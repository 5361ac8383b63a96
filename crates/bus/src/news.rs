//! What nodes tell one another.

use domain::forecast::Cell;
use domain::{SessionId, Timestamp};
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

impl News {
    /// How many of each kind, for the metrics.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 5] {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        [
            ("heads", count(self.heads.len())),
            ("ended", count(self.ended.len())),
            ("cells", count(self.cells.len())),
            ("taken", count(self.taken.len())),
            ("gap", u64::from(self.has_gap)),
        ]
    }
}
