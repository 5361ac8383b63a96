//! Forecasts of cells, states of providers, elevations.

use std::time::Duration;

use store::cells;
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [the_newest_series_replaces_the_last, an_older_series_comes_too_late, old_series_are_removed, a_budget_is_exact, elevations_are_kept]
}

async fn the_newest_series_replaces_the_last(store: TestStore) {
    let later = NOW.plus(Duration::from_secs(1));
    let write = store.write(async move |tx| {
        cells::put(tx, "cell", b"old", NOW, later).await?;
        cells::put(tx, "cell", b"new", later, later).await?;
        cells::put(tx, "Cell", b"other", NOW, later).await
    });
    write.await.unwrap();
    let get = async |key| store.read(async move |db| cells::get(db, key).await).await.unwrap();
    assert_eq!(get("cell").await, Some((b"new".to_vec(), later)));
    assert_eq!(get("Cell").await, Some((b"other".to_vec(), NOW)));
    assert_eq!(get("nowhere").await, None);
}

async fn an_older_series_comes_too_late(store: TestStore) {
    let at = |seconds| NOW.plus(Duration::from_secs(seconds));
    let put = async |series: &'static [u8], fetched: u64, latest: u64| {
        let write =
            store.write(async move |tx| cells::put(tx, "cell", series, at(fetched), at(latest)).await);
        write.await.unwrap();
        store.read(async |db| cells::get(db, "cell").await).await.unwrap().unwrap()
    };
    assert_eq!(put(b"new", 60, 90).await, (b"new".to_vec(), at(60)));
    assert_eq!(put(b"old", 59, 90).await, (b"new".to_vec(), at(60)));
    assert_eq!(put(b"same", 60, 90).await, (b"same".to_vec(), at(60)));
    assert_eq!(put(b"late", 10, 60).await, (b"same".to_vec(), at(60)), "as late as may be is not too late");
    assert_eq!(put(b"right", 10, 59).await, (b"right".to_vec(), at(10)), "the other's clock was ahead");
}

async fn old_series_are_removed(store: TestStore) {
    let later = NOW.plus(Duration::from_secs(1));
    let write = store.write(async move |tx| {
        cells::put(tx, "old", b"x", NOW, later).await?;
        cells::put(tx, "new", b"x", later, later).await?;
        cells::expire(tx, later).await
    });
    assert_eq!(write.await.unwrap(), 1);
    let get = async |key| store.read(async move |db| cells::get(db, key).await).await.unwrap();
    assert_eq!((get("old").await, get("new").await), (None, Some((b"x".to_vec(), later))));
}

async fn a_budget_is_exact(store: TestStore) {
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        calls.spawn(store.write(async |tx| {
            let state = cells::lock_provider(tx, "provider", NOW).await?;
            let count = state.first().copied().unwrap_or(0);
            cells::set_provider(tx, "provider", &[count + 1], NOW).await
        }));
    }
    calls.join_all().await.into_iter().for_each(|outcome| outcome.unwrap());
    let state = store.write(async |tx| cells::lock_provider(tx, "provider", NOW).await);
    assert_eq!(state.await.unwrap(), [40]);
}

async fn elevations_are_kept(store: TestStore) {
    let get = async || store.read(async |db| cells::elevation(db, b"tag").await).await.unwrap();
    assert_eq!(get().await, None);
    for metres in [-12, 8848] {
        store.write(async move |tx| cells::set_elevation(tx, b"tag", metres).await).await.unwrap();
        assert_eq!(get().await, Some(metres));
    }
}
