//! Tickets of streams: each opens one.

use std::time::Duration;

use store::tickets::{self, Ticket};
use tokio::task::JoinSet;

use crate::test_store::{NOW, TestStore};

stamp! { both: [a_ticket_is_taken_once, a_ticket_ends, old_tickets_are_removed] }

fn ticket(store: &TestStore) -> Ticket {
    Ticket { account: store.account_id(), session: store.session_id(), state: b"state".to_vec() }
}

async fn draw(store: &TestStore, hash: &'static [u8], ticket: Ticket, seconds: u64) {
    let until = NOW.plus(Duration::from_secs(seconds));
    store.write(async move |tx| tickets::draw(tx, hash, &ticket, until, NOW).await).await.unwrap();
}

async fn take(store: &TestStore, hash: &'static [u8], seconds: u64) -> Option<Ticket> {
    let now = NOW.plus(Duration::from_secs(seconds));
    store.write(async move |tx| tickets::take(tx, hash, now).await).await.unwrap()
}

async fn is_there(store: &TestStore, hash: &'static [u8], seconds: u64) -> bool {
    let now = NOW.plus(Duration::from_secs(seconds));
    store.read(async move |db| tickets::is_there(db, hash, now).await).await.unwrap()
}

async fn a_ticket_is_taken_once(store: TestStore) {
    let drawn = ticket(&store);
    draw(&store, b"hash", drawn.clone(), 30).await;
    assert_eq!(take(&store, b"other", 0).await, None);
    assert!(is_there(&store, b"hash", 29).await);
    assert!(!is_there(&store, b"hash", 30).await && !is_there(&store, b"other", 0).await);
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        tries.spawn(store.write(async |tx| tickets::take(tx, b"hash", NOW).await));
    }
    let taken: Vec<_> = tries.join_all().await.into_iter().filter_map(|taken| taken.unwrap()).collect();
    assert_eq!(taken, [drawn]);
    assert!(!is_there(&store, b"hash", 0).await);
}

async fn a_ticket_ends(store: TestStore) {
    let drawn = ticket(&store);
    draw(&store, b"one", drawn.clone(), 30).await;
    draw(&store, b"two", drawn.clone(), 30).await;
    assert_eq!(take(&store, b"one", 29).await, Some(drawn));
    assert_eq!(take(&store, b"two", 30).await, None);
}

async fn old_tickets_are_removed(store: TestStore) {
    let (ann, ben) = (ticket(&store), ticket(&store));
    for (hash, of, seconds) in [(&b"a"[..], &ann, 0), (b"b", &ben, 0), (b"c", &ann, 30)] {
        draw(&store, hash, of.clone(), seconds).await;
    }
    // Drawing removed the account's own that were old.
    let count = "SELECT count(*) FROM stream_ticket";
    assert_eq!(store.database.number(count).await, 2);
    let removed = store.write(async |tx| tickets::expire(tx, NOW).await).await.unwrap();
    assert_eq!((removed, store.database.number(count).await), (1, 1));
}
