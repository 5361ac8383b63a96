//! Somebody knows the password, and adds a factor of their own: it proves nothing of who had the account before.

use std::time::Duration;

use app::audit::Actor;
use domain::account::Role;
use serde_json::json;
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp, totp};

use crate::binary::command;
use crate::factors::{answer, challenged, set_up};

testkit::stamp! {
    both: [
        a_new_factor_does_not_stand_in_for_the_old_address,
        a_factor_that_was_always_there_does,
        the_mail_about_a_new_factor_takes_it_away_again,
        no_other_mail_takes_a_factor_away,
        the_second_factor_of_an_operator_is_not_taken_away_by_mail,
        a_role_is_given_with_a_second_factor_alone,
        other_sessions_end_with_the_first_factor,
        lost_factors_are_taken_away_at_the_terminal,
        a_session_that_ended_elsewhere_changes_no_way_in,
        who_changes_factors_shows_one_that_was_there,
        a_mailbox_does_not_lead_past_a_factor_that_was_there,
    ]
}

const DAY: Duration = Duration::from_hours(24);
const NEW: &str = "another four plain words";

/// In a new session, whose second factor is a recovery code.
async fn back_with(app: &TestApp, email: &str, code: &str) -> Client {
    let client = app.visitor();
    let challenge = challenged(&client, email).await;
    answer(&client, &challenge, "recovery_code", code).await.expect(200);
    client
}

async fn waited_for(client: &Client, email: &str) -> serde_json::Value {
    let begun = client.post("/v1/me/email", json!({"email": email})).await.expect(202);
    begun.json["pending"]["waiting_for"].clone()
}

async fn reset(client: &Client, secret: &str, password: &str) -> testkit::Response {
    client.post("/v1/auth/password/reset", json!({"reset": secret, "password": password})).await
}

async fn a_new_factor_does_not_stand_in_for_the_old_address(app: TestApp) {
    app.user("ann@example.org").await;
    let thief = app.visitor();
    thief.sign_in("ann@example.org").await;
    let (_, codes) = set_up(&app, &thief).await;
    assert_eq!(waited_for(&thief, "eve@evil.example").await, json!(["new", "old"]));
    // Nor does it in another session, or days later.
    app.advance(6 * DAY);
    let thief = back_with(&app, "ann@example.org", &codes[0]).await;
    assert_eq!(waited_for(&thief, "eve@evil.example").await, json!(["new", "old"]));
}

async fn a_factor_that_was_always_there_does(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    app.advance(7 * DAY);
    let ann = back_with(&app, "ann@example.org", &codes[0]).await;
    assert_eq!(waited_for(&ann, "ann@example.net").await, json!(["new"]));
}

async fn the_mail_about_a_new_factor_takes_it_away_again(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let thief = app.visitor();
    thief.sign_in("ann@example.org").await;
    let (_, codes) = set_up(&app, &thief).await;
    let undo = app.reset_for("ann@example.org").await;
    // A new password does not save it.
    app.advance(Duration::from_secs(1));
    let change = json!({"password": NEW, "current": PASSWORD});
    thief.call(http::Method::PUT, "/v1/me/password").json(&change).await.expect(204);
    app.advance(6 * DAY);
    reset(&app.visitor(), &undo, "and now these other words").await.expect(204);
    thief.get("/v1/me").await.expect(401);
    let ann = app.visitor();
    let signed_in = ann.log_in("ann@example.org", "and now these other words").await.expect(200);
    assert_eq!(signed_in.json["mfa_required"], json!(null), "{signed_in}");
    let left = ann.get("/v1/me/factors").await.expect(200).json;
    assert_eq!(left, json!({"totp": null, "passkeys": 0, "recovery_codes": 0}));
    assert!(codes.len() == 10 && app.mail_to("ann@example.org").await.subject.contains("was reset"));
    reset(&app.visitor(), &undo, NEW).await.invalid("/reset", "wrong_or_expired");
    let log = app.audit(&ann.account_id()).await;
    assert!(log.iter().any(|line| line.event == "factor_removed"));
}

async fn no_other_mail_takes_a_factor_away(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let (_, codes) = set_up(&app, &ann).await;
    let undo = app.reset_for("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    app.visitor().post("/v1/auth/password/forgot", json!({"email": "ann@example.org"})).await.expect(202);
    let plain = app.reset_for("ann@example.org").await;
    assert_ne!(plain, undo);
    reset(&app.visitor(), &plain, NEW).await.expect(204);
    let signed_in = app.visitor().log_in("ann@example.org", NEW).await.expect(200);
    assert_eq!(signed_in.json["mfa_required"], true, "{signed_in}");
    let challenge = signed_in.text("/challenge");
    answer(&app.visitor(), &challenge, "recovery_code", &codes[0]).await.expect(200);
    // The link has an end.
    app.advance(7 * DAY);
    reset(&app.visitor(), &undo, NEW).await.invalid("/reset", "wrong_or_expired");
}

async fn the_second_factor_of_an_operator_is_not_taken_away_by_mail(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let (_, codes) = set_up(&app, &ann).await;
    let undo = app.reset_for("ann@example.org").await;
    let id = app.app().account_of("ann@example.org").await.unwrap();
    app.app().set_role(id, Role::Operator, true, Actor::CommandLine).await.unwrap();
    // Neither by a mail from before,
    reset(&app.visitor(), &undo, NEW).await.invalid("/reset", "wrong_or_expired");
    // nor by a later one.
    let ann = back_with(&app, "ann@example.org", &codes[0]).await;
    app.advance(Duration::from_secs(1));
    set_up(&app, &ann).await;
    let mail = app.mail_to("ann@example.org").await;
    assert!(mail.subject.contains("was added") && mail.reset().is_none(), "{mail:?}");
}

async fn a_role_is_given_with_a_second_factor_alone(app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    let path = format!("/v1/operator/accounts/{}/roles", ann.account_id());
    let grant = json!({"role": "operator", "granted": true});
    root.post(&path, grant.clone()).await.problem(409, "second_factor_required");
    ann.get("/v1/me").await.expect(200);
    set_up(&app, &ann).await;
    root.post(&path, grant).await.expect(200);
}

async fn other_sessions_end_with_the_first_factor(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (thief, page) = (app.visitor(), app.web());
    thief.sign_in("ann@example.org").await;
    page.sign_in("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    ann.get("/v1/me").await.expect(200);
    for other in [&thief, &page] {
        other.get("/v1/me").await.problem(401, "session_ended");
    }
    // Those that know the first are not ended by the second.
    let phone = back_with(&app, "ann@example.org", &codes[0]).await;
    set_up(&app, &ann).await;
    phone.get("/v1/me").await.expect(200);
}

async fn lost_factors_are_taken_away_at_the_terminal(mut app: TestApp) {
    let root = app.operator("root@example.org").await;
    let body = json!({"name": "Newsletter", "scopes": ["audit:read"]});
    let key = root.post("/v1/operator/keys", body).await.expect(201).text("/secret");
    app.user("ann@example.org").await;
    app.stop().await;
    let remove = |email: &str| command(&app, &["accounts", "remove-factors", email]);
    let (out, _, code) = remove("root@example.org");
    let said = "root@example.org has no second factor and is now user; existing sessions have ended\n";
    assert_eq!((&*out, code), (said, 0));
    let (_, err, code) = remove("ann@example.org");
    assert!(code == 1 && err.contains("no second factor"), "{err}");
    app.resume().await;
    root.moved_to(&app).get("/v1/me").await.problem(401, "session_ended");
    app.visitor().with_key(&key).get("/v1/operator/audit").await.problem(401, "invalid_key");
    let root = app.visitor();
    root.sign_in("root@example.org").await;
    let me = root.get("/v1/me").await.expect(200).json;
    assert_eq!((&me["roles"], &me["withheld_roles"]), (&json!(["user"]), &json!([])));
    let log = app.audit(&root.account_id()).await;
    for event in ["factor_removed", "role_revoked"] {
        assert!(log.iter().any(|line| line.event == event && line.actor == "command_line"));
    }
}

/// With a session and its password, but without the phone.
async fn who_changes_factors_shows_one_that_was_there(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    app.advance(7 * DAY);
    ann.refresh().await;
    ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    let calls = || {
        [
            ann.post("/v1/me/email", json!({"email": "eve@evil.example"})),
            ann.post("/v1/me/factors/totp", json!({})),
            ann.post("/v1/me/factors/recovery-codes", json!({})),
            ann.post("/v1/me/passkeys/start", json!({})),
            ann.delete("/v1/me/passkeys/0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"),
            ann.delete("/v1/me/factors/totp"),
        ]
    };
    for call in calls() {
        let refused = call.await.problem(401, "insufficient_user_authentication");
        assert_eq!(refused.json["accepts"], json!(["totp"]));
    }
    // The password does for the rest,
    ann.delete("/v1/me/sessions").await.expect(200);
    // and the phone for all of it, for five minutes.
    let code = totp::code(&secret, app.now());
    ann.post("/v1/auth/step-up", json!({"code": code})).await.expect(200);
    app.advance(Duration::from_mins(5));
    for (call, status) in calls().into_iter().zip([202, 200, 201, 200, 404, 204]) {
        call.await.expect(status);
    }
}

async fn a_mailbox_does_not_lead_past_a_factor_that_was_there(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    app.advance(7 * DAY);
    ann.refresh().await;
    let code = totp::code(&secret, app.now());
    ann.post("/v1/auth/step-up", json!({"code": code})).await.expect(200);
    let added = async || {
        let mail = app.mail_to("ann@example.org").await;
        assert!(mail.subject.contains("was added") && mail.reset().is_none(), "{mail:?}");
    };
    let mut device = testkit::Authenticator::at(&app.app().settings().public_url);
    let options = ann.post("/v1/me/passkeys/start", json!({})).await.expect(200).json["public_key"].clone();
    let made = json!({"name": "Key", "credential": device.create(&options)});
    ann.post("/v1/me/passkeys/finish", made).await.expect(201);
    added().await;
    app.advance(Duration::from_secs(1));
    set_up(&app, &ann).await;
    added().await;
}

/// What another node has ended is believed here for some seconds, but not where it matters.
async fn a_session_that_ended_elsewhere_changes_no_way_in(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    let pending = ann.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    waited_for(&ann, "ann@example.net").await;
    let mailed = app.code_for("ann@example.net").await;
    let phone = app.visitor();
    let challenge = challenged(&phone, "ann@example.org").await;
    app.advance(Duration::from_secs(30));
    answer(&phone, &challenge, "code", &totp::code(&secret, app.now())).await.expect(200);
    let sessions = ann.get("/v1/me/sessions").await.expect(200).json["items"].clone();
    let is_phone = |session: &&serde_json::Value| session["current"] == false;
    let other =
        sessions.as_array().unwrap().iter().find(is_phone).unwrap()["id"].as_str().unwrap().to_owned();
    let own = sessions.as_array().unwrap().iter().find(|session| !is_phone(session)).unwrap()["id"].clone();
    let own = app.database().literal(own.as_str().unwrap());
    app.database().run(&format!("DELETE FROM session WHERE session_id = {own}")).await;
    for call in [
        ann.post("/v1/me/factors/totp", json!({})),
        ann.post("/v1/me/factors/totp/confirm", json!({"code": totp::code(&pending, app.now())})),
        ann.delete("/v1/me/factors/totp"),
        ann.post("/v1/me/factors/recovery-codes", json!({})),
        ann.post("/v1/me/email/confirm", json!({"code": mailed})),
        ann.delete("/v1/me/identities/0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"),
        ann.delete(&format!("/v1/me/sessions/{other}")),
        ann.delete("/v1/me/sessions"),
        ann.delete("/v1/me"),
    ] {
        let answer = call.await;
        assert_eq!((answer.status, answer.json["code"].as_str()), (401, Some("session_ended")), "{answer}");
    }
    phone.get("/v1/me/factors").await.expect(200);
}
