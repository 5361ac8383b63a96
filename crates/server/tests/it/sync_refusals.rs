//! What `POST /v1/sync` refuses: single mutations with a reason, whole batches with a problem.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::Response;

use crate::compaction::after;
use crate::favourites::{head, id};
use crate::sync_batch::{DEVICE, create, delete, mid, send, told, update};

testkit::stamp! {
    both: [
        what_does_not_fit_is_rejected_with_a_pointer,
        ids_of_others_are_as_if_absent,
        an_account_holds_so_many,
        batches_count_against_the_same_limit,
        a_mid_that_tells_no_age_is_rejected,
        a_mid_of_a_clock_that_is_ahead_is_remembered_longer,
        a_broken_envelope_is_pointed_at,
        nonsense_is_refused_and_changes_nothing,
        a_batch_is_bounded,
    ]
}

async fn what_does_not_fit_is_rejected_with_a_pointer(app: TestApp) {
    let ann = app.anonymous().await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    let set = |set: Value| update(2, 1, None, set);
    let whole = |field: &str, value: Value| {
        let mut mutation = update(2, 1, None, json!({}));
        mutation[field] = value;
        mutation
    };
    let mut no_name = create(2, "x");
    no_name["set"].as_object_mut().unwrap().remove("name");
    let mut no_set = create(2, "x");
    no_set.as_object_mut().unwrap().remove("set");
    let mut of_zeros = create(2, "x");
    of_zeros["id"] = json!("00000000-0000-0000-0000-000000000000");
    let mut delete_with_set = delete(2, 1);
    delete_with_set["set"] = json!({"note": "x"});
    for (mutation, pointer, code) in [
        (set(json!({"lat": 91})), "/set/lat", "out_of_range"),
        (set(json!({"lat": "x"})), "/set/lat", "wrong_type"),
        (set(json!({"name": null})), "/set/name", "required"),
        (set(json!({"colour": 1})), "/set/colour", "unknown_field"),
        (set(json!({"note": "\u{202e}"})), "/set/note", "forbidden_character"),
        (set(json!({"place_id": 4_294_967_295_u32})), "/set/place_id", "unknown"),
        (set(json!([])), "/set", "wrong_type"),
        (set(json!("x")), "/set", "wrong_type"),
        (whole("base_rev", json!("x")), "/base_rev", "wrong_type"),
        (whole("base_rev", json!(1.5)), "/base_rev", "wrong_type"),
        (whole("policy", json!("clobber")), "/policy", "wrong_type"),
        (whole("colour", json!(1)), "/colour", "unknown_field"),
        (of_zeros, "/id", "forbidden"),
        (no_name, "/set/name", "required"),
        (no_set, "/set/lat", "required"),
        (delete_with_set, "/set/note", "unknown_field"),
    ] {
        let batch = [update(3, 1, None, json!({"note": "y"})), mutation.clone()];
        let answer = send(&ann, DEVICE, &batch).await.expect(200);
        let result = &answer.json["results"][1];
        assert_eq!(
            (&result["status"], &result["error"]),
            (&json!("rejected"), &json!("invalid")),
            "{answer}"
        );
        let pointer = format!("/mutations/1{pointer}");
        let errors = result["errors"].as_array().unwrap();
        assert!(errors.iter().any(|e| e["pointer"] == pointer && e["code"] == code), "{mutation} {answer}");
    }
    assert_eq!(head(&ann).await, 2, "the other one of each batch, once");
    // A mid whose mutation did not fit may be used for one that does.
    assert_eq!(told(&send(&ann, DEVICE, &[set(json!({"lat": 50}))]).await), ["applied"]);
}

/// Why the first mutation of a batch does not fit: the pointer and the code.
fn fault(answer: &Response) -> (String, String) {
    let error = &answer.json["results"][0]["errors"][0];
    (error["pointer"].to_string(), error["code"].to_string())
}

async fn a_mid_that_tells_no_age_is_rejected(app: TestApp) {
    let ann = app.anonymous().await;
    for mid in [
        "3f2b1c0a-5d4e-4f6a-8b7c-9d0e1f2a3b4c",
        "d9428888-122b-11e1-b85c-61cd3cbb3210",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        let mut mutation = create(1, "Cabin");
        mutation["mid"] = json!(mid);
        // It is answered, as one that never fits, and the others are applied.
        let answer = send(&ann, DEVICE, &[mutation, update(2, 9, None, json!({}))]).await.expect(200);
        assert_eq!(told(&answer), ["invalid", "gone"]);
        assert_eq!(fault(&answer), (r#""/mutations/0/mid""#.into(), r#""malformed""#.into()));
    }
    assert_eq!(head(&ann).await, 0);
}

async fn a_mid_of_a_clock_that_is_ahead_is_remembered_longer(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let made = |days: u32| {
        let at: Timestamp = app.now().plus(Duration::from_hours(24) * days);
        let mut mutation = create(1, "Cabin");
        mutation["mid"] = json!(app.app().random().uuid(at));
        mutation
    };
    let far = send(&ann, DEVICE, &[made(91)]).await.expect(200);
    assert_eq!(fault(&far), (r#""/mutations/0/mid""#.into(), r#""out_of_range""#.into()));
    let ahead = made(80);
    assert_eq!(told(&send(&ann, DEVICE, std::slice::from_ref(&ahead)).await), ["applied"]);
    send(&ann, DEVICE, &[delete(2, 1)]).await.expect(200);
    // Its tombstone is gone by then: were it not remembered, it would come back to life.
    for (days, word) in [(100, "duplicate"), (76, "expired"), (10, "expired")] {
        after(&app, &ann, days).await;
        app.clean_up().await;
        assert_eq!(told(&send(&ann, DEVICE, std::slice::from_ref(&ahead)).await), [word]);
    }
    assert_eq!(ann.favourites().await, <[String; 0]>::default());
}

async fn ids_of_others_are_as_if_absent(app: TestApp) {
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    send(&ann, DEVICE, &[create(1, "Ann's"), create(2, "Ann's"), delete(3, 2)]).await.expect(200);
    let before = ann.get("/v1/favourites").await.expect(200).bytes;
    let probing = [
        update(11, 1, Some(1), json!({"note": "x"})),
        delete(12, 1),
        update(13, 2, None, json!({})),
        delete(14, 2),
    ];
    let nobodys = [
        update(21, 8, Some(1), json!({"note": "x"})),
        delete(22, 8),
        update(23, 9, None, json!({})),
        delete(24, 9),
    ];
    let (hers, nothing) =
        (send(&ben, DEVICE, &probing).await.expect(200), send(&ben, DEVICE, &nobodys).await.expect(200));
    assert_eq!(told(&hers), ["gone", "noop", "gone", "noop"]);
    assert_eq!(told(&hers), told(&nothing));
    let keys = |answer: &Response| {
        let results = answer.json["results"].as_array().unwrap().clone();
        results.iter().map(|r| r.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&hers), keys(&nothing));
    // The same ids can be his own as well.
    assert_eq!(told(&send(&ben, DEVICE, &[create(1, "Ben's"), create(2, "Ben's")]).await), ["applied"; 2]);
    assert_eq!(ann.get("/v1/favourites").await.expect(200).bytes, before);
    assert_eq!(ben.favourites().await, ["Ben's", "Ben's"]);
}

async fn an_account_holds_so_many(mut app: TestApp) {
    app.restart_with(|config| config.quota.favourites = 2).await;
    let ann = app.anonymous().await;
    let answer =
        send(&ann, DEVICE, &[create(1, "A"), create(2, "B"), create(3, "C"), delete(4, 1), create(5, "D")])
            .await;
    assert_eq!(told(&answer), ["applied", "applied", "quota", "applied", "applied"]);
    assert_eq!(answer.json["results"][2]["status"], "rejected");
    // Positions and revisions go on as if the one that was refused had never been.
    let list = ann.get("/v1/favourites").await.expect(200).json;
    let positions: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["position"]).collect();
    assert_eq!(positions, ["a1", "a2"]);
    assert_eq!(head(&ann).await, 4);
    // A refusal stays one, though there would be room now: its device has dealt with it.
    send(&ann, DEVICE, &[delete(6, 2)]).await.expect(200);
    assert_eq!(told(&send(&ann, DEVICE, &[create(3, "C")]).await), ["quota"]);
}

async fn batches_count_against_the_same_limit(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.mutations_burst = 10;
        config.limits.mutations_per_second = 1.0;
    })
    .await;
    let ann = app.anonymous().await;
    let batch: Vec<_> = (1..=8).map(|n| create(n, "Cabin")).collect();
    send(&ann, DEVICE, &batch).await.expect(200);
    let more: Vec<_> = (9..=11).map(|n| create(n, "Cabin")).collect();
    send(&ann, DEVICE, &more).await.problem(429, "rate_limited");
    assert_eq!(head(&ann).await, 8, "all or nothing");
    ann.save("One", 1.0, 1.0).await;
    send(&ann, DEVICE, &[create(9, "Cabin")]).await.expect(200);
    ann.post("/v1/favourites", json!({"name": "x", "lat": 1, "lon": 1})).await.problem(429, "rate_limited");
    // Asking costs none, and what is larger than the bucket waits until it is full.
    send(&ann, DEVICE, &[]).await.expect(200);
    app.advance(Duration::from_secs(10));
    let large: Vec<_> = (12..=30).map(|n| create(n, "Cabin")).collect();
    send(&ann, DEVICE, &large).await.expect(200);
}

async fn a_broken_envelope_is_pointed_at(app: TestApp) {
    let ann = app.anonymous().await;
    let good = create(1, "Cabin");
    for (field, value, code) in [
        ("mid", json!("x"), "wrong_type"),
        ("mid", json!(1), "wrong_type"),
        ("mid", Value::Null, "wrong_type"),
        ("kind", json!("trip"), "wrong_type"),
        ("op", json!("upsert"), "wrong_type"),
        ("id", json!("x"), "wrong_type"),
        ("id", json!(["x"]), "wrong_type"),
    ] {
        let mut bad = create(2, "Hut");
        bad[field] = value;
        send(&ann, DEVICE, &[good.clone(), bad]).await.invalid(&format!("/mutations/1/{field}"), code);
    }
    for field in ["mid", "kind", "op", "id"] {
        let mut bad = create(2, "Hut");
        bad.as_object_mut().unwrap().remove(field);
        send(&ann, DEVICE, &[good.clone(), bad]).await.invalid(&format!("/mutations/1/{field}"), "required");
    }
    for bad in [json!([]), json!("x"), Value::Null, json!(1)] {
        send(&ann, DEVICE, &[bad]).await.invalid("/mutations/0", "wrong_type");
    }
    for (body, pointer, code) in [
        (json!({"mutations": []}), "/device", "required"),
        (json!({"device": DEVICE}), "/mutations", "required"),
        (json!({"device": "phone", "mutations": []}), "/device", "wrong_type"),
        (json!({"device": DEVICE, "mutations": {}}), "/mutations", "wrong_type"),
        (json!({"device": DEVICE, "mutations": [], "cursor": "x"}), "/cursor", "unknown_field"),
    ] {
        ann.post("/v1/sync", body).await.invalid(pointer, code);
    }
    assert_eq!(head(&ann).await, 0);
}

async fn nonsense_is_refused_and_changes_nothing(app: TestApp) {
    let ann = app.anonymous().await;
    let around = |inner: &[u8]| {
        let start = format!("{{\"device\": \"{DEVICE}\", \"mutations\": [");
        [start.as_bytes(), inner, b"]}"].concat()
    };
    let set = |set: &str| {
        let (mid, id) = (mid(1), id(1));
        let text = format!(r#"{{"mid":"{mid}","kind":"favourite","op":"create","id":"{id}","set":{set}}}"#);
        around(text.as_bytes())
    };
    let call = |body: Vec<u8>| ann.call("POST".parse().unwrap(), "/v1/sync").body("application/json", body);
    for broken in [
        b"{".to_vec(),
        b"{}x".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"\0".to_vec(),
        "[".repeat(200_000).into_bytes(),
        "{\"device\":".repeat(20_000).into_bytes(),
        around(b"{\"mid\": NaN}"),
        around(b"\xff\xfe"),
        set("{\"lat\": NaN}"),
        set("{\"name\": \""),
    ] {
        let answer = call(broken).await;
        let code = answer.text("/code");
        assert!(matches!(answer.status, 400 | 422), "{answer}");
        drop(answer.clone().problem(answer.status, &code));
    }
    let mut invalid = set("{\"name\": \"?\", \"lat\": 1, \"lon\": 1}");
    let at = invalid.iter().position(|byte| *byte == b'?').unwrap();
    invalid[at] = 0xff;
    call(invalid).await.problem(400, "malformed_json");
    // What is JSON, but no number, no text or no end, is the fault of its mutation alone.
    for bad in [
        r#"{"name": "x", "lat": 1e999, "lon": 1}"#.to_owned(),
        r#"{"name": "\ud800", "lat": 1, "lon": 1}"#.to_owned(),
        format!("{{\"name\": {}{}}}", "[".repeat(5000), "]".repeat(5000)),
        format!("{}1{}", "{\"name\":".repeat(5000), "}".repeat(5000)),
        format!("{{\"name\": \"x\", \"lat\": {}, \"lon\": 1}}", "9".repeat(5000)),
        r#"{"name": "x", "name": "y", "lat": 1, "lon": 1}"#.to_owned(),
    ] {
        let answer = call(set(&bad)).await.expect(200);
        assert_eq!(told(&answer), ["invalid"], "{answer}");
        let pointer = answer.json["results"][0]["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with("/mutations/0/set"), "{answer}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let call = ann.call("POST".parse().unwrap(), "/v1/sync").body(kind, "{}");
        call.await.problem(415, "unsupported_media_type");
    }
    assert_eq!(head(&ann).await, 0);
}

async fn a_batch_is_bounded(app: TestApp) {
    let ann = app.anonymous().await;
    let hundred: Vec<_> = (1..=100).map(|n| create(n, "Cabin")).collect();
    let mut more = hundred.clone();
    more.push(create(101, "Cabin"));
    send(&ann, DEVICE, &more).await.invalid("/mutations", "out_of_range");
    assert_eq!(head(&ann).await, 0);
    assert_eq!(told(&send(&ann, DEVICE, &hundred).await.expect(200)), vec!["applied"; 100]);

    let padded = |bytes: usize| {
        let body = json!({"device": DEVICE, "mutations": [create(150, "Hut")]}).to_string();
        let padding = " ".repeat(bytes - body.len());
        ann.call("POST".parse().unwrap(), "/v1/sync").body("application/json", body + &padding)
    };
    padded(257 * 1024).await.problem(413, "body_too_large");
    padded(256 * 1024 + 1).await.problem(413, "body_too_large");
    assert_eq!(head(&ann).await, 100);
    padded(256 * 1024).await.expect(200);
    let many = format!("{{\"device\":\"{DEVICE}\",\"mutations\":[{}1]}}", "1,".repeat(100_000));
    let call = ann.call("POST".parse().unwrap(), "/v1/sync").body("application/json", many);
    call.await.invalid("/mutations", "out_of_range");
}
