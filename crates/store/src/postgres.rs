//! PostgreSQL: a pool, and one thread on which all transaction bodies run.
//!
//! Bodies are not `Send` (an async closure's future seldom is), so they run on a thread of their own; callers
//! wait for a channel. The pool is opened there too, since its connections belong to that thread's runtime.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use domain::Random;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::era;
use crate::error::{Error, Result};
use crate::statement::{Param, Row};
use crate::transaction::{Db, Tx};
use crate::{OnCommit, View, announce};

/// Waiting transactions; one more is refused.
const QUEUE: usize = 4096;
/// How often a body is run again when the server gave way to another transaction.
const TRIES: u32 = 3;
/// How long the first of them waits, the next twice as long. The transaction that was preferred needs this time:
/// a body that runs again at once takes the same locks before it, and stands in its way once more.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a server may take to accept a connection, unless the URL says otherwise.
const CONNECT: Duration = Duration::from_secs(5);

/// Unique constraints by name, as `table(column,column)`.
pub(crate) type Conflicts = Arc<HashMap<String, String>>;

type Driven = Box<dyn FnOnce(Arc<Shared>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

pub(crate) struct Postgres {
    jobs: mpsc::Sender<Driven>,
    ended: oneshot::Receiver<()>,
}

pub(crate) struct Shared {
    pool: Pool,
    conflicts: Conflicts,
    on_commit: OnCommit,
}

impl Postgres {
    /// Opens the pool and reads the constraints; the schema must be in place.
    pub(crate) async fn start(
        url: &str,
        connections: usize,
        on_commit: OnCommit,
        random: Random,
    ) -> Result<Self> {
        let mut config: tokio_postgres::Config = url
            .parse()
            .map_err(|error| Error::Database(format!("the database URL does not parse: {error}")))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let connections = connections.max(1);
        let (jobs, mut queue) = mpsc::channel::<Driven>(QUEUE);
        let (ready, started) = oneshot::channel();
        let (alive, ended) = oneshot::channel();
        let body = move || {
            // Dropped last, when the runtime and the connections on it are gone.
            let _alive = alive;
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(Error::Unavailable(format!("cannot start a runtime: {error}"))));
                    return;
                }
            };
            LocalSet::new().block_on(&runtime, async move {
                let shared = match open(config, connections, on_commit, random).await {
                    Ok(shared) => Arc::new(shared),
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                let _ = ready.send(Ok(()));
                drive(&mut queue, &shared, connections).await;
            });
        };
        let spawned = std::thread::Builder::new().name(String::from("store-postgres")).spawn(body);
        spawned.map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        started.await.map_err(|_| Error::Unavailable(String::from("the database thread ended")))??;
        Ok(Self { jobs, ended })
    }

    /// Lets what is queued finish and waits until all connections are closed.
    pub(crate) async fn close(self) {
        drop(self.jobs);
        // The thread never sends: its end drops the other half.
        let _ = self.ended.await;
    }

    pub(crate) fn write<T, F>(&self, body: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        self.queue(Box::new(move |shared| {
            Box::pin(async move {
                if !answer.is_closed() {
                    let _ = answer.send(write(&shared, body).await);
                }
            })
        }))?;
        Ok(outcome)
    }

    pub(crate) fn read<T, F>(&self, view: View, body: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        self.queue(Box::new(move |shared| {
            Box::pin(async move {
                if answer.is_closed() {
                    return;
                }
                let outcome = match shared.connection().await {
                    Ok(mut db) if view == View::Newest => caught(async { body(&mut db).await }).await,
                    Ok(db) => snapshot(db, body).await,
                    Err(error) => Err(error),
                };
                let _ = answer.send(outcome);
            })
        }))?;
        Ok(outcome)
    }

    fn queue(&self, job: Driven) -> Result<()> {
        self.jobs.try_send(job).map_err(|_| Error::Unavailable(String::from("too many requests are waiting")))
    }
}

impl Shared {
    async fn connection(&self) -> Result<Db> {
        let client = self.pool.get().await.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Db::postgres(client, self.conflicts.clone()))
    }
}

/// Runs queued jobs, as many at once as there are connections. The others stay in the queue, where they are
/// bounded; started, they would wait for a connection in a crowd that nothing bounds.
async fn drive(queue: &mut mpsc::Receiver<Driven>, shared: &Arc<Shared>, connections: usize) {
    let free = Arc::new(Semaphore::new(connections));
    while let Some(job) = queue.recv().await {
        let Ok(place) = free.clone().acquire_owned().await else { break };
        let running = job(shared.clone());
        tokio::task::spawn_local(async move {
            running.await;
            drop(place);
        });
    }
    // The store was closed: those that run may finish.
    let all = u32::try_from(connections).unwrap_or(u32::MAX);
    let _ = free.acquire_many(all).await;
}

/// A panic of a body becomes an error, so that its connection is rolled back like any other's.
async fn caught<T>(body: impl Future<Output = Result<T>>) -> Result<T> {
    let mut body = pin!(body);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Error::Database(String::from("a transaction panicked")))))
    })
    .await
}

async fn open(
    config: tokio_postgres::Config,
    connections: usize,
    on_commit: OnCommit,
    random: Random,
) -> Result<Shared> {
    let manager =
        Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    // A promoted replica or a restored copy answers on the same address: each new connection is asked which
    // history it belongs to before it is used.
    let check = Hook::async_fn(move |client, _| {
        let random = random.clone();
        Box::pin(async move {
            era::witness(client, &random).await.map_err(|error| HookError::message(error.to_string()))
        })
    });
    let pool = Pool::builder(manager)
        .max_size(connections)
        .post_create(check)
        .build()
        .map_err(|error| Error::Database(error.to_string()))?;
    let client = pool.get().await.map_err(|error| Error::Unavailable(error.to_string()))?;
    let conflicts = Arc::new(conflicts(&client).await?);
    Ok(Shared { pool, conflicts, on_commit })
}

async fn snapshot<T, F>(mut db: Db, body: F) -> Result<T>
where
    F: AsyncFnOnce(&mut Db) -> Result<T>,
{
    db.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let outcome = caught(async { body(&mut db).await }).await;
    if db.control("ROLLBACK").await.is_err() {
        db.discard();
    }
    outcome
}

async fn write<T, F>(shared: &Shared, body: F) -> Result<T>
where
    T: Send + 'static,
    F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
{
    let mut tries = 0;
    loop {
        if tries > 0 {
            tokio::time::sleep(PAUSE * tries).await;
        }
        tries += 1;
        let mut tx = Tx::new(shared.connection().await?);
        tx.control("BEGIN").await?;
        let outcome = caught(async { body(&mut tx).await }).await;
        match tx.judge(outcome) {
            Ok(output) => {
                let hints = tx.take_hints();
                match commit(&mut tx).await {
                    Ok(()) => {
                        announce(&shared.on_commit, &hints);
                        return Ok(output);
                    }
                    Err(Error::Retry(_)) if tries < TRIES => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => {
                let again = tx.retry && tries < TRIES;
                if tx.control("ROLLBACK").await.is_err() {
                    tx.discard();
                }
                if !again {
                    return Err(error);
                }
            }
        }
    }
}

/// PostgreSQL answers the COMMIT of a spoiled transaction with success, so [`Tx::judge`] comes first.
async fn commit(tx: &mut Tx) -> Result<()> {
    match tx.control("COMMIT").await {
        Err(Error::Unavailable(text)) => Err(Error::Unknown(text)),
        done => done,
    }
}

pub(crate) async fn query(
    client: &Object,
    conflicts: &Conflicts,
    sql: &str,
    list: &[&dyn Param],
    read: &mut (dyn FnMut(Row<'_>) -> Result<(), String> + '_),
) -> Result<()> {
    let statement = client.prepare_cached(sql).await.map_err(|error| classify(&error, conflicts))?;
    let params: Vec<_> = list.iter().map(|param| param.postgres()).collect();
    let rows = client.query(&statement, &params).await.map_err(|error| classify(&error, conflicts))?;
    for row in &rows {
        read(Row::Postgres(row)).map_err(Error::Database)?;
    }
    Ok(())
}

pub(crate) async fn execute(
    client: &Object,
    conflicts: &Conflicts,
    sql: &str,
    list: &[&dyn Param],
) -> Result<u64> {
    let statement = client.prepare_cached(sql).await.map_err(|error| classify(&error, conflicts))?;
    let params: Vec<_> = list.iter().map(|param| param.postgres()).collect();
    client.execute(&statement, &params).await.map_err(|error| classify(&error, conflicts))
}

pub(crate) async fn control(client: &Object, conflicts: &Conflicts, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|error| classify(&error, conflicts))
}

fn classify(error: &tokio_postgres::Error, conflicts: &Conflicts) -> Error {
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
    // Class 08 connection, 53 resources, 57 operator intervention (shutdown, cancelled).
    match code.code().get(..2) {
        Some("08" | "53" | "57") => Error::Unavailable(text),
        _ => Error::Database(text),
    }
}

async fn conflicts(client: &Object) -> Result<HashMap<String, String>> {
    let sql = "SELECT i.relname::text, t.relname || '(' || string_agg(a.attname, ',' ORDER BY k.n) || ')'
        FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = current_schema()
        CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
        WHERE x.indisunique GROUP BY i.relname, t.relname";
    let rows = client.query(sql, &[]).await.map_err(|error| Error::Database(error.to_string()))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
