//! Stories of `GET /v1/ws`: the same stream in frames, and clients that send what they should not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;

testkit::stamp! {
    both: [
        a_change_is_told_in_a_frame,
        a_socket_goes_on_where_it_was_cut,
        a_credential_may_come_with_the_first_frame,
        whoever_shows_no_credential_is_told_why_it_is_closed,
        our_own_page_may_use_its_cookie_and_no_other_page,
        a_front_end_elsewhere_uses_its_token_past_a_cookie,
        whatever_is_no_frame_closes_the_socket,
        a_message_too_large_closes_the_socket,
        silence_before_init_closes_the_socket,
        pings_and_pongs_may_come_before_init_and_between_fragments,
        a_client_that_closes_is_answered,
        silent_sockets_leave_places_for_others,
        a_server_that_stops_tells_those_who_have_not_begun,
        pings_are_answered_and_counted,
        one_stream_too_many_replaces_the_oldest_whatever_its_face,
        a_full_server_says_so,
        a_server_that_stops_says_so,
        a_socket_without_upgrade_is_a_problem,
    ]
}

fn init(cursor: &str) -> Value {
    json!({"t": "init", "cursor": cursor})
}

async fn a_change_is_told_in_a_frame(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut socket = ann.get("/v1/ws").socket().await;
    let hello = socket.expect("hello").await;
    assert_eq!(hello["heartbeat_s"], 20);
    let id = ann.save("Oslo", 59.91, 10.75).await;
    let delta = socket.expect("changes").await;
    assert_eq!((&delta["from"], &delta["has_more"]), (&hello["cursor"], &json!(false)));
    assert_eq!(delta["changes"][0]["item"]["id"], id);
    // Word for word what reading the changes answers.
    let since = hello["cursor"].as_str().unwrap();
    assert_eq!(delta, ann.get(&format!("/v1/changes?since={since}")).await.expect(200).json);
    ann.delete(&format!("/v1/favourites/{id}")).await.expect(204);
    assert_eq!(socket.expect("changes").await["changes"][0]["deleted"], true);
}

async fn a_socket_goes_on_where_it_was_cut(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut socket = ann.get("/v1/ws").socket().await;
    let at = socket.expect("hello").await["cursor"].as_str().unwrap().to_owned();
    drop(socket);
    let mut state = BTreeMap::new();
    for n in 0..3 {
        ann.save(&format!("Place {n}"), 50.0 + f64::from(n), 5.0).await;
    }
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    socket.say(&init(&at)).await;
    assert_eq!(socket.expect("hello").await["cursor"], at);
    let delta = socket.expect("changes").await;
    assert_eq!(delta["from"], at);
    for change in delta["changes"].as_array().unwrap() {
        state.insert(change["id"].to_string(), change["item"].clone());
    }
    assert_eq!(state.len(), 3);
    for (wrong, reason) in [("v1.7.0", "era"), ("nonsense", "malformed")] {
        let mut socket = ann.get("/v1/ws").open().await.unwrap();
        socket.say(&init(wrong)).await;
        assert_eq!(socket.expect("reset").await, json!({"reason": reason}));
        assert_eq!(socket.expect("hello").await["cursor"], delta["to"]);
    }
}

async fn a_credential_may_come_with_the_first_frame(app: TestApp) {
    let ann = app.anonymous().await;
    // A browser's WebSocket can set no header, wherever its page is from.
    let call = app.visitor().get("/v1/ws").header("origin", "https://app.example.org");
    let mut socket = call.open().await.unwrap();
    socket.say(&json!({"t": "init", "token": ann.access_token(), "cursor": null})).await;
    socket.expect("hello").await;
    ann.save("Oslo", 59.91, 10.75).await;
    socket.expect("changes").await;
}

async fn whoever_shows_no_credential_is_told_why_it_is_closed(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let ended = ann.copy();
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    for call in [
        app.visitor().get("/v1/ws"),
        app.visitor().get("/v1/ws?ticket=nonsense"),
        app.visitor().bearing("garbage").get("/v1/ws"),
        ended.get("/v1/ws"),
        app.visitor().get("/v1/ws").header("cookie", "sid=nonsense"),
    ] {
        assert_eq!(call.socket().await.closed().await, 4401);
    }
    let mut socket = app.visitor().get("/v1/ws").open().await.unwrap();
    socket.say(&json!({"t": "init", "token": "garbage"})).await;
    assert_eq!(socket.closed().await, 4401);
    app.open_streams(0).await;
}

async fn our_own_page_may_use_its_cookie_and_no_other_page(app: TestApp) {
    let mut page = app.web();
    page.start_anonymously().await;
    let own = app.base_url();
    let mut socket = page.get("/v1/ws").header("origin", &own).socket().await;
    socket.expect("hello").await;
    for foreign in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"] {
        let call = page.get("/v1/ws").header("origin", foreign).without("sec-fetch-site");
        assert_eq!(call.open().await.err(), Some(403), "{foreign}");
        // What a browser says of the site does not count here: it means the page's, not the socket's.
        let call = page.get("/v1/ws").header("origin", foreign);
        assert_eq!(call.open().await.err(), Some(403), "{foreign}");
    }
}

async fn a_front_end_elsewhere_uses_its_token_past_a_cookie(mut app: TestApp) {
    let front_end = "https://app.example.org";
    app.restart_with(|config| config.cors_origins = vec![front_end.to_owned()]).await;
    let ann = app.anonymous().await;
    let mut page = app.web();
    page.start_anonymously().await;
    let mut socket = page.get("/v1/ws").header("origin", front_end).open().await.unwrap();
    socket.say(&json!({"t": "init", "token": ann.access_token()})).await;
    socket.expect("hello").await;
    ann.save("Oslo", 59.91, 10.75).await;
    socket.expect("changes").await;
    // The cookie that came along says nothing.
    let mut socket = page.get("/v1/ws").header("origin", front_end).socket().await;
    assert_eq!(socket.closed().await, 4401);
}

async fn whatever_is_no_frame_closes_the_socket(app: TestApp) {
    let ann = app.anonymous().await;
    let wrong = [
        String::new(),
        String::from("{"),
        String::from("[]"),
        String::from("null"),
        String::from("hello"),
        json!({"t": "hello"}).to_string(),
        json!({"t": "auth"}).to_string(),
        json!({"t": "auth", "token": 5}).to_string(),
        json!({"t": "init", "cursor": 5}).to_string(),
        json!({"t": "init", "surplus": true}).to_string(),
        "[".repeat(60_000),
        format!("{{\"t\":\"init\",\"cursor\":\"{}\"", "x".repeat(1000)),
    ];
    for text in &wrong {
        let mut socket = ann.get("/v1/ws").open().await.unwrap();
        socket.text(text.as_str()).await;
        assert_eq!(socket.closed().await, 4400, "before init: {:.60}", text);
        let mut socket = ann.get("/v1/ws").socket().await;
        socket.expect("hello").await;
        socket.text(text.as_str()).await;
        assert_eq!(socket.closed().await, 4400, "after init: {:.60}", text);
    }
    for frame in [json!({"t": "ping"}), json!({"t": "auth", "token": ann.access_token()})] {
        let mut socket = ann.get("/v1/ws").open().await.unwrap();
        socket.say(&frame).await;
        assert_eq!(socket.closed().await, 4400, "{frame} before init");
    }
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    socket.say(&json!({"t": "init"})).await;
    assert_eq!(socket.closed().await, 4400, "a second init");
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    socket.binary(vec![1, 2, 3]).await;
    assert_eq!(socket.closed().await, 1003);
    app.open_streams(0).await;
}

async fn a_message_too_large_closes_the_socket(app: TestApp) {
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    let largest = json!({"t": "init"}).to_string();
    socket.text(largest.clone() + &" ".repeat(65_536 - largest.len())).await;
    socket.expect("hello").await;
    socket.text(" ".repeat(65 * 1024)).await;
    assert_eq!(socket.closed().await, 1009);
    app.open_streams(0).await;
}

async fn silence_before_init_closes_the_socket(app: TestApp) {
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    assert_eq!(socket.closed().await, 4408);
    app.open_streams(0).await;
}

async fn pings_and_pongs_may_come_before_init_and_between_fragments(app: TestApp) {
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    socket.ping().await;
    socket.pong().await;
    socket.say_in_fragments(&json!({"t": "init"})).await;
    socket.expect("hello").await;
    socket.ping().await;
    socket.say_in_fragments(&json!({"t": "ping"})).await;
    socket.expect("pong").await;
    // They do not keep a socket open for nothing.
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    for _ in 0..20 {
        socket.ping().await;
    }
    assert_eq!(socket.closed().await, 4429);
}

async fn a_client_that_closes_is_answered(app: TestApp) {
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").open().await.unwrap();
    socket.close().await;
    assert_eq!(socket.closed().await, 1000, "before init");
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    socket.close().await;
    assert_eq!(socket.closed().await, 1000);
    app.open_streams(0).await;
}

async fn silent_sockets_leave_places_for_others(mut app: TestApp) {
    app.restart_with(|config| config.limits.streams = 20).await;
    let ann = app.anonymous().await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(app.visitor().get("/v1/ws").open().await.unwrap());
    }
    let mut refused = app.visitor().get("/v1/ws").open().await.unwrap();
    refused.expect("retry").await;
    assert_eq!(refused.closed().await, 1013);
    // Whoever shows a credential with the request is not one of them.
    ann.get("/v1/ws").socket().await.expect("hello").await;
    ann.get("/v1/stream").follow().await.hello().await;
    // One that begins makes room.
    let mut begun = silent.pop().unwrap();
    begun.say(&json!({"t": "init", "token": ann.access_token()})).await;
    begun.expect("hello").await;
    let mut next = app.visitor().get("/v1/ws").open().await.unwrap();
    next.say(&json!({"t": "init", "token": ann.access_token()})).await;
    next.expect("hello").await;
}

async fn a_server_that_stops_tells_those_who_have_not_begun(mut app: TestApp) {
    let mut socket = app.visitor().get("/v1/ws").open().await.unwrap();
    app.open_streams(1).await;
    let asked = std::time::Instant::now();
    let stopped = tokio::spawn(async move { app.stop().await });
    assert!(socket.expect("retry").await["ms"].as_u64().unwrap() >= 2000);
    assert_eq!(socket.closed().await, 1001);
    stopped.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

async fn pings_are_answered_and_counted(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.account_per_second = 0.1;
        config.limits.account_burst = 5;
    })
    .await;
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    for _ in 0..4 {
        socket.say(&json!({"t": "ping"})).await;
        socket.expect("pong").await;
    }
    socket.say(&json!({"t": "ping"})).await;
    assert_eq!(socket.closed().await, 4429);
    // Who asks too often to open one is told when to come back.
    let mut socket = ann.get("/v1/ws").socket().await;
    assert!(socket.expect("retry").await["ms"].as_u64().unwrap() >= 10_000);
    assert_eq!(socket.closed().await, 4429);
}

async fn one_stream_too_many_replaces_the_oldest_whatever_its_face(mut app: TestApp) {
    app.restart_with(|config| config.limits.streams_per_account = 1).await;
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    let mut events = ann.get("/v1/stream").follow().await;
    events.hello().await;
    assert_eq!(socket.expect("session").await, json!({"state": "replaced"}));
    assert_eq!(socket.closed().await, 4409);
}

async fn a_full_server_says_so(mut app: TestApp) {
    app.restart_with(|config| config.limits.streams = 1).await;
    let ann = app.anonymous().await;
    // One that has not even said who it is takes a place as well.
    let _first = ann.get("/v1/ws").open().await.unwrap();
    let mut second = ann.get("/v1/ws").open().await.unwrap();
    assert!(second.expect("retry").await["ms"].as_u64().unwrap() >= 2000);
    assert_eq!(second.closed().await, 1013);
}

async fn a_server_that_stops_says_so(mut app: TestApp) {
    let ann = app.anonymous().await;
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    let asked = std::time::Instant::now();
    let stopped = tokio::spawn(async move { app.stop().await });
    assert!(socket.expect("retry").await["ms"].as_u64().unwrap() >= 2000);
    assert_eq!(socket.closed().await, 1001);
    stopped.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

async fn a_socket_without_upgrade_is_a_problem(app: TestApp) {
    let ann = app.anonymous().await;
    ann.get("/v1/ws").await.problem(426, "upgrade_required");
    app.visitor().get("/v1/ws").await.problem(401, "credential_required");
    app.open_streams(0).await;
}
