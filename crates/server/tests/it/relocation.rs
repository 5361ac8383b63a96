//! `fairweather database move`: from one file to PostgreSQL, and nobody's device notices.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use store::relocation::{TABLES, Treatment};
use testkit::databases;
use testkit::{Client, TestApp};

use crate::binary::{fairweather, run, said};
use crate::changes::{changes, cursor};
use crate::favourites::head;
use crate::sync_batch::{DEVICE, create, delete, send, told};

const KEY: &str = "idempotency-key";

/// Runs a story with a file that is in use and an empty database to move to.
fn moving(story: impl AsyncFnOnce(TestApp, String)) {
    if databases::server().is_some() {
        databases::in_new_database(|to| {
            databases::runtime().block_on(async { story(TestApp::start().await, to).await });
        });
    }
}

/// The command's words: results, messages, exit code.
fn move_to(app: &TestApp, to: &str) -> (String, String, i32) {
    said(&run(app.scratch(), &arguments(app, to)))
}

fn arguments<'a>(app: &'a TestApp, to: &'a str) -> [&'a str; 6] {
    ["database", "move", "--data", app.data().to_str().unwrap(), "--to", to]
}

/// Somebody with a bit of everything: what she saved, what she removed, what was answered to her.
async fn somebody(app: &TestApp) -> Client {
    let ann = app.user("ann@example.org").await;
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut"), create(3, "Gone")]).await.expect(200);
    send(&ann, DEVICE, &[delete(4, 3)]).await.expect(200);
    let saved = json!({"name": "Oslo", "lat": 59.91, "lon": 10.75});
    ann.post("/v1/favourites", saved).header(KEY, "a").await.expect(201);
    ann
}

/// Holds a transaction open beside what is done to a database.
async fn beside(to: &str, sql: &str) -> (tokio_postgres::Client, tokio::task::JoinHandle<()>) {
    let (client, connection) = tokio_postgres::connect(to, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(async move { connection.await.unwrap() });
    client.batch_execute(sql).await.unwrap();
    (client, driver)
}

/// Returns when somebody waits for what a transaction has locked there.
async fn is_waited_for(to: &str) {
    let database = databases::Database::Postgres(to.to_owned());
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    database.until(waiting, |count| count > 0).await;
}

#[test]
fn a_server_that_starts_while_a_move_begins_does_not() {
    moving(async |mut app, to| {
        app.stop().await;
        let url = to.parse().unwrap();
        store::migrate(&url, false).await.unwrap();
        // As the move does: it has looked whether anything is there, and not said yet that it has begun.
        let (moving, driver) = beside(&to, "BEGIN; LOCK TABLE server_secret IN EXCLUSIVE MODE").await;
        let mut setup = app.setup();
        setup.config.database = Some(to.clone());
        let start = tokio::spawn(server::start(setup));
        is_waited_for(&to).await;
        let begun = "INSERT INTO database_move (source, begun_at, ended_at) VALUES ('x', 1, 0); COMMIT";
        moving.batch_execute(begun).await.unwrap();
        let refused = start.await.unwrap().err().expect("it does not start").to_string();
        assert!(refused.contains("database move") || refused.contains("unavailable"), "{refused}");
        let secrets = moving.query("SELECT name FROM server_secret", &[]).await.unwrap();
        assert!(secrets.is_empty(), "it has put nothing there");
        drop(moving);
        driver.await.unwrap();
    });
}

#[test]
fn a_move_that_begins_while_a_server_starts_does_not() {
    moving(async |mut app, to| {
        somebody(&app).await;
        app.stop().await;
        store::migrate(&to.parse().unwrap(), false).await.unwrap();
        // As a server does with its first key.
        let put = "BEGIN; INSERT INTO server_secret (name, wrapped) VALUES ('first', 'x')";
        let (starting, driver) = beside(&to, put).await;
        let (folder, data, target) = (app.scratch().to_owned(), app.data().to_owned(), to.clone());
        let relocation = tokio::task::spawn_blocking(move || {
            said(&run(&folder, &["database", "move", "--data", data.to_str().unwrap(), "--to", &target]))
        });
        is_waited_for(&to).await;
        starting.batch_execute("COMMIT").await.unwrap();
        let (_, err, code) = relocation.await.unwrap();
        assert!(code == 1 && err.contains("in use"), "{err}");
        let begun = starting.query("SELECT source FROM database_move", &[]).await.unwrap();
        assert!(begun.is_empty(), "servers may go on there");
        drop(starting);
        driver.await.unwrap();
    });
}

#[test]
fn devices_go_on_after_a_move() {
    moving(async |mut app, to| {
        let ann = somebody(&app).await;
        let page = {
            let mut page = app.web();
            page.start_anonymously().await;
            page.save("Rome", 41.9, 12.5).await;
            page
        };
        let (known, list) = (cursor(&ann).await, ann.favourites().await);
        // Of a device that has been away since before anything was removed.
        let earlier = format!("{}.3", known.rsplit_once('.').unwrap().0);
        let missed = changes(&ann, &earlier).await.expect(200).json["changes"].clone();
        let (_, err, code) = move_to(&app, &to);
        assert!(code == 1 && err.contains("in use"), "{err}");
        app.stop().await;
        let (out, err, code) = move_to(&app, &to);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("key ring"), "{out}");
        let moved = TABLES.iter().filter(|(_, treatment)| *treatment == Treatment::Moved);
        for (table, _) in moved {
            assert!(out.contains(&format!("\n{table} ")), "{table} is not in {out}");
        }
        assert!(err.contains("favourite: 4 of 4"), "{err}");

        app.restart_with(|config| config.database = Some(to.clone())).await;
        let (ann, page) = (ann.moved_to(&app), page.moved_to(&app));
        // Her access token, her list, her cursor; nothing is told twice and nothing left out.
        assert_eq!(ann.favourites().await, list);
        let answer = changes(&ann, &known).await.expect(200);
        assert_eq!(answer.json["changes"], json!([]));
        assert_eq!(changes(&ann, &earlier).await.expect(200).json["changes"], missed);
        // What came before is known: by its receipt, by its tombstone, by its key.
        let again = send(&ann, DEVICE, &[create(1, "Cabin"), delete(4, 3)]).await;
        assert_eq!(told(&again), ["duplicate", "duplicate"]);
        let saved = json!({"name": "Oslo", "lat": 59.91, "lon": 10.75});
        ann.post("/v1/favourites", saved).header(KEY, "a").await.expect(201);
        let before = head(&ann).await;
        assert_eq!(ann.favourites().await, list);
        // And she goes on.
        ann.save("Bergen", 60.39, 5.32).await;
        assert_eq!(head(&ann).await, before + 1);
        let answer = changes(&ann, &known).await.expect(200);
        assert_eq!(answer.json["changes"].as_array().map(Vec::len), Some(1), "{answer}");
        let ticket = ann.post("/v1/stream/ticket", json!(null)).await.expect(200).text("/ticket");
        let mut socket = app.visitor().get(&format!("/v1/ws?ticket={ticket}")).socket().await;
        socket.expect("hello").await;
        ann.refresh().await;
        ann.sign_in("ann@example.org").await.expect(200);
        assert_eq!(page.favourites().await, ["Rome"], "the cookie is good too");
        // A new era began: a cursor from beyond it belongs to no history of this database.
        assert_ne!(cursor(&ann).await.split('.').nth(1), known.split('.').nth(1));

        // It is no empty database any more, for this installation or for another.
        let (_, err, code) = move_to(&app, &to);
        assert!(code == 1 && err.contains("moved there before"), "{err}");
        let other = TestApp::start_with(7, |_| {}).await;
        other.anonymous().await;
        let mut other = other;
        other.stop().await;
        let (_, err, code) = move_to(&other, &to);
        assert!(code == 1 && err.contains("another installation"), "{err}");
    });
}

/// Enough to be interrupted in the middle of.
const MANY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
    INSERT INTO cell_forecast (cell_key, series, fetched_at)
    SELECT printf('sandbox/core/%010d', i), randomblob(500), 1795255200000 + i FROM n";

#[test]
fn a_move_that_was_killed_is_run_again() {
    moving(async |mut app, to| {
        let ann = somebody(&app).await;
        app.database().run(MANY).await;
        let list = ann.favourites().await;
        app.stop().await;
        let copy = app.scratch().join("copy.db");
        std::fs::copy(app.data().join("fairweather.db"), &copy).unwrap();
        let mut command = fairweather(app.scratch(), &arguments(&app, &to));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // Of the tables before the large one; it is at work on that when the next line would come.
        let reached = lines.map_while(Result::ok).find(|line| line.starts_with("receipt: "));
        assert!(reached.is_some(), "the move ended early");
        let target = databases::Database::Postgres(to.clone());
        let arrived = async || target.number("SELECT count(*) FROM cell_forecast").await;
        while arrived().await == 0 {
            tokio::task::yield_now().await;
        }
        // Another one beside it, of a copy of the file, would bring the same rows.
        kill_process(Pid::from_child(&child), Signal::STOP).unwrap();
        let second = ["database", "move", "--from", &format!("sqlite:{}", copy.display()), "--to", &to];
        let (_, err, code) = said(&run(app.scratch(), &second));
        assert!(code == 1 && err.contains("another move into this database"), "{err}");
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        let partly = arrived().await;
        assert!(partly < 30_000, "it had ended");

        // Nobody starts on half of the data.
        let mut setup = app.setup();
        setup.config.database = Some(to.clone());
        let refused =
            server::start(setup).await.err().expect("half of the data is no installation").to_string();
        assert!(refused.contains("database move"), "{refused}");

        let (out, err, code) = move_to(&app, &to);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("30000"), "{out}");
        app.restart_with(|config| config.database = Some(to.clone())).await;
        assert_eq!(ann.moved_to(&app).favourites().await, list);
    });
}

#[test]
fn what_was_changed_in_between_is_noticed() {
    moving(async |mut app, to| {
        somebody(&app).await;
        app.stop().await;
        // A move that was begun, and whose rows somebody has changed since.
        let (_, err, code) = move_to(&app, &to);
        assert_eq!(code, 0, "{err}");
        let target = databases::Database::Postgres(to.clone());
        target.run("UPDATE database_move SET ended_at = 0").await;
        target.run("UPDATE favourite SET updated_at = updated_at + 1 WHERE rev = 1").await;
        let (out, err, code) = move_to(&app, &to);
        assert!(code == 1 && out.is_empty() && err.contains("favourite differs"), "{err}");
        let mut setup = app.setup();
        setup.config.database = Some(to.clone());
        assert!(server::start(setup).await.is_err());
    });
}

#[test]
fn a_move_has_one_direction() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |from: &str, to: &str| {
        let (out, err, code) = said(&run(folder.path(), &["database", "move", "--from", from, "--to", to]));
        assert!(code == 1 && out.is_empty(), "{err}");
        err
    };
    assert!(refused("postgres://a@localhost/a", "sqlite:x.db").contains("no other direction"));
    assert!(refused("sqlite:x.db", "postgres://a@db.example.org/a").contains("sslmode=verify-full"));
    assert!(refused("sqlite:none.db", "postgres://a@127.0.0.1:9/a").contains("there is no file"));
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    assert!(refused("sqlite:empty.db", "postgres://a@127.0.0.1:9/a").contains("fairweather migrate"));
}
