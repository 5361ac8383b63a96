//! Another address for an account.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, Response, TestApp};

testkit::stamp! {
    both: [
        both_addresses_confirm_a_change,
        an_address_that_is_taken_tells_nothing,
        an_address_that_is_taken_meanwhile_is_not_taken_over,
        a_change_ends_with_a_day_with_ten_wrong_codes_or_by_hand,
        codes_count_for_their_own_account_alone,
        links_to_the_old_mailbox_work_no_more,
        a_new_password_cancels_a_change,
        an_account_without_a_way_in_registers_instead,
        a_pending_address_is_sealed,
    ]
}

async fn begin(client: &Client, email: &str) -> Response {
    client.post("/v1/me/email", json!({"email": email})).await
}

async fn confirm(client: &Client, code: &str) -> Response {
    client.post("/v1/me/email/confirm", json!({"code": code})).await
}

/// Somebody who signed up, an hour ago as far as mail is counted, and has just proved who they are.
async fn user(app: &TestApp, email: &str) -> Client {
    app.user(email).await;
    app.advance(Duration::from_hours(1));
    let client = app.visitor();
    client.sign_in(email).await;
    client
}

async fn both_addresses_confirm_a_change(app: TestApp) {
    for order in [["ann@example.org", "new@example.net"], ["new@example.net", "ann@example.org"]] {
        let ann = user(&app, "ann@example.org").await;
        let begun = begin(&ann, "New@Example.net").await.expect(202);
        let expires_at = app.now().plus(Duration::from_hours(24)).rfc3339();
        let pending =
            json!({"email": "New@example.net", "waiting_for": ["new", "old"], "expires_at": expires_at});
        assert_eq!(begun.json, json!({"email": "ann@example.org", "pending": pending}));
        let code = async |to: &str| {
            let to = if to == "new@example.net" { "New@example.net" } else { to };
            app.code_for(to).await
        };
        let (first, second) = (code(order[0]).await, code(order[1]).await);
        assert_ne!(first, second);
        confirm(&ann, &first.to_lowercase().replace('-', " ")).await.expect(200);
        assert_eq!(ann.get("/v1/me").await.json["email"], "ann@example.org");
        app.advance(Duration::from_secs(1));
        let done = confirm(&ann, &second).await.expect(200);
        assert_eq!(done.json, json!({"email": "New@example.net", "pending": null}));
        assert_eq!(ann.get("/v1/me").await.json["email"], "New@example.net");
        for to in ["ann@example.org", "New@example.net"] {
            assert_eq!(app.mail_to(to).await.subject, "Your Fairweather address was changed");
        }
        app.visitor().sign_in("new@example.net").await.expect(200);
        app.visitor().log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");

        // The old address is free again, and the new one for the next round.
        app.advance(Duration::from_hours(1));
        let ann = app.visitor();
        ann.sign_in("new@example.net").await;
        begin(&ann, &format!("{}@example.net", &first[..4])).await.expect(202);
        let to = format!("{}@example.net", &first[..4]);
        confirm(&ann, &app.code_for(&to).await).await.expect(200);
        confirm(&ann, &app.code_for("New@example.net").await).await.expect(200);
        app.advance(Duration::from_hours(1));
    }
}

async fn an_address_that_is_taken_tells_nothing(app: TestApp) {
    let bob = user(&app, "bob@example.org").await;
    let ann = user(&app, "ann@example.org").await;
    let (mut taken, mut free) = (begin(&ann, "bob@example.org").await.expect(202), Value::Null);
    let code_from_ann = app.code_for("ann@example.org").await;
    assert_eq!(app.mail_to("bob@example.org").await.code(), None);
    assert_eq!(
        confirm(&ann, &code_from_ann).await.expect(200).json["pending"]["waiting_for"],
        json!(["new"])
    );
    std::mem::swap(&mut taken.json, &mut free);
    app.advance(Duration::from_secs(1));
    let other = begin(&ann, "zoe@example.org").await.expect(202);
    assert_eq!(free["pending"]["waiting_for"], other.json["pending"]["waiting_for"]);
    assert_eq!(taken.headers.len(), other.headers.len());
    bob.refresh().await;
    assert_eq!(bob.get("/v1/me").await.expect(200).json["email"], "bob@example.org");
    begin(&ann, "ANN@example.org").await.invalid("/email", "unchanged");
    begin(&ann, "nobody").await.invalid("/email", "malformed");
}

async fn an_address_that_is_taken_meanwhile_is_not_taken_over(app: TestApp) {
    let ann = user(&app, "ann@example.org").await;
    begin(&ann, "bob@example.org").await.expect(202);
    let (new, old) = (app.code_for("bob@example.org").await, app.code_for("ann@example.org").await);
    confirm(&ann, &old).await.expect(200);
    app.advance(Duration::from_secs(1));
    let bob = app.user("bob@example.org").await;
    confirm(&ann, &new).await.invalid("/code", "wrong_or_expired");
    assert_eq!(bob.get("/v1/me").await.expect(200).json["email"], "bob@example.org");
    assert_eq!(ann.get("/v1/me").await.expect(200).json["email"], "ann@example.org");
}

async fn a_change_ends_with_a_day_with_ten_wrong_codes_or_by_hand(app: TestApp) {
    let ann = user(&app, "ann@example.org").await;
    let pending = async |ann: &Client| ann.get("/v1/me/email").await.expect(200).json["pending"].clone();

    begin(&ann, "new@example.net").await.expect(202);
    let code = app.code_for("new@example.net").await;
    ann.delete("/v1/me/email").await.expect(204);
    ann.delete("/v1/me/email").await.expect(204);
    assert_eq!(pending(&ann).await, Value::Null);
    confirm(&ann, &code).await.invalid("/code", "wrong_or_expired");

    app.advance(Duration::from_secs(1));
    begin(&ann, "new@example.net").await.expect(202);
    let code = app.code_for("new@example.net").await;
    for _ in 0..10 {
        confirm(&ann, "0000-0000").await.invalid("/code", "wrong_or_expired");
    }
    confirm(&ann, &code).await.invalid("/code", "wrong_or_expired");
    assert_eq!(pending(&ann).await, Value::Null);

    app.advance(Duration::from_secs(1));
    begin(&ann, "new@example.net").await.expect(202);
    let code = app.code_for("new@example.net").await;
    app.advance(Duration::from_hours(24));
    let ann = app.visitor();
    ann.sign_in("ann@example.org").await;
    confirm(&ann, &code).await.invalid("/code", "wrong_or_expired");
    assert_eq!(pending(&ann).await, Value::Null);
    app.clean_up().await;
    assert_eq!(app.database().number("SELECT count(*) FROM email_change").await, 0);
}

async fn codes_count_for_their_own_account_alone(app: TestApp) {
    let eve = user(&app, "eve@example.org").await;
    let ann = user(&app, "ann@example.org").await;
    begin(&ann, "new@example.net").await.expect(202);
    let eve = eve.stranger();
    eve.sign_in("eve@example.org").await;
    begin(&eve, "eve@example.net").await.expect(202);
    for to in ["new@example.net", "ann@example.org"] {
        confirm(&eve, &app.code_for(to).await).await.invalid("/code", "wrong_or_expired");
    }
    confirm(&app.visitor(), &app.code_for("new@example.net").await).await.problem(401, "credential_required");
    assert_eq!(ann.get("/v1/me/email").await.json["pending"]["waiting_for"], json!(["new", "old"]));
}

async fn links_to_the_old_mailbox_work_no_more(app: TestApp) {
    let ann = user(&app, "ann@example.org").await;
    app.visitor().post("/v1/auth/password/forgot", json!({"email": "ann@example.org"})).await.expect(202);
    let secret = app.reset_for("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    begin(&ann, "new@example.net").await.expect(202);
    for to in ["ann@example.org", "new@example.net"] {
        confirm(&ann, &app.code_for(to).await).await.expect(200);
    }
    let body = json!({"reset": secret, "password": "another four plain words"});
    app.visitor().post("/v1/auth/password/reset", body).await.invalid("/reset", "wrong_or_expired");
}

async fn a_new_password_cancels_a_change(app: TestApp) {
    let ann = user(&app, "ann@example.org").await;
    begin(&ann, "new@example.net").await.expect(202);
    let body = json!({"password": "another four plain words", "current": PASSWORD});
    ann.put("/v1/me/password", body).await.expect(204);
    assert_eq!(ann.get("/v1/me/email").await.json["pending"], Value::Null);
}

async fn an_account_without_a_way_in_registers_instead(app: TestApp) {
    let ann = app.anonymous().await;
    begin(&ann, "ann@example.org").await.problem(409, "not_registered");
    assert_eq!(ann.get("/v1/me/email").await.expect(200).json, json!({"email": null, "pending": null}));
}

async fn a_pending_address_is_sealed(app: TestApp) {
    let ann = user(&app, "ann@example.org").await;
    begin(&ann, "unmistakable@example.net").await.expect(202);
    let sealed = app.database().column("SELECT sealed FROM email_change").await;
    assert_eq!(sealed.len(), 1);
    let plain: String = "unmistakable".bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!sealed[0].to_lowercase().contains(&plain) && !sealed[0].contains("unmistakable"), "{sealed:?}");
}
