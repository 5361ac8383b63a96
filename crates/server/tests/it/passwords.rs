//! Forgotten, changed and guessed passwords.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, Response, TestApp};

testkit::stamp! {
    both: [
        a_mailed_link_sets_a_new_password_once,
        of_two_that_use_a_link_at_once_one_wins,
        a_link_works_for_half_an_hour,
        a_forgotten_password_tells_nothing,
        a_link_goes_to_the_address_that_was_confirmed,
        a_reset_ends_every_session_and_what_was_begun_in_it,
        a_thief_who_changed_the_address_is_put_out_by_nothing_but_their_own_mailbox,
        a_reset_names_other_ways_in,
        a_change_takes_the_present_password,
        a_change_takes_a_fresh_proof,
        a_common_password_is_refused_with_the_reason,
        strangers_do_not_slow_down_a_known_device,
        after_a_hundred_failures_only_known_devices_and_a_reset_help,
        a_known_device_has_a_hundred_failures_of_its_own,
    ]
}

const NEW: &str = "another four plain words";

async fn forgot(client: &Client, email: &str) -> Response {
    client.post("/v1/auth/password/forgot", json!({"email": email})).await
}

async fn reset(client: &Client, secret: &str, password: &str) -> Response {
    client.post("/v1/auth/password/reset", json!({"reset": secret, "password": password})).await
}

/// What an answer shows of itself, without what differs from request to request.
fn seen(answer: &Response) -> Value {
    let mut json = answer.json.clone();
    if let Some(object) = json.as_object_mut() {
        object.remove("instance");
    }
    let names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    json!({"status": answer.status, "headers": names, "body": json})
}

async fn a_mailed_link_sets_a_new_password_once(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let visitor = app.visitor();
    let asked = forgot(&visitor, "ann@example.org").await.expect(202);
    assert_eq!(asked.bytes, b"");
    let mail = app.mail_to("ann@example.org").await;
    let secret = mail.reset().unwrap();
    // Behind the #, which no server and no log ever sees; in both forms.
    assert!(mail.html.contains(&format!("/reset#token={secret}\"")), "{}", mail.html);
    assert_eq!(secret.len(), 43);

    // What does not fit does not use the link up.
    reset(&visitor, &secret, "short").await.invalid("/password", "too_short");
    reset(&visitor, &secret, "Example.org!example").await.invalid("/password", "context");
    app.advance(Duration::from_secs(1));
    let done = reset(&visitor, &secret, NEW).await.expect(204);
    assert!(done.bytes.is_empty() && done.headers.get("set-cookie").is_none(), "it signs nobody in: {done}");
    reset(&visitor, &secret, PASSWORD).await.invalid("/reset", "wrong_or_expired");
    reset(&visitor, "", NEW).await.invalid("/reset", "wrong_or_expired");
    reset(&visitor, &"A".repeat(43), NEW).await.invalid("/reset", "wrong_or_expired");

    visitor.log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    visitor.log_in("ann@example.org", NEW).await.expect(200);
    assert_eq!(app.mail_to("ann@example.org").await.subject, "Your Fairweather password was reset");
}

async fn of_two_that_use_a_link_at_once_one_wins(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    forgot(&app.visitor(), "ann@example.org").await.expect(202);
    let secret = app.reset_for("ann@example.org").await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (visitor, secret) = (app.visitor(), secret.clone());
        tries.spawn(async move { reset(&visitor, &secret, &format!("{NEW} {number}")).await.status });
    }
    let mut answers = tries.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [204, 422, 422, 422, 422, 422, 422, 422]);
}

async fn a_link_works_for_half_an_hour(app: TestApp) {
    app.user("ann@example.org").await;
    for (wait, works) in [(30 * 60, false), (30 * 60 - 1, true)] {
        app.advance(Duration::from_secs(1));
        forgot(&app.visitor(), "ann@example.org").await.expect(202);
        let secret = app.reset_for("ann@example.org").await;
        app.advance(Duration::from_secs(wait));
        app.clean_up().await;
        assert_eq!(reset(&app.visitor(), &secret, NEW).await.status == 204, works, "{wait}");
    }
}

async fn a_forgotten_password_tells_nothing(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_hours(1));
    let visitor = app.visitor();
    let (known, unknown) =
        (forgot(&visitor, "ann@example.org").await.expect(202), forgot(&visitor, "zoe@example.org").await);
    assert_eq!(seen(&known), seen(&unknown));
    assert_eq!(app.mail_to("zoe@example.org").await.reset(), None);
    // Each address gets three an hour, whether it has an account or not.
    for email in ["ann@example.org", "zoe@example.org"] {
        forgot(&visitor, email).await.expect(202);
        forgot(&visitor, email).await.expect(202);
        forgot(&visitor, email).await.problem(429, "too_many_mails");
    }
    forgot(&visitor, "no address").await.invalid("/email", "malformed");
}

/// Two addresses that are one account to us may be two mailboxes, one of them a stranger's.
async fn a_link_goes_to_the_address_that_was_confirmed(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    forgot(&app.visitor(), "ANN@EXAMPLE.ORG").await.expect(202);
    assert!(app.mails().await[0].reset().is_some());
    assert_eq!(app.mails().await[0].to, "ann@example.org");
}

/// Pre-hijacking: a session that outlives the reset, and a change of the address that was begun in it.
async fn a_reset_ends_every_session_and_what_was_begun_in_it(app: TestApp) {
    let eve = app.user("ann@example.org").await;
    let browser = app.web();
    browser.sign_in("ann@example.org").await;
    app.advance(Duration::from_hours(1));
    let eve_again = app.visitor();
    eve_again.sign_in("ann@example.org").await;
    eve_again.post("/v1/me/email", json!({"email": "eve@evil.example"})).await.expect(202);
    let code = app.code_for("eve@evil.example").await;
    app.advance(Duration::from_secs(1));
    for _ in 0..2 {
        forgot(&app.visitor(), "ann@example.org").await;
        app.advance(Duration::from_secs(1));
    }
    let links: Vec<_> = app.mails().await.iter().filter_map(testkit::app::Mail::reset).collect();
    reset(&app.visitor(), &links[0], NEW).await.expect(204);

    for client in [&eve_again, &browser] {
        assert_eq!(client.get("/v1/me").await.status, 401);
    }
    eve.present(&eve.refresh_token()).await.problem(401, "invalid_refresh_token");
    let ann = app.visitor();
    ann.log_in("ann@example.org", NEW).await.expect(200);
    assert_eq!(ann.get("/v1/me/email").await.expect(200).json["pending"], Value::Null);
    ann.post("/v1/me/email/confirm", json!({"code": code})).await.invalid("/code", "wrong_or_expired");
    // Other links that were asked for work no more.
    reset(&app.visitor(), &links[1], PASSWORD).await.invalid("/reset", "wrong_or_expired");
}

/// Pre-hijacking: whoever holds a session but not the mailbox cannot move the account to a mailbox of theirs.
async fn a_thief_who_changed_the_address_is_put_out_by_nothing_but_their_own_mailbox(app: TestApp) {
    let eve = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    eve.post("/v1/me/email", json!({"email": "eve@evil.example"})).await.expect(202);
    let code = app.code_for("eve@evil.example").await;
    let half = eve.post("/v1/me/email/confirm", json!({"code": code})).await.expect(200);
    assert_eq!(half.json["email"], "ann@example.org");
    assert_eq!(half.json["pending"]["waiting_for"], json!(["old"]));
    eve.post("/v1/me/email/confirm", json!({"code": code})).await.invalid("/code", "wrong_or_expired");
    forgot(&app.visitor(), "eve@evil.example").await.expect(202);
    assert_eq!(app.mail_to("eve@evil.example").await.reset(), None);
    let mail = app.mail_to("ann@example.org").await;
    assert!(mail.text.contains("/forgot"), "Ann learns of it, and what to do: {}", mail.text);
}

/// Pre-hijacking: another way into the account, which the reset does not close.
async fn a_reset_names_other_ways_in(app: TestApp) {
    app.user("ann@example.org").await;
    for (identities, named) in [(0, false), (1, true)] {
        app.database().run(&format!("UPDATE account SET identities = {identities}")).await;
        app.advance(Duration::from_secs(1));
        forgot(&app.visitor(), "ann@example.org").await.expect(202);
        let secret = app.reset_for("ann@example.org").await;
        app.advance(Duration::from_secs(1));
        reset(&app.visitor(), &secret, &format!("{NEW} {identities}")).await.expect(204);
        let mail = app.mail_to("ann@example.org").await;
        assert_eq!(mail.text.contains("other ways to sign in"), named, "{}", mail.text);
    }
}

async fn change(client: &Client, body: Value) -> Response {
    client.put("/v1/me/password", body).await
}

async fn a_change_takes_the_present_password(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (tablet, browser) = (app.visitor(), app.web());
    tablet.sign_in("ann@example.org").await;
    browser.sign_in("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    change(&ann, json!({"password": NEW})).await.invalid("/current", "required");
    change(&ann, json!({"password": NEW, "current": "this is not it"})).await.invalid("/current", "wrong");
    change(&ann, json!({"password": "short", "current": PASSWORD})).await.invalid("/password", "too_short");
    change(&ann, json!({"password": NEW, "current": PASSWORD})).await.expect(204);
    ann.get("/v1/me").await.expect(200);
    assert_eq!((tablet.get("/v1/me").await.status, browser.get("/v1/me").await.status), (401, 401));
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    app.visitor().log_in("ann@example.org", NEW).await.expect(200);
    assert_eq!(app.mail_to("ann@example.org").await.subject, "Your Fairweather password was changed");

    // Guessing the present one is slowed down like guessing at the door.
    for _ in 0..4 {
        change(&ann, json!({"password": PASSWORD, "current": "this is not it"}))
            .await
            .invalid("/current", "wrong");
    }
    let anonymous = app.anonymous().await;
    change(&anonymous, json!({"password": NEW})).await.problem(409, "email_required");
    app.visitor().call(Method::PUT, "/v1/me/password").json(&json!({"password": NEW})).await.expect(401);
}

async fn a_change_takes_a_fresh_proof(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(5 * 60 + 1));
    let body = json!({"password": NEW, "current": PASSWORD});
    change(&ann, body.clone()).await.problem(401, "insufficient_user_authentication");
    let email = json!({"email": "ann@example.net"});
    ann.post("/v1/me/email", email).await.problem(401, "insufficient_user_authentication");
    ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    change(&ann, body).await.expect(204);
}

async fn a_common_password_is_refused_with_the_reason(mut app: TestApp) {
    let register = async |app: &TestApp, password: &str| {
        let body = json!({"email": "ann@example.org", "password": password});
        app.visitor().post("/v1/auth/register", body).await
    };
    // Signs and digits around it do not make it another one.
    for common in ["!!!!superman2026", "Chocolate1234567", "0000iloveyou0000", "--1qaz2wsx3edc--"] {
        register(&app, common).await.invalid("/password", "common");
    }
    app.restart_with(|config| config.password.minimum = 8).await;
    for common in ["baseball", "TrustNo1", "football1", "letmein1"] {
        register(&app, common).await.invalid("/password", "common");
    }
    register(&app, "sevench").await.invalid("/password", "too_short");
    register(&app, "rain in may").await.expect(202);
}

/// Guesses wrong once.
async fn guess(app: &TestApp, email: &str) -> Response {
    app.visitor().log_in(email, "this is not her password").await
}

/// Shows what the device was given at its last sign-in.
async fn log_in_on(device: &Client, email: &str, password: &str) -> Response {
    let token = device.kept().device_token;
    let body = json!({"email": email, "password": password, "device_token": token});
    device.stranger().post("/v1/auth/login", body).await
}

async fn strangers_do_not_slow_down_a_known_device(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.kept().device_token.unwrap();
    assert!(token.starts_with("dt1."), "{token}");
    let bob = app.user("bob@example.org").await;
    let browser = app.web();
    browser.sign_in("ann@example.org").await;
    for _ in 0..5 {
        guess(&app, "ann@example.org").await.problem(401, "wrong_credentials");
    }
    guess(&app, "ann@example.org").await.problem(429, "too_many_attempts");

    // Not for a device of somebody else's, nor with a token that was made up or has ended.
    log_in_on(&bob, "ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
    let other = if &token[10..11] == "A" { "B" } else { "A" };
    let tampered = format!("{}{other}{}", &token[..10], &token[11..]);
    let forged = app.visitor();
    for wrong in ["", "dt1.", "nonsense", &tampered, &token.to_uppercase()] {
        forged.keep(|kept| kept.device_token = Some((*wrong).to_owned()));
        log_in_on(&forged, "ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
    }
    log_in_on(&ann, "ann@example.org", PASSWORD).await.expect(200);
    // A page of ours shows its cookie by itself.
    browser.sign_in("ann@example.org").await.expect(204);
    // The strangers have gained nothing by it.
    guess(&app, "ann@example.org").await.problem(429, "too_many_attempts");

    app.advance(Duration::from_hours(24 * 365));
    for _ in 0..5 {
        guess(&app, "ann@example.org").await.problem(401, "wrong_credentials");
    }
    log_in_on(&ann, "ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
}

/// Fails so often in a row, as fast as is allowed.
async fn fail(app: &TestApp, times: usize, try_once: impl AsyncFn() -> Response) {
    for _ in 0..times {
        try_once().await.problem(401, "wrong_credentials");
        app.advance(Duration::from_mins(30));
    }
}

async fn after_a_hundred_failures_only_known_devices_and_a_reset_help(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for email in ["ann@example.org", "nobody@example.org"] {
        fail(&app, 100, async || guess(&app, email).await).await;
        guess(&app, email).await.problem(429, "password_refused");
    }
    app.restart().await;
    let ann = ann.moved_to(&app);
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "password_refused");
    log_in_on(&ann, "ann@example.org", PASSWORD).await.expect(200);
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "password_refused");

    forgot(&app.visitor(), "ann@example.org").await.expect(202);
    let secret = app.reset_for("ann@example.org").await;
    reset(&app.visitor(), &secret, NEW).await.expect(204);
    app.visitor().log_in("ann@example.org", NEW).await.expect(200);
}

async fn a_known_device_has_a_hundred_failures_of_its_own(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    fail(&app, 100, async || log_in_on(&ann, "ann@example.org", "this is not her password").await).await;
    // From here on it is like any other device: the failures of those are counted.
    fail(&app, 99, async || log_in_on(&ann, "ann@example.org", "this is not her password").await).await;
    log_in_on(&ann, "ann@example.org", PASSWORD).await.expect(200);
    guess(&app, "ann@example.org").await.problem(401, "wrong_credentials");
}
