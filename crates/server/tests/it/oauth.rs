//! Ways in through a provider that does everything right until a story has it do one thing wrong.

use std::future::IntoFuture;
use std::time::Duration;

use serde_json::{Value, json};
use server::sign_in_providers::SignInProvider;
use testkit::databases::unhex;
use testkit::identity_provider::{CLIENT, Fault, IdentityProvider};
use testkit::{Client, Response, TestApp};
use vault::pkce::Challenge;

testkit::stamp! {
    both: [
        a_browser_signs_in_and_comes_back_to_its_page,
        an_app_signs_in_with_the_verifier_that_it_kept,
        a_system_s_id_token_needs_a_nonce_of_ours,
        what_a_provider_says_wrongly_does_not_count,
        a_token_s_address_that_misbehaves_lets_nobody_in,
        no_request_to_a_provider_meets_a_connection_that_was_used_before,
        keys_are_asked_for_again_once_a_minute,
        a_state_is_good_once_and_in_its_own_browser,
        of_two_that_come_back_at_once_one_is_let_in,
        first_sign_ins_at_once_lead_to_one_account,
        a_state_ends_after_ten_minutes,
        an_answer_of_another_provider_does_not_count,
        somebody_who_says_no_is_told_so,
        a_code_of_ours_is_good_once_for_a_minute_with_its_verifier,
        a_browser_comes_back_to_pages_of_ours_alone,
        an_app_s_browser_comes_back_to_registered_addresses_alone,
        what_is_under_way_is_not_readable_at_rest,
    ]
}

/// A verifier of an app.
const VERIFIER: &str = "a verifier has at least forty three of these characters";
const CALLBACK: &str = "org.example.app:/callback";

pub fn verifier() -> String {
    VERIFIER.replace(' ', "-")
}

/// A provider as it stands in the configuration.
pub fn configured(issuer: String) -> SignInProvider {
    SignInProvider {
        issuer: Some(issuer),
        label: Some(String::from("Example")),
        client_id: CLIENT.0.into(),
        client_secret: Some(CLIENT.1.into()),
        app_redirect_uris: vec![CALLBACK.into(), "http://127.0.0.1/callback".into()],
        ..SignInProvider::default()
    }
}

/// Has the app know this provider under this name.
pub async fn knows(app: &mut TestApp, name: &str, provider: &IdentityProvider) {
    let entry = configured(provider.issuer());
    app.restart_with(|config| {
        config.providers.insert(name.to_owned(), entry);
    })
    .await;
}

/// The app with one provider, `example`.
pub async fn with_provider(mut app: TestApp) -> (TestApp, IdentityProvider) {
    let provider = IdentityProvider::start(app.now()).await;
    knows(&mut app, "example", &provider).await;
    (app, provider)
}

/// Where a client is sent.
pub async fn begin(client: &Client, body: Value) -> String {
    client.post("/v1/auth/oauth/example/start", body).await.expect(200).text("/url")
}

/// A browser goes all the way, as this person, and is back.
pub async fn sign_in(browser: &Client, provider: &IdentityProvider, subject: &str) -> Response {
    let url = begin(browser, json!({"return_to": "/settings"})).await;
    browser.come_back(&provider.authorize(&url, subject)).await.expect(303)
}

/// An app goes all the way, as this person.
pub async fn sign_in_app(
    app: &TestApp,
    client: &Client,
    provider: &IdentityProvider,
    subject: &str,
    purpose: &str,
) -> Response {
    let code = code_for(app, client, provider, subject, purpose).await;
    let body = json!({"code": code, "code_verifier": verifier()});
    client.post("/v1/auth/oauth/example/token", body).await
}

/// The code that an app's browser brings back.
async fn code_for(
    app: &TestApp,
    client: &Client,
    provider: &IdentityProvider,
    subject: &str,
    purpose: &str,
) -> String {
    let challenge = Challenge::of(&verifier()).to_string();
    let body = json!({"purpose": purpose, "redirect_uri": CALLBACK, "code_challenge": challenge});
    let url = begin(client, body).await;
    let mut claims = json!({"sub": subject});
    if purpose == "step_up" {
        claims["auth_time"] = json!(app.now().seconds());
    }
    // The system's browser, which knows nothing of the app.
    let back = app.visitor().come_back(&provider.authorize_as(&url, claims)).await.expect(303);
    let location = back.header("location");
    location.strip_prefix("org.example.app:/callback?code=").unwrap_or_else(|| panic!("{back}")).to_owned()
}

pub async fn me(client: &Client) -> Value {
    client.get("/v1/me").await.expect(200).json
}

async fn a_browser_signs_in_and_comes_back_to_its_page(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let listed = app.visitor().get("/v1/auth/providers").await.expect(200);
    let expected = json!({"items": [{"name": "example", "label": "Example", "kind": "oidc"}], "next": null});
    assert_eq!(listed.json, expected);

    let browser = app.web();
    let started = browser.post("/v1/auth/oauth/example/start", json!({"return_to": "/settings?tab=1"})).await;
    let started = started.expect(200);
    let cookie = started.header("set-cookie");
    assert!(cookie.starts_with("oauth=") && cookie.ends_with("HttpOnly; SameSite=Lax"), "{cookie}");
    let path = provider.authorize(&started.text("/url"), "ann");
    let back = browser.come_back(&path).await.expect(303);
    assert_eq!(back.header("location"), "/settings?tab=1#provider=example&outcome=signed_in");
    assert_eq!(back.headers.get_all("set-cookie").iter().count(), 2, "{back}");
    assert_eq!(back.header("cache-control"), "no-store");
    let first = me(&browser).await;
    assert_eq!((&first["kind"], &first["email"]), (&json!("registered"), &json!(null)));

    // The same person again is the same account; somebody else is somebody else.
    let again = app.web();
    sign_in(&again, &provider, "ann").await;
    assert_eq!(me(&again).await["account_id"], first["account_id"]);
    let other = app.web();
    sign_in(&other, &provider, "ben").await;
    assert_ne!(me(&other).await["account_id"], first["account_id"]);
}

async fn an_app_signs_in_with_the_verifier_that_it_kept(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let phone = app.visitor();
    let tokens = sign_in_app(&app, &phone, &provider, "ann", "login").await.expect(200);
    assert_eq!(me(&phone).await["account_id"], tokens.json["account_id"]);
    let browser = app.web();
    sign_in(&browser, &provider, "ann").await;
    assert_eq!(me(&browser).await["account_id"], tokens.json["account_id"]);
}

async fn a_system_s_id_token_needs_a_nonce_of_ours(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let phone = app.visitor();
    let nonce = async || {
        phone.post("/v1/auth/oauth/example/start", json!({"native": true})).await.expect(200).text("/nonce")
    };
    let bring = async |id_token: String, nonce: &str| {
        phone.post("/v1/auth/oauth/example/token", json!({"id_token": id_token, "nonce": nonce})).await
    };
    let ann = json!({"sub": "ann"});
    let first = nonce().await;
    bring(provider.id_token(&first, &ann), &first).await.expect(200);
    bring(provider.id_token(&first, &ann), &first).await.problem(401, "invalid_grant");
    // A nonce that we did not give, and a token with another one than was given.
    bring(provider.id_token("made-up", &ann), "made-up").await.problem(401, "invalid_grant");
    let second = nonce().await;
    bring(provider.id_token("made-up", &ann), &second).await.problem(403, "provider_answer_refused");
    bring(provider.id_token(&second, &ann), &second).await.problem(401, "invalid_grant");
    // A token that the provider gave to another app.
    let third = nonce().await;
    let foreign = provider.id_token(&third, &json!({"sub": "ann", "aud": "another app"}));
    bring(foreign, &third).await.problem(403, "provider_answer_refused");
    // The state of a browser is no nonce of an app.
    let url = begin(&app.web(), json!({})).await;
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    bring(provider.id_token(&state, &ann), &state).await.problem(401, "invalid_grant");
}

async fn what_a_provider_says_wrongly_does_not_count(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let now = app.now().seconds();
    sign_in(&app.web(), &provider, "ann").await;
    let wrong = [
        Fault::Claims(json!({"iss": "https://evil.example"})),
        Fault::Claims(json!({"iss": null})),
        Fault::Claims(json!({"aud": "another client"})),
        Fault::Claims(json!({"aud": [CLIENT.0, "another client"]})),
        Fault::Claims(json!({"azp": "another client"})),
        Fault::Claims(json!({"nonce": "another"})),
        Fault::Claims(json!({"nonce": null})),
        Fault::Claims(json!({"exp": now - 120})),
        Fault::Claims(json!({"iat": now + 3600, "exp": now + 7200})),
        Fault::Claims(json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})),
        Fault::Claims(json!({"sub": ""})),
        Fault::Header(json!({"kid": "nobody's"})),
        Fault::Header(json!({"typ": "at+jwt"})),
        Fault::Header(json!({"crit": ["x"]})),
        Fault::Header(json!({"alg": "RS256"})),
        Fault::Unsigned,
        Fault::SignedWithPublicKey,
        Fault::ForeignKey,
        Fault::Altered,
        Fault::NoIdToken,
    ];
    for fault in wrong {
        provider.set_fault(fault.clone());
        let browser = app.web();
        let back = sign_in(&browser, &provider, "ann").await;
        let told = "/settings#provider=example&error=provider_answer_refused";
        assert_eq!(back.header("location"), told, "{fault:?}");
        assert_eq!(browser.kept().cookie, None, "{fault:?}");
        browser.get("/v1/me").await.problem(401, "credential_required");
    }
    provider.set_fault(Fault::None);
    sign_in(&app.web(), &provider, "ann").await;
}

async fn a_token_s_address_that_misbehaves_lets_nobody_in(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    for (fault, told) in [
        (Fault::Status(500), "provider_unavailable"),
        (Fault::Status(400), "provider_answer_refused"),
        (Fault::Redirect, "provider_answer_refused"),
        (Fault::Html, "provider_answer_refused"),
        (Fault::Huge, "provider_unavailable"),
        (Fault::Hanging, "provider_unavailable"),
    ] {
        provider.set_fault(fault.clone());
        let browser = app.web();
        let back = sign_in(&browser, &provider, "ann").await;
        assert_eq!(back.header("location"), format!("/settings#provider=example&error={told}"), "{fault:?}");
        assert_eq!(browser.kept().cookie, None, "{fault:?}");
    }
}

async fn no_request_to_a_provider_meets_a_connection_that_was_used_before(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    for subject in ["ada", "grace"] {
        sign_in(&app.web(), &provider, subject).await;
    }
    // What it says of itself, its keys, and two exchanges.
    assert_eq!(provider.traffic(), (4, 4));
}

async fn keys_are_asked_for_again_once_a_minute(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    sign_in(&app.web(), &provider, "ann").await;
    assert_eq!(provider.key_fetches(), 1);
    app.advance(Duration::from_secs(61));
    provider.set_now(app.now());
    // A new key is found at once, although the old ones are still fresh.
    provider.rotate("two");
    let location = sign_in(&app.web(), &provider, "ann").await;
    assert!(location.header("location").ends_with("outcome=signed_in"), "{location}");
    assert_eq!(provider.key_fetches(), 2);
    // Whoever makes ids up makes us ask no more than that.
    provider.set_fault(Fault::Header(json!({"kid": "made up"})));
    for _ in 0..5 {
        sign_in(&app.web(), &provider, "ann").await;
    }
    assert_eq!(provider.key_fetches(), 2);
    app.advance(Duration::from_secs(61));
    provider.set_now(app.now());
    for _ in 0..5 {
        sign_in(&app.web(), &provider, "ann").await;
    }
    assert_eq!(provider.key_fetches(), 3);
    // A new key under the name of the old one is found as well, and forged signatures ask no more often.
    provider.set_fault(Fault::None);
    provider.rotate("two");
    let location = sign_in(&app.web(), &provider, "ann").await;
    assert!(location.header("location").ends_with("error=provider_answer_refused"), "{location}");
    assert_eq!(provider.key_fetches(), 3);
    app.advance(Duration::from_secs(61));
    provider.set_now(app.now());
    let location = sign_in(&app.web(), &provider, "ann").await;
    assert!(location.header("location").ends_with("outcome=signed_in"), "{location}");
    assert_eq!(provider.key_fetches(), 4);
}

async fn a_state_is_good_once_and_in_its_own_browser(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let (ann, eve) = (app.web(), app.web());
    // Eve begins, signs in as herself, and has Ann follow the way back: Ann must not end up in Eve's account.
    let path = provider.authorize(&begin(&eve, json!({})).await, "eve");
    ann.come_back(&path).await.problem(403, "unknown_state");
    assert_eq!(ann.kept().cookie, None);
    // The same where Ann has begun something herself.
    begin(&ann, json!({})).await;
    let path = provider.authorize(&begin(&eve, json!({})).await, "eve");
    ann.come_back(&path).await.problem(403, "unknown_state");
    // It was used up, also for its own browser.
    eve.come_back(&path).await.problem(403, "unknown_state");

    let path = provider.authorize(&begin(&ann, json!({})).await, "ann");
    let copy = ann.copy();
    ann.come_back(&path).await.expect(303);
    let exchanges = provider.exchanges();
    copy.come_back(&path).await.problem(403, "unknown_state");
    assert_eq!(provider.exchanges(), exchanges, "a used state reaches no provider");
    // What is no state at all.
    for query in ["", "?state=", "?state=x&code=y", "?code=y", "?state=x&state=y"] {
        let answer = copy.come_back(&format!("/v1/auth/oauth/example/callback{query}")).await;
        assert!(matches!(answer.status, 403 | 422), "{answer}");
    }
}

async fn of_two_that_come_back_at_once_one_is_let_in(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    let path = provider.authorize(&begin(&browser, json!({})).await, "ann");
    let mut tabs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let call = browser.copy().come_back(&path);
        tabs.spawn(async move { call.await.status });
    }
    let mut statuses = tabs.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403, 403, 403, 403, 403, 403, 403]);
    assert_eq!(provider.exchanges(), 1);
}

async fn first_sign_ins_at_once_lead_to_one_account(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    for subject in ["ann", "ben", "cem"] {
        let mut devices = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let device = app.visitor();
            let code = code_for(&app, &device, &provider, subject, "login").await;
            let body = json!({"code": code, "code_verifier": verifier()});
            devices.spawn(device.post("/v1/auth/oauth/example/token", body).into_future());
        }
        let answers = devices.join_all().await;
        let accounts: Vec<_> =
            answers.into_iter().map(|answer| answer.expect(200).text("/account_id")).collect();
        assert!(accounts.windows(2).all(|two| two[0] == two[1]), "{accounts:?}");
    }
    assert_eq!(app.database().number("SELECT count(*) FROM account").await, 3);
}

async fn a_state_ends_after_ten_minutes(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    let path = provider.authorize(&begin(&browser, json!({})).await, "ann");
    app.advance(Duration::from_mins(10));
    provider.set_now(app.now());
    browser.come_back(&path).await.problem(403, "unknown_state");
    let path = provider.authorize(&begin(&browser, json!({})).await, "ann");
    app.advance(Duration::from_secs(10 * 60 - 1));
    provider.set_now(app.now());
    let back = browser.come_back(&path).await.expect(303);
    assert!(back.header("location").ends_with("outcome=signed_in"), "{back}");
    begin(&browser, json!({})).await;
    app.advance(Duration::from_mins(10));
    app.clean_up().await;
    assert_eq!(app.database().number("SELECT count(*) FROM oauth_step").await, 0);
}

async fn an_answer_of_another_provider_does_not_count(app: TestApp) {
    let (mut app, honest) = with_provider(app).await;
    let evil = IdentityProvider::start(app.now()).await;
    knows(&mut app, "evil", &evil).await;
    // The evil provider sends the browser that came to it back to the honest one's address, with its code.
    let browser = app.web();
    let url = browser.post("/v1/auth/oauth/evil/start", json!({})).await.expect(200).text("/url");
    let path = evil.authorize(&url, "ann").replace("/oauth/evil/", "/oauth/example/");
    browser.come_back(&path).await.problem(403, "unknown_state");
    // It gives the browser a code of the honest provider, or of its own in the honest one's name.
    for iss in [evil.issuer(), String::from("https://evil.example"), String::new()] {
        let path = honest.authorize(&begin(&browser, json!({})).await, "ann");
        let (path, _) = path.split_once("&iss=").unwrap();
        let back = browser.come_back(&format!("{path}&iss={iss}")).await.expect(303);
        assert_eq!(back.header("location"), "/#provider=example&error=provider_answer_refused");
    }
    // One that says that it names itself, and does not.
    let path = honest.authorize(&begin(&browser, json!({})).await, "ann");
    let (path, _) = path.split_once("&iss=").unwrap();
    let back = browser.come_back(path).await.expect(303);
    assert_eq!(back.header("location"), "/#provider=example&error=provider_answer_refused");
    assert_eq!((honest.exchanges(), evil.exchanges()), (0, 0), "no code went to anybody");
    assert_eq!(browser.kept().cookie, None);
}

async fn somebody_who_says_no_is_told_so(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("server_error", "provider_refused"),
        ("%3Cscript", "provider_refused"),
    ] {
        let path = provider.authorize(&begin(&browser, json!({})).await, "ann");
        let path = path.replace("code=", "unused=");
        let back = browser.come_back(&format!("{path}&error={error}&error_description=x")).await.expect(303);
        assert_eq!(back.header("location"), format!("/#provider=example&error={told}"));
    }
    assert_eq!(provider.exchanges(), 0);
}

async fn a_code_of_ours_is_good_once_for_a_minute_with_its_verifier(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let phone = app.visitor();
    let code = async || code_for(&app, &phone, &provider, "ann", "login").await;
    let exchange = async |code: &str, verifier: &str| {
        let body = json!({"code": code, "code_verifier": verifier});
        phone.post("/v1/auth/oauth/example/token", body).await
    };
    // Whoever caught the code on its way has no verifier.
    let caught = code().await;
    exchange(&caught, &"x".repeat(43)).await.problem(401, "invalid_grant");
    exchange(&caught, &verifier()).await.problem(401, "invalid_grant");
    let late = code().await;
    app.advance(Duration::from_secs(60));
    provider.set_now(app.now());
    exchange(&late, &verifier()).await.problem(401, "invalid_grant");
    let good = code().await;
    exchange(&good, &verifier()).await.expect(200);
    exchange(&good, &verifier()).await.problem(401, "invalid_grant");
    for body in [
        json!({}),
        json!({"code": "x"}),
        json!({"code": "x", "nonce": "y"}),
        json!({"code": "x", "code_verifier": "y", "id_token": "z", "nonce": "n"}),
    ] {
        phone.post("/v1/auth/oauth/example/token", body).await.problem(422, "invalid_request");
    }
}

async fn a_browser_comes_back_to_pages_of_ours_alone(app: TestApp) {
    let (app, _provider) = with_provider(app).await;
    let browser = app.web();
    for path in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "/\t/evil.example",
        "/x#y",
        "settings",
    ] {
        let body = json!({"return_to": path});
        browser.post("/v1/auth/oauth/example/start", body).await.invalid("/return_to", "malformed");
    }
    browser
        .post("/v1/auth/oauth/example/start", json!({"redirect_uri": CALLBACK}))
        .await
        .invalid("/redirect_uri", "forbidden");
    browser.post("/v1/auth/oauth/nobody/start", json!({})).await.problem(404, "not_found");
    browser
        .post("/v1/auth/oauth/example/start", json!({"purpose": "admin"}))
        .await
        .invalid("/purpose", "unknown");
    // Another page cannot begin in somebody's browser.
    let foreign = browser.post("/v1/auth/oauth/example/start", json!({}));
    foreign.header("sec-fetch-site", "cross-site").await.problem(403, "cross_site");
}

async fn an_app_s_browser_comes_back_to_registered_addresses_alone(app: TestApp) {
    let (app, _provider) = with_provider(app).await;
    let phone = app.visitor();
    let challenge = Challenge::of(&verifier()).to_string();
    let start = async |uri: &str, challenge: &str| {
        let body = json!({"redirect_uri": uri, "code_challenge": challenge});
        phone.post("/v1/auth/oauth/example/start", body).await
    };
    start(CALLBACK, &challenge).await.expect(200);
    start("http://127.0.0.1:51004/callback", &challenge).await.expect(200);
    for uri in [
        "org.evil.app:/callback",
        "org.example.app:/callback/",
        "org.example.app:/callback?x=y",
        "http://127.0.0.1:51004/other",
        "https://evil.example/callback",
        "",
    ] {
        start(uri, &challenge).await.invalid("/redirect_uri", "unknown");
    }
    start(CALLBACK, "plain").await.invalid("/code_challenge", "malformed");
    phone
        .post("/v1/auth/oauth/example/start", json!({"redirect_uri": CALLBACK}))
        .await
        .invalid("/code_challenge", "required");
    phone
        .post("/v1/auth/oauth/example/start", json!({"return_to": "/"}))
        .await
        .invalid("/return_to", "forbidden");
    phone
        .post("/v1/auth/oauth/example/start", json!({"native": true, "redirect_uri": CALLBACK}))
        .await
        .invalid("/redirect_uri", "forbidden");
}

async fn what_is_under_way_is_not_readable_at_rest(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let browser = app.web();
    let claims = json!({"sub": "subject-of-ann", "email": "ann@example.org", "email_verified": true});
    let path = provider.authorize_as(&begin(&browser, json!({})).await, claims);
    browser.come_back(&path).await.expect(303);
    code_for(&app, &app.visitor(), &provider, "subject-of-ann", "login").await;
    for (table, column) in
        [("identity", "sealed"), ("identity_index", "identity_tag"), ("oauth_step", "sealed")]
    {
        let rows = app.database().column(&format!("SELECT {column} FROM {table}")).await;
        assert!(!rows.is_empty(), "{table}");
        for row in rows {
            // Lower-case hex on both; PostgreSQL puts a mark before it.
            let row = String::from_utf8_lossy(&unhex(row.trim_start_matches("\\x"))).into_owned();
            for secret in ["subject-of-ann", "ann@example.org", "127.0.0.1", "example"] {
                assert!(!row.contains(secret), "{secret} is readable in {table}");
            }
        }
    }
}
