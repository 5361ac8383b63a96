//! When forecasts are fetched, and how seldom the provider is asked.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::Response;
use testkit::provider::Fault;

use crate::forecasts::{LIST, calls, eventually, is_ready, later, saved};

testkit::stamp! {
    both: [
        forecasts_outlive_a_restart,
        an_old_forecast_is_shown_while_a_new_one_is_fetched,
        a_height_is_asked_for_once_and_kept,
        favourites_keep_half_of_the_budget,
        what_is_slow_is_pending_and_fetched_all_the_same,
        one_place_that_fails_does_not_fail_the_others,
        a_hundred_who_ask_for_one_cell_make_one_call,
        cold_cells_go_out_in_one_call,
        cells_in_use_are_refreshed_ahead,
        nobody_burns_the_weather_of_others,
    ]
}

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn forecasts_outlive_a_restart(mut app: TestApp) {
    app.restart_in(server::Mode::Serve, |config| {
        config.public_url = Some(String::from("http://localhost:8080"));
    })
    .await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let before = ann.get(LIST).await.expect(200);
    assert!(is_ready(&before), "{before}");
    ann.get(&format!("/v1/favourites/{id}/forecast")).await.expect(200);
    app.provider.set_fault(Fault::Status(500));
    app.restart().await;
    let calls = calls(&app).await;
    let ann = ann.moved_to(&app);
    assert_eq!(ann.get(LIST).await.expect(200).json, before.json);
    let page = ann.get(&format!("/v1/favourites/{id}/forecast?hours=1")).await.expect(200);
    assert!(page.json["hourly"]["pressure"].is_array(), "the details are there as well");
    assert_eq!(app.provider.calls(), calls, "nothing had to be fetched");
}

async fn an_old_forecast_is_shown_while_a_new_one_is_fetched(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    ann.get(LIST).await.expect(200);
    let before = calls(&app).await;
    later(&app, &ann, Duration::from_secs(59 * 60)).await;
    ann.get(LIST).await.expect(200);
    assert_eq!(app.provider.calls(), before, "an hour is fresh");
    later(&app, &ann, Duration::from_secs(11 * 60 + 1)).await;
    app.provider.set_fault(Fault::Slow(Duration::from_millis(300)));
    let shown = ann.get(LIST).await.expect(200);
    let forecast = &shown.json["items"][0]["forecast"];
    assert_eq!(forecast["fetched_at"], "2026-11-21T10:00:00Z", "nobody waits");
    assert_eq!(forecast["stale"], false);
    let is_renewed =
        |list: &Response| list.json["items"][0]["forecast"]["fetched_at"] == "2026-11-21T11:10:01Z";
    eventually(&ann, LIST, is_renewed).await;
    assert_eq!(app.provider.calls(), before + 1, "one fetch, however often it was looked at meanwhile");
}

async fn a_height_is_asked_for_once_and_kept(mut app: TestApp) {
    app.restart_in(server::Mode::Serve, |config| {
        config.public_url = Some(String::from("http://localhost:8080"));
    })
    .await;
    let ann = app.anonymous().await;
    for n in 0..3 {
        let body = json!({"name": "typed", "lat": 47.001 + f64::from(n) * 0.02, "lon": 11.0});
        ann.post("/v1/favourites", body).await.expect(201);
    }
    let before = calls(&app).await;
    ann.get(LIST).await.expect(200);
    assert_eq!(app.provider.calls(), before + 2, "all heights in one call, and one for the forecasts");
    // The height's band is what the forecast is asked for: the fake is as many metres up as 10 times its latitude.
    assert!(app.provider.last_query().contains("elevation=500"), "{}", app.provider.last_query());
    app.restart().await;
    let ann = ann.moved_to(&app);
    later(&app, &ann, 3 * DAY).await;
    let before = calls(&app).await;
    assert!(is_ready(&ann.get(LIST).await.expect(200)));
    assert_eq!(app.provider.calls(), before + 1, "three days and a restart later heights are still known");
    let list = ann.get("/v1/favourites").await.expect(200);
    assert_eq!(list.json["items"][0]["elevation"], Value::Null, "it is not the reader's own word");
}

async fn what_is_slow_is_pending_and_fetched_all_the_same(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    ann.get(LIST).await.expect(200);
    let slow = saved(&ann, 10.025, 10.025).await;
    app.provider.set_fault(Fault::Slow(Duration::from_secs(6)));
    let list = ann.get(LIST).await.expect(200);
    assert!(list.json["items"][0]["forecast"].is_object(), "what is there is shown: {list}");
    let pending = &list.json["items"][1];
    assert_eq!(pending["favourite_id"], slow);
    assert_eq!(pending["problem"]["code"], "forecast_pending");
    assert_eq!(pending["problem"]["status"], 503);
    let before = app.provider.calls();
    eventually(&ann, LIST, is_ready).await;
    assert_eq!(app.provider.calls(), before, "the fetch went on by itself");
}

async fn one_place_that_fails_does_not_fail_the_others(app: TestApp) {
    let ann = app.anonymous().await;
    for n in 1..=4 {
        saved(&ann, 10.025 * f64::from(n), 10.025).await;
    }
    calls(&app).await;
    app.provider.set_fault(Fault::OneBadLocation);
    let list = ann.get(LIST).await.expect(200);
    let items = list.json["items"].as_array().unwrap();
    let failed: Vec<_> = items.iter().filter(|item| item["problem"].is_object()).collect();
    assert_eq!((items.len(), failed.len()), (4, 1), "{list}");
    assert_eq!(failed[0]["problem"]["code"], "weather_unavailable");
    app.provider.set_fault(Fault::None);
    assert!(is_ready(&ann.get(LIST).await), "the one that failed is asked for again");
}

async fn a_hundred_who_ask_for_one_cell_make_one_call(app: TestApp) {
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let before = calls(&app).await;
    app.provider.set_fault(Fault::Slow(Duration::from_millis(300)));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let call = ann.get(&format!("/v1/favourites/{id}/forecast?hours=1"));
        readers.spawn(async move { call.await.expect(200).json["now"].clone() });
    }
    let answers = readers.join_all().await;
    assert!(answers.iter().all(|now| *now == answers[0] && now.is_object()));
    assert_eq!(app.provider.calls(), before + 2, "one for each of the two packs");
    // Somebody else's favourite in the same cell costs nothing.
    let ben = app.anonymous().await;
    saved(&ben, 38.73, -9.12).await;
    assert!(is_ready(&ben.get(LIST).await));
    assert_eq!(app.provider.calls(), before + 2);
}

async fn cold_cells_go_out_in_one_call(app: TestApp) {
    let ann = app.anonymous().await;
    for n in 0..30 {
        saved(&ann, 1.025 + f64::from(n), 10.025).await;
    }
    // One more favourite in a cell that is asked for anyway.
    saved(&ann, 1.03, 10.03).await;
    let (before, locations) = (calls(&app).await, app.provider.locations());
    assert!(is_ready(&ann.get(LIST).await.expect(200)));
    assert_eq!(app.provider.calls(), before + 1);
    assert_eq!(app.provider.locations(), locations + 30);
}

async fn cells_in_use_are_refreshed_ahead(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    ann.get(LIST).await.expect(200);
    later(&app, &ann, Duration::from_secs(71 * 60)).await;
    let before = calls(&app).await;
    app.refresh_ahead().await;
    assert_eq!(app.provider.calls(), before + 1);
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["forecast"]["fetched_at"], "2026-11-21T11:11:00Z");
    app.refresh_ahead().await;
    assert_eq!(app.provider.calls(), before + 1, "nothing is due");
    // What nobody has looked at for hours is not fetched for nobody.
    later(&app, &ann, Duration::from_secs(4 * 3600)).await;
    app.refresh_ahead().await;
    assert_eq!(app.provider.calls(), before + 1);
}

async fn favourites_keep_half_of_the_budget(mut app: TestApp) {
    app.restart_with(|config| config.weather.open_meteo.monthly_calls = Some(10)).await;
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    let point = |n: u32| json!({"points": [{"lat": f64::from(n), "lon": 5.0, "elevation": 50}]});
    for n in 0..5 {
        let answer = ben.post("/v1/forecasts", point(n)).await.expect(200);
        assert!(answer.json["items"][0]["forecast"].is_object(), "{answer}");
    }
    let before = calls(&app).await;
    let refused = ben.post("/v1/forecasts", point(5)).await.expect(200);
    assert_eq!(refused.json["items"][0]["problem"]["code"], "weather_budget");
    ben.get("/v1/places/2267057/forecast").await.problem(503, "weather_budget");
    assert_eq!(app.provider.calls(), before);
    // What was fetched is still there, and the other half is for favourites.
    assert!(ben.post("/v1/forecasts", point(1)).await.json["items"][0]["forecast"].is_object());
    for n in 0..5 {
        saved(&ann, 40.025 + f64::from(n), 5.0).await;
        assert!(is_ready(&ann.get(LIST).await.expect(200)), "favourite {n}");
    }
    let sixth = saved(&ann, 60.025, 5.0).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][5]["problem"]["code"], "weather_budget");
    let page = ann.get(&format!("/v1/favourites/{sixth}/forecast")).await.problem(503, "weather_budget");
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 9 * 86_400, "the month ends in nine days");
    // A restart forgets nothing of it.
    app.restart().await;
    let list = ann.moved_to(&app).get(LIST).await.expect(200);
    assert_eq!(list.json["items"][5]["problem"]["code"], "weather_budget");
}

async fn nobody_burns_the_weather_of_others(mut app: TestApp) {
    app.restart_with(|config| {
        config.limits.cold_cells_burst = 4;
        config.limits.cold_cells_per_hour = 60;
    })
    .await;
    let (ann, ben) = (app.anonymous().await, app.anonymous().await);
    let point = |n: u32| json!({"points": [{"lat": f64::from(n), "lon": 5.0, "elevation": 50}]});
    for n in 0..4 {
        ann.post("/v1/forecasts", point(n)).await.expect(200);
    }
    let before = calls(&app).await;
    let refused = ann.post("/v1/forecasts", point(4)).await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(app.provider.calls(), before);
    ann.post("/v1/forecasts", point(3)).await.expect(200);
    ben.post("/v1/forecasts", point(4)).await.expect(200);
    // A cell that others have fetched is warm for everybody.
    ann.post("/v1/forecasts", point(4)).await.expect(200);
    app.advance(Duration::from_secs(60));
    ann.post("/v1/forecasts", point(5)).await.expect(200);
    ann.post("/v1/forecasts", point(6)).await.problem(429, "rate_limited");
}
