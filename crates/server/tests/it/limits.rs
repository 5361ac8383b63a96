//! Limits on traffic: told before they are reached, clear when they are, and each account's own.

use std::time::Duration;

use serde_json::json;
use server::Mode;
use testkit::TestApp;

testkit::stamp! {
    both: [
        what_is_left_is_told_with_every_answer,
        an_account_that_asks_too_much_waits,
        changes_are_counted_apart,
        a_refresh_counts_as_a_request_of_its_account,
        forged_refresh_tokens_count_against_who_shows_them,
        a_network_makes_so_many_accounts,
        a_network_shows_so_many_secrets,
        genuine_tickets_and_links_count_against_no_network,
        metrics_are_not_told_through_a_proxy_that_says_nothing,
        loopback_is_a_network_like_others_where_people_rely_on_it,
    ]
}

async fn what_is_left_is_told_with_every_answer(app: TestApp) {
    let ann = app.anonymous().await;
    let first = ann.get("/v1/me").await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), "\"account\";q=1000;w=20");
    assert_eq!(first.header("ratelimit"), "\"account\";r=999;t=0");
    let second = ann.get("/v1/favourites").await.expect(200);
    assert_eq!(second.header("ratelimit"), "\"account\";r=998;t=0");
    // Refused requests are told it, too, and cost as much.
    let missing =
        ann.get("/v1/favourites/0199a2b4-7c00-7000-8000-000000000001").await.problem(404, "not_found");
    assert_eq!(missing.header("ratelimit"), "\"account\";r=997;t=0");
    let ben = app.anonymous().await;
    assert_eq!(ben.get("/v1/me").await.header("ratelimit"), "\"account\";r=999;t=0");
    app.advance(Duration::from_secs(1));
    assert_eq!(ann.get("/v1/me").await.header("ratelimit"), "\"account\";r=999;t=0", "it fills up again");
}

async fn an_account_that_asks_too_much_waits(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.account_burst = 5;
        config.limits.account_per_second = 2.0;
    })
    .await;
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    for left in (0..5).rev() {
        let answer = ann.get("/v1/me").await.expect(200);
        assert!(answer.header("ratelimit").starts_with(&format!("\"account\";r={left};")), "{answer}");
    }
    for path in ["/v1/me", "/v1/favourites", "/v1/favourites/forecasts", "/v1/places/2267057/forecast"] {
        let refused = ann.get(path).await.problem(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.header("ratelimit-policy"), "\"account\";q=5;w=3", "{refused}");
        assert!(refused.header("ratelimit").starts_with("\"account\";r=0;"), "{refused}");
    }
    ben.get("/v1/me").await.expect(200);
    app.advance(Duration::from_millis(500));
    ann.get("/v1/me").await.expect(200);
    ann.get("/v1/me").await.problem(429, "rate_limited");
}

async fn a_refresh_counts_as_a_request_of_its_account(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.account_burst = 3;
        config.limits.account_per_second = 1.0;
    })
    .await;
    let visitor = app.visitor();
    let tokens = visitor.post("/v1/auth/anonymous", json!({})).await.expect(201);
    let body = json!({"refresh_token": tokens.text("/refresh_token")});
    for _ in 0..3 {
        visitor.post("/v1/auth/refresh", body.clone()).await.expect(200);
    }
    let refused = visitor.post("/v1/auth/refresh", body.clone()).await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    app.advance(Duration::from_secs(1));
    visitor.post("/v1/auth/refresh", body).await.expect(200);
}

async fn changes_are_counted_apart(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.mutations_burst = 3;
        config.limits.mutations_per_second = 0.5;
    })
    .await;
    let ann = app.anonymous().await;
    let saved = ann.save("Cabin", 60.1, 9.2).await;
    let path = format!("/v1/favourites/{saved}");
    ann.patch(&path, json!({"note": "x"})).await.expect(200);
    ann.put("/v1/me/preferences", json!({"units": "si"})).await.expect(204);
    for refused in [
        ann.post("/v1/favourites", json!({"place_id": 2_267_057})).await,
        ann.put(&path, json!({"place_id": 2_267_057})).await,
        ann.patch(&path, json!({"note": "y"})).await,
        ann.delete(&path).await,
        ann.put("/v1/me/preferences", json!({"units": "metric"})).await,
    ] {
        assert_eq!(refused.problem(429, "rate_limited").header("retry-after"), "2");
    }
    let read = ann.get(&path).await.expect(200);
    assert_eq!(read.json["note"], "x", "reading goes on, and nothing was changed");
    app.advance(Duration::from_secs(2));
    ann.delete(&path).await.expect(204);
}

async fn a_network_makes_so_many_accounts(mut app: TestApp) {
    app.restart_in(Mode::Serve, |config| {
        config.trusted_proxies = vec![String::from("127.0.0.0/8")];
        config.limits.anonymous_burst = 2;
        config.limits.anonymous_per_hour = 60;
    })
    .await;
    let from = |address: &str| app.visitor().with_header("x-forwarded-for", address);
    for address in ["2001:db8::1", "2001:db8::2"] {
        from(address).post("/v1/auth/anonymous", json!({})).await.expect(201);
    }
    // One household's /64 is one network, whatever address it takes.
    let refused =
        from("2001:db8::3").post("/v1/auth/anonymous", json!({})).await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "60");
    from("2001:db8:0:1::1").post("/v1/auth/anonymous", json!({})).await.expect(201);
    // What a client writes itself does not count: only what the proxy added does.
    let forged = from("203.0.113.9, 2001:db8::4").post("/v1/auth/anonymous", json!({})).await;
    forged.problem(429, "rate_limited");
    app.advance(Duration::from_secs(60));
    from("2001:db8::1").post("/v1/auth/anonymous", json!({})).await.expect(201);
}

async fn loopback_is_a_network_like_others_where_people_rely_on_it(mut app: TestApp) {
    app.restart_with(|config| config.limits.places_burst = 2).await;
    for _ in 0..6 {
        app.visitor().get("/v1/places/2267057").await.expect(200);
    }
    app.restart_in(Mode::Serve, |_| {}).await;
    for _ in 0..2 {
        app.visitor().get("/v1/places/2267057").await.expect(200);
    }
    app.visitor().get("/v1/places/2267057").await.problem(429, "rate_limited");
}

/// Behind a proxy, so that each of them comes from a network of its own.
async fn behind_a_proxy(app: &mut TestApp, settings: impl FnOnce(&mut server::Config)) {
    app.restart_with(|config| {
        config.trusted_proxies = vec![String::from("127.0.0.1")];
        settings(config);
    })
    .await;
}

async fn forged_refresh_tokens_count_against_who_shows_them(mut app: TestApp) {
    behind_a_proxy(&mut app, |config| {
        config.limits.account_burst = 8;
        config.limits.account_per_second = 0.001;
        config.limits.secrets_burst = 12;
        config.limits.secrets_per_second = 0.001;
    })
    .await;
    let ann = app.anonymous().await.with_header("x-forwarded-for", "203.0.113.7");
    let token = ann.refresh_token();
    // Names her account and her session, and is signed by nobody.
    let at = token.len() - 2;
    let mut forged = token.clone();
    forged.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
    let eve = app.visitor().with_header("x-forwarded-for", "203.0.113.8");
    for _ in 0..4 {
        eve.present(&forged).await.problem(401, "invalid_refresh_token");
        let body = json!({"refresh_token": forged});
        eve.post("/v1/auth/logout", body).await.problem(401, "invalid_refresh_token");
        eve.post("/v1/auth/revoke", json!({"token": forged})).await.expect(200);
    }
    eve.present(&forged).await.problem(429, "rate_limited");
    eve.post("/v1/auth/revoke", json!({"token": forged})).await.problem(429, "rate_limited");
    eve.post("/v1/auth/logout", json!({"refresh_token": forged})).await.problem(429, "rate_limited");
    for path in ["/v1/auth/refresh", "/v1/auth/revoke", "/v1/auth/logout"] {
        assert!(is_documented(&app, "post", path).await, "{path}");
    }
    // Her account is as full as it was, and her token counts wherever she is.
    for _ in 0..4 {
        ann.present(&token).await.expect(200);
    }
    for _ in 0..4 {
        eve.present(&token).await.expect(200);
    }
    // Whoever repeats a genuine one counts against its account.
    ann.present(&token).await.problem(429, "rate_limited");
}

async fn a_network_shows_so_many_secrets(mut app: TestApp) {
    behind_a_proxy(&mut app, |config| {
        config.limits.secrets_burst = 2;
        config.limits.secrets_per_second = 0.001;
        config
            .providers
            .insert(String::from("example"), crate::oauth::configured(String::from("http://127.0.0.1:1")));
    })
    .await;
    let secret = "A".repeat(43);
    let credential = json!({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key",
        "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
    });
    let calls = [
        ("/v1/auth/register/confirm", Some(json!({"registration": secret, "code": "12345678"}))),
        ("/v1/auth/mfa", Some(json!({"challenge": secret, "code": "123456"}))),
        ("/v1/auth/passkeys/finish", Some(json!({"credential": credential}))),
        ("/v1/auth/password/reset", Some(json!({"reset": secret, "password": "another four plain words"}))),
        ("/v1/auth/oauth/example/callback?code=x&state=", None),
        ("/v1/stream?ticket=", None),
        ("/v1/ws?ticket=", None),
    ];
    for (network, (path, body)) in calls.into_iter().enumerate() {
        let visitor = app.visitor().with_header("x-forwarded-for", &format!("203.0.113.{network}"));
        let show = async || match &body {
            Some(body) => visitor.post(path, body.clone()).await,
            None => visitor.get(&format!("{path}{secret}")).await,
        };
        for _ in 0..2 {
            let answer = show().await;
            assert!(matches!(answer.status, 401 | 403 | 422), "{path}: {answer}");
        }
        show().await.problem(429, "rate_limited");
        let (path, method) = (path.split('?').next().unwrap(), if body.is_some() { "post" } else { "get" });
        assert!(is_documented(&app, method, &path.replace("/example/", "/{provider}/")).await, "{path}");
    }
}

/// Whether the document tells that the operation may answer 429.
async fn is_documented(app: &TestApp, method: &str, path: &str) -> bool {
    let document = app.visitor().get("/openapi.json").await.expect(200).json;
    let operation = &document["paths"][path][method]["responses"];
    assert!(operation.is_object(), "{method} {path} is not documented");
    operation["429"].is_object()
}

async fn genuine_tickets_and_links_count_against_no_network(mut app: TestApp) {
    behind_a_proxy(&mut app, |config| {
        config.limits.secrets_burst = 1;
        config.limits.secrets_per_second = 0.001;
    })
    .await;
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    app.visitor().post("/v1/auth/password/forgot", json!({"email": "ann@example.org"})).await.expect(202);
    let link = app.reset_for("ann@example.org").await;
    let shared = app.visitor().with_header("x-forwarded-for", "203.0.113.9");
    let unknown = format!("/v1/stream?ticket={}", "A".repeat(43));
    shared.get(&unknown).await.problem(401, "invalid_ticket");
    shared.get(&unknown).await.problem(429, "rate_limited");
    for _ in 0..3 {
        let ticket = ann.post("/v1/stream/ticket", json!({})).await.expect(200).text("/ticket");
        let mut events = shared.get(&format!("/v1/stream?ticket={ticket}")).follow().await;
        events.hello().await;
        // One that was used is as good as none.
        shared.get(&format!("/v1/stream?ticket={ticket}")).await.problem(429, "rate_limited");
    }
    let reset = |link: &str| json!({"reset": link, "password": "another four plain words"});
    shared.post("/v1/auth/password/reset", reset(&link)).await.expect(204);
    shared.post("/v1/auth/password/reset", reset(&link)).await.problem(429, "rate_limited");
}

async fn metrics_are_not_told_through_a_proxy_that_says_nothing(mut app: TestApp) {
    app.visitor().get("/metrics").await.expect(200);
    behind_a_proxy(&mut app, |_| {}).await;
    app.visitor().get("/metrics").await.problem(404, "not_found");
}
