//! Stories about the end of a stream: whoever may not see any more is told no more.

use std::time::{Duration, Instant};

use app::audit::Actor;
use serde_json::json;
use testkit::{Client, Events, TestApp};

testkit::stamp! {
    both: [
        signing_out_closes_the_sessions_streams,
        a_session_that_ended_on_another_node_closes_its_streams,
        a_stream_is_told_nothing_while_its_node_does_not_know_who_has_left,
        removing_the_account_closes_its_streams,
        a_token_is_warned_of_and_then_ends,
        a_new_token_keeps_a_web_socket,
        a_cookies_stream_ends_with_its_session,
        a_used_refresh_token_closes_the_streams_of_its_session,
        a_stream_opened_beside_the_end_of_its_session_ends_too,
        what_ends_a_session_ends_its_streams_itself,
    ],
    postgres: [a_stream_that_reads_ends_with_its_session, a_read_that_hangs_silences_nobody]
}

async fn follow(client: &Client) -> Events {
    let mut events = client.get("/v1/stream").follow().await;
    events.hello().await;
    events
}

async fn ends_as(mut events: Events, state: &str) {
    assert_eq!(events.expect("session").await.data, json!({"state": state}));
    events.ended().await;
}

async fn signing_out_closes_the_sessions_streams(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    let (ended, mut kept) = (follow(&phone).await, follow(&laptop).await);
    let mut socket = phone.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    let asked = Instant::now();
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    ends_as(ended, "revoked").await;
    assert_eq!(socket.expect("session").await, json!({"state": "revoked"}));
    assert_eq!(socket.closed().await, 4401);
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    laptop.save("Oslo", 59.91, 10.75).await;
    kept.expect("changes").await;
    phone.get("/v1/stream").await.problem(401, "session_ended");
}

async fn a_session_that_ended_on_another_node_closes_its_streams(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let events = follow(&ann).await;
    let session = app.database().literal(&ann.kept().session_id.unwrap());
    let now = app.now().millis();
    app.database()
        .run(&format!("INSERT INTO revocation (session_id, revoked_at) VALUES ({session}, {now})"))
        .await;
    app.read_revocations().await;
    ends_as(events, "revoked").await;
}

async fn a_stream_is_told_nothing_while_its_node_does_not_know_who_has_left(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let events = follow(&ann).await;
    let database = app.database();
    let (session, account) =
        (database.literal(&ann.kept().session_id.unwrap()), database.literal(&ann.account_id()));
    let item = database.literal("0199aaaa-bbbb-7ccc-8ddd-000000000001");
    let now = app.now().millis();
    // Another node ends the session and then changes something, of which this one hears while it is frozen.
    let elsewhere = format!(
        "BEGIN;
         INSERT INTO revocation (session_id, revoked_at) VALUES ({session}, {now});
         INSERT INTO tombstone (account_id, item_id, rev, removed_at) VALUES ({account}, {item}, 1, {now});
         UPDATE account_sync SET head = 1 WHERE account_id = {account};
         COMMIT;"
    );
    database.run(&elsewhere).await;
    app.advance(Duration::from_secs(6));
    app.read_heads().await;
    ends_as(events, "revoked").await;
}

async fn removing_the_account_closes_its_streams(app: TestApp) {
    let ann = app.anonymous().await;
    let events = follow(&ann).await;
    ann.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    ends_as(events, "revoked").await;
}

async fn a_token_is_warned_of_and_then_ends(app: TestApp) {
    let ann = app.anonymous().await;
    let mut events = follow(&ann).await;
    app.advance(Duration::from_secs(539));
    app.check_streams().await;
    ann.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    app.advance(Duration::from_secs(1));
    app.check_streams().await;
    assert_eq!(events.expect("session").await.data, json!({"state": "expiring"}));
    ann.save("Cabin", 60.1, 9.2).await;
    events.expect("changes").await;
    app.advance(Duration::from_secs(60));
    app.check_streams().await;
    ends_as(events, "expired").await;
}

async fn a_new_token_keeps_a_web_socket(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let mut socket = ann.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    app.advance(Duration::from_secs(550));
    app.check_streams().await;
    assert_eq!(socket.expect("session").await, json!({"state": "expiring"}));
    ann.refresh().await.expect(200);
    socket.say(&json!({"t": "auth", "token": ann.access_token()})).await;
    socket.say(&json!({"t": "ping"})).await;
    socket.expect("pong").await;
    app.advance(Duration::from_secs(60));
    app.check_streams().await;
    ann.save("Oslo", 59.91, 10.75).await;
    socket.expect("changes").await;
    // Somebody else's token does not keep it.
    bob.refresh().await.expect(200);
    socket.say(&json!({"t": "auth", "token": bob.access_token()})).await;
    assert_eq!(socket.closed().await, 4401);
}

async fn a_cookies_stream_ends_with_its_session(app: TestApp) {
    let mut page = app.web();
    page.sign_up(&app, "ann@example.org").await;
    let mut events = follow(&page).await;
    // Thirty days unused end it; a request on the way moves that.
    app.advance(Duration::from_hours(20 * 24));
    page.get("/v1/me").await.expect(200);
    app.advance(Duration::from_hours(20 * 24));
    app.check_streams().await;
    // It would have ended by now, so the session was looked at. Changes still arrive.
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    phone.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    app.advance(Duration::from_hours(11 * 24));
    app.check_streams().await;
    ends_as(events, "expired").await;
}

async fn a_used_refresh_token_closes_the_streams_of_its_session(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let old = ann.refresh_token();
    ann.refresh().await.expect(200);
    // The new token arrived: from now on the old one is in the wrong hands.
    ann.get("/v1/me").await.expect(200);
    let events = follow(&ann).await;
    app.advance(Duration::from_secs(120));
    app.visitor().present(&old).await.problem(401, "invalid_refresh_token");
    ends_as(events, "revoked").await;
}

async fn a_stream_opened_beside_the_end_of_its_session_ends_too(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..20 {
        let phone = ann.stranger();
        phone.sign_in("ann@example.org").await;
        let opening = phone.copy();
        let (events, _) = tokio::join!(
            async { opening.get("/v1/stream").follow().await },
            phone.post("/v1/auth/logout", json!({}))
        );
        let mut events = events;
        if events.status == 200 {
            loop {
                match events.next().await {
                    Some(event) if event.name == "hello" => {}
                    Some(event) => assert_eq!(event.data, json!({"state": "revoked"})),
                    None => break,
                }
            }
        }
    }
    app.open_streams(0).await;
}

/// Somebody who has signed in on another device.
async fn again(app: &TestApp, email: &str) -> Client {
    let client = app.visitor();
    client.sign_in(email).await.expect(200);
    client
}

/// The list of ended sessions is emptied as fast as it is filled, so whoever reads it learns nothing.
async fn what_ends_a_session_ends_its_streams_itself(app: TestApp) {
    let body = if app.database().is_sqlite() {
        "BEGIN DELETE FROM revocation; END"
    } else {
        app.database()
            .run(
                "CREATE FUNCTION emptied() RETURNS trigger LANGUAGE plpgsql AS \
                  'BEGIN DELETE FROM revocation; RETURN NULL; END'",
            )
            .await;
        "EXECUTE FUNCTION emptied()"
    };
    app.database().run(&format!("CREATE TRIGGER emptied AFTER INSERT ON revocation {body}")).await;
    let ann = app.user("ann@example.org").await;
    let events = follow(&ann).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    ends_as(events, "revoked").await;

    let ann = again(&app, "ann@example.org").await;
    let events = follow(&ann).await;
    app.visitor().post("/v1/auth/revoke", json!({"token": ann.refresh_token()})).await.expect(200);
    ends_as(events, "revoked").await;

    let ann = again(&app, "ann@example.org").await;
    let old = ann.refresh_token();
    ann.refresh().await.expect(200);
    let events = follow(&ann).await;
    app.advance(Duration::from_secs(120));
    app.visitor().present(&old).await.problem(401, "invalid_refresh_token");
    ends_as(events, "revoked").await;

    let ben = app.anonymous().await;
    let events = follow(&ben).await;
    ben.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    ends_as(events, "revoked").await;

    // Registering ends the sessions that an anonymous account had.
    let eve = app.anonymous().await;
    let registration = eve.register("eve@example.org").await;
    let events = follow(&eve).await;
    app.visitor().confirm(&registration, &app.code_for("eve@example.org").await).await.expect(201);
    ends_as(events, "revoked").await;

    // An operator ends all of them: this one, and that of the confirmation.
    let eve = again(&app, "eve@example.org").await;
    let events = follow(&eve).await;
    let id = app.app().account_of("eve@example.org").await.unwrap();
    assert_eq!(app.app().end_sessions(id, Actor::CommandLine).await.unwrap(), 2);
    ends_as(events, "revoked").await;
    assert_eq!(app.database().number("SELECT count(*) FROM revocation").await, 0);
}

/// Whoever reads removals waits from now on.
async fn hold_removals(app: &TestApp) {
    let database = app.database();
    // It ends with the database.
    tokio::spawn(async move {
        database.run("BEGIN; LOCK TABLE tombstone IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(300)").await;
    });
    let held = "SELECT count(*) FROM pg_locks WHERE relation = 'tombstone'::regclass
        AND mode = 'AccessExclusiveLock' AND granted";
    app.database().until(held, |count| count > 0).await;
}

/// Returns when a stream waits for the removals.
async fn reads(app: &TestApp) {
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'tombstone'::regclass AND NOT granted";
    app.database().until(waits, |count| count > 0).await;
}

async fn a_stream_that_reads_ends_with_its_session(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    let events = follow(&phone).await;
    let mut socket = phone.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    hold_removals(&app).await;
    laptop.save("Oslo", 59.91, 10.75).await;
    reads(&app).await;
    let asked = Instant::now();
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    ends_as(events, "revoked").await;
    assert_eq!(socket.frame().await, Ok(json!({"t": "session", "d": {"state": "revoked"}})));
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

async fn a_read_that_hangs_silences_nobody(mut app: TestApp) {
    // Patient enough that only the stream itself can give the read up.
    app.restart_with(|config| {
        config.streams.heartbeat_s = 1;
        config.store.statement_timeout_ms = 120_000;
    })
    .await;
    let ann = app.anonymous().await;
    let mut events = follow(&ann).await;
    hold_removals(&app).await;
    ann.save("Oslo", 59.91, 10.75).await;
    reads(&app).await;
    let asked = Instant::now();
    events.comment().await;
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
}
