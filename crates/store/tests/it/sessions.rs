//! Sessions, their cookies, and the list of those that ended early.

use std::time::Duration;

use domain::{AccountId, SessionId, Timestamp};
use store::sessions::{self, New};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        a_session_is_found_by_its_account_only,
        a_locked_session_is_changed_by_one_at_a_time,
        an_ended_session_is_gone_with_its_cookie_and_listed,
        all_sessions_but_one_end,
        expired_sessions_are_found_oldest_first,
        revocations_are_told_from_a_moment_on_and_forgotten,
    ]
}

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

async fn begin(store: &TestStore, account: AccountId, expires_at: Timestamp) -> SessionId {
    let session = store.session_id();
    let write = store.write(async move |tx| {
        let new = New { account, session, state: &[0], device: Some(b"phone"), now: NOW, expires_at };
        sessions::insert(tx, new).await?;
        sessions::put_cookie(tx, session.uuid().as_bytes(), account, session).await
    });
    write.await.unwrap();
    session
}

async fn get(store: &TestStore, account: AccountId, session: SessionId) -> Option<Vec<u8>> {
    store.read(async move |db| sessions::get(db, account, session).await).await.unwrap()
}

async fn cookie(store: &TestStore, session: SessionId) -> Option<(AccountId, SessionId)> {
    let find = store.read(async move |db| sessions::find_cookie(db, session.uuid().as_bytes()).await);
    find.await.unwrap()
}

async fn a_session_is_found_by_its_account_only(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let session = begin(&store, account, after(60)).await;
    assert_eq!(get(&store, account, session).await, Some(vec![0]));
    assert_eq!(get(&store, other, session).await, None);
    assert_eq!(cookie(&store, session).await, Some((account, session)));
    let foreign = store.write(async move |tx| {
        assert_eq!(sessions::lock(tx, other, session).await?, None);
        sessions::update(tx, (other, session), b"stolen", NOW, after(90)).await?;
        sessions::end(tx, other, session, NOW).await
    });
    assert!(!foreign.await.unwrap(), "another account's session cannot be ended");
    assert_eq!(get(&store, account, session).await, Some(vec![0]));
    assert_eq!(cookie(&store, session).await, Some((account, session)));
}

async fn a_locked_session_is_changed_by_one_at_a_time(store: TestStore) {
    let account = store.account().await;
    let session = begin(&store, account, after(60)).await;
    let mut refreshes = JoinSet::new();
    for _ in 0..40 {
        refreshes.spawn(store.write(async move |tx| {
            let state = sessions::lock(tx, account, session).await?.ok_or(domain::Error::NotFound)?;
            sessions::update(tx, (account, session), &[state[0] + 1], after(1), after(60)).await
        }));
    }
    refreshes.join_all().await.into_iter().for_each(|outcome| outcome.unwrap());
    assert_eq!(get(&store, account, session).await, Some(vec![40]));
}

async fn an_ended_session_is_gone_with_its_cookie_and_listed(store: TestStore) {
    let account = store.account().await;
    let (ended, kept) = (begin(&store, account, after(60)).await, begin(&store, account, after(60)).await);
    let end = async || {
        store.write(async move |tx| sessions::end(tx, account, ended, after(5)).await).await.unwrap()
    };
    assert!(end().await);
    assert!(!end().await, "it was gone");
    assert_eq!((get(&store, account, ended).await, cookie(&store, ended).await), (None, None));
    assert_eq!(cookie(&store, kept).await, Some((account, kept)));
    let revoked = store.read(async |db| sessions::revoked_since(db, NOW).await).await.unwrap();
    assert_eq!(revoked, [(ended, after(5))]);
}

async fn all_sessions_but_one_end(store: TestStore) {
    let (account, other) = (store.account().await, store.account().await);
    let mut mine = Vec::new();
    for _ in 0..4 {
        mine.push(begin(&store, account, after(60)).await);
    }
    let theirs = begin(&store, other, after(60)).await;
    let keep = mine.remove(1);
    mine.sort();
    let end = async |keep| {
        store.write(async move |tx| sessions::end_all(tx, account, keep, NOW).await).await.unwrap()
    };
    assert_eq!(end(Some(keep)).await, mine);
    assert_eq!(get(&store, account, keep).await, Some(vec![0]));
    assert_eq!(end(None).await, [keep]);
    assert_eq!(get(&store, account, keep).await, None);
    assert_eq!(get(&store, other, theirs).await, Some(vec![0]));
}

async fn expired_sessions_are_found_oldest_first(store: TestStore) {
    let account = store.account().await;
    let third = begin(&store, account, after(30)).await;
    let first = begin(&store, account, after(10)).await;
    let second = begin(&store, account, after(20)).await;
    let expired =
        async |now, limit| store.read(async move |db| sessions::expired(db, now, limit).await).await.unwrap();
    assert_eq!(expired(after(9), 10).await, []);
    assert_eq!(expired(after(20), 10).await, [(account, first), (account, second)]);
    assert_eq!(expired(after(99), 1).await, [(account, first)]);
    let renewed =
        store.write(async move |tx| sessions::update(tx, (account, first), &[1], after(5), after(70)).await);
    renewed.await.unwrap();
    assert_eq!(expired(after(40), 10).await, [(account, second), (account, third)]);
}

async fn revocations_are_told_from_a_moment_on_and_forgotten(store: TestStore) {
    let account = store.account().await;
    let (early, late) = (begin(&store, account, after(60)).await, begin(&store, account, after(60)).await);
    let write = store.write(async move |tx| {
        sessions::end(tx, account, late, after(8)).await?;
        sessions::end(tx, account, early, after(5)).await
    });
    write.await.unwrap();
    let since =
        async |moment| store.read(async move |db| sessions::revoked_since(db, moment).await).await.unwrap();
    assert_eq!(since(after(5)).await, [(early, after(5)), (late, after(8))]);
    assert_eq!(since(after(6)).await, [(late, after(8))]);
    let forget = store.write(async move |tx| sessions::forget_revoked(tx, after(8)).await);
    assert_eq!(forget.await.unwrap(), 1);
    assert_eq!(since(NOW).await, [(late, after(8))]);
}
