//! Receipts: a retry finds what was answered, until it is too old to be one.

use std::time::Duration;

use store::receipts::{self, Receipt};

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [a_receipt_is_found_by_its_account_until_it_expires, a_receipt_can_be_replaced, old_receipts_are_removed]
}

fn receipt(status: i64) -> Receipt {
    Receipt { digest: vec![1, 2], status, rev: 5, item_id: None, answer: Some(b"sealed".to_vec()) }
}

async fn put(store: &TestStore, account: domain::AccountId, status: i64, seconds: u64) {
    let until = NOW.plus(Duration::from_secs(seconds));
    let mid = format!("mid {seconds}");
    let write = store.write(async move |tx| receipts::put(tx, account, &mid, &receipt(status), until).await);
    write.await.unwrap();
}

async fn get(
    store: &TestStore,
    account: domain::AccountId,
    mid: &'static str,
    seconds: u64,
) -> Option<Receipt> {
    let now = NOW.plus(Duration::from_secs(seconds));
    store.read(async move |db| receipts::get(db, account, mid, now).await).await.unwrap()
}

async fn a_receipt_is_found_by_its_account_until_it_expires(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    put(&store, account, 201, 60).await;
    assert_eq!(get(&store, account, "mid 60", 59).await, Some(receipt(201)));
    assert_eq!(get(&store, account, "mid 60", 60).await, None, "expired");
    assert_eq!(get(&store, other, "mid 60", 0).await, None, "somebody else's");
    assert_eq!(get(&store, account, "MID 60", 0).await, None, "another key");
}

async fn a_receipt_can_be_replaced(store: TestStore) {
    let account = store.account().await;
    put(&store, account, 201, 60).await;
    put(&store, account, 409, 60).await;
    assert_eq!(get(&store, account, "mid 60", 0).await, Some(receipt(409)));
    assert_eq!(store.rows("receipt", account).await, 1);
}

async fn old_receipts_are_removed(store: TestStore) {
    let account = store.account().await;
    put(&store, account, 201, 10).await;
    put(&store, account, 201, 20).await;
    let expire = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        store.write(async move |tx| receipts::expire(tx, now).await).await.unwrap()
    };
    assert_eq!(expire(9).await, 0);
    assert_eq!(expire(10).await, 1);
    assert_eq!(get(&store, account, "mid 20", 0).await, Some(receipt(201)));
}
