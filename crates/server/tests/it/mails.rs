//! What is mailed: in whose language, to which address, and with which links.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::PASSWORD;

use crate::oauth::{me, sign_in, sign_in_app, with_provider};
use crate::passkeys::add_first;

testkit::stamp! {
    both: [
        mail_is_written_in_the_language_of_the_browser,
        every_way_of_signing_up_keeps_the_language_of_the_browser,
        the_language_can_be_changed_and_is_otherwise_kept,
        what_goes_to_a_known_address_goes_as_it_was_stored,
        a_refresh_token_that_comes_back_is_told_of,
        links_ignore_what_a_request_says_of_its_host,
    ]
}

async fn mail_is_written_in_the_language_of_the_browser(app: TestApp) {
    for (accepted, subject, language) in [
        ("de-AT, en;q=0.5", "ist dein Code für Fairweather", json!("de")),
        ("fr, en;q=0.5", "is your Fairweather code", json!("en")),
        ("fr", "is your Fairweather code", Value::Null),
    ] {
        let email = format!("{}@example.org", app.mails().await.len());
        let mut visitor = app.visitor().with_header("accept-language", accepted);
        visitor.sign_up(&app, &email).await;
        let mail = app.mail_to(&email).await;
        assert!(mail.subject.ends_with(subject), "{mail:?}");
        // Both forms carry the code and the link.
        let code = mail.code().unwrap();
        for form in [&mail.text, &mail.html] {
            assert!(form.contains(&code) && form.contains(&format!("/confirm#code={code}")), "{form}");
        }
        assert_eq!(visitor.get("/v1/me").await.expect(200).json["preferences"]["language"], language);
    }
}

async fn every_way_of_signing_up_keeps_the_language_of_the_browser(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let german = || app.visitor().with_header("accept-language", "de-AT, en;q=0.5");
    let phone = german();
    sign_in_app(&app, &phone, &provider, "ann", "login").await.expect(200);
    let browser = german().from_our_page();
    sign_in(&browser, &provider, "ben").await;
    let mut upgraded = german();
    upgraded.start_anonymously().await;
    sign_in_app(&app, &upgraded, &provider, "cem", "login").await.expect(200);
    let mut with_passkey = german().from_our_page();
    with_passkey.start_anonymously().await;
    add_first(&app, &with_passkey).await;
    for client in [phone, browser, upgraded, with_passkey] {
        assert_eq!(me(&client).await["preferences"], json!({"units": null, "language": "de"}));
    }

    // What somebody has chosen stays, and so does what was kept when they come again with another browser.
    let mut chosen = app.visitor();
    chosen.start_anonymously().await;
    chosen.put("/v1/me/preferences", json!({"units": "si", "language": "en"})).await.expect(204);
    let chosen = chosen.with_header("accept-language", "de");
    sign_in_app(&app, &chosen, &provider, "dee", "login").await.expect(200);
    assert_eq!(me(&chosen).await["preferences"], json!({"units": "si", "language": "en"}));
    let again = app.visitor().with_header("accept-language", "en");
    sign_in_app(&app, &again, &provider, "ann", "login").await.expect(200);
    assert_eq!(me(&again).await["preferences"]["language"], "de");
    let mut chosen = app.web();
    chosen.start_anonymously().await;
    chosen.put("/v1/me/preferences", json!({"units": "si", "language": "en"})).await.expect(204);
    let chosen = chosen.with_header("accept-language", "de");
    add_first(&app, &chosen).await;
    assert_eq!(me(&chosen).await["preferences"], json!({"units": "si", "language": "en"}));
}

async fn the_language_can_be_changed_and_is_otherwise_kept(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put("/v1/me/preferences", json!({"units": "si", "language": "de"})).await.expect(204);
    // A client that knows nothing of languages does not take it away, nor does a registration in another one.
    ann.put("/v1/me/preferences", json!({"units": "imperial"})).await.expect(204);
    ann.put("/v1/me/preferences", json!({"language": "tlh"})).await.invalid("/language", "unknown");
    ann.put("/v1/me/preferences", json!({"language": "DE"})).await.invalid("/language", "unknown");
    let mut ann = ann.with_header("accept-language", "en");
    ann.sign_up(&app, "ann@example.org").await;
    let preferences = &ann.get("/v1/me").await.expect(200).json["preferences"];
    assert_eq!(*preferences, json!({"units": "imperial", "language": "de"}));
}

/// Two addresses that are the same to us may be two mailboxes, and who asks is not who reads.
async fn what_goes_to_a_known_address_goes_as_it_was_stored(app: TestApp) {
    let mut greta = app.visitor().with_header("accept-language", "de");
    greta.sign_up(&app, "Greta.Lang@example.org").await;
    let ann = app.user("ann@example.org").await.with_header("accept-language", "en");
    app.advance(Duration::from_secs(1));
    app.visitor().with_header("accept-language", "en").register("gretA.lang@EXAMPLE.org").await;
    let mail = app.mail_to("Greta.Lang@example.org").await;
    assert_eq!(mail.subject, "Du hast schon ein Konto bei Fairweather");
    app.advance(Duration::from_secs(1));
    ann.post("/v1/me/email", json!({"email": "GRETA.LANG@example.org"})).await.expect(202);
    let mail = app.mail_to("Greta.Lang@example.org").await;
    assert_eq!(mail.subject, "Diese Adresse hat schon ein Konto bei Fairweather");
    let others =
        app.mails().await.into_iter().filter(|mail| mail.to.eq_ignore_ascii_case("greta.lang@example.org"));
    assert!(
        others.clone().all(|mail| mail.to == "Greta.Lang@example.org"),
        "{:?}",
        others.collect::<Vec<_>>()
    );
}

async fn a_refresh_token_that_comes_back_is_told_of(app: TestApp) {
    let mut ann = app.visitor().with_header("accept-language", "de");
    ann.sign_up(&app, "ann@example.org").await;
    let stolen = ann.refresh_token();
    for _ in 0..2 {
        ann.refresh().await;
        ann.get("/v1/me").await.expect(200);
        app.advance(Duration::from_mins(1));
    }
    app.visitor().present(&stolen).await.problem(401, "invalid_refresh_token");
    let mail = app.mail_to("ann@example.org").await;
    assert_eq!(mail.subject, "Ein Gerät wurde von deinem Konto bei Fairweather abgemeldet");
    // A second time there is no session to end, and nothing to tell.
    let told = app.mails().await.len();
    app.visitor().present(&stolen).await.problem(401, "invalid_refresh_token");
    assert_eq!(app.mails().await.len(), told);

    // An account without an address has nobody to tell.
    let eve = app.anonymous().await;
    let stolen = eve.refresh_token();
    for _ in 0..2 {
        eve.refresh().await;
        eve.get("/v1/me").await.expect(200);
        app.advance(Duration::from_mins(1));
    }
    app.visitor().present(&stolen).await.problem(401, "invalid_refresh_token");
    assert_eq!(app.mails().await.len(), told);
}

/// A link to somebody else's server would hand them the code.
async fn links_ignore_what_a_request_says_of_its_host(mut app: TestApp) {
    app.restart_with(|config| {
        config.public_url = Some(String::from("https://weather.example.org"));
        config.trusted_proxies = vec![String::from("127.0.0.1")];
    })
    .await;
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    let register = app
        .visitor()
        .post("/v1/auth/register", body)
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=http")
        .header("origin", "https://evil.example")
        .header("referer", "https://evil.example/");
    register.await.expect(202);
    let mail = app.mail_to("ann@example.org").await;
    assert!(mail.text.contains("\nhttps://weather.example.org/confirm#code="), "{}", mail.text);
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{mail:?}");
}
