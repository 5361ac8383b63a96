//! What goes to PostgreSQL and comes back: statements, bounded in time, and what their errors mean.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use futures::future::try_join_all;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use crate::error::{Error, Result};
use crate::statement::{Param, Row};

/// What holds for every connection of a pool.
pub(crate) struct Terms {
    /// Unique constraints by name, as `table(column,column)`.
    pub(crate) conflicts: HashMap<String, String>,
    /// Whether a pooler gives each transaction another connection: nothing may be left on one then.
    pub(crate) pooler: bool,
    /// Settings of a transaction that its connection does not have by itself.
    pub(crate) settings: String,
    /// After so long without an answer the connection is given up.
    pub(crate) bound: Duration,
    /// How often the server was asked and waited for.
    pub(crate) round_trips: Arc<AtomicU64>,
}

pub(crate) async fn query(
    client: &Object,
    terms: &Terms,
    sql: &str,
    list: &[&dyn Param],
    read: &mut (dyn FnMut(Row<'_>) -> Result<(), String> + '_),
) -> Result<()> {
    let rows = terms.bounded(async {
        if terms.pooler {
            return client.query_typed(sql, &typed(list)).await;
        }
        let statement = client.prepare_cached(sql).await?;
        let params: Vec<_> = list.iter().map(|param| param.postgres()).collect();
        client.query(&statement, &params).await
    });
    for row in &rows.await? {
        read(Row::Postgres(row)).map_err(Error::Database)?;
    }
    Ok(())
}

pub(crate) async fn execute(client: &Object, terms: &Terms, sql: &str, list: &[&dyn Param]) -> Result<u64> {
    let done = terms.bounded(async {
        if terms.pooler {
            return client.execute_typed(sql, &typed(list)).await;
        }
        let statement = client.prepare_cached(sql).await?;
        let params: Vec<_> = list.iter().map(|param| param.postgres()).collect();
        client.execute(&statement, &params).await
    });
    done.await
}

/// Runs a statement for each list of parameters and reads their rows in order. All are sent before the first answer
/// is waited for.
pub(crate) async fn query_many(
    client: &Object,
    terms: &Terms,
    sql: &str,
    lists: &[&[&dyn Param]],
    read: &mut (dyn FnMut(&[tokio_postgres::Row]) -> Result<(), String> + '_),
) -> Result<()> {
    let answers = terms.bounded(async {
        if terms.pooler {
            let typed: Vec<_> = lists.iter().map(|list| typed(list)).collect();
            return try_join_all(typed.iter().map(|list| client.query_typed(sql, list))).await;
        }
        let statement = client.prepare_cached(sql).await?;
        let params: Vec<Vec<_>> =
            lists.iter().map(|list| list.iter().map(|param| param.postgres()).collect()).collect();
        try_join_all(params.iter().map(|params| client.query(&statement, params))).await
    });
    for rows in answers.await? {
        read(&rows).map_err(Error::Database)?;
    }
    Ok(())
}

/// Runs a statement for each list of parameters, all sent before the first answer is waited for.
pub(crate) async fn execute_many(
    client: &Object,
    terms: &Terms,
    sql: &str,
    lists: &[&[&dyn Param]],
) -> Result<()> {
    query_many(client, terms, sql, lists, &mut |_| Ok(())).await
}

pub(crate) async fn control(client: &Object, terms: &Terms, sql: &str) -> Result<()> {
    terms.bounded(client.batch_execute(sql)).await
}

/// Begins a transaction, with the settings that its connection does not have, in one round trip.
pub(crate) async fn begin(client: &Object, terms: &Terms, sql: &str) -> Result<()> {
    if terms.settings.is_empty() {
        return control(client, terms, sql).await;
    }
    control(client, terms, &format!("{sql}{}", terms.settings)).await
}

/// Parameters with their types: a statement without a name is parsed, bound and run in one round trip, and leaves
/// nothing behind on the connection.
fn typed<'a>(list: &'a [&'a dyn Param]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    list.iter().map(|param| (param.postgres(), param.postgres_type())).collect()
}

impl Terms {
    /// Waits for an answer as long as the server may take for one, and a little. After that the connection is not
    /// usable: the answer may still come.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T> {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        match timeout(self.bound, work).await {
            Ok(done) => done.map_err(|error| classify(&error, &self.conflicts)),
            Err(_) => Err(Error::Unavailable(String::from(NO_ANSWER))),
        }
    }
}

/// What is to be done about settings and prepared statements that do not reach the server.
pub(crate) const POOLER: &str = "if a pooler stands before PostgreSQL, say so with store.pooler = true";

/// What is said of a connection whose server says nothing any more.
const NO_ANSWER: &str = "PostgreSQL does not answer";
/// What is said of a connection whose server takes no writes: it became a replica, or its disk is full and somebody
/// has set it so. Another server may be the one to write to, which a new connection finds out.
const READ_ONLY: &str = "PostgreSQL takes no writes just now";

/// Whether the connection is of no use after this error.
pub(crate) fn is_spent(error: &Error) -> bool {
    matches!(error, Error::Unavailable(text) if text == NO_ANSWER || text == READ_ONLY)
}

pub(crate) fn classify(error: &tokio_postgres::Error, conflicts: &HashMap<String, String>) -> Error {
    let Some(db) = error.as_db_error() else {
        return Error::Unavailable(error.to_string());
    };
    let code = db.code();
    let text = format!("{} ({})", db.message(), code.code());
    if *code == SqlState::UNIQUE_VIOLATION {
        let name = db.constraint().unwrap_or_default();
        return Error::Conflict(conflicts.get(name).cloned().unwrap_or_else(|| name.to_owned()));
    }
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return Error::Retry(text);
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
        return Error::Unavailable(text);
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Error::Unavailable(String::from(READ_ONLY));
    }
    if *code == SqlState::INVALID_SQL_STATEMENT_NAME || *code == SqlState::DUPLICATE_PSTATEMENT {
        return Error::Database(format!("{text}: {POOLER}"));
    }
    // Class 08 connection, 53 resources, 57 operator intervention (shutdown, cancelled, took too long).
    match code.code().get(..2) {
        Some("08" | "53" | "57") => Error::Unavailable(text),
        _ => Error::Database(text),
    }
}
