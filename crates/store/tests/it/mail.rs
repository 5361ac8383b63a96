//! Mail that waits.

use std::time::Duration;

use store::mail::{self, Stored};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        the_newest_mail_comes_first_and_old_mail_goes,
        of_all_who_claim_a_message_one_gets_it,
        a_claim_that_lapsed_changes_nothing_any_more,
        what_is_due_comes_in_its_order,
    ]
}

async fn the_newest_mail_comes_first_and_old_mail_goes(store: TestStore) {
    let letter = |seconds| {
        let created_at = NOW.plus(Duration::from_secs(seconds));
        let id = store.database.random.uuid(created_at);
        Stored { id, data_key: b"key".to_vec(), sealed: vec![1], created_at }
    };
    let mails = [letter(3), letter(2), letter(1)];
    for mail in mails.clone() {
        store.write(async move |tx| mail::put(tx, &mail).await).await.unwrap();
    }
    let newest = async |limit| store.read(async move |db| mail::newest(db, limit).await).await.unwrap();
    assert_eq!(newest(2).await, mails[..2]);
    let before = mails[1].created_at;
    assert_eq!(store.write(async move |tx| mail::expire(tx, before).await).await.unwrap(), 1);
    assert_eq!(newest(9).await, mails[..2]);
}

fn letter(store: &TestStore, seconds: u64) -> Stored {
    let created_at = NOW.plus(Duration::from_secs(seconds));
    let id = store.database.random.uuid(created_at);
    Stored { id, data_key: b"key".to_vec(), sealed: vec![1], created_at }
}

async fn put(store: &TestStore, letter: &Stored) {
    let letter = letter.clone();
    store.write(async move |tx| mail::put(tx, &letter).await).await.unwrap();
}

async fn of_all_who_claim_a_message_one_gets_it(store: TestStore) {
    let letter = letter(&store, 0);
    put(&store, &letter).await;
    let until = NOW.plus(Duration::from_secs(60));
    let mut claims = JoinSet::new();
    for number in 0..20 {
        let id = letter.id;
        let claim = Uuid::from_u128(number);
        claims.spawn(store.write(async move |tx| mail::claim(tx, id, claim, until, NOW).await));
    }
    let claimed: Vec<_> = claims.join_all().await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(claimed.len(), 1);
    assert_eq!((&claimed[0].mail, claimed[0].attempt), (&letter, 1));
    assert_eq!(store.read(async |db| mail::due(db, NOW).await).await.unwrap(), None);
    let claimed = claimed[0].clone();
    store.write(async move |tx| mail::remove(tx, &claimed).await).await.unwrap();
    assert_eq!(store.database.number("SELECT count(*) FROM mail").await, 0);
}

async fn a_claim_that_lapsed_changes_nothing_any_more(store: TestStore) {
    let letter = letter(&store, 0);
    put(&store, &letter).await;
    let (id, lapse) = (letter.id, NOW.plus(Duration::from_secs(60)));
    let claim = async |claim, until, now| {
        store
            .write(async move |tx| mail::claim(tx, id, Uuid::from_u128(claim), until, now).await)
            .await
            .unwrap()
    };
    let first = claim(1, lapse, NOW).await.unwrap();
    assert_eq!(claim(2, lapse, NOW).await, None);
    let later = lapse.plus(Duration::from_secs(60));
    let second = claim(2, later, lapse).await.unwrap();
    assert_eq!(second.attempt, 2);
    store
        .write(async move |tx| {
            mail::put_off(tx, &first, NOW).await?;
            mail::remove(tx, &first).await
        })
        .await
        .unwrap();
    assert_eq!(store.read(async move |db| mail::due(db, lapse).await).await.unwrap(), None);
    store.write(async move |tx| mail::put_off(tx, &second, NOW).await).await.unwrap();
    assert_eq!(store.read(async |db| mail::due(db, NOW).await).await.unwrap(), Some(id));
}

async fn what_is_due_comes_in_its_order(store: TestStore) {
    let (early, late) = (letter(&store, 1), letter(&store, 2));
    put(&store, &late).await;
    put(&store, &early).await;
    let due = async |seconds| {
        let now = NOW.plus(Duration::from_secs(seconds));
        store.read(async move |db| mail::due(db, now).await).await.unwrap()
    };
    assert_eq!((due(0).await, due(1).await, due(2).await), (None, Some(early.id), Some(early.id)));
    let holds = async |count| store.read(async move |db| mail::holds(db, count).await).await.unwrap();
    assert_eq!((holds(1).await, holds(2).await, holds(3).await), (true, true, false));
}
