//! Who may call what, asked of every operation that the server says it has: a new one is covered from the day
//! it is documented.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Call, Client, Response, TestApp};

testkit::stamp! {
    both: [
        another_accounts_things_are_not_there,
        every_operation_needs_a_credential,
        the_exceptions_are_still_needed,
        every_answer_carries_the_security_headers,
        every_private_answer_stays_private,
    ]
}

/// What anybody may call, and what a call without credential or body leads to. This list only shrinks.
const OPEN: [(&str, &str, u16); 27] = [
    ("GET", "/.well-known/jwks.json", 200),
    ("GET", "/.well-known/security.txt", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/v1/places", 422),
    ("GET", "/v1/places/{id}", 200),
    ("POST", "/v1/places/nearest", 422),
    ("GET", "/v1/weather-codes", 200),
    ("POST", "/v1/auth/anonymous", 201),
    ("POST", "/v1/auth/register", 422),
    ("POST", "/v1/auth/register/confirm", 422),
    ("POST", "/v1/auth/login", 422),
    ("POST", "/v1/auth/mfa", 422),
    ("POST", "/v1/auth/password/forgot", 422),
    ("POST", "/v1/auth/password/reset", 422),
    ("POST", "/v1/auth/passkeys/start", 200),
    ("POST", "/v1/auth/passkeys/finish", 422),
    ("POST", "/v1/auth/refresh", 422),
    ("POST", "/v1/auth/logout", 401),
    ("POST", "/v1/auth/revoke", 422),
    ("GET", "/v1/auth/providers", 200),
    ("POST", "/v1/auth/oauth/{provider}/start", 404),
    ("GET", "/v1/auth/oauth/{provider}/callback", 404),
    ("POST", "/v1/auth/oauth/{provider}/token", 422),
    ("POST", "/v1/auth/oauth/{provider}/deauthorize", 415),
    ("POST", "/v1/auth/oauth/{provider}/deletion", 415),
    ("GET", "/v1/auth/oauth/{provider}/deletion/{code}", 404),
];

/// One operation of the document, with the things it needs filled in.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) template: String,
    pub(crate) path: String,
    has_body: bool,
}

impl Operation {
    fn call(&self, client: &Client) -> Call {
        let call = client.call(self.method.clone(), &self.path);
        if self.has_body { call.json(&json!({})) } else { call }
    }

    /// Whether the answer goes on until somebody leaves.
    pub(crate) fn is_stream(&self) -> bool {
        self.template == "/v1/stream"
    }

    /// How it is listed in [`OPEN`].
    pub(crate) fn entry(&self) -> Option<u16> {
        let found = OPEN.iter().find(|(method, path, _)| *method == self.method && *path == self.template);
        found.map(|(_, _, status)| *status)
    }
}

pub(crate) async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.visitor().get("/openapi.json").await.expect(200).json;
    let mut operations = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        let id = if template.starts_with("/v1/places/") { "2267057" } else { NOBODYS };
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                template: template.clone(),
                path: template.replace("{id}", id).replace("{delivery_id}", id),
                has_body: operation.get("requestBody").is_some(),
            });
        }
    }
    assert!(operations.len() > 20, "{operations:?}");
    operations
}

/// An id that nobody has.
pub(crate) const NOBODYS: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";

async fn every_operation_needs_a_credential(app: TestApp) {
    let expired = app.user("ann@example.org").await;
    app.advance(Duration::from_mins(10));
    let ended = app.user("bob@example.org").await;
    ended.post("/v1/auth/logout", json!({})).await.expect(204);
    let visitor = app.visitor();
    let outdated = visitor.clone().with_header("cookie", "sid=nonsense");
    for operation in operations(&app).await {
        // Some of these make whoever calls them somebody.
        let answer = operation.call(&visitor.stranger()).await;
        match operation.entry() {
            None => drop(answer.problem(401, "credential_required")),
            // Neither "not found" nor "not allowed": what is documented is there.
            Some(status) => drop(answer.expect(status)),
        }
        if operation.entry().is_some() {
            continue;
        }
        operation.call(&visitor.bearing("garbage")).await.problem(401, "invalid_token");
        operation.call(&expired).await.problem(401, "token_expired");
        operation.call(&ended).await.problem(401, "session_ended");
        let is_safe = operation.method.is_safe();
        let answer = operation.call(&outdated).await;
        let (status, code) = if is_safe { (401, "session_ended") } else { (403, "cross_site") };
        answer.problem(status, code);
    }
}

async fn the_exceptions_are_still_needed(app: TestApp) {
    let operations = operations(&app).await;
    let documented: BTreeSet<_> =
        operations.iter().map(|o| (o.method.as_str().to_owned(), o.template.clone())).collect();
    for (method, path, _) in OPEN {
        assert!(documented.contains(&(method.to_owned(), path.to_owned())), "{method} {path} is gone");
    }
    // And the document says of each what holds: no credential needed, or one of the two.
    let document = app.visitor().get("/openapi.json").await.json;
    assert_eq!(document["security"], json!([{"bearer": []}, {"cookie": []}]));
    for operation in &operations {
        let method = operation.method.as_str().to_lowercase();
        let security = &document["paths"][&operation.template][&method]["security"];
        let says_open = security.as_array().is_some_and(|list| list.contains(&json!({})));
        assert_eq!(says_open, operation.entry().is_some(), "{operation:?}: {security}");
    }
}

const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
];

#[track_caller]
fn has_security_headers(answer: &Response) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), value, "{name} of {answer}");
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{name} of {answer}");
    }
    assert!(answer.header("x-request-id").starts_with("req_"), "{answer}");
    let vary: Vec<_> =
        answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect();
    for name in ["Authorization", "Cookie", "Origin"] {
        assert!(vary.iter().any(|line| line.contains(name)), "Vary has no {name}: {answer}");
    }
    for name in ["server", "x-powered-by"] {
        assert_eq!(answer.header(name), "", "{answer}");
    }
}

async fn every_answer_carries_the_security_headers(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let visitor = app.visitor();
    let large = " ".repeat(70_000);
    let mut seen = BTreeSet::new();
    let mut check = |answer: Response| {
        has_security_headers(&answer);
        seen.insert(answer.status);
    };
    for operation in operations(&app).await {
        check(operation.call(&visitor.stranger()).await);
        check(operation.call(&visitor.bearing("garbage")).await);
        // The caller's own session would end at the first of these, and a stream that is served has no end.
        if operation.path != "/v1/auth/logout" && !operation.is_stream() {
            check(operation.call(&ann.copy()).await);
        }
        check(visitor.call(Method::TRACE, &operation.path).await);
        check(visitor.call(Method::HEAD, &operation.path).await);
        check(operation.call(&visitor.stranger()).header("host", "evil.example").await);
        if operation.has_body {
            for (kind, body) in
                [("application/json", "{"), ("text/plain", "{}"), ("application/json", large.as_str())]
            {
                check(operation.call(&ann.copy()).body(kind, body).await);
            }
        }
    }
    check(visitor.get("/v1/nothing").await);
    check(visitor.get("/v1/favourites/%ff").await);
    let expected = [200, 401, 404, 405, 413, 415, 421, 422];
    assert!(expected.iter().all(|status| seen.contains(status)), "{seen:?}");

    // Where TLS is in front, browsers are told to stay with it.
    assert_eq!(visitor.get("/healthz").await.header("strict-transport-security"), "");
    app.restart_in(server::Mode::Serve, |config| {
        config.public_url = Some(String::from("https://weather.example.org"));
    })
    .await;
    for path in ["/healthz", "/v1/me", "/v1/nothing"] {
        let answer = app.visitor().get(path).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000; includeSubDomains",
            "{answer}"
        );
        has_security_headers(&answer);
    }
}

async fn every_private_answer_stays_private(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let place = ann.save("Cabin", 60.1, 9.2).await;
    for operation in operations(&app).await {
        if operation.entry().is_some() {
            continue;
        }
        for client in [&ann, &app.visitor()] {
            let path = operation.path.replace(NOBODYS, &place);
            if operation.method == Method::DELETE {
                continue;
            }
            // A stream has no end: its head tells.
            let method = if operation.is_stream() { Method::HEAD } else { operation.method.clone() };
            let call = client.call(method, &path);
            let answer = if operation.has_body { call.json(&json!({})).await } else { call.await };
            let control = answer.header("cache-control");
            assert!(control == "no-store" || control.starts_with("private"), "{answer}");
        }
    }
}

async fn another_accounts_things_are_not_there(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let place = ann.save("Cabin", 60.1, 9.2).await;
    for name in ["Beach", "Hut"] {
        ann.save(name, 38.7, -9.1 + name.len() as f64).await;
    }
    let before = ann.get("/v1/favourites").await.expect(200).json;

    let mut asked = BTreeSet::new();
    for operation in operations(&app).await {
        if !operation.template.contains("{id}") || operation.template.starts_with("/v1/places/") {
            continue;
        }
        asked.insert(operation.method.to_string());
        let path = operation.path.replace(NOBODYS, &place);
        let call = bob.call(operation.method.clone(), &path);
        let answer = match operation.method {
            Method::PATCH => {
                let body = json!({"name": "Bob's"}).to_string();
                call.body("application/merge-patch+json", body).await
            }
            // Ids are the clients' own, so this makes one of Bob's and tells nothing of Ann's.
            Method::PUT => {
                let body = json!({"name": "Bob's", "lat": 1.0, "lon": 2.0});
                let answer = call.json(&body).await.expect(201);
                bob.delete(&path).await.expect(204);
                bob.get(&path).await.problem(404, "not_found");
                drop(answer);
                continue;
            }
            _ => call.await,
        };
        // Word for word what an id gets that nobody has.
        let nobodys = bob.call(operation.method.clone(), &operation.path);
        let nobodys = match operation.method {
            Method::PATCH => nobodys.body("application/merge-patch+json", r#"{"name":"Bob's"}"#).await,
            _ => nobodys.await,
        };
        assert_eq!(without_instance(&answer), without_instance(&nobodys), "{answer}");
        answer.problem(404, "not_found");
    }
    assert!(["GET", "PUT", "PATCH", "DELETE"].iter().all(|method| asked.contains(*method)), "{asked:?}");
    assert_eq!(ann.get("/v1/favourites").await.expect(200).json["items"], before["items"]);

    // A cursor of Ann's list opens nothing of hers to Bob.
    let page = ann.get("/v1/favourites?limit=1").await.expect(200);
    let cursor = page.text("/next");
    let answer = bob.get(&format!("/v1/favourites?after={cursor}")).await;
    assert!(answer.status >= 400 || answer.json["items"] == json!([]), "{answer}");
}

fn without_instance(answer: &Response) -> Value {
    let mut json = answer.json.clone();
    json["instance"] = Value::Null;
    json
}
