//! Webhooks: of many that look for what is due each delivery goes to one.

use std::time::Duration;

use domain::Timestamp;
use store::webhooks::{self, Outcome, Queued, Stored};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::test_store::{NOW, TestStore};

stamp! {
    both: [
        each_delivery_is_claimed_by_one,
        a_claim_lapses_and_the_first_holder_is_too_late,
        a_webhook_goes_with_its_deliveries,
        old_deliveries_go,
    ]
}

const HOOK: Uuid = Uuid::from_u128(1);

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn queued(number: u64) -> Queued {
    let id = Uuid::from_u128(100 + u128::from(number));
    Queued { webhook: HOOK, id, event_id: id, event: String::from("x"), sealed: vec![1], at: after(number) }
}

async fn fill(store: &TestStore, count: u64) {
    let hook = Stored {
        id: HOOK,
        data_key: vec![1],
        sealed: vec![2],
        events: String::from("x"),
        state: String::from("enabled"),
        failing_since: None,
        created_at: NOW,
        changed_at: NOW,
    };
    let put = store.write(async move |tx| {
        webhooks::put(tx, &hook).await?;
        for number in 0..count {
            webhooks::queue(tx, &queued(number)).await?;
        }
        Ok(())
    });
    put.await.unwrap();
}

async fn each_delivery_is_claimed_by_one(store: TestStore) {
    fill(&store, 40).await;
    let mut nodes = JoinSet::new();
    for _ in 0..12 {
        let claim = async |tx: &mut store::Tx| webhooks::claim(tx, HOOK, after(99), after(200), 8).await;
        nodes.spawn(store.write(async move |tx| claim(tx).await));
    }
    let mut claimed: Vec<_> =
        nodes.join_all().await.into_iter().flat_map(|claimed| claimed.unwrap()).map(|one| one.id).collect();
    claimed.sort();
    let all = claimed.len();
    claimed.dedup();
    assert_eq!(claimed.len(), all, "one was claimed twice");
}

async fn a_claim_lapses_and_the_first_holder_is_too_late(store: TestStore) {
    fill(&store, 1).await;
    let claim = async |now, until| {
        store.write(async move |tx| webhooks::claim(tx, HOOK, now, until, 8).await).await.unwrap()
    };
    let first = claim(after(1), after(61)).await.remove(0);
    assert_eq!((first.tries, first.sealed.as_slice()), (1, &[1][..]));
    assert!(claim(after(60), after(120)).await.is_empty());
    let second = claim(after(61), after(121)).await.remove(0);
    assert_eq!((second.id, second.tries), (first.id, 2));
    let delivered = Outcome { state: "delivered", due_at: None, status: Some(204), fault: None };
    let failed = Outcome { state: "waiting", due_at: Some(after(300)), status: None, fault: Some("timeout") };
    let finish = async |claimed, outcome| {
        store.write(async move |tx| webhooks::finish(tx, HOOK, &claimed, &outcome).await).await.unwrap()
    };
    assert!(!finish(first, failed.clone()).await);
    assert!(finish(second.clone(), delivered).await);
    assert!(!finish(second, failed).await, "what is delivered stays so");
    assert!(claim(after(999), after(1099)).await.is_empty());
}

async fn a_webhook_goes_with_its_deliveries(store: TestStore) {
    fill(&store, 3).await;
    let delete = async || store.write(async |tx| webhooks::delete(tx, HOOK).await).await.unwrap();
    assert!(delete().await);
    assert!(!delete().await);
    let left = store.read(async |db| webhooks::deliveries(db, HOOK, None, 9).await).await.unwrap();
    assert_eq!(left, []);
}

async fn old_deliveries_go(store: TestStore) {
    fill(&store, 5).await;
    let expire = store.write(async |tx| webhooks::expire(tx, after(3)).await);
    assert_eq!(expire.await.unwrap(), 3);
    let left = store.read(async |db| webhooks::deliveries(db, HOOK, None, 9).await).await.unwrap();
    assert_eq!(left.iter().map(|one| one.created_at).collect::<Vec<_>>(), [after(4), after(3)]);
}
