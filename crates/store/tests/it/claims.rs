//! Claims on cells: one holder at a time, for a while.

use std::time::Duration;

use store::claims;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! { both: [one_of_many_gets_a_cell, a_claim_lapses, a_lapsed_claim_is_not_given_back, old_claims_are_removed] }

const LIFETIME: Duration = Duration::from_secs(20);

async fn claim(store: &TestStore, holder: u128, seconds: u64) -> bool {
    let now = NOW.plus(Duration::from_secs(seconds));
    let holder = Uuid::from_u128(holder);
    let claimed =
        store.write(async move |tx| claims::claim(tx, &["cell"], holder, now.plus(LIFETIME), now).await);
    claimed.await.unwrap() == [true]
}

async fn release(store: &TestStore, holder: u128) {
    let holder = Uuid::from_u128(holder);
    store.write(async move |tx| claims::release(tx, &["cell"], holder).await).await.unwrap();
}

async fn held(store: &TestStore, seconds: u64) -> bool {
    let now = NOW.plus(Duration::from_secs(seconds));
    store.read(async move |db| claims::held(db, &["cell", "other"], now).await).await.unwrap() == 1
}

async fn one_of_many_gets_a_cell(store: TestStore) {
    let mut tries = JoinSet::new();
    for holder in 0..20 {
        let store = store.clone();
        tries.spawn(async move { claim(&store, holder, 0).await });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
    assert!(held(&store, 0).await);
}

async fn a_claim_lapses(store: TestStore) {
    assert!(claim(&store, 1, 0).await);
    assert!(!claim(&store, 2, 19).await);
    assert!(held(&store, 19).await && !held(&store, 20).await);
    assert!(claim(&store, 2, 20).await);
    release(&store, 2).await;
    assert!(!held(&store, 20).await);
    assert!(claim(&store, 3, 20).await);
}

async fn a_lapsed_claim_is_not_given_back(store: TestStore) {
    assert!(claim(&store, 1, 0).await);
    assert!(claim(&store, 2, 20).await);
    // Who was slow comes late, and must not take the cell from its holder of now.
    release(&store, 1).await;
    assert!(held(&store, 20).await && !claim(&store, 3, 20).await);
}

async fn old_claims_are_removed(store: TestStore) {
    assert!(claim(&store, 1, 0).await);
    let expire = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        store.write(async move |tx| claims::expire(tx, now).await).await.unwrap()
    };
    assert_eq!((expire(19).await, expire(20).await), (0, 1));
}
