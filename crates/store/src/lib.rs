//! Every SQL statement, once; SQLite and PostgreSQL; migrations; group commit.
//!
//! One file per aggregate, each with its statements on top and functions over [`Tx`] or [`Db`] below. Finders
//! of private data take the owner. "Absent" is `Ok(None)`; errors mean trouble. No rules here, no HTTP.

#![expect(
    clippy::type_complexity,
    reason = "a statement's type lists its parameters and columns where they are read"
)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Clock, Random, Timestamp};
use tokio::sync::watch;

mod address;
mod answer;
mod connect;
mod copies;
mod era;
mod error;
mod expiry;
mod identity;
mod migrations;
mod place_filter;
mod postgres;
mod row_value;
mod server_time;
mod sqlite;
mod statement;
mod tls;
mod transaction;
mod wire;

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod cells;
pub mod challenges;
pub mod claims;
pub mod compaction;
pub mod email_changes;
pub mod erasures;
pub mod favourites;
pub mod identities;
pub mod mail;
pub mod notify;
pub mod oauth;
pub mod passkeys;
pub mod password_resets;
pub mod receipts;
pub mod recovery_codes;
pub mod registrations;
pub mod relocation;
pub mod secrets;
pub mod sessions;
pub mod sync;
pub mod throttles;
pub mod tickets;
pub mod tombstones;
pub mod totp;
pub mod webhooks;
pub mod wrapped;

pub use address::masked;
pub use connect::Target;
pub use copies::copies_of;
pub use error::{Error, Result};
pub use expiry::CHUNK;
pub use identity::Identity;
pub use migrations::{Report, Step, migrate};
pub use transaction::{Db, Hint, Tx};

use answer::Answer;

/// Called after each commit that moved an account's log, before its callers are answered.
pub type OnCommit = Arc<dyn Fn(&[Hint]) + Send + Sync>;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Url {
    Sqlite(PathBuf),
    Postgres(String),
}

impl FromStr for Url {
    type Err = domain::Error;

    /// `postgres://…`, `postgresql://…` or `sqlite:PATH`.
    fn from_str(text: &str) -> domain::Result<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => {
                Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
            }
            _ => {
                Err(domain::Invalid::new("--database", "malformed", "must be postgres://… or sqlite:PATH")
                    .into())
            }
        }
    }
}

/// Shows no password.
impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl Url {
    /// The host on another machine to which data would travel in plain text although nobody said that it may
    /// (`sslmode=disable`).
    pub fn plain_host(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            // One that cannot be used at all says so when it is.
            Self::Postgres(url) => Target::parse(url).ok()?.plain_host(),
        }
    }

    /// The file, when the data lives in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

/// How to open a store.
pub struct Options {
    pub url: Url,
    /// Reader threads (SQLite).
    pub readers: usize,
    pub postgres: PostgresOptions,
    pub random: Random,
    /// Set by PostgreSQL's, so that all nodes have one.
    pub clock: Clock,
    pub on_commit: OnCommit,
}

/// How to use PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    pub connections: usize,
    /// Whether a pooler that lends a connection for one transaction stands in between (PgBouncer).
    pub pooler: bool,
    pub patience: Patience,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: 16, pooler: false, patience: Patience::default() }
    }
}

/// How long to wait for PostgreSQL before a request is refused as one that may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a free connection.
    pub wait: Duration,
    /// For one statement, which the server then cancels.
    pub statement: Duration,
    /// For what another transaction has locked.
    pub lock: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(5),
            statement: Duration::from_secs(10),
            lock: Duration::from_secs(2),
        }
    }
}

/// What the statements of one read see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// Each the newest commit.
    Newest,
    /// All the same commits.
    Snapshot,
}

/// The data of one installation.
pub struct Store {
    backend: Backend,
    exclusive: bool,
    /// The file, when the data lives in one.
    file: Option<PathBuf>,
}

enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Migrates and opens.
    pub async fn open(options: Options) -> Result<Self> {
        let Options { url, readers, postgres, random, clock, on_commit } = options;
        match &url {
            Url::Sqlite(path) => {
                let mut writer = sqlite::open(path)?;
                migrations::on_open(&mut writer, path)?;
                let era = era::draw(&random);
                let backend = sqlite::Sqlite::start(path, writer, era, readers, on_commit)?;
                Ok(Self { backend: Backend::Sqlite(backend), exclusive: true, file: Some(path.clone()) })
            }
            Url::Postgres(server) => {
                migrate(&url, false).await?;
                let target = Target::parse(server)?;
                let backend = postgres::Postgres::start(target, postgres, on_commit, random, clock).await?;
                Ok(Self { backend: Backend::Postgres(backend), exclusive: false, file: None })
            }
        }
    }

    /// Lets what is queued finish, closes all connections and returns when they are closed: after that, a
    /// SQLite file is whole without its write-ahead log and may be copied.
    pub async fn close(self) {
        let closed = self.closed();
        drop(self);
        closed.await;
    }

    /// Waits until the store was dropped by all who hold it and its connections are closed.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.ended(),
            Backend::Postgres(postgres) => postgres.ended(),
        }
        .wait()
    }

    /// Begins a new era, which each account enters with its next write: cursors of a history that was lost are told
    /// apart from then on. Nodes that run need not be told, as each write reads the era.
    pub async fn begin_era(&self, random: &Random) -> Result<()> {
        let random = random.clone();
        self.write(async move |tx| era::replace(tx, &random).await).await
    }

    /// Moves the write-ahead log of a SQLite file into it, so that the next start has none to read. Waits for
    /// transactions at work; the store can be used on.
    pub async fn settle(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.settle().await,
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Removes the copies that newer versions made of the file before `end`, and tells which.
    pub async fn remove_copies(&self, end: Timestamp) -> Result<Vec<PathBuf>> {
        let Some(file) = self.file.clone() else { return Ok(Vec::new()) };
        let removed = tokio::task::spawn_blocking(move || copies::remove_older(&file, end)).await;
        let removed = removed.map_err(|error| Error::Database(error.to_string()))?;
        removed.map_err(|error| Error::Database(format!("copies from before an upgrade: {error}")))
    }

    /// Whether this process is the only writer, so that what it knows of heads is exact.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// How often PostgreSQL was asked and waited for: what a request costs in time. SQLite is in this process.
    pub fn round_trips(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(_) => 0,
            Backend::Postgres(postgres) => postgres.round_trips.load(Ordering::Relaxed),
        }
    }

    /// Runs a transaction and answers after its commit is durable.
    ///
    /// The body may run more than once: it must have no effect but through `tx`, and must await nothing else.
    /// It runs on a database thread, so the returned future is `Send` whatever the body holds.
    pub fn write<T, F>(&self, body: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let queued = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(body).map(Answer::certain),
            Backend::Postgres(postgres) => postgres.write(body),
        };
        async move { queued?.get().await }
    }

    /// Reads on a connection of its own. Each statement sees the newest commit.
    pub fn read<T, F>(&self, body: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        self.read_as(View::Newest, body)
    }

    /// Reads as of one moment: all statements see the same commits. Costs two round trips more on PostgreSQL.
    pub fn snapshot<T, F>(&self, body: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        self.read_as(View::Snapshot, body)
    }

    fn read_as<T, F>(&self, view: View, body: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let queued = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(view, body).map(Answer::certain),
            Backend::Postgres(postgres) => postgres.read(view, body),
        };
        async move { queued?.get().await }
    }
}

/// Tells the listener of a commit. The commit stands whatever becomes of the listener, and the thread that
/// calls it must live on for everybody else.
fn announce(on_commit: &OnCommit, hints: &[Hint]) {
    if !hints.is_empty() && catch_unwind(AssertUnwindSafe(|| on_commit(hints))).is_err() {
        tracing::error!(accounts = hints.len(), "a listener panicked after a commit");
    }
}

/// Tells when the threads of a store have ended.
#[derive(Clone)]
struct Ended(watch::Receiver<()>);

impl Ended {
    /// The first half goes to the thread that ends last.
    fn pair() -> (watch::Sender<()>, Self) {
        let (alive, ended) = watch::channel(());
        (alive, Self(ended))
    }

    async fn wait(mut self) {
        // Nothing is ever sent: the end drops the other half.
        while self.0.changed().await.is_ok() {}
    }
}

fn closed() -> Error {
    Error::Unavailable(String::from("the database thread ended"))
}
