//! Someone who used the app anonymously and then signs in to an account that exists keeps both.

use std::time::Duration;

use serde_json::json;
use testkit::TestApp;
use tokio::task::JoinSet;

testkit::stamp! {
    both: [
        a_browser_adopts_what_it_left_behind,
        an_app_adopts_with_the_other_token,
        the_same_place_is_taken_once,
        adopting_twice_at_once_takes_one,
        accounts_with_an_address_are_never_adopted,
        what_is_not_yours_cannot_be_adopted,
        a_browser_remembers_for_an_hour,
        nothing_left_behind_is_not_found,
        what_does_not_fit_is_not_lost,
    ]
}

async fn a_browser_adopts_what_it_left_behind(app: TestApp) {
    app.user("ann@example.org").await.save("Home", 52.5, 13.4).await;
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.save("Cabin", 60.1, 9.2).await;
    let behind = browser.copy();

    browser.sign_in("ann@example.org").await.expect(204);
    assert_eq!(browser.favourites().await, ["Home"]);
    behind.get("/v1/me").await.expect(200);
    let adopted = browser.post("/v1/me/adopt", json!({})).await.expect(200);
    assert_eq!(adopted.json, json!({"added": 1, "skipped": 0}));
    assert_eq!(browser.favourites().await, ["Home", "Cabin"]);
    behind.get("/v1/me").await.problem(401, "session_ended");
    browser.post("/v1/me/adopt", json!({})).await.problem(404, "not_found");
    assert_eq!(browser.favourites().await, ["Home", "Cabin"]);
}

async fn an_app_adopts_with_the_other_token(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let guest = app.anonymous().await;
    let old = guest.save("Cabin", 60.1, 9.2).await;
    guest.patch(&format!("/v1/favourites/{old}"), json!({"note": "key under the mat"})).await.expect(200);
    let was = guest.get(&format!("/v1/favourites/{old}")).await.expect(200).json;

    let body = json!({"access_token": guest.access_token()});
    ann.post("/v1/me/adopt", body.clone()).await.expect(200);
    let list = ann.get("/v1/favourites").await.expect(200).json;
    let now = &list["items"][0];
    for field in ["name", "note", "lat", "lon", "tz"] {
        assert_eq!(now[field], was[field], "{field}");
    }
    ann.post("/v1/me/adopt", body).await.problem(401, "session_ended");
    assert_eq!(ann.favourites().await.len(), 1);
    ann.get(&format!("/v1/favourites/{old}")).await.problem(404, "not_found");
}

async fn the_same_place_is_taken_once(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.post("/v1/favourites", json!({"place_id": 2_267_057})).await.expect(201);
    let guest = app.anonymous().await;
    guest.post("/v1/favourites", json!({"place_id": 2_267_057})).await.expect(201);
    guest.save("Cabin", 60.1, 9.2).await;
    let adopted = ann.post("/v1/me/adopt", json!({"access_token": guest.access_token()})).await.expect(200);
    assert_eq!(adopted.json, json!({"added": 1, "skipped": 1}));
    assert_eq!(ann.favourites().await, ["Lisbon", "Cabin"]);
}

async fn adopting_twice_at_once_takes_one(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let guest = app.anonymous().await;
    guest.save("Cabin", 60.1, 9.2).await;
    let body = json!({"access_token": guest.access_token()});
    let mut calls = JoinSet::new();
    for _ in 0..6 {
        let (ann, body) = (ann.clone(), body.clone());
        calls.spawn(async move { ann.post("/v1/me/adopt", body).await.status });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 401 | 404)), "{answers:?}");
    assert_eq!(ann.favourites().await, ["Cabin"]);
}

async fn accounts_with_an_address_are_never_adopted(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    bob.save("Bob's cabin", 60.1, 9.2).await;
    let body = json!({"access_token": bob.access_token()});
    ann.post("/v1/me/adopt", body).await.problem(409, "not_anonymous");
    let body = json!({"access_token": ann.access_token()});
    ann.post("/v1/me/adopt", body).await.problem(409, "same_account");
    assert_eq!(bob.favourites().await, ["Bob's cabin"]);

    // An account that got an address after the browser left it behind is not taken either.
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.save("Cabin", 60.1, 9.2).await;
    let other_tab = browser.copy();
    let registration = other_tab.register("carl@example.org").await;
    browser.sign_in("ann@example.org").await.expect(204);
    other_tab.confirm(&registration, &app.code_for("carl@example.org").await).await.expect(204);
    browser.post("/v1/me/adopt", json!({})).await.problem(409, "not_anonymous");
    assert_eq!(other_tab.favourites().await, ["Cabin"]);
}

async fn what_is_not_yours_cannot_be_adopted(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let guest = app.anonymous().await;
    guest.save("Cabin", 60.1, 9.2).await;
    for token in ["", "nonsense", &guest.refresh_token(), &guest.account_id()] {
        ann.post("/v1/me/adopt", json!({"access_token": token})).await.problem(401, "invalid_token");
    }
    ann.post("/v1/me/adopt", json!({"account_id": guest.account_id()}))
        .await
        .invalid("/account_id", "unknown_field");
    app.advance(Duration::from_mins(10));
    ann.refresh().await;
    let body = json!({"access_token": guest.access_token()});
    ann.post("/v1/me/adopt", body).await.problem(401, "token_expired");
    guest.refresh().await;
    assert_eq!(guest.favourites().await, ["Cabin"]);
}

async fn a_browser_remembers_for_an_hour(app: TestApp) {
    app.user("ann@example.org").await;
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.save("Cabin", 60.1, 9.2).await;
    let behind = browser.copy();
    browser.sign_in("ann@example.org").await;
    app.advance(Duration::from_hours(1));
    browser.post("/v1/me/adopt", json!({})).await.problem(404, "not_found");
    assert_eq!(behind.favourites().await, ["Cabin"]);
}

async fn nothing_left_behind_is_not_found(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.post("/v1/me/adopt", json!({})).await.problem(404, "not_found");
    let browser = app.web();
    browser.sign_in("ann@example.org").await;
    browser.post("/v1/me/adopt", json!({})).await.problem(404, "not_found");
    browser.call(http::Method::POST, "/v1/me/adopt").await.problem(404, "not_found");
}

async fn what_does_not_fit_is_not_lost(mut app: TestApp) {
    app.restart_with(|config| config.quota.favourites = 2).await;
    let ann = app.user("ann@example.org").await;
    ann.save("Home", 52.5, 13.4).await;
    let guest = app.anonymous().await;
    guest.save("Cabin", 60.1, 9.2).await;
    guest.save("Beach", 38.7, -9.1).await;
    let body = json!({"access_token": guest.access_token()});
    ann.post("/v1/me/adopt", body.clone()).await.problem(409, "quota");
    assert_eq!(ann.favourites().await, ["Home"]);
    assert_eq!(guest.favourites().await, ["Cabin", "Beach"]);
    app.restart_with(|config| config.quota.favourites = 3).await;
    let ann = ann.moved_to(&app);
    ann.post("/v1/me/adopt", body).await.expect(200);
    assert_eq!(ann.favourites().await, ["Home", "Cabin", "Beach"]);
}
