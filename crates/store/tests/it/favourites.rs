//! Favourites and tombstones: whose they are, and in which order.

use domain::FavouriteId;
use store::favourites::{self, Changed, Sealed, Stored};
use store::sync;
use uuid::Uuid;

use crate::changes::{add, at, change, lock, sealed};
use crate::test_store::TestStore;

stamp! {
    both: [
        the_same_id_of_two_accounts_is_two_favourites,
        order_is_by_bytes_of_position_then_id,
        pages_continue_where_they_ended,
        a_tombstone_has_no_content_and_keeps_its_id,
        the_same_place_is_found_in_the_own_list_only,
        changes_are_told_by_their_revisions,
        a_snapshot_stands_still,
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
    assert_eq!((mine.rev, &mine.sealed[..]), (2, &b"mine"[..]));
    assert_eq!((theirs_now.rev, &theirs_now.sealed[..]), (1, &b"content 1"[..]));
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
            .read(async move |db| Ok(favourites::page(db, account, (&position, id), 3).await?.unwrap().1))
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
        let live = (favourites::get(db, account, id).await?, favourites::live(db, account).await?);
        Ok((live, favourites::changed(db, account, 0, 9, 9).await?))
    });
    let (live, removed) = read.await.unwrap();
    assert_eq!(live, (None, vec![]));
    assert_eq!(removed, [Changed { id, rev: 2, live: None }]);
    assert_eq!(store.database.number("SELECT count(*) FROM favourite").await, 0);
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
        let elsewhere = Sealed { place_tag: -8, ..sealed(log.next_rev(), &position, b"x") };
        favourites::insert(tx, &mut log, ids[3], elsewhere).await?;
        let moved = Sealed { place_tag: 9, ..sealed(log.next_rev(), &position, b"x") };
        favourites::update(tx, &mut log, ids[1], moved).await?;
        sync::raise(tx, log).await?;
        for id in &many {
            add(tx, other, *id, "a0").await?;
        }
        Ok(())
    });
    write.await.unwrap();
    let same = async |account, tag| {
        let read = store.write(async move |tx| {
            let log = lock(tx, account).await?;
            favourites::same_place(tx, &log, tag).await
        });
        read.await.unwrap()
    };
    assert_eq!(same(account, 7).await, [ids[0]], "no tombstone, not what moved away, nobody else's");
    assert_eq!(same(account, -8).await, [ids[3]]);
    assert_eq!(same(account, 9).await, [ids[1]], "what moved there is found there");
    assert_eq!(same(account, 10).await, []);
    assert_eq!(same(other, 7).await.len(), 10, "bounded");
}

async fn changes_are_told_by_their_revisions(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let ids: Vec<_> = (0..4).map(|_| store.favourite_id()).collect();
    let given = ids.clone();
    let write = store.write(async move |tx| {
        for id in &given {
            add(tx, account, *id, "a0").await?;
            add(tx, other, *id, "a0").await?;
        }
        change(tx, account, given[1], Some(b"new")).await?;
        change(tx, account, given[0], None).await?;
        Ok(())
    });
    write.await.unwrap();
    let changed = async |since, head, limit| {
        let read = store.read(async move |db| favourites::changed(db, account, since, head, limit).await);
        let rows = read.await.unwrap();
        rows.iter().map(|row| (row.rev, row.id, row.live.is_none())).collect::<Vec<_>>()
    };
    let all = [(3, ids[2], false), (4, ids[3], false), (5, ids[1], false), (6, ids[0], true)];
    assert_eq!(changed(0, 6, 100).await, all);
    assert_eq!(changed(3, 6, 2).await, all[1..3]);
    assert_eq!(changed(0, 5, 100).await, all[..3]);
    assert_eq!(changed(6, 6, 100).await, []);
}

async fn a_snapshot_stands_still(store: TestStore) {
    let (account, id) = (store.account().await, store.favourite_id());
    store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
    let (enter, entered) = tokio::sync::oneshot::channel();
    let (go_on, gone_on) = tokio::sync::oneshot::channel();
    let blocking = store.is_sqlite();
    let reading = tokio::spawn(store.snapshot(async move |db| {
        let before = sync::head(db, account).await?.map(|head| head.head);
        let _ = enter.send(());
        // On SQLite a body runs on a thread that may block; on PostgreSQL on one that must not.
        let _ = if blocking { gone_on.blocking_recv() } else { gone_on.await };
        let rows = favourites::changed(db, account, 0, i64::MAX, 10).await?;
        let after = sync::head(db, account).await?.map(|head| head.head);
        Ok((before, rows.len(), rows[0].rev, after))
    }));
    entered.await.unwrap();
    let more = store.favourite_id();
    let write = store.write(async move |tx| {
        change(tx, account, id, Some(b"new")).await?;
        add(tx, account, more, "a1").await
    });
    write.await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (Some(1), 1, 1, Some(1)));
    // And the connection is as good as new, whatever became of the body.
    for _ in 0..8 {
        let failed = store.snapshot(async |_| Err::<(), _>(domain::Error::NotFound.into()));
        assert!(failed.await.is_err());
        let panicked = store.snapshot(async |_| -> store::Result<()> { panic!("a body broke") });
        assert!(panicked.await.is_err());
    }
    let rows =
        store.snapshot(async move |db| favourites::changed(db, account, 0, 9, 10).await).await.unwrap();
    assert_eq!(rows.len(), 2);
    store.write(async move |tx| change(tx, account, more, None).await).await.unwrap();
}
