//! Mailed secrets that reset a password.

use std::time::Duration;

use domain::AccountId;
use store::password_resets::{self, Taken};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        a_reset_is_taken_once,
        a_reset_ends_and_goes_with_its_account,
        what_undoes_something_outlives_plain_resets,
    ]
}

const ANN: AccountId = AccountId::from_uuid(Uuid::from_u128(1));

async fn put(store: &TestStore, hash: &'static [u8], account: AccountId, seconds: u64) {
    let until = NOW.plus(Duration::from_secs(seconds));
    store.write(async move |tx| password_resets::put(tx, hash, account, until, None).await).await.unwrap();
}

async fn a_reset_is_taken_once(store: TestStore) {
    put(&store, b"hash", ANN, 60).await;
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        tries.spawn(store.write(async |tx| password_resets::take(tx, b"hash", NOW).await));
    }
    let taken: Vec<_> = tries.join_all().await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, [Taken { account: ANN, undoes: None }]);
}

async fn a_reset_ends_and_goes_with_its_account(store: TestStore) {
    let bob = AccountId::from_uuid(Uuid::from_u128(2));
    put(&store, b"early", ANN, 10).await;
    put(&store, b"late", ANN, 20).await;
    put(&store, b"bob", bob, 20).await;
    let at = NOW.plus(Duration::from_secs(10));
    let find = async |hash: &'static [u8]| {
        store.read(async move |db| password_resets::find(db, hash, at).await).await.unwrap()
    };
    assert_eq!((find(b"early").await, find(b"late").await), (None, Some(ANN)));
    let taken = store.write(async move |tx| password_resets::take(tx, b"early", at).await);
    assert_eq!(taken.await.unwrap(), None);
    assert_eq!(store.write(async move |tx| password_resets::expire(tx, at).await).await.unwrap(), 1);
    store.write(async |tx| password_resets::delete_all(tx, ANN).await).await.unwrap();
    assert_eq!((find(b"late").await, find(b"bob").await), (None, Some(bob)));
}

async fn what_undoes_something_outlives_plain_resets(store: TestStore) {
    put(&store, b"plain", ANN, 20).await;
    let until = NOW.plus(Duration::from_secs(20));
    store
        .write(async move |tx| {
            password_resets::put(tx, b"undoes", ANN, until, Some(NOW)).await?;
            password_resets::delete_plain(tx, ANN).await
        })
        .await
        .unwrap();
    let take = async |hash: &'static [u8]| {
        store.write(async move |tx| password_resets::take(tx, hash, NOW).await).await.unwrap()
    };
    assert_eq!(take(b"plain").await, None);
    assert_eq!(take(b"undoes").await, Some(Taken { account: ANN, undoes: Some(NOW) }));
}
