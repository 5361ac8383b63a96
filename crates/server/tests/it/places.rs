//! Places: search as you type, the nearest one, and their bounds.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::Response;

testkit::stamp! {
    both: [
        a_place_is_found_as_it_is_typed,
        a_place_is_read_by_its_id,
        the_nearest_place_is_told_with_its_distance,
        nearness_counts,
        searches_are_bounded,
        places_are_nobodys_secret_and_positions_are,
        what_nobody_can_mean_finds_nothing,
    ]
}

fn names(answer: &Response) -> Vec<String> {
    let items = answer.json["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item["name"].as_str().map(String::from)).collect()
}

async fn a_place_is_found_as_it_is_typed(app: TestApp) {
    let visitor = app.visitor();
    let found = visitor.get("/v1/places?q=Lisb&limit=3").await.expect(200);
    assert_eq!(found.json["next"], Value::Null);
    insta::with_settings!({sort_maps => true}, {
        insta::assert_json_snapshot!(found.json["items"][0], @r#"
        {
          "admin1": "Lisbon",
          "country": "Portugal",
          "country_code": "PT",
          "elevation": 45,
          "id": 2267057,
          "lat": 38.72509,
          "lon": -9.1498,
          "name": "Lisbon",
          "population": 517802,
          "tz": "Europe/Lisbon"
        }
        "#);
    });
    for (typed, expected) in [
        ("sao%20paul", "São Paulo"),
        ("Berlni", "Berlin"),
        ("%E6%9D%B1%E4%BA%AC", "Tokyo"),
        ("Springfield,%20Illinois", "Springfield"),
    ] {
        let found = visitor.get(&format!("/v1/places?q={typed}")).await.expect(200);
        assert_eq!(names(&found).first().map(String::as_str), Some(expected), "{typed}");
    }
}

async fn a_place_is_read_by_its_id(app: TestApp) {
    let visitor = app.visitor();
    let place = visitor.get("/v1/places/2267057").await.expect(200);
    assert_eq!(place.json["name"], "Lisbon");
    assert_eq!(place.header("cache-control"), "public, max-age=3600");
    for unknown in ["4294967295", "0", "-1", "4294967296", "x", "2267057.0"] {
        visitor.get(&format!("/v1/places/{unknown}")).await.problem(404, "not_found");
    }
}

async fn the_nearest_place_is_told_with_its_distance(app: TestApp) {
    let visitor = app.visitor();
    let near = visitor.post("/v1/places/nearest", json!({"lat": 38.72509, "lon": -9.1498})).await.expect(200);
    assert_eq!(near.json["place"]["name"], "Lisbon");
    assert_eq!(near.json["distance_m"], 0);
    assert_eq!(near.header("cache-control"), "no-store", "where somebody is stays between us");
    // The middle of an ocean, the poles and the far side of the date line have a nearest place as well.
    for (lat, lon) in [(-48.9, -123.4), (90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (-17.8, 179.99)] {
        let near = visitor.post("/v1/places/nearest", json!({"lat": lat, "lon": lon})).await.expect(200);
        assert!(near.json["place"]["id"].is_u64() && near.json["distance_m"].is_u64(), "{near}");
    }
    visitor
        .post("/v1/places/nearest", json!({"lat": 90.001, "lon": 0}))
        .await
        .invalid("/lat", "out_of_range");
    visitor.post("/v1/places/nearest", json!({"lat": 1})).await.invalid("/lon", "required");
}

async fn nearness_counts(app: TestApp) {
    let visitor = app.visitor();
    let first = |near: &str| {
        let call = visitor.get(&format!("/v1/places?q=Cordoba&near={near}"));
        async move { call.await.expect(200).text("/items/0/country_code") }
    };
    assert_eq!(first("38,-5").await, "ES");
    assert_eq!(first("-31,-64").await, "AR");
    for bad in ["38.72,-9.13", "38", "38,", "a,b", "91,0", "0,181", "38,-9,1", ""] {
        visitor.get(&format!("/v1/places?q=Lisb&near={bad}")).await.invalid("?near", "malformed");
    }
}

async fn searches_are_bounded(app: TestApp) {
    let visitor = app.visitor();
    let most = visitor.get("/v1/places?q=San&limit=50").await.expect(200);
    assert_eq!(names(&most).len(), 50);
    assert_eq!(names(&visitor.get("/v1/places?q=San").await.expect(200)).len(), 10);
    assert_eq!(names(&visitor.get("/v1/places?q=San&limit=1").await.expect(200)).len(), 1);
    for limit in ["0", "51", "4294967295"] {
        visitor.get(&format!("/v1/places?q=San&limit={limit}")).await.invalid("?limit", "out_of_range");
    }
    visitor.get("/v1/places?q=San&limit=-1").await.invalid("?limit", "wrong_type");
    visitor.get("/v1/places").await.invalid("?q", "required");
    visitor.get("/v1/places?q=San&page=2").await.invalid("?page", "unknown_field");
    let hundred = "%C3%A9".repeat(100);
    visitor.get(&format!("/v1/places?q={hundred}")).await.expect(200);
    visitor.get(&format!("/v1/places?q={hundred}e")).await.invalid("?q", "too_long");
    visitor.get(&format!("/v1/places?q=San&lang={}", "x".repeat(36))).await.invalid("?lang", "malformed");
}

async fn places_are_nobodys_secret_and_positions_are(mut app: TestApp) {
    let visitor = app.visitor();
    let found = visitor.get("/v1/places?q=Lisb").await.expect(200);
    assert_eq!(found.header("cache-control"), "public, max-age=3600");
    // Twenty searches a second for one network, a burst for those who type fast; others are not concerned.
    app.restart_in(server::Mode::Serve, |config| {
        config.trusted_proxies = vec![String::from("127.0.0.1")];
        config.limits.places_burst = 25;
    })
    .await;
    let ann = app.visitor().with_header("x-forwarded-for", "198.51.100.7");
    let mut let_through = 0;
    let limited = loop {
        let answer = ann.get("/v1/places?q=L&limit=1").await;
        if answer.status != 200 {
            break answer;
        }
        let_through += 1;
        assert!(let_through <= 25, "no limit");
    };
    assert_eq!(let_through, 25);
    limited.problem(429, "rate_limited");
    ann.get("/v1/places/2267057").await.problem(429, "rate_limited");
    ann.post("/v1/places/nearest", json!({"lat": 1, "lon": 1})).await.problem(429, "rate_limited");
    app.visitor().with_header("x-forwarded-for", "198.51.100.8").get("/v1/places?q=L").await.expect(200);
    app.advance(Duration::from_secs(1));
    for _ in 0..20 {
        ann.get("/v1/places?q=L&limit=1").await.expect(200);
    }
    ann.get("/v1/places?q=L&limit=1").await.problem(429, "rate_limited");
}

async fn what_nobody_can_mean_finds_nothing(app: TestApp) {
    let visitor = app.visitor();
    for strange in [
        "",
        "%20",
        "%00",
        "%1B%5B2J",
        "%E2%80%AE",
        "%F0%9F%8C%A6",
        "%25",
        "..%2F..%2Fetc",
        "'%20OR%201=1--",
        "*",
        "%FF%FE",
        "%",
        "%zz",
        "+",
        "a&q",
        "%E2%80%8B",
    ] {
        let answer = visitor.get(&format!("/v1/places?q={strange}")).await;
        assert!(matches!(answer.status, 200 | 422), "{strange}: {answer}");
        if answer.status == 200 {
            assert!(answer.json["items"].is_array(), "{answer}");
        } else {
            answer.problem(422, "invalid_request");
        }
    }
}
