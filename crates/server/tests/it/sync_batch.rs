//! `POST /v1/sync`: many changes at once, each with its own result, and each with its effect once.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};

use crate::changes::{at, changes, cursor};
use crate::compaction::after;
use crate::favourites::{head, id};

testkit::stamp! {
    both: [
        a_device_brings_what_it_did_and_hears_of_the_rest,
        one_that_fails_does_not_stop_the_others,
        a_repeat_changes_nothing_and_is_told_so,
        a_mid_is_for_one_mutation,
        a_mid_grows_too_old,
        repeats_at_the_same_time_have_one_effect,
        a_cursor_of_the_past_never_blocks_an_upload,
        own_changes_do_not_make_a_wrong_cursor_right,
        the_delta_reaches_every_result,
    ]
}

pub const DEVICE: &str = "0199a2b4-0000-7000-8000-0000000000d1";
pub const OTHER: &str = "0199a2b4-0000-7000-8000-0000000000d2";

/// A mid of the time at which stories begin.
pub fn mid(n: u16) -> String {
    format!("01a1fd8c-6900-7000-8000-00000000{n:04x}")
}

pub fn create(n: u16, name: &str) -> Value {
    let id = id(u8::try_from(n).unwrap());
    json!({"mid": mid(n), "kind": "favourite", "op": "create", "id": id,
        "set": {"name": name, "lat": 60.1, "lon": 9.2}})
}

pub fn update(n: u16, of: u8, base_rev: Option<i64>, set: Value) -> Value {
    json!({"mid": mid(n), "kind": "favourite", "op": "update", "id": id(of), "base_rev": base_rev, "set": set})
}

pub fn delete(n: u16, of: u8) -> Value {
    json!({"mid": mid(n), "kind": "favourite", "op": "delete", "id": id(of)})
}

/// Sends a batch from a device that is about to take the snapshot.
pub async fn send(client: &Client, device: &str, mutations: &[Value]) -> Response {
    client.post("/v1/sync", json!({"device": device, "since": null, "mutations": mutations})).await
}

/// What became of each mutation: status, or the reason why not.
pub fn told(answer: &Response) -> Vec<String> {
    let results = answer.json["results"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let word = |result: &Value| result["error"].as_str().or(result["status"].as_str()).unwrap().to_owned();
    results.iter().map(word).collect()
}

async fn a_device_brings_what_it_did_and_hears_of_the_rest(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    ann.put(&format!("/v1/favourites/{}", id(9)), json!({"name": "Hut", "lat": 1, "lon": 1}))
        .await
        .expect(201);
    let mutations = [
        create(1, "Cabin"),
        create(2, "Beach"),
        update(3, 1, None, json!({"note": "mind the step", "position": "Z"})),
        delete(4, 2),
    ];
    let body = json!({"device": DEVICE, "since": start, "mutations": mutations});
    let answer = ann.post("/v1/sync", body).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(told(&answer), ["applied"; 4]);
    let results = answer.json["results"].as_array().unwrap();
    let revs: Vec<_> = results.iter().map(|result| result["rev"].as_i64().unwrap()).collect();
    assert_eq!(revs, [2, 3, 4, 5]);
    assert_eq!(results[0]["mid"], mid(1));
    assert_eq!(results[2]["item"]["note"], "mind the step");
    assert_eq!(results[2]["item"]["tz"], "Europe/Oslo");
    assert!(results[3].get("item").is_none() && results[0].get("overwrote").is_none(), "{answer}");
    assert_eq!(answer.json["reset"], Value::Null);
    let delta = &answer.json["delta"];
    assert_eq!((&delta["from"], &delta["to"]), (&json!(start), &json!(at(&start, 5))));
    assert_eq!(*delta, changes(&ann, &start).await.expect(200).json);
    let told: Vec<_> = delta["changes"].as_array().unwrap().iter().map(|change| &change["id"]).collect();
    assert_eq!(told, [&json!(id(9)), &json!(id(1)), &json!(id(2))]);
    assert_eq!(ann.favourites().await, ["Cabin", "Hut"]);

    // Without mutations it is a question, and without a cursor not even that.
    let asked =
        ann.post("/v1/sync", json!({"device": DEVICE, "since": start, "mutations": []})).await.expect(200);
    assert_eq!((&asked.json["results"], &asked.json["delta"]), (&json!([]), delta));
    let silent = ann.post("/v1/sync", json!({"device": DEVICE, "mutations": []})).await.expect(200);
    assert_eq!(silent.json, json!({"results": [], "delta": null, "reset": null}));
}

async fn one_that_fails_does_not_stop_the_others(app: TestApp) {
    let ann = app.anonymous().await;
    let mut nowhere = create(2, "Nowhere");
    nowhere["set"] = json!({"place_id": 4_294_967_295_u32});
    let batch = [
        create(1, "Cabin"),
        nowhere,
        update(3, 7, None, json!({"note": "x"})),
        delete(4, 8),
        create(5, "Hut"),
    ];
    let answer = send(&ann, DEVICE, &batch).await.expect(200);
    assert_eq!(told(&answer), ["applied", "invalid", "gone", "noop", "applied"]);
    assert_eq!(answer.json["results"][1]["errors"][0]["pointer"], "/mutations/1/set/place_id");
    assert_eq!(head(&ann).await, 2);
    assert_eq!(ann.favourites().await, ["Cabin", "Hut"]);
}

async fn a_repeat_changes_nothing_and_is_told_so(mut app: TestApp) {
    let ann = app.anonymous().await;
    let batch = [
        create(1, "Cabin"),
        create(2, "Beach"),
        update(3, 1, Some(1), json!({"name": "Hut"})),
        update(4, 1, Some(1), json!({"name": "Hut"})),
        delete(5, 2),
        update(6, 2, Some(2), json!({"name": "Sea"})),
        create(7, "Cabin"),
    ];
    let mut batch = batch.to_vec();
    batch[6]["id"] = json!(id(1));
    let first = send(&ann, DEVICE, &batch).await.expect(200);
    assert_eq!(told(&first), ["applied", "applied", "applied", "noop", "applied", "gone", "exists"]);
    assert_eq!(head(&ann).await, 4);
    app.restart().await;
    let ann = ann.moved_to(&app);
    ann.patch(&format!("/v1/favourites/{}", id(1)), json!({"note": "later"})).await.expect(200);
    for (device, reversed) in [(DEVICE, false), (OTHER, true)] {
        let mut repeat = batch.clone();
        if reversed {
            repeat.reverse();
        }
        let again = send(&ann, device, &repeat).await.expect(200);
        let mut results = again.json["results"].as_array().unwrap().clone();
        if reversed {
            results.reverse();
        }
        let words: Vec<_> =
            results.iter().map(|r| r["error"].as_str().or(r["status"].as_str()).unwrap()).collect();
        let expected = ["duplicate", "duplicate", "duplicate", "duplicate", "duplicate", "gone", "exists"];
        assert_eq!(words, expected);
        let revs: Vec<_> = results.iter().map(|result| result["rev"].as_i64()).collect();
        assert_eq!(revs, [Some(1), Some(2), Some(3), None, Some(4), None, None]);
        assert_eq!(results[0]["item"]["note"], "later", "the item as it is now");
        assert!(results[1].get("item").is_none());
    }
    assert_eq!(head(&ann).await, 5);
    // Defaults that are spelled out make it no other mutation, and neither does how a number is written.
    let mut spelled = create(1, " Cabin ");
    spelled["base_rev"] = Value::Null;
    spelled["policy"] = json!("merge");
    spelled["set"]["lon"] = json!(9.20);
    assert_eq!(told(&send(&ann, DEVICE, &[spelled]).await), ["duplicate"]);
}

async fn a_mid_is_for_one_mutation(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    let mut policy = create(1, "Cabin");
    policy["policy"] = json!("if_match");
    let mut base = create(1, "Cabin");
    base["base_rev"] = json!(1);
    let mut other_id = create(1, "Cabin");
    other_id["id"] = json!(id(2));
    for other in [create(1, "Hut"), update(1, 1, None, json!({})), delete(1, 1), policy, base, other_id] {
        let answer = send(&ann, DEVICE, &[other]).await.expect(200);
        assert_eq!(told(&answer), ["mid_reused"], "{answer}");
        assert_eq!(answer.json["results"][0]["status"], "rejected");
    }
    // Also within one batch; and somebody else's mids are their own.
    assert_eq!(
        told(&send(&ann, DEVICE, &[create(2, "A"), create(2, "A"), create(2, "B")]).await),
        ["applied", "duplicate", "mid_reused"]
    );
    assert_eq!(head(&ann).await, 2);
    let ben = app.anonymous().await;
    assert_eq!(told(&send(&ben, DEVICE, &[create(1, "Hut")]).await), ["applied"]);
}

async fn a_mid_grows_too_old(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    assert_eq!(told(&send(&ann, DEVICE, &[create(1, "Cabin")]).await), ["applied"]);
    app.advance(Duration::from_secs(1));
    after(&app, &ann, 90).await;
    app.clean_up().await;
    // Its receipt is kept a little longer, so a repeat is still known; another of the same age is not.
    let answer = send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut")]).await.expect(200);
    assert_eq!(told(&answer), ["duplicate", "expired"]);
    after(&app, &ann, 5).await;
    app.clean_up().await;
    let answer = send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut")]).await.expect(200);
    assert_eq!(told(&answer), ["expired", "expired"]);
    assert_eq!(head(&ann).await, 1);
}

async fn repeats_at_the_same_time_have_one_effect(app: TestApp) {
    let ann = app.anonymous().await;
    let batch: Vec<_> = (1..=10).map(|n| create(n, "Cabin")).collect();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (ann, batch) = (ann.clone(), batch.clone());
        calls.spawn(async move { told(&send(&ann, DEVICE, &batch).await) });
    }
    let words: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    assert_eq!(words.iter().filter(|word| *word == "applied").count(), 10);
    assert_eq!(words.iter().filter(|word| *word == "duplicate").count(), 70);
    assert_eq!(head(&ann).await, 10);
}

async fn a_cursor_of_the_past_never_blocks_an_upload(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    let era: u32 = start.split('.').nth(1).unwrap().parse().unwrap();
    let foreign = format!("v1.{}.0", era.wrapping_add(1));
    for (n, since, reason) in [
        (1, json!(foreign), "era"),
        (2, json!("nonsense"), "malformed"),
        (3, json!(""), "malformed"),
        (4, json!(17), "malformed"),
        (5, json!({"a": [1]}), "malformed"),
        (6, json!(at(&start, 999)), "ahead"),
    ] {
        let body = json!({"device": DEVICE, "since": since, "mutations": [create(n, "Cabin")]});
        let answer = ann.post("/v1/sync", body).await.expect(200);
        assert_eq!(told(&answer), ["applied"]);
        assert_eq!(answer.json["reset"], json!({"reason": reason, "snapshot": "/v1/favourites"}), "{answer}");
        assert_eq!(answer.json["delta"], Value::Null);
        let asked = json!({"device": DEVICE, "since": since, "mutations": []});
        assert_eq!(ann.post("/v1/sync", asked).await.expect(200).json["reset"]["reason"], reason);
    }
    assert_eq!(head(&ann).await, 6);
}

async fn own_changes_do_not_make_a_wrong_cursor_right(app: TestApp) {
    let ann = app.anonymous().await;
    let ahead = at(&cursor(&ann).await, 2);
    let batch: Vec<_> = (1..=3).map(|n| create(n, "Cabin")).collect();
    let body = json!({"device": DEVICE, "since": ahead, "mutations": batch});
    let answer = ann.post("/v1/sync", body).await.expect(200);
    assert_eq!((&answer.json["reset"]["reason"], &answer.json["delta"]), (&json!("ahead"), &Value::Null));
    assert_eq!(told(&answer), ["applied"; 3]);
}

async fn the_delta_reaches_every_result(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..8_u16 {
        let (ann, start) = (ann.clone(), start.clone());
        calls.spawn(async move {
            let batch: Vec<_> = (0..5).map(|m| create(n * 5 + m + 1, "Cabin")).collect();
            let body = json!({"device": DEVICE, "since": start, "mutations": batch});
            let answer = ann.post("/v1/sync", body).await.expect(200).json;
            let to: i64 =
                answer["delta"]["to"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap();
            let results = answer["results"].as_array().unwrap();
            assert!(results.iter().all(|result| result["rev"].as_i64().unwrap() <= to), "{answer}");
            let told = answer["delta"]["changes"].as_array().unwrap();
            for result in results {
                assert!(told.iter().any(|change| change["item"] == result["item"]), "{answer}");
            }
        });
    }
    calls.join_all().await;
    assert_eq!(head(&ann).await, 40);
}
