//! Stories about what operators do with accounts: never with what somebody keeps there.

use std::time::Duration;

use crate::factors::set_up;
use serde_json::json;
use testkit::TestApp;

testkit::stamp! {
    both: [
        accounts_are_listed_without_what_they_keep,
        sessions_of_an_account_are_ended,
        roles_are_given_and_taken,
        changes_need_a_fresh_proof,
        nobody_else_finds_anything,
    ]
}

async fn accounts_are_listed_without_what_they_keep(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    ann.save("Grandmother's orchard", 60.1, 9.2).await;
    app.advance(Duration::from_secs(1));
    let guest = app.anonymous().await;
    app.advance(Duration::from_secs(1));
    let root = app.operator("root@example.org").await;
    let list = root.get("/v1/operator/accounts").await.expect(200);
    let told: Vec<_> = list.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["id"], &one["kind"], &one["email"]))
        .collect();
    let ids = [json!(ann.account_id()), json!(guest.account_id()), json!(root.account_id())];
    let of_ann = (&ids[0], &json!("registered"), &json!("ann@example.org"));
    let of_guest = (&ids[1], &json!("anonymous"), &json!(null));
    let of_root = (&ids[2], &json!("registered"), &json!("root@example.org"));
    assert_eq!(told, [of_ann, of_guest, of_root]);
    assert!(!String::from_utf8_lossy(&list.bytes).contains("orchard"));
    let names: Vec<_> = list.json["items"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["created_at", "email", "id", "kind", "roles", "seen_at"]);

    let first = root.get("/v1/operator/accounts?limit=2").await.expect(200);
    assert_eq!(first.json["items"].as_array().unwrap().len(), 2);
    let rest =
        root.get(&format!("/v1/operator/accounts?limit=2&after={}", first.text("/next"))).await.expect(200);
    assert_eq!((rest.json["items"].as_array().unwrap().len(), &rest.json["next"]), (1, &json!(null)));
    root.get("/v1/operator/accounts?limit=201").await.invalid("?limit", "out_of_range");
}

async fn sessions_of_an_account_are_ended(app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    let mut stream = ann.get("/v1/stream").follow().await;
    stream.hello().await;
    let path = format!("/v1/operator/accounts/{}/end-sessions", ann.account_id());
    assert_eq!(root.post(&path, json!({})).await.expect(200).json, json!({"ended": 1}));
    assert_eq!(stream.expect("session").await.data, json!({"state": "revoked"}));
    ann.get("/v1/me").await.problem(401, "session_ended");
    let log = app.audit(&ann.account_id()).await;
    let ended = log.iter().find(|line| line.event == "session_ended").unwrap();
    assert_eq!(
        (ended.actor.as_str(), ended.actor_id.map(|id| id.to_string())),
        ("operator", Some(root.account_id()))
    );
}

async fn roles_are_given_and_taken(app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    let path = format!("/v1/operator/accounts/{}/roles", ann.account_id());
    set_up(&app, &ann).await;
    let change =
        async |role: &str, granted: bool| root.post(&path, json!({"role": role, "granted": granted})).await;
    assert_eq!(change("analyst", true).await.expect(200).json, json!({"roles": ["user", "analyst"]}));
    ann.get("/v1/me").await.problem(401, "session_ended");
    assert_eq!(change("analyst", false).await.expect(200).json, json!({"roles": ["user"]}));
    for role in ["user", "king", ""] {
        change(role, true).await.invalid("/role", "unknown");
    }
    let words: Vec<_> = app.audit(&ann.account_id()).await.into_iter().filter_map(|line| line.word).collect();
    assert_eq!(words.iter().filter(|word| *word == "analyst").count(), 2);
}

async fn changes_need_a_fresh_proof(app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    app.advance(Duration::from_mins(6));
    let account = format!("/v1/operator/accounts/{}", ann.account_id());
    let key = json!({"name": "x", "scopes": ["audit:read"]});
    let hook = json!({"url": "https://example.org/", "events": ["account.deleted"]});
    for call in [
        root.post(&format!("{account}/end-sessions"), json!({})),
        root.post(&format!("{account}/roles"), json!({"role": "analyst", "granted": true})),
        root.post("/v1/operator/keys", key),
        root.post("/v1/webhooks", hook),
    ] {
        call.await.problem(401, "insufficient_user_authentication");
    }
    root.get("/v1/operator/accounts").await.expect(200);
}

async fn nobody_else_finds_anything(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let id = ann.account_id();
    for call in [
        ann.get("/v1/operator/accounts"),
        ann.get("/v1/operator/audit"),
        ann.get("/v1/operator/keys"),
        ann.get("/v1/webhooks"),
        ann.get(&format!("/v1/webhooks/{id}")),
        // Not even what a body must look like.
        ann.post("/v1/operator/keys", json!({"nonsense": 1})),
        ann.post("/v1/webhooks", json!({"nonsense": 1})),
        ann.post(&format!("/v1/operator/accounts/{id}/roles"), json!({"role": "operator", "granted": true})),
        ann.post(&format!("/v1/operator/accounts/{id}/end-sessions"), json!({})),
        ann.delete(&format!("/v1/operator/keys/{id}")),
    ] {
        call.await.problem(404, "not_found");
    }
    assert_eq!(ann.get("/v1/me").await.json["roles"], json!(["user"]));
}
