//! Runs a story on a database of its own and removes the database whatever becomes of the story.
//!
//! PostgreSQL is the server at `FAIRWEATHER_TEST_POSTGRES` (`postgres://user@host:port/database`); without it
//! those stories say that they were skipped, or fail where everything must run (`CI`, `FAIRWEATHER_TEST_ALL`).

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::TestApp;
use crate::events::SOON;

/// Stamps stories, each an `async fn(TestApp)`, on both databases: `sqlite::name` and `postgres::name`. Those that
/// need several nodes are for PostgreSQL alone.
#[macro_export]
macro_rules! stamp {
    (both: [$($both:ident),+ $(,)?]) => {
        $crate::stamp! { both: [$($both),+], postgres: [] }
    };
    (both: [$($both:ident),+ $(,)?], postgres: [$($postgres:ident),* $(,)?] $(,)?) => {
        mod sqlite {
            $(#[test] fn $both() { $crate::databases::on_sqlite(super::$both); })+
        }

        mod postgres {
            $(#[test] fn $both() { $crate::databases::on_postgres(super::$both); })+
            $(#[test] fn $postgres() { $crate::databases::on_postgres(super::$postgres); })*
        }
    };
}

/// Where an app under test keeps its data.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file in the app's own data folder.
    Sqlite(PathBuf),
    /// A database of a server that the tests were given.
    Postgres(String),
}

/// Runs the story on a new SQLite file.
pub fn on_sqlite(story: impl AsyncFnOnce(TestApp)) {
    runtime().block_on(async { story(TestApp::start().await).await });
}

/// Runs the story in a new database, which is dropped at the end.
///
/// # Panics
/// When the story does, when the server cannot be used, or when it is not named although it must be.
pub fn on_postgres(story: impl AsyncFnOnce(TestApp)) {
    if server().is_some() {
        in_new_database(|database| {
            runtime().block_on(async { story(TestApp::start_on(Some(database)).await).await });
        });
    }
}

/// The PostgreSQL server that the tests were given; `None`, said aloud, where there need not be one.
///
/// # Panics
/// When there must be one.
pub fn server() -> Option<String> {
    named_for_tests("FAIRWEATHER_TEST_POSTGRES")
}

/// What an environment variable names for the tests; `None`, said aloud, where it need not be there.
pub(crate) fn named_for_tests(variable: &str) -> Option<String> {
    let named = env::var(variable).ok();
    if named.is_none() {
        skip(&format!("{variable} is not set"));
    }
    named
}

/// Says aloud that something is not tried.
///
/// # Panics
/// Where everything must be tried.
pub fn skip(why: &str) {
    if let Some(name) = ["CI", "FAIRWEATHER_TEST_ALL"].into_iter().find(|name| env::var_os(name).is_some()) {
        panic!("{name} is set, so this must be tried: {why}");
    }
    eprintln!("skipped: {why}");
}

/// Gives the address of a new database of that server, and drops it whatever becomes of the work.
///
/// # Panics
/// When the work does, or when the server cannot be used.
pub fn in_new_database<T>(work: impl FnOnce(String) -> T) -> T {
    let server = server().expect("a PostgreSQL server");
    let name = format!("fairweather_story_{:016x}", RandomState::new().build_hasher().finish());
    let administration = runtime();
    administration.block_on(query(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")));
    let database = named(&server, &name);
    let outcome = catch_unwind(AssertUnwindSafe(|| work(database)));
    administration.block_on(query(&server, &format!("DROP DATABASE {name} WITH (FORCE)")));
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Two threads, so that requests really run beside each other.
///
/// # Panics
/// When the machine has no threads left.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

impl Database {
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// First columns of a query's rows as text (blobs as lower-case hex), past the application.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file opens");
                connection.busy_timeout(Duration::from_secs(5)).expect("a timeout can be set");
                let mut statement = connection.prepare(sql).expect(sql);
                let mut rows = statement.query([]).expect(sql);
                let mut found = Vec::new();
                while let Some(row) = rows.next().expect(sql) {
                    found.push(match row.get_ref(0).expect(sql) {
                        rusqlite::types::ValueRef::Null => String::new(),
                        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                        rusqlite::types::ValueRef::Real(number) => number.to_string(),
                        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                        rusqlite::types::ValueRef::Blob(bytes) => hex(bytes),
                    });
                }
                found
            }
            Self::Postgres(url) => query(url, sql).await,
        }
    }

    /// The one number that a query finds.
    ///
    /// # Panics
    /// When it finds something else.
    pub async fn number(&self, sql: &str) -> i64 {
        let column = self.column(sql).await;
        let [only] = column.as_slice() else { panic!("{sql} found {} rows", column.len()) };
        only.parse().expect("a number")
    }

    /// Waits until the number that a query finds is right.
    ///
    /// # Panics
    /// When that takes too long, or the query finds something else.
    pub async fn until(&self, sql: &str, is_right: impl Fn(i64) -> bool) {
        let waited = async {
            while !is_right(self.number(sql).await) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, waited).await.unwrap_or_else(|_| panic!("{sql} is not right"));
    }

    /// Changes the database past the application.
    ///
    /// # Panics
    /// When a statement fails.
    pub async fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file opens");
                connection.busy_timeout(Duration::from_secs(5)).expect("a timeout can be set");
                connection.execute_batch(sql).expect(sql);
            }
            Self::Postgres(url) => drop(query(url, sql).await),
        }
    }

    /// How the database writes an id in SQL.
    pub fn literal(&self, uuid: &str) -> String {
        if self.is_sqlite() { format!("x'{}'", uuid.replace('-', "")) } else { format!("'{uuid}'") }
    }

    /// All rows of all tables as text, without these columns.
    ///
    /// # Panics
    /// When a query fails.
    pub async fn dump(&self, without: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let (tables, columns) = if self.is_sqlite() {
            (
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                "SELECT name FROM pragma_table_info('TABLE')",
            )
        } else {
            (
                "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
                "SELECT column_name FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = 'TABLE'",
            )
        };
        let quote = if self.is_sqlite() { "quote" } else { "quote_nullable" };
        let mut dump = BTreeMap::new();
        for table in self.column(tables).await {
            let mut columns = self.column(&columns.replace("TABLE", &table)).await;
            columns.retain(|column| !without.contains(&(&table, column)));
            let row: Vec<_> = columns.iter().map(|column| format!("{quote}({column})")).collect();
            let sql = format!("SELECT {} FROM {table} ORDER BY 1", row.join(" || ' ' || "));
            dump.insert(table, self.column(&sql).await);
        }
        dump
    }

    /// Tables that have the column.
    pub async fn tables_with(&self, column: &str) -> Vec<String> {
        let sql = if self.is_sqlite() {
            format!(
                "SELECT DISTINCT t.name FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND c.name = '{column}' ORDER BY 1"
            )
        } else {
            format!(
                "SELECT DISTINCT c.table_name FROM information_schema.columns c
                 WHERE c.table_schema = current_schema() AND c.column_name = '{column}' ORDER BY 1"
            )
        };
        self.column(&sql).await
    }
}

async fn query(url: &str, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("PostgreSQL answers");
    let connection = tokio::spawn(connection);
    let rows = client.simple_query(sql).await.expect(sql);
    drop(client);
    connection.await.expect("the connection ends").expect("the connection ends well");
    let text = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some(row.get(0).unwrap_or_default().trim_start_matches("\\x").to_owned())
        }
        _ => None,
    };
    rows.iter().filter_map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a blob as [`Database::column`] returns it.
///
/// # Panics
/// When it is none.
pub fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits"))
        .collect()
}

/// The server's address with another database in it.
fn named(server: &str, name: &str) -> String {
    let (address, settings) = server.split_once('?').map_or((server, None), |(a, s)| (a, Some(s)));
    let (scheme, rest) = address.split_once("://").expect("an address like postgres://user@host/database");
    let host = rest.split('/').next().unwrap_or_default();
    let settings = settings.map_or_else(String::new, |settings| format!("?{settings}"));
    format!("{scheme}://{host}/{name}{settings}")
}

/// `host:port` of a URL.
pub(crate) fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['/', '?']).next()?;
    let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
    server.contains(':').then_some(server)
}
