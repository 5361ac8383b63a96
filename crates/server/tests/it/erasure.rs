//! Removing an account for good, and taking what is one's own along before.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp};

use crate::binary::command;
use crate::oauth::{sign_in, with_provider};
use crate::passkeys::add_first;

testkit::stamp! {
    both: [
        an_account_is_removed_at_its_owners_wish,
        removing_and_exporting_ask_for_a_fresh_proof,
        an_export_holds_all_that_is_kept,
        an_erasure_is_noted_outside_of_the_database,
        a_line_that_a_crash_cut_off_takes_no_other_with_it,
        nobody_is_erased_twice_by_a_sound_ledger,
        a_database_put_back_under_a_running_server_brings_nobody_back,
        a_later_removal_does_not_hide_who_came_back,
        who_came_back_behind_a_later_removal_is_found_at_the_next_start,
        a_ledger_that_is_older_than_what_is_remembered_is_looked_at_before_it_grows,
        a_doctor_finds_what_stands_in_clear,
        a_doctor_looks_for_all_that_is_known,
        an_export_tells_of_devices_keys_and_the_whole_log,
        an_export_tells_of_identities_and_passkeys,
        other_sites_export_nothing,
    ],
    postgres: [each_node_repeats_what_its_own_ledger_holds],
}

/// Only a file is copied before an upgrade.
#[test]
fn a_copy_from_before_an_upgrade_does_not_outlive_a_removal() {
    testkit::databases::on_sqlite(copied);
}

/// A copy of the file is what can be put back here.
#[test]
fn a_backup_that_is_put_back_brings_nobody_back() {
    testkit::databases::on_sqlite(put_back);
}

async fn furnished(app: &TestApp, email: &str) -> Client {
    let person = app.user(email).await;
    let cabin = json!({"name": "Cabin & \"lake\"", "lat": 60.1, "lon": 9.2, "note": "Key under the mat", "elevation": 321});
    person.post("/v1/favourites", cabin).await.expect(201);
    person.save("Oslo", 59.91, 10.75).await;
    person
}

async fn an_account_is_removed_at_its_owners_wish(app: TestApp) {
    let (ann, bob) = (furnished(&app, "ann@example.org").await, furnished(&app, "bob@example.org").await);
    let elsewhere = app.visitor();
    elsewhere.log_in("ann@example.org", PASSWORD).await.expect(200);
    let id = ann.account_id();
    // Mail of one instant has no order.
    app.advance(Duration::from_secs(1));
    ann.delete("/v1/me").await.expect(204);
    ann.get("/v1/me").await.problem(401, "session_ended");
    elsewhere.get("/v1/favourites").await.problem(401, "session_ended");
    elsewhere.present(&elsewhere.refresh_token()).await.expect(401);
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    for table in app.database().tables_with("account_id").await {
        let rows = format!("SELECT count(*) FROM {table} WHERE account_id = {}", app.database().literal(&id));
        assert_eq!(app.database().number(&rows).await, 0, "{table}");
    }
    assert!(app.mail_to("ann@example.org").await.subject.contains("deleted"));
    assert_eq!(bob.get("/v1/favourites").await.expect(200).json["items"].as_array().unwrap().len(), 2);
    // The address is free for somebody new, who finds nothing.
    app.advance(Duration::from_secs(1));
    let again = app.user("ann@example.org").await;
    assert_eq!(again.get("/v1/favourites").await.expect(200).json["items"], json!([]));
}

async fn removing_and_exporting_ask_for_a_fresh_proof(app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    app.advance(Duration::from_secs(5 * 60 + 1));
    ann.delete("/v1/me").await.problem(401, "insufficient_user_authentication");
    ann.get("/v1/me/export").await.problem(401, "insufficient_user_authentication");
    ann.get("/v1/me").await.expect(200);
    // Whoever has no way to prove anything is asked for nothing.
    let anonymous = app.anonymous().await;
    app.advance(Duration::from_secs(5 * 60 + 1));
    anonymous.get("/v1/me/export").await.expect(200);
    anonymous.delete("/v1/me").await.expect(204);
}

fn file(archive: &[u8], name: &str) -> Value {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn an_export_holds_all_that_is_kept(app: TestApp) {
    furnished(&app, "bob@example.org").await;
    let ann = furnished(&app, "ann@example.org").await;
    let answer = ann.get("/v1/me/export").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(answer.header("cache-control"), "no-store");
    let name = answer.header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"fairweather-2026-11-21-"), "{name}");
    let account = file(&answer.bytes, "account.json");
    assert_eq!(
        (&account["email"], &account["account_id"]),
        (&json!("ann@example.org"), &json!(ann.account_id()))
    );
    let favourites = file(&answer.bytes, "favourites.json")["favourites"].clone();
    assert_eq!(favourites[0]["name"], "Cabin & \"lake\"");
    assert_eq!(favourites[0]["note"], "Key under the mat");
    assert_eq!(favourites.as_array().unwrap().len(), 2, "hers and nobody else's");
    let map = file(&answer.bytes, "favourites.geojson");
    assert_eq!(map["type"], "FeatureCollection");
    assert_eq!(map["features"][0]["geometry"], json!({"type": "Point", "coordinates": [9.2, 60.1, 321]}));
    let log = file(&ann.get("/v1/me/export").await.expect(200).bytes, "account.json")["log"].clone();
    assert!(log.as_array().unwrap().iter().any(|line| line["event"] == "export_made"), "{log}");
}

fn ledger(app: &TestApp) -> String {
    fs::read_to_string(app.data().join("erasures")).unwrap_or_default()
}

async fn an_erasure_is_noted_outside_of_the_database(app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let id = ann.account_id();
    ann.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    let lines = ledger(&app);
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.ends_with(&format!(" {id}\n")), "{lines}");
    let mode = fs::metadata(app.data().join("erasures")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    app.app().keep_ledger().await.unwrap();
    assert_eq!(ledger(&app), lines, "each is noted once");
}

async fn a_line_that_a_crash_cut_off_takes_no_other_with_it(mut app: TestApp) {
    let path = app.data().join("erasures");
    furnished(&app, "ann@example.org").await.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"\xff\xfe 1795000000000 0199aaaa-bb"].concat()).unwrap();
    app.restart().await;
    let bob = furnished(&app, "bob@example.org").await;
    let id = bob.account_id();
    bob.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    let bytes = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.lines().any(|line| line.ends_with(&format!(" {id}")) && line.len() < 60), "{text}");
    // And what stands behind the broken line is read.
    let before = bytes.len();
    app.restart().await;
    app.app().keep_ledger().await.unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), before, "each is noted once");
}

async fn nobody_is_erased_twice_by_a_sound_ledger(mut app: TestApp) {
    furnished(&app, "ann@example.org").await.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    let bob = furnished(&app, "bob@example.org").await;
    let before = ledger(&app);
    app.restart().await;
    let bob = bob.moved_to(&app);
    app.app().keep_ledger().await.unwrap();
    assert_eq!(ledger(&app), before);
    bob.get("/v1/favourites").await.expect(200);
    // After a month the database does not remember, and what is noted is gone all the same.
    app.advance(Duration::from_hours(24 * 40));
    app.app().keep_ledger().await.unwrap();
    app.restart().await;
    assert_eq!(app.visitor().log_in("bob@example.org", PASSWORD).await.expect(200).status, 200);
}

async fn put_back(mut app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let bob = furnished(&app, "bob@example.org").await;
    app.stop().await;
    let (file, copy) = (app.data().join("fairweather.db"), app.scratch().join("copy.db"));
    fs::copy(&file, &copy).unwrap();
    app.resume().await;
    let (ann, bob) = (ann.moved_to(&app), bob.moved_to(&app));
    ann.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    app.stop().await;
    fs::copy(&copy, &file).unwrap();
    app.resume().await;
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    assert_eq!(app.database().number("SELECT count(*) FROM account").await, 1);
    bob.moved_to(&app).get("/v1/favourites").await.expect(200);
    // Also when the last line was cut off by a crash.
    app.stop().await;
    fs::copy(&copy, &file).unwrap();
    let lines = ledger(&app);
    fs::write(app.data().join("erasures"), format!("{lines}17952552000")).unwrap();
    app.resume().await;
    assert_eq!(app.database().number("SELECT count(*) FROM account").await, 1);
}

/// Copies the tables in which an account is, and in which its removal is noted.
async fn keep(app: &TestApp) -> Vec<String> {
    let mut tables = app.database().tables_with("account_id").await;
    tables.push(String::from("erasure"));
    app.database().keep(&tables).await;
    tables
}

async fn accounts(app: &TestApp) -> i64 {
    app.database().number("SELECT count(*) FROM account").await
}

/// Removes the account, and sees the removal noted outside of the database.
async fn remove(app: &TestApp, client: &Client) {
    client.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
}

async fn a_database_put_back_under_a_running_server_brings_nobody_back(app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let bob = furnished(&app, "bob@example.org").await;
    let tables = keep(&app).await;
    remove(&app, &ann).await;
    app.advance(Duration::from_secs(1));
    app.database().put_back(&tables).await;
    app.app().keep_ledger().await.unwrap();
    assert_eq!(accounts(&app).await, 1);
    app.visitor().log_in("ann@example.org", PASSWORD).await.problem(401, "wrong_credentials");
    bob.get("/v1/favourites").await.expect(200);
    // It was removed anew, which is noted anew, but for a look that the first removal began and that saw it first; then
    // there is nothing more to do.
    let lines = ledger(&app);
    assert!(matches!(lines.lines().count(), 1 | 2), "{lines}");
    assert!(lines.lines().all(|line| line.ends_with(&ann.account_id())), "{lines}");
    app.app().keep_ledger().await.unwrap();
    assert_eq!(ledger(&app), lines);
}

async fn a_later_removal_does_not_hide_who_came_back(mut app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let bob = furnished(&app, "bob@example.org").await;
    let tables = keep(&app).await;
    remove(&app, &ann).await;
    app.database().put_back(&tables).await;
    remove(&app, &bob).await;
    assert_eq!(accounts(&app).await, 0);
    app.restart().await;
    assert_eq!(accounts(&app).await, 0);
}

async fn who_came_back_behind_a_later_removal_is_found_at_the_next_start(mut app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let bob = furnished(&app, "bob@example.org").await;
    remove(&app, &bob).await;
    let tables = keep(&app).await;
    remove(&app, &ann).await;
    app.stop().await;
    app.database().put_back(&tables).await;
    assert_eq!(accounts(&app).await, 1);
    // The newest line is of a removal that the database knows, as when that came after it was put back.
    let lines: Vec<String> = ledger(&app).lines().rev().map(|line| format!("{line}\n")).collect();
    fs::write(app.data().join("erasures"), lines.concat()).unwrap();
    app.resume().await;
    assert_eq!(accounts(&app).await, 0);
}

async fn a_ledger_that_is_older_than_what_is_remembered_is_looked_at_before_it_grows(app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    furnished(&app, "bob@example.org").await;
    let tables = keep(&app).await;
    remove(&app, &ann).await;
    app.advance(Duration::from_hours(24 * 40));
    app.app().keep_ledger().await.unwrap();
    assert_eq!(app.database().number("SELECT count(*) FROM erasure").await, 0, "it is forgotten");
    app.database().put_back(&tables).await;
    remove(&app, &app.anonymous().await).await;
    assert_eq!(accounts(&app).await, 1);
}

async fn each_node_repeats_what_its_own_ledger_holds(app: TestApp) {
    let node = app.beside().await;
    let ann = furnished(&app, "ann@example.org").await;
    let zoe = furnished(&app, "zoe@example.org").await;
    let tables = keep(&app).await;
    remove(&app, &ann).await;
    node.app().keep_ledger().await.unwrap();
    // A removal from before the first node was there.
    let long_ago = app.now().minus(Duration::from_hours(24 * 40)).millis();
    let lines = format!("{long_ago} {}\n{}", zoe.account_id(), ledger(&node));
    fs::write(node.data().join("erasures"), lines).unwrap();
    app.database().put_back(&tables).await;
    app.advance(Duration::from_secs(1));
    // The first to notice makes the database remember the newest line of both.
    app.app().keep_ledger().await.unwrap();
    node.app().keep_ledger().await.unwrap();
    assert_eq!(accounts(&app).await, 0);
}

async fn copied(mut app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    let copy = |name: &str, seconds: i64| {
        let path = app.data().join(name);
        let at = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
        fs::File::create(&path).unwrap().set_modified(at).unwrap();
        path
    };
    let now = app.now().seconds();
    let (older, newer) =
        (copy("fairweather.before-7.db", now - 60), copy("fairweather.before-8.db", now + 60));
    let stranger = copy("fairweather.of-mine.db", now - 60);
    app.app().keep_ledger().await.unwrap();
    assert!(older.exists(), "it may be needed yet");
    ann.delete("/v1/me").await.expect(204);
    app.app().keep_ledger().await.unwrap();
    assert!(!older.exists() && newer.exists() && stranger.exists());
    app.stop().await;
    let (out, _, _) = command(&app, &["doctor"]);
    assert!(out.contains("fairweather.before-8.db is a copy from before an upgrade"), "{out}");
    app.resume().await;
    app.advance(Duration::from_hours(24 * 7) + Duration::from_secs(61));
    app.app().keep_ledger().await.unwrap();
    assert!(!newer.exists() && stranger.exists());
}

async fn a_doctor_looks_for_all_that_is_known(mut app: TestApp) {
    let ann = furnished(&app, "ann@example.org").await;
    ann.save("Ödsee Hütte", 47.8, 13.7).await;
    ann.post("/v1/me/email", json!({"email": "ann.new@example.org"})).await.expect(202);
    let phone = app.visitor().with_header("user-agent", "Skylark/2.1.7 (iPhone)");
    phone.sign_in("ann@example.org").await.expect(200);
    app.stop().await;
    // A folder of that name is left out in the data folder alone.
    let folder = app.scratch().join("cache");
    fs::create_dir(&folder).unwrap();
    let look = |text: &str| {
        fs::write(folder.join("a.log"), text).unwrap();
        let also = folder.to_str().unwrap();
        command(&app, &["doctor", "--privacy", "ann@example.org", "--also", also])
    };
    let (out, err, code) = look("nothing");
    assert_eq!(code, 0, "{out}{err}");
    // 60.1, 9.2, and so on.
    assert!(out.contains("of fewer than 5 bytes were not looked for"), "{out}");
    for text in [
        "Ödsee Hütte",
        "ÖDSEE HÜTTE",
        r"\u00d6dsee H\u00fctte",
        r#"{"name":"Cabin & \"lake\""}"#,
        "ann.new@example.org",
        "Skylark/2.1.7",
    ] {
        let (out, err, code) = look(text);
        assert_eq!(code, 1, "{text}: {out}{err}");
        assert!(out.contains("a.log: a text of "), "{text}: {out}{err}");
    }
}

async fn an_export_tells_of_devices_keys_and_the_whole_log(app: TestApp) {
    let root = app.operator("root@example.org").await;
    let key = json!({"name": "Newsletter", "scopes": ["audit:read"]});
    root.post("/v1/operator/keys", key).await.expect(201);
    root.post("/v1/me/email", json!({"email": "root.new@example.org"})).await.expect(202);
    let id = app.database().literal(&root.account_id());
    let count = format!("SELECT count(*) FROM audit WHERE subject_id = {id}");
    // As many lines as take more than one page, of the same instant as one that is there.
    let columns = "at, event, subject_id, actor, actor_id, network, word, item_id, times";
    for n in 0..600 {
        let line = app.database().literal(&uuid::Uuid::from_u128(n + 1).to_string());
        let copied = format!("SELECT {line}, {columns} FROM audit WHERE subject_id = {id} LIMIT 1");
        app.database().run(&format!("INSERT INTO audit (audit_id, {columns}) {copied}")).await;
    }
    let lines = app.database().number(&count).await;
    let account = file(&root.get("/v1/me/export").await.expect(200).bytes, "account.json");
    assert_eq!(account["api_keys"][0]["name"], "Newsletter");
    assert_eq!(account["pending_email"]["email"], "root.new@example.org");
    assert!(account["second_factors"]["totp_since"].is_string(), "{}", account["second_factors"]);
    let session = &account["sessions"][0];
    assert!(session["created_at"].is_string());
    assert_eq!((&session["kind"], &session["proofs"]), (&json!("bearer"), &json!(["pwd", "rec"])));
    assert_eq!(account["passkeys"], json!([]));
    assert_eq!(account["log"].as_array().unwrap().len(), usize::try_from(lines).unwrap());
}

async fn an_export_tells_of_identities_and_passkeys(app: TestApp) {
    let (app, provider) = with_provider(app).await;
    let ann = app.web();
    sign_in(&ann, &provider, "ann-of-example").await;
    add_first(&app, &ann).await;
    let account = file(&ann.get("/v1/me/export").await.expect(200).bytes, "account.json");
    let identity = &account["identities"][0];
    let of_provider = (&identity["provider"], &identity["issuer"], &identity["subject"]);
    assert_eq!(of_provider, (&json!("example"), &json!(provider.issuer()), &json!("ann-of-example")));
    assert_eq!(account["passkeys"][0]["backed_up"], json!(false));
    let session = &account["sessions"][0];
    assert_eq!((&session["kind"], &session["proofs"]), (&json!("cookie"), &json!(["pop", "fed"])));
}

async fn other_sites_export_nothing(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let page = app.web();
    page.post("/v1/auth/login", json!({"email": "ann@example.org", "password": PASSWORD})).await.expect(204);
    for method in [Method::GET, Method::HEAD] {
        let call = page.call(method.clone(), "/v1/me/export").without("sec-fetch-site");
        let answer = call.header("sec-fetch-site", "cross-site").await;
        assert_eq!(answer.status, 403, "{method}");
    }
    page.call(Method::HEAD, "/v1/me/export").await.expect(405);
    ann.call(Method::HEAD, "/v1/me/export").await.expect(405);
    let made =
        async || app.audit(&ann.account_id()).await.iter().filter(|line| line.event == "export_made").count();
    assert_eq!(made().await, 0);
    page.get("/v1/me/export").await.expect(200);
    assert_eq!(made().await, 1);
}

async fn a_doctor_finds_what_stands_in_clear(mut app: TestApp) {
    furnished(&app, "ann@example.org").await;
    app.stop().await;
    let (out, err, code) = command(&app, &["doctor", "--privacy", "ann@example.org"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("nothing of the account stands there in clear"), "{out}");
    let log = app.scratch().join("proxy.log");
    fs::write(&log, "GET / 200\nsaved: KEY UNDER THE MAT\n").unwrap();
    let (out, err, code) =
        command(&app, &["doctor", "--privacy", "ann@example.org", "--also", log.to_str().unwrap()]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("proxy.log: a text of 17 bytes stands here in clear"), "{out}");
    assert!(
        !out.to_lowercase().contains("mat\n") && !err.contains("mat"),
        "the text itself is not shown: {out}"
    );
}
