//! Identities at providers: each leads to one account.

use std::time::Duration;

use domain::{AccountId, IdentityId};
use store::identities::{self, Stored};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! { both: [of_two_that_claim_an_identity_one_gets_it, an_identity_is_its_account_s_alone] }

fn new_id(store: &TestStore) -> IdentityId {
    IdentityId::new(NOW, &store.database.random)
}

async fn find(store: &TestStore, tag: &'static [u8]) -> Option<(AccountId, IdentityId)> {
    store.read(async move |db| identities::find(db, tag).await).await.unwrap()
}

async fn of_two_that_claim_an_identity_one_gets_it(store: TestStore) {
    let mut claims = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        claims.spawn(async move {
            let (account, id) = (store.account().await, new_id(&store));
            let write = store.write(async move |tx| identities::claim(tx, b"tag", account, id).await);
            write.await.unwrap().then_some((account, id))
        });
    }
    let winners: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(find(&store, b"tag").await, Some(winners[0]));
    assert_eq!(find(&store, b"other").await, None);
}

async fn an_identity_is_its_account_s_alone(store: TestStore) {
    let (ann, ben) = (store.account().await, store.account().await);
    let (id, later) = (new_id(&store), NOW.plus(Duration::from_secs(9)));
    let write = store.write(async move |tx| {
        identities::claim(tx, b"tag", ann, id).await?;
        identities::insert(tx, ann, id, b"first", NOW).await?;
        identities::used(tx, (ben, id), b"of somebody else", later).await?;
        identities::used(tx, (ann, id), b"second", later).await
    });
    write.await.unwrap();
    let of = async |account| store.read(async move |db| identities::of_account(db, account).await).await;
    let stored = Stored { id, sealed: b"second".to_vec(), created_at: NOW, used_at: later };
    assert_eq!(of(ann).await.unwrap(), [stored]);
    assert_eq!(of(ben).await.unwrap(), []);

    let delete = async |account| store.write(async move |tx| identities::delete(tx, account, id).await).await;
    assert!(!delete(ben).await.unwrap());
    assert_eq!(find(&store, b"tag").await, Some((ann, id)));
    assert!(delete(ann).await.unwrap());
    assert_eq!((find(&store, b"tag").await, of(ann).await.unwrap()), (None, vec![]));
}
