//! Guesses from one network at many accounts, from many networks at one account, and from networks that are made up.

use std::time::Duration;

use serde_json::json;
use server::{Config, Mode};
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp};

testkit::stamp! {
    both: [
        one_password_sprayed_over_many_accounts_is_stopped,
        one_account_guessed_from_many_networks_waits_at_all_of_them,
        headers_make_no_network,
    ]
}

const NETWORK_FAILURES: usize = 100;

/// For people, behind a proxy on this machine.
fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = vec![String::from("127.0.0.1")];
}

fn from(app: &TestApp, address: &str) -> Client {
    app.visitor().with_header("x-forwarded-for", address)
}

async fn one_password_sprayed_over_many_accounts_is_stopped(mut app: TestApp) {
    app.user("ann@example.org").await;
    app.restart_in(Mode::Serve, behind_a_proxy).await;
    let sprayer = from(&app, "203.0.113.7");
    for n in 0..NETWORK_FAILURES {
        let answer = sprayer.log_in(&format!("somebody{n}@example.org"), "Summer2026!Summer2026!").await;
        answer.problem(401, "wrong_credentials");
    }
    for email in ["ann@example.org", "somebody0@example.org", "nobody@example.org"] {
        let refused = sprayer.log_in(email, PASSWORD).await.problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), "3600", "the rest of the hour");
    }
    // What the client itself wrote before the proxy did makes it nobody else.
    let spoofed = from(&app, "198.51.100.1, 203.0.113.7");
    spoofed.log_in("ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
    // Others are let in, and so is this network when its hour is over.
    from(&app, "198.51.100.1").log_in("ann@example.org", PASSWORD).await.expect(200);
    app.advance(Duration::from_hours(1));
    sprayer.log_in("ann@example.org", PASSWORD).await.expect(200);
}

async fn one_account_guessed_from_many_networks_waits_at_all_of_them(mut app: TestApp) {
    app.user("ann@example.org").await;
    app.restart_in(Mode::Serve, behind_a_proxy).await;
    for n in 0..5 {
        let guess = from(&app, &format!("203.0.113.{n}")).log_in("ann@example.org", "not the password").await;
        guess.problem(401, "wrong_credentials");
    }
    for address in ["203.0.113.0", "203.0.113.99", "2001:db8::7"] {
        let client = from(&app, address);
        let waits = client.log_in("ann@example.org", PASSWORD).await.problem(429, "too_many_attempts");
        assert_eq!(waits.header("retry-after"), "1");
        // An address that nobody has gets no other answer after as many.
        client.log_in("bob@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    }
    app.advance(Duration::from_secs(1));
    from(&app, "203.0.113.99").log_in("ann@example.org", PASSWORD).await.expect(200);
}

/// Headers by which proxies of all kinds tell where a request comes from.
const TOLD_BY: [&str; 9] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-original-forwarded-for",
];

async fn headers_make_no_network(mut app: TestApp) {
    let few = |config: &mut Config| config.limits.anonymous_burst = 1;
    // Nobody is trusted: whatever a client says of itself, it is the other end of the connection.
    app.restart_in(Mode::Serve, few).await;
    app.visitor().post("/v1/auth/anonymous", json!({})).await.expect(201);
    for name in TOLD_BY {
        for address in ["203.0.113.1", "127.0.0.1", "for=203.0.113.1", "::1", "nonsense"] {
            let client = app.visitor().with_header(name, address);
            client.post("/v1/auth/anonymous", json!({})).await.problem(429, "rate_limited");
        }
    }
    // A proxy is trusted, and with it one header alone.
    app.restart_with(behind_a_proxy).await;
    let person = from(&app, "203.0.113.1");
    person.post("/v1/auth/anonymous", json!({})).await.expect(201);
    for name in TOLD_BY.into_iter().skip(1) {
        let client = person.clone().with_header(name, "203.0.113.2");
        client.post("/v1/auth/anonymous", json!({})).await.problem(429, "rate_limited");
    }
    from(&app, "203.0.113.2").post("/v1/auth/anonymous", json!({})).await.expect(201);
}
