//! What is forgotten after a while, and who notices.

use std::time::Duration;

use serde_json::json;
use testkit::TestApp;
use testkit::clients::Client;

use crate::changes::{at, changes, cursor};
use crate::favourites::{head, id};
use crate::sync_batch::{DEVICE, create, delete, mid, send, told};

testkit::stamp! {
    both: [
        a_device_that_was_away_too_long_takes_the_snapshot,
        a_removal_is_remembered_for_ninety_days,
        a_long_list_is_forgotten_in_chunks,
        an_account_that_removed_everything_goes_on,
        compaction_beside_readers_never_hides_a_removal,
        what_expired_goes_however_much_it_is,
    ]
}

const DAY: Duration = Duration::from_hours(24);

async fn tombstones(app: &TestApp) -> i64 {
    app.database().number("SELECT count(*) FROM tombstone").await
}

/// The same person after a while, with a new session.
pub async fn after(app: &TestApp, ann: &Client, days: u32) {
    app.advance(DAY * days);
    // The token has ended, and would be refused before the password is looked at.
    ann.keep(|kept| kept.access_token = None);
    ann.sign_in("ann@example.org").await;
}

async fn a_device_that_was_away_too_long_takes_the_snapshot(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut"), create(3, "Beach"), delete(4, 2)])
        .await
        .expect(200);
    let known = cursor(&ann).await;
    after(&app, &ann, 91).await;
    app.clean_up().await;
    assert_eq!(tombstones(&app).await, 0);
    for seq in 0..4 {
        let answer = changes(&ann, &at(&known, seq)).await.problem(410, "cursor_expired");
        assert_eq!(answer.json["reason"], "expired", "{answer}");
        let body = json!({"device": DEVICE, "since": at(&known, seq), "mutations": []});
        assert_eq!(ann.post("/v1/sync", body).await.expect(200).json["reset"]["reason"], "expired");
    }
    // Who had heard of it goes on, and so does the log.
    assert_eq!(changes(&ann, &known).await.expect(200).json["changes"], json!([]));
    ann.save("New", 1.0, 1.0).await;
    assert_eq!(head(&ann).await, 5);
    assert_eq!(changes(&ann, &known).await.expect(200).json["changes"][0]["rev"], 5);
    let list = ann.get("/v1/favourites").await.expect(200).json;
    changes(&ann, list["cursor"].as_str().unwrap()).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

async fn a_removal_is_remembered_for_ninety_days(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    send(&ann, DEVICE, &[create(1, "Cabin"), delete(2, 1)]).await.expect(200);
    let start = at(&cursor(&ann).await, 0);
    after(&app, &ann, 90).await;
    app.clean_up().await;
    let told = changes(&ann, &start).await.expect(200).json;
    assert_eq!(told["changes"], json!([{"kind": "favourite", "id": id(1), "rev": 2, "deleted": true}]));
    app.advance(Duration::from_secs(1));
    app.clean_up().await;
    changes(&ann, &start).await.problem(410, "cursor_expired");
}

async fn a_long_list_is_forgotten_in_chunks(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    // More than two chunks, of several moments, with live ones between.
    for round in 0..13_u16 {
        let aimed = |mut mutation: serde_json::Value, n: u16, at: u16| {
            mutation["mid"] = json!(mid(1000 + round * 40 + n));
            mutation["id"] = json!(mid(5000 + round * 20 + at));
            mutation
        };
        let made = (0..20).map(|n| aimed(create(1, "Cabin"), n, n));
        let gone = (0..18).map(|n| aimed(delete(1, 1), 20 + n, n));
        let batch: Vec<_> = made.chain(gone).collect();
        assert!(told(&send(&ann, DEVICE, &batch).await.expect(200)).iter().all(|word| word == "applied"));
        app.advance(Duration::from_secs(20));
    }
    assert_eq!(tombstones(&app).await, 13 * 18);
    let known = cursor(&ann).await;
    after(&app, &ann, 91).await;
    app.clean_up().await;
    assert_eq!(tombstones(&app).await, 0);
    assert_eq!(ann.favourites().await.len(), 13 * 2);
    assert_eq!(changes(&ann, &known).await.expect(200).json["changes"], json!([]));
    changes(&ann, &at(&known, 13 * 38 - 1)).await.problem(410, "cursor_expired");
    assert!(app.app().check_logs(None).await.unwrap().wrong.is_empty());
}

async fn an_account_that_removed_everything_goes_on(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    send(&ann, DEVICE, &[create(1, "Cabin"), delete(2, 1)]).await.expect(200);
    after(&app, &ann, 91).await;
    app.clean_up().await;
    assert_eq!(tombstones(&app).await, 0);
    let list = ann.get("/v1/favourites").await.expect(200).json;
    assert_eq!(list["items"], json!([]));
    assert_eq!(head(&ann).await, 2);
    assert!(app.app().check_logs(None).await.unwrap().wrong.is_empty());
    ann.save("New", 1.0, 1.0).await;
    let told = changes(&ann, list["cursor"].as_str().unwrap()).await.expect(200).json;
    assert_eq!(told["changes"][0]["rev"], 3);
}

/// Whoever is told a delta over a purged removal was told of the removal, or is sent to the snapshot.
async fn compaction_beside_readers_never_hides_a_removal(mut app: TestApp) {
    app.restart_with(|config| config.limits.account_burst = 1_000_000).await;
    let ann = app.user("ann@example.org").await;
    for round in 0..6_u16 {
        let start = cursor(&ann).await;
        let mut made = create(1, "Cabin");
        made["id"] = json!(mid(9000 + round));
        made["mid"] = json!(app.app().random().uuid(app.now()));
        let mut gone = delete(1, 1);
        gone["id"] = made["id"].clone();
        gone["mid"] = json!(app.app().random().uuid(app.now()));
        assert_eq!(told(&send(&ann, DEVICE, &[made, gone]).await.expect(200)), ["applied"; 2]);
        after(&app, &ann, 91).await;
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (ann, start) = (ann.clone(), start.clone());
            reading.spawn(async move {
                loop {
                    let answer = changes(&ann, &start).await;
                    if answer.status == 410 {
                        return;
                    }
                    let told = answer.expect(200).json;
                    assert_eq!(
                        told["changes"].as_array().unwrap().len(),
                        1,
                        "a removal was passed over: {told}"
                    );
                }
            });
        }
        app.clean_up().await;
        reading.join_all().await;
    }
}

async fn what_expired_goes_however_much_it_is(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for n in 0..3_u16 {
        let noop = |m: u16| {
            let mut noop = delete(1, 200);
            noop["mid"] = json!(mid(n * 90 + m));
            noop
        };
        send(&ann, DEVICE, &(0..90).map(noop).collect::<Vec<_>>()).await.expect(200);
        app.advance(Duration::from_secs(1));
    }
    let receipts = async || app.database().number("SELECT count(*) FROM receipt").await;
    app.advance(DAY * 95 - Duration::from_secs(4));
    app.clean_up().await;
    assert_eq!(receipts().await, 270);
    app.advance(Duration::from_secs(2));
    app.clean_up().await;
    assert_eq!(receipts().await, 90);
    app.advance(Duration::from_secs(1));
    app.clean_up().await;
    assert_eq!(receipts().await, 0);
}
