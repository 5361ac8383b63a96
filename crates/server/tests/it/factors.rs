//! Second factors: authenticator apps, recovery codes, and signing in with them.

use std::time::Duration;

use app::audit::Actor;
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::databases::unhex;
use testkit::{Client, TestApp, totp};

testkit::stamp! {
    both: [
        an_authenticator_app_is_asked_for_from_then_on,
        a_code_works_once,
        a_code_works_once_of_many_at_once,
        a_recovery_code_works_once_of_many_at_once,
        new_recovery_codes_replace_the_old,
        wrong_codes_slow_the_next_down_whatever_the_challenge,
        a_hundred_wrong_codes_are_the_end_of_codes,
        a_challenge_bears_ten_wrong_answers_and_five_minutes,
        a_challenge_is_for_one_kind_of_client,
        a_second_step_remembers_what_the_browser_leaves_behind,
        ending_all_sessions_ends_second_steps_too,
        sensitive_changes_ask_for_a_fresh_proof,
        a_code_steps_up,
        an_app_counts_when_it_was_confirmed_and_the_old_one_until_then,
        removing_the_app_ends_other_sessions,
        roles_count_with_a_second_factor_alone,
        an_account_without_a_first_factor_has_no_second,
        factors_are_kept_sealed_or_hashed,
        every_change_of_factors_is_told_by_mail,
        every_change_of_factors_is_in_the_log,
    ]
}

const STEP: Duration = Duration::from_secs(30);

/// Sets an authenticator app up; its secret and the recovery codes that came with it.
pub async fn set_up(app: &TestApp, client: &Client) -> (String, Vec<String>) {
    let secret = client.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    let body = json!({"code": totp::code(&secret, app.now())});
    let confirmed = client.post("/v1/me/factors/totp/confirm", body).await.expect(201);
    (secret, serde_json::from_value(confirmed.json["recovery_codes"].clone()).unwrap_or_default())
}

/// The first step of signing in: the challenge.
pub async fn challenged(client: &Client, email: &str) -> String {
    let answer = client.log_in(email, PASSWORD).await.expect(200);
    assert_eq!(answer.json["mfa_required"], true, "{answer}");
    answer.text("/challenge")
}

pub async fn answer(client: &Client, challenge: &str, field: &str, value: &str) -> testkit::Response {
    let mut body = json!({"challenge": challenge});
    body[field] = json!(value);
    client.post("/v1/auth/mfa", body).await
}

async fn an_authenticator_app_is_asked_for_from_then_on(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let setup = ann.post("/v1/me/factors/totp", json!({})).await.expect(200);
    let secret = setup.text("/secret");
    assert_eq!(setup.json["expires_in"], 600);
    assert_eq!(
        setup.text("/otpauth_uri"),
        format!(
            "otpauth://totp/Fairweather:ann%40example.org?secret={secret}\
             &issuer=Fairweather&algorithm=SHA1&digits=6&period=30"
        )
    );
    // Nothing counts before it was confirmed.
    app.visitor().sign_in("ann@example.org").await.text("/access_token");
    let confirm = async |code: &str| ann.post("/v1/me/factors/totp/confirm", json!({"code": code})).await;
    let code = totp::code(&secret, app.now());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    confirm(wrong).await.invalid("/code", "wrong");
    confirm("12345").await.invalid("/code", "malformed");
    let confirmed = confirm(&code).await.expect(201);
    assert_eq!(confirmed.json["recovery_codes"].as_array().unwrap().len(), 10);
    confirm(&code).await.problem(409, "nothing_pending");
    let factors = ann.get("/v1/me/factors").await.expect(200).json;
    assert!(factors["totp"]["created_at"].is_string());
    assert_eq!((&factors["passkeys"], &factors["recovery_codes"]), (&json!(0), &json!(10)));

    let phone = app.visitor();
    let first = phone.log_in("ann@example.org", PASSWORD).await.expect(200);
    assert_eq!(first.header("cache-control"), "no-store");
    let names: Vec<_> = first.json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["challenge", "expires_in", "factors", "mfa_required", "public_key"]);
    assert_eq!(first.json["factors"], json!(["totp", "recovery_code"]));
    assert_eq!((&first.json["public_key"], &first.json["expires_in"]), (&Value::Null, &json!(300)));
    phone.get("/v1/me").await.problem(401, "credential_required");
    app.advance(STEP);
    let code = totp::code(&secret, app.now());
    let challenge = first.text("/challenge");
    answer(&phone, &challenge, "code", &code).await.expect(200).text("/refresh_token");
    phone.get("/v1/me").await.expect(200);
    app.advance(STEP);
    let next = totp::code(&secret, app.now());
    answer(&phone, &challenge, "code", &next).await.problem(401, "challenge_expired");
}

async fn a_code_works_once(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    // Not even the one that confirmed the app.
    let phone = app.visitor();
    let confirmed_with = totp::code(&secret, app.now());
    let challenge = challenged(&phone, "ann@example.org").await;
    answer(&phone, &challenge, "code", &confirmed_with).await.problem(401, "wrong_factor");
    app.advance(STEP);
    let code = totp::code(&secret, app.now());
    answer(&phone, &challenge, "code", &code).await.expect(200);
    let laptop = app.visitor();
    let challenge = challenged(&laptop, "ann@example.org").await;
    answer(&laptop, &challenge, "code", &code).await.problem(401, "wrong_factor");
    // Nor one of a step before the newest.
    answer(&laptop, &challenge, "code", &confirmed_with).await.problem(401, "wrong_factor");
    ann.post("/v1/auth/step-up", json!({"code": code})).await.problem(401, "wrong_credentials");
}

/// Answers so many challenges at once with the same thing and tells how many were let in.
async fn let_in(app: &TestApp, field: &'static str, value: &str) -> usize {
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let client = app.visitor();
        let challenge = challenged(&client, "ann@example.org").await;
        let value = value.to_owned();
        answers.spawn(async move { answer(&client, &challenge, field, &value).await.status });
    }
    let answers = answers.join_all().await;
    assert!(answers.iter().all(|status| matches!(status, 200 | 401 | 429)), "{answers:?}");
    answers.iter().filter(|status| **status == 200).count()
}

async fn a_code_works_once_of_many_at_once(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    app.advance(STEP);
    let code = totp::code(&secret, app.now());
    assert_eq!(let_in(&app, "code", &code).await, 1);
}

async fn a_recovery_code_works_once_of_many_at_once(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    assert_eq!(let_in(&app, "recovery_code", &codes[0]).await, 1);
    assert_eq!(ann.get("/v1/me/factors").await.expect(200).json["recovery_codes"], 9);
    // Written as people write.
    let typed = codes[1].to_lowercase().replace('-', " ");
    assert_eq!(let_in(&app, "recovery_code", &typed).await, 1);
    let visitor = app.visitor();
    let challenge = challenged(&visitor, "ann@example.org").await;
    answer(&visitor, &challenge, "recovery_code", "7Q4K").await.invalid("/recovery_code", "malformed");

    // Somebody else's codes are no use.
    let bob = app.user("bob@example.org").await;
    let (_, of_bob) = set_up(&app, &bob).await;
    answer(&visitor, &challenge, "recovery_code", &of_bob[0]).await.problem(401, "wrong_factor");
}

async fn new_recovery_codes_replace_the_old(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.problem(409, "no_second_factor");
    let (_, old) = set_up(&app, &ann).await;
    let new = ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    let new: Vec<String> = serde_json::from_value(new.json["recovery_codes"].clone()).unwrap();
    assert_eq!(new.len(), 10);
    let visitor = app.visitor();
    let challenge = challenged(&visitor, "ann@example.org").await;
    answer(&visitor, &challenge, "recovery_code", &old[3]).await.problem(401, "wrong_factor");
    answer(&visitor, &challenge, "recovery_code", &new[3]).await.expect(200);
}

async fn wrong_codes_slow_the_next_down_whatever_the_challenge(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, codes) = set_up(&app, &ann).await;
    app.advance(STEP);
    let right = totp::code(&secret, app.now());
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let visitor = app.visitor();
        let challenge = challenged(&visitor, "ann@example.org").await;
        answer(&visitor, &challenge, "code", wrong).await.problem(401, "wrong_factor");
    }
    app.restart().await;
    let visitor = app.visitor();
    let challenge = challenged(&visitor, "ann@example.org").await;
    answer(&visitor, &challenge, "code", &right).await.problem(429, "too_many_attempts");
    ann.moved_to(&app)
        .post("/v1/auth/step-up", json!({"code": right}))
        .await
        .problem(429, "too_many_attempts");
    // Guessing codes does not keep anybody from using what cannot be guessed.
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.expect(200);
    let challenge = challenged(&visitor, "ann@example.org").await;
    app.advance(Duration::from_secs(1));
    answer(&visitor, &challenge, "code", &right).await.expect(200);
}

async fn a_hundred_wrong_codes_are_the_end_of_codes(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, codes) = set_up(&app, &ann).await;
    let visitor = app.visitor();
    for _ in 0..100 {
        app.advance(Duration::from_mins(31));
        let challenge = challenged(&visitor, "ann@example.org").await;
        let right = totp::code(&secret, app.now());
        let wrong = if right == "000000" { "000001" } else { "000000" };
        answer(&visitor, &challenge, "code", wrong).await.problem(401, "wrong_factor");
    }
    app.advance(Duration::from_hours(24));
    let challenge = challenged(&visitor, "ann@example.org").await;
    let right = totp::code(&secret, app.now());
    answer(&visitor, &challenge, "code", &right).await.problem(429, "code_refused");
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.expect(200);
    // Setting the app up again lifts it.
    let (secret, _) = set_up(&app, &visitor).await;
    app.advance(STEP);
    let challenge = challenged(&visitor, "ann@example.org").await;
    answer(&visitor, &challenge, "code", &totp::code(&secret, app.now())).await.expect(200);
}

async fn a_challenge_bears_ten_wrong_answers_and_five_minutes(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let visitor = app.visitor();
    let challenge = challenged(&visitor, "ann@example.org").await;
    let nobodys = "00000-00000-00000-00000-00000-0";
    for _ in 0..10 {
        answer(&visitor, &challenge, "recovery_code", nobodys).await.problem(401, "wrong_factor");
    }
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.problem(401, "challenge_expired");

    let challenge = challenged(&visitor, "ann@example.org").await;
    app.advance(Duration::from_mins(5));
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.problem(401, "challenge_expired");
    let challenge = challenged(&visitor, "ann@example.org").await;
    app.advance(Duration::from_secs(299));
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.expect(200);
    for nothing in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        answer(&visitor, nothing, "recovery_code", &codes[1]).await.problem(401, "challenge_expired");
    }
    visitor.post("/v1/auth/mfa", json!({"challenge": challenge})).await.invalid("", "exactly_one");
    let two = json!({"challenge": challenge, "code": "123456", "recovery_code": codes[1]});
    visitor.post("/v1/auth/mfa", two).await.invalid("", "exactly_one");
    app.advance(Duration::from_mins(5));
    app.clean_up().await;
    assert_eq!(app.database().column("SELECT tries FROM challenge").await.len(), 0);
}

async fn a_challenge_is_for_one_kind_of_client(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let (page, phone) = (app.web(), app.visitor());
    let of_page = challenged(&page, "ann@example.org").await;
    assert_eq!(page.kept().cookie, None);
    answer(&phone, &of_page, "recovery_code", &codes[0]).await.problem(401, "challenge_expired");
    let of_phone = challenged(&phone, "ann@example.org").await;
    answer(&page, &of_phone, "recovery_code", &codes[0]).await.problem(401, "challenge_expired");

    answer(&page, &of_page, "recovery_code", &codes[0]).await.expect(204);
    page.get("/v1/me").await.expect(200);
    answer(&phone, &of_phone, "recovery_code", &codes[1]).await.expect(200);
}

async fn a_second_step_remembers_what_the_browser_leaves_behind(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let mut page = app.web();
    page.start_anonymously().await;
    page.save("Cabin", 60.1, 9.2).await;
    let challenge = challenged(&page, "ann@example.org").await;
    answer(&page, &challenge, "recovery_code", &codes[0]).await.expect(204);
    assert_eq!(page.post("/v1/me/adopt", json!({})).await.expect(200).json["added"], 1);
    assert_eq!(page.favourites().await, ["Cabin"]);

    // What it begins between the two steps it leaves behind as well.
    let mut page = app.web();
    let challenge = challenged(&page, "ann@example.org").await;
    page.start_anonymously().await;
    page.save("Beach", 38.7, -9.1).await;
    answer(&page, &challenge, "recovery_code", &codes[1]).await.expect(204);
    assert_eq!(page.post("/v1/me/adopt", json!({})).await.expect(200).json["added"], 1);
    assert_eq!(page.favourites().await, ["Cabin", "Beach"]);

    // An app sends its access token along with everything; an expired one is in nobody's way.
    let phone = app.anonymous().await;
    app.advance(Duration::from_mins(10));
    let challenge = challenged(&app.visitor(), "ann@example.org").await;
    answer(&phone, &challenge, "recovery_code", &codes[2]).await.expect(200);
}

async fn ending_all_sessions_ends_second_steps_too(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let visitor = app.visitor();
    let challenge = challenged(&visitor, "ann@example.org").await;
    let id = app.app().account_of("ann@example.org").await.unwrap();
    app.app().end_sessions(id, Actor::CommandLine).await.unwrap();
    answer(&visitor, &challenge, "recovery_code", &codes[0]).await.problem(401, "challenge_expired");
}

async fn sensitive_changes_ask_for_a_fresh_proof(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    set_up(&app, &ann).await;
    app.advance(Duration::from_secs(301));
    let changes = [
        ("POST", "/v1/me/factors/totp"),
        ("DELETE", "/v1/me/factors/totp"),
        ("POST", "/v1/me/factors/recovery-codes"),
        ("POST", "/v1/me/passkeys/start"),
        ("DELETE", "/v1/me/passkeys/0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"),
    ];
    let change = |client: &Client, (method, path): (&str, &str)| client.call(method.parse().unwrap(), path);
    for what in changes {
        let refused = change(&ann, what).await.problem(401, "insufficient_user_authentication");
        assert_eq!(refused.json["accepts"], json!(["password", "totp"]));
        let challenge = r#"Bearer error="insufficient_user_authentication", max_age=300"#;
        assert_eq!(refused.header("www-authenticate"), challenge);
    }
    let (before, page) = (ann.copy(), app.web());
    ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    // A token says itself when the last proof was: one of before goes on saying that.
    change(&before, changes[0]).await.problem(401, "insufficient_user_authentication");

    // A cookie is looked up, and nobody waits for what is remembered of it.
    let mut page_of_bob = page;
    page_of_bob.sign_up(&app, "bob@example.org").await;
    app.advance(Duration::from_secs(301));
    change(&page_of_bob, changes[0]).await.problem(401, "insufficient_user_authentication");
    page_of_bob.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(204);
    change(&page_of_bob, changes[0]).await.expect(200);
    app.advance(Duration::from_secs(301));
    change(&page_of_bob, changes[0]).await.problem(401, "insufficient_user_authentication");
}

async fn a_code_steps_up(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (secret, _) = set_up(&app, &ann).await;
    app.advance(Duration::from_secs(301));
    ann.post("/v1/auth/step-up", json!({"code": "abcdef"})).await.invalid("/code", "malformed");
    let code = totp::code(&secret, app.now());
    ann.post("/v1/auth/step-up", json!({"code": code})).await.expect(200);
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
}

async fn an_app_counts_when_it_was_confirmed_and_the_old_one_until_then(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (old, codes) = set_up(&app, &ann).await;
    let new = ann.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    let sign_in = async |secret: &str| {
        app.advance(STEP);
        let visitor = app.visitor();
        let challenge = challenged(&visitor, "ann@example.org").await;
        answer(&visitor, &challenge, "code", &totp::code(secret, app.now())).await
    };
    sign_in(&new).await.problem(401, "wrong_factor");
    sign_in(&old).await.expect(200);
    let late = app.now().plus(Duration::from_mins(10));
    app.advance(Duration::from_mins(10));
    ann.refresh().await;
    let body = json!({"code": totp::code(&new, late)});
    ann.post("/v1/me/factors/totp/confirm", body).await.problem(409, "nothing_pending");

    ann.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(200);
    let (new, more) = set_up(&app, &ann).await;
    assert!(more.is_empty(), "the recovery codes of before go on counting: {}", codes.len());
    sign_in(&old).await.problem(401, "wrong_factor");
    sign_in(&new).await.expect(200);
}

async fn removing_the_app_ends_other_sessions(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let phone = app.visitor();
    let challenge = challenged(&phone, "ann@example.org").await;
    answer(&phone, &challenge, "recovery_code", &codes[0]).await.expect(200);
    let waiting = challenged(&app.visitor(), "ann@example.org").await;
    ann.delete("/v1/me/factors/totp").await.expect(204);
    phone.get("/v1/me").await.problem(401, "session_ended");
    ann.get("/v1/me").await.expect(200);
    ann.delete("/v1/me/factors/totp").await.problem(404, "not_found");
    answer(&phone, &waiting, "recovery_code", &codes[1]).await.problem(401, "challenge_expired");
    let left = ann.get("/v1/me/factors").await.expect(200).json;
    assert_eq!(left, json!({"totp": null, "passkeys": 0, "recovery_codes": 0}));
    app.visitor().sign_in("ann@example.org").await.text("/access_token");
}

async fn roles_count_with_a_second_factor_alone(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    // No role is given to an account without one; an installation from before may have such.
    app.database().run("UPDATE account SET roles = 'user operator'").await;
    ann.refresh().await.expect(200);
    let roles = async |client: &Client| {
        let me = client.get("/v1/me").await.expect(200).json;
        (me["roles"].clone(), me["withheld_roles"].clone())
    };
    let (all, user, none) = (json!(["user", "operator"]), json!(["user"]), json!([]));
    assert_eq!(roles(&ann).await, (user.clone(), json!(["operator"])));
    let (secret, _) = set_up(&app, &ann).await;
    // The session has just shown a code; its next token says so.
    ann.refresh().await;
    assert_eq!(roles(&ann).await, (all.clone(), none.clone()));
    ann.delete("/v1/me/factors/totp").await.problem(409, "second_factor_required");

    let mut page = app.web();
    let challenge = challenged(&page, "ann@example.org").await;
    app.advance(STEP);
    answer(&page, &challenge, "code", &totp::code(&secret, app.now())).await.expect(204);
    assert_eq!(roles(&page).await, (all, none.clone()));
    // Who has no role beyond a user's is withheld none.
    page = app.web();
    page.sign_up(&app, "bob@example.org").await;
    assert_eq!(roles(&page).await, (user, none));
}

async fn an_account_without_a_first_factor_has_no_second(app: TestApp) {
    let visitor = app.anonymous().await;
    visitor.post("/v1/me/factors/totp", json!({})).await.problem(409, "anonymous_account");
    visitor
        .post("/v1/me/factors/totp/confirm", json!({"code": "123456"}))
        .await
        .problem(409, "nothing_pending");
}

async fn factors_are_kept_sealed_or_hashed(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let pending = ann.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    let challenge = challenged(&app.visitor(), "ann@example.org").await;
    let database = app.database();
    let mut kept = Vec::new();
    for column in [
        "sealed FROM totp",
        "pending FROM totp",
        "code_hash FROM recovery_code",
        "challenge_hash FROM challenge",
        "state FROM challenge",
    ] {
        kept.extend(database.column(&format!("SELECT {column}")).await.iter().map(|cell| unhex(cell)));
    }
    assert_eq!(kept.len(), 2 + 10 + 2);
    for cell in kept {
        let text = String::from_utf8_lossy(&cell).into_owned();
        for secret in codes.iter().chain([&pending, &challenge]) {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
    // A sealed secret is 20 octets and what sealing adds, a hash is 32.
    let lengths = database.column("SELECT length(sealed) FROM totp").await;
    assert_eq!(lengths, ["49"]);
}

async fn every_change_of_factors_is_told_by_mail(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let told = async || {
        app.advance(Duration::from_secs(1));
        app.mail_to("ann@example.org").await.subject
    };
    app.advance(Duration::from_secs(1));
    set_up(&app, &ann).await;
    assert_eq!(told().await, "A way to sign in was added to your Fairweather account");
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    assert_eq!(told().await, "New recovery codes for your Fairweather account");
    let codes =
        ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201).json["recovery_codes"].clone();
    app.advance(Duration::from_secs(1));
    let phone = app.visitor();
    let challenge = challenged(&phone, "ann@example.org").await;
    answer(&phone, &challenge, "recovery_code", codes[0].as_str().unwrap()).await.expect(200);
    assert_eq!(told().await, "A recovery code of your Fairweather account was used");
    ann.delete("/v1/me/factors/totp").await.expect(204);
    assert_eq!(told().await, "A way to sign in was removed from your Fairweather account");
    let count = app.mails().await.len();
    let mut device = testkit::Authenticator::at(&app.app().settings().public_url);
    let options = ann.post("/v1/me/passkeys/start", json!({})).await.expect(200).json["public_key"].clone();
    let body = json!({"name": "Phone", "credential": device.create(&options)});
    let id = ann.post("/v1/me/passkeys/finish", body).await.expect(201).text("/passkey/id");
    assert_eq!(told().await, "A way to sign in was added to your Fairweather account");
    ann.delete(&format!("/v1/me/passkeys/{id}")).await.expect(204);
    assert_eq!(told().await, "A way to sign in was removed from your Fairweather account");
    assert_eq!(app.mails().await.len(), count + 2);
}

async fn every_change_of_factors_is_in_the_log(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (_, codes) = set_up(&app, &ann).await;
    let phone = app.visitor();
    let challenge = challenged(&phone, "ann@example.org").await;
    app.advance(Duration::from_secs(1));
    answer(&phone, &challenge, "recovery_code", &codes[0]).await.expect(200);
    app.advance(Duration::from_secs(1));
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    app.advance(Duration::from_secs(1));
    ann.delete("/v1/me/factors/totp").await.expect(204);
    let mut seen: Vec<_> = app.audit(&ann.account_id()).await;
    seen.retain(|line| line.event.contains("factor") || line.event.contains("recovery"));
    let seen: Vec<_> = seen
        .iter()
        .rev()
        .map(|line| (line.event.as_str(), line.word.as_deref(), line.actor.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("factor_added", Some("totp"), "owner"),
            ("recovery_code_used", None, "owner"),
            ("recovery_codes_made", None, "owner"),
            ("factor_removed", Some("totp"), "owner"),
        ]
    );
}
