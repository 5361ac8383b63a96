//! GET and HEAD change nothing, whoever asks: every one that the server says it has is asked, and all rows of all
//! tables are compared. A page of another site can make a browser send these, so nothing may follow from them.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::{Client, Response, TestApp};

use crate::unauthorised::{NOBODYS, operations};

testkit::stamp! { both: [reading_changes_nothing] }

/// What is written while people read, and why that is no change that anybody made.
const WRITTEN: [(&str, &str); 4] = [
    ("cell_forecast", "a forecast that was fetched, which is nobody's"),
    ("cell_claim", "which node fetches it"),
    ("provider_state", "what fetching it has cost"),
    ("elevation", "the height of a place, which is nobody's"),
];
/// What the audit log is told of reading: that somebody took everything away.
const TOLD: &str = "'export_made'";
/// When something was last used.
const LAST_USED: [(&str, &str); 1] = [("api_key", "used_at")];

async fn dump(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    // What was counted and not yet written would otherwise be missed.
    app.clean_up().await;
    let mut dump = app.database().dump(&LAST_USED).await;
    for (table, why) in WRITTEN {
        assert!(dump.remove(table).is_some(), "{table} ({why}) is gone");
    }
    dump.entry(String::from("audit")).or_default().retain(|line| !line.contains(TOLD));
    assert!(dump["favourite"].len() == 2 && dump.len() > 20, "{:?}", dump.keys());
    dump
}

/// Asks and lets go of what has no end.
async fn ask(client: &Client, method: &Method, path: &str) -> Response {
    let call = client.call(method.clone(), path);
    if *method == Method::GET && path == "/v1/stream" {
        drop(call.clone().follow().await);
        return client.call(Method::HEAD, path).await;
    }
    call.await
}

async fn reading_changes_nothing(mut app: TestApp) {
    app.restart_with(|config| config.webhooks.allowed_hosts = vec![String::from("127.0.0.1")]).await;
    let ann = app.user("ann@example.org").await;
    let place = ann.save("Cabin", 60.1, 9.2).await;
    let mut browser = app.web();
    browser.start_anonymously().await;
    browser.post("/v1/favourites", json!({"name": "Beach", "lat": 38.7, "lon": -9.4})).await.expect(201);
    let root = app.operator("root@example.org").await;
    let hook = json!({"url": "http://127.0.0.1:9/", "events": ["account.created"]});
    let hook = root.post("/v1/webhooks", hook).await.expect(201).text("/id");
    let scopes = json!(["forecasts:read", "accounts:read", "audit:read", "webhooks:manage"]);
    let key = json!({"name": "Newsletter", "scopes": scopes});
    let key = root.post("/v1/operator/keys", key).await.expect(201).text("/secret");
    let service = app.visitor().with_key(&key);
    // Both are theirs from the first use on, so that this is behind them.
    for client in [&ann, &browser, &root] {
        client.get("/v1/me").await.expect(200);
    }
    service.get("/v1/webhooks").await.expect(200);

    let readers = [
        ("a stranger", app.visitor()),
        ("Ann", ann),
        ("a browser", browser),
        ("root", root),
        ("a service", service),
    ];
    app.advance(Duration::from_mins(2));
    let before = dump(&app).await;
    let mut read: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in operations(&app).await.iter().filter(|operation| operation.method == Method::GET) {
        for (who, reader) in &readers {
            let id = if operation.template.contains("webhooks") { &hook } else { &place };
            let path = operation.path.replace(NOBODYS, id);
            let queries: &[&str] = match operation.template.as_str() {
                "/v1/places" => &["?q=Berlin", ""],
                // By design one of these changes something: that of whoever comes back from a provider, with what only
                // their own browser and that provider know.
                "/v1/auth/oauth/{provider}/callback" => &["?state=nonsense&code=nonsense", ""],
                _ => &[""],
            };
            for query in queries {
                for method in [Method::GET, Method::HEAD] {
                    let answer = ask(reader, &method, &format!("{path}{query}")).await;
                    assert!(answer.status < 500, "{who}: {answer}");
                    if answer.status == 200 {
                        *read.entry(who).or_default() += 1;
                    }
                }
            }
        }
    }
    let after = dump(&app).await;
    let changed: Vec<_> = before.iter().filter(|(table, rows)| after[*table] != **rows).collect();
    assert!(changed.is_empty(), "changed by reading: {changed:#?}");
    // They were let in.
    assert!(
        read["a stranger"] > 8 && read["Ann"] > 24 && read["root"] > 32 && read["a service"] > 10,
        "{read:?}"
    );
}
