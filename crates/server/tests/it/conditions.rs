//! Conditional requests: nobody overwrites what they have not seen, and nobody fetches what they have.

use serde_json::{Value, json};
use testkit::TestApp;

use crate::favourites::{head, id};

testkit::stamp! {
    both: [
        what_a_client_has_is_not_sent_again,
        a_write_only_if_there_is_none_yet,
        a_stale_write_is_refused_and_shown_what_is_there,
        a_condition_on_what_is_not_there_fails,
        of_two_writes_on_one_state_one_wins,
        conditions_that_mean_nothing_are_refused,
    ]
}

fn cabin() -> Value {
    json!({"name": "Cabin", "lat": 60.1, "lon": 9.2})
}

fn path() -> String {
    format!("/v1/favourites/{}", id(1))
}

async fn what_a_client_has_is_not_sent_again(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.put(&path(), cabin()).await.expect(201);
    let tag = saved.header("etag");
    for known in [tag, "W/\"r1\"", "\"r7\", \"r1\"", "*"] {
        let answer = ann.get(&path()).header("if-none-match", known).await.expect(304);
        assert_eq!((answer.header("etag"), answer.bytes.len()), (tag, 0));
    }
    for unknown in ["\"r2\"", "\"1\"", "r", "\"\"", "\"abc\"", "r1", "\"r01\"", "\"r+1\"", "W/W/\"r1\""] {
        ann.get(&path()).header("if-none-match", unknown).await.expect(200);
    }
    ann.patch(&path(), json!({"note": "new"})).await.expect(200);
    ann.get(&path()).header("if-none-match", tag).await.expect(200);
}

async fn a_write_only_if_there_is_none_yet(app: TestApp) {
    let ann = app.anonymous().await;
    let saved = ann.put(&path(), cabin()).header("if-none-match", "*").await.expect(201);
    let second =
        ann.put(&path(), json!({"name": "Other", "lat": 1, "lon": 1})).header("if-none-match", "*").await;
    let second = second.problem(412, "precondition_failed");
    assert_eq!(second.json["current"], saved.json);
    assert_eq!(head(&ann).await, 1);
}

async fn a_stale_write_is_refused_and_shown_what_is_there(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&path(), cabin()).await.expect(201);
    let now =
        ann.patch(&path(), json!({"note": "from the phone"})).header("if-match", "\"r1\"").await.expect(200);
    let other = json!({"name": "Other", "lat": 1, "lon": 1});
    for refused in [
        ann.put(&path(), other.clone()).header("if-match", "\"r1\"").await,
        ann.patch(&path(), json!({"note": "from the laptop"})).header("if-match", "\"r1\"").await,
        ann.delete(&path()).header("if-match", "\"r1\"").await,
        ann.delete(&path()).header("if-match", "\"nonsense\"").await,
    ] {
        let refused = refused.problem(412, "precondition_failed");
        assert_eq!(refused.json["current"], now.json);
    }
    assert_eq!(head(&ann).await, 2);
    // Any of several will do, and `*` stands for whatever there is.
    ann.put(&path(), other).header("if-match", "\"r1\", \"r2\"").await.expect(200);
    // A proxy on the way may have made the tag weak; it names the same revision.
    ann.patch(&path(), json!({"note": "x"}))
        .header("if-match", "W/\"r2\"")
        .await
        .problem(412, "precondition_failed");
    ann.patch(&path(), json!({"note": "y"})).header("if-match", "W/\"r3\"").await.expect(200);
    ann.patch(&path(), json!({"note": "x"})).header("if-match", "*").await.expect(200);
    ann.delete(&path()).header("if-match", "\"r5\"").await.expect(204);
}

async fn a_condition_on_what_is_not_there_fails(app: TestApp) {
    let ann = app.anonymous().await;
    for tags in ["*", "\"r1\""] {
        let refused = ann.put(&path(), cabin()).header("if-match", tags).await;
        assert_eq!(refused.problem(412, "precondition_failed").json["current"], Value::Null);
    }
    ann.delete(&path()).header("if-match", "*").await.problem(404, "not_found");
    assert_eq!(ann.favourites().await, <[String; 0]>::default());
}

async fn of_two_writes_on_one_state_one_wins(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&path(), cabin()).await.expect(201);
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..10 {
        let call = ann.patch(&path(), json!({"note": format!("writer {n}")})).header("if-match", "\"r1\"");
        writes.spawn(async move { call.await });
    }
    let answers = writes.join_all().await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 9);
    assert_eq!(ann.get(&path()).await.json, won[0].json);
    assert_eq!(head(&ann).await, 2);
}

async fn conditions_that_mean_nothing_are_refused(app: TestApp) {
    let ann = app.anonymous().await;
    ann.put(&path(), cabin()).await.expect(201);
    let refused = ann.put(&path(), cabin()).header("if-none-match", "\"r1\"").await;
    refused.invalid("If-None-Match", "malformed");
    assert_eq!(head(&ann).await, 1);
}
