//! What goes to PostgreSQL and comes back: statements, bounded in time, and what their errors mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use futures::TryStreamExt;
use futures::future::join_all;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use crate::error::{Error, Result};
use crate::statement::{Args, Kinds, Param, Statement};

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

impl Terms {
    /// How a transaction begins, with the settings that its connection does not have.
    fn beginning(&self, sql: &'static str) -> Cow<'static, str> {
        if self.settings.is_empty() { sql.into() } else { format!("{sql}{}", self.settings).into() }
    }
}

/// A connection, and what goes out with the next statement: a transaction begins with its first one, and changes whose
/// outcome nobody looks at go with whatever comes next, at the latest with the commit. So PostgreSQL is waited for once
/// and not for each. The order stays, and the first that fails is the one that is told.
pub(crate) struct Wire {
    client: Object,
    terms: Arc<Terms>,
    /// How the transaction begins, until it has.
    begin: Option<&'static str>,
    /// Changes that wait, in their order.
    waiting: Vec<Box<dyn Change>>,
    /// Whether the transaction could not be begun: nothing was done on this connection.
    pub(crate) not_begun: bool,
}

/// Changes that wait; with more of them the next goes out at once.
const MOST_WAITING: usize = 128;

impl Wire {
    pub(crate) const fn new(client: Object, terms: Arc<Terms>) -> Self {
        Self { client, terms, begin: None, waiting: Vec::new(), not_begun: false }
    }

    /// Closes the connection.
    pub(crate) fn discard(self) {
        drop(Object::take(self.client));
    }

    /// Begins a transaction, with its first statement.
    pub(crate) const fn begin(&mut self, sql: &'static str) {
        self.begin = Some(sql);
    }

    pub(crate) const fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts a change with those that wait.
    pub(crate) async fn later(&mut self, change: Box<dyn Change>) -> Result<()> {
        self.waiting.push(change);
        if self.waiting.len() < MOST_WAITING { Ok(()) } else { self.ask(Vec::new(), false).await.map(drop) }
    }

    /// Drops what waits: it would be undone.
    pub(crate) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Sends what waits and then `asks`, and answers those.
    pub(crate) async fn ask(&mut self, asks: Vec<Ask<'_>>, is_harmless: bool) -> Result<Vec<Told>> {
        self.exchange(asks, is_harmless).await.map_err(|failed| failed.error)
    }

    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        self.ask(vec![Ask::Control(sql.into())], true).await.map(drop)
    }

    /// Commits, with what waits.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        if self.begin.is_some() && self.waiting.is_empty() {
            // It never began.
            self.begin = None;
            return Ok(());
        }
        let before = self.waiting.len();
        match self.exchange(vec![Ask::Control("COMMIT".into())], false).await {
            Ok(_) => Ok(()),
            // PostgreSQL answers the COMMIT of a spoilt transaction with success, and rolls it back.
            Err(Failed { at, error, is_told: true }) if at < before => Err(error),
            Err(Failed { error: Error::Unavailable(text), .. }) if !self.not_begun => {
                Err(Error::Unknown(text))
            }
            Err(Failed { error, .. }) => Err(error),
        }
    }

    /// Ends a transaction without effect; `false` when nobody knows whether that was done. No round trip that counts:
    /// what was asked for is known by then.
    pub(crate) async fn roll_back(&mut self) -> bool {
        self.waiting.clear();
        // What was not sent is not there.
        self.begin.take().is_some()
            || matches!(timeout(self.terms.bound, self.client.batch_execute("ROLLBACK")).await, Ok(Ok(())))
    }

    /// Only what is harmless goes out with the beginning of its transaction: where that fails and the connection lives,
    /// what comes behind it runs by itself.
    async fn exchange(&mut self, asks: Vec<Ask<'_>>, is_harmless: bool) -> Result<Vec<Told>, Failed> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut before = waiting.len();
        let mut all = Vec::with_capacity(before + asks.len() + 1);
        let begin = self.begin.take().map(|sql| Ask::Control(self.terms.beginning(sql)));
        let begins = begin.is_some() && is_harmless && waiting.is_empty();
        match begin {
            Some(begin) if begins => {
                all.push(begin);
                before = 1;
            }
            Some(begin) => {
                if let Err(failed) = exchange(&self.client, &self.terms, &[begin]).await {
                    self.not_begun = true;
                    return Err(failed);
                }
            }
            None => {}
        }
        all.extend(waiting.iter().map(|change| change.ask()));
        all.extend(asks);
        let told = exchange(&self.client, &self.terms, &all).await;
        self.not_begun = begins && matches!(told, Err(Failed { at: 0, .. }));
        Ok(told?.into_iter().skip(before).collect())
    }
}

/// A change with its values, kept until it is sent.
pub(crate) trait Change: Send {
    fn ask(&self) -> Ask<'_>;
}

/// A statement and values of the types it takes.
pub(crate) struct Run<P: 'static, A> {
    pub(crate) statement: &'static Statement<P, ()>,
    pub(crate) args: A,
}

impl<P: Kinds, A: Args<P> + Send> Change for Run<P, A> {
    fn ask(&self) -> Ask<'_> {
        Ask::Statement(self.statement.sql, self.args.list().as_ref().to_vec())
    }
}

/// One message of an exchange.
pub(crate) enum Ask<'a> {
    /// Transaction control: no parameters, no rows.
    Control(Cow<'a, str>),
    Statement(&'a str, Vec<&'a dyn Param>),
}

/// What came of one.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) rows: Vec<tokio_postgres::Row>,
    pub(crate) changed: u64,
}

/// The first message of an exchange that failed.
struct Failed {
    at: usize,
    error: Error,
    /// Whether PostgreSQL said so itself, so that its transaction is certainly spoilt.
    is_told: bool,
}

/// Sends all messages, in their order, and then waits for their answers: one round trip, however many there are.
async fn exchange(client: &Object, terms: &Terms, asks: &[Ask<'_>]) -> Result<Vec<Told>, Failed> {
    terms.round_trips.fetch_add(1, Ordering::Relaxed);
    let answers = timeout(terms.bound, async {
        // A statement that has to be prepared first would be overtaken by those behind it.
        let mut prepared = Vec::with_capacity(asks.len());
        for ask in asks {
            prepared.push(match ask {
                Ask::Statement(sql, _) if !terms.pooler => Some(client.prepare_cached(sql).await?),
                _ => None,
            });
        }
        let sent = asks.iter().zip(&prepared).map(|(ask, prepared)| answer(client, ask, prepared.as_ref()));
        Ok::<_, tokio_postgres::Error>(join_all(sent).await)
    });
    let failed = |at, error: tokio_postgres::Error| Failed {
        at,
        is_told: error.as_db_error().is_some(),
        error: classify(&error, &terms.conflicts),
    };
    match answers.await {
        Ok(Ok(answers)) => {
            let answer = |(at, answer): (usize, Result<_, _>)| answer.map_err(|error| failed(at, error));
            answers.into_iter().enumerate().map(answer).collect()
        }
        Ok(Err(error)) => Err(failed(0, error)),
        Err(_) => Err(Failed { at: 0, error: Error::Unavailable(String::from(NO_ANSWER)), is_told: false }),
    }
}

async fn answer(
    client: &Object,
    ask: &Ask<'_>,
    prepared: Option<&tokio_postgres::Statement>,
) -> Result<Told, tokio_postgres::Error> {
    let (sql, list) = match ask {
        Ask::Control(sql) => return client.batch_execute(sql).await.map(|()| Told::default()),
        Ask::Statement(sql, list) => (sql, list.iter()),
    };
    let answer = match prepared {
        Some(statement) => client.query_raw(statement, list.map(|param| param.postgres())).await?,
        // A statement without a name is parsed, bound and run in one round trip, and leaves nothing behind on the
        // connection.
        None => {
            let typed = list.map(|param| (param.postgres(), param.postgres_type()));
            client.query_typed_raw(sql, typed).await?
        }
    };
    let mut answer = pin!(answer);
    let mut told = Told::default();
    while let Some(row) = answer.try_next().await? {
        told.rows.push(row);
    }
    told.changed = answer.rows_affected().unwrap_or_default();
    Ok(told)
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
