//! Stories about API keys: each opens what its scopes say, nobody's private data, and nothing once it is revoked.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Client, TestApp};

testkit::stamp! {
    both: [
        a_key_is_shown_once_and_stored_hashed,
        each_scope_opens_its_routes_and_no_others,
        a_key_never_acts_for_a_person,
        a_revoked_key_opens_nothing,
        keys_go_with_the_role_of_their_maker,
        keys_go_with_the_account_of_their_maker,
        a_key_expires,
        a_wrong_key_is_refused,
        a_key_has_its_own_rate,
        its_last_use_is_noted_once_a_minute,
        services_are_told_no_addresses,
        wrong_keys_are_not_made,
        who_made_a_key_finds_it,
        two_nodes_agree_within_seconds,
    ]
}

async fn make(root: &Client, scopes: &[&str]) -> Value {
    root.post("/v1/operator/keys", json!({"name": "Newsletter", "scopes": scopes})).await.expect(201).json
}

async fn key(app: &TestApp, root: &Client, scopes: &[&str]) -> Client {
    app.visitor().with_key(make(root, scopes).await["secret"].as_str().unwrap())
}

async fn a_key_is_shown_once_and_stored_hashed(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let made = make(&root, &["audit:read", "accounts:read"]).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("fw_live_") && secret.len() == 57, "{secret}");
    assert_eq!(made["hint"], secret[..12]);
    assert_eq!(made["scopes"], json!(["accounts:read", "audit:read"]));
    let list = root.get("/v1/operator/keys").await.expect(200);
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(list.json["items"][0]["id"], made["id"]);
    assert!(!String::from_utf8_lossy(&list.bytes).contains(secret));
    let names: Vec<_> = list.json["items"][0].as_object().unwrap().keys().collect();
    let all =
        ["created_at", "expires_at", "hint", "id", "made_by", "name", "per_minute", "scopes", "used_at"];
    assert_eq!(names, all);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for column in ["key_hash", "data_key", "sealed"] {
        for stored in app.database().column(&format!("SELECT {column} FROM api_key")).await {
            for private in [secret, &secret[8..], "Newsletter"] {
                assert!(!stored.contains(private) && !stored.contains(&hex(private)), "{column}");
            }
        }
    }
    let log = app.app().audit_page(app::audit::Question::default()).await.unwrap();
    let line = log.lines.iter().find(|line| line.event == "key_created").unwrap();
    assert_eq!(line.item.map(|id| id.to_string()), made["id"].as_str().map(String::from));
    assert_eq!(line.actor_id.map(|id| id.to_string()), Some(root.account_id()));
}

/// What a key may open, and with which scope. Everything else is closed to keys.
const OPENED: [(&str, &str, &str); 12] = [
    ("GET", "/v1/places/{id}/forecast", "forecasts:read"),
    ("POST", "/v1/forecasts", "forecasts:read"),
    ("GET", "/v1/operator/accounts", "accounts:read"),
    ("GET", "/v1/operator/audit", "audit:read"),
    ("GET", "/v1/webhooks", "webhooks:manage"),
    ("POST", "/v1/webhooks", "webhooks:manage"),
    ("GET", "/v1/webhooks/{id}", "webhooks:manage"),
    ("PATCH", "/v1/webhooks/{id}", "webhooks:manage"),
    ("DELETE", "/v1/webhooks/{id}", "webhooks:manage"),
    ("POST", "/v1/webhooks/{id}/rotate", "webhooks:manage"),
    ("GET", "/v1/webhooks/{id}/deliveries", "webhooks:manage"),
    ("POST", "/v1/webhooks/{id}/deliveries/{delivery_id}/replay", "webhooks:manage"),
];
const SCOPES: [&str; 4] = ["forecasts:read", "accounts:read", "audit:read", "webhooks:manage"];

async fn each_scope_opens_its_routes_and_no_others(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let document = app.visitor().get("/openapi.json").await.expect(200).json;
    let mut seen = 0;
    for scope in SCOPES {
        let service = key(&app, &root, &[scope]).await;
        for (template, item) in document["paths"].as_object().unwrap() {
            let id = if template.starts_with("/v1/places/") { "2267057" } else { NOBODYS };
            let path = template.replace("{id}", id).replace("{delivery_id}", id);
            for (method, operation) in item.as_object().unwrap() {
                let is_open = operation["security"].as_array().is_some_and(|all| all.contains(&json!({})));
                if is_open {
                    continue;
                }
                let method: Method = method.to_uppercase().parse().unwrap();
                let call = service.call(method.clone(), &path);
                let body = match template.as_str() {
                    "/v1/forecasts" => Some(json!({"points": [{"lat": 1.0, "lon": 2.0}]})),
                    "/v1/webhooks" => {
                        Some(json!({"url": "https://example.org/", "events": ["account.deleted"]}))
                    }
                    _ => operation.get("requestBody").map(|_| json!({})),
                };
                let answer = match body {
                    Some(body) if method != Method::GET => call.json(&body).await,
                    _ => call.await,
                };
                let opened = OPENED.iter().find(|(verb, path, _)| *verb == method && path == template);
                match opened {
                    Some((_, _, needed)) if *needed == scope => {
                        seen += 1;
                        assert!(matches!(answer.status, 200 | 201 | 204 | 404), "{answer}");
                    }
                    Some(_) => drop(answer.problem(403, "scope_missing")),
                    None => drop(answer.problem(403, "not_for_keys")),
                }
            }
        }
    }
    assert_eq!(seen, OPENED.len(), "a line of the table is not documented");
}

/// An id that nobody has.
const NOBODYS: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";

async fn a_key_never_acts_for_a_person(app: TestApp) {
    let root = app.operator("root@example.org").await;
    root.save("Grandmother's orchard", 60.1, 9.2).await;
    let service = key(&app, &root, &SCOPES).await;
    for path in ["/v1/me", "/v1/favourites", "/v1/changes", "/v1/favourites/forecasts", "/v1/me/sessions"] {
        service.get(path).await.problem(403, "not_for_keys");
    }
    service.get("/v1/stream").await.problem(403, "not_for_keys");
    service.post("/v1/stream/ticket", json!({})).await.problem(403, "not_for_keys");
    service.post("/v1/me/adopt", json!({})).await.problem(403, "not_for_keys");
    // It is no way to sign in, out or up either.
    service.post("/v1/auth/logout", json!({})).await.problem(403, "not_for_keys");
    // Nor does it count beside a session: a request shows one credential.
    let mut page = app.web();
    page.sign_up(&app, "ann@example.org").await;
    let secret = service.access_token();
    page.get("/v1/me")
        .header("authorization", &format!("Bearer {secret}"))
        .await
        .problem(403, "not_for_keys");
}

async fn a_revoked_key_opens_nothing(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let made = make(&root, &["audit:read"]).await;
    let service = app.visitor().with_key(made["secret"].as_str().unwrap());
    service.get("/v1/operator/audit").await.expect(200);
    let path = format!("/v1/operator/keys/{}", made["id"].as_str().unwrap());
    root.delete(&path).await.expect(204);
    service.get("/v1/operator/audit").await.problem(401, "invalid_key");
    root.delete(&path).await.problem(404, "not_found");
    assert_eq!(root.get("/v1/operator/keys").await.json["items"], json!([]));
}

async fn a_key_expires(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let body = json!({"name": "x", "scopes": ["audit:read"], "expires_in_days": 2});
    let made = root.post("/v1/operator/keys", body).await.expect(201).json;
    assert_eq!(made["expires_at"], "2026-11-23T10:00:00Z");
    let service = app.visitor().with_key(made["secret"].as_str().unwrap());
    app.advance(Duration::from_secs(48 * 3600 - 1));
    service.get("/v1/operator/audit").await.expect(200);
    app.advance(Duration::from_secs(1));
    service.get("/v1/operator/audit").await.problem(401, "key_expired");
}

async fn a_wrong_key_is_refused(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let secret = make(&root, &["audit:read"]).await["secret"].as_str().unwrap().to_owned();
    let last = if secret.ends_with('x') { "y" } else { "x" };
    for wrong in
        ["fw_", "fw_live_", &secret[..56], &format!("{}{last}", &secret[..56]), &format!("{secret}0")]
    {
        app.visitor().with_key(wrong).get("/v1/operator/audit").await.problem(401, "invalid_key");
    }
    // A sound one that nobody made.
    let stranger = vault::api_key::ApiKey::generate(&domain::Random::new(|bytes| bytes.fill(9)));
    let stranger = app.visitor().with_key(&stranger.to_text());
    stranger.get("/v1/operator/audit").await.problem(401, "invalid_key");
}

async fn a_key_has_its_own_rate(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let body = json!({"name": "x", "scopes": ["audit:read"], "per_minute": 3});
    let secret = root.post("/v1/operator/keys", body).await.expect(201).text("/secret");
    let (service, other) = (app.visitor().with_key(&secret), key(&app, &root, &["audit:read"]).await);
    for left in ["2", "1", "0"] {
        let answer = service.get("/v1/operator/audit").await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"key\";r={left};")), "{answer}");
    }
    let refused = service.get("/v1/operator/audit").await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "20");
    other.get("/v1/operator/audit").await.expect(200);
    app.advance(Duration::from_secs(20));
    service.get("/v1/operator/audit").await.expect(200);
    service.get("/v1/operator/audit").await.problem(429, "rate_limited");
}

async fn its_last_use_is_noted_once_a_minute(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let service = key(&app, &root, &["audit:read"]).await;
    let used = async || root.get("/v1/operator/keys").await.json["items"][0]["used_at"].clone();
    assert_eq!(used().await, Value::Null);
    service.get("/v1/operator/audit").await.expect(200);
    assert_eq!(used().await, "2026-11-21T10:00:00Z");
    app.advance(Duration::from_secs(59));
    service.get("/v1/operator/audit").await.expect(200);
    assert_eq!(used().await, "2026-11-21T10:00:00Z");
    app.advance(Duration::from_secs(4));
    service.get("/v1/operator/audit").await.expect(200);
    assert_eq!(used().await, "2026-11-21T10:01:03Z");
}

async fn services_are_told_no_addresses(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let service = key(&app, &root, &["accounts:read"]).await;
    let list = service.get("/v1/operator/accounts").await.expect(200);
    assert_eq!(
        (&list.json["items"][0]["id"], &list.json["items"][0]["email"]),
        (&json!(root.account_id()), &Value::Null)
    );
}

async fn wrong_keys_are_not_made(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let make = async |body: Value| root.post("/v1/operator/keys", body).await;
    make(json!({"name": "x", "scopes": []})).await.invalid("/scopes", "empty");
    make(json!({"name": "x", "scopes": ["favourites:read"]})).await.invalid("/scopes", "unknown");
    make(json!({"name": " ", "scopes": ["audit:read"]})).await.invalid("/name", "empty");
    make(json!({"name": "x", "scopes": ["audit:read"], "per_minute": 0}))
        .await
        .invalid("/per_minute", "out_of_range");
    make(json!({"name": "x", "scopes": ["audit:read"], "expires_in_days": 4000}))
        .await
        .invalid("/expires_in_days", "out_of_range");
    make(json!({"name": "x", "scopes": ["audit:read"], "made_by": root.account_id()}))
        .await
        .invalid("/made_by", "unknown_field");
}

async fn who_made_a_key_finds_it(app: TestApp) {
    let (root, other) = (app.operator("root@example.org").await, app.operator("two@example.org").await);
    let made = make(&root, &["audit:read"]).await;
    assert_eq!(root.get("/v1/me/keys").await.expect(200).json["items"][0]["id"], made["id"]);
    assert_eq!(other.get("/v1/me/keys").await.expect(200).json["items"], json!([]));
    assert_eq!(other.get("/v1/operator/keys").await.expect(200).json["items"][0]["id"], made["id"]);
    // Somebody who is no operator any more has none, and looks in vain.
    assert_eq!(app.anonymous().await.get("/v1/me/keys").await.expect(200).json["items"], json!([]));
}

async fn two_nodes_agree_within_seconds(app: TestApp) {
    if app.database().is_sqlite() {
        return;
    }
    let other = app.beside().await;
    let root = app.operator("root@example.org").await;
    let made = make(&root, &["audit:read"]).await;
    let service = other.visitor().with_key(made["secret"].as_str().unwrap());
    service.get("/v1/operator/audit").await.expect(200);
    root.delete(&format!("/v1/operator/keys/{}", made["id"].as_str().unwrap())).await.expect(204);
    app.advance(Duration::from_secs(3));
    service.get("/v1/operator/audit").await.problem(401, "invalid_key");
}

/// Lines about revoked keys: by whom, and why.
async fn revoked(app: &TestApp) -> Vec<(String, Option<String>)> {
    let lines = app.app().audit_page(app::audit::Question::default()).await.unwrap().lines;
    let revoked = lines.into_iter().filter(|line| line.event == "key_revoked");
    revoked.map(|line| (line.actor, line.word)).collect()
}

/// A key that nobody in particular has made.
async fn key_of_the_terminal(app: &TestApp) -> Client {
    let scopes = domain::api_key::Scopes::stored("audit:read");
    let new = app::api_keys::NewKey { name: String::from("Watch"), scopes, per_minute: None, days: None };
    let made = app.app().make_api_key(None, app::audit::Actor::CommandLine, new).await.unwrap();
    app.visitor().with_key(&made.secret)
}

async fn keys_go_with_the_role_of_their_maker(app: TestApp) {
    let (root, other) = (app.operator("root@example.org").await, app.operator("other@example.org").await);
    let of_root = key(&app, &root, &["audit:read"]).await;
    let of_other = key(&app, &other, &["audit:read"]).await;
    let of_nobody = key_of_the_terminal(&app).await;
    of_root.get("/v1/operator/audit").await.expect(200);
    let id = root.account_id().parse().map(domain::AccountId::from_uuid).unwrap();
    let (role, by) = (domain::account::Role::Operator, app::audit::Actor::CommandLine);
    app.app().set_role(id, domain::account::Role::Analyst, false, by).await.unwrap();
    of_root.get("/v1/operator/audit").await.expect(200);
    app.app().set_role(id, role, false, by).await.unwrap();
    of_root.get("/v1/operator/audit").await.problem(401, "invalid_key");
    of_other.get("/v1/operator/audit").await.expect(200);
    of_nobody.get("/v1/operator/audit").await.expect(200);
    assert_eq!(revoked(&app).await, [(String::from("command_line"), Some(String::from("role_revoked")))]);
}

async fn keys_go_with_the_account_of_their_maker(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let of_root = key(&app, &root, &["audit:read"]).await;
    let of_nobody = key_of_the_terminal(&app).await;
    root.delete("/v1/me").await.expect(204);
    of_root.get("/v1/operator/audit").await.problem(401, "invalid_key");
    of_nobody.get("/v1/operator/audit").await.expect(200);
    assert_eq!(revoked(&app).await, [(String::from("owner"), Some(String::from("account_deleted")))]);
    let id = app.database().literal(&root.account_id());
    let left = format!("SELECT count(*) FROM api_key WHERE made_by = {id}");
    assert_eq!(app.database().number(&left).await, 0);
}
