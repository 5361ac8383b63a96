//! Steps of a way through a provider: each is taken once.

use std::time::Duration;

use store::oauth::{self, Stored};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! { both: [a_step_is_taken_once, a_step_ends, old_steps_are_removed] }

async fn put(store: &TestStore, hash: &'static [u8], seconds: u64) -> Stored {
    let step = Stored { data_key: b"key".to_vec(), sealed: hash.to_vec() };
    let (kept, until) = (step.clone(), NOW.plus(Duration::from_secs(seconds)));
    store.write(async move |tx| oauth::put(tx, hash, &kept, until).await).await.unwrap();
    step
}

async fn take(store: &TestStore, hash: &'static [u8], seconds: u64) -> Option<Stored> {
    let now = NOW.plus(Duration::from_secs(seconds));
    store.write(async move |tx| oauth::take(tx, hash, now).await).await.unwrap()
}

async fn a_step_is_taken_once(store: TestStore) {
    let step = put(&store, b"hash", 600).await;
    assert_eq!(take(&store, b"other", 0).await, None);
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        tries.spawn(store.write(async |tx| oauth::take(tx, b"hash", NOW).await));
    }
    let taken: Vec<_> = tries.join_all().await.into_iter().filter_map(|taken| taken.unwrap()).collect();
    assert_eq!(taken, [step]);
}

async fn a_step_ends(store: TestStore) {
    let one = put(&store, b"one", 600).await;
    put(&store, b"two", 600).await;
    assert_eq!(take(&store, b"one", 599).await, Some(one));
    assert_eq!(take(&store, b"two", 600).await, None);
}

async fn old_steps_are_removed(store: TestStore) {
    put(&store, b"old", 0).await;
    put(&store, b"young", 600).await;
    let removed = store.write(async |tx| oauth::expire(tx, NOW).await).await.unwrap();
    let left = store.database.number("SELECT count(*) FROM oauth_step").await;
    assert_eq!((removed, left), (1, 1));
}
