//! Claims on cells: of nodes that want the same cell from a provider, one asks and the others wait for its answer.
//! They matter where several nodes share a database; a node that is alone knows by itself what it fetches.

use domain::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::expiry;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static CLAIM: Statement<(String, Uuid, i64, i64), (String,)> = Statement::new(
    "INSERT INTO cell_claim (cell_key, holder, until) VALUES ($1, $2, $3)
     ON CONFLICT (cell_key) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE cell_claim.until <= $4 RETURNING cell_key",
);
static RELEASE: Statement<(String, Uuid), ()> =
    Statement::new("DELETE FROM cell_claim WHERE cell_key = $1 AND holder = $2");
static HELD: Statement<(String, i64), (i64,)> =
    Statement::new("SELECT until FROM cell_claim WHERE cell_key = $1 AND until > $2");
static CHUNK_END: Statement<(i64, i64), (i64,)> =
    Statement::new("SELECT until FROM cell_claim WHERE until <= $1 ORDER BY until LIMIT 1 OFFSET $2");
static EXPIRE: Statement<(i64,), ()> = Statement::new("DELETE FROM cell_claim WHERE until <= $1");

/// Claims cells for `holder` and tells for each whether it got it; it does not while somebody else holds it. Waits for
/// transactions that claim or release one just now, so what the claims allow is to be looked at after them. Claim in
/// the order of the keys: two that claim the same cells in different orders would wait for each other.
pub async fn claim(
    tx: &mut Tx,
    keys: &[&str],
    holder: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<bool>> {
    let runs: Vec<_> = keys.iter().map(|key| (*key, holder, until.millis(), now.millis())).collect();
    let claimed = tx.many(&CLAIM, &runs).await?;
    Ok(claimed.iter().map(|rows| !rows.is_empty()).collect())
}

/// Gives claims back that `holder` still has.
pub async fn release(tx: &mut Tx, keys: &[&str], holder: Uuid) -> Result<()> {
    let runs: Vec<_> = keys.iter().map(|key| (*key, holder)).collect();
    tx.exec_many(&RELEASE, &runs).await
}

/// How many of the cells are held by anybody.
pub async fn held(db: &mut Db, keys: &[&str], now: Timestamp) -> Result<usize> {
    let runs: Vec<_> = keys.iter().map(|key| (*key, now.millis())).collect();
    let found = db.many(&HELD, &runs).await?;
    Ok(found.iter().filter(|rows| !rows.is_empty()).count())
}

/// Removes a chunk of the claims that lapsed and tells how many.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    expiry::remove(tx, &CHUNK_END, &EXPIRE, now.millis()).await
}
