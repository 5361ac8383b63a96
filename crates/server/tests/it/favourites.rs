//! Favourites: saving, changing, ordering and removing them, and what a list shows when.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};

testkit::stamp! {
    both: [
        a_place_is_saved_with_what_the_gazetteer_knows,
        what_a_body_says_goes_before_the_place,
        a_point_is_saved_under_its_own_name,
        a_client_may_make_the_id,
        a_patch_changes_one_field_at_a_time,
        null_clears_what_may_be_empty,
        a_point_that_moves_gets_the_zone_of_its_new_place,
        what_was_removed_is_gone_for_good,
        two_accounts_may_use_one_id,
        the_same_place_twice_is_told,
        an_account_holds_so_many,
        the_list_is_in_order_of_position,
        pages_go_on_where_the_last_one_ended,
        the_log_grows_by_one_with_each_change,
        favourites_outlive_a_restart,
    ]
}

const LISBON: u32 = 2_267_057;

/// A client's own id.
pub fn id(n: u8) -> String {
    format!("0199a2b4-7c00-7000-8000-0000000000{n:02x}")
}

/// Changes that the account's log holds.
pub async fn head(client: &Client) -> i64 {
    let cursor = client.get("/v1/favourites").await.expect(200).text("/cursor");
    let parts: Vec<&str> = cursor.split('.').collect();
    assert_eq!((parts[0], parts.len()), ("v1", 3), "{cursor}");
    parts[2].parse().unwrap()
}

fn cabin() -> Value {
    json!({"name": "Cabin", "lat": 60.1, "lon": 9.2})
}

fn path(answer: &Response) -> String {
    format!("/v1/favourites/{}", answer.text("/id"))
}

async fn a_place_is_saved_with_what_the_gazetteer_knows(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", json!({"place_id": LISBON})).await.expect(201);
    assert_eq!(saved.header("location"), path(&saved));
    assert_eq!(saved.header("etag"), "\"r1\"");
    assert_eq!(saved.header("cache-control"), "no-store");
    // Both databases answer the same, in one process or in two.
    insta::allow_duplicates! {
        insta::with_settings!({sort_maps => true}, {
            insta::assert_json_snapshot!(saved.json, {".id" => "[id]"}, @r#"
            {
              "elevation": 45,
              "id": "[id]",
              "lat": 38.72509,
              "lon": -9.1498,
              "name": "Lisbon",
              "note": null,
              "place_id": 2267057,
              "position": "a0",
              "rev": 1,
              "tz": "Europe/Lisbon",
              "updated_at": "2026-11-21T10:00:00Z"
            }
            "#);
        });
    }
    let read = ann.get(&path(&saved)).await.expect(200);
    assert_eq!(read.json, saved.json);
    assert_eq!(read.header("etag"), "\"r1\"");
    ann.post("/v1/favourites", json!({"place_id": 4_294_967_295_u32})).await.invalid("/place_id", "unknown");
}

async fn what_a_body_says_goes_before_the_place(app: TestApp) {
    let ann = app.anonymous().await;
    let body = json!({"place_id": LISBON, "name": "Grandma", "note": "feed the cat", "position": "m"});
    let saved = ann.post("/v1/favourites", body).await.expect(201);
    assert_eq!(saved.json["name"], "Grandma");
    assert_eq!(saved.json["note"], "feed the cat");
    assert_eq!(saved.json["position"], "m");
    assert_eq!(saved.json["elevation"], 45);
    // A typed point does not inherit the height of the place's own.
    let body = json!({"place_id": LISBON, "lat": 38.75, "lon": -9.2});
    let saved = ann.post("/v1/favourites", body).await.expect(201);
    assert_eq!((&saved.json["lat"], &saved.json["elevation"]), (&json!(38.75), &Value::Null));
}

async fn a_point_is_saved_under_its_own_name(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", cabin()).await.expect(201);
    assert_eq!(saved.json["name"], "Cabin");
    assert_eq!(saved.json["tz"], "Europe/Oslo");
    assert_eq!(saved.json["place_id"], Value::Null);
    assert_eq!(saved.json["elevation"], Value::Null);
    for (body, pointer) in [
        (json!({"lat": 60.1, "lon": 9.2}), "/name"),
        (json!({"name": "Cabin", "lon": 9.2}), "/lat"),
        (json!({"name": "Cabin", "lat": 60.1}), "/lon"),
        (json!({"place_id": LISBON, "lat": 60.1}), "/lon"),
    ] {
        ann.post("/v1/favourites", body).await.invalid(pointer, "required");
    }
    let all = ann.post("/v1/favourites", json!({"lat": 91, "lon": -181, "name": " "})).await;
    for (pointer, code) in [("/lat", "out_of_range"), ("/lon", "out_of_range"), ("/name", "empty")] {
        all.clone().invalid(pointer, code);
    }
    assert_eq!(head(&ann).await, 1, "what was refused left nothing");
}

async fn a_client_may_make_the_id(app: TestApp) {
    let ann = app.anonymous().await;
    let path = format!("/v1/favourites/{}", id(1));
    let first = ann.put(&path, cabin()).await.expect(201);
    assert_eq!(first.json["id"], id(1));
    ann.put(&format!("/v1/favourites/{}", id(2)), cabin()).await.expect(201);

    let body = json!({"name": "Hut", "lat": 60.2, "lon": 9.2, "note": "key under the stone"});
    let replaced = ann.put(&path, body).await.expect(200);
    assert_eq!(replaced.json["name"], "Hut");
    assert_eq!(replaced.json["position"], first.json["position"], "a position that is left out is kept");
    assert_eq!(replaced.json["rev"], 3);
    // Replacing replaces: what the body leaves out is not kept.
    let bare = ann.put(&path, cabin()).await.expect(200);
    assert_eq!(bare.json["note"], Value::Null);
    let moved = ann.put(&path, json!({"name": "Hut", "lat": 60.2, "lon": 9.2, "position": "zz"})).await;
    assert_eq!(moved.expect(200).json["position"], "zz");
    assert_eq!(ann.favourites().await, ["Cabin", "Hut"]);
}

async fn a_patch_changes_one_field_at_a_time(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", json!({"place_id": LISBON, "note": "tram 28"})).await.expect(201);
    let path = path(&saved);
    let mut expected = saved.json.clone();
    for (rev, field, value) in [
        (2, "name", json!("Lisboa")),
        (3, "note", json!("tram 12")),
        (4, "elevation", json!(100)),
        (5, "position", json!("b7")),
        (6, "place_id", json!(2_735_943)),
    ] {
        let patched = ann.patch(&path, json!({field: value})).await.expect(200);
        expected[field] = value;
        expected["rev"] = json!(rev);
        assert_eq!(patched.json, expected);
        assert_eq!(patched.header("etag"), format!("\"r{rev}\""));
    }
    // Plain JSON is as good a content type as merge-patch+json.
    let patched =
        ann.patch(&path, json!({"name": "Lissabon"})).header("content-type", "application/json").await;
    assert_eq!(patched.expect(200).json["name"], "Lissabon");
    ann.patch(&path, json!({"place_id": 4_294_967_295_u32})).await.invalid("/place_id", "unknown");
    ann.patch(&path, json!({"colour": "red"})).await.invalid("/colour", "unknown_field");
    ann.patch(&path, json!({"tz": "Europe/Oslo"})).await.invalid("/tz", "unknown_field");
}

async fn null_clears_what_may_be_empty(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", json!({"place_id": LISBON, "note": "tram 28"})).await.expect(201);
    let path = path(&saved);
    let cleared =
        ann.patch(&path, json!({"note": null, "elevation": null, "place_id": null})).await.expect(200);
    for field in ["note", "elevation", "place_id"] {
        assert_eq!(cleared.json[field], Value::Null);
    }
    for field in ["name", "lat", "lon", "position"] {
        ann.patch(&path, json!({field: null})).await.invalid(&format!("/{field}"), "required");
    }
    assert_eq!(ann.get(&path).await.json, cleared.json);
}

async fn a_point_that_moves_gets_the_zone_of_its_new_place(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", json!({"place_id": LISBON})).await.expect(201);
    let moved = ann.patch(&path(&saved), json!({"lat": 40.71, "lon": -74.0})).await.expect(200);
    assert_eq!(moved.json["tz"], "America/New_York");
    assert_eq!(moved.json["place_id"], Value::Null, "it is not in Lisbon any more");
    assert_eq!(moved.json["elevation"], Value::Null, "nor at its height");
    let replaced = ann.put(&path(&saved), cabin()).await.expect(200);
    assert_eq!(replaced.json["tz"], "Europe/Oslo");
    // The zone follows each coordinate alone, too.
    let moved = ann.patch(&path(&saved), json!({"lon": -100.0})).await.expect(200);
    assert_eq!(moved.json["tz"], "America/Rankin_Inlet");
}

async fn what_was_removed_is_gone_for_good(app: TestApp) {
    let ann = app.anonymous().await;
    let path = format!("/v1/favourites/{}", id(1));
    ann.put(&path, cabin()).await.expect(201);
    let removed = ann.delete(&path).await.expect(204);
    assert!(removed.bytes.is_empty());
    ann.get(&path).await.problem(404, "not_found");
    ann.patch(&path, json!({"name": "Hut"})).await.problem(404, "not_found");
    ann.delete(&path).await.problem(404, "not_found");
    ann.put(&path, cabin()).await.problem(409, "gone");
    ann.put(&path, cabin()).header("if-none-match", "*").await.problem(409, "gone");
    assert_eq!(ann.favourites().await, <[String; 0]>::default());
    assert_eq!(head(&ann).await, 2);
}

async fn two_accounts_may_use_one_id(app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    let path = format!("/v1/favourites/{}", id(1));
    ann.put(&path, cabin()).await.expect(201);
    ben.get(&path).await.problem(404, "not_found");
    ben.patch(&path, json!({"name": "Mine"})).await.problem(404, "not_found");
    ben.delete(&path).await.problem(404, "not_found");
    ben.get(&format!("{path}/forecast")).await.problem(404, "not_found");
    ben.put(&path, json!({"name": "Ben's", "lat": 1, "lon": 2})).await.expect(201);
    ben.delete(&path).await.expect(204);
    assert_eq!(ann.favourites().await, ["Cabin"]);
    assert_eq!(head(&ann).await, 1, "what Ben does is not in Ann's log");
}

async fn the_same_place_twice_is_told(app: TestApp) {
    let ann = app.anonymous().await;
    let first = ann.post("/v1/favourites", json!({"place_id": LISBON})).await.expect(201);
    assert_eq!(first.json["duplicate_of"], Value::Null);
    let again = ann.post("/v1/favourites", json!({"name": "Lx", "lat": 38.72512, "lon": -9.14977})).await;
    let again = again.expect(201);
    assert_eq!(again.json["duplicate_of"], json!([first.json["id"]]));
    let third = ann.put(&format!("/v1/favourites/{}", id(1)), json!({"place_id": LISBON})).await.expect(201);
    let mut twins = third.json["duplicate_of"].as_array().cloned().unwrap();
    twins.sort_by_key(ToString::to_string);
    let mut expected = vec![first.json["id"].clone(), again.json["id"].clone()];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(twins, expected);
    // What moved away or was removed is no twin any more.
    ann.patch(&path(&first), json!({"lat": 1, "lon": 1})).await.expect(200);
    ann.delete(&path(&again)).await.expect(204);
    let fourth = ann.post("/v1/favourites", json!({"place_id": LISBON})).await.expect(201);
    assert_eq!(fourth.json["duplicate_of"], json!([id(1)]));
    let ben = app.anonymous().await;
    let other = ben.post("/v1/favourites", json!({"place_id": LISBON})).await.expect(201);
    assert_eq!(other.json["duplicate_of"], Value::Null, "nobody learns what others saved");
}

async fn an_account_holds_so_many(mut app: TestApp) {
    app.restart_with(|config| config.quota.favourites = 3).await;
    let ann = app.anonymous().await;
    for n in 1..=3 {
        ann.put(&format!("/v1/favourites/{}", id(n)), cabin()).await.expect(201);
    }
    let full = ann.post("/v1/favourites", cabin()).await.problem(409, "quota");
    assert!(full.text("/detail").contains('3'));
    ann.put(&format!("/v1/favourites/{}", id(4)), cabin()).await.problem(409, "quota");
    // What is there can still be changed, and what goes makes room.
    ann.put(&format!("/v1/favourites/{}", id(3)), json!({"place_id": LISBON})).await.expect(200);
    ann.delete(&format!("/v1/favourites/{}", id(1))).await.expect(204);
    ann.post("/v1/favourites", cabin()).await.expect(201);
    ann.post("/v1/favourites", cabin()).await.problem(409, "quota");
    // Two requests for the last place: one gets it.
    ann.delete(&format!("/v1/favourites/{}", id(2))).await.expect(204);
    let mut both = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let call = ann.post("/v1/favourites", cabin());
        both.spawn(async move { call.await.status });
    }
    let mut statuses = both.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

async fn the_list_is_in_order_of_position(app: TestApp) {
    let ann = app.anonymous().await;
    // Bytes decide: digits, then capitals, then small letters; equal ones are ordered by id.
    for (n, position) in [(5, "b"), (2, "Z"), (4, "a0"), (3, "a0"), (1, "a1"), (6, "9zzz")] {
        let body = json!({"name": format!("{n}"), "lat": n, "lon": n, "position": position});
        ann.put(&format!("/v1/favourites/{}", id(n)), body).await.expect(201);
    }
    assert_eq!(ann.favourites().await, ["6", "2", "3", "4", "1", "5"]);
    ann.patch(&format!("/v1/favourites/{}", id(5)), json!({"position": "0"})).await.expect(200);
    assert_eq!(ann.favourites().await, ["5", "6", "2", "3", "4", "1"]);
    // Without a position a favourite goes behind all others.
    ann.save("last", 1.0, 2.0).await;
    assert_eq!(ann.favourites().await.last().map(String::as_str), Some("last"));
    ann.patch(&format!("/v1/favourites/{}", id(5)), json!({"position": "a-b"}))
        .await
        .invalid("/position", "malformed");
}

async fn pages_go_on_where_the_last_one_ended(app: TestApp) {
    let ann = app.anonymous().await;
    for n in 0..7 {
        ann.save(&format!("place {n}"), f64::from(n), 10.0).await;
    }
    let mut names = Vec::new();
    let mut at = String::from("/v1/favourites?limit=3");
    let mut cursors = Vec::new();
    let mut pages = 0;
    loop {
        let page = ann.get(&at).await.expect(200);
        pages += 1;
        names.extend(page.json["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
        cursors.push(page.text("/cursor"));
        // Somebody adds and removes meanwhile: what was there throughout appears exactly once.
        let extra = ann.save("meanwhile", 1.0, 1.0).await;
        ann.delete(&format!("/v1/favourites/{extra}")).await.expect(204);
        let Some(next) = page.json["next"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        let expected = format!("</v1/favourites?limit=3&after={next}>; rel=\"next\"");
        assert_eq!(page.header("link"), expected);
        at = format!("/v1/favourites?limit=3&after={next}");
    }
    assert_eq!(pages, 3);
    assert_eq!(names, (0..7).map(|n| format!("place {n}")).collect::<Vec<_>>());
    assert!(cursors.iter().all(|cursor| *cursor == cursors[0]), "the cursor is that of the first page");
    assert!(cursors[0].ends_with(".7"), "{cursors:?}");

    for (query, pointer, code) in [
        ("limit=0", "?limit", "out_of_range"),
        ("limit=201", "?limit", "out_of_range"),
        ("limit=x", "?limit", "wrong_type"),
        ("limit=-1", "?limit", "wrong_type"),
        ("after=nonsense", "?after", "malformed"),
        ("after=", "?after", "malformed"),
        ("offset=3", "?offset", "unknown_field"),
    ] {
        ann.get(&format!("/v1/favourites?{query}")).await.invalid(pointer, code);
    }
    assert_eq!(ann.get("/v1/favourites?limit=200").await.expect(200).json["next"], Value::Null);
}

async fn the_log_grows_by_one_with_each_change(app: TestApp) {
    let ann = app.anonymous().await;
    assert_eq!(head(&ann).await, 0);
    let path = format!("/v1/favourites/{}", id(1));
    ann.put(&path, cabin()).await.expect(201);
    assert_eq!(head(&ann).await, 1);
    ann.patch(&path, json!({"note": "x"})).await.expect(200);
    assert_eq!(head(&ann).await, 2);
    // The same again is no change, nor is nothing, nor what is refused, nor looking.
    for _ in 0..2 {
        let same = ann.patch(&path, json!({"note": "x"})).await.expect(200);
        assert_eq!((&same.json["rev"], same.header("etag")), (&json!(2), "\"r2\""));
        ann.patch(&path, json!({})).await.expect(200);
        let put = json!({"name": "Cabin", "lat": 60.1, "lon": 9.2, "note": "x"});
        assert_eq!(ann.put(&path, put).await.expect(200).json["rev"], 2);
        ann.patch(&path, json!({"lat": 100})).await.invalid("/lat", "out_of_range");
        ann.get(&path).await.expect(200);
        ann.delete(&format!("/v1/favourites/{}", id(9))).await.problem(404, "not_found");
    }
    assert_eq!(head(&ann).await, 2);
    ann.delete(&path).await.expect(204);
    assert_eq!(head(&ann).await, 3);
}

async fn favourites_outlive_a_restart(mut app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.post("/v1/favourites", json!({"place_id": LISBON, "note": "tram 28"})).await.expect(201);
    app.restart().await;
    let ann = ann.moved_to(&app);
    assert_eq!(ann.get(&path(&saved)).await.expect(200).json, saved.json);
    assert_eq!(head(&ann).await, 1);
    // A new era begins with the first write after the restart; the numbers go on.
    ann.save("Cabin", 60.1, 9.2).await;
    assert_eq!(head(&ann).await, 2);
}

/// Some changes in a row, each to one of four favourites, and the readers who list again and again meanwhile.
#[derive(Clone, Debug)]
struct Step {
    changes: Vec<(usize, bool)>,
    readers: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let changes = proptest::collection::vec((0..4_usize, any::<bool>()), 1..8);
    (changes, 0..5_usize).prop_map(|(changes, readers)| Step { changes, readers })
}

/// The cursor's number, and each favourite's revision.
fn seen(list: &Response) -> (i64, BTreeMap<String, i64>) {
    let head = list.text("/cursor").rsplit('.').next().and_then(|seq| seq.parse().ok()).unwrap();
    let items = list.json["items"].as_array().unwrap().iter();
    (
        head,
        items.map(|item| (item["id"].as_str().unwrap().to_owned(), item["rev"].as_i64().unwrap())).collect(),
    )
}

/// Lists are kept as they were written out; none may be served that an acknowledged change has outdated,
/// however reading and writing interleave. Several changes in a row without a list between them let a reader
/// begin after one and end after the next, which is when an old list could be kept.
#[test]
fn a_list_after_a_change_always_shows_it() {
    let runtime = testkit::databases::runtime();
    let app = runtime.block_on(TestApp::start_with(1, |config| {
        config.limits.mutations_burst = 100_000;
        config.limits.account_burst = 100_000;
    }));
    let mut runner = TestRunner::new(Config { cases: 30, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&proptest::collection::vec(step(), 1..12), |steps| {
        runtime.block_on(async {
            let ann = app.anonymous().await;
            // What the list held after each change.
            let mut history: Vec<BTreeMap<String, i64>> = vec![BTreeMap::new()];
            let mut ids = [1_u8, 2, 3, 4];
            for Step { changes, readers } in steps {
                let begun = history.len() - 1;
                let (stop, stopped) = tokio::sync::watch::channel(false);
                let mut reading = tokio::task::JoinSet::new();
                for _ in 0..readers {
                    let (ann, stopped) = (ann.clone(), stopped.clone());
                    reading.spawn(async move {
                        let mut lists = Vec::new();
                        while !*stopped.borrow() {
                            lists.push(seen(&ann.get("/v1/favourites").await.expect(200)));
                        }
                        lists
                    });
                }
                for (slot, removes) in changes {
                    let mut list = history[history.len() - 1].clone();
                    let name = id(ids[slot]);
                    let path = format!("/v1/favourites/{name}");
                    if removes && list.remove(&name).is_some() {
                        drop(ann.delete(&path).await.expect(204));
                        // An id is not used again after its favourite was removed.
                        ids[slot] += 4;
                    } else {
                        let body = json!({"name": format!("{}", history.len()), "lat": 1, "lon": 1});
                        let written = ann.put(&path, body).await;
                        list.insert(name, written.json["rev"].as_i64().unwrap());
                    }
                    history.push(list);
                }
                let last = history.len() - 1;
                let (head, list) = seen(&ann.get("/v1/favourites").await.expect(200));
                stop.send_replace(true);
                prop_assert_eq!((head, &list), (i64::try_from(last).unwrap(), &history[last]));
                for lists in reading.join_all().await {
                    let mut latest = begun;
                    for (head, list) in lists {
                        let head = usize::try_from(head).unwrap();
                        prop_assert!((latest..=last).contains(&head), "a list went back to {head}");
                        prop_assert!(history[head..].contains(&list), "no such list at {head}");
                        latest = head;
                    }
                }
            }
            Ok(())
        })
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
