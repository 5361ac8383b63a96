//! Which history this database lives in.
//!
//! A file that was copied back cannot tell by itself, so on SQLite every start has an era of its own, entered
//! with its first write: until then the history is that of the start before. PostgreSQL
//! is asked, on every new connection, for what changes when it was restored, promoted or rebuilt.

use domain::Random;
use domain::cursor::Era;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::connect::unreachable;
use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::Tx;

static SET: Statement<(i64,), ()> = Statement::new(
    "INSERT INTO store_era (name, era, witness) VALUES ('era', $1, '')
     ON CONFLICT (name) DO UPDATE SET era = excluded.era, witness = excluded.witness",
);

static REPLACE: Statement<(i64,), ()> = Statement::new("UPDATE store_era SET era = $1 WHERE name = 'era'");

/// A new era because an operator says so. The witness stays, so the next connection keeps this era.
pub(crate) async fn replace(tx: &mut Tx, random: &Random) -> Result<()> {
    tx.exec(&REPLACE, (i64::from(draw(random).0),)).await.map(drop)
}

/// The text that sets an era, for a connection of its own. The next connection finds another witness, and draws anew.
pub(crate) const fn set_sql() -> &'static str {
    SET.sql()
}

/// The era of a start on SQLite.
pub(crate) async fn enter(tx: &mut Tx, era: Era) -> Result<()> {
    tx.exec(&SET, (i64::from(era.0),)).await.map(drop)
}

pub(crate) fn draw(random: &Random) -> Era {
    Era(u32::from_le_bytes(random.bytes()))
}

/// System identifier, timeline, start of the server, database and the file that holds `account_sync`; then what is
/// stored of them.
const WITNESS: &str = "SELECT concat_ws('/',
    (SELECT system_identifier FROM pg_control_system()),
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
    extract(epoch FROM pg_postmaster_start_time()),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    pg_relation_filenode('account_sync')),
    (SELECT witness FROM store_era WHERE name = 'era')";

/// Does not wait for a synchronous standby: where there is none just now, a server that was started anew is still to be
/// read from. Nothing hangs on it, since a standby that takes over has another witness and draws an era of its own.
const REDRAW: &str = "INSERT INTO store_era (name, era, witness)
    SELECT 'era', $1, $2 FROM (SELECT set_config('synchronous_commit', 'local', true) AS commits) AS mode
    WHERE mode.commits = 'local'
    ON CONFLICT (name) DO UPDATE SET era = excluded.era, witness = excluded.witness
    WHERE store_era.witness <> excluded.witness";

/// Compares a connection's witness with the stored one, and enters a new era when they differ.
pub(crate) async fn witness(client: &Client, random: &Random) -> Result<()> {
    let failed = |error: tokio_postgres::Error| unreachable(&error);
    let row = client.query_typed_one(WITNESS, &[]).await.map_err(failed)?;
    let (seen, stored): (String, Option<String>) = (row.get(0), row.get(1));
    // A statement that may write locks the row and commits even when it changes nothing, and a commit may have to wait
    // for a standby that is away. Most connections find what is stored, and need neither.
    if stored.as_ref() == Some(&seen) {
        return Ok(());
    }
    let era = i64::from(draw(random).0);
    let row: [(&(dyn ToSql + Sync), Type); 2] = [(&era, Type::INT8), (&seen, Type::TEXT)];
    client.execute_typed(REDRAW, &row).await.map_err(failed)?;
    Ok(())
}
