//! Facebook's own way in, and what it tells us when somebody leaves.

use serde_json::json;
use server::sign_in_providers::SignInProvider;
use testkit::facebook::{APP, FakeFacebook};
use testkit::{Client, Response, TestApp};

use crate::oauth::me;

testkit::stamp! {
    both: [
        somebody_signs_in_through_facebook,
        a_token_of_another_app_lets_nobody_in,
        somebody_who_removes_the_app_is_let_go,
        an_account_with_an_address_outlives_the_app,
        somebody_who_wants_to_be_forgotten_is,
        a_removal_that_facebook_asks_for_is_told_by_mail,
        what_facebook_told_before_somebody_came_is_passed_over,
        only_facebook_is_believed,
        what_facebook_cannot_do_is_said,
    ]
}

async fn with_facebook(mut app: TestApp) -> (TestApp, FakeFacebook) {
    let facebook = FakeFacebook::start().await;
    let provider = SignInProvider {
        kind: String::from("facebook"),
        label: Some(String::from("Facebook")),
        issuer: Some(facebook.url()),
        graph_url: Some(facebook.url()),
        client_id: APP.0.into(),
        client_secret: Some(APP.1.into()),
        ..SignInProvider::default()
    };
    app.restart_with(|config| {
        config.providers.insert(String::from("facebook"), provider);
    })
    .await;
    (app, facebook)
}

async fn begin(client: &Client, purpose: &str) -> String {
    let body = json!({"purpose": purpose});
    client.post("/v1/auth/oauth/facebook/start", body).await.expect(200).text("/url")
}

async fn sign_in(browser: &Client, facebook: &FakeFacebook, user: &str) -> Response {
    let url = begin(browser, "login").await;
    browser.come_back(&facebook.authorize(&url, user)).await.expect(303)
}

/// What Facebook posts, as a form.
async fn tell(app: &TestApp, what: &str, signed_request: &str) -> Response {
    let call = app.visitor().call(http::Method::POST, &format!("/v1/auth/oauth/facebook/{what}"));
    call.body("application/x-www-form-urlencoded", format!("signed_request={signed_request}")).await
}

async fn somebody_signs_in_through_facebook(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let (browser, again) = (app.web(), app.web());
    let back = sign_in(&browser, &facebook, "100").await;
    assert_eq!(back.header("location"), "/#provider=facebook&outcome=signed_in");
    sign_in(&again, &facebook, "100").await;
    assert_eq!(me(&again).await["account_id"], me(&browser).await["account_id"]);
    let listed = browser.get("/v1/me/identities").await.expect(200);
    assert_eq!(listed.json["items"][0]["provider"], "facebook");
}

async fn a_token_of_another_app_lets_nobody_in(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    facebook.give_tokens_of_another_app();
    let browser = app.web();
    let back = sign_in(&browser, &facebook, "100").await;
    assert_eq!(back.header("location"), "/#provider=facebook&error=provider_answer_refused");
    assert_eq!(browser.kept().cookie, None);
}

async fn somebody_who_removes_the_app_is_let_go(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    // Somebody with another way in keeps the account.
    app.user("ann@example.org").await;
    let ann = app.web();
    ann.sign_in("ann@example.org").await;
    let url = begin(&ann, "link").await;
    ann.come_back(&facebook.authorize(&url, "100")).await.expect(303);
    tell(&app, "deauthorize", &FakeFacebook::signed_request("100", app.now())).await.expect(204);
    ann.get("/v1/me").await.expect(401);
    ann.sign_in("ann@example.org").await;
    assert_eq!(ann.get("/v1/me/identities").await.expect(200).json["items"], json!([]));

    // Without one, the account goes.
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    tell(&app, "deauthorize", &FakeFacebook::signed_request("200", app.now())).await.expect(204);
    ben.get("/v1/me").await.expect(401);
    // Somebody unknown is no error: Facebook would ask again.
    tell(&app, "deauthorize", &FakeFacebook::signed_request("999", app.now())).await.expect(204);
}

async fn somebody_who_wants_to_be_forgotten_is(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    let account = me(&ben).await["account_id"].clone();
    let answer = tell(&app, "deletion", &FakeFacebook::signed_request("200", app.now())).await.expect(200);
    ben.get("/v1/me").await.expect(401);
    let (url, code) = (answer.text("/url"), answer.text("/confirmation_code"));
    assert!(url.starts_with("http://localhost") && url.ends_with(&code), "{url}");
    let (_, path) = url.split_once("/v1/").unwrap();
    let state = app.visitor().get(&format!("/v1/{path}")).await.expect(200);
    assert_eq!(state.json, json!({"status": "done"}));
    let mut other = code.clone();
    let last = if other.pop() == Some('0') { '1' } else { '0' };
    other.push(last);
    for unknown in [&*other, "x", &"0".repeat(64), &"ä".repeat(32)] {
        let path = format!("/v1/auth/oauth/facebook/deletion/{unknown}");
        app.visitor().get(&path).await.problem(404, "not_found");
    }
    // Who comes again is somebody new.
    let again = app.web();
    sign_in(&again, &facebook, "200").await;
    assert_ne!(me(&again).await["account_id"], account);
}

async fn only_facebook_is_believed(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    let good = FakeFacebook::signed_request("200", app.now());
    let (tag, _) = good.split_once('.').unwrap();
    let (_, other) = good.split_once('.').unwrap();
    let day = std::time::Duration::from_hours(24);
    for forged in [
        String::new(),
        format!(".{other}"),
        format!("{}.{other}", tag.replace(&tag[..4], "AAAA")),
        FakeFacebook::signed_request("200", app.now().minus(day)),
    ] {
        for what in ["deauthorize", "deletion"] {
            tell(&app, what, &forged).await.problem(403, "invalid_signed_request");
        }
    }
    let as_json = app.visitor().post("/v1/auth/oauth/facebook/deletion", json!({"signed_request": good}));
    as_json.await.problem(415, "unsupported_media_type");
    ben.get("/v1/me").await.expect(200);
}

async fn what_facebook_cannot_do_is_said(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let browser = app.web();
    sign_in(&browser, &facebook, "100").await;
    let start = async |body| browser.post("/v1/auth/oauth/facebook/start", body).await;
    start(json!({"purpose": "step_up"})).await.problem(409, "step_up_unsupported");
    start(json!({"native": true})).await.problem(409, "native_unsupported");
    app.advance(std::time::Duration::from_secs(5 * 60 + 1));
    let late = browser.get("/v1/me/export").await.problem(401, "insufficient_user_authentication");
    assert_eq!(late.json["accepts"], json!([]), "who comes by it alone signs in anew");
    let anew = app.web();
    sign_in(&anew, &facebook, "100").await;
    anew.get("/v1/me/export").await.expect(200);
    let grant = json!({"id_token": "x", "nonce": "y"});
    browser.post("/v1/auth/oauth/facebook/token", grant).await.problem(401, "invalid_grant");
}

async fn what_facebook_told_before_somebody_came_is_passed_over(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    sign_in(&app.web(), &facebook, "200").await;
    let told = FakeFacebook::signed_request("200", app.now());
    tell(&app, "deletion", &told).await.expect(200);
    app.advance(std::time::Duration::from_secs(1));
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    // It is answered like any other, or Facebook would tell it again and again.
    tell(&app, "deletion", &told).await.expect(200);
    tell(&app, "deauthorize", &told).await.expect(204);
    ben.get("/v1/me").await.expect(200);
    tell(&app, "deletion", &FakeFacebook::signed_request("200", app.now())).await.expect(200);
    ben.get("/v1/me").await.expect(401);
}

async fn with_address(app: &TestApp, browser: &Client, email: &str) {
    browser.post("/v1/me/email", json!({"email": email})).await.expect(202);
    browser.post("/v1/me/email/confirm", json!({"code": app.code_for(email).await})).await.expect(200);
    // Mails of one moment come in no order.
    app.advance(std::time::Duration::from_secs(1));
}

async fn a_removal_that_facebook_asks_for_is_told_by_mail(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    with_address(&app, &ben, "ben@example.org").await;
    tell(&app, "deletion", &FakeFacebook::signed_request("200", app.now())).await.expect(200);
    ben.get("/v1/me").await.expect(401);
    let mail = app.mail_to("ben@example.org").await;
    assert!(mail.subject.contains("deleted"), "{mail:?}");
}

async fn an_account_with_an_address_outlives_the_app(app: TestApp) {
    let (app, facebook) = with_facebook(app).await;
    let ben = app.web();
    sign_in(&ben, &facebook, "200").await;
    ben.save("Cabin", 60.1, 9.2).await;
    with_address(&app, &ben, "ben@example.org").await;
    tell(&app, "deauthorize", &FakeFacebook::signed_request("200", app.now())).await.expect(204);
    ben.get("/v1/me").await.expect(401);
    // Mails of one moment come in no order.
    app.advance(std::time::Duration::from_secs(1));
    let visitor = app.visitor();
    visitor.post("/v1/auth/password/forgot", json!({"email": "ben@example.org"})).await.expect(202);
    let reset =
        json!({"reset": app.reset_for("ben@example.org").await, "password": testkit::clients::PASSWORD});
    visitor.post("/v1/auth/password/reset", reset).await.expect(204);
    visitor.sign_in("ben@example.org").await;
    assert_eq!(visitor.favourites().await, ["Cabin"]);
}
