//! Sign-ups that wait for their code.

use std::time::Duration;

use store::{Error, registrations};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [each_try_is_counted_once, an_expired_registration_cannot_be_tried, a_registration_is_put_down_once]
}

async fn put(store: &TestStore, hash: &'static [u8], seconds: u64) -> store::Result<()> {
    let until = NOW.plus(Duration::from_secs(seconds));
    store.write(async move |tx| registrations::put(tx, hash, b"key", b"sealed", until).await).await
}

async fn each_try_is_counted_once(store: TestStore) {
    put(&store, b"hash", 60).await.unwrap();
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        tries.spawn(store.write(async |tx| registrations::try_once(tx, b"hash", NOW).await));
    }
    let mut counted = Vec::new();
    for tried in tries.join_all().await {
        let tried = tried.unwrap().unwrap();
        assert_eq!((tried.data_key.as_slice(), tried.sealed.as_slice()), (&b"key"[..], &b"sealed"[..]));
        counted.push(tried.tries);
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=20).collect::<Vec<_>>());
    store.write(async |tx| registrations::delete(tx, b"hash").await).await.unwrap();
    let tried = store.write(async |tx| registrations::try_once(tx, b"hash", NOW).await);
    assert_eq!(tried.await.unwrap(), None);
}

async fn an_expired_registration_cannot_be_tried(store: TestStore) {
    put(&store, b"early", 10).await.unwrap();
    put(&store, b"late", 20).await.unwrap();
    let at = NOW.plus(Duration::from_secs(10));
    let tries = store.write(async move |tx| {
        let early = registrations::try_once(tx, b"early", at).await?;
        let late = registrations::try_once(tx, b"late", at).await?;
        Ok((early, late.map(|tried| tried.tries), registrations::expire(tx, at).await?))
    });
    assert_eq!(tries.await.unwrap(), (None, Some(1), 1));
    assert_eq!(store.database.number("SELECT count(*) FROM registration").await, 1);
}

async fn a_registration_is_put_down_once(store: TestStore) {
    put(&store, b"hash", 60).await.unwrap();
    let again = put(&store, b"hash", 60).await;
    assert!(matches!(again, Err(Error::Conflict(name)) if name == "registration(registration_hash)"));
}
