//! Removing what is too old, a chunk per transaction, so that no request waits long behind it.

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::Tx;

/// Rows that one transaction removes. Rows of one moment go together, so it may be a few more.
pub const CHUNK: i64 = 100;

/// Finds the moment of the chunk's last row among those up to a moment; nothing when they fill no chunk.
pub(crate) type ChunkEnd = Statement<(i64, i64), (i64,)>;
/// Removes all rows up to a moment.
pub(crate) type UpTo = Statement<(i64,), ()>;

/// Removes the oldest rows up to `until` and tells how many: fewer than [`CHUNK`] when none are left.
pub(crate) async fn remove(
    tx: &mut Tx,
    chunk_end: &'static ChunkEnd,
    up_to: &'static UpTo,
    until: i64,
) -> Result<u64> {
    let end = tx.opt(chunk_end, (until, CHUNK - 1)).await?;
    tx.exec(up_to, (end.map_or(until, |(end,)| end),)).await
}
