//! The log of changes: revisions are exactly `1..=head`, whoever writes at the same time.

use std::collections::BTreeSet;
use std::future::Future;

use domain::cursor::Reset;
use domain::position::Position;
use domain::{AccountId, FavouriteId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use store::{Error, Result, Tx, favourites, sync};
use tokio::runtime::Handle;
use tokio::task::{JoinSet, block_in_place};
use uuid::Uuid;

use crate::changes::{add, at, change, lock, sealed};
use crate::test_store::TestStore;

stamp! {
    both: [
        revisions_are_one_to_head,
        a_log_appends_behind_what_was_ever_there,
        a_log_that_did_not_move_is_not_written,
        the_head_of_nobody_is_absent,
    ]
}

/// What one request does to one account.
#[derive(Clone, Copy, Debug)]
enum Act {
    Insert,
    Update,
    Remove,
    /// Writes, then fails.
    Fail,
    /// A savepoint per favourite, of which the second fails after it has written.
    Batch,
    /// Its caller leaves without waiting.
    Abandon,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    account: usize,
    favourite: u128,
    act: Act,
}

/// One list of steps per task.
fn schedules() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let act = prop_oneof![
        3 => Just(Act::Insert),
        3 => Just(Act::Update),
        2 => Just(Act::Remove),
        1 => Just(Act::Fail),
        2 => Just(Act::Batch),
        1 => Just(Act::Abandon),
    ];
    let step =
        (0..2_usize, 1..6_u128, act).prop_map(|(account, favourite, act)| Step { account, favourite, act });
    prop::collection::vec(prop::collection::vec(step, 1..12), 2..6)
}

async fn revisions_are_one_to_head(store: TestStore) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let run = |schedule| wait(play(&store, schedule));
    TestRunner::new(config).run(&schedules(), run).unwrap();
}

/// proptest calls plain functions; the store is asked from within.
fn wait<T>(future: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(future))
}

async fn play(store: &TestStore, schedule: Vec<Vec<Step>>) -> Result<(), TestCaseError> {
    let accounts = [store.account().await, store.account().await];
    let mut tasks = JoinSet::new();
    for steps in schedule {
        let store = store.clone();
        tasks.spawn(async move {
            let mut applied = Vec::new();
            for step in steps {
                let account = accounts[step.account];
                let request = store.write(async move |tx| act(tx, account, step).await);
                if matches!(step.act, Act::Abandon) {
                    let leaving = tokio::spawn(request);
                    tokio::task::yield_now().await;
                    leaving.abort();
                    continue;
                }
                match request.await {
                    Ok(revs) => applied.extend(revs.into_iter().map(|rev| (step.account, rev))),
                    Err(Error::Domain(domain::Error::Precondition)) => {}
                    Err(error) => panic!("{error}"),
                }
                torn(&store, account).await;
            }
            applied
        });
    }
    let applied: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    store.quiet().await;
    for (n, account) in accounts.into_iter().enumerate() {
        let mut revs: Vec<i64> = applied.iter().filter(|(at, _)| *at == n).map(|(_, rev)| *rev).collect();
        let (head, live, count) = counts(store, account).await;
        revs.sort_unstable();
        prop_assert!(revs.windows(2).all(|pair| pair[0] < pair[1]), "a revision was given twice: {:?}", revs);
        // Of the changes that nobody waited for, the listener alone can tell.
        let told = store.heard.heads(account);
        let known: BTreeSet<i64> = revs.iter().chain(&told).copied().collect();
        prop_assert_eq!(known.into_iter().collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
        prop_assert_eq!(told.iter().max().copied().unwrap_or(0), head, "the listener was told");
        prop_assert_eq!(live, count, "live favourites");
        let id = store.database.literal(account.uuid());
        let rows = format!(
            "SELECT coalesce(max(rev), 0) FROM (SELECT rev FROM favourite WHERE account_id = {id}
             UNION ALL SELECT rev FROM tombstone WHERE account_id = {id}) AS rows"
        );
        prop_assert_eq!(store.database.number(&rows).await, head, "the newest row is the head's");
    }
    Ok(())
}

/// Never may a row be seen whose revision the head has not reached.
async fn torn(store: &TestStore, account: AccountId) {
    let read = store.read(async move |db| {
        let live = favourites::live(db, account).await?;
        let head = sync::head(db, account).await?.map_or(0, |head| head.head);
        Ok((live.iter().map(|stored| stored.rev).max(), head))
    });
    let (newest, head) = read.await.unwrap();
    assert!(newest.unwrap_or(0) <= head, "a row of {newest:?} beside a head of {head}");
}

/// Head, live rows and the count of them that the log keeps.
async fn counts(store: &TestStore, account: AccountId) -> (i64, i64, i64) {
    let write = store.write(async move |tx| {
        let log = lock(tx, account).await?;
        let live = favourites::live(tx, account).await?.len();
        Ok((log.head, i64::try_from(live).unwrap_or(-1), log.favourites))
    });
    write.await.unwrap()
}

async fn act(tx: &mut Tx, account: AccountId, step: Step) -> Result<Vec<i64>> {
    let id = FavouriteId::from_uuid(Uuid::from_u128(step.favourite));
    Ok(match step.act {
        Act::Insert => add(tx, account, id, "a0").await?.into_iter().collect(),
        Act::Update | Act::Abandon => change(tx, account, id, Some(b"new")).await?.into_iter().collect(),
        Act::Remove => change(tx, account, id, None).await?.into_iter().collect(),
        Act::Fail => {
            add(tx, account, id, "a0").await?;
            change(tx, account, id, Some(b"lost")).await?;
            return Err(domain::Error::Precondition.into());
        }
        Act::Batch => {
            let mut revs = Vec::new();
            for n in 0..3 {
                let id = FavouriteId::from_uuid(Uuid::from_u128((step.favourite + n) % 5 + 1));
                let done = tx.attempt(async |tx| {
                    let rev = match add(tx, account, id, "b0").await? {
                        Some(rev) => Some(rev),
                        None => change(tx, account, id, Some(b"again")).await?,
                    };
                    if n == 1 { Err(domain::Error::Precondition.into()) } else { Ok(rev) }
                });
                match done.await {
                    Ok(rev) => revs.extend(rev),
                    Err(Error::Domain(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            revs
        }
    })
}

async fn a_log_appends_behind_what_was_ever_there(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        let mut log = lock(tx, account).await?;
        assert_eq!((log.head, log.floor, log.favourites), (0, 0, 0));
        let first = log.append();
        assert_eq!(first, Position::first());
        let row = sealed(log.next_rev(), &first, b"x");
        favourites::insert(tx, &mut log, ids[0], row).await?;
        log.note_position(&at("m5"));
        log.note_position(&at("c0"));
        let behind = at("m5");
        let row = sealed(log.next_rev(), &behind, b"x");
        favourites::insert(tx, &mut log, ids[1], row).await?;
        log.favourites = 2;
        sync::raise(tx, log).await
    });
    let cursor = write.await.unwrap();
    assert_eq!(cursor.seq, 2);
    let write = store.write(async move |tx| {
        let mut log = lock(tx, account).await?;
        assert_eq!((log.head, log.favourites), (2, 2));
        Ok(log.append())
    });
    assert_eq!(write.await.unwrap(), at("m6"));
    let head = store.read(async move |db| sync::head(db, account).await).await.unwrap().unwrap();
    assert_eq!(head.cursor(), cursor);
    assert_eq!(head.check(cursor), Ok(()));
    assert_eq!(head.check(domain::cursor::Cursor { seq: 3, ..cursor }), Err(Reset::Ahead));
}

async fn a_log_that_did_not_move_is_not_written(store: TestStore) {
    let account = store.account().await;
    let write = store.write(async move |tx| {
        let log = lock(tx, account).await?;
        sync::raise(tx, log).await
    });
    assert_eq!(write.await.unwrap().seq, 0);
    assert!(store.heard.commits().is_empty(), "nothing moved, so nobody is told");
}

async fn the_head_of_nobody_is_absent(store: TestStore) {
    let nobody = store.account_id();
    assert!(store.read(async move |db| sync::head(db, nobody).await).await.unwrap().is_none());
    assert!(store.write(async move |tx| sync::lock(tx, nobody).await).await.unwrap().is_none());
}
