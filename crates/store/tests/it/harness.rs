//! Runs a test on a database of its own and removes the database whatever becomes of the test.
//!
//! PostgreSQL is the server at `FAIRWEATHER_TEST_POSTGRES` (`postgres://user@host:port/database`); without it
//! those tests say that they were skipped, or fail where everything must run (`CI`, `FAIRWEATHER_TEST_ALL`).

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use store::Url;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::NoTls;

use crate::test_store::{Database, TestStore};
use crate::writer;

/// Stamps tests on the databases they are named for.
macro_rules! stamp {
    (both: [$($both:ident),+ $(,)?]) => {
        stamp! { both: [$($both),+], sqlite: [], postgres: [] }
    };
    (
        both: [$($both:ident),* $(,)?],
        sqlite: [$($sqlite:ident),* $(,)?],
        postgres: [$($postgres:ident),* $(,)?] $(,)?
    ) => {
        mod sqlite {
            $(#[test] fn $both() { crate::harness::on_sqlite(super::$both); })*
            $(#[test] fn $sqlite() { crate::harness::on_sqlite(super::$sqlite); })*
        }

        mod postgres {
            $(#[test] fn $both() { crate::harness::on_postgres(super::$both); })*
            $(#[test] fn $postgres() { crate::harness::on_postgres(super::$postgres); })*
        }
    };
}

/// Runs the test on a new file.
pub fn on_sqlite(test: impl AsyncFnOnce(TestStore)) {
    if runtime().block_on(writer::runs_here()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(Url::Sqlite(folder.path().join("fairweather.db")));
    let runtime = runtime();
    runtime.block_on(async { test(TestStore::open(database).await).await });
}

/// Runs the test in a new database, which is dropped at the end.
pub fn on_postgres(test: impl AsyncFnOnce(TestStore)) {
    if runtime().block_on(writer::runs_here()) {
        return;
    }
    let Ok(server) = env::var("FAIRWEATHER_TEST_POSTGRES") else {
        let all = ["CI", "FAIRWEATHER_TEST_ALL"].into_iter().find(|name| env::var_os(name).is_some());
        if let Some(name) = all {
            panic!("{name} is set, so this must run on PostgreSQL too: set FAIRWEATHER_TEST_POSTGRES");
        }
        eprintln!("skipped: FAIRWEATHER_TEST_POSTGRES is not set");
        return;
    };
    let runtime = runtime();
    let name = format!("fairweather_contract_{:016x}", RandomState::new().build_hasher().finish());
    runtime.block_on(administer(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")));
    let database = Database::new(Url::Postgres(named(&server, &name)));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { test(TestStore::open(database).await).await });
    }));
    runtime.block_on(administer(&server, &format!("DROP DATABASE {name} WITH (FORCE)")));
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// Two threads, so that a test's tasks really run beside each other.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn administer(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// The server's address with another database in it.
fn named(server: &str, name: &str) -> String {
    let (address, settings) = server.split_once('?').map_or((server, None), |(a, s)| (a, Some(s)));
    let (scheme, rest) = address.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap_or_default();
    let settings = settings.map_or_else(String::new, |settings| format!("?{settings}"));
    format!("{scheme}://{host}/{name}{settings}")
}
