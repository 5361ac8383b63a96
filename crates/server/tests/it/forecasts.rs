//! Forecasts: what they hold, when they are fetched, for whom, and how seldom the provider is asked.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};
use testkit::provider::{FakeProvider, Fault};

testkit::stamp! {
    both: [
        the_favourites_screen_is_one_request,
        a_detail_page_has_everything,
        forecasts_outlive_a_restart,
        an_old_forecast_is_shown_while_a_new_one_is_fetched,
        a_height_is_asked_for_once_and_kept,
        favourites_keep_half_of_the_budget,
    ],
    sqlite: [
        units_are_the_readers,
        hours_and_days_are_bounded,
        points_are_asked_for_ten_at_a_time,
        what_is_slow_is_pending_within_three_seconds,
        one_place_that_fails_does_not_fail_the_others,
        a_hundred_who_ask_for_one_cell_make_one_call,
        cold_cells_go_out_in_one_call,
        cells_in_use_are_refreshed_ahead,
        the_screen_is_made_anew_when_something_changed,
        nobody_burns_the_weather_of_others,
        the_sandbox_is_never_mixed_with_real_weather,
        people_who_rely_on_it_never_see_the_sandbox,
    ],
    postgres: []
}

pub const LIST: &str = "/v1/favourites/forecasts";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Saves a point with a height, so that nothing but its forecast has to be fetched.
pub async fn saved(client: &Client, lat: f64, lon: f64) -> String {
    let body = json!({"name": format!("{lat} {lon}"), "lat": lat, "lon": lon, "elevation": 50});
    client.post("/v1/favourites", body).await.expect(201).text("/id")
}

/// The provider's calls so far, once the server has found out whether it is there.
pub async fn calls(app: &TestApp) -> u64 {
    app.app().weather().providers().decided().await;
    app.provider.calls()
}

/// Lets time pass for everybody; the access token ends with it, so a new one is asked for.
pub async fn later(app: &TestApp, client: &Client, by: Duration) {
    app.advance(by);
    client.keep(|kept| kept.access_token = None);
    client.refresh().await;
}

/// Asks again until the answer is right, within ten seconds: work behind an answer needs a moment.
pub async fn eventually(client: &Client, path: &str, right: impl Fn(&Response) -> bool) -> Response {
    let asking = async {
        loop {
            let answer = client.get(path).await;
            if right(&answer) {
                return answer;
            }
            // Asked as fast as it goes, the account's limit would be used up before the work is done.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asking).await.expect("the answer becomes right")
}

fn is_ready(answer: &Response) -> bool {
    let items = answer.json["items"].as_array().cloned().unwrap_or_default();
    items.iter().all(|item| item["forecast"].is_object())
}

async fn the_favourites_screen_is_one_request(app: TestApp) {
    let ann = app.anonymous().await;
    let empty = ann.get(LIST).await.expect(200);
    assert_eq!((&empty.json["items"], &empty.json["sources"]), (&json!([]), &json!({})));
    saved(&ann, 38.725, -9.125).await;
    let list = ann.get(&format!("{LIST}?hours=2&days=1")).await.expect(200);
    assert_eq!(list.header("cache-control"), "no-store");
    // Both databases answer the same, in one process or in two.
    insta::allow_duplicates! {
        insta::with_settings!({sort_maps => true}, {
            insta::assert_json_snapshot!(list.json, {".items[0].favourite_id" => "[id]"}, @r#"
            {
              "items": [
                {
                  "favourite_id": "[id]",
                  "forecast": {
                    "daily": {
                      "date": [
                        "2026-11-21"
                      ],
                      "precipitation": [
                        27.6
                      ],
                      "precipitation_probability": [
                        92
                      ],
                      "sunrise": [
                        1795245911
                      ],
                      "sunset": [
                        1795281550
                      ],
                      "temperature_max": [
                        13.2
                      ],
                      "temperature_min": [
                        5.2
                      ],
                      "weather_code": [
                        95
                      ],
                      "wind_gust_max": [
                        26.3
                      ],
                      "wind_speed_max": [
                        15.5
                      ]
                    },
                    "fetched_at": "2026-11-21T10:00:00Z",
                    "hourly": {
                      "is_day": [
                        true,
                        true
                      ],
                      "precipitation": [
                        1.1,
                        1.2
                      ],
                      "precipitation_probability": [
                        44,
                        48
                      ],
                      "step_s": [
                        3600,
                        3600
                      ],
                      "temperature": [
                        12.6,
                        13.0
                      ],
                      "time": [
                        1795255200,
                        1795258800
                      ],
                      "weather_code": [
                        3,
                        61
                      ]
                    },
                    "issued_at": null,
                    "now": {
                      "apparent_temperature": 10.6,
                      "cloud_cover": 90,
                      "dew_point": 7.3,
                      "humidity": 70,
                      "is_day": true,
                      "precipitation": 1.1,
                      "precipitation_probability": 44,
                      "temperature": 12.6,
                      "time": 1795255200,
                      "weather_code": 3,
                      "wind_direction": 150,
                      "wind_gust": 22.0,
                      "wind_speed": 10.8
                    },
                    "source": "open-meteo",
                    "stale": false,
                    "today": {
                      "date": "2026-11-21",
                      "precipitation": 27.6,
                      "precipitation_probability": 92,
                      "sunrise": 1795245911,
                      "sunset": 1795281550,
                      "temperature_max": 13.2,
                      "temperature_min": 5.2,
                      "weather_code": 95,
                      "wind_gust_max": 26.3,
                      "wind_speed_max": 15.5
                    },
                    "tz": "Europe/Lisbon"
                  }
                }
              ],
              "sources": {
                "open-meteo": {
                  "text": "Weather data by Open-Meteo.com",
                  "url": "https://open-meteo.com/"
                }
              },
              "units": {
                "apparent_temperature": "°C",
                "cloud_cover": "%",
                "dew_point": "°C",
                "humidity": "%",
                "precipitation": "mm",
                "precipitation_probability": "%",
                "pressure": "hPa",
                "snowfall": "cm",
                "temperature": "°C",
                "visibility": "km",
                "wind_direction": "°",
                "wind_gust": "km/h",
                "wind_speed": "km/h"
              }
            }
            "#);
        });
    }
    // Twelve hours and a day when nothing is said.
    let list = ann.get(LIST).await.expect(200);
    let forecast = &list.json["items"][0]["forecast"];
    assert_eq!(forecast["hourly"]["time"].as_array().unwrap().len(), 12);
    assert_eq!(forecast["daily"]["date"].as_array().unwrap().len(), 1);
}

async fn a_detail_page_has_everything(app: TestApp) {
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let forecast = ann.get(&format!("/v1/favourites/{id}/forecast?hours=24&days=3")).await.expect(200);
    assert_eq!(forecast.json["source"], "open-meteo");
    let attribution = json!({"text": "Weather data by Open-Meteo.com", "url": "https://open-meteo.com/"});
    assert_eq!(forecast.json["attribution"], attribution);
    assert_eq!(forecast.json["fetched_at"], "2026-11-21T10:00:00Z");
    assert_eq!((&forecast.json["age_s"], &forecast.json["stale"]), (&json!(0), &json!(false)));
    assert_eq!(forecast.json["tz"], "Europe/Lisbon");
    let hourly = forecast.json["hourly"].as_object().unwrap();
    for variable in [
        "temperature",
        "apparent_temperature",
        "dew_point",
        "humidity",
        "pressure",
        "cloud_cover",
        "visibility",
        "precipitation",
        "precipitation_probability",
        "snowfall",
        "weather_code",
        "wind_speed",
        "wind_direction",
        "wind_gust",
        "uv_index",
        "is_day",
        "time",
        "step_s",
    ] {
        assert_eq!(hourly[variable].as_array().unwrap().len(), 24, "{variable}");
    }
    assert_eq!(forecast.json["daily"]["date"], json!(["2026-11-21", "2026-11-22", "2026-11-23"]));
    // The provider's weather is that of the cell at its band's height; the favourite stands 50 m up in it.
    let at = hourly["time"][5].as_i64().unwrap();
    let told = hourly["temperature"][5].as_f64().unwrap();
    let given = FakeProvider::temperature(38.725, 0.0, at);
    assert!((told - given).abs() < 0.4, "{told} is not about {given}");
    app.advance(Duration::from_secs(90));
    let aged = ann.get(&format!("/v1/favourites/{id}/forecast")).await.expect(200);
    assert_eq!(aged.json["age_s"], 90);
    // A place of the gazetteer has a page, too, without being anybody's favourite.
    let place = ann.get("/v1/places/2267057/forecast?hours=1").await.expect(200);
    assert_eq!(place.json["tz"], "Europe/Lisbon");
    ann.get("/v1/places/4294967295/forecast").await.problem(404, "not_found");
    app.visitor().get("/v1/places/2267057/forecast").await.problem(401, "credential_required");
}

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

async fn units_are_the_readers(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    let now = |list: &Response, name: &str| list.json["items"][0]["forecast"]["now"][name].as_f64().unwrap();
    let metric = ann.get(&format!("{LIST}?units=metric")).await.expect(200);
    let imperial = ann.get(&format!("{LIST}?units=imperial")).await.expect(200);
    let si = ann.get(&format!("{LIST}?units=si")).await.expect(200);
    for (list, temperature, wind) in [(&metric, "°C", "km/h"), (&imperial, "°F", "mph"), (&si, "°C", "m/s")]
    {
        assert_eq!(list.json["units"]["temperature"], temperature, "{list}");
        assert_eq!(list.json["units"]["wind_speed"], wind, "{list}");
    }
    let fahrenheit = now(&metric, "temperature") * 1.8 + 32.0;
    assert!((now(&imperial, "temperature") - fahrenheit).abs() < 0.1);
    assert!((now(&metric, "wind_speed") - now(&si, "wind_speed") * 3.6).abs() < 0.2);
    assert_eq!(ann.get(LIST).await.json["units"], metric.json["units"]);
    // The account's preference counts at once, in lists that were kept as well, unless the request says otherwise.
    for units in ["imperial", "si", "metric", "imperial"] {
        ann.put("/v1/me/preferences", json!({"units": units})).await.expect(204);
        let expected = [("metric", &metric), ("imperial", &imperial), ("si", &si)];
        let (_, expected) = expected.into_iter().find(|(name, _)| *name == units).unwrap();
        assert_eq!(ann.get(LIST).await.expect(200).json, expected.json, "{units}");
    }
    assert_eq!(ann.get(&format!("{LIST}?units=metric")).await.json, metric.json);
    ann.get(&format!("{LIST}?units=kelvin")).await.invalid("?units", "unknown");
    ann.put("/v1/me/preferences", json!({"units": "kelvin"})).await.invalid("/units", "unknown");
    assert_eq!(app.provider.calls(), calls(&app).await, "units are a matter of writing, not of fetching");
}

async fn hours_and_days_are_bounded(app: TestApp) {
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    for path in [LIST, &format!("/v1/favourites/{id}/forecast"), "/v1/places/2267057/forecast"] {
        for (query, pointer, code) in [
            ("hours=385", "?hours", "out_of_range"),
            ("days=17", "?days", "out_of_range"),
            ("hours=4294967295", "?hours", "out_of_range"),
            ("hours=-1", "?hours", "wrong_type"),
            ("days=1.5", "?days", "wrong_type"),
            ("days=", "?days", "wrong_type"),
            ("weeks=1", "?weeks", "unknown_field"),
        ] {
            ann.get(&format!("{path}?{query}")).await.invalid(pointer, code);
        }
        ann.get(&format!("{path}?hours=384&days=16")).await.expect(200);
    }
    let none = ann.get(&format!("{LIST}?hours=0&days=0")).await.expect(200);
    let forecast = &none.json["items"][0]["forecast"];
    assert_eq!(forecast["hourly"]["time"], json!([]));
    assert_eq!(forecast["daily"]["date"], json!([]));
    assert!(forecast["now"].is_object() && forecast["today"].is_object());
}

async fn points_are_asked_for_ten_at_a_time(app: TestApp) {
    let ann = app.anonymous().await;
    let point = |n: u32| json!({"lat": f64::from(n), "lon": 5.0, "elevation": 50});
    let before = calls(&app).await;
    let points: Vec<Value> = (0..10).map(point).collect();
    let answer = ann.post("/v1/forecasts?hours=1", json!({"points": points})).await.expect(200);
    let items = answer.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 10);
    assert_eq!(app.provider.calls(), before + 1);
    // In the order asked: it is colder farther north.
    let temperatures: Vec<f64> =
        items.iter().map(|item| item["forecast"]["now"]["temperature"].as_f64().unwrap()).collect();
    assert!(temperatures.is_sorted_by(|a, b| a > b), "{temperatures:?}");
    let eleven: Vec<Value> = (0..11).map(point).collect();
    ann.post("/v1/forecasts", json!({"points": eleven})).await.invalid("/points", "out_of_range");
    ann.post("/v1/forecasts", json!({"points": []})).await.invalid("/points", "out_of_range");
    let wrong = json!({"points": [point(1), {"lat": 91, "lon": 0}, {"lat": 0, "lon": 0, "elevation": 9001}]});
    let wrong = ann.post("/v1/forecasts", wrong).await;
    wrong.clone().invalid("/points/1/lat", "out_of_range");
    wrong.invalid("/points/2/elevation", "out_of_range");
    assert_eq!(app.provider.calls(), before + 1);
}

async fn what_is_slow_is_pending_within_three_seconds(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    ann.get(LIST).await.expect(200);
    let slow = saved(&ann, 10.025, 10.025).await;
    app.provider.set_fault(Fault::Slow(Duration::from_secs(4)));
    let begun = std::time::Instant::now();
    let list = ann.get(LIST).await.expect(200);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
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

async fn the_screen_is_made_anew_when_something_changed(app: TestApp) {
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let first = ann.get(LIST).await.expect(200);
    assert_eq!(ann.get(LIST).await.bytes, first.bytes);
    // A favourite changes: it moves far north, and there are more or fewer of them.
    ann.patch(&format!("/v1/favourites/{id}"), json!({"lat": 70.025, "elevation": 50})).await.expect(200);
    let moved = ann.get(LIST).await.expect(200);
    let temperature =
        |list: &Response| list.json["items"][0]["forecast"]["now"]["temperature"].as_f64().unwrap();
    assert!(temperature(&moved) < temperature(&first) - 5.0);
    let other = saved(&ann, 10.025, 10.025).await;
    assert_eq!(ann.get(LIST).await.json["items"].as_array().unwrap().len(), 2);
    ann.delete(&format!("/v1/favourites/{other}")).await.expect(204);
    assert_eq!(ann.get(LIST).await.json["items"].as_array().unwrap().len(), 1);
    // The hour turns: another slot is now, and the list of hours begins with it.
    let before = ann.get(LIST).await.expect(200);
    let time = |list: &Response| list.json["items"][0]["forecast"]["now"]["time"].as_i64().unwrap();
    later(&app, &ann, Duration::from_secs(3600)).await;
    let turned = ann.get(LIST).await.expect(200);
    assert_eq!(time(&turned), time(&before) + 3600);
    assert_eq!(turned.json["items"][0]["forecast"]["hourly"]["time"][0], time(&turned));
    // A cell is refreshed.
    later(&app, &ann, Duration::from_secs(11 * 60)).await;
    let kept = ann.get(LIST).await.expect(200);
    app.refresh_ahead().await;
    let fetched = |list: &Response| list.json["items"][0]["forecast"]["fetched_at"].clone();
    let renewed = eventually(&ann, LIST, |list| fetched(list) == "2026-11-21T11:11:00Z").await;
    assert_ne!(fetched(&renewed), "2026-11-21T10:00:00Z", "{kept}");
    // Another number of hours is another screen.
    let short = ann.get(&format!("{LIST}?hours=1")).await.expect(200);
    assert_eq!(short.json["items"][0]["forecast"]["hourly"]["time"].as_array().unwrap().len(), 1);
    // Midnight: today is another day.
    later(&app, &ann, Duration::from_secs(16 * 3600)).await;
    let tomorrow = ann.get(LIST).await.expect(200);
    assert_eq!(tomorrow.json["items"][0]["forecast"]["today"]["date"], "2026-11-22");
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

/// Sources of all items; the list names each of them once.
fn sources(list: &Response) -> BTreeSet<String> {
    let items = list.json["items"].as_array().cloned().unwrap_or_default();
    let sources: BTreeSet<String> =
        items.iter().filter_map(|item| item["forecast"]["source"].as_str().map(String::from)).collect();
    let named: BTreeSet<String> = list.json["sources"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(sources, named, "{list}");
    sources
}

async fn the_sandbox_is_never_mixed_with_real_weather(mut app: TestApp) {
    app.provider.set_fault(Fault::Status(500));
    app.restart().await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let made_up = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&made_up), BTreeSet::from([String::from("sandbox")]));
    let text = json!({"text": "Made-up weather for development", "url": null});
    assert_eq!(made_up.json["sources"]["sandbox"], text);
    assert_eq!(ann.get(LIST).await.bytes, made_up.bytes);
    // The provider is there again, but nobody has noticed yet.
    app.provider.set_fault(Fault::None);
    saved(&ann, 10.025, 10.025).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&list), BTreeSet::from([String::from("sandbox")]));
    app.app().weather().providers().leave_sandbox();
    let real = BTreeSet::from([String::from("open-meteo")]);
    assert_eq!(sources(&ann.get(LIST).await.expect(200)), real, "not even a list that was kept");
    assert_eq!(ann.get(&format!("/v1/favourites/{id}/forecast")).await.json["source"], "open-meteo");
    // And never back: a provider that fails later is a provider that fails.
    app.provider.set_fault(Fault::Status(500));
    saved(&ann, 20.025, 10.025).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&list), real);
    assert_eq!(list.json["items"][2]["problem"]["code"], "weather_unavailable");
    // The next start finds only real weather in the database for real weather.
    app.provider.set_fault(Fault::None);
    app.restart().await;
    assert_eq!(sources(&ann.moved_to(&app).get(LIST).await), real);
}

async fn people_who_rely_on_it_never_see_the_sandbox(mut app: TestApp) {
    app.provider.set_fault(Fault::Status(500));
    app.restart_in(server::Mode::Serve, |config| config.weather.sandbox.always = true).await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["problem"]["code"], "weather_unavailable");
    ann.get(&format!("/v1/favourites/{id}/forecast")).await.problem(503, "weather_unavailable");
    app.provider.set_fault(Fault::None);
    later(&app, &ann, Duration::from_secs(60)).await;
    assert_eq!(ann.get(LIST).await.json["items"][0]["forecast"]["source"], "open-meteo");
}
