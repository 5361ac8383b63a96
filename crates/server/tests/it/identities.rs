//! Identities of an account: which lead in, who may add one, and that an e-mail never does.

use std::time::Duration;

use serde_json::json;
use testkit::TestApp;
use testkit::clients::PASSWORD;

use crate::audit::require_places;
use crate::oauth::{begin, me, sign_in, sign_in_app, with_provider};

testkit::stamp! {
    both: [
        an_email_never_leads_to_an_account,
        an_email_that_a_provider_names_first_keeps_nobody_out,
        an_anonymous_account_becomes_somebody_s,
        an_existing_account_can_adopt_what_was_left_behind,
        linking_needs_a_fresh_sign_in_and_the_same_session,
        an_identity_leads_to_one_account,
        nobody_can_be_made_to_link_their_identity_to_another_account,
        the_last_way_in_stays,
        letting_an_identity_go_ends_other_sessions,
        a_provider_proves_again_who_holds_a_session,
        an_account_without_an_address_is_not_forgotten,
        the_holder_hears_of_it,
    ]
}

const EMAIL: &str = "ann@example.org";

/// What a provider says of somebody with this address, verified.
fn of(subject: &str, verified: bool) -> serde_json::Value {
    json!({"sub": subject, "email": EMAIL, "email_verified": verified})
}

async fn an_email_never_leads_to_an_account(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    // Classic-federated merge, both ways round: an account with the address, and a provider that names it.
    let ann = app.user(EMAIL).await;
    for (subject, verified) in [("eve", true), ("mallory", false)] {
        let browser = app.web();
        let path = provider.authorize_as(&begin(&browser, json!({})).await, of(subject, verified));
        browser.come_back(&path).await.expect(303);
        let found = me(&browser).await;
        assert_ne!(found["account_id"], me(&ann).await["account_id"]);
        assert_eq!(found["email"], json!(null), "what a provider says is no address of the account");
        let listed = browser.get("/v1/me/identities").await.expect(200).json;
        let shown = if verified { json!(EMAIL) } else { json!(null) };
        assert_eq!(listed["items"][0]["email"], shown, "what is not verified is not even shown");
        assert_eq!((&listed["items"][0]["provider"], &listed["next"]), (&json!("example"), &json!(null)));
    }
    assert_eq!(ann.get("/v1/me/identities").await.expect(200).json["items"], json!([]));
}

async fn an_email_that_a_provider_names_first_keeps_nobody_out(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    // A provider that verifies nothing lets Eve in as Ann's address, before Ann comes.
    let eve = app.web();
    let path = provider.authorize_as(&begin(&eve, json!({})).await, of("eve", true));
    eve.come_back(&path).await.expect(303);
    let ann = app.user(EMAIL).await;
    assert_ne!(me(&ann).await["account_id"], me(&eve).await["account_id"]);
    assert_eq!(me(&ann).await["email"], EMAIL);
    // Nor does the provider lead Eve into it from now on.
    let again = app.web();
    sign_in(&again, &provider, "eve").await;
    assert_eq!(me(&again).await["account_id"], me(&eve).await["account_id"]);
}

async fn an_anonymous_account_becomes_somebody_s(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.save("Cabin", 60.1, 9.2).await;
    let before = me(&browser).await;
    // Whoever holds another session of the anonymous account: it must not outlive the change.
    let stolen = browser.copy();
    sign_in(&browser, &provider, "ann").await;
    let after = me(&browser).await;
    assert_eq!((&after["account_id"], &after["kind"]), (&before["account_id"], &json!("registered")));
    assert_eq!(browser.favourites().await, ["Cabin"]);
    stolen.get("/v1/me").await.expect(401);

    // The same on a phone.
    let phone = app.anonymous().await;
    phone.save("Hut", 60.1, 9.2).await;
    let old = phone.copy();
    sign_in_app(&app, &phone, &provider, "ben", "login").await.expect(200);
    assert_eq!(me(&phone).await["kind"], "registered");
    assert_eq!(phone.favourites().await, ["Hut"]);
    old.get("/v1/me").await.expect(401);
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
}

async fn an_existing_account_can_adopt_what_was_left_behind(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    sign_in(&app.web(), &provider, "ann").await;
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.save("Cabin", 60.1, 9.2).await;
    sign_in(&browser, &provider, "ann").await;
    assert_eq!(browser.favourites().await, [""; 0]);
    let adopted = browser.post("/v1/me/adopt", json!({})).await.expect(200);
    assert_eq!(adopted.json["added"], 1);
    assert_eq!(browser.favourites().await, ["Cabin"]);
    // An account that a provider leads to is no anonymous one, though it has no address.
    let other = app.visitor();
    sign_in_app(&app, &other, &provider, "ben", "login").await.expect(200);
    let body = json!({"access_token": other.access_token()});
    browser.post("/v1/me/adopt", body).await.problem(409, "not_anonymous");
}

async fn linking_needs_a_fresh_sign_in_and_the_same_session(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let link = json!({"purpose": "link", "return_to": "/settings"});
    let browser = app.web();
    browser.post("/v1/auth/oauth/example/start", link.clone()).await.problem(401, "credential_required");
    let mut anonymous = app.web();
    anonymous.start_anonymously().await;
    anonymous.post("/v1/auth/oauth/example/start", link.clone()).await.problem(409, "anonymous_account");

    app.user(EMAIL).await;
    browser.sign_in(EMAIL).await;
    app.advance(Duration::from_secs(5 * 60 + 1));
    provider.set_now(app.now());
    let stale = browser.post("/v1/auth/oauth/example/start", link.clone()).await;
    stale.problem(401, "insufficient_user_authentication");
    browser.sign_in(EMAIL).await;
    let url = begin(&browser, link.clone()).await;
    let back = browser.come_back(&provider.authorize(&url, "ann")).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=example&outcome=linked");
    let by_provider = app.web();
    sign_in(&by_provider, &provider, "ann").await;
    assert_eq!(me(&by_provider).await["account_id"], me(&browser).await["account_id"]);

    // A session that ended in between links nothing.
    let url = begin(&browser, link).await;
    browser.post("/v1/auth/logout", json!({})).await.expect(204);
    let back = browser.come_back(&provider.authorize(&url, "second")).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=example&error=session_ended");
}

async fn an_identity_leads_to_one_account(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let (ann, ben) = (app.web(), app.web());
    sign_in(&ann, &provider, "ann").await;
    sign_in(&ben, &provider, "ben").await;
    let url = begin(&ben, json!({"purpose": "link"})).await;
    let back = ben.come_back(&provider.authorize(&url, "ann")).await.expect(303);
    assert_eq!(back.header("location"), "/#provider=example&error=identity_taken");
    let url = begin(&ben, json!({"purpose": "link"})).await;
    let back = ben.come_back(&provider.authorize(&url, "ben")).await.expect(303);
    assert_eq!(back.header("location"), "/#provider=example&outcome=linked", "it is linked already");
    assert_eq!(ben.get("/v1/me/identities").await.expect(200).json["items"].as_array().unwrap().len(), 1);
}

async fn nobody_can_be_made_to_link_their_identity_to_another_account(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    // Eve begins to link in an app of her own, and has Ann follow the address: the code goes to Ann's device, and
    // without it, her verifier and her session nothing is linked.
    let eve = app.user("eve@example.org").await;
    let ann = app.user(EMAIL).await;
    let body = json!({
        "purpose": "link", "redirect_uri": "org.example.app:/callback",
        "code_challenge": vault::pkce::Challenge::of(&crate::oauth::verifier()).to_string(),
    });
    let url = begin(&eve, body).await;
    let back = app.visitor().come_back(&provider.authorize(&url, "ann")).await.expect(303);
    let code = back.header("location").split("code=").nth(1).unwrap().to_owned();
    let grant = json!({"code": code, "code_verifier": crate::oauth::verifier()});
    ann.post("/v1/auth/oauth/example/token", grant).await.problem(401, "invalid_grant");
    for client in [&eve, &ann] {
        assert_eq!(client.get("/v1/me/identities").await.expect(200).json["items"], json!([]));
    }
    // With all three of them it is.
    sign_in_app(&app, &eve, &provider, "eve", "link").await.expect(204);
    assert_eq!(eve.get("/v1/me/identities").await.expect(200).json["items"].as_array().unwrap().len(), 1);
}

async fn the_last_way_in_stays(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    sign_in(&browser, &provider, "one").await;
    let ids = async || {
        let listed = browser.get("/v1/me/identities").await.expect(200).json;
        let items = listed["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = ids().await.remove(0);
    let path = format!("/v1/me/identities/{first}");
    browser.delete(&path).await.problem(409, "last_way_in");
    let url = begin(&browser, json!({"purpose": "link"})).await;
    browser.come_back(&provider.authorize(&url, "two")).await.expect(303);
    let stranger = app.user(EMAIL).await;
    stranger.delete(&path).await.problem(404, "not_found");
    // Of two that go at once one stays.
    let both = ids().await;
    let (one, two) = tokio::join!(
        browser.delete(&format!("/v1/me/identities/{}", both[0])),
        browser.delete(&format!("/v1/me/identities/{}", both[1])),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let left = ids().await;
    assert_eq!(left.len(), 1);
    app.advance(Duration::from_secs(5 * 60 + 1));
    let late = browser.delete(&format!("/v1/me/identities/{}", left[0])).await;
    late.problem(401, "insufficient_user_authentication");
    // Once let go, an identity leads to an account of its own.
    let gone = if left[0] == first { "two" } else { "one" };
    provider.set_now(app.now());
    let other = app.web();
    sign_in(&other, &provider, gone).await;
    assert_ne!(me(&other).await["account_id"], me(&browser).await["account_id"]);
}

async fn a_provider_proves_again_who_holds_a_session(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let (browser, phone) = (app.web(), app.visitor());
    sign_in(&browser, &provider, "ann").await;
    sign_in_app(&app, &phone, &provider, "ann", "login").await.expect(200);
    sign_in(&app.web(), &provider, "ben").await;
    app.advance(Duration::from_secs(5 * 60 + 1));
    provider.set_now(app.now());
    let link = json!({"purpose": "link"});
    let refused = browser.post("/v1/auth/oauth/example/start", link.clone()).await;
    assert_eq!(refused.problem(401, "insufficient_user_authentication").json["accepts"], json!(["provider"]));

    // One that the operator has taken out of the configuration proves nothing.
    let mut app = app;
    app.restart_with(|config| {
        config.providers.remove("example");
    })
    .await;
    let refused = browser.moved_to(&app).get("/v1/me/export").await;
    assert_eq!(refused.problem(401, "insufficient_user_authentication").json["accepts"], json!([]));
    crate::oauth::knows(&mut app, "example", &provider).await;
    let (browser, phone) = (browser.moved_to(&app), phone.moved_to(&app));

    let step_up = json!({"purpose": "step_up", "return_to": "/settings"});
    let now = app.now().seconds();
    for (claims, told) in [
        (json!({"sub": "ann"}), "error=not_reauthenticated"),
        (json!({"sub": "ann", "auth_time": now - 3600}), "error=not_reauthenticated"),
        (json!({"sub": "ben", "auth_time": now}), "error=other_identity"),
        (json!({"sub": "ann", "auth_time": now}), "outcome=stepped_up"),
    ] {
        let url = begin(&browser, step_up.clone()).await;
        assert!(url.contains("prompt=login") && url.contains("max_age=0"), "{url}");
        let back = browser.come_back(&provider.authorize_as(&url, claims)).await.expect(303);
        assert_eq!(back.header("location"), format!("/settings#provider=example&{told}"));
    }
    browser.post("/v1/auth/oauth/example/start", link.clone()).await.expect(200);

    require_places(&app, "owner", &["stepped_up"]).await;
    app.app().write_audit_tally().await.unwrap();
    require_places(&app, "unknown", &["step_up_failed"]).await;

    let session = phone.kept().session_id;
    let tokens = sign_in_app(&app, &phone, &provider, "ann", "step_up").await.expect(200);
    assert_eq!(tokens.json["session_id"].as_str().map(String::from), session, "in the same session");
    let body = json!({"purpose": "link", "native": true});
    phone.post("/v1/auth/oauth/example/start", body).await.expect(200);
}

async fn an_account_without_an_address_is_not_forgotten(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    sign_in(&browser, &provider, "ann").await;
    let account = me(&browser).await["account_id"].clone();
    let anonymous = app.anonymous().await;
    app.advance(Duration::from_hours(24 * 120));
    provider.set_now(app.now());
    app.clean_up().await;
    anonymous.present(&anonymous.refresh_token()).await.expect(401);
    let later = app.web();
    sign_in(&later, &provider, "ann").await;
    assert_eq!(me(&later).await["account_id"], account);
    // Signing out of it takes nothing along.
    later.post("/v1/auth/logout", json!({})).await.expect(204);
    let again = app.web();
    sign_in(&again, &provider, "ann").await;
    assert_eq!(me(&again).await["account_id"], account);
}

async fn the_holder_hears_of_it(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let ann = app.user(EMAIL).await;
    app.advance(Duration::from_secs(1));
    provider.set_now(app.now());
    sign_in_app(&app, &ann, &provider, "ann", "link").await.expect(204);
    let mail = app.mail_to(EMAIL).await;
    assert!(mail.text.contains("Example"), "{}", mail.text);
    app.advance(Duration::from_secs(1));
    let id = ann.get("/v1/me/identities").await.expect(200).text("/items/0/id");
    ann.delete(&format!("/v1/me/identities/{id}")).await.expect(204);
    let removed = app.mail_to(EMAIL).await;
    assert!(removed.text.contains("Example") && removed.text != mail.text, "{}", removed.text);
    ann.log_in(EMAIL, PASSWORD).await.expect(200);
}

async fn letting_an_identity_go_ends_other_sessions(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    app.user(EMAIL).await;
    let ann = app.web();
    ann.sign_in(EMAIL).await;
    let url = begin(&ann, json!({"purpose": "link"})).await;
    ann.come_back(&provider.authorize(&url, "somebody")).await.expect(303);
    let somebody = app.web();
    sign_in(&somebody, &provider, "somebody").await;
    somebody.get("/v1/me").await.expect(200);
    let id = ann.get("/v1/me/identities").await.expect(200).text("/items/0/id");
    ann.delete(&format!("/v1/me/identities/{id}")).await.expect(204);
    somebody.get("/v1/me").await.expect(401);
    ann.get("/v1/me").await.expect(200);
    let lines = app.audit(me(&ann).await["account_id"].as_str().unwrap()).await;
    let ended = lines.iter().filter(|line| line.event == "session_ended");
    let why: Vec<_> = ended.map(|line| line.word.as_deref()).collect();
    assert_eq!(why, [Some("credentials_changed"); 2], "that which registered, and somebody's");
    require_places(&app, "owner", &["identity_linked", "identity_unlinked", "session_ended"]).await;
}
