//! Eras: a database that was rewound, and cursors of the future it lost.

use std::path::Path;

use domain::AccountId;
use domain::cursor::{Cursor, Era, Reset};
use store::sync;
use tokio::task::JoinSet;

use crate::changes::add;
use crate::test_store::{Database, Heard, TestStore};

stamp! {
    both: [a_new_account_begins_in_the_present_era, the_era_is_read_in_each_write],
    sqlite: [
        each_start_is_an_era_that_accounts_enter_by_writing,
        cursors_of_a_lost_future_are_reset,
        cursors_of_a_lost_future_in_the_same_era_are_reset,
    ],
    postgres: [
        a_new_connection_keeps_the_era,
        another_witness_is_another_era,
        nodes_that_see_another_witness_agree_on_one_era,
    ],
}

async fn present_era(database: &Database) -> Era {
    let era = database.number("SELECT era FROM store_era WHERE name = 'era'").await;
    Era(u32::try_from(era).unwrap())
}

async fn head(store: &TestStore, account: AccountId) -> sync::Head {
    store.read(async move |db| sync::head(db, account).await).await.unwrap().unwrap()
}

/// Adds so many favourites and returns the cursor behind them.
async fn write(store: &TestStore, account: AccountId, count: usize) -> Cursor {
    for _ in 0..count {
        let id = store.favourite_id();
        store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
    }
    head(store, account).await.cursor()
}

async fn a_new_account_begins_in_the_present_era(store: TestStore) {
    let account = store.account().await;
    let cursor = head(&store, account).await.cursor();
    assert_eq!(cursor, Cursor { era: present_era(&store.database).await, seq: 0 });
}

async fn the_era_is_read_in_each_write(store: TestStore) {
    let account = store.account().await;
    let first = write(&store, account, 2).await;
    store.database.run("UPDATE store_era SET era = 77 WHERE name = 'era'").await;
    assert_eq!(head(&store, account).await.cursor(), first, "an era is entered by writing");
    let second = write(&store, account, 1).await;
    assert_eq!(second, Cursor { era: Era(77), seq: 3 });
    assert_eq!(store.heard.commits().last().unwrap()[0].era, Era(77));
    assert_eq!(head(&store, account).await.check(first), Ok(()));
}

async fn each_start_is_an_era_that_accounts_enter_by_writing(store: TestStore) {
    let account = store.account().await;
    let first = write(&store, account, 2).await;
    let database = store.close().await;
    let store = TestStore::open(database).await;
    assert_eq!(present_era(&store.database).await, first.era, "nothing is written by a start");
    assert_eq!(head(&store, account).await.cursor(), first, "a restart costs nobody a new cursor");
    let second = write(&store, account, 1).await;
    assert_ne!(second.era, first.era);
    assert_eq!(second, Cursor { era: present_era(&store.database).await, seq: 3 });
    let now = head(&store, account).await;
    assert_eq!((now.check(first), now.check(second)), (Ok(()), Ok(())));
    let beyond = Cursor { seq: 3, ..first };
    assert_eq!(now.check(beyond), Err(Reset::Era), "the first era ended at 2");
}

/// Puts an older copy of the file in the place of a closed store's.
fn restore(database: &Database, copy: &Path) {
    let path = database.url.file().unwrap();
    assert!(!path.with_extension("db-wal").exists(), "the closed store left its log behind");
    std::fs::copy(copy, path).unwrap();
}

async fn cursors_of_a_lost_future_are_reset(store: TestStore) {
    let account = store.account().await;
    let kept = write(&store, account, 3).await;
    let database = store.close().await;
    let path = database.url.file().unwrap();
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).unwrap();

    let store = TestStore::open(database).await;
    let lost = write(&store, account, 3).await;
    let database = store.close().await;
    restore(&database, &copy);

    let store = TestStore::open(database).await;
    let check = async |cursor| head(&store, account).await.check(cursor);
    assert_eq!((check(kept).await, check(lost).await), (Ok(()), Err(Reset::Era)));
    // Longer than the history that was lost.
    let newest = write(&store, account, 6).await;
    assert!(newest.seq > lost.seq);
    assert_eq!((check(kept).await, check(lost).await), (Ok(()), Err(Reset::Era)));
    assert_eq!(check(newest).await, Ok(()));
}

async fn cursors_of_a_lost_future_in_the_same_era_are_reset(store: TestStore) {
    let account = store.account().await;
    let kept = write(&store, account, 3).await;
    let copy = store.database.url.file().unwrap().with_extension("copy");
    store.database.run(&format!("VACUUM INTO '{}'", copy.display())).await;
    let lost = write(&store, account, 3).await;
    assert_eq!(lost.era, kept.era);
    let database = store.close().await;
    restore(&database, &copy);

    let store = TestStore::open(database).await;
    let check = async |cursor| head(&store, account).await.check(cursor);
    assert_eq!((check(kept).await, check(lost).await), (Ok(()), Err(Reset::Ahead)));
    let newest = write(&store, account, 6).await;
    assert!(newest.seq > lost.seq);
    assert_eq!((check(kept).await, check(lost).await), (Ok(()), Err(Reset::Era)));
}

async fn a_new_connection_keeps_the_era(store: TestStore) {
    let era = present_era(&store.database).await;
    // All connections of this store, then a store more.
    store.quiet().await;
    let other = store.database.open(Heard::default().listener()).await.unwrap();
    assert_eq!(present_era(&store.database).await, era);
    other.close().await;
    let database = store.close().await;
    let store = TestStore::open(database).await;
    assert_eq!(
        present_era(&store.database).await,
        era,
        "a restart of the program is no restart of the server"
    );
}

async fn another_witness_is_another_era(store: TestStore) {
    let account = store.account().await;
    let first = write(&store, account, 2).await;
    let database = store.close().await;
    // What a restart, a promotion or a restored copy leaves behind: a witness that is not this server's.
    database.run("UPDATE store_era SET witness = 'elsewhere'").await;
    let store = TestStore::open(database).await;
    assert_ne!(present_era(&store.database).await, first.era);
    let second = write(&store, account, 1).await;
    assert_eq!(second, Cursor { era: present_era(&store.database).await, seq: 3 });
    let now = head(&store, account).await;
    assert_eq!((now.check(first), now.check(Cursor { seq: 3, ..first })), (Ok(()), Err(Reset::Era)));
}

async fn nodes_that_see_another_witness_agree_on_one_era(store: TestStore) {
    let database = store.close().await;
    for _ in 0..3 {
        database.run("UPDATE store_era SET witness = 'elsewhere'").await;
        let mut nodes = JoinSet::new();
        for _ in 0..4 {
            let database = database.clone();
            nodes.spawn(async move {
                let node = database.open(Heard::default().listener()).await.unwrap();
                (present_era(&database).await, node)
            });
        }
        let seen = nodes.join_all().await;
        let last = present_era(&database).await;
        assert!(seen.iter().all(|(era, _)| *era == last), "a node saw an era that was replaced");
    }
}
