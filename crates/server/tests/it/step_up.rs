//! Step-up: showing again who one is, in the same session.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp};

testkit::stamp! {
    both: [
        a_password_renews_the_proof_of_the_same_session,
        a_browser_keeps_its_cookie,
        a_wrong_password_proves_nothing_and_is_counted,
        strangers_failures_do_not_reach_into_a_session,
        a_session_has_a_hundred_failures_of_its_own,
        an_anonymous_account_has_nothing_to_show,
        a_step_up_needs_exactly_one_proof,
    ]
}

fn claims(client: &Client) -> Value {
    let token = client.access_token();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn a_password_renews_the_proof_of_the_same_session(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let begun = claims(&ann);
    app.advance(Duration::from_mins(6));
    let answer = ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-encoding"), "");
    let renewed = claims(&ann);
    assert_eq!(renewed["sid"], begun["sid"]);
    assert_eq!(renewed["auth_time"].as_i64().unwrap(), begun["auth_time"].as_i64().unwrap() + 360);
    assert_eq!(renewed["amr"], json!(["pwd"]));
    // The refresh token that came with it goes on where the other was.
    ann.refresh().await;
    assert_eq!(claims(&ann)["auth_time"], renewed["auth_time"], "a refresh proves nothing");
}

async fn a_browser_keeps_its_cookie(app: TestApp) {
    let mut page = app.web();
    page.sign_up(&app, "ann@example.org").await;
    let cookie = page.kept().cookie;
    app.advance(Duration::from_mins(6));
    let answer = page.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(204);
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(page.kept().cookie, cookie);
    page.get("/v1/me").await.expect(200);
}

async fn a_wrong_password_proves_nothing_and_is_counted(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let show = async |password: &str| ann.post("/v1/auth/step-up", json!({"password": password})).await;
    for _ in 0..5 {
        show("this is not her password").await.problem(401, "wrong_credentials");
    }
    show(PASSWORD).await.problem(429, "too_many_attempts");
    // It is a counter of the session's own: whoever has stolen it does not keep her from signing in.
    app.visitor().sign_in("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    show(PASSWORD).await.expect(200);
    show("this is not her password").await.problem(401, "wrong_credentials");
}

const WRONG: &str = "this is not her password";

async fn strangers_failures_do_not_reach_into_a_session(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..100 {
        app.visitor().log_in("ann@example.org", WRONG).await.problem(401, "wrong_credentials");
        app.advance(Duration::from_mins(30));
    }
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "password_refused");
    ann.refresh().await;
    ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    let change = json!({"password": "another four plain words", "current": PASSWORD});
    ann.put("/v1/me/password", change).await.expect(204);
}

async fn a_session_has_a_hundred_failures_of_its_own(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let fail = async || {
        ann.refresh().await;
        ann.post("/v1/auth/step-up", json!({"password": WRONG})).await.problem(401, "wrong_credentials");
        app.advance(Duration::from_mins(30));
    };
    for _ in 0..100 {
        fail().await;
    }
    // From here on what fails in it counts with what fails elsewhere.
    for _ in 0..5 {
        fail().await;
    }
    ann.refresh().await;
    ann.post("/v1/auth/step-up", json!({"password": WRONG})).await.problem(401, "wrong_credentials");
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
}

async fn an_anonymous_account_has_nothing_to_show(app: TestApp) {
    let visitor = app.anonymous().await;
    let answer = visitor.post("/v1/auth/step-up", json!({"password": PASSWORD})).await;
    answer.problem(401, "wrong_credentials");
}

async fn a_step_up_needs_exactly_one_proof(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.post("/v1/auth/step-up", json!({})).await.problem(422, "invalid_request");
    ann.post("/v1/auth/step-up", json!({"password": PASSWORD, "extra": 1}))
        .await
        .problem(422, "invalid_request");
}
