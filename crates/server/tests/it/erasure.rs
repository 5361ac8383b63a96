//! Removing an account for good, and taking what is one's own along before.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::clients::PASSWORD;
use testkit::{Client, TestApp};

use crate::binary::command;

testkit::stamp! {
    both: [
        an_account_is_removed_at_its_owners_wish,
        removing_and_exporting_ask_for_a_fresh_proof,
        an_export_holds_all_that_is_kept,
        an_erasure_is_noted_outside_of_the_database,
        a_line_that_a_crash_cut_off_takes_no_other_with_it,
        nobody_is_erased_twice_by_a_sound_ledger,
        a_doctor_finds_what_stands_in_clear,
    ]
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
