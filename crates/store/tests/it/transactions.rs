//! Commits, failures, attempts, panics and the queue.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Error, Url, accounts, cells, favourites, sessions};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::changes::{self, add};
use crate::test_store::{Database, NOW, TestStore};

stamp! {
    both: [
        each_of_many_writers_is_answered_after_its_commit,
        a_request_that_fails_rolls_back_alone,
        a_panic_rolls_back_alone,
        a_panic_in_an_attempt_rolls_back_alone,
        a_panic_while_reading_is_an_error,
        a_statement_after_a_failed_one_is_refused,
        ok_after_a_failed_statement_becomes_an_error,
        an_attempt_saves_what_came_before_it,
        attempts_nest,
        what_decides_before_it_writes_needs_no_attempt,
        runs_of_one_statement_keep_their_order,
        an_attempt_that_hides_a_failure_is_undone,
        abandoned_callers_leave_whole_changes,
        a_full_queue_refuses,
        what_nobody_waits_for_keeps_its_order,
        what_nobody_waits_for_fails_the_transaction,
        what_nobody_waits_for_belongs_to_its_attempt,
        a_body_without_a_statement_is_no_transaction,
        conflicts_have_one_name,
        a_closed_store_has_finished_what_was_queued,
    ],
    sqlite: [one_commit_serves_many, a_body_that_awaits_is_refused],
    postgres: [a_deadlock_is_retried, a_deadlock_in_an_attempt_restarts_the_body, a_databases_own_isolation_level_does_not_count],
}

async fn each_of_many_writers_is_answered_after_its_commit(store: TestStore) {
    let mut writers = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        writers.spawn(async move {
            let account = store.account().await;
            assert_eq!(store.rows("account", account).await, 1, "answered before its commit");
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert_eq!(store.database.number("SELECT count(*) FROM account").await, 100);
}

async fn one_commit_serves_many(store: TestStore) {
    let accounts = [store.account().await, store.account().await];
    let (leave, held) = store.hold().await;
    let mut writers = JoinSet::new();
    for n in 0..100 {
        let id = store.favourite_id();
        let account = accounts[n % 2];
        writers.spawn(store.write(async move |tx| add(tx, account, id, "a0").await));
    }
    leave.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(writers.join_all().await.into_iter().filter_map(|done| done.unwrap()).count(), 100);
    assert!(store.heard.commits().len() < 50, "{} commits for 100 transactions", store.heard.commits().len());
    assert_eq!(accounts.map(|account| store.heard.heads(account).last().copied()), [Some(50); 2]);
}

/// Puts a write before and one behind `fails` into what is one batch on SQLite, and expects both to stand.
async fn fails_alone<T: std::fmt::Debug + Send + 'static>(
    store: &TestStore,
    fails: impl AsyncFn(&mut store::Tx, domain::AccountId, domain::FavouriteId) -> store::Result<T>
    + Send
    + 'static,
) -> Error {
    let (good, bad) = (store.account().await, store.account().await);
    let ids = [store.favourite_id(), store.favourite_id(), store.favourite_id()];
    let (leave, held) = store.hold().await;
    let before = store.write(async move |tx| add(tx, good, ids[0], "a0").await);
    let failed = store.write(async move |tx| fails(tx, bad, ids[1]).await);
    let behind = store.write(async move |tx| add(tx, good, ids[2], "a1").await);
    leave.send(()).unwrap();
    held.await.unwrap().unwrap();
    let (before, failed, behind) = tokio::join!(before, failed, behind);
    let mut revs = [before.unwrap(), behind.unwrap()];
    revs.sort();
    assert_eq!(revs, [Some(1), Some(2)]);
    // Every connection is used once more: none of them may carry what failed into another's commit.
    let mut others = JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        others.spawn(async move { store.account().await });
    }
    others.join_all().await;
    assert_eq!(store.rows("favourite", good).await, 2);
    assert_eq!(store.rows("favourite", bad).await, 0, "a part of the failed request stayed");
    assert_eq!(store.heard.heads(bad), [0; 0]);
    failed.unwrap_err()
}

async fn a_request_that_fails_rolls_back_alone(store: TestStore) {
    let error = fails_alone(&store, async |tx, account, id| {
        add(tx, account, id, "a0").await?;
        Err::<(), _>(Error::from(domain::Error::Precondition))
    });
    assert!(matches!(error.await, Error::Domain(domain::Error::Precondition)));
}

async fn a_panic_rolls_back_alone(store: TestStore) {
    let error = fails_alone(&store, async |tx, account, id| {
        if add(tx, account, id, "a0").await?.is_some() {
            panic!("this test panics on purpose");
        }
        Ok(())
    });
    let error = error.await;
    assert!(matches!(&error, Error::Database(text) if text.contains("panicked")), "{error:?}");
}

async fn a_panic_in_an_attempt_rolls_back_alone(store: TestStore) {
    let error = fails_alone(&store, async |tx, account, id| {
        add(tx, account, id, "a0").await?;
        tx.attempt(async |tx| {
            let other = domain::FavouriteId::from_uuid(uuid::Uuid::from_u128(1));
            if add(tx, account, other, "a1").await?.is_some() {
                panic!("this test panics on purpose");
            }
            Ok(())
        })
        .await
    });
    let error = error.await;
    assert!(matches!(&error, Error::Database(text) if text.contains("panicked")), "{error:?}");
}

async fn a_panic_while_reading_is_an_error(store: TestStore) {
    for _ in 0..8 {
        let read = store.read(async |db| {
            if accounts::find_by_email(db, b"nobody").await?.is_none() {
                panic!("this test panics on purpose");
            }
            Ok(())
        });
        let error = read.await.unwrap_err();
        assert!(matches!(&error, Error::Database(text) if text.contains("panicked")), "{error:?}");
    }
    assert_eq!(store.read(async |db| accounts::find_by_email(db, b"nobody").await).await.unwrap(), None);
}

async fn a_body_that_awaits_is_refused(store: TestStore) {
    let error = fails_alone(&store, async |tx, account, id| {
        add(tx, account, id, "a0").await?;
        tokio::task::yield_now().await;
        Ok(())
    });
    assert!(matches!(error.await, Error::Awaited));
}

/// A statement that fails on both databases: the account is there already.
async fn fail(tx: &mut store::Tx, account: domain::AccountId) -> store::Result<()> {
    accounts::insert(tx, account, b"other key", "user", NOW).await
}

async fn a_statement_after_a_failed_one_is_refused(store: TestStore) {
    let (account, other) = (store.account().await, store.account_id());
    let write = store.write(async move |tx| {
        assert!(matches!(fail(tx, account).await, Err(Error::Conflict(_))));
        assert!(matches!(accounts::get(tx, account).await, Err(Error::Aborted)), "reading after a failure");
        assert!(matches!(accounts::touch(tx, account, NOW).await, Err(Error::Aborted)));
        assert!(matches!(tx.attempt(async |_| Ok(())).await, Err(Error::Aborted)));
        accounts::insert(tx, other, b"key", "user", NOW).await
    });
    assert!(matches!(write.await, Err(Error::Aborted)));
    assert_eq!(store.rows("account", other).await, 0);
}

async fn ok_after_a_failed_statement_becomes_an_error(store: TestStore) {
    let account = store.account().await;
    let other = store.account_id();
    let write = store.write(async move |tx| {
        accounts::insert(tx, other, b"key", "user", NOW).await?;
        assert!(fail(tx, account).await.is_err());
        Ok(())
    });
    assert!(matches!(write.await, Err(Error::Aborted)));
    assert_eq!(store.rows("account", other).await, 0, "the transaction was spoiled");
}

async fn an_attempt_saves_what_came_before_it(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        add(tx, account, ids[0], "a0").await?;
        let attempted = tx.attempt(async |tx| {
            add(tx, account, ids[1], "a1").await?;
            fail(tx, account).await
        });
        assert!(matches!(attempted.await, Err(Error::Conflict(_))));
        add(tx, account, ids[2], "a2").await
    });
    assert_eq!(write.await.unwrap(), Some(2));
    assert_eq!(store.rows("favourite", account).await, 2);
}

async fn attempts_nest(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id(), store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        tx.attempt(async |tx| {
            add(tx, account, ids[0], "a0").await?;
            let inner = tx.attempt(async |tx| {
                add(tx, account, ids[1], "a1").await?;
                tx.attempt(async |tx| add(tx, account, ids[2], "a2").await).await?;
                Err::<(), _>(Error::from(domain::Error::Precondition))
            });
            assert!(inner.await.is_err());
            Ok(())
        })
        .await?;
        add(tx, account, ids[3], "a3").await
    });
    assert_eq!(write.await.unwrap(), Some(2), "both inner favourites are undone, their revisions free again");
    assert_eq!(store.rows("favourite", account).await, 2);
    assert_eq!(store.heard.heads(account), [2]);
}

async fn an_attempt_that_hides_a_failure_is_undone(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        let attempted = tx.attempt(async |tx| {
            add(tx, account, ids[0], "a0").await?;
            assert!(fail(tx, account).await.is_err());
            Ok(())
        });
        assert!(matches!(attempted.await, Err(Error::Aborted)));
        add(tx, account, ids[1], "a1").await
    });
    assert_eq!(write.await.unwrap(), Some(1));
}

async fn abandoned_callers_leave_whole_changes(store: TestStore) {
    let account = store.account().await;
    let (leave, held) = store.hold().await;
    let change = || {
        let id = store.favourite_id();
        store.write(async move |tx| add(tx, account, id, "a0").await)
    };
    // Some leave before their turn, some while it may be on, some wait.
    drop((0..20).map(|_| change()).collect::<Vec<_>>());
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        waiting.spawn(change());
    }
    let leaving: Vec<_> = (0..60).map(|_| tokio::spawn(change())).collect();
    leave.send(()).unwrap();
    for task in leaving {
        tokio::task::yield_now().await;
        task.abort();
    }
    waiting.join_all().await.into_iter().for_each(|done| assert!(done.unwrap().is_some()));
    held.await.unwrap().unwrap();

    let heard = store.heard.clone();
    let database = store.close().await;
    let id = database.literal(account.uuid());
    let count = |sql: &str| format!("{sql} WHERE account_id = {id}");
    let rows = database.number(&count("SELECT count(*) FROM favourite")).await;
    let head = database.number(&count("SELECT head FROM account_sync")).await;
    let top = database.number(&count("SELECT max(rev) FROM favourite")).await;
    let hint = heard.heads(account).into_iter().max();
    assert_eq!((rows, head, Some(head)), (head, top, hint));
    assert!(rows >= 20);
}

async fn a_full_queue_refuses(store: TestStore) {
    let held = store.hold_all().await;
    let account = store.account_id();
    let mut waiting = Vec::new();
    let mut refused = None;
    for _ in 0..5000 {
        let mut write = Box::pin(store.write(async move |tx| accounts::touch(tx, account, NOW).await));
        // A refusal is ready at once; what is queued is not.
        tokio::select! {
            biased;
            outcome = &mut write => {
                refused = Some(outcome);
                break;
            }
            () = ready(()) => waiting.push(write),
        }
    }
    assert!(matches!(refused, Some(Err(Error::Unavailable(_)))), "{refused:?}");
    assert!(waiting.len() >= 4096, "refused at {}", waiting.len());
    for (leave, held) in held {
        leave.send(()).unwrap();
        held.await.unwrap().unwrap();
    }
    for write in waiting {
        write.await.unwrap();
    }
    store.account().await;
}

async fn what_nobody_waits_for_keeps_its_order(store: TestStore) {
    let (account, id) = (store.account().await, store.favourite_id());
    let write = store.write(async move |tx| {
        let mut log = changes::lock(tx, account).await?;
        let position = changes::at("a0");
        favourites::insert(tx, &mut log, id, changes::sealed(1, &position, b"first")).await?;
        // More than wait together.
        for rev in 2..400 {
            favourites::update(tx, &mut log, id, changes::sealed(rev, &position, b"then")).await?;
        }
        let then = favourites::get(tx, account, id).await?.map(|stored| stored.rev);
        favourites::update(tx, &mut log, id, changes::sealed(400, &position, b"last")).await?;
        Ok(then)
    });
    assert_eq!(write.await.unwrap(), Some(399), "a transaction reads what it wrote");
    let stored = store.read(async move |db| favourites::get(db, account, id).await).await.unwrap().unwrap();
    assert_eq!((stored.rev, stored.sealed), (400, b"last".to_vec()));
}

/// Puts a favourite down under an id that is taken.
async fn put_twice(
    tx: &mut store::Tx,
    account: domain::AccountId,
    id: domain::FavouriteId,
) -> store::Result<()> {
    let mut log = changes::lock(tx, account).await?;
    let position = changes::at("a0");
    for rev in 1..3 {
        favourites::insert(tx, &mut log, id, changes::sealed(rev, &position, b"x")).await?;
    }
    Ok(())
}

async fn what_nobody_waits_for_fails_the_transaction(store: TestStore) {
    let error = fails_alone(&store, put_twice).await;
    assert!(
        matches!(&error, Error::Conflict(name) if name == "favourite(account_id,favourite_id)"),
        "{error:?}"
    );
}

async fn what_nobody_waits_for_belongs_to_its_attempt(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let (id, twice) = (store.favourite_id(), store.favourite_id());
    let write = store.write(async move |tx| {
        let mut log = changes::lock(tx, account).await?;
        let position = changes::at("a0");
        favourites::insert(tx, &mut log, id, changes::sealed(1, &position, b"x")).await?;
        let attempted = tx.attempt(async |tx| put_twice(tx, other, twice).await).await;
        assert!(matches!(attempted, Err(Error::Conflict(_))), "{attempted:?}");
        let refused = tx.attempt(async |tx| {
            let mut log = changes::lock(tx, other).await?;
            favourites::insert(tx, &mut log, twice, changes::sealed(1, &position, b"x")).await?;
            Err::<(), _>(domain::Error::Precondition.into())
        });
        assert!(refused.await.is_err());
        Ok(())
    });
    write.await.unwrap();
    assert_eq!((store.rows("favourite", account).await, store.rows("favourite", other).await), (1, 0));
}

async fn a_body_without_a_statement_is_no_transaction(store: TestStore) {
    assert_eq!(store.write(async |_| Ok(1)).await.unwrap(), 1);
    let refused = store.write(async |_| Err::<(), _>(domain::Error::Precondition.into())).await;
    assert!(matches!(refused, Err(Error::Domain(_))), "{refused:?}");
    assert_eq!(store.snapshot(async |_| Ok(2)).await.unwrap(), 2);
    store.account().await;
}

async fn conflicts_have_one_name(store: TestStore) {
    let (account, session) = (store.account().await, store.session_id());
    let ids = [store.favourite_id(), store.favourite_id()];
    let expires_at = NOW.plus(std::time::Duration::from_secs(60));
    let new = move || sessions::New { account, session, state: b"state", device: None, now: NOW, expires_at };
    let setup = store.write(async move |tx| {
        sessions::insert(tx, new()).await?;
        sessions::put_cookie(tx, b"hash", account, session).await?;
        add(tx, account, ids[0], "a0").await?;
        add(tx, account, ids[1], "a1").await
    });
    setup.await.unwrap();
    let write = store.write(async move |tx| {
        let mut names = Vec::new();
        let mut note = |outcome: store::Result<()>| match outcome {
            Err(Error::Conflict(name)) => names.push(name),
            other => names.push(format!("{other:?}")),
        };
        note(tx.attempt(async |tx| fail(tx, account).await).await);
        note(tx.attempt(async |tx| sessions::insert(tx, new()).await).await);
        note(tx.attempt(async |tx| sessions::put_cookie(tx, b"hash", account, session).await).await);
        let log = changes::lock(tx, account).await?;
        favourites::remove(tx, &log, ids[0], 3, NOW).await?;
        // The revision of the first one's removal.
        let removed = tx.attempt(async |tx| favourites::remove(tx, &log, ids[1], 3, NOW).await).await;
        note(removed.map(drop));
        Ok(names)
    });
    let names = write.await.unwrap();
    let expected = [
        "account(account_id)",
        "session(account_id,session_id)",
        "cookie(cookie_hash)",
        "tombstone(account_id,rev)",
    ];
    assert_eq!(names, expected);
}

async fn a_closed_store_has_finished_what_was_queued(store: TestStore) {
    let account = store.account().await;
    let (leave, held) = store.hold().await;
    let writes: Vec<_> = (0..50)
        .map(|_| {
            let id = store.favourite_id();
            store.write(async move |tx| add(tx, account, id, "a0").await)
        })
        .collect();
    leave.send(()).unwrap();
    let database = store.close().await;
    held.await.unwrap().unwrap();
    for write in writes {
        assert!(write.await.unwrap().is_some());
    }
    assert_eq!(database.number("SELECT count(*) FROM favourite").await, 50);
    if let Some(path) = database.url.file() {
        assert!(!path.with_extension("db-wal").exists(), "the file is not whole without its log");
    }
}

/// Two transactions that lock `a` and `b` in opposite order, and meet between the two on their first run.
async fn embrace(store: &TestStore, in_attempt: bool) -> usize {
    let (a, b) = (store.account().await, store.account().await);
    let (met, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let later = NOW.plus(std::time::Duration::from_secs(1));
    let run = |first, second| {
        let (met, runs, id) = (met.clone(), runs.clone(), store.favourite_id());
        store.write(async move |tx| {
            let again = runs.fetch_add(1, Ordering::SeqCst) >= 2;
            accounts::touch(tx, first, later).await?;
            if !again {
                met.wait().await;
            }
            if in_attempt {
                // The body goes on as if the attempt had failed for a reason of its own.
                let _ = tx.attempt(async |tx| accounts::touch(tx, second, later).await).await;
            } else {
                accounts::touch(tx, second, later).await?;
            }
            add(tx, first, id, "a0").await
        })
    };
    let (one, two) = tokio::join!(run(a, b), run(b, a));
    assert_eq!((one.unwrap(), two.unwrap()), (Some(1), Some(1)));
    assert_eq!((store.heard.heads(a), store.heard.heads(b)), (vec![1], vec![1]), "one hint per commit");
    let touched = format!("SELECT count(*) FROM account WHERE seen_at = {}", later.millis());
    assert_eq!(store.database.number(&touched).await, 2);
    runs.load(Ordering::SeqCst)
}

async fn a_deadlock_is_retried(store: TestStore) {
    assert!(embrace(&store, false).await > 2, "one of the two must have run again");
}

async fn a_deadlock_in_an_attempt_restarts_the_body(store: TestStore) {
    assert!(embrace(&store, true).await > 2, "one of the two must have run again");
}

/// Under a stricter level writers of one account would be refused where here they only wait for one another.
async fn a_databases_own_isolation_level_does_not_count(store: TestStore) {
    let account = store.account().await;
    let database = store.close().await;
    let Url::Postgres(url) = &database.url else { panic!("PostgreSQL only") };
    let serializable = format!("{url}?options=-c%20default_transaction_isolation%3Dserializable");
    let database = Database { url: Url::Postgres(serializable), ..database };
    let store = TestStore::open(database).await;
    let mut writers = JoinSet::new();
    for _ in 0..60 {
        let id = store.favourite_id();
        writers.spawn(store.write(async move |tx| add(tx, account, id, "a0").await));
    }
    writers.join_all().await.into_iter().for_each(|done| assert!(done.unwrap().is_some()));
}

async fn what_decides_before_it_writes_needs_no_attempt(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id()];
    let refuse = || Error::from(domain::Error::Precondition);
    // Refused before it wrote anything: the others stand.
    let write = store.write(async move |tx| {
        let refused = tx.decide(async |_| Err::<(), _>(refuse())).await;
        assert!(matches!(refused, Err(Error::Domain(_))));
        add(tx, account, ids[0], "a0").await
    });
    assert_eq!(write.await.unwrap(), Some(1));
    // Refused after it: nobody may take that for undone.
    let write = store.write(async move |tx| {
        let refused = tx.decide(async |tx| {
            accounts::touch(tx, account, NOW).await?;
            Err::<(), _>(refuse())
        });
        assert!(refused.await.is_err());
        Ok(())
    });
    assert!(matches!(write.await, Err(Error::Aborted)));
}

async fn runs_of_one_statement_keep_their_order(store: TestStore) {
    let keys: Vec<String> = (0..100).map(|n| format!("cell {n}")).collect();
    let written = keys.clone();
    let write = store.write(async move |tx| {
        let answers: Vec<_> = written.iter().map(|key| (key.as_str(), key.as_bytes(), NOW)).collect();
        cells::put_many(tx, &answers[..50], NOW).await?;
        cells::put_many(tx, &[], NOW).await
    });
    write.await.unwrap();
    let asked = keys.clone();
    let read = store.read(async move |db| {
        let asked: Vec<&str> = asked.iter().rev().map(String::as_str).collect();
        cells::get_many(db, &asked).await
    });
    let found: Vec<_> =
        read.await.unwrap().into_iter().rev().map(|found| found.map(|(series, _)| series)).collect();
    let there = |(n, key): (usize, &String)| (n < 50).then(|| key.as_bytes().to_vec());
    assert_eq!(found, keys.iter().enumerate().map(there).collect::<Vec<_>>());
}
