//! SQLite: one writer thread with group commit, reader threads beside it.
//!
//! The writer runs many requests' transactions as savepoints of one `BEGIN IMMEDIATE … COMMIT` and answers
//! each after the commit that holds it: one fsync serves many users, and an acknowledged write survives a
//! power cut (`synchronous=FULL`).

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use domain::cursor::Era;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::era;
use crate::error::{Error, Result};
use crate::statement::{Param, Row};
use crate::transaction::{Db, Hint, Tx, sqlite_params};
use crate::{Ended, OnCommit, View, announce};

/// Waiting transactions; one more is refused, so that memory and waiting stay bounded.
const QUEUE: usize = 4096;
/// How long a batch may collect before it commits: bounds the latency of the first in it.
const HOLD: Duration = Duration::from_millis(20);
/// Transactions in one commit.
const BATCH: usize = 256;
/// Pages in the WAL before the writer checkpoints (8 MiB): long enough to amortise, short enough to bound it.
const CHECKPOINT_PAGES: u32 = 2000;

pub(crate) struct Sqlite {
    path: PathBuf,
    writes: Sender<Box<dyn Work>>,
    reads: Sender<Box<dyn Read>>,
    ended: Ended,
}

/// A queued transaction.
trait Work: Send {
    /// Its caller has left before it began.
    fn abandoned(&self) -> bool;
    /// Runs it and keeps the outcome; `false` when its savepoint must be rolled back.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Answers, with the batch's error when the commit did not happen.
    fn answer(self: Box<Self>, batch: Result<(), String>);
}

trait Read: Send {
    fn run(self: Box<Self>, db: &mut Db);
}

struct Job<T, F> {
    body: F,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: AsyncFn(&mut Tx) -> Result<T> + Send,
{
    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(&mut self, tx: &mut Tx) -> bool {
        let outcome = now(async { (self.body)(tx).await }).flatten();
        let outcome = tx.judge(outcome);
        let kept = outcome.is_ok();
        self.outcome = Some(outcome);
        kept
    }

    fn answer(self: Box<Self>, batch: Result<(), String>) {
        let outcome = match (batch, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(reason), _) => Err(Error::Unavailable(reason)),
            (Ok(()), None) => Err(Error::Unavailable(String::from("not run"))),
        };
        // The caller may have left; the write stands all the same.
        let _ = self.answer.send(outcome);
    }
}

struct ReadJob<T, F> {
    body: F,
    view: View,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Read for ReadJob<T, F>
where
    T: Send,
    F: AsyncFnOnce(&mut Db) -> Result<T> + Send,
{
    fn run(self: Box<Self>, db: &mut Db) {
        let Self { body, view, answer } = *self;
        if answer.is_closed() {
            return;
        }
        let outcome = match view {
            View::Newest => now(async { body(db).await }).flatten(),
            View::Snapshot => db.connection().and_then(|it| batch(it, "BEGIN")).and_then(|()| {
                let outcome = now(async { body(db).await }).flatten();
                // Some errors end the transaction by themselves; only one that is open can be ended.
                let connection = db.connection()?;
                if !connection.is_autocommit() {
                    batch(connection, "ROLLBACK")?;
                }
                outcome
            }),
        };
        let _ = answer.send(outcome);
    }
}

/// Polls once: on SQLite nothing inside a transaction ever waits. A panic becomes an error.
fn now<T>(future: impl Future<Output = T>) -> Result<T> {
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // Dropped in here too: what an unfinished body holds may panic as well.
        let mut future = pin!(future);
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }));
    match polled {
        Ok(Poll::Ready(output)) => Ok(output),
        Ok(Poll::Pending) => Err(Error::Awaited),
        Err(_) => Err(Error::Database(String::from("a transaction panicked"))),
    }
}

impl Sqlite {
    pub(crate) fn start(
        path: &Path,
        writer: Connection,
        era: Era,
        readers: usize,
        on_commit: OnCommit,
    ) -> Result<Self> {
        let (writes, queue) = crossbeam_channel::bounded(QUEUE);
        let mut writer = Writer { tx: Tx::new(Db::sqlite(writer)), era: Some(era) };
        let (alive, ended) = Ended::pair();
        let (reading, readers_gone) = crossbeam_channel::bounded::<Infallible>(0);
        spawn("store-writer", move || {
            write_loop(&mut writer, &queue, &on_commit);
            // The last to close, as readers may not move the write-ahead log into the file. Nothing is ever sent.
            let _ = readers_gone.recv();
            drop(writer);
            drop(alive);
        })?;
        let (reads, queue) = crossbeam_channel::bounded::<Box<dyn Read>>(QUEUE);
        let (opened, opening) = crossbeam_channel::unbounded::<Result<()>>();
        let readers = readers.max(1);
        for _ in 0..readers {
            let (queue, opened, path) = (queue.clone(), opened.clone(), path.to_owned());
            let reading = reading.clone();
            // Opened there and not here: together they take the time of one.
            spawn("store-reader", move || {
                // Dropped after the connection.
                let _reading = reading;
                let mut db = match open_to_read(&path) {
                    Ok(connection) => Db::sqlite(connection),
                    Err(error) => return drop(opened.send(Err(error))),
                };
                let _ = opened.send(Ok(()));
                for job in &queue {
                    db.reset();
                    job.run(&mut db);
                }
            })?;
        }
        for _ in 0..readers {
            opening.recv().map_err(|_| Error::Unavailable(String::from("a reader ended")))??;
        }
        Ok(Self { path: path.to_owned(), writes, reads, ended })
    }

    /// See [`crate::Store::settle`]. On a connection of its own, since a checkpoint is no part of a transaction.
    pub(crate) async fn settle(&self) -> Result<()> {
        let path = self.path.clone();
        let settled =
            tokio::task::spawn_blocking(move || batch(&open(&path)?, "PRAGMA wal_checkpoint(TRUNCATE)"));
        settled.await.map_err(|error| Error::Unavailable(error.to_string()))?
    }

    pub(crate) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    pub(crate) fn write<T, F>(&self, body: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        queue(&self.writes, Box::new(Job { body, outcome: None, answer }))?;
        Ok(outcome)
    }

    pub(crate) fn read<T, F>(&self, view: View, body: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        queue(&self.reads, Box::new(ReadJob { body, view, answer }))?;
        Ok(outcome)
    }
}

fn queue<J: ?Sized>(to: &Sender<Box<J>>, job: Box<J>) -> Result<()> {
    to.try_send(job).map_err(|error| {
        Error::Unavailable(String::from(match error {
            TrySendError::Full(_) => "too many requests are waiting",
            TrySendError::Disconnected(_) => "the store is closed",
        }))
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map(drop).map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))
}

/// What the writer thread owns.
struct Writer {
    tx: Tx,
    /// Entered with the first commit of this start, which costs the start itself no sync.
    era: Option<Era>,
}

impl Writer {
    fn begin(&mut self) -> Result<(), String> {
        let tx = &mut self.tx;
        control(tx, "BEGIN IMMEDIATE")?;
        let Some(era) = self.era else { return Ok(()) };
        tx.restart();
        let entered = now(async { era::enter(tx, era).await }).flatten();
        entered.map_err(|error| error.to_string())
    }

    fn commit(&mut self) -> Result<(), String> {
        control(&mut self.tx, "COMMIT")?;
        self.era = None;
        Ok(())
    }
}

fn write_loop(writer: &mut Writer, queue: &Receiver<Box<dyn Work>>, on_commit: &OnCommit) {
    let mut batch: Vec<Box<dyn Work>> = Vec::with_capacity(BATCH);
    let mut hints: Vec<Hint> = Vec::new();
    while let Ok(first) = queue.recv() {
        let committed = run_batch(writer, first, queue, &mut batch, &mut hints);
        if committed.is_ok() {
            announce(on_commit, &hints);
        }
        hints.clear();
        for job in batch.drain(..) {
            job.answer(committed.clone());
        }
    }
}

/// One commit's worth of transactions. An error here means that none of them happened.
fn run_batch(
    writer: &mut Writer,
    first: Box<dyn Work>,
    queue: &Receiver<Box<dyn Work>>,
    batch: &mut Vec<Box<dyn Work>>,
    hints: &mut Vec<Hint>,
) -> Result<(), String> {
    let began = Instant::now();
    let mut next = Some(first);
    let mut open = writer.begin();
    while let Some(mut job) = next {
        if open.is_ok() && !job.abandoned() {
            open = run_one(&mut writer.tx, job.as_mut(), hints);
        }
        batch.push(job);
        next = if open.is_ok() && batch.len() < BATCH && began.elapsed() < HOLD {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    let committed = open.and_then(|()| writer.commit());
    if committed.is_err() && !in_autocommit(&mut writer.tx) {
        // Nothing of the batch may linger: the next one begins on a clean connection.
        let _ = control(&mut writer.tx, "ROLLBACK");
    }
    committed
}

fn run_one(tx: &mut Tx, job: &mut dyn Work, hints: &mut Vec<Hint>) -> Result<(), String> {
    tx.restart();
    control(tx, "SAVEPOINT request")?;
    let kept = job.run(tx);
    let said = tx.take_hints();
    // A full disk or an I/O error can make SQLite roll back the outer transaction by itself.
    if in_autocommit(tx) {
        return Err(String::from("the database rolled the batch back"));
    }
    if kept {
        control(tx, "RELEASE request")?;
        hints.extend(said);
        Ok(())
    } else {
        control(tx, "ROLLBACK TO request")?;
        control(tx, "RELEASE request")
    }
}

fn control(tx: &mut Tx, sql: &str) -> Result<(), String> {
    let connection = tx.connection().map_err(|error| error.to_string())?;
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(drop).map_err(|error| format!("{sql}: {error}"))
}

fn in_autocommit(tx: &mut Tx) -> bool {
    tx.connection().is_ok_and(|connection| connection.is_autocommit())
}

/// The writer's connection; also what migrations and checks use before the threads start.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|error| opening(path, &error))?;
    configure(&connection).map_err(|error| opening(path, &error))?;
    Ok(connection)
}

fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| opening(path, &error))?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(|error| opening(path, &error))?;
    connection.set_prepared_statement_cache_capacity(128);
    stable_plans(&connection).map_err(|error| opening(path, &error))?;
    connection.pragma_update(None, "cache_size", -8_192).map_err(|error| opening(path, &error))?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(512);
    stable_plans(connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)
}

/// Plans may not depend on bound values. Otherwise SQLite, built with STAT4, prepares a statement anew whenever a
/// value differs from the last: that was a sixth of the writer's time.
fn stable_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn opening(path: &Path, error: &rusqlite::Error) -> Error {
    Error::Database(format!("cannot open {}: {error}", path.display()))
}

pub(crate) fn query(
    connection: &Connection,
    sql: &str,
    list: &[&dyn Param],
    read: &mut dyn FnMut(Row<'_>) -> Result<(), String>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| classify(&error))?;
    let mut rows = statement.query(sqlite_params(list)).map_err(|error| classify(&error))?;
    while let Some(row) = rows.next().map_err(|error| classify(&error))? {
        read(Row::Sqlite(row)).map_err(Error::Database)?;
    }
    Ok(())
}

pub(crate) fn execute(connection: &Connection, sql: &str, list: &[&dyn Param]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| classify(&error))?;
    let changed = statement.execute(sqlite_params(list)).map_err(|error| classify(&error))?;
    Ok(u64::try_from(changed).unwrap_or(0))
}

pub(crate) fn batch(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|error| classify(&error))
}

pub(crate) fn classify(error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;

    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => match text.split_once("UNIQUE constraint failed: ") {
            Some((_, columns)) => Error::Conflict(conflict(columns)),
            None => Error::Database(text),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Retry(text),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => {
            Error::Unavailable(text)
        }
        _ => Error::Database(text),
    }
}

/// `t.a, t.b` as SQLite says it, `t(a,b)` as we do.
fn conflict(columns: &str) -> String {
    let table = columns.split('.').next().unwrap_or_default();
    let names: Vec<&str> =
        columns.split(", ").filter_map(|c| c.split_once('.')).map(|(_, name)| name).collect();
    format!("{table}({})", names.join(","))
}
