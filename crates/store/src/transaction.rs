//! [`Db`] reads, [`Tx`] also writes: the same `async` text on both databases.
//!
//! On SQLite the futures are ready at once; on PostgreSQL they wait for the server. A failed statement spoils
//! the transaction on both (SQLite would go on by itself), so that what passes on one passes on the other;
//! [`Tx::attempt`] is the way to survive one.

use std::sync::Arc;

use domain::AccountId;
use domain::cursor::Era;

use crate::error::{Error, Result};
use crate::sqlite;
use crate::statement::{Args, FromRow, Kinds, Param, Row, Statement};
use crate::wire::{self, Ask, Run, Terms, Told, Wire};

/// A connection to read from.
pub struct Db {
    backend: Backend,
    failed: bool,
    /// Whether the connection is of no use any more: its server has gone silent, or takes no writes.
    spent: bool,
    pub(crate) retry: bool,
}

pub(crate) enum Backend {
    Sqlite(rusqlite::Connection),
    Postgres(Wire),
}

/// A transaction.
pub struct Tx {
    db: Db,
    hints: Vec<Hint>,
    depth: u32,
    /// Statements so far that may have changed something.
    writes: u64,
}

/// After the commit: this account's log now ends at `head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    pub account: AccountId,
    pub era: Era,
    pub head: i64,
}

impl std::ops::Deref for Tx {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Db {
        &mut self.db
    }
}

impl Db {
    pub(crate) fn sqlite(connection: rusqlite::Connection) -> Self {
        Self::on(Backend::Sqlite(connection))
    }

    pub(crate) fn postgres(client: deadpool_postgres::Object, terms: Arc<Terms>) -> Self {
        Self::on(Backend::Postgres(Wire::new(client, terms)))
    }

    fn on(backend: Backend) -> Self {
        Self { backend, failed: false, spent: false, retry: false }
    }

    /// The row, which must exist.
    pub async fn one<P: Kinds, R: FromRow, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, R>,
        args: A,
    ) -> Result<R> {
        match self.opt(statement, args).await? {
            Some(row) => Ok(row),
            None => Err(Error::Database(format!("no row from: {}", statement.sql))),
        }
    }

    /// The first row, if there is one.
    pub async fn opt<P: Kinds, R: FromRow, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, R>,
        args: A,
    ) -> Result<Option<R>> {
        let mut found = None;
        self.each(statement, args, |row: R| {
            if found.is_none() {
                found = Some(row);
            }
        })
        .await?;
        Ok(found)
    }

    /// All rows; the statement bounds them.
    pub async fn all<P: Kinds, R: FromRow, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, R>,
        args: A,
    ) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        self.each(statement, args, |row| rows.push(row)).await?;
        Ok(rows)
    }

    /// The rows of several runs of one statement, in their order. On PostgreSQL they go out together: one round trip.
    pub async fn many<P: Kinds, R: FromRow, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, R>,
        runs: &[A],
    ) -> Result<Vec<Vec<R>>> {
        self.guard()?;
        let lists: Vec<_> = runs.iter().map(Args::list).collect();
        let lists: Vec<&[&dyn Param]> = lists.iter().map(AsRef::as_ref).collect();
        if let Backend::Sqlite(connection) = &mut self.backend {
            let done = lists.iter().map(|list| queried(connection, statement, list)).collect();
            return self.note(done);
        }
        let asks = lists.iter().map(|list| Ask::Statement(statement.sql, list.to_vec())).collect();
        let told = self.ask(asks, statement.is_harmless).await?;
        let found = told.iter().map(rows).collect();
        self.note(found)
    }

    /// The rows of two queries. On PostgreSQL both go out together: one round trip.
    pub async fn pair<P: Kinds, R: FromRow, A: Args<P>, Q: Kinds, S: FromRow, B: Args<Q>>(
        &mut self,
        (one, first): (&'static Statement<P, R>, A),
        (two, second): (&'static Statement<Q, S>, B),
    ) -> Result<(Vec<R>, Vec<S>)> {
        self.guard()?;
        let (first, second) = (first.list(), second.list());
        if let Backend::Sqlite(connection) = &mut self.backend {
            let done = queried(connection, one, first.as_ref())
                .and_then(|rows| Ok((rows, queried(connection, two, second.as_ref())?)));
            return self.note(done);
        }
        let asks = vec![
            Ask::Statement(one.sql, first.as_ref().to_vec()),
            Ask::Statement(two.sql, second.as_ref().to_vec()),
        ];
        let told = self.ask(asks, one.is_harmless && two.is_harmless).await?;
        let found = match &told[..] {
            [first, second] => rows(first).and_then(|first| Ok((first, rows(second)?))),
            _ => Err(Error::Database(String::from("an answer is missing"))),
        };
        self.note(found)
    }

    async fn each<P: Kinds, R: FromRow, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, R>,
        args: A,
        mut found: impl FnMut(R),
    ) -> Result<()> {
        self.guard()?;
        let list = args.list();
        let mut read = |row: Row<'_>| R::from_row(&row).map(&mut found);
        if let Backend::Sqlite(connection) = &mut self.backend {
            let done = sqlite::query(connection, statement.sql, list.as_ref(), &mut read);
            return self.note(done);
        }
        let told = self.ask_one(statement.sql, list.as_ref(), statement.is_harmless).await?;
        let done = told.rows.iter().try_for_each(|row| read(Row::Postgres(row)));
        self.note(done.map_err(Error::Database))
    }

    async fn ask_one(&mut self, sql: &str, list: &[&dyn Param], is_harmless: bool) -> Result<Told> {
        let told = self.ask(vec![Ask::Statement(sql, list.to_vec())], is_harmless).await?;
        Ok(told.into_iter().next().unwrap_or_default())
    }

    /// Asks PostgreSQL and notes what fails.
    async fn ask(&mut self, asks: Vec<Ask<'_>>, is_harmless: bool) -> Result<Vec<Told>> {
        let done = match &mut self.backend {
            Backend::Sqlite(_) => Err(Error::Database(String::from("not a connection to PostgreSQL"))),
            // A future of this size in each of those that wait for it would make them all large.
            Backend::Postgres(wire) => Box::pin(wire.ask(asks, is_harmless)).await,
        };
        self.note(done)
    }

    fn guard(&self) -> Result<()> {
        if self.failed { Err(Error::Aborted) } else { Ok(()) }
    }

    fn note<T>(&mut self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done {
            self.failed = true;
            self.retry |= matches!(error, Error::Retry(_));
        }
        self.listen(done)
    }

    pub(crate) fn reset(&mut self) {
        self.failed = false;
        self.retry = false;
    }

    pub(crate) fn connection(&mut self) -> Result<&mut rusqlite::Connection> {
        match &mut self.backend {
            Backend::Sqlite(connection) => Ok(connection),
            Backend::Postgres(..) => Err(Error::Database(String::from("not a SQLite connection"))),
        }
    }

    /// Closes a PostgreSQL connection whose state nobody knows, so that the pool does not lend it again.
    pub(crate) fn discard(self) {
        if let Backend::Postgres(wire) = self.backend {
            wire.discard();
        }
    }

    /// Lets the pool have the connection back, unless it is of no use any more.
    pub(crate) fn give_back(self) {
        if self.spent {
            self.discard();
        }
    }

    /// Ends a transaction without effect and gives the connection back, if that is possible.
    pub(crate) async fn roll_back(mut self) {
        let ended = match &mut self.backend {
            _ if self.spent => false,
            Backend::Sqlite(connection) => sqlite::execute(connection, "ROLLBACK", &[]).is_ok(),
            Backend::Postgres(wire) => wire.roll_back().await,
        };
        if !ended {
            self.discard();
        }
    }

    /// Begins a transaction: on PostgreSQL with its first statement.
    pub(crate) fn begin(&mut self, sql: &'static str) -> Result<()> {
        match &mut self.backend {
            Backend::Sqlite(connection) => sqlite::execute(connection, sql, &[]).map(drop),
            Backend::Postgres(wire) => {
                wire.begin(sql);
                Ok(())
            }
        }
    }

    /// Whether a transaction could not be begun, so that nothing was done.
    pub(crate) const fn was_not_begun(&self) -> bool {
        matches!(&self.backend, Backend::Postgres(wire) if wire.not_begun)
    }

    /// Runs one statement without parameters or rows: transaction control.
    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        let done = match &mut self.backend {
            Backend::Sqlite(connection) => sqlite::execute(connection, sql, &[]).map(drop),
            Backend::Postgres(wire) => Box::pin(wire.control(sql)).await,
        };
        self.listen(done)
    }

    pub(crate) async fn commit(&mut self) -> Result<()> {
        let done = match &mut self.backend {
            Backend::Sqlite(connection) => sqlite::execute(connection, "COMMIT", &[]).map(drop),
            Backend::Postgres(wire) => Box::pin(wire.commit()).await,
        };
        self.listen(done)
    }

    /// Sends the changes that wait.
    async fn send_waiting(&mut self) -> Result<()> {
        match &self.backend {
            Backend::Postgres(wire) if wire.has_waiting() => self.ask(Vec::new(), false).await.map(drop),
            _ => Ok(()),
        }
    }

    fn forget_waiting(&mut self) {
        if let Backend::Postgres(wire) = &mut self.backend {
            wire.forget_waiting();
        }
    }

    /// Notes when the connection is of no use any more.
    fn listen<T>(&mut self, done: Result<T>) -> Result<T> {
        self.spent |= done.as_ref().is_err_and(wire::is_spent);
        done
    }
}

impl Tx {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, hints: Vec::new(), depth: 0, writes: 0 }
    }

    /// Runs a statement and tells how many rows it changed.
    pub async fn exec<P: Kinds, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, ()>,
        args: A,
    ) -> Result<u64> {
        self.db.guard()?;
        self.writes += 1;
        let list = args.list();
        if let Backend::Sqlite(connection) = &mut self.db.backend {
            let done = sqlite::execute(connection, statement.sql, list.as_ref());
            return self.db.note(done);
        }
        self.db.ask_one(statement.sql, list.as_ref(), false).await.map(|told| told.changed)
    }

    /// Runs a statement whose outcome nobody looks at. On PostgreSQL it goes out with what comes next, the commit at
    /// the latest, and when it fails, that fails.
    pub async fn exec_later<P: Kinds, A: Args<P> + Send + 'static>(
        &mut self,
        statement: &'static Statement<P, ()>,
        args: A,
    ) -> Result<()> {
        self.db.guard()?;
        self.writes += 1;
        let done = match &mut self.db.backend {
            Backend::Sqlite(connection) => {
                sqlite::execute(connection, statement.sql, args.list().as_ref()).map(drop)
            }
            Backend::Postgres(wire) => Box::pin(wire.later(Box::new(Run { statement, args }))).await,
        };
        self.db.note(done)
    }

    /// Runs a statement several times. On PostgreSQL all go out together: one round trip.
    pub async fn exec_many<P: Kinds, A: Args<P>>(
        &mut self,
        statement: &'static Statement<P, ()>,
        runs: &[A],
    ) -> Result<()> {
        self.db.guard()?;
        if runs.is_empty() {
            return Ok(());
        }
        self.writes += 1;
        let lists: Vec<_> = runs.iter().map(Args::list).collect();
        let lists: Vec<&[&dyn Param]> = lists.iter().map(AsRef::as_ref).collect();
        if let Backend::Sqlite(connection) = &mut self.db.backend {
            let done =
                lists.iter().try_for_each(|list| sqlite::execute(connection, statement.sql, list).map(drop));
            return self.db.note(done);
        }
        let asks = lists.iter().map(|list| Ask::Statement(statement.sql, list.to_vec())).collect();
        self.db.ask(asks, false).await.map(drop)
    }

    /// Whether no other transaction writes before this one ends (SQLite: `BEGIN IMMEDIATE` on the one writer), so
    /// that a row need not be locked by itself.
    pub(crate) fn excludes_other_writers(&self) -> bool {
        matches!(self.db.backend, Backend::Sqlite(_))
    }

    /// Tells listeners, after the commit and only then, how far an account's log reaches.
    pub fn hint(&mut self, hint: Hint) {
        match self.hints.iter_mut().find(|known| known.account == hint.account) {
            Some(known) => *known = hint,
            None => self.hints.push(hint),
        }
    }

    /// Runs `body` in a savepoint: what it did is undone when it fails, and the transaction goes on.
    pub async fn attempt<T>(&mut self, body: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.db.guard()?;
        let known = self.hints.clone();
        self.depth += 1;
        let name = format!("attempt_{}", self.depth);
        // Without its savepoint the transaction is spoilt, whatever the caller makes of the error.
        let begun = self.db.control(&format!("SAVEPOINT {name}")).await;
        self.db.note(begun)?;
        let done = match body(self).await {
            Ok(done) if !self.db.failed => self.db.send_waiting().await.map(|()| done),
            done => done,
        };
        self.depth -= 1;
        if done.is_ok() && !self.db.failed {
            let released = self.db.control(&format!("RELEASE SAVEPOINT {name}")).await;
            self.db.note(released)?;
            return done;
        }
        self.hints = known;
        self.db.failed = false;
        self.db.forget_waiting();
        let undone = self.db.control(&format!("ROLLBACK TO SAVEPOINT {name}")).await;
        let undone = match undone {
            Ok(()) => self.db.control(&format!("RELEASE SAVEPOINT {name}")).await,
            error => error,
        };
        self.db.note(undone)?;
        match done {
            Ok(_) => Err(Error::Aborted),
            error => error,
        }
    }

    /// Runs `body`, which decides before it writes: when it fails before its first write, there is nothing to undo
    /// and the transaction goes on, without the two round trips of a savepoint. When it fails after it, the
    /// transaction is spoilt.
    pub async fn decide<T>(&mut self, body: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.db.guard()?;
        let (hints, writes) = (self.hints.clone(), self.writes);
        let done = body(self).await;
        if done.is_err() {
            self.hints = hints;
            self.db.failed |= self.writes != writes;
        }
        done
    }

    /// Forgets what the last body left behind, a panicked one included.
    pub(crate) fn restart(&mut self) {
        self.db.reset();
        self.hints.clear();
        self.depth = 0;
    }

    /// What a body's outcome is worth. An `Ok` does not count when a statement failed outside any attempt, as
    /// PostgreSQL would roll back and still answer the commit with success; nor when the database asked to
    /// try again inside an attempt, as the body took that for an error of its own.
    pub(crate) fn judge<T>(&self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(_) if self.db.retry => {
                Err(Error::Retry(String::from("a part of the transaction gave way to another")))
            }
            Ok(_) if self.db.failed => Err(Error::Aborted),
            outcome => outcome,
        }
    }

    pub(crate) fn discard(self) {
        self.db.discard();
    }

    pub(crate) async fn roll_back(self) {
        self.db.roll_back().await;
    }

    pub(crate) fn take_hints(&mut self) -> Vec<Hint> {
        std::mem::take(&mut self.hints)
    }
}

/// The rows of one run on SQLite.
fn queried<P: Kinds, R: FromRow>(
    connection: &rusqlite::Connection,
    statement: &Statement<P, R>,
    list: &[&dyn Param],
) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    sqlite::query(connection, statement.sql, list, &mut |row| R::from_row(&row).map(|row| rows.push(row)))?;
    Ok(rows)
}

/// The rows of one answer of PostgreSQL.
fn rows<R: FromRow>(told: &Told) -> Result<Vec<R>> {
    let row = |row| R::from_row(&Row::Postgres(row)).map_err(Error::Database);
    told.rows.iter().map(row).collect()
}

/// Parameters as the SQLite driver wants them.
pub(crate) fn sqlite_params<'a>(
    list: &'a [&'a dyn Param],
) -> rusqlite::ParamsFromIter<impl Iterator<Item = &'a dyn rusqlite::ToSql>> {
    rusqlite::params_from_iter(list.iter().map(|param| param.sqlite()))
}
