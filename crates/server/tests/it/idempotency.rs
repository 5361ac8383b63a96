//! `Idempotency-Key`: a request that comes again has its effect once.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;

use crate::favourites::{head, id};
use crate::forecasts::later;

testkit::stamp! {
    both: [
        a_repeat_gets_the_same_answer_and_does_nothing,
        one_key_is_for_one_request,
        a_key_is_forgotten_after_a_day,
        repeats_at_the_same_time_have_one_effect,
        a_key_belongs_to_its_account,
        what_was_refused_may_be_tried_again,
        a_key_outlives_a_restart,
        keys_are_short_and_plain,
    ]
}

const KEY: &str = "idempotency-key";

fn cabin() -> Value {
    json!({"name": "Cabin", "lat": 60.1, "lon": 9.2})
}

async fn a_repeat_gets_the_same_answer_and_does_nothing(app: TestApp) {
    let ann = app.anonymous().await;
    let first = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    let again = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    assert_eq!(again.json, first.json);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("etag"), first.header("etag"));
    // Quotes around it are the header's own (RFC 8941).
    ann.post("/v1/favourites", cabin()).header(KEY, "\"a\"").await.expect(201);
    assert_eq!(head(&ann).await, 1);

    let path = format!("/v1/favourites/{}", first.text("/id"));
    for _ in 0..3 {
        let patched = ann.patch(&path, json!({"note": "x"})).header(KEY, "b").await.expect(200);
        assert_eq!(patched.json["rev"], 2);
    }
    // The change was done, and is not done again over a later one.
    ann.patch(&path, json!({"note": "later"})).await.expect(200);
    let late = ann.patch(&path, json!({"note": "x"})).header(KEY, "b").await.expect(200);
    assert_eq!((&late.json["note"], &late.json["rev"]), (&json!("later"), &json!(3)));
    for _ in 0..3 {
        ann.delete(&path).header(KEY, "c").await.expect(204);
    }
    assert_eq!(head(&ann).await, 4);
    // The favourite that was created under it is gone: its answer cannot be given any more.
    ann.post("/v1/favourites", cabin()).header(KEY, "a").await.problem(409, "gone");
}

async fn one_key_is_for_one_request(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&format!("/v1/favourites/{}", id(1)), cabin()).header(KEY, "a").await.expect(201);
    let other = json!({"name": "Hut", "lat": 60.1, "lon": 9.2});
    for reused in [
        ann.put(&format!("/v1/favourites/{}", id(1)), other.clone()).header(KEY, "a").await,
        ann.put(&format!("/v1/favourites/{}", id(2)), cabin()).header(KEY, "a").await,
        ann.post("/v1/favourites", cabin()).header(KEY, "a").await,
        ann.delete(&format!("/v1/favourites/{}", id(1))).header(KEY, "a").await,
        ann.patch(&format!("/v1/favourites/{}", id(1)), cabin()).header(KEY, "a").await,
    ] {
        reused.problem(409, "mid_reused");
    }
    assert_eq!(head(&ann).await, 1);
}

async fn a_key_is_forgotten_after_a_day(app: TestApp) {
    let ann = app.anonymous().await;
    let first = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    later(&app, &ann, Duration::from_secs(24 * 3600 - 1)).await;
    app.clean_up().await;
    let again = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    assert_eq!(again.json["id"], first.json["id"]);
    app.advance(Duration::from_secs(1));
    let anew = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    assert_ne!(anew.json["id"], first.json["id"], "forgotten by the clock, whether or not the job has run");
    assert_eq!(head(&ann).await, 2);
    let again = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    assert_eq!(again.json["id"], anew.json["id"]);
}

async fn repeats_at_the_same_time_have_one_effect(app: TestApp) {
    let ann = app.anonymous().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let call = ann.post("/v1/favourites", cabin()).header(KEY, "a");
        calls.spawn(async move { call.await.expect(201).text("/id") });
    }
    let mut ids = calls.join_all().await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(head(&ann).await, 1);
}

async fn a_key_belongs_to_its_account(app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    let hers = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    let his = ben.post("/v1/favourites", json!({"place_id": 2_267_057})).header(KEY, "a").await.expect(201);
    assert_ne!(hers.json["id"], his.json["id"]);
    assert_eq!((head(&ann).await, head(&ben).await), (1, 1));
}

async fn what_was_refused_may_be_tried_again(mut app: TestApp) {
    app.restart_with(|config| config.quota.favourites = 1).await;
    let ann = app.anonymous().await;
    let path = format!("/v1/favourites/{}", id(1));
    ann.put(&path, cabin())
        .header(KEY, "a")
        .header("if-match", "*")
        .await
        .problem(412, "precondition_failed");
    ann.put(&path, cabin()).header(KEY, "a").await.expect(201);
    ann.post("/v1/favourites", cabin()).header(KEY, "b").await.problem(409, "quota");
    ann.delete(&path).await.expect(204);
    ann.post("/v1/favourites", cabin()).header(KEY, "b").await.expect(201);
}

async fn a_key_outlives_a_restart(mut app: TestApp) {
    let ann = app.anonymous().await;
    let first = ann.post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    app.restart().await;
    let again = ann.moved_to(&app).post("/v1/favourites", cabin()).header(KEY, "a").await.expect(201);
    assert_eq!(again.json, first.json);
}

async fn keys_are_short_and_plain(app: TestApp) {
    let ann = app.anonymous().await;
    let long = "k".repeat(65);
    for bad in ["", "\"\"", "two words", long.as_str()] {
        let refused = ann.post("/v1/favourites", cabin()).header(KEY, bad).await;
        refused.invalid("Idempotency-Key", "malformed");
    }
    let longest = "k".repeat(64);
    for good in ["0199a2b4-7c00-7000-8000-000000000001", "!~", longest.as_str()] {
        ann.post("/v1/favourites", cabin()).header(KEY, good).await.expect(201);
    }
    assert_eq!(head(&ann).await, 3);
}
