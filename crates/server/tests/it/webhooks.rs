//! Stories about webhooks: a company's own services are told what happened, at least once, in a way that they can check,
//! and nobody can make us ask where we should not.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::receiver::Received;
use testkit::{Client, Manner, TestApp, WebhookReceiver};
use vault::webhook::WebhookSecret;

use crate::audit::require_places;

testkit::stamp! {
    both: [
        what_happens_is_told_and_signed,
        a_receiver_that_fails_is_asked_again_with_the_same_id,
        an_event_is_sent_again_on_request,
        a_rotated_secret_signs_beside_the_one_before,
        a_receiver_that_hangs_holds_nobody_else_up,
        redirects_are_not_followed,
        an_endless_answer_is_cut_off,
        a_receiver_that_has_gone_is_told_nothing_more,
        a_receiver_that_fails_for_days_is_given_up,
        addresses_that_lead_inside_are_refused,
        a_name_that_leads_inside_is_not_asked,
        nothing_private_is_told,
        addresses_and_secrets_are_sealed,
        nothing_is_queued_where_nobody_listens,
        a_delivery_whose_node_died_goes_to_another,
        nodes_send_each_delivery_once,
        a_delivery_that_cannot_be_opened_holds_nobody_up,
        a_removed_webhook_leaves_nothing,
        what_anybody_causes_does_not_fill_the_queue,
        every_way_of_becoming_somebody_is_told,
    ]
}

/// An application whose operator allows the receiver on this machine.
async fn start(mut app: TestApp) -> (TestApp, Client, WebhookReceiver) {
    app.restart_with(|config| config.webhooks.allowed_hosts = vec![String::from("127.0.0.1")]).await;
    let root = app.operator("root@example.org").await;
    (app, root, WebhookReceiver::start().await)
}

const ALL: [&str; 4] = ["account.created", "account.registered", "account.deleted", "session.revoked"];

async fn hook(root: &Client, url: &str, events: &[&str]) -> Value {
    root.post("/v1/webhooks", json!({"url": url, "events": events})).await.expect(201).json
}

fn path(hook: &Value) -> String {
    format!("/v1/webhooks/{}", hook["id"].as_str().unwrap())
}

async fn deliveries(root: &Client, hook: &Value) -> Vec<Value> {
    let list = root.get(&format!("{}/deliveries", path(hook))).await.expect(200);
    list.json["items"].as_array().unwrap().clone()
}

/// The newest delivery, when it looks like this.
async fn delivery(app: &TestApp, root: &Client, hook: &Value, fits: impl Fn(&Value) -> bool) -> Value {
    let begun = std::time::Instant::now();
    loop {
        app.app().deliver_webhooks().await;
        let newest = deliveries(root, hook).await.first().cloned().unwrap_or_default();
        if fits(&newest) {
            return newest;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{newest}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_signed(received: &Received, secret: &str) -> bool {
    let at = Timestamp::from_seconds(received.header("webhook-timestamp").parse().unwrap());
    let secret = WebhookSecret::from_text(secret).unwrap();
    let expected = secret.sign(received.header("webhook-id"), at, &received.bytes);
    received.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

async fn what_happens_is_told_and_signed(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &ALL).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{made}");

    let guest = app.anonymous().await;
    app.app().deliver_webhooks().await;
    let received = receiver.wait_for(1).await;
    assert_eq!(
        received[0].body,
        json!({"type": "account.created", "timestamp": "2026-11-21T10:00:00Z", "data": {"account_id": guest.account_id()}})
    );
    assert!(received[0].header("webhook-id").starts_with("msg_"));
    assert_eq!(received[0].header("content-type"), "application/json");
    assert_eq!(received[0].header("webhook-timestamp"), app.now().seconds().to_string());
    assert!(is_signed(&received[0], secret), "{received:?}");

    guest.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    app.app().deliver_webhooks().await;
    assert_eq!(receiver.wait_for(2).await[1].body["type"], "account.deleted");

    let ann = app.user("ann@example.org").await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    app.app().deliver_webhooks().await;
    let received = receiver.wait_for(5).await;
    let mut told: Vec<_> = received[2..].iter().map(|one| one.body["type"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, ["account.created", "account.registered", "session.revoked"]);
    let ended = received.iter().find(|one| one.body["type"] == "session.revoked").unwrap();
    assert_eq!(ended.body["data"]["reason"], "logged_out");
    assert!(received.iter().all(|one| is_signed(one, secret)));

    // Whoever asked for less is told less.
    let quiet = WebhookReceiver::start().await;
    hook(&root, &quiet.url(), &["account.deleted"]).await;
    app.anonymous().await;
    app.app().deliver_webhooks().await;
    receiver.wait_for(6).await;
    assert_eq!(quiet.received().len(), 0);
    let done = delivery(&app, &root, &made, |one| one["state"] == "delivered").await;
    assert_eq!((&done["status"], &done["tries"], &done["fault"]), (&json!(204), &json!(1), &Value::Null));
}

async fn a_receiver_that_fails_is_asked_again_with_the_same_id(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    receiver.behave(Manner::Status(500));
    app.anonymous().await;
    let failed = delivery(&app, &root, &made, |one| one["status"] == 500).await;
    assert_eq!(
        (&failed["state"], &failed["fault"], &failed["tries"]),
        (&json!("waiting"), &json!("status"), &json!(1))
    );
    app.app().deliver_webhooks().await;
    assert_eq!(receiver.received().len(), 1, "not before its time");
    app.advance(Duration::from_secs(6));
    delivery(&app, &root, &made, |one| one["tries"] == 2).await;
    receiver.behave(Manner::Status(200));
    app.advance(Duration::from_mins(6));
    delivery(&app, &root, &made, |one| one["state"] == "delivered" && one["tries"] == 3).await;
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| one.header("webhook-id") == received[0].header("webhook-id")));
    assert_ne!(received[0].header("webhook-timestamp"), received[2].header("webhook-timestamp"));
    assert_eq!(root.get(&path(&made)).await.json["failing_since"], Value::Null);
}

async fn an_event_is_sent_again_on_request(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    app.anonymous().await;
    let done = delivery(&app, &root, &made, |one| one["state"] == "delivered").await;
    let replay = format!("{}/deliveries/{}/replay", path(&made), done["id"].as_str().unwrap());
    root.post(&replay, json!({})).await.expect(202);
    app.app().deliver_webhooks().await;
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].bytes, received[1].bytes);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(done["event_id"], received[0].header("webhook-id"));
    require_places(&app, "operator", &["webhook_replayed"]).await;
    root.post(&format!("{}/deliveries/{}/replay", path(&made), root.account_id()), json!({}))
        .await
        .problem(404, "not_found");
    // A delivery of one webhook is none of another.
    let other = hook(&root, &receiver.url(), &["account.created"]).await;
    root.post(&format!("{}/deliveries/{}/replay", path(&other), done["id"].as_str().unwrap()), json!({}))
        .await
        .problem(404, "not_found");
}

async fn a_rotated_secret_signs_beside_the_one_before(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    let before = made["secret"].as_str().unwrap();
    let rotated = root.post(&format!("{}/rotate", path(&made)), json!({})).await.expect(200);
    let after = rotated.text("/secret");
    assert_ne!(before, after);
    assert_eq!(rotated.json["rotating_until"], "2026-11-22T10:00:00Z");
    app.anonymous().await;
    app.app().deliver_webhooks().await;
    let received = receiver.wait_for(1).await;
    assert!(is_signed(&received[0], before) && is_signed(&received[0], &after));
    app.advance(Duration::from_hours(24));
    app.anonymous().await;
    app.app().deliver_webhooks().await;
    let received = receiver.wait_for(2).await;
    assert!(!is_signed(&received[1], before) && is_signed(&received[1], &after));
}

async fn a_receiver_that_hangs_holds_nobody_else_up(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let hanging = WebhookReceiver::start().await;
    hanging.behave(Manner::Hangs);
    let bad = hook(&root, &hanging.url(), &["account.created"]).await;
    hook(&root, &receiver.url(), &["account.created"]).await;
    app.anonymous().await;
    let begun = std::time::Instant::now();
    let sending = tokio::spawn({
        let app = app.app().clone();
        async move { app.deliver_webhooks().await }
    });
    receiver.wait_for(1).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // Nor does the next event wait for the one that hangs.
    hanging.wait_for(1).await;
    app.anonymous().await;
    app.app().deliver_webhooks().await;
    receiver.wait_for(2).await;
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    sending.await.unwrap();
    let timed_out = deliveries(&root, &bad).await;
    assert!(timed_out.iter().any(|one| one["fault"] == "timeout"), "{timed_out:?}");
}

async fn redirects_are_not_followed(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    receiver.behave(Manner::RedirectInside);
    app.anonymous().await;
    let failed = delivery(&app, &root, &made, |one| one["status"] == 302).await;
    assert_eq!((&failed["state"], &failed["fault"]), (&json!("waiting"), &json!("redirect")));
    assert_eq!(receiver.received().len(), 1);
}

async fn an_endless_answer_is_cut_off(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    receiver.behave(Manner::Endless);
    app.anonymous().await;
    let failed = delivery(&app, &root, &made, |one| one["fault"] == "too_large").await;
    assert_eq!(failed["state"], "waiting");
}

async fn a_receiver_that_has_gone_is_told_nothing_more(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    receiver.behave(Manner::Status(410));
    app.anonymous().await;
    delivery(&app, &root, &made, |one| one["status"] == 410).await;
    assert_eq!(root.get(&path(&made)).await.json["state"], "failed");
    app.anonymous().await;
    assert_eq!(deliveries(&root, &made).await.len(), 1, "nothing is queued for it");
    let log = app.app().audit_page(app::audit::Question::default()).await.unwrap();
    let line = log.lines.iter().find(|line| line.event == "webhook_disabled").unwrap();
    assert_eq!(line.actor, "server");
    // Until somebody says that it is there again.
    receiver.behave(Manner::Status(204));
    root.patch(&path(&made), json!({"enabled": true})).await.expect(200);
    // Deliveries of one instant are in no order.
    app.advance(Duration::from_secs(1));
    app.anonymous().await;
    delivery(&app, &root, &made, |one| one["state"] == "delivered").await;
}

async fn a_receiver_that_fails_for_days_is_given_up(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    receiver.behave(Manner::Status(503));
    app.anonymous().await;
    for tries in 1..=6 {
        delivery(&app, &root, &made, |one| one["tries"] == tries && one["status"] == 503).await;
        app.advance(Duration::from_hours(27));
        root.refresh().await;
    }
    assert_eq!(deliveries(&root, &made).await[0]["state"], "failed");
    assert_eq!(root.get(&path(&made)).await.json["state"], "failed");
}

async fn addresses_that_lead_inside_are_refused(app: TestApp) {
    let root = app.operator("root@example.org").await;
    for url in [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://ann:secret@example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "nonsense",
        "",
        &format!("https://example.org/{}", "x".repeat(2048)),
    ] {
        let body = json!({"url": url, "events": ["account.created"]});
        root.post("/v1/webhooks", body).await.invalid("/url", "not_allowed");
    }
    let made = hook(&root, "https://example.org/hooks#there", &["account.created"]).await;
    assert_eq!(made["url"], "https://example.org/hooks");
    root.patch(&path(&made), json!({"url": "https://192.168.0.1/"})).await.invalid("/url", "not_allowed");
    root.post("/v1/webhooks", json!({"url": "https://example.org/", "events": ["favourite.created"]}))
        .await
        .invalid("/events", "unknown");
    root.post("/v1/webhooks", json!({"url": "https://example.org/", "events": []}))
        .await
        .invalid("/events", "empty");
}

async fn a_name_that_leads_inside_is_not_asked(app: TestApp) {
    // Nothing in the name says where it leads: that shows when it is looked up, each time anew.
    let root = app.operator("root@example.org").await;
    let receiver = WebhookReceiver::start().await;
    let made = hook(&root, &receiver.url_by_name(), &["account.created"]).await;
    app.anonymous().await;
    let failed = delivery(&app, &root, &made, |one| one["tries"] == 1 && !one["fault"].is_null()).await;
    assert_eq!((&failed["fault"], &failed["status"]), (&json!("blocked"), &Value::Null));
    assert_eq!(receiver.received().len(), 0);
}

async fn nothing_private_is_told(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    hook(&root, &receiver.url(), &ALL).await;
    let ann = app.anonymous().await;
    ann.save("Grandmother's orchard", 60.123_456, 9.2).await;
    let registration = ann.register("ann.privacy@example.org").await;
    ann.confirm(&registration, &app.code_for("ann.privacy@example.org").await).await.expect(201);
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    app.app().deliver_webhooks().await;
    for received in receiver.wait_for(4).await {
        let text =
            format!("{:?} {}", received.headers, String::from_utf8_lossy(&received.bytes)).to_lowercase();
        for private in ["orchard", "ann.privacy", "60.12", "fairweather.db"] {
            assert!(!text.contains(private), "{private} in {text}");
        }
    }
}

async fn addresses_and_secrets_are_sealed(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    receiver.behave(Manner::Status(500));
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    let guest = app.anonymous().await;
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut stored = app.database().column("SELECT sealed FROM webhook").await;
    stored.extend(app.database().column("SELECT data_key FROM webhook").await);
    stored.extend(app.database().column("SELECT sealed FROM webhook_delivery").await);
    assert_eq!(stored.len(), 3);
    let (url, secret) = (receiver.url(), made["secret"].as_str().unwrap().to_owned());
    for private in ["127.0.0.1", "/hook", &url, &secret, &secret[6..], &guest.account_id(), "account_id"] {
        let found = stored.iter().any(|one| one.contains(private) || one.contains(&hex(private)));
        assert!(!found, "{private}");
    }
    // Looked at again, the secret is nowhere.
    let list = root.get("/v1/webhooks").await.expect(200);
    assert!(!String::from_utf8_lossy(&list.bytes).contains("whsec_"));
}

async fn nothing_is_queued_where_nobody_listens(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    app.anonymous().await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    root.patch(&path(&made), json!({"enabled": false})).await.expect(200);
    app.anonymous().await;
    let queued = app.database().column("SELECT count(*) FROM webhook_delivery").await;
    assert_eq!(queued, ["0"]);
    root.patch(&path(&made), json!({"events": []})).await.invalid("/events", "empty");
}

async fn a_delivery_whose_node_died_goes_to_another(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    receiver.behave(Manner::Status(500));
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    app.anonymous().await;
    delivery(&app, &root, &made, |one| one["tries"] == 1 && one["status"] == 500).await;
    // As if a node had claimed it again, and died before it could say how that ended.
    let until = app.now().plus(Duration::from_secs(60)).millis();
    app.database().run(&format!("UPDATE webhook_delivery SET tries = 2, due_at = {until}")).await;
    receiver.behave(Manner::Status(204));
    app.advance(Duration::from_secs(59));
    app.app().deliver_webhooks().await;
    assert_eq!(receiver.received().len(), 1);
    app.advance(Duration::from_secs(1));
    delivery(&app, &root, &made, |one| one["state"] == "delivered" && one["tries"] == 3).await;
    assert_eq!(receiver.received().len(), 2);
}

async fn nodes_send_each_delivery_once(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    hook(&root, &receiver.url(), &["account.created"]).await;
    if app.database().is_sqlite() {
        return;
    }
    let other = app.beside().await;
    for _ in 0..30 {
        app.anonymous().await;
    }
    let (one, two) = (app.app().clone(), other.app().clone());
    tokio::join!(one.deliver_webhooks(), two.deliver_webhooks());
    let received = receiver.wait_for(30).await;
    app.app().deliver_webhooks().await;
    other.app().deliver_webhooks().await;
    let mut ids: Vec<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), receiver.received().len()), (30, 30));
}

async fn a_delivery_that_cannot_be_opened_holds_nobody_up(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    app.anonymous().await;
    let nonsense = if app.database().is_sqlite() { "x'00112233'" } else { "'\\x00112233'" };
    app.database().run(&format!("UPDATE webhook_delivery SET sealed = {nonsense}")).await;
    app.advance(Duration::from_secs(1));
    app.anonymous().await;
    delivery(&app, &root, &made, |one| one["state"] == "delivered").await;
    assert_eq!(receiver.wait_for(1).await.len(), 1);
    let all = deliveries(&root, &made).await;
    assert_eq!((&all[1]["state"], &all[1]["fault"]), (&json!("failed"), &json!("unreadable")));
    assert_eq!(all[1]["next_try_at"], Value::Null, "it is not tried again");
}

async fn a_removed_webhook_leaves_nothing(app: TestApp) {
    let (app, root, receiver) = start(app).await;
    receiver.behave(Manner::Status(500));
    let made = hook(&root, &receiver.url(), &["account.created"]).await;
    app.anonymous().await;
    delivery(&app, &root, &made, |one| one["status"] == 500).await;
    root.delete(&path(&made)).await.expect(204);
    root.delete(&path(&made)).await.problem(404, "not_found");
    root.get(&format!("{}/deliveries", path(&made))).await.problem(404, "not_found");
    for table in ["webhook", "webhook_delivery"] {
        assert_eq!(app.database().column(&format!("SELECT count(*) FROM {table}")).await, ["0"], "{table}");
    }
    let log = app.app().audit_page(app::audit::Question::default()).await.unwrap();
    assert!(log.lines.iter().any(|line| line.event == "webhook_removed"));
}

async fn what_anybody_causes_does_not_fill_the_queue(app: TestApp) {
    let (mut app, root, receiver) = start(app).await;
    app.restart_with(|config| config.webhooks.waiting = 10).await;
    let root = root.moved_to(&app);
    receiver.behave(Manner::Status(500));
    let events = ["account.deleted", "session.revoked"];
    let (made, other) =
        (hook(&root, &receiver.url(), &events).await, hook(&root, &receiver.url(), &events).await);
    app.user("ann@example.org").await;
    let waiting = |hook: &Value| {
        let id = app.database().literal(hook["id"].as_str().unwrap());
        format!("SELECT count(*) FROM webhook_delivery WHERE webhook_id = {id} AND due_at IS NOT NULL")
    };
    for _ in 0..15 {
        let phone = app.visitor();
        phone.sign_in("ann@example.org").await;
        phone.post("/v1/auth/logout", json!({})).await.expect(204);
    }
    for hook in [&made, &other] {
        assert_eq!(app.database().number(&waiting(hook)).await, 10);
    }
    // Learned from the database, it is as many; what is rare is told nevertheless.
    app.app().read_webhooks().await.unwrap();
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    app.anonymous().await.delete("/v1/me").await.expect(204);
    assert_eq!(app.database().number(&waiting(&made)).await, 11);
    // When what waited was sent, there is room again.
    app.database().run("DELETE FROM webhook_delivery").await;
    app.app().read_webhooks().await.unwrap();
    let phone = app.visitor();
    phone.sign_in("ann@example.org").await;
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(app.database().number(&waiting(&made)).await, 1);
}

async fn every_way_of_becoming_somebody_is_told(app: TestApp) {
    let (app, provider) = crate::oauth::with_provider(app).await;
    let (app, root, receiver) = start(app).await;
    hook(&root, &receiver.url(), &ALL).await;
    let told = async |so_far: usize, more: usize| {
        app.app().deliver_webhooks().await;
        let received = receiver.wait_for(so_far + more).await;
        let mut told: Vec<_> =
            received[so_far..].iter().map(|one| one.body["type"].as_str().unwrap().to_owned()).collect();
        told.sort_unstable();
        told
    };
    crate::oauth::sign_in(&app.web(), &provider, "ann").await;
    assert_eq!(told(0, 2).await, ["account.created", "account.registered"]);
    let mut browser = app.web();
    browser.start_anonymously().await;
    crate::oauth::sign_in(&browser, &provider, "ben").await;
    assert_eq!(told(2, 3).await, ["account.created", "account.registered", "session.revoked"]);
    let guest = app.anonymous().await;
    crate::passkeys::add_first(&app, &guest).await;
    assert_eq!(told(5, 3).await, ["account.created", "account.registered", "session.revoked"]);
}
