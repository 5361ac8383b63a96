//! Stories about the log of what happened: it tells operators what was done and by whom, holds nothing personal, and
//! cannot be filled by strangers.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp};

use crate::factors::{answer, challenged, set_up};

testkit::stamp! {
    both: [
        what_happens_to_an_account_is_written_down,
        a_used_refresh_token_is_written_down,
        the_log_is_for_operators_alone,
        the_log_is_read_page_by_page,
        roles_and_ended_sessions_name_who_did_it,
        what_an_owner_does_tells_where_they_are,
        what_operators_and_services_do_tells_where_they_are,
        step_ups_are_told,
        strangers_do_not_hide_what_is_tried_in_a_session,
        nothing_personal_is_in_the_log,
        a_removed_account_leaves_no_id,
        what_is_written_down_later_names_no_removed_account,
        guesses_at_the_second_factor_are_told,
        spraying_does_not_fill_the_log,
        signing_in_all_day_does_not_fill_the_log,
        what_was_counted_survives_a_stop,
        lines_go_after_their_time,
        requests_write_nothing,
    ]
}

/// Events about an account, the oldest first.
async fn events(app: &TestApp, client: &Client) -> Vec<String> {
    let mut events: Vec<_> =
        app.audit(&client.account_id()).await.into_iter().map(|line| line.event).collect();
    events.reverse();
    events
}

/// How many lines there are.
async fn lines(app: &TestApp) -> i64 {
    app.database().column("SELECT count(*) FROM audit").await[0].parse().unwrap()
}

async fn what_happens_to_an_account_is_written_down(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    app.advance(Duration::from_secs(1));
    laptop.post("/v1/auth/logout", json!({})).await.expect(204);
    let log = app.audit(&ann.account_id()).await;
    let told: Vec<_> = log.iter().map(|line| (line.event.as_str(), line.word.as_deref())).collect();
    assert_eq!(told[..2], [("session_ended", Some("logged_out")), ("signed_in", Some("pwd"))]);
    assert!(told[2..].contains(&("registered", Some("password"))), "{told:?}");
    assert_eq!(log[0].item.map(|id| id.to_string()), laptop.kept().session_id);
    assert!(log.iter().all(|line| line.actor == "owner" && line.times == 1));
    // Signing in comes from somewhere; the same place looks the same.
    let network = log[1].network.clone().unwrap();
    assert_eq!(network.len(), 16);
    assert!(log.iter().all(|line| line.network.as_ref() == Some(&network)));

    // Somebody without an identity is nobody to be held to account, and nobody asks.
    let anonymous = app.anonymous().await;
    assert_eq!(events(&app, &anonymous).await, [""; 0]);
}

async fn a_used_refresh_token_is_written_down(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let first = ann.refresh_token();
    ann.refresh().await;
    ann.get("/v1/me").await.expect(200);
    ann.refresh().await;
    ann.get("/v1/me").await.expect(200);
    app.advance(Duration::from_mins(5));
    app.visitor().present(&first).await.problem(401, "invalid_refresh_token");
    let log = app.audit(&ann.account_id()).await;
    // The session ends in the same instant, and lines of one instant are in no order.
    let line = log.iter().find(|line| line.event == "refresh_reuse").unwrap();
    assert_eq!((line.actor.as_str(), line.word.as_deref()), ("unknown", Some("reuse")));
}

async fn the_log_is_for_operators_alone(app: TestApp) {
    let (ann, root) = (app.user("ann@example.org").await, app.operator("root@example.org").await);
    ann.get("/v1/operator/audit").await.problem(404, "not_found");
    app.anonymous().await.get("/v1/operator/audit").await.problem(404, "not_found");
    app.visitor().get("/v1/operator/audit").await.problem(401, "credential_required");
    let page = root.get(&format!("/v1/operator/audit?account={}", ann.account_id())).await.expect(200);
    assert_eq!(page.json["next"], Value::Null);
    let line = &page.json["items"][0];
    assert_eq!(line["account_id"], ann.account_id());
    let names: Vec<_> = line.as_object().unwrap().keys().collect();
    let all = ["account_id", "actor", "actor_id", "at", "event", "id", "item_id", "network", "times", "word"];
    assert_eq!(names, all);
    // Who loses the role reads no more of it.
    let id = root.account_id().parse().map(domain::AccountId::from_uuid).unwrap();
    app.app()
        .set_role(id, domain::account::Role::Operator, false, app::audit::Actor::CommandLine)
        .await
        .unwrap();
    root.get("/v1/operator/audit").await.problem(401, "session_ended");
}

async fn the_log_is_read_page_by_page(app: TestApp) {
    let root = app.operator("root@example.org").await;
    app.user("ann@example.org").await;
    for _ in 0..6 {
        app.advance(Duration::from_secs(1));
        app.visitor().sign_in("ann@example.org").await;
    }
    let all = root.get("/v1/operator/audit?event=signed_in").await.expect(200).json["items"].clone();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 9);
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = root.get(&format!("/v1/operator/audit?event=signed_in&limit=4{after}")).await.expect(200);
        read.extend(page.json["items"].as_array().unwrap().clone());
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(&read, all);
    assert!(all.is_sorted_by(|newer, older| newer["at"].as_str() >= older["at"].as_str()));
    root.get("/v1/operator/audit?event=nonsense").await.invalid("?event", "unknown");
    root.get("/v1/operator/audit?limit=501").await.invalid("?limit", "out_of_range");
    root.get("/v1/operator/audit?account=ann").await.invalid("?account", "wrong_type");
}

async fn roles_and_ended_sessions_name_who_did_it(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let log = app.audit(&root.account_id()).await;
    let granted = log.iter().find(|line| line.event == "role_granted").unwrap();
    assert_eq!((granted.actor.as_str(), granted.word.as_deref()), ("command_line", Some("operator")));
    let ended = log.iter().find(|line| line.event == "session_ended").unwrap();
    assert_eq!((ended.actor.as_str(), ended.word.as_deref()), ("command_line", Some("ended_by_operator")));
}

/// Requires that the log tells of these events, by this actor and from where each time.
pub async fn require_places(app: &TestApp, actor: &str, expected: &[&str]) {
    let count = async |event: &str, of: &str| {
        let lines = format!("SELECT count(*) FROM audit WHERE actor = '{actor}' AND event = '{event}'");
        app.database().number(&format!("{lines}{of}")).await
    };
    for event in expected {
        assert!(count(event, "").await > 0, "{event} by {actor} is not in the log");
        assert_eq!(count(event, " AND network IS NULL").await, 0, "{event} by {actor} came from nowhere");
    }
}

async fn what_an_owner_does_tells_where_they_are(mut app: TestApp) {
    app.restart_with(|config| config.trusted_proxies = vec![String::from("127.0.0.1")]).await;
    app.user("ann@example.org").await;
    app.advance(Duration::from_hours(1));
    let ann = app.visitor().with_header("x-forwarded-for", "203.0.113.7");
    ann.sign_in("ann@example.org").await.expect(200);
    ann.post("/v1/me/email", json!({"email": "new@example.org"})).await.expect(202);
    for to in ["ann@example.org", "new@example.org"] {
        ann.post("/v1/me/email/confirm", json!({"code": app.code_for(to).await})).await.expect(200);
    }
    let password = json!({"current": PASSWORD, "password": "seven green bottles standing"});
    ann.put("/v1/me/password", password).await.expect(204);
    let left = json!({"access_token": app.anonymous().await.access_token()});
    ann.post("/v1/me/adopt", left).await.expect(200);
    let others = [app.visitor(), app.visitor()];
    for other in &others {
        other.log_in("new@example.org", "seven green bottles standing").await.expect(200);
    }
    ann.delete(&format!("/v1/me/sessions/{}", others[0].kept().session_id.unwrap())).await.expect(204);
    ann.delete("/v1/me/sessions").await.expect(200);
    set_up(&app, &ann).await;
    ann.post("/v1/me/factors/recovery-codes", json!({})).await.expect(201);
    ann.delete("/v1/me/factors/totp").await.expect(204);
    ann.get("/v1/me/export").await.expect(200);
    ann.delete("/v1/me").await.expect(204);
    let done = [
        "registered",
        "signed_in",
        "email_change_asked",
        "email_changed",
        "password_changed",
        "account_adopted",
        "session_ended",
        "factor_added",
        "recovery_codes_made",
        "factor_removed",
        "export_made",
        "account_deleted",
    ];
    require_places(&app, "owner", &done).await;
    // All of it was done from one place, which is not where the proxy is, nor where she signed up.
    let from = "SELECT count(DISTINCT network) FROM audit WHERE actor = 'owner' AND event";
    let here =
        "('email_change_asked', 'email_changed', 'password_changed', 'account_adopted', 'factor_added',
        'recovery_codes_made', 'factor_removed', 'export_made', 'account_deleted')";
    assert_eq!(app.database().number(&format!("{from} IN {here}")).await, 1);
    assert_eq!(app.database().number(&format!("{from} IN ('registered', 'account_deleted')")).await, 2);
}

async fn what_operators_and_services_do_tells_where_they_are(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let ann = app.user("ann@example.org").await;
    set_up(&app, &ann).await;
    let path = format!("/v1/operator/accounts/{}", ann.account_id());
    for is_granted in [true, false] {
        let role = json!({"role": "analyst", "granted": is_granted});
        root.post(&format!("{path}/roles"), role).await.expect(200);
    }
    app.visitor().log_in("ann@example.org", PASSWORD).await.expect(200);
    root.post(&format!("{path}/end-sessions"), json!({})).await.expect(200);
    let key = json!({"name": "Newsletter", "scopes": ["webhooks:manage"]});
    let key = root.post("/v1/operator/keys", key).await.expect(201);
    let service = app.visitor().with_key(&key.text("/secret"));
    let url = json!({"url": "https://example.org/told", "events": ["account.created"]});
    let hook = service.post("/v1/webhooks", url).await.expect(201).text("/id");
    let hook = format!("/v1/webhooks/{hook}");
    service.post(&format!("{hook}/rotate"), json!({})).await.expect(200);
    service.patch(&hook, json!({"events": ["account.deleted"]})).await.expect(200);
    service.delete(&hook).await.expect(204);
    root.delete(&format!("/v1/operator/keys/{}", key.text("/id"))).await.expect(204);
    let done = ["role_granted", "role_revoked", "session_ended", "key_created", "key_revoked"];
    require_places(&app, "operator", &done).await;
    let done = ["webhook_created", "webhook_secret_rotated", "webhook_changed", "webhook_removed"];
    require_places(&app, "api_key", &done).await;
}

async fn step_ups_are_told(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let show = async |proof: Value| ann.post("/v1/auth/step-up", proof).await;
    for _ in 0..2 {
        show(json!({"password": "this is not her password"})).await.problem(401, "wrong_credentials");
    }
    let password = json!({"current": "this is not her password", "password": "seven green bottles standing"});
    ann.put("/v1/me/password", password).await.expect(422);
    // Nothing was shown, or nothing that the account has.
    show(json!({"code": "12"})).await.expect(422);
    show(json!({"code": "123456"})).await.problem(401, "wrong_credentials");
    show(json!({"password": PASSWORD})).await.expect(200);
    app.app().write_audit_tally().await.unwrap();
    let log = app.audit(&ann.account_id()).await;
    let line = |event: &str| log.iter().find(|line| line.event == event).unwrap();
    let failed = line("step_up_failed");
    assert_eq!((failed.times, &*failed.actor), (3, "unknown"));
    let proved = line("stepped_up");
    assert_eq!((&*proved.actor, proved.word.as_deref()), ("owner", Some("password")));
    assert_eq!(proved.item.map(|id| id.to_string()), ann.kept().session_id);
    assert!(failed.network.is_some() && failed.network == proved.network);
}

async fn strangers_do_not_hide_what_is_tried_in_a_session(app: TestApp) {
    for _ in 0..59 {
        let nobody = app.anonymous().await;
        let wrong = json!({"password": "this is nobody's password"});
        nobody.post("/v1/auth/step-up", wrong).await.problem(401, "wrong_credentials");
    }
    let ann = app.user("ann@example.org").await;
    set_up(&app, &ann).await;
    for _ in 0..3 {
        ann.post("/v1/auth/step-up", json!({"code": "000000"})).await.expect(401);
    }
    app.app().write_audit_tally().await.unwrap();
    let log = app.audit(&ann.account_id()).await;
    let failed = log.iter().find(|line| line.event == "step_up_failed").unwrap();
    assert!(failed.network.is_some());
    assert_eq!(app.database().number("SELECT count(*) FROM audit WHERE event = 'step_up_failed'").await, 1);
}

async fn nothing_personal_is_in_the_log(app: TestApp) {
    let ann = app.visitor().with_header("user-agent", "Grandmother's telephone/1");
    let mut ann = ann;
    ann.sign_up(&app, "ann@example.org").await;
    for _ in 0..8 {
        ann.stranger().log_in("ann@example.org", "not the password at all").await;
        app.advance(Duration::from_mins(31));
    }
    app.clean_up().await;
    let mut columns = Vec::new();
    for column in ["event", "actor", "word"] {
        columns.extend(app.database().column(&format!("SELECT DISTINCT {column} FROM audit")).await);
    }
    columns.sort();
    let known = ["owner", "password", "pwd", "registered", "sign_in_failed", "signed_in", "unknown"];
    columns.retain(|word| !word.is_empty());
    assert_eq!(columns, known);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for network in app.database().column("SELECT network FROM audit").await {
        assert!(!network.contains(&hex("127")) && !network.contains("7f000001"), "{network}");
    }
}

async fn a_removed_account_leaves_no_id(app: TestApp) {
    // Anonymous accounts are removed by leaving them; what they did before stays without their id.
    let ann = app.anonymous().await;
    let id = app.database().literal(&ann.account_id());
    app.database()
        .run(&format!(
            "INSERT INTO audit (audit_id, at, event, subject_id, actor, times)
             VALUES ({id}, 1, 'signed_in', {id}, 'owner', 1)"
        ))
        .await;
    ann.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    let left = app.database().column(&format!("SELECT count(*) FROM audit WHERE subject_id = {id}")).await;
    assert_eq!(left, ["0"]);
    // Who knows the id still finds the lines.
    assert_eq!(events(&app, &ann).await, ["signed_in"]);
}

async fn what_is_written_down_later_names_no_removed_account(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let bob = app.user("bob@example.org").await;
    let guess = async || {
        for email in ["ann@example.org", "bob@example.org"] {
            app.visitor().log_in(email, "not the password of it").await.expect(401);
        }
    };
    // The first five are free.
    for _ in 0..5 {
        guess().await;
    }
    app.advance(Duration::from_mins(31));
    guess().await;
    app.advance(Duration::from_mins(31));
    let (id, phone) = (ann.account_id(), app.visitor());
    phone.sign_in("ann@example.org").await.expect(200);
    phone.delete("/v1/me").await.expect(204);
    app.app().write_audit_tally().await.unwrap();
    let raw = format!("SELECT count(*) FROM audit WHERE subject_id = {}", app.database().literal(&id));
    assert_eq!(app.database().number(&raw).await, 0);
    // It is told under what stands for the account, as the rest of it.
    assert!(app.audit(&id).await.iter().any(|line| line.event == "sign_in_failed"));
    assert!(app.audit(&bob.account_id()).await.iter().any(|line| line.event == "sign_in_failed"));
}

async fn guesses_at_the_second_factor_are_told(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    set_up(&app, &ann).await;
    let guesser = app.visitor();
    let challenge = challenged(&guesser, "ann@example.org").await;
    for _ in 0..3 {
        answer(&guesser, &challenge, "code", "000000").await.problem(401, "wrong_factor");
    }
    app.app().write_audit_tally().await.unwrap();
    let log = app.audit(&ann.account_id()).await;
    let told: Vec<_> = log.iter().filter(|line| line.event == "second_factor_failed").collect();
    assert_eq!((told.len(), told[0].times, &*told[0].actor), (1, 3, "unknown"));
    assert!(told[0].network.is_some());
}

async fn spraying_does_not_fill_the_log(app: TestApp) {
    let before = lines(&app).await;
    app.user("ann@example.org").await;
    let quiet = lines(&app).await;
    let spray = async |email: &str| app.visitor().log_in(email, "not the password at all").await;
    for _ in 0..5 {
        spray("ann@example.org").await.problem(401, "wrong_credentials");
    }
    app.clean_up().await;
    assert_eq!(lines(&app).await, quiet, "five tries are free");
    for n in 0..40 {
        app.advance(Duration::from_mins(31));
        spray("ann@example.org").await.problem(401, "wrong_credentials");
        spray(&format!("nobody{n}@example.org")).await.problem(401, "wrong_credentials");
    }
    assert_eq!(lines(&app).await, quiet, "nothing is written while it goes on");
    app.clean_up().await;
    assert_eq!(lines(&app).await, quiet + 1, "and then one line");
    app.advance(Duration::from_mins(31));
    let ann = app.visitor();
    ann.sign_in("ann@example.org").await.expect(200);
    let log = app.audit(&ann.account_id()).await;
    let failed = log.iter().find(|line| line.event == "sign_in_failed").unwrap();
    assert_eq!((failed.times, failed.actor.as_str()), (40, "unknown"));
    assert!(before < quiet);
}

async fn signing_in_all_day_does_not_fill_the_log(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..60 {
        ann.sign_in("ann@example.org").await.expect(200);
    }
    app.clean_up().await;
    let log = app.audit(&ann.account_id()).await;
    let signed_in: Vec<_> = log.iter().filter(|line| line.event == "signed_in").collect();
    assert_eq!(signed_in.len(), 51, "fifty lines, and one for the rest");
    assert_eq!(signed_in.iter().map(|line| line.times).sum::<i64>(), 61);
}

async fn what_was_counted_survives_a_stop(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..8 {
        app.visitor().log_in("ann@example.org", "not the password at all").await;
        app.advance(Duration::from_mins(31));
    }
    app.restart().await;
    let log = app.audit(&ann.account_id()).await;
    let failed = log.iter().find(|line| line.event == "sign_in_failed").unwrap();
    assert_eq!(failed.times, 3);
}

async fn lines_go_after_their_time(mut app: TestApp) {
    app.restart_with(|config| config.audit.kept_days = 30).await;
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_hours(24 * 29));
    app.clean_up().await;
    assert_eq!(events(&app, &ann).await.len(), 2);
    app.advance(Duration::from_hours(25));
    app.clean_up().await;
    assert_eq!(events(&app, &ann).await.len(), 0);
}

async fn requests_write_nothing(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let before = lines(&app).await;
    ann.save("Oslo", 59.91, 10.75).await;
    ann.get("/v1/favourites").await.expect(200);
    ann.refresh().await;
    ann.get("/v1/me").await.expect(200);
    app.anonymous().await.save("Cabin", 60.1, 9.2).await;
    app.visitor().log_in("ann@example.org", "no").await;
    app.visitor().log_in("ann@example.org", &PASSWORD[1..]).await;
    app.clean_up().await;
    assert_eq!(lines(&app).await, before);
}
