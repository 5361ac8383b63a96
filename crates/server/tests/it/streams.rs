//! Stories of `GET /v1/stream`: what one device changes, the others are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use testkit::provider::Fault;
use testkit::{Client, Events, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

testkit::stamp! {
    both: [
        a_change_is_told_to_the_other_device_at_once,
        a_stream_goes_on_where_it_was_cut,
        the_deltas_of_a_stream_are_those_of_the_changes,
        a_cursor_that_cannot_be_gone_on_from_is_reset,
        a_lost_hint_is_found_by_the_backstop,
        nobody_is_told_of_anothers_changes,
        an_answer_is_marked_as_a_stream,
        what_arrives_late_arrives_together,
        the_eleventh_stream_replaces_the_first,
        a_quiet_stream_says_that_it_lives,
        a_reader_that_takes_nothing_is_cut_off,
        a_server_that_is_full_says_when_to_come_back,
        an_account_that_asks_too_often_is_told_when_to_come_back,
        a_server_that_stops_tells_its_streams,
        weather_that_changes_is_hinted_at,
        only_get_and_head_are_allowed,
    ]
}

/// Applies a delta as a client does.
fn apply(state: &mut BTreeMap<String, Value>, delta: &Value) {
    for change in delta["changes"].as_array().unwrap() {
        let id = change["id"].as_str().unwrap().to_owned();
        if change["deleted"] == true {
            assert!(change.get("item").is_none(), "{change}");
            state.remove(&id);
        } else {
            assert_eq!(change["item"]["rev"], change["rev"]);
            state.insert(id, change["item"].clone());
        }
    }
}

async fn snapshot(client: &Client) -> BTreeMap<String, Value> {
    let page = client.get("/v1/favourites?limit=200").await.expect(200);
    let items = page.json["items"].as_array().unwrap().iter();
    items.map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone())).collect()
}

async fn cursor(client: &Client) -> String {
    client.get("/v1/favourites").await.expect(200).text("/cursor")
}

/// Reads deltas until one ends at this cursor.
async fn read_up_to(events: &mut Events, to: &str) -> Vec<Value> {
    let mut deltas = Vec::new();
    loop {
        let event = events.expect("changes").await;
        assert_eq!(event.id.as_deref(), event.data["to"].as_str());
        let ends = event.data["to"] == to;
        deltas.push(event.data);
        if ends {
            return deltas;
        }
    }
}

async fn a_change_is_told_to_the_other_device_at_once(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    phone.save("Oslo", 59.91, 10.75).await;
    let mut events = laptop.get("/v1/stream").follow().await;
    let began = events.hello().await;
    assert_eq!(began, cursor(&laptop).await);

    let asked = Instant::now();
    let id = phone.save("Cabin", 60.1, 9.2).await;
    let event = events.expect("changes").await;
    // Half a minute is what the job that finds unheard changes may take.
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(event.data["from"], began);
    assert_eq!(event.data["changes"][0]["id"], id);
    assert_eq!(event.data["changes"][0]["item"]["name"], "Cabin");
    assert_eq!(event.data["has_more"], false);

    phone.patch(&format!("/v1/favourites/{id}"), json!({"note": "key under the mat"})).await.expect(200);
    let second = events.expect("changes").await;
    assert_eq!(second.data["from"], event.data["to"]);
    phone.delete(&format!("/v1/favourites/{id}")).await.expect(204);
    let third = events.expect("changes").await;
    assert_eq!(third.data["changes"][0]["deleted"], true);
}

async fn an_answer_is_marked_as_a_stream(app: TestApp) {
    let ann = app.anonymous().await;
    let mut events = ann.get("/v1/stream").header("accept-encoding", "gzip").follow().await;
    let header = |name: &str| events.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(events.status, 200);
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    assert_eq!(header("content-encoding"), None);
    assert!(header("ratelimit").is_some());
    let hello = events.expect("hello").await;
    assert_eq!(hello.data["heartbeat_s"], 20);
    let retry = events.retry.expect("a browser is told when to come back");
    assert!((2000..4000).contains(&retry), "{retry}");
}

async fn a_stream_goes_on_where_it_was_cut(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    let start = cursor(&laptop).await;
    let mut state = BTreeMap::new();
    let mut events = laptop.get(&format!("/v1/stream?cursor={start}")).follow().await;
    assert_eq!(events.hello().await, start);
    phone.save("Oslo", 59.91, 10.75).await;
    apply(&mut state, &events.expect("changes").await.data);
    let last = events.last_event_id.clone().unwrap();
    drop(events);

    let cabin = phone.save("Cabin", 60.1, 9.2).await;
    phone.save("Hut", 61.0, 8.0).await;
    phone.delete(&format!("/v1/favourites/{cabin}")).await.expect(204);
    // What the browser remembers goes before what the page wrote into the URL when it began.
    let mut events =
        laptop.get(&format!("/v1/stream?cursor={start}")).header("last-event-id", &last).follow().await;
    assert_eq!(events.hello().await, last);
    let delta = events.expect("changes").await.data;
    assert_eq!(delta["from"], last);
    assert_eq!(delta["changes"].as_array().unwrap().len(), 2, "Oslo is not told again: {delta}");
    apply(&mut state, &delta);
    assert_eq!(state, snapshot(&phone).await);
    // At the head there is nothing to tell, and an empty memory is none.
    let head = events.last_event_id.clone().unwrap();
    let mut events =
        laptop.get(&format!("/v1/stream?cursor={head}")).header("last-event-id", "").follow().await;
    assert_eq!(events.hello().await, head);
    phone.save("Lake", 62.0, 8.0).await;
    assert_eq!(events.expect("changes").await.data["from"], head);
}

async fn the_deltas_of_a_stream_are_those_of_the_changes(mut app: TestApp) {
    app.restart_with(|config| config.limits.mutations_burst = 10_000).await;
    let phone = app.user("ann@example.org").await;
    let start = cursor(&phone).await;
    // More than a page before it connects, and many while it is connected.
    let mut ids = Vec::new();
    for n in 0..90 {
        ids.push(phone.save(&format!("Place {n}"), 40.0 + f64::from(n) / 10.0, 5.0).await);
    }
    let mut events = phone.get(&format!("/v1/stream?cursor={start}")).follow().await;
    assert_eq!(events.hello().await, start);
    for (n, id) in ids.iter().enumerate() {
        let path = format!("/v1/favourites/{id}");
        match n % 3 {
            0 => drop(phone.delete(&path).await.expect(204)),
            1 => drop(phone.patch(&path, json!({"note": format!("note {n}")})).await.expect(200)),
            _ => {}
        }
    }
    let head = cursor(&phone).await;
    let deltas = read_up_to(&mut events, &head).await;
    let (mut state, mut at) = (BTreeMap::new(), start.clone());
    for delta in &deltas {
        assert_eq!(delta["from"], at, "a gap");
        at = delta["to"].as_str().unwrap().to_owned();
        apply(&mut state, delta);
    }
    let mut told = BTreeMap::new();
    let mut since = start;
    loop {
        let delta = phone.get(&format!("/v1/changes?since={since}&limit=50")).await.expect(200).json;
        apply(&mut told, &delta);
        since = delta["to"].as_str().unwrap().to_owned();
        if delta["has_more"] == false {
            break;
        }
    }
    assert_eq!(since, head);
    assert_eq!(state, told);
    assert_eq!(state, snapshot(&phone).await);
    assert_eq!(state.len(), 60);
}

async fn a_cursor_that_cannot_be_gone_on_from_is_reset(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.save("Oslo", 59.91, 10.75).await;
    let head = cursor(&ann).await;
    let (era, _) = head.rsplit_once('.').unwrap();
    let cases = [
        (format!("{era}.99"), "ahead"),
        (String::from("v1.7.0"), "era"),
        (String::from("nonsense"), "malformed"),
        (String::new(), "malformed"),
        ("1".repeat(100), "malformed"),
    ];
    for (wrong, reason) in cases {
        let mut events = ann.get(&format!("/v1/stream?cursor={wrong}")).follow().await;
        assert_eq!(events.status, 200, "a browser would never come back from an error");
        let reset = events.expect("reset").await;
        assert_eq!((&reset.data, &reset.id), (&json!({"reason": reason}), &None), "{wrong}");
        // Then on from the head.
        assert_eq!(events.hello().await, head);
    }
    let mut events = ann.get("/v1/stream").header("last-event-id", "v1.7.0").follow().await;
    events.expect("reset").await;
    events.hello().await;
    ann.save("Cabin", 60.1, 9.2).await;
    assert_eq!(events.expect("changes").await.data["from"], head);
}

async fn a_lost_hint_is_found_by_the_backstop(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    let mut events = laptop.get("/v1/stream").follow().await;
    let began = events.hello().await;
    // Another process on the same data: its commits are not announced here.
    let id = phone.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    let head = cursor(&phone).await;
    assert_ne!(began, head);
    let account = app.database().literal(&phone.account_id());
    let other = app.database().literal("0199aaaa-bbbb-7ccc-8ddd-000000000001");
    app.database()
        .run(&format!(
            "BEGIN;
             INSERT INTO tombstone (account_id, item_id, rev, removed_at) VALUES ({account}, {other}, 2, 0);
             UPDATE account_sync SET head = 2 WHERE account_id = {account};
             COMMIT;"
        ))
        .await;
    app.read_heads().await;
    let delta = events.expect("changes").await.data;
    assert_eq!((&delta["from"], &delta["changes"][0]["deleted"]), (&json!(head), &json!(true)), "{delta}");
    assert_ne!(delta["changes"][0]["id"], id);
}

async fn nobody_is_told_of_anothers_changes(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let mut events = bob.get("/v1/stream").follow().await;
    events.hello().await;
    ann.save("Oslo", 59.91, 10.75).await;
    app.read_heads().await;
    let id = bob.save("Cabin", 60.1, 9.2).await;
    let delta = events.expect("changes").await.data;
    assert_eq!(delta["changes"].as_array().unwrap().len(), 1);
    assert_eq!(delta["changes"][0]["id"], id);
}

/// Connects without reading: the system's own buffers are small, so that they are soon full.
async fn connect_slowly(app: &TestApp, client: &Client, cursor: &str) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(app.address()).await.unwrap();
    let head = format!(
        "GET /v1/stream?cursor={cursor} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        app.address(),
        client.access_token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    app.open_streams(1).await;
    stream
}

const LONG: &str = "\u{1d11e}";

async fn fill(app: &mut TestApp, places: u32) -> Client {
    app.restart_with(|config| {
        config.limits.mutations_burst = 100_000;
        config.limits.account_burst = 100_000;
        config.streams.stalled_s = 1;
    })
    .await;
    let ann = app.anonymous().await;
    for n in 0..places {
        let body = json!({"name": format!("{n}"), "lat": 40.0, "lon": 5.0, "note": LONG.repeat(2000)});
        ann.post("/v1/favourites", body).await.expect(201);
    }
    ann
}

async fn a_reader_that_takes_nothing_is_cut_off(mut app: TestApp) {
    let ann = fill(&mut app, 200).await;
    let (era, _) = cursor(&ann).await.rsplit_once('.').map(|(era, _)| (era.to_owned(), ())).unwrap();
    let mut stream = connect_slowly(&app, &ann, &format!("{era}.0")).await;
    // 1.6 MB do not fit into what the system buffers; nothing is taken for longer than the server waits.
    app.open_streams(0).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 1_400_000, "{} bytes arrived all the same", rest.len());
}

async fn what_arrives_late_arrives_together(mut app: TestApp) {
    let ann = fill(&mut app, 1).await;
    app.restart_with(|config| config.streams.stalled_s = 60).await;
    let ann = ann.moved_to(&app);
    let start = cursor(&ann).await;
    let id = ann.get("/v1/favourites").await.text("/items/0/id");
    let mut stream = connect_slowly(&app, &ann, &start).await;
    let rounds = 800;
    for n in 0..rounds {
        let note = format!("{n}{}", LONG.repeat(1900));
        ann.patch(&format!("/v1/favourites/{id}"), json!({"note": note})).await.expect(200);
    }
    let head = cursor(&ann).await;
    let (mut text, mut buffer) = (String::new(), vec![0; 65536]);
    let last = format!("id: {head}\n");
    while !text.contains(&last) {
        let read = tokio::time::timeout(Duration::from_secs(15), stream.read(&mut buffer)).await;
        let read = read.expect("something comes").unwrap();
        assert!(read > 0, "the stream ended");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let told = text.matches("event: changes").count();
    assert!(told < rounds / 10, "{told} of {rounds} changes were written one by one");
}

async fn the_eleventh_stream_replaces_the_first(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let mut bobs = bob.get("/v1/stream").follow().await;
    bobs.hello().await;
    let mut streams = Vec::new();
    for _ in 0..11 {
        let mut events = ann.get("/v1/stream").follow().await;
        events.hello().await;
        streams.push(events);
    }
    let mut first = streams.remove(0);
    assert_eq!(first.expect("session").await.data, json!({"state": "replaced"}));
    first.ended().await;
    ann.save("Oslo", 59.91, 10.75).await;
    for events in &mut streams {
        events.expect("changes").await;
    }
    bob.save("Cabin", 60.1, 9.2).await;
    bobs.expect("changes").await;
}

async fn a_quiet_stream_says_that_it_lives(mut app: TestApp) {
    app.restart_with(|config| config.streams.heartbeat_s = 1).await;
    let ann = app.anonymous().await;
    let mut events = ann.get("/v1/stream").follow().await;
    let hello = events.expect("hello").await;
    assert_eq!(hello.data["heartbeat_s"], 1);
    for _ in 0..2 {
        assert_eq!(events.comment().await, "hb");
    }
}

async fn a_server_that_is_full_says_when_to_come_back(mut app: TestApp) {
    app.restart_with(|config| config.limits.streams = 1).await;
    let ann = app.anonymous().await;
    let mut first = ann.get("/v1/stream").follow().await;
    first.hello().await;
    let mut second = ann.get("/v1/stream").follow().await;
    assert_eq!(second.status, 200);
    second.ended().await;
    assert!(second.retry.is_some_and(|ms| ms >= 2000), "{:?}", second.retry);
    drop(first);
    app.open_streams(0).await;
    ann.get("/v1/stream").follow().await.hello().await;
}

async fn an_account_that_asks_too_often_is_told_when_to_come_back(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.account_per_second = 0.1;
        config.limits.account_burst = 2;
    })
    .await;
    let ann = app.anonymous().await;
    for _ in 0..2 {
        ann.get("/v1/stream").follow().await.hello().await;
    }
    let mut events = ann.get("/v1/stream").follow().await;
    assert_eq!(events.status, 200, "a browser would never come back from 429");
    events.ended().await;
    assert!(events.retry.is_some_and(|ms| ms >= 10_000), "{:?}", events.retry);
}

async fn a_server_that_stops_tells_its_streams(mut app: TestApp) {
    let ann = app.anonymous().await;
    let mut events = ann.get("/v1/stream").follow().await;
    events.hello().await;
    events.retry = None;
    let asked = Instant::now();
    app.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(20), "a stream held the server: {:?}", asked.elapsed());
    events.ended().await;
    assert!(events.retry.is_some(), "clients are told when to come back");
}

async fn weather_that_changes_is_hinted_at(app: TestApp) {
    // With a cookie, since an hour is longer than a token lives.
    let mut ann = app.web();
    ann.start_anonymously().await;
    let oslo = ann.save("Oslo", 59.91, 10.75).await;
    let bergen = ann.save("Bergen", 60.39, 5.32).await;
    ann.get("/v1/favourites/forecasts").await.expect(200);
    let mut events = ann.get("/v1/stream").follow().await;
    events.hello().await;
    app.watch_favourites().await;
    // The same weather again is no news, however new it is.
    app.advance(Duration::from_mins(75));
    let calls = app.provider.calls();
    app.refresh_ahead().await;
    assert!(app.provider.calls() > calls, "it was fetched");
    app.provider.set_fault(Fault::Warmer);
    app.advance(Duration::from_mins(75));
    app.refresh_ahead().await;
    let mut told = BTreeSet::new();
    while told.len() < 2 {
        let event = events.expect("forecast").await;
        // That there is weather at all may be told late, or along with this.
        if event.data["issued_at"] != app.now().rfc3339() {
            continue;
        }
        assert_eq!(event.id, None);
        let ids = event.data["favourites"].as_array().unwrap().iter();
        told.extend(ids.map(|id| id.as_str().unwrap().to_owned()));
    }
    assert_eq!(told, BTreeSet::from([oslo, bergen]));
}

async fn only_get_and_head_are_allowed(app: TestApp) {
    let ann = app.anonymous().await;
    for path in ["/v1/stream", "/v1/ws"] {
        let answer = ann.post(path, json!({})).await.problem(405, "method_not_allowed");
        assert!(answer.header("allow").contains("GET"), "{answer}");
    }
    let answer = ann.call(Method::HEAD, "/v1/stream").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    app.open_streams(0).await;
    ann.get("/v1/stream?since=v1.1.1").await.invalid("?since", "unknown_field");
    app.visitor().get("/v1/stream").await.problem(401, "credential_required");
}
