//! Passkeys: as the only way in, as a second factor, and every way in which one must not count.

use std::time::Duration;

use insta::{allow_duplicates, assert_json_snapshot};
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Authenticator, Client, Response, TestApp};

use crate::audit::require_places;

testkit::stamp! {
    both: [
        browsers_are_told_what_they_understand,
        a_passkey_signs_in_alone,
        a_passkey_is_the_second_factor_of_a_password,
        an_anonymous_account_gets_an_owner_by_a_passkey_alone,
        a_browser_changes_its_cookie_when_its_account_gets_an_owner,
        what_was_made_wrong_is_not_added,
        what_is_shown_wrong_lets_nobody_in,
        an_answer_lets_in_once_of_many_at_once,
        a_copy_of_a_passkey_is_noticed,
        an_authenticator_that_does_not_count_is_no_copy,
        a_passkey_is_of_one_account,
        a_challenge_is_good_for_what_it_was_drawn_for,
        a_passkey_steps_up,
        the_last_way_in_stays,
        removing_a_passkey_ends_other_sessions,
        passkeys_have_names_and_a_quota,
        sign_ins_that_are_begun_are_limited,
        passkeys_are_kept_sealed,
    ]
}

/// An authenticator in a browser that shows a page of this server.
fn authenticator(app: &TestApp) -> Authenticator {
    Authenticator::at(&app.app().settings().public_url)
}

async fn options(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body).await.expect(200).json["public_key"].clone()
}

async fn try_to_add(client: &Client, device: &mut Authenticator) -> Response {
    let options = options(client, "/v1/me/passkeys/start", json!({})).await;
    let credential = device.create(&options);
    client.post("/v1/me/passkeys/finish", json!({"name": "Phone", "credential": credential})).await
}

/// Adds a passkey and answers its id.
async fn add(client: &Client, device: &mut Authenticator) -> String {
    try_to_add(client, device).await.expect(201).text("/passkey/id")
}

/// Gives an anonymous account its first way in.
pub async fn add_first(app: &TestApp, client: &Client) {
    add(client, &mut authenticator(app)).await;
}

async fn sign_in(client: &Client, device: &mut Authenticator) -> Response {
    let options = options(client, "/v1/auth/passkeys/start", json!({})).await;
    client.post("/v1/auth/passkeys/finish", json!({"credential": device.get(&options)})).await
}

async fn browsers_are_told_what_they_understand(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    add(&ann, &mut authenticator(&app)).await;
    let created = ann.post("/v1/me/passkeys/start", json!({})).await.expect(200);
    let shown = app.visitor().post("/v1/auth/passkeys/start", json!({})).await.expect(200);
    allow_duplicates! {
    assert_json_snapshot!(created.json, {
        ".public_key.challenge" => "[43]", ".public_key.user.id" => "[id]",
        ".public_key.excludeCredentials[0].id" => "[id]",
    }, @r#"
    {
      "expires_in": 300,
      "public_key": {
        "attestation": "none",
        "authenticatorSelection": {
          "requireResidentKey": true,
          "residentKey": "required",
          "userVerification": "required"
        },
        "challenge": "[43]",
        "excludeCredentials": [
          {
            "id": "[id]",
            "transports": [
              "hybrid",
              "internal"
            ],
            "type": "public-key"
          }
        ],
        "pubKeyCredParams": [
          {
            "alg": -7,
            "type": "public-key"
          },
          {
            "alg": -8,
            "type": "public-key"
          },
          {
            "alg": -257,
            "type": "public-key"
          }
        ],
        "rp": {
          "id": "localhost",
          "name": "Fairweather"
        },
        "timeout": 300000,
        "user": {
          "displayName": "ann@example.org",
          "id": "[id]",
          "name": "ann@example.org"
        }
      }
    }
    "#);
    assert_json_snapshot!(shown.json, { ".public_key.challenge" => "[43]" }, @r#"
    {
      "expires_in": 300,
      "public_key": {
        "allowCredentials": [],
        "challenge": "[43]",
        "rpId": "localhost",
        "timeout": 300000,
        "userVerification": "required"
      }
    }
    "#);
    }
}

async fn a_passkey_signs_in_alone(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.save("Cabin", 60.1, 9.2).await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    let phone = app.visitor();
    sign_in(&phone, &mut device).await.expect(200).text("/refresh_token");
    assert_eq!(phone.account_id(), ann.account_id());
    assert_eq!(phone.favourites().await, ["Cabin"]);
    let page = app.web();
    sign_in(&page, &mut device).await.expect(204);
    page.get("/v1/me").await.expect(200);

    // A server that was started anew, on another port, knows it still.
    app.restart().await;
    device.origin.clone_from(&app.app().settings().public_url);
    sign_in(&app.visitor(), &mut device).await.expect(200);
}

async fn a_passkey_is_the_second_factor_of_a_password(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    let added = try_to_add(&ann, &mut device).await.expect(201);
    assert_eq!(added.json["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(added.json["tokens"], Value::Null);

    let phone = app.visitor();
    let first = phone.log_in("ann@example.org", PASSWORD).await.expect(200);
    assert_eq!(first.json["factors"], json!(["passkey", "recovery_code"]));
    let options = &first.json["public_key"];
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(options["challenge"], first.json["challenge"]);
    // Beside a password a touch is enough.
    device.verifies = false;
    let body = json!({"challenge": first.json["challenge"], "credential": device.get(options)});
    phone.post("/v1/auth/mfa", body.clone()).await.expect(200).text("/access_token");
    phone.post("/v1/auth/mfa", body).await.problem(401, "challenge_expired");

    // Somebody else's passkey does not do.
    let bob = app.user("bob@example.org").await;
    let mut of_bob = authenticator(&app);
    add(&bob, &mut of_bob).await;
    let first = app.visitor().log_in("ann@example.org", PASSWORD).await.expect(200);
    let body =
        json!({"challenge": first.json["challenge"], "credential": of_bob.get(&first.json["public_key"])});
    app.visitor().post("/v1/auth/mfa", body).await.problem(401, "wrong_factor");
    // Nor an answer to another challenge.
    let other = app.visitor().log_in("ann@example.org", PASSWORD).await.expect(200);
    let body =
        json!({"challenge": first.json["challenge"], "credential": device.get(&other.json["public_key"])});
    app.visitor().post("/v1/auth/mfa", body).await.problem(401, "wrong_factor");
}

async fn an_anonymous_account_gets_an_owner_by_a_passkey_alone(app: TestApp) {
    let ann = app.anonymous().await;
    ann.save("Cabin", 60.1, 9.2).await;
    // There is nothing to prove oneself with, so nothing is asked for, however old the session is.
    app.advance(Duration::from_hours(1));
    ann.refresh().await;
    let (before, tablet) = (ann.copy(), ann.copy());
    let mut device = authenticator(&app);
    let added = try_to_add(&ann, &mut device).await.expect(201);
    assert_eq!(added.json["recovery_codes"], Value::Null);
    assert_eq!(added.json["tokens"]["account_id"], before.account_id());
    ann.keep(|kept| {
        kept.access_token = Some(added.text("/tokens/access_token"));
        kept.refresh_token = Some(added.text("/tokens/refresh_token"));
    });
    assert_eq!(ann.get("/v1/me").await.expect(200).json["kind"], "registered");
    assert_eq!(ann.favourites().await, ["Cabin"]);
    // A session that anybody could have begun must not reach the account that now has an owner.
    before.get("/v1/me").await.problem(401, "session_ended");
    tablet.present(&tablet.refresh_token()).await.problem(401, "invalid_refresh_token");

    // Signing out does not remove it any more, nor does the clean-up of forgotten anonymous accounts.
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    app.advance(Duration::from_hours(24 * 100));
    app.clean_up().await;
    let phone = app.visitor();
    sign_in(&phone, &mut device).await.expect(200);
    assert_eq!(phone.favourites().await, ["Cabin"]);
}

async fn a_browser_changes_its_cookie_when_its_account_gets_an_owner(app: TestApp) {
    let mut page = app.web();
    page.start_anonymously().await;
    page.save("Cabin", 60.1, 9.2).await;
    let before = page.copy();
    let mut device = authenticator(&app);
    let added = try_to_add(&page, &mut device).await.expect(201);
    assert_eq!(added.json["tokens"], Value::Null);
    assert_ne!(page.kept().cookie, before.kept().cookie);
    assert_eq!(page.favourites().await, ["Cabin"]);
    before.get("/v1/me").await.problem(401, "session_ended");
}

/// An authenticator, or its browser, that does one thing wrong.
fn tampered(app: &TestApp) -> Vec<(&'static str, Authenticator)> {
    let with = |what, change: fn(&mut Authenticator)| {
        let mut device = authenticator(app);
        change(&mut device);
        (what, device)
    };
    vec![
        with("another page", |device| device.origin = String::from("http://evil.example")),
        with("a page whose name begins alike", |device| device.origin.push_str(".evil.example")),
        with("the same host without its port", |device| device.origin = String::from("http://localhost")),
        with("another site", |device| device.relying_party = Some(String::from("evil.example"))),
        with("a part of the site", |device| device.relying_party = Some(String::from("host"))),
        with("the other ceremony", |device| device.kind = Some("webauthn.other")),
        with("nobody verified", |device| device.verifies = false),
        with("a frame of another page", |device| device.cross_origin = true),
    ]
}

async fn what_was_made_wrong_is_not_added(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for (what, mut device) in tampered(&app) {
        let refused = try_to_add(&ann, &mut device).await;
        assert_eq!(refused.status, 422, "{what}: {refused}");
        refused.invalid("/credential", "refused");
    }
    // A challenge that another session of the same account drew, that is used up, or that is old.
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    let mut device = authenticator(&app);
    let drawn = options(&phone, "/v1/me/passkeys/start", json!({})).await;
    let body = json!({"name": "Phone", "credential": device.create(&drawn)});
    ann.post("/v1/me/passkeys/finish", body.clone()).await.invalid("/credential", "refused");
    phone.post("/v1/me/passkeys/finish", body).await.invalid("/credential", "refused");
    let drawn = options(&ann, "/v1/me/passkeys/start", json!({})).await;
    app.advance(Duration::from_mins(5));
    let body = json!({"name": "Phone", "credential": device.create(&drawn)});
    ann.post("/v1/me/passkeys/finish", body).await.invalid("/credential", "refused");
    assert_eq!(ann.get("/v1/me/passkeys").await.expect(200).json["items"], json!([]));
    let nonsense = json!({"name": "Phone", "credential": {"response": {"clientDataJSON": "e30", "attestationObject": "oA"}}});
    ann.post("/v1/me/passkeys/finish", nonsense).await.invalid("/credential", "refused");
    let broken = json!({"name": "Phone", "credential": {"response": {"clientDataJSON": "?", "attestationObject": "oA"}}});
    ann.post("/v1/me/passkeys/finish", broken).await.problem(422, "invalid_request");
}

async fn what_is_shown_wrong_lets_nobody_in(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    let visitor = app.visitor();
    for (what, wrong) in tampered(&app) {
        let right = (
            device.origin.clone(),
            device.relying_party.clone(),
            device.kind,
            device.verifies,
            device.cross_origin,
        );
        (device.origin, device.relying_party, device.kind) = (wrong.origin, wrong.relying_party, wrong.kind);
        (device.verifies, device.cross_origin) = (wrong.verifies, wrong.cross_origin);
        let refused = sign_in(&visitor, &mut device).await;
        assert_eq!(refused.status, 401, "{what}: {refused}");
        refused.problem(401, "passkey_refused");
        (device.origin, device.relying_party, device.kind, device.verifies, device.cross_origin) = right;
    }
    // A challenge that nobody drew, one that is old, and one that our page drew for itself.
    let mut drawn = options(&visitor, "/v1/auth/passkeys/start", json!({})).await;
    let finish = async |client: &Client, credential: Value| {
        client.post("/v1/auth/passkeys/finish", json!({"credential": credential})).await
    };
    app.advance(Duration::from_mins(5));
    finish(&visitor, device.get(&drawn)).await.problem(401, "passkey_refused");
    drawn["challenge"] = json!("A".repeat(43));
    finish(&visitor, device.get(&drawn)).await.problem(401, "passkey_refused");
    let of_page = options(&app.web(), "/v1/auth/passkeys/start", json!({})).await;
    finish(&visitor, device.get(&of_page)).await.problem(401, "passkey_refused");
    // A signature of something else.
    let mut forged = device.get(&options(&visitor, "/v1/auth/passkeys/start", json!({})).await);
    let other = device.get(&options(&visitor, "/v1/auth/passkeys/start", json!({})).await);
    forged["response"]["signature"] = other["response"]["signature"].clone();
    finish(&visitor, forged).await.problem(401, "passkey_refused");
    // Without the account's id, or with another's: a stranger's passkey that says it is Ann's.
    for handle in [Value::Null, json!("AAAAAAAAAAAAAAAAAAAAAA")] {
        let mut odd = device.get(&options(&visitor, "/v1/auth/passkeys/start", json!({})).await);
        odd["response"]["userHandle"] = handle;
        finish(&visitor, odd).await.problem(401, "passkey_refused");
    }
    let mut unknown = authenticator(&app);
    unknown.user_handle.clone_from(&device.user_handle);
    sign_in(&visitor, &mut unknown).await.problem(401, "passkey_refused");
    // A key of somebody's own under the name of Ann's.
    unknown.credential.clone_from(&device.credential);
    unknown.counter = 1000;
    sign_in(&visitor, &mut unknown).await.problem(401, "passkey_refused");
    sign_in(&visitor, &mut device).await.expect(200);
}

async fn an_answer_lets_in_once_of_many_at_once(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    let drawn = options(&app.visitor(), "/v1/auth/passkeys/start", json!({})).await;
    let body = json!({"credential": device.get(&drawn)});
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, body) = (app.visitor(), body.clone());
        answers.spawn(async move { client.post("/v1/auth/passkeys/finish", body).await.status });
    }
    let answers = answers.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 401)), "{answers:?}");
}

async fn a_copy_of_a_passkey_is_noticed(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    for _ in 0..3 {
        sign_in(&app.visitor(), &mut device).await.expect(200);
    }
    // The copy was made when two signatures had been.
    device.counter = 2;
    sign_in(&app.visitor(), &mut device).await.problem(401, "passkey_refused");
    // The count of an authenticator that counted before does not fall to none.
    (device.counter, device.counts) = (0, false);
    sign_in(&app.visitor(), &mut device).await.problem(401, "passkey_refused");
    let log = app.audit(&ann.account_id()).await;
    let copied: Vec<_> = log.iter().filter(|line| line.event == "passkey_copied").collect();
    assert_eq!(copied.len(), 2);
    (device.counter, device.counts) = (3, true);
    sign_in(&app.visitor(), &mut device).await.expect(200);
}

async fn an_authenticator_that_does_not_count_is_no_copy(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    device.counts = false;
    add(&ann, &mut device).await;
    for _ in 0..3 {
        sign_in(&app.visitor(), &mut device).await.expect(200);
    }
}

async fn a_passkey_is_of_one_account(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let bob = app.user("bob@example.org").await;
    let mut device = authenticator(&app);
    let id = add(&ann, &mut device).await;
    try_to_add(&bob, &mut device).await.problem(409, "passkey_in_use");
    bob.delete(&format!("/v1/me/passkeys/{id}")).await.problem(404, "not_found");
    bob.patch(&format!("/v1/me/passkeys/{id}"), json!({"name": "Mine"})).await.problem(404, "not_found");
    assert_eq!(bob.get("/v1/me/passkeys").await.expect(200).json["items"], json!([]));
    // Bob's session does not get any fresher by what is Ann's.
    let drawn = options(&bob, "/v1/auth/passkeys/start", json!({"purpose": "step_up"})).await;
    let body = json!({"credential": device.get(&drawn)});
    bob.post("/v1/auth/step-up", body).await.problem(401, "passkey_refused");
}

async fn a_challenge_is_good_for_what_it_was_drawn_for(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    let visitor = app.visitor();
    visitor
        .post("/v1/auth/passkeys/start", json!({"purpose": "step_up"}))
        .await
        .problem(401, "credential_required");
    // To step up, and to sign in.
    let drawn = options(&ann, "/v1/auth/passkeys/start", json!({"purpose": "step_up"})).await;
    let body = json!({"credential": device.get(&drawn)});
    visitor.post("/v1/auth/passkeys/finish", body).await.problem(401, "passkey_refused");
    let drawn = options(&ann, "/v1/auth/passkeys/start", json!({})).await;
    let body = json!({"credential": device.get(&drawn)});
    ann.post("/v1/auth/step-up", body).await.problem(401, "passkey_refused");
    // To add one, and to sign in.
    let drawn = options(&ann, "/v1/me/passkeys/start", json!({})).await;
    let asked = json!({"challenge": drawn["challenge"], "rpId": "localhost"});
    let body = json!({"credential": device.get(&asked)});
    visitor.post("/v1/auth/passkeys/finish", body).await.problem(401, "passkey_refused");
    // After a password, and without it.
    let first = visitor.log_in("ann@example.org", PASSWORD).await.expect(200);
    let body = json!({"credential": device.get(&first.json["public_key"])});
    visitor.post("/v1/auth/passkeys/finish", body).await.problem(401, "passkey_refused");
    let drawn = options(&visitor, "/v1/auth/passkeys/start", json!({})).await;
    let body = json!({"challenge": drawn["challenge"], "credential": device.get(&drawn)});
    visitor.post("/v1/auth/mfa", body).await.problem(401, "challenge_expired");
}

async fn a_passkey_steps_up(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    app.advance(Duration::from_secs(301));
    let refused = ann.post("/v1/me/factors/recovery-codes", json!({})).await;
    let refused = refused.problem(401, "insufficient_user_authentication");
    assert_eq!(refused.json["accepts"], json!(["password", "passkey"]));
    let drawn = options(&ann, "/v1/auth/passkeys/start", json!({"purpose": "step_up"})).await;
    assert_eq!(drawn["allowCredentials"].as_array().unwrap().len(), 1);
    let body = json!({"credential": device.get(&drawn)});
    ann.post("/v1/auth/step-up", body.clone()).await.expect(200).text("/access_token");
    ann.post("/v1/auth/step-up", body).await.problem(401, "passkey_refused");
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    // A touch is not enough where the passkey is the only proof.
    let drawn = options(&ann, "/v1/auth/passkeys/start", json!({"purpose": "step_up"})).await;
    device.verifies = false;
    let body = json!({"credential": device.get(&drawn)});
    ann.post("/v1/auth/step-up", body).await.problem(401, "passkey_refused");
}

async fn the_last_way_in_stays(app: TestApp) {
    let ann = app.anonymous().await;
    let added = try_to_add(&ann, &mut authenticator(&app)).await.expect(201);
    ann.keep(|kept| kept.access_token = Some(added.text("/tokens/access_token")));
    let first = added.text("/passkey/id");
    ann.delete(&format!("/v1/me/passkeys/{first}")).await.problem(409, "last_way_in");
    let second = add(&ann, &mut authenticator(&app)).await;
    ann.delete(&format!("/v1/me/passkeys/{first}")).await.expect(204);
    ann.delete(&format!("/v1/me/passkeys/{second}")).await.problem(409, "last_way_in");
    // A password is another way in.
    let bob = app.user("bob@example.org").await;
    let only = add(&bob, &mut authenticator(&app)).await;
    bob.delete(&format!("/v1/me/passkeys/{only}")).await.expect(204);
    app.visitor().sign_in("bob@example.org").await.text("/access_token");
}

async fn removing_a_passkey_ends_other_sessions(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    let id = add(&ann, &mut device).await;
    let phone = app.visitor();
    sign_in(&phone, &mut device).await.expect(200);
    ann.delete(&format!("/v1/me/passkeys/{id}")).await.expect(204);
    phone.get("/v1/me").await.problem(401, "session_ended");
    sign_in(&app.visitor(), &mut device).await.problem(401, "passkey_refused");
    assert_eq!(
        ann.get("/v1/me/factors").await.expect(200).json,
        json!({"totp": null, "passkeys": 0, "recovery_codes": 0})
    );
    ann.delete(&format!("/v1/me/passkeys/{id}")).await.problem(404, "not_found");
    // The device may be used again.
    add(&ann, &mut device).await;
    require_places(&app, "owner", &["factor_added", "factor_removed", "session_ended"]).await;
}

async fn passkeys_have_names_and_a_quota(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let id = add(&ann, &mut authenticator(&app)).await;
    let path = format!("/v1/me/passkeys/{id}");
    let renamed = ann.patch(&path, json!({"name": " Old phone "})).await.expect(200);
    assert_eq!((renamed.text("/name"), renamed.text("/id")), (String::from("Old phone"), id));
    ann.patch(&path, json!({"name": ""})).await.invalid("/name", "empty");
    let list = ann.get("/v1/me/passkeys").await.expect(200).json;
    assert_eq!(list["items"], json!([renamed.json]));
    for _ in 1..20 {
        add(&ann, &mut authenticator(&app)).await;
    }
    ann.post("/v1/me/passkeys/start", json!({})).await.problem(409, "too_many_passkeys");
}

async fn sign_ins_that_are_begun_are_limited(mut app: TestApp) {
    app.restart_with(|config| {
        config.trusted_proxies = vec![String::from("127.0.0.1")];
        config.limits.passkeys_burst = 2;
    })
    .await;
    let cafe = app.visitor().with_header("x-forwarded-for", "203.0.113.7");
    for _ in 0..2 {
        cafe.post("/v1/auth/passkeys/start", json!({})).await.expect(200);
    }
    cafe.post("/v1/auth/passkeys/start", json!({})).await.problem(429, "rate_limited");
    app.advance(Duration::from_secs(1));
    cafe.post("/v1/auth/passkeys/start", json!({})).await.expect(200);
    app.advance(Duration::from_mins(5));
    app.clean_up().await;
    assert_eq!(app.database().column("SELECT tries FROM challenge").await.len(), 0);
}

async fn passkeys_are_kept_sealed(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let mut device = authenticator(&app);
    add(&ann, &mut device).await;
    let hex: String = device.credential.iter().map(|byte| format!("{byte:02x}")).collect();
    for column in ["sealed FROM passkey", "credential_tag FROM passkey_index"] {
        let cells = app.database().column(&format!("SELECT {column}")).await;
        assert_eq!(cells.len(), 1);
        assert!(!cells[0].to_lowercase().contains(&hex));
    }
}
