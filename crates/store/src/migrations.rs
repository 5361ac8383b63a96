//! The schema: one text per step for both databases, with words for the types that differ.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};
use tokio_postgres::types::{ToSql, Type};

use crate::connect::{Target, reason, unreachable};
use crate::error::{Error, Result};
use crate::{Url, copies, sqlite};

/// Steps in order. A step that was released never changes: its checksum is stored and compared.
const STEPS: &[Template] = &[
    Template { number: 1, name: "start", text: include_str!("../migrations/0001_start.sql") },
    Template { number: 2, name: "mail", text: include_str!("../migrations/0002_mail.sql") },
    Template { number: 3, name: "factors", text: include_str!("../migrations/0003_factors.sql") },
    Template { number: 4, name: "identities", text: include_str!("../migrations/0004_identities.sql") },
    Template { number: 5, name: "control", text: include_str!("../migrations/0005_control.sql") },
    Template { number: 6, name: "key_rotation", text: include_str!("../migrations/0006_key_rotation.sql") },
    Template { number: 7, name: "erasures", text: include_str!("../migrations/0007_erasures.sql") },
    Template { number: 8, name: "undoes", text: include_str!("../migrations/0008_undoes.sql") },
];

/// Serialises migrations of several nodes on PostgreSQL.
const ADVISORY_LOCK: i64 = 0x6661_6972_7765_6174;

/// A step as it was written, with words for types.
#[derive(Clone, Copy)]
struct Template {
    number: i64,
    name: &'static str,
    text: &'static str,
}

impl Template {
    /// Of the template, so that one value serves both databases.
    fn checksum(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How long to wait for another node that is at it.
const TURN: &str = "60s";
/// How long a step waits for a table that somebody else has locked, a dump say: whoever comes after it waits too.
const TABLE: &str = "10s";
/// A node that dies or freezes in the middle lets go.
const BOUNDS: &str = "SET LOCAL idle_in_transaction_session_timeout = '30s'";

/// One step and what it would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub number: i64,
    pub name: &'static str,
    /// SHA-256 in hex of the text that both databases' steps are made of.
    pub checksum: String,
    pub sql: String,
}

/// What was found and what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps that were in place before.
    pub present: usize,
    /// Whether there is something that the key ring opens. A server has been here then, not only the schema.
    pub is_sealed: bool,
    /// Steps that ran, or would run.
    pub pending: Vec<Step>,
    /// The copy that was made before a database with data in it was changed (SQLite).
    pub backup: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The whole list of differences between the two databases' types.
    fn render(self, text: &str) -> String {
        let words = match self {
            Self::Sqlite => [
                ("{uuid}", "BLOB"),
                ("{i64}", "INTEGER"),
                ("{bytes}", "BLOB"),
                ("{text}", "TEXT"),
                ("{strict}", "STRICT"),
                ("{clustered}", "STRICT, WITHOUT ROWID"),
            ],
            Self::Postgres => [
                ("{uuid}", "UUID"),
                ("{i64}", "BIGINT"),
                ("{bytes}", "BYTEA"),
                ("{text}", "TEXT COLLATE \"C\""),
                (" {strict}", ""),
                (" {clustered}", ""),
            ],
        };
        words.iter().fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
    }
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number {i64} NOT NULL PRIMARY KEY, name {text} NOT NULL, checksum {text} NOT NULL) {strict}";

const SEALED: &str = "SELECT EXISTS (SELECT 1 FROM server_secret)";

/// Brings the schema up to date, or tells what that would run.
///
/// # Errors
/// When the database holds steps that this program does not know (it is older than the database), or a known
/// step with another text; nothing is changed then.
pub async fn migrate(url: &Url, dry_run: bool) -> Result<Report> {
    match url {
        Url::Sqlite(path) => on_sqlite(path, STEPS, dry_run),
        Url::Postgres(url) => on_postgres(url, dry_run).await,
    }
}

fn on_sqlite(path: &Path, steps: &[Template], dry_run: bool) -> Result<Report> {
    if dry_run && !path.exists() {
        return plan(steps, &[], Dialect::Sqlite);
    }
    on_connection(&mut sqlite::open(path)?, path, steps, dry_run)
}

/// Brings the schema of an open file up to date.
pub(crate) fn on_open(connection: &mut Connection, path: &Path) -> Result<()> {
    on_connection(connection, path, STEPS, false).map(drop)
}

/// Steps that an open file lacks.
pub(crate) fn pending(connection: &Connection, path: &Path) -> Result<usize> {
    let sql = |error: rusqlite::Error| Error::Database(format!("{}: {error}", path.display()));
    let known = "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migration'";
    let present = match connection.query_row(known, [], |row| row.get(0)).map_err(sql)? {
        0i64 => Vec::new(),
        _ => steps_of(connection).map_err(sql)?,
    };
    Ok(plan(STEPS, &present, Dialect::Sqlite)?.pending.len())
}

/// Numbers and checksums of the steps that ran.
fn steps_of(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement =
        connection.prepare("SELECT number, checksum FROM schema_migration ORDER BY number")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn on_connection(
    connection: &mut Connection,
    path: &Path,
    steps: &[Template],
    dry_run: bool,
) -> Result<Report> {
    let sql = |error: rusqlite::Error| Error::Database(format!("{}: {error}", path.display()));
    // One transaction from the look to the last step, so that of two programs one waits and finds it done. It
    // is rolled back unless it is committed.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    sqlite::batch(&tx, &Dialect::Sqlite.render(LEDGER))?;
    let present = steps_of(&tx).map_err(sql)?;
    let mut report = plan(steps, &present, Dialect::Sqlite)?;
    if report.present > 0 {
        report.is_sealed = tx.query_row(SEALED, [], |row| row.get(0)).map_err(sql)?;
    }
    if dry_run || report.pending.is_empty() {
        return Ok(report);
    }
    if report.present > 0 {
        report.backup = Some(copies::make(path, report.pending[0].number)?);
    }
    for step in &report.pending {
        sqlite::batch(&tx, &step.sql)?;
        let text = "INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)";
        tx.execute(text, (step.number, step.name, &step.checksum)).map_err(sql)?;
    }
    tx.commit().map_err(sql)?;
    Ok(report)
}

async fn on_postgres(url: &str, dry_run: bool) -> Result<Report> {
    let failed = |error: tokio_postgres::Error| unreachable(&error);
    let (mut client, driver) = Target::parse(url)?.connect().await?;
    let tx = client.transaction().await.map_err(failed)?;
    tx.batch_execute(&format!("{BOUNDS}; SET LOCAL lock_timeout = '{TURN}'")).await.map_err(failed)?;
    let lock: [(&(dyn ToSql + Sync), Type); 1] = [(&ADVISORY_LOCK, Type::INT8)];
    let is_ours = tx.query_typed_one("SELECT pg_try_advisory_xact_lock($1)", &lock).await.map_err(failed)?;
    if !is_ours.get::<_, bool>(0) {
        tracing::info!("another node is looking at the schema: waiting for at most {TURN}");
        tx.query_typed("SELECT pg_advisory_xact_lock($1)", &lock).await.map_err(failed)?;
    }
    tx.batch_execute(&format!("SET LOCAL lock_timeout = '{TABLE}'")).await.map_err(failed)?;
    tx.batch_execute(&Dialect::Postgres.render(LEDGER)).await.map_err(failed)?;
    let rows = tx
        .query_typed("SELECT number, checksum FROM schema_migration ORDER BY number", &[])
        .await
        .map_err(failed)?;
    let present: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut report = plan(STEPS, &present, Dialect::Postgres)?;
    if report.present > 0 {
        report.is_sealed = tx.query_typed_one(SEALED, &[]).await.map_err(failed)?.get(0);
    }
    if dry_run {
        tx.rollback().await.map_err(failed)?;
    } else {
        for step in &report.pending {
            tx.batch_execute(&step.sql).await.map_err(|error| refused(step, &error))?;
            let text = "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)";
            let row: [(&(dyn ToSql + Sync), Type); 3] =
                [(&step.number, Type::INT8), (&step.name, Type::TEXT), (&step.checksum, Type::TEXT)];
            tx.execute_typed(text, &row).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
    }
    drop(client);
    driver.abort();
    Ok(report)
}

/// Tables of somebody else stand in the way, most likely.
fn refused(step: &Step, error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(format!(
        "PostgreSQL, at schema step {} ({}): {}",
        step.number,
        step.name,
        reason(error)
    ))
}

fn plan(steps: &[Template], present: &[(i64, String)], dialect: Dialect) -> Result<Report> {
    for (number, stored) in present {
        match steps.iter().find(|step| step.number == *number) {
            None => {
                return Err(Error::Database(format!(
                    "the database has schema step {number}, which this version does not know: \
                     use the newer version of fairweather that made it"
                )));
            }
            Some(step) if *stored != step.checksum() => {
                return Err(Error::Database(format!(
                    "schema step {number} differs from the one that ran here"
                )));
            }
            Some(_) => {}
        }
    }
    let done = |step: &&Template| present.iter().any(|(there, _)| *there == step.number);
    let pending = steps
        .iter()
        .filter(|step| !done(step))
        .map(|step| Step {
            number: step.number,
            name: step.name,
            checksum: step.checksum(),
            sql: dialect.render(step.text),
        })
        .collect();
    Ok(Report { present: present.len(), is_sealed: false, pending, backup: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: &[Template] = &[
        Template {
            number: 1,
            name: "start",
            text: "CREATE TABLE saved (word {text} NOT NULL) {strict}; CREATE TABLE server_secret (name {text}) {strict};",
        },
        Template { number: 2, name: "more", text: "CREATE TABLE more (word {text} NOT NULL) {strict};" },
    ];
    const BROKEN: &[Template] =
        &[LATER[0], Template { number: 2, name: "more", text: "DROP TABLE saved; CREATE nonsense;" }];

    fn words(path: &Path) -> rusqlite::Result<String> {
        rusqlite::Connection::open(path)?.query_row("SELECT word FROM saved", [], |row| row.get(0))
    }

    #[test]
    fn every_type_word_is_known_to_both() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for step in STEPS {
                let sql = dialect.render(step.text);
                assert!(!sql.contains('{') && !sql.contains('}'), "{sql}");
            }
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let known = (1, STEPS[0].checksum());
        let error = plan(STEPS, &[known, (99, String::new())], Dialect::Sqlite).unwrap_err();
        assert!(error.to_string().contains("step 99"), "{error}");
        let error = plan(STEPS, &[(1, String::from("other"))], Dialect::Sqlite).unwrap_err();
        assert!(error.to_string().contains("differs"), "{error}");
    }

    #[test]
    fn data_is_copied_before_a_later_step_touches_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        assert_eq!(on_sqlite(&path, &LATER[..1], false).unwrap().backup, None);
        let connection = sqlite::open(&path).unwrap();
        connection.execute("INSERT INTO saved (word) VALUES ('kept')", []).unwrap();

        // A step that fails half-way leaves everything as it was.
        on_sqlite(&path, BROKEN, false).unwrap_err();
        assert_eq!(words(&path).unwrap(), "kept");

        let report = on_sqlite(&path, LATER, false).unwrap();
        assert_eq!((report.present, report.pending.len()), (1, 1));
        let copy = report.backup.unwrap();
        assert_eq!(words(&copy).unwrap(), "kept");
        let older = on_sqlite(&copy, &LATER[..1], true).unwrap();
        assert_eq!((older.present, older.pending.len()), (1, 0));
        assert!(
            on_sqlite(&path, &LATER[..1], false).is_err(),
            "the older program must refuse the newer schema"
        );
    }
}
