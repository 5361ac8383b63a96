//! Stories about the list of sessions: everybody sees where they are signed in, and ends what is not theirs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Client, TestApp};

use crate::oauth::{me, sign_in, with_provider};

testkit::stamp! {
    both: [
        a_session_says_which_device_it_is,
        another_session_is_ended_at_once_and_everywhere,
        all_others_are_ended,
        ending_another_session_needs_a_fresh_proof,
        ending_ones_own_session_is_signing_out,
        an_anonymous_account_keeps_its_only_session,
        another_accounts_session_is_not_there,
        the_list_comes_in_pages,
        an_expired_session_is_not_listed,
        a_devices_name_is_sealed,
        beyond_a_hundred_the_session_that_was_used_longest_ago_ends,
    ]
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

async fn sessions(client: &Client) -> Vec<Value> {
    client.get("/v1/me/sessions").await.expect(200).json["items"].as_array().unwrap().clone()
}

async fn count(client: &Client) -> usize {
    let all = client.get("/v1/me/sessions?limit=200").await.expect(200);
    all.json["items"].as_array().unwrap().len()
}

async fn beyond_a_hundred_the_session_that_was_used_longest_ago_ends(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let mut browsers = Vec::new();
    for _ in 0..100 {
        let browser = app.web();
        sign_in(&browser, &provider, "ann").await;
        app.advance(Duration::from_secs(1));
        browsers.push(browser);
    }
    let ann = &browsers[0];
    let mut stream = browsers[1].get("/v1/stream").follow().await;
    stream.hello().await;
    app.advance(Duration::from_hours(24));
    provider.set_now(app.now());
    assert_eq!(count(ann).await, 100);
    let phone = app.web();
    sign_in(&phone, &provider, "ann").await;
    // Of both that began first the one that was used since stays.
    for still in [ann, &browsers[2], &browsers[99], &phone] {
        still.get("/v1/me").await.expect(200);
    }
    browsers[1].get("/v1/me").await.problem(401, "session_ended");
    assert_eq!(stream.expect("session").await.data, json!({"state": "revoked"}));
    stream.ended().await;
    assert_eq!(count(ann).await, 100);
    let account = me(ann).await["account_id"].as_str().unwrap().to_owned();
    let log = app.audit(&account).await;
    let ended: Vec<_> = log.iter().filter(|line| line.event == "session_ended").collect();
    assert_eq!((ended.len(), ended[0].word.as_deref()), (1, Some("too_many_sessions")));
}

async fn a_session_says_which_device_it_is(app: TestApp) {
    app.user("ann@example.org").await;
    app.advance(Duration::from_mins(3));
    let browser = app.web().with_header("user-agent", FIREFOX);
    browser.sign_in("ann@example.org").await;
    app.advance(Duration::from_mins(3));
    let phone = app.visitor().with_header("user-agent", "Tours/4.1 (iPhone; iOS 19.0)");
    phone.sign_in("ann@example.org").await;
    let list = sessions(&phone).await;
    let told: Vec<_> =
        list.iter().map(|one| (&one["device"], &one["app"], &one["kind"], &one["current"])).collect();
    assert_eq!(
        told[..2],
        [
            (&json!("Tours/4.1 on iPhone"), &json!("Tours/4.1"), &json!("bearer"), &json!(true)),
            (&json!("Firefox on Linux"), &json!("Firefox"), &json!("cookie"), &json!(false)),
        ]
    );
    assert_eq!((told.len(), told[2].0), (3, &Value::Null), "a client that says nothing has no name");
    assert_eq!(list[0]["id"], json!(phone.kept().session_id));
    assert_eq!(list[0]["created_at"], "2026-11-21T10:06:00Z");
    assert_eq!(list[0]["proofs"], json!(["pwd"]));
    let names: Vec<_> = list[0].as_object().unwrap().keys().collect();
    let all = ["app", "created_at", "current", "device", "expires_at", "id", "kind", "proofs", "seen_at"];
    assert_eq!(names, all);
    let of_browser = sessions(&browser).await;
    assert_eq!(of_browser[1]["current"], true);
}

async fn another_session_is_ended_at_once_and_everywhere(app: TestApp) {
    let stolen = app.user("ann@example.org").await;
    let mut stream = stolen.get("/v1/stream").follow().await;
    stream.hello().await;
    let ann = app.visitor();
    ann.sign_in("ann@example.org").await;
    let id = stolen.kept().session_id.unwrap();
    let asked = Instant::now();
    ann.delete(&format!("/v1/me/sessions/{id}")).await.expect(204);
    assert_eq!(stream.expect("session").await.data, json!({"state": "revoked"}));
    stream.ended().await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    stolen.get("/v1/me").await.problem(401, "session_ended");
    stolen.present(&stolen.refresh_token()).await.problem(401, "invalid_refresh_token");
    ann.delete(&format!("/v1/me/sessions/{id}")).await.problem(404, "not_found");
    assert_eq!(sessions(&ann).await.len(), 1);
    let log = app.audit(&ann.account_id()).await;
    let ended = log.iter().find(|line| line.event == "session_ended").unwrap();
    assert_eq!(
        (ended.word.as_deref(), ended.item.map(|id| id.to_string())),
        (Some("ended_by_owner"), Some(id))
    );
}

async fn all_others_are_ended(app: TestApp) {
    let first = app.user("ann@example.org").await;
    let (ann, page) = (app.visitor(), app.web());
    ann.sign_in("ann@example.org").await;
    page.sign_in("ann@example.org").await;
    let bob = app.user("bob@example.org").await;
    assert_eq!(ann.delete("/v1/me/sessions").await.expect(200).json, json!({"ended": 2}));
    first.get("/v1/me").await.problem(401, "session_ended");
    page.get("/v1/me").await.problem(401, "session_ended");
    ann.get("/v1/me").await.expect(200);
    bob.get("/v1/me").await.expect(200);
    assert_eq!(ann.delete("/v1/me/sessions").await.expect(200).json, json!({"ended": 0}));
}

async fn ending_another_session_needs_a_fresh_proof(app: TestApp) {
    let first = app.user("ann@example.org").await;
    let ann = app.visitor();
    ann.sign_in("ann@example.org").await;
    app.advance(Duration::from_mins(6));
    let path = format!("/v1/me/sessions/{}", first.kept().session_id.unwrap());
    for call in [ann.delete(&path), ann.delete("/v1/me/sessions")] {
        let answer = call.await.problem(401, "insufficient_user_authentication");
        assert!(answer.header("www-authenticate").contains("insufficient_user_authentication"));
    }
    first.get("/v1/me").await.expect(200);
    assert_eq!(sessions(&ann).await.len(), 2, "looking needs none");
}

async fn ending_ones_own_session_is_signing_out(app: TestApp) {
    app.user("ann@example.org").await;
    let page = app.web();
    page.sign_in("ann@example.org").await;
    // No fresh proof for that.
    app.advance(Duration::from_mins(6));
    let list = sessions(&page).await;
    let own = list.iter().find(|one| one["current"] == true).unwrap();
    let answer = page.delete(&format!("/v1/me/sessions/{}", own["id"].as_str().unwrap())).await.expect(204);
    assert!(answer.header("set-cookie").to_ascii_lowercase().contains("max-age=0"), "{answer}");
    assert_eq!(page.kept().cookie, None);
}

async fn an_anonymous_account_keeps_its_only_session(app: TestApp) {
    let ann = app.anonymous().await;
    let list = sessions(&ann).await;
    let path = format!("/v1/me/sessions/{}", list[0]["id"].as_str().unwrap());
    ann.delete(&path).await.problem(409, "discard_required");
    app.advance(Duration::from_mins(6));
    assert_eq!(ann.delete("/v1/me/sessions").await.expect(200).json, json!({"ended": 0}));
    ann.get("/v1/me").await.expect(200);
}

async fn another_accounts_session_is_not_there(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let of_ann = ann.kept().session_id.unwrap();
    bob.delete(&format!("/v1/me/sessions/{of_ann}")).await.problem(404, "not_found");
    ann.get("/v1/me").await.expect(200);
    // A cursor of Ann's opens nothing of hers.
    let page = bob.get(&format!("/v1/me/sessions?after={of_ann}")).await.expect(200);
    assert!(page.json["items"].as_array().unwrap().iter().all(|one| one["id"] != json!(of_ann)));
}

async fn the_list_comes_in_pages(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..5 {
        app.advance(Duration::from_secs(1));
        app.visitor().sign_in("ann@example.org").await;
    }
    let all = sessions(&ann).await;
    assert_eq!(all.len(), 6);
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = ann.get(&format!("/v1/me/sessions?limit=2{after}")).await.expect(200);
        read.extend(page.json["items"].as_array().unwrap().clone());
        let Some(next) = page.json["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(read, all);
    assert_eq!(all.last().unwrap()["current"], true);
}

async fn an_expired_session_is_not_listed(app: TestApp) {
    let browser = app.web();
    app.user("ann@example.org").await;
    browser.sign_in("ann@example.org").await;
    app.advance(Duration::from_hours(24 * 31));
    let ann = app.visitor();
    ann.sign_in("ann@example.org").await;
    // The browser's thirty days are over, the first client's sixty are not.
    assert_eq!(sessions(&ann).await.len(), 2);
}

async fn a_devices_name_is_sealed(app: TestApp) {
    let mut ann = app.visitor().with_header("user-agent", "Grandmother/1 (iPad)");
    ann.sign_up(&app, "ann@example.org").await;
    assert_eq!(sessions(&ann).await[0]["device"], "Grandmother/1 on iPad");
    let plain: String = "Grandmother".bytes().map(|byte| format!("{byte:02x}")).collect();
    for stored in app.database().column("SELECT device FROM session").await {
        assert!(stored.len() > 40 && !stored.contains(&plain) && !stored.contains("Grandmother"), "{stored}");
    }
    // A name that was moved to another session opens nothing.
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;
    app.database().run("UPDATE session SET device = (SELECT device FROM session LIMIT 1)").await;
    assert_eq!(laptop.get("/v1/me/sessions").await.status, 500);
}
