//! Staying signed in, and ending it. The rules themselves are `domain::refresh`'s; here is what they mean over
//! HTTP.

use std::time::Duration;

use serde_json::json;
use testkit::{Client, TestApp};
use tokio::task::JoinSet;

testkit::stamp! {
    both: [
        refreshing_rotates,
        a_lost_answer_is_given_again,
        refreshes_side_by_side_agree,
        an_old_token_ends_the_session,
        a_stolen_token_ends_both_sessions,
        replays_in_every_order_end_the_session,
        the_thirteenth_repeat_ends_the_session,
        a_retry_is_not_counted,
        an_access_token_counts_for_ten_minutes,
        unused_sessions_end,
        no_refresh_passes_the_absolute_limit,
        anonymous_sessions_have_no_absolute_limit,
        tokens_of_other_servers_do_not_count,
        altered_tokens_do_not_count,
        logging_out_ends_one_session,
        logging_out_needs_a_credential,
        an_anonymous_account_is_discarded_only_when_meant,
        revoking_is_silent,
        a_restart_ends_nothing,
        a_restored_backup_logs_nobody_out,
        a_node_that_stood_still_learns_who_has_left_before_it_answers,
        nobody_is_let_in_while_it_cannot_be_known_who_has_left,
    ],
    postgres: [an_end_reaches_the_other_node]
}

const DAY: Duration = Duration::from_hours(24);

async fn refreshing_rotates(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let before = ann.kept();
    let answer = ann.refresh().await;
    assert_eq!(answer.json["expires_in"], 600);
    let after = ann.kept();
    assert_ne!(after.refresh_token, before.refresh_token);
    assert_ne!(after.access_token, before.access_token);
    assert_eq!((after.account_id, after.session_id), (before.account_id, before.session_id));
    ann.get("/v1/me").await.expect(200);
    // What was signed counts until it expires.
    ann.bearing(&before.access_token.unwrap()).get("/v1/me").await.expect(200);
}

/// Uses the access token of the current generation, which tells the server that the refresh arrived.
async fn confirm(client: &Client) {
    client.get("/v1/me").await.expect(200);
}

async fn a_lost_answer_is_given_again(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let before_the_tunnel = ann.copy();
    let lost = ann.refresh().await;
    app.advance(Duration::from_hours(20));
    let again = before_the_tunnel.refresh().await;
    assert_eq!(again.text("/refresh_token"), lost.text("/refresh_token"));
    confirm(&before_the_tunnel).await;
    before_the_tunnel.refresh().await;
}

async fn refreshes_side_by_side_agree(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.refresh_token();
    let mut tabs = JoinSet::new();
    for _ in 0..16 {
        let (tab, token) = (ann.copy(), token.clone());
        tabs.spawn(async move { tab.present(&token).await.expect(200).text("/refresh_token") });
    }
    let successors = tabs.join_all().await;
    assert!(successors.iter().all(|successor| *successor == successors[0]));
    assert_ne!(successors[0], token);

    // One of them is already in use; within half a minute the others are still no thieves.
    ann.present(&token).await.expect(200);
    confirm(&ann).await;
    app.advance(Duration::from_secs(30));
    ann.present(&token).await.expect(200);
    confirm(&ann).await;
}

async fn an_old_token_ends_the_session(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let old = ann.refresh_token();
    ann.refresh().await;
    confirm(&ann).await;
    app.advance(Duration::from_secs(31));
    app.visitor().present(&old).await.problem(401, "invalid_refresh_token");
    // At once, and everything that belongs to it.
    ann.get("/v1/me").await.problem(401, "session_ended");
    ann.present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
    app.visitor().sign_in("ann@example.org").await.expect(200);
}

async fn a_stolen_token_ends_both_sessions(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let thief = ann.copy();
    thief.refresh().await;
    confirm(&thief).await;
    app.advance(Duration::from_mins(9));
    ann.present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
    thief.get("/v1/me").await.problem(401, "session_ended");
    thief.present(&thief.refresh_token()).await.problem(401, "invalid_refresh_token");

    // Two behind is as bad, within any window and unconfirmed too.
    let bob = app.user("bob@example.org").await;
    let first = bob.refresh_token();
    bob.refresh().await;
    bob.refresh().await;
    bob.present(&first).await.problem(401, "invalid_refresh_token");
    bob.get("/v1/me").await.problem(401, "session_ended");
}

async fn replays_in_every_order_end_the_session(app: TestApp) {
    for order in 0..27 {
        let ann = app.user(&format!("ann{order}@example.org")).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(ann.refresh_token());
            ann.refresh().await;
        }
        tokens.remove(0);
        tokens.push(ann.refresh_token());
        confirm(&ann).await;
        app.advance(Duration::from_secs(31));
        // Three times one of the three newest tokens: only the newest of them still counts.
        let order = [order / 9, order / 3 % 3, order % 3];
        let mut is_over = false;
        for which in order {
            is_over |= which != 2;
            let answer = ann.copy().present(&tokens[which]).await;
            assert_eq!(answer.status, if is_over { 401 } else { 200 }, "{order:?}: {answer}");
        }
        assert_eq!(ann.get("/v1/me").await.status, if is_over { 401 } else { 200 }, "{order:?}");
    }
}

async fn the_thirteenth_repeat_ends_the_session(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let first = ann.refresh_token();
    let successor = ann.refresh().await.text("/refresh_token");
    for _ in 0..12 {
        app.advance(Duration::from_secs(11));
        assert_eq!(ann.present(&first).await.expect(200).text("/refresh_token"), successor);
    }
    app.advance(Duration::from_secs(11));
    ann.present(&first).await.problem(401, "invalid_refresh_token");
    ann.present(&successor).await.problem(401, "invalid_refresh_token");
    ann.get("/v1/me").await.problem(401, "session_ended");
}

async fn a_retry_is_not_counted(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let first = ann.refresh_token();
    ann.refresh().await;
    for _ in 0..30 {
        app.advance(Duration::from_secs(10));
        ann.present(&first).await.expect(200);
    }
    // From somebody who says to be another app they count.
    let other = ann.copy().with_header("user-agent", "another app");
    let mut answers = 0;
    loop {
        let client = if answers % 2 == 0 { &other } else { &ann };
        if client.present(&first).await.status != 200 {
            break;
        }
        answers += 1;
    }
    assert_eq!(answers, 12);
}

async fn an_access_token_counts_for_ten_minutes(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    app.advance(Duration::from_secs(599));
    ann.get("/v1/me").await.expect(200);
    app.advance(Duration::from_secs(1));
    let refused = ann.get("/v1/me").await.problem(401, "token_expired");
    assert_eq!(refused.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    // Apps send it along with every request, so it must not stand in the way of its successor.
    ann.refresh().await;
    ann.get("/v1/me").await.expect(200);
    ann.get("/v1/me").header("authorization", "Bearer nonsense").await.problem(401, "invalid_token");
    let body = json!({"refresh_token": ann.refresh_token()});
    ann.post("/v1/auth/refresh", body).header("authorization", "Bearer nonsense").await.expect(200);
}

async fn unused_sessions_end(app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    app.advance(DAY * 60 - Duration::from_secs(1));
    ann.refresh().await;
    app.advance(Duration::from_secs(1));
    bob.present(&bob.refresh_token()).await.problem(401, "invalid_refresh_token");
    // The job that removes expired sessions must not take those that were used.
    app.clean_up().await;
    ann.refresh().await;
}

async fn no_refresh_passes_the_absolute_limit(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for _ in 0..6 {
        ann.refresh().await;
        confirm(&ann).await;
        app.advance(DAY * 30 - Duration::from_secs(1));
    }
    ann.refresh().await;
    app.advance(Duration::from_secs(6));
    ann.present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
}

async fn anonymous_sessions_have_no_absolute_limit(app: TestApp) {
    let (ann, bob) = (app.anonymous().await, app.anonymous().await);
    let place = ann.save("Cabin", 60.1, 9.2).await;
    for _ in 0..4 {
        app.advance(DAY * 90 - Duration::from_secs(1));
        ann.refresh().await;
        app.clean_up().await;
    }
    ann.get(&format!("/v1/favourites/{place}")).await.expect(200);
    // The account of somebody who never came back has gone with its session.
    bob.present(&bob.refresh_token()).await.problem(401, "invalid_refresh_token");
    let id = app.database().literal(&bob.account_id());
    let rows = app.database().number(&format!("SELECT count(*) FROM account WHERE account_id = {id}")).await;
    assert_eq!(rows, 0);
}

async fn tokens_of_other_servers_do_not_count(app: TestApp) {
    let other = TestApp::start_with(2, |_| {}).await;
    let ann = other.user("ann@example.org").await;
    app.visitor().present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
    app.visitor().bearing(&ann.access_token()).get("/v1/me").await.problem(401, "invalid_token");
    ann.get("/v1/me").await.expect(200);
}

async fn altered_tokens_do_not_count(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.refresh_token();
    let visitor = app.visitor();
    for at in [4, 10, token.len() / 2, token.len() - 2] {
        let replacement = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut altered = token.clone();
        altered.replace_range(at..=at, replacement);
        visitor.present(&altered).await.problem(401, "invalid_refresh_token");
    }
    for nonsense in ["", "rt1.", "rt1.AAAA", "rt2.AAAA", &token[1..], &format!("{token}A"), &"A".repeat(5000)]
    {
        visitor.present(nonsense).await.problem(401, "invalid_refresh_token");
    }
    visitor.present(&ann.access_token()).await.problem(401, "invalid_refresh_token");
    // None of that did Ann any harm.
    ann.refresh().await;
}

async fn logging_out_ends_one_session(app: TestApp) {
    let phone = app.user("ann@example.org").await;
    let laptop = app.visitor();
    laptop.sign_in("ann@example.org").await;

    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    phone.get("/v1/me").await.problem(401, "session_ended");
    phone.present(&phone.refresh_token()).await.problem(401, "invalid_refresh_token");
    laptop.get("/v1/me").await.expect(200);

    // Also for somebody whose access token has expired.
    app.advance(Duration::from_mins(11));
    let body = json!({"refresh_token": laptop.refresh_token()});
    app.visitor().post("/v1/auth/logout", body.clone()).await.expect(204);
    laptop.present(&laptop.refresh_token()).await.problem(401, "invalid_refresh_token");
    app.visitor().post("/v1/auth/logout", body).await.problem(401, "invalid_refresh_token");
}

async fn logging_out_needs_a_credential(app: TestApp) {
    app.visitor().post("/v1/auth/logout", json!({})).await.problem(401, "credential_required");
    app.visitor().call(http::Method::POST, "/v1/auth/logout").await.problem(401, "credential_required");
    let body = json!({"refresh_token": "rt1.nonsense"});
    app.visitor().post("/v1/auth/logout", body).await.problem(401, "invalid_refresh_token");
}

async fn an_anonymous_account_is_discarded_only_when_meant(app: TestApp) {
    let ann = app.anonymous().await;
    ann.save("Cabin", 60.1, 9.2).await;
    ann.post("/v1/auth/logout", json!({})).await.problem(409, "discard_required");
    ann.post("/v1/auth/logout", json!({"discard": false})).await.problem(409, "discard_required");
    assert_eq!(ann.favourites().await, ["Cabin"], "nothing has changed");

    ann.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    ann.get("/v1/favourites").await.problem(401, "session_ended");
    ann.present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
    assert_eq!(rows_of(&app, &ann.account_id()).await, [""; 0]);
}

/// Tables in which an account has rows.
async fn rows_of(app: &TestApp, account: &str) -> Vec<String> {
    let database = app.database();
    let tables = database.tables_with("account_id").await;
    assert!(tables.len() > 5, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let id = database.literal(account);
        let sql = format!("SELECT count(*) FROM {table} WHERE account_id = {id}");
        if database.number(&sql).await > 0 {
            found.push(table);
        }
    }
    found
}

async fn revoking_is_silent(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    for nonsense in ["", "nonsense", "rt1.AAAA", &ann.access_token()] {
        app.visitor().post("/v1/auth/revoke", json!({"token": nonsense})).await.expect(200);
    }
    ann.get("/v1/me").await.expect(200);
    let token = ann.refresh_token();
    app.visitor().post("/v1/auth/revoke", json!({"token": token})).await.expect(200);
    ann.get("/v1/me").await.problem(401, "session_ended");
    ann.present(&token).await.problem(401, "invalid_refresh_token");
    app.visitor().post("/v1/auth/revoke", json!({"token": token})).await.expect(200);

    let anonymous = app.anonymous().await;
    let token = anonymous.refresh_token();
    app.visitor().post("/v1/auth/revoke", json!({"token": token})).await.problem(409, "discard_required");
    anonymous.get("/v1/me").await.expect(200);
}

async fn a_restart_ends_nothing(mut app: TestApp) {
    let (ann, bob) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    bob.post("/v1/auth/logout", json!({})).await.expect(204);
    app.restart().await;
    let (ann, bob) = (ann.moved_to(&app), bob.moved_to(&app));
    ann.get("/v1/me").await.expect(200);
    ann.refresh().await;
    // But what had ended stays ended, although its access token has not expired.
    bob.get("/v1/me").await.problem(401, "session_ended");
}

async fn a_restored_backup_logs_nobody_out(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let backup = app.back_up().await;
    ann.refresh().await;
    confirm(&ann).await;
    ann.refresh().await;

    app.restore(backup).await;
    // Her token is two generations ahead of what the server remembers.
    let ann = ann.moved_to(&app);
    ann.refresh().await;
    confirm(&ann).await;
    ann.refresh().await;
}

async fn an_end_reaches_the_other_node(app: TestApp) {
    let node = server::start(app.setup()).await.unwrap();
    let ann = app.user("ann@example.org").await;
    let there = Client::at(format!("http://{}", node.address)).bearing(&ann.access_token());
    there.get("/v1/me").await.expect(200);

    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    ann.get("/v1/me").await.problem(401, "session_ended");
    // What the other node does every three seconds.
    node.app.read_revocations().await.unwrap();
    there.get("/v1/me").await.problem(401, "session_ended");
    assert!(app::jobs::REVOCATIONS_EVERY < Duration::from_secs(5));
    node.stop(Duration::from_secs(1)).await;
}

/// Ends a session as another node does, of which this one hears nothing.
async fn end_elsewhere(app: &TestApp, client: &Client) {
    let session = app.database().literal(&client.kept().session_id.unwrap());
    let now = app.now().millis();
    let ended = format!("INSERT INTO revocation (session_id, revoked_at) VALUES ({session}, {now})");
    app.database().run(&ended).await;
}

async fn a_node_that_stood_still_learns_who_has_left_before_it_answers(app: TestApp) {
    let (ann, ben) = (app.user("ann@example.org").await, app.user("ben@example.org").await);
    ann.get("/v1/favourites").await.expect(200);
    end_elsewhere(&app, &ann).await;
    // Longer than the job that compares may be away.
    app.advance(Duration::from_secs(6));
    let cabin = json!({"name": "Cabin", "lat": 60.1, "lon": 9.2});
    let (written, read, followed) = tokio::join!(
        ann.post("/v1/favourites", cabin),
        ann.get("/v1/favourites"),
        ann.get("/v1/stream").follow(),
    );
    written.problem(401, "session_ended");
    read.problem(401, "session_ended");
    assert_eq!(followed.status, 401);
    ben.get("/v1/favourites").await.expect(200);
}

async fn nobody_is_let_in_while_it_cannot_be_known_who_has_left(app: TestApp) {
    let (ann, mut page) = (app.user("ann@example.org").await, app.web());
    page.sign_up(&app, "ben@example.org").await;
    for client in [&ann, &page] {
        client.get("/v1/favourites").await.expect(200);
    }
    app.database().run("ALTER TABLE revocation RENAME TO revocation_away").await;
    // What was read just before is good for a while, also when the job that compares fails.
    app.app().read_revocations().await.unwrap_err();
    for client in [&ann, &page] {
        client.get("/v1/favourites").await.expect(200);
    }
    app.advance(Duration::from_secs(6));
    for client in [&ann, &page] {
        let refused = client.get("/v1/favourites").await.problem(503, "store_unavailable");
        assert_eq!(refused.header("retry-after"), "1");
    }
    app.database().run("ALTER TABLE revocation_away RENAME TO revocation").await;
    for client in [&ann, &page] {
        client.get("/v1/favourites").await.expect(200);
    }
}
