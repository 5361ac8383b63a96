//! Two devices that change the same things: the server's order decides, and what was lost is told.

use serde_json::{Value, json};
use testkit::TestApp;

use crate::favourites::{head, id};
use crate::sync_batch::{DEVICE, OTHER, create, delete, mid, send, told, update};

testkit::stamp! {
    both: [
        different_fields_both_stay,
        the_last_change_of_a_field_wins_and_the_loser_is_told,
        what_the_device_knew_or_did_itself_is_no_loss,
        what_was_lost_is_told_again_with_a_repeat,
        if_match_changes_nothing_when_it_is_stale,
        a_removal_wins_over_changes,
        an_id_is_used_once,
        the_faces_write_on_one_log,
    ]
}

fn if_match(mut mutation: Value) -> Value {
    mutation["policy"] = json!("if_match");
    mutation
}

async fn different_fields_both_stay(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    send(&ann, OTHER, &[update(2, 1, Some(1), json!({"note": "theirs"}))]).await.expect(200);
    let answer = send(&ann, DEVICE, &[update(3, 1, Some(1), json!({"name": "Hut"}))]).await.expect(200);
    let result = &answer.json["results"][0];
    assert_eq!((&result["status"], &result["rev"]), (&json!("applied"), &json!(3)));
    assert!(result.get("overwrote").is_none(), "{answer}");
    assert_eq!((&result["item"]["name"], &result["item"]["note"]), (&json!("Hut"), &json!("theirs")));
}

async fn the_last_change_of_a_field_wins_and_the_loser_is_told(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    send(&ann, OTHER, &[update(2, 1, Some(1), json!({"note": "theirs", "lat": 61.5}))]).await.expect(200);
    let mine = update(3, 1, Some(1), json!({"note": "mine", "lat": 62, "name": "Hut"}));
    let answer = send(&ann, DEVICE, &[mine]).await.expect(200);
    let result = &answer.json["results"][0];
    assert_eq!(result["item"]["note"], "mine");
    let lost = json!({"lat": {"was": 61.5, "rev": 2}, "note": {"was": "theirs", "rev": 2}});
    assert_eq!(result["overwrote"], lost, "{answer}");
    // What was cleared can be lost as well, and a value that was nothing.
    send(&ann, OTHER, &[update(4, 1, Some(3), json!({"note": null}))]).await.expect(200);
    let answer = send(&ann, DEVICE, &[update(5, 1, Some(3), json!({"note": "again"}))]).await.expect(200);
    assert_eq!(answer.json["results"][0]["overwrote"], json!({"note": {"was": null, "rev": 4}}));
}

async fn what_the_device_knew_or_did_itself_is_no_loss(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin"), update(2, 1, Some(1), json!({"note": "a"}))]).await.expect(200);
    let silent = |answer: &testkit::Response| answer.json["results"][0].get("overwrote").is_none();
    // Its own change, sent before it was told of the first.
    let own = send(&ann, DEVICE, &[update(3, 1, Some(1), json!({"note": "b"}))]).await.expect(200);
    assert!(silent(&own), "{own}");
    // Another's, which it had seen.
    let seen = send(&ann, OTHER, &[update(4, 1, Some(3), json!({"note": "c"}))]).await.expect(200);
    assert!(silent(&seen), "{seen}");
    // Made offline: there is no base to compare with.
    let offline = send(&ann, DEVICE, &[update(5, 1, None, json!({"note": "d"}))]).await.expect(200);
    assert!(silent(&offline), "{offline}");
    // The same value from both: nothing was lost, and nothing changed.
    send(&ann, OTHER, &[update(6, 1, Some(5), json!({"note": "e"}))]).await.expect(200);
    let same = send(&ann, DEVICE, &[update(7, 1, Some(5), json!({"note": "e"}))]).await.expect(200);
    assert!(silent(&same) && told(&same) == ["noop"], "{same}");
    assert!(same.json["results"][0].get("rev").is_none());
    assert_eq!(head(&ann).await, 6);
}

async fn what_was_lost_is_told_again_with_a_repeat(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    send(&ann, OTHER, &[update(2, 1, Some(1), json!({"note": "theirs"}))]).await.expect(200);
    let mine = update(3, 1, Some(1), json!({"note": "mine"}));
    let first = send(&ann, DEVICE, std::slice::from_ref(&mine)).await.expect(200);
    let again = send(&ann, DEVICE, &[mine]).await.expect(200);
    assert_eq!(told(&again), ["duplicate"]);
    assert_eq!(again.json["results"][0]["overwrote"], json!({"note": {"was": "theirs", "rev": 2}}));
    assert_eq!(again.json["results"][0]["overwrote"], first.json["results"][0]["overwrote"]);
    // What a person typed is sealed at rest, in receipts too.
    let stored = app.database().column("SELECT answer FROM receipt WHERE answer IS NOT NULL").await;
    assert_eq!(stored.len(), 1);
    let plain: String = b"theirs".iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!stored[0].contains(&plain));
}

async fn if_match_changes_nothing_when_it_is_stale(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    send(&ann, OTHER, &[update(2, 1, Some(1), json!({"note": "theirs"}))]).await.expect(200);
    let batch = [
        if_match(update(3, 1, Some(1), json!({"name": "Hut"}))),
        if_match(update(4, 1, None, json!({"name": "Hut"}))),
        if_match({
            let mut delete = delete(5, 1);
            delete["base_rev"] = json!(1);
            delete
        }),
        if_match(update(6, 1, Some(2), json!({"name": "Hut"}))),
    ];
    let answer = send(&ann, DEVICE, &batch).await.expect(200);
    assert_eq!(told(&answer), ["stale", "stale", "stale", "applied"]);
    let stale = &answer.json["results"][0];
    assert_eq!((&stale["status"], &stale["item"]["rev"]), (&json!("conflict"), &json!(2)), "{answer}");
    assert_eq!(stale["item"]["note"], "theirs");
    assert_eq!(head(&ann).await, 3);
}

async fn a_removal_wins_over_changes(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    send(&ann, OTHER, &[update(2, 1, Some(1), json!({"note": "x"}))]).await.expect(200);
    // The device did not know of the note; the removal wins all the same.
    let mut removal = delete(3, 1);
    removal["base_rev"] = json!(1);
    assert_eq!(told(&send(&ann, DEVICE, &[removal]).await), ["applied"]);
    let late =
        send(&ann, OTHER, &[update(4, 1, Some(2), json!({"note": "y"})), delete(5, 1)]).await.expect(200);
    assert_eq!(told(&late), ["gone", "noop"]);
    assert!(late.json["results"][0].get("item").is_none());
    assert_eq!(late.json["results"][0]["status"], "conflict");
    ann.get(&format!("/v1/favourites/{}", id(1))).await.problem(404, "not_found");
    assert_eq!(head(&ann).await, 3);
}

async fn an_id_is_used_once(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin"), create(2, "Hut"), delete(3, 2)]).await.expect(200);
    let mut batch = [create(11, "Again"), create(12, "Again")];
    batch[0]["id"] = json!(id(1));
    batch[1]["id"] = json!(id(2));
    let answer = send(&ann, OTHER, &batch).await.expect(200);
    assert_eq!(told(&answer), ["exists", "gone"]);
    assert_eq!(answer.json["results"][0]["item"]["name"], "Cabin");
    assert!(answer.json["results"][1].get("item").is_none());
    assert_eq!(ann.favourites().await, ["Cabin"]);
}

async fn the_faces_write_on_one_log(app: TestApp) {
    let ann = app.anonymous().await;
    let path = format!("/v1/favourites/{}", id(1));
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    // REST counts as the device of its session.
    ann.patch(&path, json!({"note": "by REST"})).header("if-match", "\"r1\"").await.expect(200);
    let answer = send(&ann, DEVICE, &[update(2, 1, Some(1), json!({"note": "mine"}))]).await.expect(200);
    assert_eq!(answer.json["results"][0]["overwrote"], json!({"note": {"was": "by REST", "rev": 2}}));
    ann.patch(&path, json!({"note": "z"}))
        .header("if-match", "\"r2\"")
        .await
        .problem(412, "precondition_failed");
    ann.put(&path, json!({"name": "Cabin", "lat": 60.1, "lon": 9.2})).await.expect(200);
    let session = ann.kept().session_id.unwrap();
    let answer = send(&ann, &session, &[update(3, 1, Some(3), json!({"note": "w"}))]).await.expect(200);
    assert!(answer.json["results"][0].get("overwrote").is_none(), "the session's own: {answer}");
    ann.delete(&path).await.expect(204);
    assert_eq!(told(&send(&ann, DEVICE, &[delete(4, 1)]).await), ["noop"]);
    // A key of REST is no mid.
    ann.post("/v1/favourites", json!({"name": "x", "lat": 1, "lon": 1}))
        .header("idempotency-key", &mid(9))
        .await
        .expect(201);
    assert_eq!(told(&send(&ann, DEVICE, &[create(9, "Nine")]).await), ["applied"]);
}
