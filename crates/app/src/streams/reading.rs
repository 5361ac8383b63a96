//! One read of an account's log for several of its streams: a commit wakes them all, and those that stand at the
//! same cursor would each read and open the same.

use std::sync::Arc;

use domain::Result;
use domain::change::Delta;
use domain::cursor::{Cursor, Reset};
use tokio::sync::OnceCell;

/// What lies behind a cursor.
type Read = Result<Arc<Delta>, Reset>;

/// Read by whoever asks first, for all who ask while it is under way. Nobody keeps it: each stream lets go of it
/// with its answer, so nothing waits in memory for those that are slow.
pub struct Reading {
    from: Cursor,
    read: OnceCell<Read>,
}

impl Reading {
    pub fn new(from: Cursor) -> Self {
        Self { from, read: OnceCell::new() }
    }

    pub const fn from(&self) -> Cursor {
        self.from
    }

    /// When reading fails, or its stream is dropped meanwhile, the next who waits reads.
    pub async fn get<F: Future<Output = Result<Read>>>(&self, read: impl FnOnce() -> F) -> Result<Read> {
        self.read.get_or_try_init(read).await.cloned()
    }
}
