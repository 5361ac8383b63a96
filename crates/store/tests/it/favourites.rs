//! Favourites and tombstones: whose they are, and in which order.

use domain::FavouriteId;
use store::favourites::{self, Sealed, Stored};
use store::sync;
use uuid::Uuid;

use crate::changes::{add, at, change, lock, sealed};
use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        the_same_id_of_two_accounts_is_two_favourites,
        order_is_by_bytes_of_position_then_id,
        pages_continue_where_they_ended,
        a_tombstone_has_no_content_and_keeps_its_id,
        the_same_place_is_found_in_the_own_list_only,
    ]
}

async fn the_same_id_of_two_accounts_is_two_favourites(store: TestStore) {
    let (mine, theirs, id) = (store.account().await, store.account().await, store.favourite_id());
    let write = store.write(async move |tx| {
        assert_eq!(add(tx, mine, id, "a0").await?, Some(1));
        assert_eq!(add(tx, theirs, id, "b0").await?, Some(1));
        assert_eq!(add(tx, theirs, id, "c0").await?, None, "taken");
        assert_eq!(change(tx, mine, id, Some(b"mine")).await?, Some(2));
        Ok(())
    });
    write.await.unwrap();
    let read = async |account| store.read(async move |db| favourites::get(db, account, id).await).await;
    let (mine, theirs_now) = (read(mine).await.unwrap().unwrap(), read(theirs).await.unwrap().unwrap());
    assert_eq!((mine.rev, mine.sealed.as_deref()), (2, Some(&b"mine"[..])));
    assert_eq!((theirs_now.rev, theirs_now.sealed.as_deref()), (1, Some(&b"content 1"[..])));
    assert_eq!(theirs_now.position, at("b0"));
    let all = store.read(async move |db| favourites::live(db, theirs).await).await.unwrap();
    assert_eq!(all, [theirs_now]);
    store.write(async move |tx| favourites::delete_all(tx, theirs).await).await.unwrap();
    assert_eq!(read(theirs).await.unwrap(), None);
    assert!(store.database.number("SELECT count(*) FROM favourite").await == 1);
}

/// Strings that a language's rules would order in another way than bytes do.
const POSITIONS: [&str; 12] = ["a0", "A0", "aB", "ab", "Ab", "10", "9", "Z", "z", "a", "aa0", "a0"];

/// Puts one favourite down for each of [`POSITIONS`] and tells what order they must have.
async fn put_down(store: &TestStore, account: domain::AccountId) -> Vec<(String, FavouriteId)> {
    // Random ids: their order has nothing to do with that of insertion.
    let ids: Vec<_> = POSITIONS
        .iter()
        .map(|_| FavouriteId::from_uuid(Uuid::from_bytes(store.database.random.bytes())))
        .collect();
    let mut expected: Vec<_> = POSITIONS.iter().map(|position| (*position).to_owned()).zip(ids).collect();
    let given = expected.clone();
    let write = store.write(async move |tx| {
        for (position, id) in &given {
            add(tx, account, *id, position).await?;
        }
        Ok(())
    });
    write.await.unwrap();
    expected.sort_by(|(p, a), (q, b)| p.as_bytes().cmp(q.as_bytes()).then(a.cmp(b)));
    expected
}

fn places(list: &[Stored]) -> Vec<(String, FavouriteId)> {
    list.iter().map(|stored| (stored.position.as_str().to_owned(), stored.id)).collect()
}

async fn order_is_by_bytes_of_position_then_id(store: TestStore) {
    let account = store.account().await;
    let expected = put_down(&store, account).await;
    let live = store.read(async move |db| favourites::live(db, account).await).await.unwrap();
    assert_eq!(places(&live), expected);
}

async fn pages_continue_where_they_ended(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let expected = put_down(&store, account).await;
    put_down(&store, other).await;
    let gone = expected[4].1;
    store.write(async move |tx| change(tx, account, gone, None).await).await.unwrap();
    let mut found = Vec::new();
    let mut after = (String::new(), FavouriteId::from_uuid(Uuid::nil()));
    loop {
        let (position, id) = after.clone();
        let page = store
            .read(async move |db| favourites::live_after(db, account, (&position, id), 3).await)
            .await
            .unwrap();
        assert!(page.len() <= 3);
        let Some(end) = places(&page).pop() else { break };
        found.extend(places(&page));
        after = end;
    }
    let expected: Vec<_> = expected.into_iter().filter(|(_, id)| *id != gone).collect();
    assert_eq!(found, expected);
}

async fn a_tombstone_has_no_content_and_keeps_its_id(store: TestStore) {
    let (account, id) = (store.account().await, store.favourite_id());
    let write = store.write(async move |tx| {
        add(tx, account, id, "a0").await?;
        assert_eq!(change(tx, account, id, None).await?, Some(2));
        assert_eq!(add(tx, account, id, "a1").await?, None, "a tombstone's id is taken");
        assert_eq!(change(tx, account, id, Some(b"back")).await?, None);
        Ok(())
    });
    write.await.unwrap();
    let read = store.read(async move |db| {
        Ok((favourites::get(db, account, id).await?, favourites::live(db, account).await?))
    });
    let (tombstone, live) = read.await.unwrap();
    let expected = Stored { id, rev: 2, position: at("a0"), sealed: None, updated_at: NOW };
    assert_eq!((tombstone, live), (Some(expected), vec![]));
    assert_eq!(store.database.number("SELECT count(*) FROM favourite WHERE sealed IS NULL").await, 1);
}

async fn the_same_place_is_found_in_the_own_list_only(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let ids = [store.favourite_id(), store.favourite_id(), store.favourite_id(), store.favourite_id()];
    let many: Vec<_> = (0..12).map(|_| store.favourite_id()).collect();
    let write = store.write(async move |tx| {
        for id in &ids[..3] {
            add(tx, account, *id, "a0").await?;
        }
        change(tx, account, ids[2], None).await?;
        let mut log = lock(tx, account).await?;
        let position = at("a1");
        let elsewhere = Sealed { place_tag: -8, ..sealed(log.next_rev(), &position, Some(b"x")) };
        favourites::insert(tx, account, ids[3], elsewhere).await?;
        sync::raise(tx, log).await?;
        for id in &many {
            add(tx, other, *id, "a0").await?;
        }
        Ok(())
    });
    write.await.unwrap();
    let same = async |account, tag, than| {
        store.read(async move |db| favourites::same_place(db, account, tag, than).await).await.unwrap()
    };
    assert_eq!(same(account, 7, ids[0]).await, [ids[1]], "no tombstone, not itself, nobody else's");
    assert_eq!(same(account, -8, ids[0]).await, [ids[3]]);
    assert_eq!(same(other, 7, ids[0]).await.len(), 10, "bounded");
}
