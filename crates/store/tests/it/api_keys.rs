//! API keys: found by their hash alone, and gone when they are removed.

use std::time::Duration;

use store::api_keys::{self, New};
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [a_key_is_found_by_its_hash_alone, a_use_is_noted_when_the_last_was_long_ago, no_two_keys_have_one_hash]
}

fn new(number: u8) -> New {
    New {
        id: Uuid::from_u128(u128::from(number)),
        hash: [number; 32],
        data_key: vec![1],
        sealed: vec![2],
        scopes: String::from("audit:read"),
        made_by: None,
        per_minute: 600,
        created_at: NOW,
        expires_at: Some(NOW.plus(Duration::from_secs(60))),
    }
}

async fn a_key_is_found_by_its_hash_alone(store: TestStore) {
    let ann = store.account().await;
    let by_ann = New { made_by: Some(ann), ..new(2) };
    let put = store.write(async move |tx| {
        api_keys::put(tx, &new(1)).await?;
        api_keys::put(tx, &by_ann).await
    });
    put.await.unwrap();
    let find = async |hash| store.read(async move |db| api_keys::find(db, &hash).await).await.unwrap();
    assert_eq!(find([1; 32]).await.map(|key| (key.id, key.made_by)), Some((new(1).id, None)));
    assert_eq!(find([3; 32]).await, None);
    let made = store.read(async move |db| api_keys::made_by(db, ann, 9).await).await.unwrap();
    assert_eq!(made.iter().map(|key| key.id).collect::<Vec<_>>(), [new(2).id]);
    let delete = async || store.write(async |tx| api_keys::delete(tx, new(1).id).await).await.unwrap();
    assert!(delete().await);
    assert!(!delete().await);
    assert_eq!(find([1; 32]).await, None);
    assert_eq!(store.read(async |db| api_keys::all(db, 9).await).await.unwrap().len(), 1);
}

async fn a_use_is_noted_when_the_last_was_long_ago(store: TestStore) {
    store.write(async |tx| api_keys::put(tx, &new(1)).await).await.unwrap();
    let used = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        let before = now.minus(Duration::from_secs(60));
        store.write(async move |tx| api_keys::used(tx, new(1).id, now, before).await).await.unwrap();
        store.read(async |db| api_keys::find(db, &[1; 32]).await).await.unwrap().unwrap().used_at
    };
    assert_eq!(used(0).await, Some(NOW));
    assert_eq!(used(60).await, Some(NOW), "a minute has not passed");
    assert_eq!(used(61).await, Some(NOW.plus(Duration::from_secs(61))));
}

async fn no_two_keys_have_one_hash(store: TestStore) {
    store.write(async |tx| api_keys::put(tx, &new(1)).await).await.unwrap();
    let twin = New { hash: [1; 32], ..new(2) };
    assert!(store.write(async move |tx| api_keys::put(tx, &twin).await).await.is_err());
}
