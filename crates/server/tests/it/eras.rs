//! A database that was put back to an older state: no device may take its new history for the lost one.

use testkit::TestApp;

use crate::binary::{command, run, said};
use crate::changes::{at, changes, cursor};
use crate::favourites::head;
use crate::sync_batch::{DEVICE, create, delete, send, told};

testkit::stamp! {
    both: [
        an_operator_begins_a_new_era,
        doctor_compares_logs_with_rows,
        cursors_of_a_lost_future_are_sent_to_the_snapshot,
    ]
}

async fn cursors_of_a_lost_future_are_sent_to_the_snapshot(mut app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut")]).await.expect(200);
    let kept = cursor(&ann).await;
    let backup = app.back_up().await;
    send(&ann, DEVICE, &[delete(3, 1), create(4, "Lost"), create(5, "Lost")]).await.expect(200);
    let lost = cursor(&ann).await;
    app.restore(backup).await;
    if !app.database().is_sqlite() {
        // On SQLite every start does it.
        let (_, err, code) = command(&app, &["sync", "new-era"]);
        assert_eq!(code, 0, "{err}");
    }

    let ann = ann.moved_to(&app);
    assert_eq!(ann.favourites().await, ["Cabin", "Hut"]);
    // Nothing was written yet, so it is beyond the log; then the log grows over it, in another era.
    for reason in ["ahead", "era", "era"] {
        let answer = changes(&ann, &lost).await.problem(410, "cursor_expired");
        assert_eq!(answer.json["reason"], reason, "{answer}");
        changes(&ann, &kept).await.expect(200);
        for n in 0..4 {
            ann.save(&format!("new {n}"), 1.0, 1.0).await;
        }
    }
    // What the lost history had acknowledged is applied anew: there is no receipt of it any more.
    assert_eq!(told(&send(&ann, DEVICE, &[create(4, "Lost")]).await), ["applied"]);
}

async fn an_operator_begins_a_new_era(mut app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut")]).await.expect(200);
    let known = cursor(&ann).await;
    if app.database().is_sqlite() {
        let (_, err, code) = command(&app, &["sync", "new-era"]);
        assert!(code == 1 && err.contains("in use by another fairweather"), "{err}");
        app.stop().await;
    }
    // On PostgreSQL it works beside nodes that run.
    let (out, err, code) = command(&app, &["sync", "new-era"]);
    assert!(code == 0 && out.contains("a new era has begun"), "{out}{err}");
    if app.database().is_sqlite() {
        app.resume().await;
    }
    let ann = ann.moved_to(&app);
    assert_eq!(cursor(&ann).await, known, "nobody takes a snapshot for it");
    ann.save("New", 1.0, 1.0).await;
    let now = cursor(&ann).await;
    assert_ne!(now, at(&known, 3));
    assert_eq!(changes(&ann, &known).await.expect(200).json["to"], now);
    let beyond = changes(&ann, &at(&known, 3)).await.problem(410, "cursor_expired");
    assert_eq!(beyond.json["reason"], "era");
    assert_eq!(head(&ann).await, 3);
    // A second node, or the next connection, stays in it.
    ann.save("Newer", 1.0, 1.0).await;
    if !app.database().is_sqlite() {
        assert_eq!(cursor(&ann).await, at(&now, 4));
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, err, code) = said(&run(folder.path(), &["sync", "new-era", "--data", "nowhere"]));
    assert!(code == 1 && err.contains("there is no database"), "{err}");
}

async fn doctor_compares_logs_with_rows(mut app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut"), delete(3, 2)]).await.expect(200);
    send(&ben, DEVICE, &[create(1, "Ben's")]).await.expect(200);
    // Beside a server on PostgreSQL; a SQLite file is looked at when nobody holds it.
    if app.database().is_sqlite() {
        app.stop().await;
    }
    let (out, err, code) = command(&app, &["doctor"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("ok    the logs of all 2 accounts agree with their favourites"), "{out}");
    let id = app.database().literal(&ann.account_id());
    app.database()
        .run(&format!("UPDATE account_sync SET favourites = 7, floor = 9 WHERE account_id = {id}"))
        .await;
    let (out, err, code) = command(&app, &["doctor"]);
    assert_eq!(code, 1, "{out}{err}");
    let account = ann.account_id();
    for fault in ["the floor 9 is above the head 3", "1 favourites are there, 7 are counted"] {
        assert!(out.contains(&format!("BAD   the log of account {account}: {fault}")), "{out}");
    }
    assert!(out.contains("2 faults in the logs of 2 accounts") && !out.contains(&ben.account_id()), "{out}");
    assert!(!out.contains("Cabin"));
}
