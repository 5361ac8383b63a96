//! A store under test, and a look at its database past the store.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{AccountId, Clock, FavouriteId, Random, SessionId, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use store::{Error, Hint, OnCommit, Options, PostgresOptions, Result, Store, Url, accounts};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use uuid::Uuid;

/// The moment at which tests happen unless they say otherwise.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

/// Connections of a store on PostgreSQL.
const CONNECTIONS: usize = 4;

/// A database, which may be opened by several stores after or beside each other.
#[derive(Clone)]
pub struct Database {
    pub url: Url,
    /// Seeded, so that a failure repeats; shared, so that two stores do not draw the same.
    pub random: Random,
}

impl Database {
    pub fn new(url: Url) -> Self {
        Self::seeded(url, 1)
    }

    pub fn seeded(url: Url, seed: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        Self { url, random: Random::new(move |bytes| source.fill_bytes(bytes)) }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.url, Url::Sqlite(_))
    }

    pub async fn open(&self, on_commit: OnCommit) -> Result<Store> {
        self.open_with(PostgresOptions { connections: CONNECTIONS, ..PostgresOptions::default() }, on_commit)
            .await
    }

    /// The same with other options for PostgreSQL.
    pub async fn open_with(&self, postgres: PostgresOptions, on_commit: OnCommit) -> Result<Store> {
        let (url, random) = (self.url.clone(), self.random.clone());
        let clock = Clock::fixed(NOW);
        Store::open(Options { url, readers: 2, postgres, random, clock, on_commit }).await
    }

    /// First columns of a query's rows as text, read on a connection that the store knows nothing of.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        match &self.url {
            Url::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let mut rows = statement.query([]).unwrap();
                let mut found = Vec::new();
                while let Some(row) = rows.next().unwrap() {
                    found.push(match row.get_ref(0).unwrap() {
                        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                        other => String::from_utf8_lossy(other.as_bytes().unwrap()).into_owned(),
                    });
                }
                found
            }
            Url::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                let rows = client.simple_query(sql).await.unwrap();
                drop(client);
                connection.await.unwrap().unwrap();
                let text = |message: &SimpleQueryMessage| match message {
                    SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                };
                rows.iter().filter_map(text).collect()
            }
        }
    }

    /// The one number that a query finds.
    pub async fn number(&self, sql: &str) -> i64 {
        let column = self.column(sql).await;
        assert_eq!(column.len(), 1, "{sql}");
        column[0].parse().unwrap()
    }

    /// Changes the database past the store.
    pub async fn run(&self, sql: &str) {
        match &self.url {
            Url::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Url::Postgres(_) => {
                self.column(sql).await;
            }
        }
    }

    /// [`Database::number`] for a place that cannot wait: it runs on a thread of its own.
    pub fn number_from_outside(&self, sql: &str) -> i64 {
        let (database, sql) = (self.clone(), sql.to_owned());
        let look = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(database.number(&sql))
        };
        std::thread::spawn(look).join().unwrap()
    }

    /// How the database writes an id in SQL.
    pub fn literal(&self, id: Uuid) -> String {
        if self.is_sqlite() { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
    }

    /// Tables of the schema, or only those with the column.
    pub async fn tables(&self, column: Option<&str>) -> Vec<String> {
        let columns = if self.is_sqlite() {
            "SELECT DISTINCT t.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        } else {
            "SELECT DISTINCT t.table_name FROM information_schema.tables t
             JOIN information_schema.columns c USING (table_schema, table_name)
             WHERE t.table_schema = current_schema()"
        };
        let name = if self.is_sqlite() { "c.name" } else { "c.column_name" };
        let only = column.map_or_else(String::new, |column| format!(" AND {name} = '{column}'"));
        self.column(&format!("{columns}{only} ORDER BY 1")).await
    }
}

/// An open store, and what its listener heard.
#[derive(Clone)]
pub struct TestStore {
    store: Arc<Store>,
    pub database: Database,
    pub heard: Heard,
}

/// What a listener was told: one list per call.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<Vec<Hint>>>>);

impl Heard {
    pub fn listener(&self) -> OnCommit {
        let heard = self.clone();
        Arc::new(move |hints| heard.0.lock().unwrap().push(hints.to_vec()))
    }

    pub fn commits(&self) -> Vec<Vec<Hint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Heads that were told of one account, in order.
    pub fn heads(&self, account: AccountId) -> Vec<i64> {
        self.commits().into_iter().flatten().filter(|hint| hint.account == account).map(|h| h.head).collect()
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub async fn open(database: Database) -> Self {
        let heard = Heard::default();
        let store = database.open(heard.listener()).await.unwrap();
        Self { store: Arc::new(store), database, heard }
    }

    /// The same with other options for PostgreSQL.
    pub async fn open_with(database: Database, postgres: PostgresOptions) -> Self {
        let heard = Heard::default();
        let store = database.open_with(postgres, heard.listener()).await.unwrap();
        Self { store: Arc::new(store), database, heard }
    }

    /// Closes the store; the database stays. No clone may be left.
    pub async fn close(self) -> Database {
        let store = Arc::into_inner(self.store);
        store.expect("somebody still holds the store").close().await;
        self.database
    }

    pub fn is_sqlite(&self) -> bool {
        self.database.is_sqlite()
    }

    pub fn account_id(&self) -> AccountId {
        AccountId::new(NOW, &self.database.random)
    }

    pub fn session_id(&self) -> SessionId {
        SessionId::new(NOW, &self.database.random)
    }

    pub fn favourite_id(&self) -> FavouriteId {
        FavouriteId::new(NOW, &self.database.random)
    }

    /// A new anonymous account.
    pub async fn account(&self) -> AccountId {
        let id = self.account_id();
        self.write(async move |tx| accounts::insert(tx, id, b"data key", "user", NOW).await).await.unwrap();
        id
    }

    /// Rows of a table that belong to the account.
    pub async fn rows(&self, table: &str, account: AccountId) -> i64 {
        let id = self.database.literal(account.uuid());
        self.database.number(&format!("SELECT count(*) FROM {table} WHERE account_id = {id}")).await
    }

    /// Occupies every connection that writes, so that nothing leaves the queue until all senders were used.
    pub async fn hold_all(&self) -> Vec<(oneshot::Sender<()>, JoinHandle<Result<()>>)> {
        let mut held = Vec::new();
        for _ in 0..if self.is_sqlite() { 1 } else { CONNECTIONS } {
            held.push(self.hold().await);
        }
        held
    }

    /// Returns when nothing runs that was queued before: then every connection can be had at once.
    pub async fn quiet(&self) {
        for (leave, held) in self.hold_all().await {
            leave.send(()).unwrap();
            held.await.unwrap().unwrap();
        }
    }

    /// Keeps a transaction open, on SQLite the writer with it, until the sender is used.
    pub async fn hold(&self) -> (oneshot::Sender<()>, JoinHandle<Result<()>>) {
        let (enter, entered) = oneshot::channel();
        let (leave, left) = oneshot::channel();
        let once = Mutex::new(Some((enter, left)));
        let blocking = self.is_sqlite();
        let held = tokio::spawn(self.write(async move |_| {
            let parts = once.lock().unwrap().take();
            let Some((enter, left)) = parts else { return Ok(()) };
            enter.send(()).map_err(|()| Error::Awaited)?;
            // On SQLite a body runs on a thread that may block; on PostgreSQL on one that must not.
            let left = if blocking { left.blocking_recv() } else { left.await };
            left.map_err(|_| Error::Awaited)
        }));
        entered.await.unwrap();
        (leave, held)
    }
}
