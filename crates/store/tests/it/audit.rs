//! The audit log: in order, page by page, and without the id of whoever was removed.

use std::time::Duration;

use domain::{AccountId, Timestamp};
use store::audit::{self, Filter, Row};
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [lines_are_read_newest_first_by_what_is_asked, a_removed_account_is_known_by_its_pseudonym, old_lines_go]
}

fn line(number: u64, subject: AccountId, event: &str) -> Row {
    let at = NOW.plus(Duration::from_secs(number));
    let millis = u64::try_from(at.millis()).unwrap();
    Row {
        id: uuid::Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid(),
        at,
        event: event.to_owned(),
        subject: Some(subject.uuid()),
        actor: String::from("owner"),
        actor_id: None,
        network: Some(vec![1; 8]),
        word: Some(String::from("password")),
        item: Some(Uuid::from_u128(u128::from(number))),
        times: 1,
    }
}

async fn put(store: &TestStore, rows: &[Row]) {
    let rows = rows.to_vec();
    let put = store.write(async move |tx| {
        for row in &rows {
            audit::put(tx, row).await?;
        }
        Ok(())
    });
    put.await.unwrap();
}

async fn page(store: &TestStore, filter: Filter, limit: i64) -> Vec<Row> {
    store.read(async move |db| audit::page(db, &filter, limit).await).await.unwrap()
}

async fn lines_are_read_newest_first_by_what_is_asked(store: TestStore) {
    let (ann, bob) = (store.account_id(), store.account_id());
    let lines = [
        line(1, ann, "signed_in"),
        line(2, bob, "signed_in"),
        line(3, ann, "left"),
        line(4, ann, "signed_in"),
    ];
    put(&store, &lines).await;
    let [first, second, third, fourth] = lines;
    let all = page(&store, Filter::default(), 9).await;
    assert_eq!(all, [fourth.clone(), third.clone(), second.clone(), first.clone()]);
    let older = Filter { before: Some(third.id), ..Filter::default() };
    assert_eq!(page(&store, older, 1).await, std::slice::from_ref(&second));
    let of = |subject: AccountId| Filter { subject: Some(subject.uuid()), ..Filter::default() };
    assert_eq!(page(&store, of(ann), 9).await, [fourth.clone(), third, first.clone()]);
    let signed_in = Some(String::from("signed_in"));
    let of_event = Filter { event: signed_in.clone(), ..Filter::default() };
    assert_eq!(page(&store, of_event, 9).await, [fourth.clone(), second, first.clone()]);
    let of_both = Filter { event: signed_in, before: Some(fourth.id), ..of(ann) };
    assert_eq!(page(&store, of_both, 9).await, [first]);
}

async fn a_removed_account_is_known_by_its_pseudonym(store: TestStore) {
    let (ann, bob) = (store.account_id(), store.account_id());
    let by_ann = Row { actor_id: Some(ann.uuid()), ..line(2, bob, "role_granted") };
    put(&store, &[line(1, ann, "signed_in"), by_ann]).await;
    let pseudonym = Uuid::from_u128(99);
    store.write(async move |tx| audit::replace(tx, ann, pseudonym).await).await.unwrap();
    let all = page(&store, Filter::default(), 9).await;
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].subject, all[0].actor_id), (Some(bob.uuid()), Some(pseudonym)));
    assert_eq!(all[1].subject, Some(pseudonym));
}

async fn old_lines_go(store: TestStore) {
    let ann = store.account_id();
    let lines: Vec<_> = (0..150).map(|number| line(number, ann, "signed_in")).collect();
    put(&store, &lines).await;
    let before: Timestamp = NOW.plus(Duration::from_secs(149));
    let expire = async || store.write(async move |tx| audit::expire(tx, before).await).await.unwrap();
    assert_eq!((expire().await, expire().await), (100, 49));
    assert_eq!(page(&store, Filter::default(), 9).await, lines[149..]);
}
