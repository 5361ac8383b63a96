//! `GET /v1/changes`: what happened since a cursor, or a word that it cannot be told.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};

use crate::favourites::{head, id};

testkit::stamp! {
    both: [
        a_change_is_told_once_at_its_newest,
        pages_end_at_their_last_change,
        snapshot_and_deltas_lead_to_what_is_there,
        a_restart_costs_nobody_a_snapshot,
        what_is_no_cursor_sends_to_the_snapshot,
        a_foreign_cursor_tells_nothing_of_others,
        a_delta_is_whole_while_others_write,
        the_rest_of_the_query_is_checked,
    ]
}

pub async fn cursor(client: &Client) -> String {
    client.get("/v1/favourites").await.expect(200).text("/cursor")
}

pub async fn changes(client: &Client, since: &str) -> Response {
    client.get(&format!("/v1/changes?since={since}")).await
}

/// The cursor with another number.
pub fn at(cursor: &str, seq: i64) -> String {
    let (era, _) = cursor.rsplit_once('.').unwrap();
    format!("{era}.{seq}")
}

#[track_caller]
fn reset(answer: Response, reason: &str) {
    let answer = answer.problem(410, "cursor_expired");
    assert_eq!(answer.json["reason"], reason, "{answer}");
    assert_eq!(answer.json["snapshot"], "/v1/favourites", "{answer}");
}

fn path(n: u8) -> String {
    format!("/v1/favourites/{}", id(n))
}

fn named(name: &str) -> Value {
    json!({"name": name, "lat": 60.1, "lon": 9.2})
}

async fn a_change_is_told_once_at_its_newest(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    let nothing = changes(&ann, &start).await.expect(200);
    assert_eq!(nothing.json, json!({"from": start, "to": start, "changes": [], "has_more": false}));
    assert_eq!(nothing.header("cache-control"), "no-store");

    ann.put(&path(1), named("Cabin")).await.expect(201);
    ann.put(&path(2), named("Hut")).await.expect(201);
    let cabin = ann.patch(&path(1), json!({"note": "x"})).await.expect(200).json;
    ann.delete(&path(2)).await.expect(204);
    let delta = changes(&ann, &start).await.expect(200).json;
    assert_eq!(
        delta,
        json!({"from": start, "to": at(&start, 4), "has_more": false, "changes": [
            {"kind": "favourite", "id": id(1), "rev": 3, "deleted": false, "item": cabin},
            {"kind": "favourite", "id": id(2), "rev": 4, "deleted": true},
        ]})
    );
    let rest = changes(&ann, &at(&start, 3)).await.expect(200).json;
    assert_eq!(rest["changes"], json!([delta["changes"][1]]));
    assert_eq!(changes(&ann, &at(&start, 4)).await.expect(200).json["changes"], json!([]));
}

async fn pages_end_at_their_last_change(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    for n in 1..=7 {
        ann.put(&path(n), named("Cabin")).await.expect(201);
    }
    // Leaves a gap: revision 2 is nobody's now.
    ann.patch(&path(2), json!({"note": "x"})).await.expect(200);
    let (mut at, mut revs, mut ends) = (start.clone(), Vec::new(), Vec::new());
    loop {
        let page = ann.get(&format!("/v1/changes?since={at}&limit=3")).await.expect(200).json;
        assert_eq!(page["from"], at);
        revs.extend(page["changes"].as_array().unwrap().iter().map(|change| change["rev"].as_i64().unwrap()));
        at = page["to"].as_str().unwrap().to_owned();
        ends.push(at.rsplit_once('.').unwrap().1.parse::<i64>().unwrap());
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(revs, [1, 3, 4, 5, 6, 7, 8]);
    assert_eq!(ends, [4, 7, 8]);
}

async fn snapshot_and_deltas_lead_to_what_is_there(app: TestApp) {
    let ann = app.anonymous().await;
    for n in 1..=4 {
        ann.put(&path(n), named("before")).await.expect(201);
    }
    let snapshot = ann.get("/v1/favourites").await.expect(200).json;
    let items = snapshot["items"].as_array().unwrap().iter();
    let mut local: BTreeMap<String, Value> =
        items.map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone())).collect();
    let mut at = snapshot["cursor"].as_str().unwrap().to_owned();
    for n in 1..=8 {
        ann.put(&path(n), named("after")).await;
        ann.delete(&path(n / 2)).await;
        let delta = ann.get(&format!("/v1/changes?since={at}")).await.expect(200).json;
        for change in delta["changes"].as_array().unwrap() {
            let id = change["id"].as_str().unwrap().to_owned();
            if change["deleted"] == true {
                local.remove(&id);
            } else {
                local.insert(id, change["item"].clone());
            }
        }
        at = delta["to"].as_str().unwrap().to_owned();
        let now = ann.get("/v1/favourites").await.expect(200).json;
        let there = now["items"].as_array().unwrap();
        assert_eq!(there.len(), local.len());
        assert!(there.iter().all(|item| local[item["id"].as_str().unwrap()] == *item), "{now} {local:?}");
        assert_eq!(now["cursor"], at);
    }
}

async fn a_restart_costs_nobody_a_snapshot(mut app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&path(1), named("Cabin")).await.expect(201);
    let before = cursor(&ann).await;
    app.restart().await;
    let ann = ann.moved_to(&app);
    let quiet = changes(&ann, &before).await.expect(200).json;
    assert_eq!((&quiet["from"], &quiet["to"]), (&json!(before), &json!(before)));
    ann.put(&path(2), named("Hut")).await.expect(201);
    let delta = changes(&ann, &before).await.expect(200).json;
    assert_eq!(delta["changes"].as_array().unwrap().len(), 1);
    assert_eq!(delta["to"], cursor(&ann).await);
    if app.database().is_sqlite() {
        assert_ne!(delta["to"], at(&before, 2), "a start is a new era, which the first write enters");
        // The old era ended where it did: nothing more of it was ever issued.
        reset(changes(&ann, &at(&before, 2)).await, "era");
    }
}

async fn what_is_no_cursor_sends_to_the_snapshot(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&path(1), named("Cabin")).await.expect(201);
    let good = cursor(&ann).await;
    let long = format!("v1.1.{}", "1".repeat(64));
    for bad in
        ["", "0", "v1", "v1.1", "v2.1.1", "v1.1.-1", "v1.01.1", "null", "%00", "%ff", "%F0%9F%8C%A6", &long]
    {
        reset(changes(&ann, bad).await, "malformed");
    }
    reset(ann.get("/v1/changes").await, "malformed");
    reset(ann.get("/v1/changes?since").await, "malformed");
    reset(ann.get(&format!("/v1/changes?since={good}&since={good}")).await, "malformed");
    reset(ann.get("/v1/changes?since=&since=").await, "malformed");
    reset(changes(&ann, &at(&good, 2)).await, "ahead");
    reset(changes(&ann, &at(&good, i64::MAX)).await, "ahead");
    let era: u32 = good.split('.').nth(1).unwrap().parse().unwrap();
    reset(changes(&ann, &format!("v1.{}.0", era.wrapping_add(1))).await, "era");
    changes(&ann, &good).await.expect(200);
}

async fn a_foreign_cursor_tells_nothing_of_others(app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    for n in 1..=3 {
        ann.put(&path(n), named("Cabin")).await.expect(201);
    }
    ben.put(&path(9), named("Ben's")).await.expect(201);
    let hers = cursor(&ann).await;
    reset(changes(&ben, &hers).await, "ahead");
    let his = changes(&ben, &at(&hers, 0)).await.expect(200).json;
    let ids: Vec<_> = his["changes"].as_array().unwrap().iter().map(|change| &change["id"]).collect();
    assert_eq!(ids, [&json!(id(9))]);
}

async fn a_delta_is_whole_while_others_write(mut app: TestApp) {
    app.restart_with(|config| config.limits.account_burst = 1_000_000).await;
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    let writer = ann.clone();
    let writing = tokio::spawn(async move {
        for n in 0..60_u8 {
            let n = n % 10 + 1;
            writer.put(&path(n), json!({"name": "Cabin", "lat": 1, "lon": 1, "note": format!("{n}")})).await;
            writer.patch(&path(n), json!({"note": null})).await;
        }
    });
    let (mut at, mut seen) = (start, BTreeMap::new());
    loop {
        let done = writing.is_finished();
        let delta = changes(&ann, &at).await.expect(200).json;
        assert_eq!(delta["from"], at);
        for change in delta["changes"].as_array().unwrap() {
            seen.insert(change["id"].as_str().unwrap().to_owned(), change["rev"].as_i64().unwrap());
        }
        at = delta["to"].as_str().unwrap().to_owned();
        // In a whole delta the newest change is the one that `to` names: each change is some item's newest.
        let newest = delta["changes"].as_array().unwrap().last().map(|change| change["rev"].clone());
        assert!(newest.is_none_or(|rev| at.ends_with(&format!(".{rev}"))), "{delta}");
        if done {
            break;
        }
    }
    writing.await.unwrap();
    let list = ann.get("/v1/favourites").await.expect(200).json;
    for item in list["items"].as_array().unwrap() {
        assert_eq!(seen[item["id"].as_str().unwrap()], item["rev"]);
    }
    assert_eq!(i64::try_from(seen.len()).unwrap(), 10);
    assert!(head(&ann).await >= 100);
}

async fn the_rest_of_the_query_is_checked(app: TestApp) {
    let ann = app.anonymous().await;
    let start = cursor(&ann).await;
    for (query, pointer, code) in [
        ("limit=0", "?limit", "out_of_range"),
        ("limit=501", "?limit", "out_of_range"),
        ("limit=-1", "?limit", "wrong_type"),
        ("limit=x", "?limit", "wrong_type"),
        ("limit=", "?limit", "wrong_type"),
        ("limit=1&limit=2", "?limit", "duplicate"),
        ("after=x", "?after", "unknown_field"),
        ("Since=x", "?Since", "unknown_field"),
    ] {
        ann.get(&format!("/v1/changes?since={start}&{query}")).await.invalid(pointer, code);
    }
    ann.get(&format!("/v1/changes?limit=500&since={start}")).await.expect(200);
}
