//! Ways in: anonymous, registered by mail, upgraded, signed in with a password.

use std::time::Duration;

use domain::AccountId;
use insta::{allow_duplicates, assert_json_snapshot};
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::databases::unhex;
use testkit::{Client, Response, TestApp};
use uuid::Uuid;
use vault::{Context, Ring};

testkit::stamp! {
    both: [
        an_anonymous_account_needs_nothing,
        registering_takes_a_mail_and_its_code,
        five_wrong_codes_end_a_registration,
        four_wrong_codes_do_not,
        a_code_without_the_secret_opens_nothing,
        a_code_works_for_half_an_hour_and_once,
        a_known_address_is_not_betrayed,
        a_known_address_cannot_be_taken_over,
        whoever_registers_first_does_not_own_the_address,
        an_anonymous_account_that_registers_keeps_its_favourites,
        an_upgrade_can_be_confirmed_on_another_device,
        a_failed_sign_in_tells_nothing,
        failures_slow_the_next_try_down,
        failures_are_not_forgotten_by_waiting,
        guesses_side_by_side_are_not_free,
        mail_is_limited,
        strangers_keep_no_mail_from_anybody,
        a_stored_password_is_hashed_and_sealed,
        passwords_are_counted_in_code_points,
        preferences_are_kept,
    ]
}

async fn an_anonymous_account_needs_nothing(app: TestApp) {
    let tokens = app.visitor().post("/v1/auth/anonymous", json!({})).await.expect(201);
    allow_duplicates! {
    assert_json_snapshot!(tokens.json, {
        ".access_token" => "[jwt]", ".refresh_token" => "[rt1]", ".account_id" => "[id]", ".session_id" => "[id]",
    }, @r#"
    {
      "access_token": "[jwt]",
      "account_id": "[id]",
      "expires_in": 600,
      "refresh_token": "[rt1]",
      "session_id": "[id]",
      "token_type": "Bearer"
    }
    "#);
    }
    assert_eq!(tokens.header("cache-control"), "no-store");

    let bodiless = app.visitor().call(http::Method::POST, "/v1/auth/anonymous").await.expect(201);
    assert_ne!(bodiless.text("/account_id"), tokens.text("/account_id"));

    let me = app.anonymous().await.get("/v1/me").await.expect(200);
    allow_duplicates! {
    assert_json_snapshot!(me.json, { ".account_id" => "[id]" }, @r#"
    {
      "account_id": "[id]",
      "created_at": "2026-11-21T10:00:00Z",
      "email": null,
      "kind": "anonymous",
      "preferences": {
        "language": null,
        "units": null
      },
      "roles": [
        "user"
      ],
      "withheld_roles": []
    }
    "#);
    }
}

async fn registering_takes_a_mail_and_its_code(app: TestApp) {
    let ann = app.visitor();
    let body = json!({"email": "Ann@Example.ORG", "password": PASSWORD});
    let begun = ann.post("/v1/auth/register", body).await.expect(202);
    allow_duplicates! {
    assert_json_snapshot!(begun.json, { ".registration" => "[secret]" }, @r#"
    {
      "expires_in": 1800,
      "registration": "[secret]"
    }
    "#);
    }
    let registration = begun.text("/registration");

    let mail = app.mail_to("Ann@example.org").await;
    let code = mail.code().unwrap();
    assert!(mail.subject.contains(&code));
    // The link carries the code behind the #, which no server and no log ever sees.
    assert!(mail.text.contains(&format!("/confirm#code={code}")), "{}", mail.text);

    ann.log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    // As people type it: in small letters, with a blank.
    let typed = code.to_lowercase().replace('-', " ");
    let tokens = ann.confirm(&registration, &typed).await.expect(201);

    let signed_in = app.visitor().sign_in("ann@example.org").await.expect(200);
    assert_eq!(signed_in.text("/account_id"), tokens.text("/account_id"));
    assert_ne!(signed_in.text("/session_id"), tokens.text("/session_id"));

    let me = ann.get("/v1/me").await.expect(200);
    assert_eq!(me.json["kind"], "registered");
    assert_eq!(me.json["email"], "Ann@example.org");
    ann.post("/v1/auth/register", json!({"email": "b@example.org", "password": PASSWORD}))
        .await
        .problem(409, "already_registered");
}

/// A code that is certainly not `code`.
fn other_than(code: &str) -> String {
    let first = if code.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}", &code[1..])
}

async fn five_wrong_codes_end_a_registration(app: TestApp) {
    let ann = app.visitor();
    let registration = ann.register("ann@example.org").await;
    let code = app.code_for("ann@example.org").await;
    for _ in 0..5 {
        ann.confirm(&registration, &other_than(&code)).await.invalid("/code", "wrong_or_expired");
    }
    ann.confirm(&registration, &code).await.invalid("/code", "wrong_or_expired");
    ann.log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
}

async fn four_wrong_codes_do_not(app: TestApp) {
    let ann = app.visitor();
    let registration = ann.register("ann@example.org").await;
    let code = app.code_for("ann@example.org").await;
    for _ in 0..4 {
        ann.confirm(&registration, &other_than(&code)).await.invalid("/code", "wrong_or_expired");
    }
    ann.confirm(&registration, &code).await.expect(201);
}

async fn a_code_without_the_secret_opens_nothing(app: TestApp) {
    let ann = app.visitor();
    let registration = ann.register("ann@example.org").await;
    let code = app.code_for("ann@example.org").await;
    // Who reads the mail over a shoulder has the code, but not what Ann's own device keeps.
    let eve = app.visitor();
    let of_eve = eve.register("eve@example.org").await;
    eve.confirm(&of_eve, &code).await.invalid("/code", "wrong_or_expired");
    eve.confirm("", &code).await.invalid("/code", "wrong_or_expired");
    eve.confirm(&code, &code).await.invalid("/code", "wrong_or_expired");
    ann.confirm(&registration, &code).await.expect(201);
}

async fn a_code_works_for_half_an_hour_and_once(app: TestApp) {
    let ann = app.visitor();
    let registration = ann.register("ann@example.org").await;
    let code = app.code_for("ann@example.org").await;
    app.advance(Duration::from_mins(30));
    ann.confirm(&registration, &code).await.invalid("/code", "wrong_or_expired");

    let registration = ann.register("ann@example.org").await;
    let code = app.code_for("ann@example.org").await;
    app.advance(Duration::from_secs(30 * 60 - 1));
    ann.confirm(&registration, &code).await.expect(201);
    app.visitor().confirm(&registration, &code).await.invalid("/code", "wrong_or_expired");
}

/// What an answer shows of itself, without what differs from request to request.
fn seen(answer: &Response) -> Value {
    let mut json = answer.json.clone();
    json.as_object_mut().unwrap().retain(|name, _| name != "instance");
    let names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    json!({"status": answer.status, "headers": names, "body": json})
}

async fn a_known_address_is_not_betrayed(app: TestApp) {
    app.user("ann@example.org").await;
    // Mails of one instant are in no order.
    app.advance(Duration::from_secs(1));
    let register = async |email: &str| {
        let body = json!({"email": email, "password": "another long password"});
        let mut answer = app.visitor().post("/v1/auth/register", body).await.expect(202);
        let secret = answer.text("/registration");
        answer.json["registration"] = json!(secret.len());
        seen(&answer)
    };
    let (known, unknown) = (register("ann@example.org").await, register("zoe@example.org").await);
    assert_eq!(known, unknown);
    // A differently written form of the same address counts as the same.
    assert_eq!(register("ANN@EXAMPLE.ORG").await, unknown);

    let mail = app.mail_to("ann@example.org").await;
    assert_eq!(mail.code(), None, "{}", mail.text);
    assert_eq!(mail.subject, "You already have a Fairweather account");
}

async fn a_known_address_cannot_be_taken_over(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let eve = app.visitor();
    let body = json!({"email": "ann@example.org", "password": "eve would like to get in"});
    let registration = eve.post("/v1/auth/register", body).await.expect(202).text("/registration");
    for code in ["AAAA-AAAA", "0000-0000", &app.mails().await.last().unwrap().code().unwrap()] {
        eve.confirm(&registration, code).await.invalid("/code", "wrong_or_expired");
    }
    eve.log_in("ann@example.org", "eve would like to get in").await.problem(401, "wrong_credentials");
    ann.get("/v1/me").await.expect(200);
    app.visitor().sign_in("ann@example.org").await.expect(200);
}

async fn whoever_registers_first_does_not_own_the_address(app: TestApp) {
    // Eve asks first, with a password of hers and for an account full of her things, and waits for Ann.
    let eve = app.anonymous().await;
    eve.save("A trap", 1.0, 2.0).await;
    let body = json!({"email": "ann@example.org", "password": "eve would like to get in"});
    let of_eve = eve.post("/v1/auth/register", body).await.expect(202).text("/registration");
    let to_eve = app.code_for("ann@example.org").await;

    app.advance(Duration::from_secs(1));
    let mut ann = app.visitor();
    ann.sign_up(&app, "ann@example.org").await;
    assert!(ann.favourites().await.is_empty());

    // Even with the code that was mailed to Ann for it, Eve's registration completes no more.
    eve.confirm(&of_eve, &to_eve).await.invalid("/code", "wrong_or_expired");
    app.visitor()
        .log_in("ann@example.org", "eve would like to get in")
        .await
        .problem(401, "wrong_credentials");
    ann.get("/v1/me").await.expect(200);
    assert_eq!(eve.get("/v1/me").await.expect(200).json["kind"], "anonymous");
}

async fn an_anonymous_account_that_registers_keeps_its_favourites(app: TestApp) {
    let ann = app.anonymous().await;
    ann.save("Cabin", 60.1, 9.2).await;
    ann.save("Beach", 38.7, -9.1).await;
    let (before, tablet) = (ann.copy(), ann.copy());

    let registration = ann.register("ann@example.org").await;
    assert_eq!(ann.favourites().await, ["Cabin", "Beach"], "until the code is typed nothing changes");
    ann.confirm(&registration, &app.code_for("ann@example.org").await).await.expect(201);

    assert_eq!(ann.account_id(), before.account_id());
    assert_eq!(ann.favourites().await, ["Cabin", "Beach"]);
    // A session that anybody could have begun must not reach the account that now has a name.
    before.get("/v1/me").await.problem(401, "session_ended");
    tablet.present(&tablet.refresh_token()).await.problem(401, "invalid_refresh_token");
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    assert_eq!(phone.favourites().await, ["Cabin", "Beach"]);
}

async fn an_upgrade_can_be_confirmed_on_another_device(app: TestApp) {
    let ann = app.anonymous().await;
    ann.save("Cabin", 60.1, 9.2).await;
    let registration = ann.register("ann@example.org").await;
    let phone = app.visitor();
    phone.confirm(&registration, &app.code_for("ann@example.org").await).await.expect(201);
    assert_eq!(phone.account_id(), ann.account_id());
    assert_eq!(phone.favourites().await, ["Cabin"]);
    ann.get("/v1/me").await.problem(401, "session_ended");
}

async fn a_failed_sign_in_tells_nothing(app: TestApp) {
    app.user("ann@example.org").await;
    let visitor = app.visitor();
    let wrong = visitor.log_in("ann@example.org", "this is not her password").await;
    let unknown = visitor.log_in("zoe@example.org", "this is not her password").await;
    assert_eq!(seen(&wrong), seen(&unknown));
    wrong.problem(401, "wrong_credentials");
    // Nor does a password that no rule would have allowed.
    assert_eq!(seen(&visitor.log_in("ann@example.org", "x").await), seen(&unknown));
    assert_eq!(seen(&visitor.log_in("ann@example.org", "").await), seen(&unknown));
}

async fn failures_slow_the_next_try_down(mut app: TestApp) {
    app.user("ann@example.org").await;
    let guess =
        async |app: &TestApp, email: &str| app.visitor().log_in(email, "this is not her password").await;
    for email in ["ann@example.org", "nobody@example.org"] {
        for _ in 0..5 {
            guess(&app, email).await.problem(401, "wrong_credentials");
        }
        for wait in [1, 2, 4] {
            let refused = guess(&app, email).await.problem(429, "too_many_attempts");
            assert_eq!(refused.header("retry-after"), wait.to_string(), "{refused}");
            app.advance(Duration::from_secs(wait) - Duration::from_millis(1));
            guess(&app, email).await.problem(429, "too_many_attempts");
            app.advance(Duration::from_millis(1));
            guess(&app, email).await.problem(401, "wrong_credentials");
        }
    }
    // Neither the right password nor a restart is a way around.
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
    app.restart().await;
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");

    app.advance(Duration::from_secs(8));
    app.visitor().sign_in("ann@example.org").await.expect(200);
    for _ in 0..5 {
        guess(&app, "ann@example.org").await.problem(401, "wrong_credentials");
    }
}

/// Else a few guesses a day would be free for ever.
async fn failures_are_not_forgotten_by_waiting(app: TestApp) {
    app.user("ann@example.org").await;
    let guess = async || app.visitor().log_in("ann@example.org", "this is not her password").await;
    for _ in 0..4 {
        guess().await.problem(401, "wrong_credentials");
    }
    app.advance(Duration::from_hours(24 * 30));
    app.clean_up().await;
    guess().await.problem(401, "wrong_credentials");
    guess().await.problem(429, "too_many_attempts");
}

async fn guesses_side_by_side_are_not_free(app: TestApp) {
    app.user("ann@example.org").await;
    let guess = |number: usize| {
        let visitor = app.visitor();
        async move { visitor.log_in("ann@example.org", &format!("this is guess number {number}")).await.status }
    };
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..20 {
        guesses.spawn(guess(number));
    }
    let answers = guesses.join_all().await;
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert_eq!(looked_at, 5, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
}

async fn mail_is_limited(mut app: TestApp) {
    app.user("ann@example.org").await;
    let register = async |client: &Client, email: &str| {
        client.post("/v1/auth/register", json!({"email": email, "password": PASSWORD})).await
    };
    let visitor = app.visitor();
    // One mail went to Ann already. Known or not, an address gets three an hour.
    for (email, more) in [("ann@example.org", 2), ("zoe@example.org", 3)] {
        for _ in 0..more {
            register(&visitor, email).await.expect(202);
        }
        let refused = register(&visitor, email).await.problem(429, "too_many_mails");
        assert_eq!(refused.header("retry-after"), "3600");
    }
    assert_eq!(app.mails().await.len(), 6);
    app.advance(Duration::from_hours(1));
    register(&visitor, "ann@example.org").await.expect(202);

    // One network gets so many for all addresses. Peers of this machine are exempt in development.
    app.restart_with(|config| {
        config.trusted_proxies = vec![String::from("127.0.0.1")];
        config.limits.mail_per_network = 2;
    })
    .await;
    let cafe = app.visitor().with_header("x-forwarded-for", "203.0.113.7");
    register(&cafe, "one@example.org").await.expect(202);
    register(&cafe, "two@example.org").await.expect(202);
    register(&cafe, "three@example.org").await.problem(429, "too_many_mails");
    let home = app.visitor().with_header("x-forwarded-for", "203.0.113.8");
    register(&home, "three@example.org").await.expect(202);
}

async fn passwords_are_counted_in_code_points(app: TestApp) {
    let visitor = app.visitor();
    let register = async |email: &str, password: &str| {
        visitor.post("/v1/auth/register", json!({"email": email, "password": password})).await
    };
    // Fourteen characters of four octets each are not enough, fifteen are.
    let birds: String = "🐦🦆🦅🦉🦇🐧🦜🦚🦩🦢🕊🐓🦃🦤🐔".chars().collect();
    let fourteen: String = birds.chars().take(14).collect();
    register("a@example.org", &fourteen).await.invalid("/password", "too_short");
    register("a@example.org", &birds).await.expect(202);

    let long: String = (0..256).map(|n| char::from_u32(0x4E00 + n * 7).unwrap()).collect();
    register("b@example.org", &long).await.expect(202);
    register("b@example.org", &format!("{long}x")).await.invalid("/password", "too_long");

    register("c@example.org", "aaaaaaaaaaaaaaaaaaaa").await.invalid("/password", "repetitive");
    register("c@example.org", "abcdefghijklmnopqrst").await.invalid("/password", "sequence");
    register("christopher@example.org", "christopher1234").await.invalid("/password", "context");
    register("c@example.org", "fairweather2026").await.invalid("/password", "context");
    register("c@example.org", "four plain words do").await.expect(202);

    let both = register("not an address", "short").await.invalid("/email", "malformed");
    both.invalid("/password", "too_short");

    // Written with one character or with two, é is é; and nothing is cut off at the end.
    let mut ann = app.visitor();
    let body = json!({"email": "ann@example.org", "password": "cafe\u{301} au lait sans sucre"});
    let registration = ann.post("/v1/auth/register", body).await.expect(202).text("/registration");
    ann.confirm(&registration, &app.code_for("ann@example.org").await).await.expect(201);
    ann = app.visitor();
    ann.log_in("ann@example.org", "café au lait sans sucre").await.expect(200);
    ann.log_in("ann@example.org", "café au lait sans sucre ").await.problem(401, "wrong_credentials");
    ann.log_in("ann@example.org", "café au lait sans sucr").await.problem(401, "wrong_credentials");
}

async fn a_stored_password_is_hashed_and_sealed(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (account, database) = (ann.account_id(), app.database());
    let column = async |name: &str| {
        let id = database.literal(&account);
        unhex(&database.column(&format!("SELECT {name} FROM account WHERE account_id = {id}")).await[0])
    };
    let id = AccountId::from_uuid(account.parse().unwrap());
    let ring = Ring::load(&app.data().join("keys").join("ring")).unwrap().unwrap();
    let key = ring.open_data_key(id, &column("data_key").await).unwrap();
    let open = |name: &'static str, sealed: &[u8]| {
        let plain = key.open(&Context::new("account", id, Uuid::nil(), name), sealed).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    };
    let sealed = column("password").await;
    let phc = open("password", &sealed);
    let parts: Vec<&str> = phc.split('$').collect();
    let ["", "argon2id", "v=19", cost, salt, hash] = parts[..] else { panic!("{phc}") };
    let cost = |name: &str| -> u32 {
        let found = cost.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.unwrap().parse().unwrap()
    };
    assert!(cost("m") >= 19_456 && cost("t") >= 2 && cost("p") >= 1, "{phc}");
    assert!(salt.len() >= 22 && hash.len() >= 43, "at least 16 and 32 octets: {phc}");
    assert_eq!(open("email", &column("email").await), "ann@example.org");

    // A seal taken from one column does not open as another, nor for somebody else.
    assert!(key.open(&Context::new("account", id, Uuid::nil(), "email"), &sealed).is_err());
    let other = AccountId::from_uuid(Uuid::from_u128(7));
    assert!(key.open(&Context::new("account", other, Uuid::nil(), "password"), &sealed).is_err());
}

async fn preferences_are_kept(mut app: TestApp) {
    let ann = app.anonymous().await;
    ann.put("/v1/me/preferences", json!({"units": "imperial"})).await.expect(204);
    app.restart().await;
    let ann = ann.moved_to(&app);
    assert_eq!(ann.get("/v1/me").await.expect(200).json["preferences"]["units"], "imperial");
    ann.put("/v1/me/preferences", json!({"units": "furlongs"})).await.invalid("/units", "unknown");
    ann.put("/v1/me/preferences", json!({"units": null})).await.expect(204);
    assert_eq!(ann.get("/v1/me").await.expect(200).json["preferences"]["units"], Value::Null);
}

async fn strangers_keep_no_mail_from_anybody(mut app: TestApp) {
    app.restart_with(|config| config.trusted_proxies = vec![String::from("127.0.0.1")]).await;
    let from = |address: &str| app.visitor().with_header("x-forwarded-for", address);
    let (stranger, home) = (from("203.0.113.7"), from("203.0.113.8"));
    let register = async |client: &Client, email: &str| {
        client.post("/v1/auth/register", json!({"email": email, "password": PASSWORD})).await
    };
    let forgot = async |client: &Client| {
        client.post("/v1/auth/password/forgot", json!({"email": "ann@example.org"})).await
    };
    for _ in 0..3 {
        register(&stranger, "ann@example.org").await.expect(202);
        forgot(&stranger).await.expect(202);
    }
    register(&stranger, "ann@example.org").await.problem(429, "too_many_mails");
    forgot(&stranger).await.problem(429, "too_many_mails");
    // Mails of one moment come in no order.
    app.advance(Duration::from_secs(1));
    let registration = register(&home, "ann@example.org").await.expect(202).text("/registration");
    home.confirm(&registration, &app.code_for("ann@example.org").await).await.expect(201);
    forgot(&home).await.expect(202);
    // Whoever has an account already is told so, as often as they ask, and nobody's mail is counted for it.
    for _ in 0..5 {
        register(&home, "zoe@example.org").await.problem(409, "already_registered");
    }
    for network in 1..=4 {
        let other = from(&format!("198.51.100.{network}"));
        for _ in 0..3 {
            register(&other, "zoe@example.org").await.expect(202);
        }
    }
    // So many mails an hour are enough for a mailbox, from wherever.
    register(&from("198.51.100.5"), "zoe@example.org").await.problem(429, "too_many_mails");
}
