//! What the listener is told, and when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::AccountId;
use store::{Error, Hint};
use tokio::task::JoinSet;

use crate::changes::add;
use crate::test_store::TestStore;

stamp! {
    both: [
        a_hint_comes_after_its_commit_and_before_the_answer,
        an_undone_attempt_gives_no_hint,
        one_hint_tells_the_last_head,
        a_listener_that_panics_stops_nothing,
    ]
}

async fn a_hint_comes_after_its_commit_and_before_the_answer(store: TestStore) {
    let accounts = [store.account().await, store.account().await, store.account().await];
    let database = store.close().await;
    let told: Arc<Mutex<Vec<Hint>>> = Arc::default();
    let early = Arc::new(AtomicUsize::new(0));
    let listener = {
        let (database, told, early) = (database.clone(), told.clone(), early.clone());
        move |hints: &[Hint]| {
            for hint in hints {
                let id = database.literal(hint.account.uuid());
                let head = format!("SELECT head FROM account_sync WHERE account_id = {id}");
                if database.number_from_outside(&head) < hint.head {
                    early.fetch_add(1, Ordering::SeqCst);
                }
            }
            told.lock().unwrap().extend(hints);
        }
    };
    let store = Arc::new(database.open(Arc::new(listener)).await.unwrap());
    let mut writers = JoinSet::new();
    for n in 0..30 {
        let (store, told, account) = (store.clone(), told.clone(), accounts[n % 3]);
        let id = domain::FavouriteId::new(crate::test_store::NOW, &database.random);
        writers.spawn(async move {
            let rev = store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap().unwrap();
            let told = told.lock().unwrap();
            let known = told.iter().any(|hint| hint.account == account && hint.head >= rev);
            assert!(known, "answered {rev} before anybody was told");
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert_eq!(early.load(Ordering::SeqCst), 0, "told before the commit");
    for account in accounts {
        assert_eq!(last(&told.lock().unwrap(), account), Some(10));
    }
}

fn last(hints: &[Hint], account: AccountId) -> Option<i64> {
    hints.iter().filter(|hint| hint.account == account).map(|hint| hint.head).max()
}

async fn an_undone_attempt_gives_no_hint(store: TestStore) {
    let (kept, undone) = (store.account().await, store.account().await);
    let ids = [store.favourite_id(), store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        add(tx, kept, ids[0], "a0").await?;
        let attempted = tx.attempt(async |tx| {
            add(tx, kept, ids[1], "a1").await?;
            add(tx, undone, ids[2], "a0").await?;
            Err::<(), _>(Error::from(domain::Error::Precondition))
        });
        assert!(attempted.await.is_err());
        Ok(())
    });
    write.await.unwrap();
    assert_eq!(store.heard.heads(kept), [1]);
    assert_eq!(store.heard.heads(undone), [0; 0]);
}

async fn one_hint_tells_the_last_head(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id()];
    let write = store.write(async move |tx| {
        add(tx, account, ids[0], "a0").await?;
        tx.attempt(async |tx| add(tx, account, ids[1], "a1").await).await?;
        // Taken: nothing moves, and nothing is told.
        add(tx, account, ids[0], "a2").await
    });
    assert_eq!(write.await.unwrap(), None);
    assert_eq!(store.heard.heads(account), [2]);
    let era = store.database.number("SELECT era FROM store_era WHERE name = 'era'").await;
    assert_eq!(i64::from(store.heard.commits()[0][0].era.0), era);
}

async fn a_listener_that_panics_stops_nothing(store: TestStore) {
    let account = store.account().await;
    let ids = [store.favourite_id(), store.favourite_id()];
    let database = store.close().await;
    let store = database.open(Arc::new(|_| panic!("this test panics on purpose"))).await.unwrap();
    for id in ids {
        let rev = store.write(async move |tx| add(tx, account, id, "a0").await).await;
        assert!(rev.unwrap().is_some(), "the commit stands");
    }
}
