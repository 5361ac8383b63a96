//! The web app's session: a cookie and no tokens, usable from our own pages only.

use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::{Client, TestApp};

testkit::stamp! {
    both: [
        a_browser_gets_a_cookie_and_no_tokens,
        behind_tls_the_cookie_is_bound_to_its_host,
        what_changes_something_must_come_from_our_own_page,
        who_is_no_page_of_ours_gets_no_cookie,
        reading_needs_the_cookie_alone,
        a_bearer_token_goes_before_a_cookie,
        a_cookie_is_one_cookie,
        cookies_are_stored_hashed,
        signing_out_removes_the_cookie,
        an_outdated_cookie_does_not_keep_anybody_out,
        cookie_sessions_end,
        a_cookie_in_use_is_told_anew,
        a_development_server_answers_to_this_machine_only,
        other_origins_get_no_credentials,
    ]
}

const DAY: Duration = Duration::from_hours(24);

async fn a_browser_gets_a_cookie_and_no_tokens(app: TestApp) {
    let mut ann = app.web();
    let answer = ann.start_anonymously().await.expect(204);
    assert!(answer.bytes.is_empty());
    let (value, flags) = answer.header("set-cookie").split_once("; ").unwrap();
    assert!(value.starts_with("sid=") && value.len() > 40, "{value}");
    assert_eq!(flags, "Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict");
    assert_eq!(ann.get("/v1/me").await.expect(200).json["kind"], "anonymous");

    let answer = ann.sign_up(&app, "ann@example.org").await.expect(204);
    assert!(answer.header("set-cookie").contains("; Max-Age=2592000; "), "{answer}");
    assert_eq!(ann.get("/v1/me").await.expect(200).json["email"], "ann@example.org");

    let phone = app.web();
    phone.sign_in("ann@example.org").await.expect(204);
    assert_ne!(phone.kept().cookie, ann.kept().cookie);
    for client in [&ann, &phone] {
        assert_eq!((client.kept().access_token, client.kept().refresh_token), (None, None));
    }
}

async fn a_cookie_in_use_is_told_anew(app: TestApp) {
    let mut ann = app.web();
    ann.start_anonymously().await.expect(204);
    let at_once = ann.get("/v1/me").await.expect(200);
    assert!(!at_once.headers.contains_key("set-cookie"), "nothing has moved yet");
    // Used every eighty days, the session of an anonymous account never ends, nor may the browser's copy.
    for _ in 0..3 {
        app.advance(80 * DAY);
        let answer = ann.get("/v1/me").await.expect(200);
        let (value, flags) = answer.header("set-cookie").split_once("; ").unwrap();
        assert_eq!(value, ann.kept().cookie.unwrap());
        assert_eq!(flags, "Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict");
    }
}

async fn behind_tls_the_cookie_is_bound_to_its_host(mut app: TestApp) {
    app.restart_with(|config| config.public_url = Some(String::from("https://weather.example.org"))).await;
    let mut ann = app.web();
    let answer = ann.start_anonymously().await.expect(204);
    let (value, flags) = answer.header("set-cookie").split_once("; ").unwrap();
    assert!(value.starts_with("__Host-sid="), "{value}");
    assert_eq!(flags, "Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict; Secure");
    ann.get("/v1/me").await.expect(200);
    // A neighbouring host could set the other name, so it means nothing here.
    let kept = ann.kept().cookie.unwrap();
    let planted = kept.replace("__Host-sid", "sid");
    app.visitor().get("/v1/me").header("cookie", &planted).await.problem(401, "credential_required");
}

/// The headers that a browser, or somebody who pretends to be one, sends along with the cookie.
pub(crate) const CROSS_SITE: [(&str, &[(&str, &str)]); 9] = [
    ("a form on another site", &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]),
    ("a page of a neighbouring host", &[("sec-fetch-site", "same-site"), ("x-fairweather-client", "web")]),
    (
        "a page of another site that can set headers",
        &[("sec-fetch-site", "cross-site"), ("x-fairweather-client", "web")],
    ),
    (
        "an old browser, from another origin",
        &[("origin", "https://evil.example"), ("x-fairweather-client", "web")],
    ),
    ("an old browser, from a sandboxed frame", &[("origin", "null"), ("x-fairweather-client", "web")]),
    ("a link or a bookmark", &[("sec-fetch-site", "none"), ("x-fairweather-client", "web")]),
    ("our own page without its header", &[("sec-fetch-site", "same-origin")]),
    (
        "our own page as another kind of client",
        &[("sec-fetch-site", "same-origin"), ("x-fairweather-client", "phone")],
    ),
    ("nothing but the cookie", &[]),
];

/// As `client`, with the cookie and exactly these headers.
pub(crate) fn forged(
    client: &Client,
    app: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> testkit::Call {
    let mut call = app.visitor().call(method, path).header("cookie", &client.kept().cookie.unwrap());
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call
}

async fn what_changes_something_must_come_from_our_own_page(app: TestApp) {
    let mut ann = app.web();
    ann.sign_up(&app, "ann@example.org").await;
    let place = ann.save("Cabin", 60.1, 9.2).await;
    let item = format!("/v1/favourites/{place}");
    let favourite = json!({"name": "Trap", "lat": 1.0, "lon": 2.0}).to_string();
    let unsafe_calls = [
        (Method::POST, "/v1/favourites", "application/json", favourite.as_str()),
        (Method::POST, "/v1/favourites", "text/plain", &favourite),
        (Method::POST, "/v1/favourites", "application/x-www-form-urlencoded", "name=Trap&lat=1&lon=2"),
        (Method::POST, "/v1/favourites", "multipart/form-data; boundary=x", "--x--"),
        (Method::PUT, item.as_str(), "application/json", &favourite),
        (Method::PATCH, &item, "application/merge-patch+json", r#"{"name":"Trap"}"#),
        (Method::DELETE, &item, "", ""),
        (Method::PUT, "/v1/me/preferences", "application/json", r#"{"units":"si"}"#),
        (Method::POST, "/v1/me/adopt", "application/json", "{}"),
        (Method::POST, "/v1/auth/logout", "application/json", "{}"),
        (Method::POST, "/v1/auth/logout", "", ""),
    ];
    for (who, headers) in CROSS_SITE {
        for (method, path, kind, body) in &unsafe_calls {
            let call = forged(&ann, &app, method.clone(), path, headers);
            let call = if kind.is_empty() { call } else { call.body(kind, *body) };
            let answer = call.await;
            assert_eq!(answer.status, 403, "{who}: {answer}");
            answer.problem(403, "cross_site");
        }
    }
    assert_eq!(ann.favourites().await, ["Cabin"], "nothing has changed");
    // The same from our own page works, as old browsers say it and as new ones do.
    let host = app.address();
    let origin = format!("http://{host}");
    let (old, new) = ([("origin", origin.as_str())], [("sec-fetch-site", "same-origin")]);
    for ours in [old, new] {
        let call = forged(&ann, &app, Method::PUT, "/v1/me/preferences", &ours);
        call.header("x-fairweather-client", "web").json(&json!({"units": "si"})).await.expect(204);
    }
}

async fn who_is_no_page_of_ours_gets_no_cookie(app: TestApp) {
    app.user("ann@example.org").await;
    let body = json!({"email": "ann@example.org", "password": testkit::clients::PASSWORD});
    for (who, headers) in CROSS_SITE {
        let mut call = app.visitor().post("/v1/auth/login", body.clone());
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.await;
        assert_eq!(answer.header("set-cookie"), "", "{who}: {answer}");
        // Whoever says to be our page from elsewhere is refused, all others are ordinary clients.
        let claims = headers.contains(&("x-fairweather-client", "web"));
        assert_eq!(answer.status, if claims { 403 } else { 200 }, "{who}: {answer}");
    }
}

async fn reading_needs_the_cookie_alone(app: TestApp) {
    let mut ann = app.web();
    ann.start_anonymously().await;
    for (_, headers) in CROSS_SITE {
        // Another site gets an answer that its browser does not let it read: there is no CORS header.
        let answer = forged(&ann, &app, Method::GET, "/v1/me", headers).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
}

async fn a_bearer_token_goes_before_a_cookie(app: TestApp) {
    let mut browser = app.web();
    browser.start_anonymously().await;
    let ann = app.user("ann@example.org").await;
    let cookie = browser.kept().cookie.unwrap();
    let me = ann.get("/v1/me").header("cookie", &cookie).await.expect(200);
    assert_eq!(me.json["email"], "ann@example.org");
    // One that does not count is not rescued by a cookie that does.
    for authorization in ["Bearer nonsense", "Bearer ", "Basic YTpi", ""] {
        let call = browser.get("/v1/me").header("authorization", authorization);
        call.await.problem(401, "invalid_token");
        let call = browser.post("/v1/favourites", json!({})).header("authorization", authorization);
        call.await.problem(401, "invalid_token");
    }
    // And with a token a request from anywhere is as good as from our page: no browser adds one by itself.
    let call = ann.post("/v1/favourites", json!({"name": "Cabin", "lat": 60.1, "lon": 9.2}));
    call.header("cookie", &cookie).header("sec-fetch-site", "cross-site").await.expect(201);
}

async fn a_cookie_is_one_cookie(app: TestApp) {
    let mut ann = app.web();
    ann.start_anonymously().await;
    let cookie = ann.kept().cookie.unwrap();
    let value = cookie.strip_prefix("sid=").unwrap();
    let get = async |cookies: &str| app.visitor().get("/v1/me").header("cookie", cookies).await;
    get(&format!("a=b; {cookie}; c=d")).await.expect(200);
    for planted in [
        format!("{cookie}; sid=another"),
        format!("sid=another; {cookie}"),
        format!("SID={value}"),
        String::from("sid="),
        String::from("sid"),
    ] {
        get(&planted).await.problem(401, "credential_required");
    }
    for wrong in [format!("sid={value}A"), format!("sid={}", &value[1..]), String::from("sid=nonsense")] {
        get(&wrong).await.problem(401, "session_ended");
    }
}

async fn cookies_are_stored_hashed(app: TestApp) {
    let mut ann = app.web();
    ann.start_anonymously().await;
    let value = ann.kept().cookie.unwrap().strip_prefix("sid=").unwrap().to_owned();
    let stored = app.database().column("SELECT cookie_hash FROM cookie").await;
    assert_eq!(stored.len(), 1);
    use base64::Engine;
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&value).unwrap();
    assert!(secret.len() >= 32, "at least 256 bits");
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_ne!(stored[0], hex);
}

async fn signing_out_removes_the_cookie(app: TestApp) {
    let mut ann = app.web();
    ann.sign_up(&app, "ann@example.org").await;
    let before = ann.copy();
    let answer = ann.post("/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(answer.header("set-cookie"), "sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    assert_eq!(ann.kept().cookie, None);
    // A copy of the cookie is worth nothing either.
    before.get("/v1/me").await.problem(401, "session_ended");

    let mut guest = app.web();
    guest.start_anonymously().await;
    guest.post("/v1/auth/logout", json!({})).await.problem(409, "discard_required");
    guest.get("/v1/me").await.expect(200);
    guest.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    assert_eq!(guest.kept().cookie, None);
}

async fn an_outdated_cookie_does_not_keep_anybody_out(app: TestApp) {
    let mut ann = app.web();
    ann.sign_up(&app, "ann@example.org").await;
    app.advance(DAY * 31);
    ann.get("/v1/me").await.problem(401, "session_expired");
    ann.sign_in("ann@example.org").await.expect(204);
    ann.get("/v1/me").await.expect(200);
    ann.keep(|kept| kept.cookie = Some(String::from("sid=nonsense")));
    ann.start_anonymously().await.expect(204);
    ann.get("/v1/me").await.expect(200);
}

async fn cookie_sessions_end(app: TestApp) {
    let mut ann = app.web();
    ann.sign_up(&app, "ann@example.org").await;
    // Every use counts; 90 days are the end all the same.
    for _ in 0..3 {
        app.advance(DAY * 30 - Duration::from_secs(1));
        ann.get("/v1/me").await.expect(200);
        app.clean_up().await;
    }
    app.advance(Duration::from_secs(3));
    ann.get("/v1/me").await.problem(401, "session_expired");
}

async fn a_development_server_answers_to_this_machine_only(app: TestApp) {
    let port = app.address().port();
    let ask = async |host: &str| app.visitor().get("/v1/weather-codes").header("host", host).await;
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        ask(host).await.expect(200);
        ask(&format!("{host}:{port}")).await.expect(200);
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:80",
        "192.168.1.2",
        "[::2]",
        "0.0.0.0",
    ] {
        ask(host).await.problem(421, "misdirected");
    }
}

async fn other_origins_get_no_credentials(mut app: TestApp) {
    app.restart_with(|config| config.cors_origins = vec![String::from("https://app.example")]).await;
    let preflight = async |origin: &str| {
        let call = app.visitor().call(Method::OPTIONS, "/v1/favourites").header("origin", origin);
        call.header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .await
    };
    let allowed = preflight("https://app.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    for other in ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"] {
        let refused = preflight(other).await;
        assert_eq!(refused.header("access-control-allow-origin"), "", "{other}");
    }
    let ann = app.anonymous().await;
    let answer = ann.get("/v1/me").header("origin", "https://app.example").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}
