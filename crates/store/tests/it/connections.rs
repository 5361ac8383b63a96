//! Connections to PostgreSQL as production has them: none free, too slow, behind a pooler, encrypted, cut off.

use std::time::{Duration, Instant};

use store::{Error, Patience, PostgresOptions, Url, accounts, favourites, migrate, sync};
use tokio::sync::oneshot;

use crate::changes::add;
use crate::own_server::OwnServer;
use crate::pooler;
use crate::test_store::{Database, Heard, NOW, TestStore};

stamp! {
    both: [],
    sqlite: [],
    postgres: [
        a_pool_without_a_free_connection_refuses_in_time,
        a_statement_that_takes_too_long_is_cancelled,
        what_others_have_locked_is_waited_for_in_bounds,
        a_transaction_that_goes_silent_is_ended,
        what_its_caller_has_given_up_is_not_done,
        a_server_that_takes_no_writes_is_left,
        a_pooler_in_transaction_mode_is_enough,
        a_pooler_that_nobody_told_of_is_named,
        a_cancelled_beginning_or_end_leaves_no_transaction_behind,
    ]
}

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(60);

/// The same database through a store with other options.
async fn with(store: TestStore, patience: Patience) -> TestStore {
    let database = store.close().await;
    let options = PostgresOptions { connections: 4, patience, ..PostgresOptions::default() };
    TestStore::open_with(database, options).await
}

fn is_unavailable<T: std::fmt::Debug>(outcome: Result<T, Error>, what: &str) {
    match outcome {
        Err(Error::Unavailable(text)) => assert!(text.contains(what), "{text}"),
        other => panic!("{other:?}"),
    }
}

async fn a_pool_without_a_free_connection_refuses_in_time(store: TestStore) {
    let store = with(store, Patience { wait: 3 * SHORT, ..Patience::default() }).await;
    let held = store.hold_all().await;
    let begun = Instant::now();
    let id = store.account_id();
    let insert = store.write(async move |tx| accounts::insert(tx, id, b"key", "user", NOW).await);
    is_unavailable(insert.await, "free");
    is_unavailable(store.read(async move |db| accounts::get(db, id).await).await, "free");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for (leave, held) in held {
        leave.send(()).unwrap();
        held.await.unwrap().unwrap();
    }
    // Whoever was refused can be sure that nothing was done, also later.
    store.quiet().await;
    let found = store.read(async move |db| accounts::get(db, id).await).await.unwrap();
    assert!(found.is_none());
}

/// Locks an account's log until the sender is used.
async fn lock_log(
    store: &TestStore,
    account: domain::AccountId,
) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Result<(), Error>>) {
    let (locked, is_locked) = oneshot::channel();
    let (leave, left) = oneshot::channel();
    let once = std::sync::Mutex::new(Some((locked, left)));
    let holder = tokio::spawn(store.write(async move |tx| {
        sync::lock(tx, account).await?;
        let parts = once.lock().unwrap().take();
        let Some((locked, left)) = parts else { return Ok(()) };
        locked.send(()).map_err(|()| Error::Awaited)?;
        left.await.map_err(|_| Error::Awaited)
    }));
    is_locked.await.unwrap();
    (leave, holder)
}

/// Writes of a locked account are refused with these words, and its connection can be used on.
async fn is_refused_while_locked(store: TestStore, patience: Patience, what: &str) {
    let store = with(store, patience).await;
    let account = store.account().await;
    let (leave, holder) = lock_log(&store, account).await;
    let id = store.favourite_id();
    // More often than there are connections: each must be usable afterwards. Whoever holds the lock may be silent for
    // five seconds.
    for _ in 0..5 {
        let write = store.write(async move |tx| add(tx, account, id, "a0").await);
        is_unavailable(write.await, what);
    }
    store.account().await;
    leave.send(()).unwrap();
    holder.await.unwrap().unwrap();
    store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
}

async fn a_statement_that_takes_too_long_is_cancelled(store: TestStore) {
    let patience = Patience { statement: SHORT, lock: LONG, ..Patience::default() };
    is_refused_while_locked(store, patience, "statement timeout").await;
}

async fn what_others_have_locked_is_waited_for_in_bounds(store: TestStore) {
    let patience = Patience { statement: LONG, lock: SHORT, ..Patience::default() };
    is_refused_while_locked(store, patience, "lock timeout").await;
}

/// As of a node that froze with an account locked.
async fn a_transaction_that_goes_silent_is_ended(store: TestStore) {
    let account = store.account().await;
    let (_leave, silent) = lock_log(&store, account).await;
    let ended = async {
        loop {
            let id = store.favourite_id();
            match store.write(async move |tx| add(tx, account, id, "a1").await.map(drop)).await {
                Ok(()) => break,
                Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), ended).await.expect("the lock is let go");
    silent.abort();
}

/// They were told that it was not done, and may have done something else since.
async fn what_its_caller_has_given_up_is_not_done(store: TestStore) {
    let account = store.account().await;
    let (leave, holder) = lock_log(&store, account).await;
    let id = store.favourite_id();
    let caller = tokio::spawn(store.write(async move |tx| add(tx, account, id, "a0").await));
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = async { while store.database.number(waiting).await == 0 {} };
    tokio::time::timeout(LONG, waits).await.expect("it waits for the lock");
    caller.abort();
    assert!(caller.await.is_err(), "it was given up");
    leave.send(()).unwrap();
    holder.await.unwrap().unwrap();
    // Returns when all that began has ended.
    let database = store.close().await;
    assert_eq!(database.number("SELECT count(*) FROM favourite").await, 0);
}

/// A primary that became a replica, whose connections are still there.
async fn a_server_that_takes_no_writes_is_left(store: TestStore) {
    let account = store.account().await;
    let Url::Postgres(url) = &store.database.url else { panic!("PostgreSQL only") };
    let name = url.rsplit_once('/').unwrap().1;
    let is_read_only = async |is: &str| {
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {is}");
        store.database.run(&format!("BEGIN READ WRITE; {set}; COMMIT")).await;
    };
    is_read_only("on").await;
    // Connections that are there know nothing of it yet.
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    store.database.number(end).await;
    let save = async || {
        let id = store.favourite_id();
        store.write(async move |tx| add(tx, account, id, "a0").await.map(drop)).await
    };
    let refused = save().await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    is_read_only("off").await;
    // Only a new connection takes writes.
    save().await.unwrap();
}

async fn a_pooler_in_transaction_mode_is_enough(store: TestStore) {
    let database = store.close().await;
    let Url::Postgres(url) = &database.url else { panic!("PostgreSQL only") };
    let behind = Database { url: Url::Postgres(pooler::start(url).await.url), ..database.clone() };
    let options = PostgresOptions {
        connections: 4,
        pooler: true,
        // The forty wait for one account's log, on two connections.
        patience: Patience { wait: LONG, statement: Duration::from_secs(3), lock: LONG },
    };
    let store = TestStore::open_with(behind, options).await;
    let account = store.account().await;
    // Many at once, so that each meets connections that others have used.
    let mut writes = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (store, id) = (store.clone(), store.favourite_id());
        writes.spawn(async move {
            store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
            store.read(async move |db| favourites::get(db, account, id).await).await.unwrap().unwrap();
            store.snapshot(async move |db| sync::head(db, account).await).await.unwrap().unwrap();
        });
    }
    writes.join_all().await;
    let head = store.read(async move |db| sync::head(db, account).await).await.unwrap().unwrap();
    assert_eq!(head.head, 40);
    // The settings hold in each transaction, and on no connection after it.
    let (leave, holder) = lock_log(&store, account).await;
    let id = store.favourite_id();
    let write = store.write(async move |tx| add(tx, account, id, "a0").await);
    is_unavailable(write.await, "statement timeout");
    leave.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(store.database.column("SHOW statement_timeout").await, ["0"]);
}

async fn a_pooler_that_nobody_told_of_is_named(store: TestStore) {
    let database = store.close().await;
    let Url::Postgres(url) = &database.url else { panic!("PostgreSQL only") };
    let behind = Database { url: Url::Postgres(pooler::start(url).await.url), ..database.clone() };
    let refused = behind.open(Heard::default().listener()).await.err().unwrap().to_string();
    assert!(refused.contains("store.pooler = true"), "{refused}");
}

async fn a_cancelled_beginning_or_end_leaves_no_transaction_behind(store: TestStore) {
    const CANCELLED: &str = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)";
    const BEGUN: &str = "BEGIN; SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)";
    let account = store.account().await;
    let database = store.close().await;
    let Url::Postgres(url) = &database.url else { panic!("PostgreSQL only") };
    let pooler = pooler::start(url).await;
    let behind = Database { url: Url::Postgres(pooler.url.clone()), ..database.clone() };
    // The only one: whatever is left on it, the next is lent it.
    let options = PostgresOptions { connections: 1, pooler: true, ..PostgresOptions::default() };
    let store = TestStore::open_with(behind, options).await;
    let save = async || {
        let id = store.favourite_id();
        store.write(async move |tx| add(tx, account, id, "a0").await.map(drop)).await
    };
    let head = async || {
        let head = store.snapshot(async move |db| sync::head(db, account).await).await;
        head.map(|head| head.expect("the account's log").head)
    };

    pooler.spoil("COMMIT", CANCELLED);
    let ended = save().await;
    assert!(matches!(ended, Err(Error::Unknown(_))), "{ended:?}");
    assert_eq!(head().await.unwrap(), 0, "what was not committed is undone");
    save().await.unwrap();

    // A read, and a write, which is tried again by itself.
    pooler.spoil("BEGIN", BEGUN);
    is_unavailable(head().await, "canceling");
    assert_eq!(head().await.unwrap(), 1);
    pooler.spoil("BEGIN", BEGUN);
    save().await.unwrap();
    assert!(pooler.has_spoilt());
    assert_eq!(head().await.unwrap(), 2);
}

/// Runs a test on a PostgreSQL of its own, where there is one to start.
fn on_own_server(test: impl AsyncFnOnce(OwnServer)) {
    if let Some(server) = OwnServer::start() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(test(server));
    }
}

#[test]
fn an_encrypted_connection_is_made_to_whom_the_url_trusts() {
    on_own_server(async |server| {
        let certificates = server.encrypt_only();
        let ca = certificates.ca.display();
        let uses = async |query: &str| {
            let database = Database::new(Url::Postgres(server.url(query)));
            database.open(Heard::default().listener()).await.map(drop)
        };
        for sound in [
            String::from("sslmode=require"),
            format!("sslmode=require&sslrootcert={ca}"),
            format!("sslmode=verify-ca&sslrootcert={ca}"),
            format!("sslmode=verify-full&sslrootcert={ca}"),
            String::from("sslmode=prefer"),
        ] {
            uses(&sound).await.unwrap_or_else(|error| panic!("{sound}: {error}"));
        }
        let other = certificates.other_ca.display();
        for (unsound, what) in [
            (String::from("sslmode=disable"), "no encryption"),
            (format!("sslmode=verify-full&sslrootcert={other}"), "certificate"),
            (format!("sslmode=verify-ca&sslrootcert={other}"), "certificate"),
            (String::from("sslmode=verify-full"), "certificate"),
        ] {
            let error = uses(&unsound).await.expect_err(&unsound).to_string();
            assert!(error.contains(what), "{unsound}: {error}");
        }
        // The certificate names localhost; by another name it is that of somebody else.
        let by_address = server.url("").replace("localhost", "127.0.0.1");
        let named = |mode: &str| {
            let url = format!("{by_address}sslmode={mode}&sslrootcert={ca}");
            Database::new(Url::Postgres(url))
        };
        named("verify-ca").open(Heard::default().listener()).await.unwrap();
        let error = named("verify-full").open(Heard::default().listener()).await.err().unwrap().to_string();
        assert!(error.contains("certificate"), "{error}");
    });
}

#[test]
fn a_restart_of_the_server_under_load_loses_nothing() {
    on_own_server(async |mut server| {
        let url = Url::Postgres(server.url(""));
        migrate(&url, false).await.unwrap();
        let store = TestStore::open(Database::new(url)).await;
        let account = store.account().await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, stopped) = (store.clone(), stopped.clone());
            writers.spawn(async move {
                let (mut saved, mut refused) = (Vec::new(), 0);
                while !*stopped.borrow() {
                    let id = store.favourite_id();
                    match store.write(async move |tx| add(tx, account, id, "a0").await).await {
                        Ok(_) => saved.push(id),
                        Err(Error::Unavailable(_) | Error::Unknown(_)) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                (saved, refused)
            });
        }
        let written = async |count: i64| {
            let many = async {
                loop {
                    let head = store.read(async move |db| sync::head(db, account).await).await;
                    if head.is_ok_and(|head| head.unwrap().head >= count) {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), many).await.expect("writes go on");
        };
        for round in 1..=3 {
            written(round * 100).await;
            server.crash_and_restart();
        }
        written(400).await;
        stop.send(true).unwrap();
        let (mut saved, mut refused) = (Vec::new(), 0);
        for (of_one, not) in writers.join_all().await {
            saved.extend(of_one);
            refused += not;
        }
        assert!(refused > 0, "nobody noticed the restarts");
        let live = store.read(async move |db| favourites::live(db, account).await).await.unwrap();
        for id in &saved {
            assert!(live.iter().any(|stored| stored.id == *id), "acknowledged and lost");
        }
        let mut revs: Vec<i64> = live.iter().map(|stored| stored.rev).collect();
        revs.sort_unstable();
        assert!(revs.iter().copied().eq(1..=revs.len() as i64), "a part of a transaction stayed");
    });
}

#[test]
fn reads_go_on_while_the_synchronous_standby_is_away() {
    on_own_server(async |mut server| {
        let url = Url::Postgres(server.url(""));
        migrate(&url, false).await.unwrap();
        let store = TestStore::open(Database::new(url)).await;
        let account = store.account().await;
        let reads = async || {
            let again = async {
                // One that was lent a connection which has just ended may fail.
                while store.read(async move |db| sync::head(db, account).await).await.is_err() {}
            };
            tokio::time::timeout(Duration::from_secs(30), again).await.expect("a new connection reads");
        };
        store.database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
        store.database.run("SELECT pg_reload_conf()").await;
        while store.database.column("SHOW synchronous_standby_names").await != ["nobody"] {}
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert!(store.database.number(end).await > 0);
        reads().await;
        // Also in an era that has yet to be drawn.
        let before = store.database.number("SELECT era FROM store_era").await;
        server.crash_and_restart();
        reads().await;
        assert_ne!(store.database.number("SELECT era FROM store_era").await, before);
    });
}
