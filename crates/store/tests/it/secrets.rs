//! The installation's own secrets and signing keys.

use std::time::Duration;

use store::secrets::{self, SigningKey};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [of_many_that_bring_a_secret_one_is_kept_by_all, signing_keys_are_listed_oldest_first]
}

async fn of_many_that_bring_a_secret_one_is_kept_by_all(store: TestStore) {
    let mut nodes = JoinSet::new();
    for n in 0..16_u8 {
        nodes.spawn(store.write(async move |tx| secrets::ensure(tx, "index", &[n]).await));
    }
    let kept: Vec<_> = nodes.join_all().await.into_iter().map(|kept| kept.unwrap()).collect();
    assert!(kept.windows(2).all(|pair| pair[0] == pair[1]), "{kept:?}");
    let other = store.write(async |tx| secrets::ensure(tx, "refresh", b"own").await);
    assert_eq!(other.await.unwrap(), b"own");
}

async fn signing_keys_are_listed_oldest_first(store: TestStore) {
    let key = |kid: &str, seconds| SigningKey {
        kid: kid.to_owned(),
        state: String::from("active"),
        public_key: b"public".to_vec(),
        wrapped: b"wrapped".to_vec(),
        created_at: NOW.plus(Duration::from_secs(seconds)),
        since: NOW.plus(Duration::from_secs(seconds)),
    };
    let keys = [key("b", 0), key("c", 0), key("a", 1)];
    for n in [2, 1, 0] {
        let key = keys[n].clone();
        store.write(async move |tx| secrets::put_signing_key(tx, &key).await).await.unwrap();
    }
    assert_eq!(store.read(async |db| secrets::signing_keys(db).await).await.unwrap(), keys);
}
