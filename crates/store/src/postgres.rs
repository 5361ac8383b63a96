//! PostgreSQL: a pool, and one thread on which all transaction bodies run.
//!
//! Bodies are not `Send` (an async closure's future seldom is), so they run on a thread of their own; callers
//! wait for a channel. The pool is opened there too, since its connections belong to that thread's runtime.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use domain::{Clock, Random};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use crate::answer::{Answer, Start};
use crate::connect::{Target, unreachable};
use crate::error::{Error, Result};
use crate::relocation::HALF_MOVED;
use crate::transaction::{Db, Tx};
use crate::wire::{POOLER, Terms, classify};
use crate::{Ended, OnCommit, Patience, PostgresOptions, View, announce, era, server_time};

/// Waiting transactions; one more is refused.
const QUEUE: usize = 4096;
/// How often a body is run again when the server gave way to another transaction.
const TRIES: u32 = 3;
/// How long the first of them waits, the next twice as long. The transaction that was preferred needs this time:
/// a body that runs again at once takes the same locks before it, and stands in its way once more.
const PAUSE: Duration = Duration::from_millis(10);
/// How much longer than a statement may take its answer is waited for, before the server counts as gone.
const GRACE: Duration = Duration::from_secs(5);
/// How long the server keeps a transaction whose client says nothing. What a node that froze or died has locked is
/// locked so long, and whoever waits for it holds a connection of a healthy node. A node at work is silent for
/// milliseconds.
const SILENT: Duration = Duration::from_secs(5);

type Driven = Box<dyn FnOnce(Arc<Shared>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

pub(crate) struct Postgres {
    jobs: mpsc::Sender<Driven>,
    ended: Ended,
    wait: Duration,
    pub(crate) round_trips: Arc<AtomicU64>,
}

pub(crate) struct Shared {
    pool: Pool,
    terms: Arc<Terms>,
    on_commit: OnCommit,
    /// For a connection that has to be made first.
    wait: Duration,
}

impl Postgres {
    /// Opens the pool and reads the constraints; the schema must be in place.
    pub(crate) async fn start(
        target: Target,
        options: PostgresOptions,
        on_commit: OnCommit,
        random: Random,
        clock: Clock,
    ) -> Result<Self> {
        let connections = options.connections.max(1);
        let wait = options.patience.wait;
        let round_trips = Arc::<AtomicU64>::default();
        let counted = round_trips.clone();
        let (jobs, mut queue) = mpsc::channel::<Driven>(QUEUE);
        let (ready, started) = oneshot::channel();
        let (alive, ended) = Ended::pair();
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
                let shared = match open(target, options, on_commit, (random, clock.clone()), counted).await {
                    Ok(shared) => Arc::new(shared),
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                let _ = ready.send(Ok(()));
                if !clock.is_fixed() {
                    tokio::task::spawn_local(keep_time(shared.clone(), clock));
                }
                drive(&mut queue, &shared, connections).await;
            });
        };
        let spawned = std::thread::Builder::new().name(String::from("store-postgres")).spawn(body);
        spawned.map_err(|error| Error::Unavailable(format!("cannot start a thread: {error}")))?;
        started.await.map_err(|_| Error::Unavailable(String::from("the database thread ended")))??;
        Ok(Self { jobs, ended, wait, round_trips })
    }

    pub(crate) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    pub(crate) fn write<T, F>(&self, body: F) -> Result<Answer<T>>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let start = Start::default();
        let place = start.clone();
        self.queue(Box::new(move |shared| {
            Box::pin(async move {
                if place.begin() {
                    let outcome = write(&shared, body, || !answer.is_closed()).await;
                    let _ = answer.send(outcome);
                }
            })
        }))?;
        Ok(Answer::queued(outcome, start, self.wait))
    }

    pub(crate) fn read<T, F>(&self, view: View, body: F) -> Result<Answer<T>>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let start = Start::default();
        let place = start.clone();
        self.queue(Box::new(move |shared| {
            Box::pin(async move {
                if answer.is_closed() || !place.begin() {
                    return;
                }
                let mut db = match shared.connection().await {
                    Ok(db) => db,
                    Err(error) => {
                        let _ = answer.send(Err(error));
                        return;
                    }
                };
                if view == View::Newest {
                    let _ = answer.send(caught(async { body(&mut db).await }).await);
                    db.give_back();
                } else {
                    let _ = answer.send(snapshot(&mut db, body).await);
                    // There is nothing in it that could fail, so nobody waits for its end.
                    db.roll_back().await;
                }
            })
        }))?;
        Ok(Answer::queued(outcome, start, self.wait))
    }

    fn queue(&self, job: Driven) -> Result<()> {
        self.jobs.try_send(job).map_err(|_| Error::Unavailable(String::from("too many requests are waiting")))
    }
}

impl Shared {
    async fn connection(&self) -> Result<Db> {
        let client = timeout(self.wait, self.pool.get()).await;
        let client =
            client.map_err(|_| Error::Unavailable(String::from("PostgreSQL takes no connection in time")))?;
        let client = client.map_err(|error| Error::Unavailable(reason(&error)))?;
        Ok(Db::postgres(client, self.terms.clone()))
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
    mut target: Target,
    options: PostgresOptions,
    on_commit: OnCommit,
    (random, clock): (Random, Clock),
    round_trips: Arc<AtomicU64>,
) -> Result<Shared> {
    let PostgresOptions { connections, pooler, patience: Patience { wait, statement, lock } } = options;
    let limits = [
        ("statement_timeout", statement),
        ("lock_timeout", lock),
        ("idle_in_transaction_session_timeout", SILENT),
    ];
    // A pooler refuses settings at the start, or would lend a connection with ours to others.
    let settings = if pooler {
        let set = |(name, value): &(&str, Duration)| format!("; SET LOCAL {name} = {}", value.as_millis());
        limits.iter().map(set).collect()
    } else {
        target.set(&limits);
        String::new()
    };
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(target.config, target.tls, config);
    // A promoted replica or a restored copy answers on the same address: each new connection is asked which
    // history it belongs to before it is used, and for the time.
    let check = Hook::async_fn(move |client, _| {
        let (random, clock) = (random.clone(), clock.clone());
        Box::pin(async move {
            let asked = async {
                era::witness(client, &random).await?;
                server_time::follow(client, &clock).await
            };
            asked.await.map_err(|error: Error| HookError::message(error.to_string()))
        })
    });
    let pool = Pool::builder(manager)
        .max_size(connections.max(1))
        .post_create(check)
        .build()
        .map_err(|error| Error::Database(error.to_string()))?;
    let client = pool.get().await.map_err(|error| Error::Unavailable(reason(&error)))?;
    let conflicts = conflicts(&client).await?;
    let unfinished = "SELECT 1 FROM database_move WHERE ended_at = 0";
    if !client.query_typed(unfinished, &[]).await.map_err(|error| classify(&error, &conflicts))?.is_empty() {
        return Err(Error::Database(String::from(HALF_MOVED)));
    }
    let terms = Terms { conflicts, pooler, settings, bound: statement + GRACE, round_trips };
    Ok(Shared { pool, terms: Arc::new(terms), on_commit, wait })
}

/// Why the pool gave no connection.
fn reason(error: &deadpool_postgres::PoolError) -> String {
    match error {
        deadpool_postgres::PoolError::Backend(error)
            if error.code() == Some(&SqlState::PROTOCOL_VIOLATION) =>
        {
            format!("{}: {POOLER}", unreachable(error))
        }
        deadpool_postgres::PoolError::Backend(error) => unreachable(error).to_string(),
        other => other.to_string(),
    }
}

/// Looks at the server's clock now and then, for as long as the store is open.
async fn keep_time(shared: Arc<Shared>, clock: Clock) {
    loop {
        tokio::time::sleep(server_time::EVERY).await;
        // Where there is no connection to be had, there is another time for it.
        let Ok(Ok(client)) = timeout(shared.wait, shared.pool.get()).await else { continue };
        if !matches!(timeout(shared.terms.bound, server_time::follow(&client, &clock)).await, Ok(Ok(()))) {
            // The next to be lent it would wait behind the question.
            drop(Object::take(client));
        }
    }
}

async fn snapshot<T, F>(db: &mut Db, body: F) -> Result<T>
where
    F: AsyncFnOnce(&mut Db) -> Result<T>,
{
    db.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    caught(async { body(db).await }).await
}

/// Nothing is committed for a caller who has given up: they were told that it was not done, and may have done
/// something else since.
async fn write<T, F>(shared: &Shared, body: F, is_awaited: impl Fn() -> bool) -> Result<T>
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
        if !is_awaited() {
            return Err(given_up());
        }
        let mut tx = Tx::new(shared.connection().await?);
        // Named, because a database may have another default, under which writers are refused that only wait here.
        tx.begin("BEGIN ISOLATION LEVEL READ COMMITTED")?;
        let outcome = caught(async { body(&mut tx).await }).await;
        // A connection that lay idle while the server was restarted: nothing has been done on it.
        if tx.was_not_begun() && tries < TRIES {
            tx.discard();
            continue;
        }
        if !is_awaited() {
            tx.roll_back().await;
            return Err(given_up());
        }
        match tx.judge(outcome) {
            Ok(output) => {
                let hints = tx.take_hints();
                match tx.commit().await {
                    Ok(()) => {
                        announce(&shared.on_commit, &hints);
                        return Ok(output);
                    }
                    Err(_) if tx.was_not_begun() && tries < TRIES => tx.discard(),
                    Err(error) => {
                        // One that was cancelled before it did anything leaves its transaction open.
                        tx.roll_back().await;
                        if tries == TRIES || !matches!(error, Error::Retry(_)) {
                            return Err(error);
                        }
                    }
                }
            }
            Err(error) => {
                let again = tx.retry && tries < TRIES;
                tx.roll_back().await;
                if !again {
                    return Err(error);
                }
            }
        }
    }
}

fn given_up() -> Error {
    Error::Unavailable(String::from("nobody waits for it any more"))
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
    let rows = client.query_typed(sql, &[]).await.map_err(|error| Error::Database(error.to_string()))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
