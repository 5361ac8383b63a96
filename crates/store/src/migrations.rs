//! The schema: one text per step for both databases, with words for the types that differ.

use sha2::{Digest, Sha256};
use tokio_postgres::NoTls;

use crate::error::{Error, Result};
use crate::{Url, sqlite};

/// Steps in order. A step that was released never changes: its checksum is stored and compared.
const STEPS: &[(i64, &str, &str)] = &[(1, "start", include_str!("../migrations/0001_start.sql"))];

/// Serialises migrations of several nodes on PostgreSQL.
const ADVISORY_LOCK: i64 = 0x6661_6972_7765_6174;

/// One step and what it would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub number: i64,
    pub name: &'static str,
    pub sql: String,
}

/// What was found and what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps that were in place before.
    pub present: usize,
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

/// Brings the schema up to date, or tells what that would run.
///
/// # Errors
/// When the database holds steps that this program does not know (it is older than the database), or a known
/// step with another text; nothing is changed then.
pub async fn migrate(url: &Url, dry_run: bool) -> Result<Report> {
    match url {
        Url::Sqlite(path) => on_sqlite(path, dry_run),
        Url::Postgres(url) => on_postgres(url, dry_run).await,
    }
}

fn on_sqlite(path: &std::path::Path, dry_run: bool) -> Result<Report> {
    let sql = |error: rusqlite::Error| Error::Database(format!("{}: {error}", path.display()));
    if dry_run && !path.exists() {
        return plan(&[], Dialect::Sqlite);
    }
    let connection = sqlite::open(path)?;
    if !dry_run {
        sqlite::batch(&connection, &Dialect::Sqlite.render(LEDGER))?;
    }
    let present = {
        let exists = "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migration'";
        let known: i64 = connection.query_row(exists, [], |row| row.get(0)).map_err(sql)?;
        let mut list = Vec::new();
        if known == 1 {
            let text = "SELECT number, checksum FROM schema_migration ORDER BY number";
            let mut statement = connection.prepare(text).map_err(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(sql)?;
            for row in rows {
                list.push(row.map_err(sql)?);
            }
        }
        list
    };
    let mut report = plan(&present, Dialect::Sqlite)?;
    if dry_run || report.pending.is_empty() {
        return Ok(report);
    }
    if report.present > 0 {
        report.backup = Some(sqlite::backup_beside(path, &format!("before-{}", report.pending[0].number))?);
    }
    for step in &report.pending {
        sqlite::batch(&connection, "BEGIN IMMEDIATE")?;
        let done = sqlite::batch(&connection, &step.sql).and_then(|()| {
            let text = "INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)";
            connection.execute(text, (step.number, step.name, checksum(step.number))).map(drop).map_err(sql)
        });
        sqlite::batch(&connection, if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done?;
    }
    Ok(report)
}

async fn on_postgres(url: &str, dry_run: bool) -> Result<Report> {
    let failed = |error: tokio_postgres::Error| {
        let detail = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
        Error::Unavailable(format!("PostgreSQL: {detail}"))
    };
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
    let driver = tokio::spawn(connection);
    let tx = client.transaction().await.map_err(failed)?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&ADVISORY_LOCK]).await.map_err(failed)?;
    tx.batch_execute(&Dialect::Postgres.render(LEDGER)).await.map_err(failed)?;
    let rows = tx
        .query("SELECT number, checksum FROM schema_migration ORDER BY number", &[])
        .await
        .map_err(failed)?;
    let present: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let report = plan(&present, Dialect::Postgres)?;
    if !dry_run {
        for step in &report.pending {
            tx.batch_execute(&step.sql).await.map_err(failed)?;
            let text = "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)";
            tx.execute(text, &[&step.number, &step.name, &checksum(step.number)]).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
    }
    drop(client);
    driver.abort();
    Ok(report)
}

fn plan(present: &[(i64, String)], dialect: Dialect) -> Result<Report> {
    for (number, stored) in present {
        match STEPS.iter().find(|(known, ..)| known == number) {
            None => {
                return Err(Error::Database(format!(
                    "the database has schema step {number}, which this version does not know: \
                     use the newer version of fairweather that made it"
                )));
            }
            Some(_) if *stored != checksum(*number) => {
                return Err(Error::Database(format!(
                    "schema step {number} differs from the one that ran here"
                )));
            }
            Some(_) => {}
        }
    }
    let done = |number: &i64| present.iter().any(|(there, _)| there == number);
    let pending = STEPS
        .iter()
        .filter(|(number, ..)| !done(number))
        .map(|&(number, name, text)| Step { number, name, sql: dialect.render(text) })
        .collect();
    Ok(Report { present: present.len(), pending, backup: None })
}

/// Of the template, so that one value serves both databases.
fn checksum(number: i64) -> String {
    let text = STEPS.iter().find(|(known, ..)| *known == number).map_or("", |step| step.2);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_word_is_known_to_both() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for (.., text) in STEPS {
                let sql = dialect.render(text);
                assert!(!sql.contains('{') && !sql.contains('}'), "{sql}");
            }
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let error = plan(&[(1, checksum(1)), (99, String::new())], Dialect::Sqlite).unwrap_err();
        assert!(error.to_string().contains("step 99"), "{error}");
        let error = plan(&[(1, String::from("other"))], Dialect::Sqlite).unwrap_err();
        assert!(error.to_string().contains("differs"), "{error}");
    }
}
