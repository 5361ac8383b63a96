//! Every fault of a provider, as the reader meets it: the last good forecast marked as old, or a clear 503, soon.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::TestApp;
use testkit::provider::Fault;

use crate::forecasts::{LIST, calls, later, saved};

testkit::stamp! {
    both: [
        the_last_good_forecast_lasts_two_days,
        a_limit_is_slept_through,
        three_strikes_and_it_is_left_alone,
        a_provider_that_is_gone_is_no_catastrophe,
    ]
}

/// What the reader gets while it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shown {
    /// It can be used all the same.
    Fresh,
    /// The forecast of before, and nothing where there was none.
    Old,
}

const SOON: Duration = Duration::from_secs(10);

fn faults() -> Vec<(Fault, Shown)> {
    let fresh = [
        Fault::None,
        Fault::Slow(Duration::from_millis(50)),
        Fault::OneNull,
        Fault::NoUnits,
        Fault::ShortDay,
        Fault::LongDay,
        Fault::ClockSkew(-3),
        Fault::WrongOrder,
        // One location in an array is still the one asked for.
        Fault::ArrayObjectSwap,
    ];
    let old = [
        Fault::Slow(Duration::from_secs(30)),
        Fault::Hanging,
        Fault::Stalled,
        Fault::Truncated,
        Fault::GzipBomb,
        Fault::BadGzip,
        Fault::Html,
        Fault::Empty,
        Fault::WrongTypes,
        Fault::Nulls,
        Fault::MissingArray,
        Fault::MissingHourly,
        Fault::DifferentLengths,
        Fault::NanLiteral,
        Fault::Impossible,
        Fault::WrongUnit,
        Fault::ClockSkew(48),
        Fault::ClockSkew(-20 * 24),
        Fault::DuplicateTimes,
        Fault::UnorderedTimes,
        Fault::WrongCount,
        Fault::ErrorWith200,
        Fault::MinutelyLimit,
        Fault::HourlyLimit,
        Fault::DailyLimit,
        Fault::ConcurrencyLimit,
        Fault::Status(204),
        Fault::Status(304),
        Fault::Status(400),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(500),
        Fault::Status(503),
        Fault::BadGateway,
        Fault::RedirectInside,
    ];
    fresh.map(|fault| (fault, Shown::Fresh)).into_iter().chain(old.map(|fault| (fault, Shown::Old))).collect()
}

#[test]
fn every_fault_ends_in_the_last_good_forecast_or_a_clear_answer() {
    testkit::databases::runtime().block_on(async {
        for some in faults().chunks(8) {
            let mut stories = tokio::task::JoinSet::new();
            for &(fault, shown) in some {
                stories.spawn(reader_meets(fault, shown));
            }
            stories.join_all().await;
        }
    });
}

async fn reader_meets(fault: Fault, shown: Shown) {
    let app = TestApp::start().await;
    let ann = app.anonymous().await;
    let known = saved(&ann, 38.725, -9.125).await;
    let good = ann.get(LIST).await.expect(200);
    assert!(good.json["items"][0]["forecast"].is_object(), "{good}");
    // Three hours later it must be fetched anew before it is shown as good.
    later(&app, &ann, Duration::from_secs(3 * 3600 + 600)).await;
    app.provider.set_fault(fault);
    let begun = Instant::now();
    let list = ann.get(LIST).await.expect(200);
    assert!(begun.elapsed() < SOON, "{fault:?} took {:?}", begun.elapsed());
    let forecast = &list.json["items"][0]["forecast"];
    let expected = match shown {
        Shown::Fresh => (json!(false), json!("2026-11-21T13:10:00Z")),
        Shown::Old => (json!(true), json!("2026-11-21T10:00:00Z")),
    };
    assert_eq!((forecast["stale"].clone(), forecast["fetched_at"].clone()), expected, "{fault:?}: {list}");
    let cold = saved(&ann, 10.025, 10.025).await;
    let begun = Instant::now();
    let list = ann.get(LIST).await.expect(200);
    assert!(begun.elapsed() < SOON, "{fault:?} took {:?}", begun.elapsed());
    assert!(list.json["items"][0]["forecast"].is_object(), "{fault:?}: what was there stays: {list}");
    let item = &list.json["items"][1];
    let code = item["problem"]["code"].as_str().unwrap_or("none");
    match shown {
        Shown::Fresh => assert_eq!(code, "none", "{fault:?}: {list}"),
        Shown::Old => {
            assert!(matches!(code, "weather_unavailable" | "forecast_pending"), "{fault:?}: {list}");
            let begun = Instant::now();
            let page = ann.get(&format!("/v1/favourites/{cold}/forecast")).await;
            assert!(begun.elapsed() < Duration::from_secs(25), "{fault:?} took {:?}", begun.elapsed());
            assert!(
                matches!(page.json["code"].as_str(), Some("weather_unavailable" | "forecast_pending")),
                "{page}"
            );
            assert!(page.header("retry-after").parse::<u64>().is_ok_and(|s| s >= 1), "{page}");
            let page = ann.get(&format!("/v1/favourites/{known}/forecast")).await.expect(200);
            assert_eq!(page.json["stale"], true, "{fault:?}: {page}");
        }
    }
    // It passes, and a day later nothing is left of it.
    app.provider.set_fault(Fault::None);
    later(&app, &ann, Duration::from_secs(25 * 3600)).await;
    for item in ann.get(LIST).await.expect(200).json["items"].as_array().unwrap() {
        assert_eq!(item["forecast"]["fetched_at"], "2026-11-22T14:10:00Z", "{fault:?}: {item}");
        assert_eq!(item["forecast"]["stale"], false, "{fault:?}: {item}");
    }
}

async fn the_last_good_forecast_lasts_two_days(app: TestApp) {
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    ann.get(LIST).await.expect(200);
    app.provider.set_fault(Fault::Status(503));
    for hours in [4, 20, 47] {
        let age = Duration::from_secs(hours * 3600).saturating_sub(app.now().since(testkit::app::NOW));
        later(&app, &ann, age).await;
        let list = ann.get(LIST).await.expect(200);
        assert_eq!(list.json["items"][0]["forecast"]["stale"], true, "{hours} h: {list}");
        let page = ann.get(&format!("/v1/favourites/{id}/forecast")).await.expect(200);
        assert_eq!(page.json["age_s"], hours * 3600);
        assert!(page.json["now"].is_object() && page.json["attribution"].is_object());
    }
    later(&app, &ann, Duration::from_secs(3600)).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["problem"]["code"], "weather_unavailable");
    let page = ann.get(&format!("/v1/favourites/{id}/forecast")).await.problem(503, "weather_unavailable");
    assert!(!page.header("retry-after").is_empty());
}

async fn a_limit_is_slept_through(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    for (fault, sleeps) in
        [(Fault::MinutelyLimit, 66), (Fault::HourlyLimit, 3_661), (Fault::DailyLimit, 86_701)]
    {
        let before = calls(&app).await;
        app.provider.set_fault(fault);
        for _ in 0..10 {
            let list = ann.get(LIST).await.expect(200);
            assert_eq!(list.json["items"][0]["problem"]["code"], "weather_unavailable");
        }
        assert_eq!(app.provider.calls(), before + 1, "{fault:?}: asked once, and then not before its time");
        app.advance(Duration::from_secs(1));
        ann.get(LIST).await.expect(200);
        assert_eq!(app.provider.calls(), before + 1, "{fault:?}");
        later(&app, &ann, Duration::from_secs(sleeps)).await;
        ann.get(LIST).await.expect(200);
        assert_eq!(app.provider.calls(), before + 2, "{fault:?}: asked again in the next window");
        app.provider.set_fault(Fault::None);
        later(&app, &ann, Duration::from_secs(sleeps)).await;
        let list = ann.get(LIST).await.expect(200);
        assert!(list.json["items"][0]["forecast"].is_object(), "{fault:?}: {list}");
        // So that the next one finds a cold cell again.
        later(&app, &ann, Duration::from_secs(49 * 3600)).await;
    }
}

async fn three_strikes_and_it_is_left_alone(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    let before = calls(&app).await;
    app.provider.set_fault(Fault::BadGateway);
    for _ in 0..20 {
        ann.get(LIST).await.expect(200);
        // Heights are asked for at the same door.
        ann.post("/v1/forecasts", json!({"points": [{"lat": 47.5, "lon": 11.5}]})).await.expect(200);
    }
    let asked = app.provider.calls() - before;
    assert!(asked <= 5, "three strikes, and the height once or twice: {asked}");
    // Then one at a time, each after a longer sleep: an hour sees a handful.
    let before = app.provider.calls();
    for _ in 0..60 {
        later(&app, &ann, Duration::from_secs(60)).await;
        for _ in 0..3 {
            ann.get(LIST).await.expect(200);
        }
    }
    let asked = app.provider.calls() - before;
    assert!((3..=15).contains(&asked), "an hour of trouble made {asked} calls");
    app.provider.set_fault(Fault::None);
    later(&app, &ann, Duration::from_secs(800)).await;
    assert!(ann.get(LIST).await.json["items"][0]["forecast"].is_object(), "it is forgiven at once");
}

async fn a_provider_that_is_gone_is_no_catastrophe(mut app: TestApp) {
    // Nobody listens there.
    app.restart_in(server::Mode::Serve, |config| {
        config.weather.open_meteo.base_url = String::from("http://127.0.0.1:9");
    })
    .await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let begun = Instant::now();
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["problem"]["code"], "weather_unavailable");
    ann.get(&format!("/v1/favourites/{id}/forecast")).await.problem(503, "weather_unavailable");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    ann.get("/readyz").await.expect(200);
    assert_eq!(ann.favourites().await.len(), 1);
}
