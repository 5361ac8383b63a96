//! Forecasts: what they hold, and for whom.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};
use testkit::events::SOON;
use testkit::provider::FakeProvider;

testkit::stamp! {
    both: [
        the_favourites_screen_is_one_request,
        a_detail_page_has_everything,
        units_are_the_readers,
        hours_and_days_are_bounded,
        points_are_asked_for_ten_at_a_time,
        the_screen_is_made_anew_when_something_changed,
    ]
}

pub const LIST: &str = "/v1/favourites/forecasts";

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

/// Asks again until the answer is right: work behind an answer needs a moment.
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
    tokio::time::timeout(SOON, asking).await.expect("the answer becomes right")
}

pub fn is_ready(answer: &Response) -> bool {
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
