//! Stories of `POST /v1/stream/ticket`: a way in for clients that can set no header.

use std::time::Duration;

use serde_json::json;
use testkit::{Client, TestApp};
use tokio::task::JoinSet;

testkit::stamp! {
    both: [
        a_ticket_opens_one_stream,
        a_ticket_is_opened_once_by_all_who_try_at_once,
        a_ticket_is_good_for_thirty_seconds,
        a_ticket_ends_with_what_drew_it,
        a_ticket_is_drawn_by_a_caller_only,
        a_credential_goes_before_a_ticket,
        tickets_that_are_old_are_removed,
    ],
    postgres: [a_ticket_is_good_at_every_node]
}

async fn draw(client: &Client) -> String {
    let answer = client.post("/v1/stream/ticket", json!(null)).await.expect(200);
    assert_eq!(answer.json["expires_in"], 30);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.text("/ticket")
}

fn with(ticket: &str) -> String {
    format!("/v1/stream?ticket={ticket}")
}

async fn a_ticket_opens_one_stream(app: TestApp) {
    let ann = app.anonymous().await;
    let (first, second) = (draw(&ann).await, draw(&ann).await);
    assert_ne!(first, second);
    let elsewhere = app.visitor();
    let mut events = elsewhere.get(&with(&first)).follow().await;
    events.hello().await;
    ann.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    elsewhere.get(&with(&first)).await.problem(401, "invalid_ticket");
    let mut socket = elsewhere.get(&format!("/v1/ws?ticket={second}")).socket().await;
    socket.expect("hello").await;
    elsewhere.get(&with(&second)).await.problem(401, "invalid_ticket");
    for wrong in ["", "nonsense", &"A".repeat(43), &"A".repeat(5000)] {
        elsewhere.get(&with(wrong)).await.problem(401, "invalid_ticket");
    }
    // It opens streams and nothing else.
    let third = draw(&ann).await;
    elsewhere.get(&format!("/v1/favourites?ticket={third}")).await.problem(401, "credential_required");
    elsewhere.bearing(&third).get("/v1/favourites").await.problem(401, "invalid_token");
}

async fn a_ticket_is_good_for_thirty_seconds(app: TestApp) {
    let ann = app.anonymous().await;
    let (in_time, late) = (draw(&ann).await, draw(&ann).await);
    app.advance(Duration::from_secs(29));
    app.visitor().get(&with(&in_time)).follow().await.hello().await;
    app.advance(Duration::from_secs(1));
    app.visitor().get(&with(&late)).await.problem(401, "invalid_ticket");
}

async fn a_ticket_ends_with_what_drew_it(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let ticket = draw(&ann).await;
    let kept = draw(&ann).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    app.visitor().get(&with(&ticket)).await.problem(401, "session_ended");
    drop(kept);

    // Ten seconds before the token ends: the stream ends with the token, and a ticket opens none after it.
    let bob = app.user("bob@example.org").await;
    app.advance(Duration::from_secs(590));
    let (ticket, late) = (draw(&bob).await, draw(&bob).await);
    let mut events = app.visitor().get(&with(&ticket)).follow().await;
    events.hello().await;
    app.advance(Duration::from_secs(10));
    app.visitor().get(&with(&late)).await.problem(401, "invalid_ticket");
    app.check_streams().await;
    assert_eq!(events.expect("session").await.data["state"], "expired");
    events.ended().await;
}

async fn a_ticket_is_drawn_by_a_caller_only(app: TestApp) {
    app.visitor().post("/v1/stream/ticket", json!({})).await.problem(401, "credential_required");
    let mut page = app.web();
    page.start_anonymously().await;
    let ticket = draw(&page).await;
    app.visitor().get(&with(&ticket)).follow().await.hello().await;
    // A page elsewhere must not draw one with our visitor's cookie.
    let call = page.post("/v1/stream/ticket", json!({})).header("sec-fetch-site", "cross-site");
    call.await.problem(403, "cross_site");
}

async fn a_credential_goes_before_a_ticket(app: TestApp) {
    let (ann, bob) = (app.anonymous().await, app.anonymous().await);
    let ticket = draw(&ann).await;
    let mut events = bob.get(&with(&ticket)).follow().await;
    events.hello().await;
    bob.save("Cabin", 60.1, 9.2).await;
    events.expect("changes").await;
    // It was not looked at, so it is still good.
    app.visitor().get(&with(&ticket)).follow().await.hello().await;
}

/// How many of those who try the ticket at once get a stream.
async fn race(ticket: &str, ways: &[Client]) -> usize {
    let mut tries = JoinSet::new();
    for way in ways.iter().cycle().take(16) {
        let call = way.get(&with(ticket));
        tries.spawn(async move {
            let stream = call.follow().await;
            assert!(matches!(stream.status, 200 | 401), "{}", stream.status);
            stream.status
        });
    }
    tries.join_all().await.into_iter().filter(|status| *status == 200).count()
}

async fn a_ticket_is_opened_once_by_all_who_try_at_once(app: TestApp) {
    let ann = app.anonymous().await;
    for _ in 0..5 {
        assert_eq!(race(&draw(&ann).await, &[app.visitor()]).await, 1);
    }
}

async fn tickets_that_are_old_are_removed(app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    let kept = async || app.database().number("SELECT count(*) FROM stream_ticket").await;
    for _ in 0..3 {
        draw(&ann).await;
    }
    draw(&ben).await;
    assert_eq!(kept().await, 4);
    app.advance(Duration::from_secs(30));
    draw(&ann).await;
    assert_eq!(kept().await, 2, "her own old ones go with the next she draws");
    app.advance(Duration::from_secs(29));
    app.clean_up().await;
    assert_eq!(kept().await, 1);
}

async fn a_ticket_is_good_at_every_node(app: TestApp) {
    let node = server::start(app.setup()).await.unwrap();
    let there = Client::at(format!("http://{}", node.address));
    let ann = app.user("ann@example.org").await;
    let ticket = draw(&ann).await;
    let mut events = there.get(&with(&ticket)).follow().await;
    events.hello().await;
    app.visitor().get(&with(&ticket)).await.problem(401, "invalid_ticket");
    for _ in 0..5 {
        assert_eq!(race(&draw(&ann).await, &[app.visitor(), there.clone()]).await, 1);
    }
    // Signed out here, a ticket is no good there, at once.
    let ticket = draw(&ann).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    there.get(&with(&ticket)).await.problem(401, "session_ended");
    drop(events);
    node.stop(Duration::from_secs(1)).await;
}
