//! Callers that do not wait for their transaction.

use std::sync::Mutex;

use store::{Error, accounts, favourites};
use tokio::sync::oneshot;

use crate::changes::add;
use crate::test_store::{NOW, TestStore};

stamp! {
    both: [],
    sqlite: [],
    postgres: [a_caller_that_leaves_in_the_middle_leaves_no_transaction_open]
}

async fn a_caller_that_leaves_in_the_middle_leaves_no_transaction_open(store: TestStore) {
    let (account, id) = (store.account().await, store.favourite_id());
    let (begun, is_begun) = oneshot::channel();
    let (go_on, goes_on) = oneshot::channel();
    let once = Mutex::new(Some((begun, goes_on)));
    let caller = tokio::spawn(store.write(async move |tx| {
        accounts::touch(tx, account, NOW).await?;
        let parts = once.lock().unwrap().take();
        if let Some((begun, goes_on)) = parts {
            begun.send(()).map_err(|()| Error::Awaited)?;
            goes_on.await.map_err(|_| Error::Awaited)?;
        }
        add(tx, account, id, "a0").await
    }));
    is_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    // Somebody else is served, by when the store knows that nobody waits for the first.
    store.account().await;
    let goes_on = go_on.send(());
    assert!(goes_on.is_ok(), "what was begun is not cut off");
    store.quiet().await;
    let found = store.read(async move |db| favourites::get(db, account, id).await).await.unwrap();
    assert!(found.is_none(), "it is told that it was not done, so it is not");
    let open = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(store.database.number(open).await, 0);
}
