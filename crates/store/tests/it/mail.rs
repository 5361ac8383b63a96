//! Mail that waits.

use std::time::Duration;

use store::mail::{self, Stored};

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [the_newest_mail_comes_first_and_old_mail_goes]
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
