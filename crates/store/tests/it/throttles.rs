//! Security counters: exact, whoever counts at the same time.

use std::time::Duration;

use store::throttles;
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [counts_are_exact, a_counter_ends_by_itself, a_counter_can_be_reset]
}

async fn counts_are_exact(store: TestStore) {
    let until = NOW.plus(Duration::from_secs(60));
    let mut failures = JoinSet::new();
    for n in 0..60_u8 {
        // The first of each tag meet where there is no row to lock yet.
        failures.spawn(store.write(async move |tx| {
            let state = throttles::lock(tx, &[n % 3], NOW).await?.unwrap_or(vec![0]);
            throttles::put(tx, &[n % 3], &[state[0] + 1], until).await
        }));
    }
    failures.join_all().await.into_iter().for_each(|outcome| outcome.unwrap());
    for tag in 0..3 {
        let state = store.read(async move |db| throttles::get(db, &[tag], NOW).await).await.unwrap();
        assert_eq!(state, Some(vec![20]));
    }
}

async fn a_counter_ends_by_itself(store: TestStore) {
    let until = NOW.plus(Duration::from_secs(10));
    let put = store.write(async move |tx| {
        assert_eq!(throttles::lock(tx, b"tag", NOW).await?, None);
        throttles::put(tx, b"tag", b"state", until).await
    });
    put.await.unwrap();
    let look = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        let get = store.read(async move |db| throttles::get(db, b"tag", now).await).await.unwrap();
        let locked = store.write(async move |tx| throttles::lock(tx, b"tag", now).await).await.unwrap();
        assert_eq!(get, locked);
        get
    };
    assert_eq!(look(9).await, Some(b"state".to_vec()));
    assert_eq!(look(10).await, None);
    let expire = async |now| store.write(async move |tx| throttles::expire(tx, now).await).await.unwrap();
    assert_eq!(expire(NOW).await, 0, "looking did not shorten its life");
    assert_eq!(expire(until).await, 1);
}

async fn a_counter_can_be_reset(store: TestStore) {
    let until = NOW.plus(Duration::from_secs(10));
    let write = store.write(async move |tx| {
        throttles::lock(tx, b"tag", NOW).await?;
        throttles::put(tx, b"tag", b"state", until).await?;
        throttles::delete(tx, b"tag").await?;
        throttles::lock(tx, b"tag", NOW).await
    });
    assert_eq!(write.await.unwrap(), None);
}
