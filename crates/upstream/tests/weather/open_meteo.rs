//! What the adapter asks for and what it makes of a sound answer.

use std::time::Duration;

use domain::Coordinates;
use domain::forecast::{BudgetLimits, Pack, Series, Source, Variable};
use testkit::provider::{FakeProvider, Fault};
use upstream::weather::{FetchError, OpenMeteoSettings, WeatherProvider, answers_within};

use crate::{NOW, PATIENCE, cell, provider, three};

fn value(series: &Series, variable: Variable, at: i64) -> Option<f64> {
    let slot = series.slot_at(at)?;
    series.column(variable)?.get(slot.index).map(f64::from)
}

#[tokio::test]
async fn one_request_brings_fourteen_days_for_every_cell() {
    let (provider, adapter) = provider().await;
    let cells = three();
    let answers = adapter.fetch(&cells, Pack::Core, NOW).await.expect("an answer");
    assert_eq!((provider.calls(), provider.locations()), (1, 3));
    assert_eq!(adapter.weight(3, Pack::Core).milli(), 3000);
    for (cell, answer) in cells.iter().zip(answers) {
        let series = answer.expect("sound").series;
        assert_eq!((series.source(), series.pack(), series.len()), (Source::OpenMeteo, Pack::Core, 336));
        assert_eq!((series.fetched_at(), series.issued_at()), (NOW, None));
        for slot in series.slots() {
            let expected =
                FakeProvider::temperature(cell.centre().lat(), cell.band_elevation().into(), slot.start);
            let found = value(&series, Variable::Temperature, slot.start).expect("a temperature");
            assert!((found - expected).abs() < 0.006, "{found} {expected}");
        }
    }
}

#[tokio::test]
async fn the_request_says_all_that_matters_and_hides_the_key() {
    let (provider, adapter) = provider().await;
    adapter.fetch(&three()[..2], Pack::Core, NOW).await.expect("an answer");
    assert_eq!(
        provider.last_query(),
        "latitude=38.725,60.125&longitude=-9.125,9.25&elevation=0,700\
         &hourly=temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,\
         precipitation_probability,weather_code,cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m\
         &forecast_days=14&timezone=auto&timeformat=unixtime&cell_selection=land\
         &temperature_unit=celsius&wind_speed_unit=ms&precipitation_unit=mm"
    );
    assert_eq!(provider.last_header("x-api-key").as_deref(), Some("a-key"));
    let agent = provider.last_header("user-agent").expect("a user agent");
    assert!(agent.starts_with("Fairweather/"), "{agent}");
}

#[tokio::test]
async fn sums_of_the_preceding_hour_belong_to_the_slot_before() {
    let (_provider, adapter) = provider().await;
    let cells = [three()[0]];
    let midnight = NOW.seconds() - NOW.seconds().rem_euclid(86_400);
    let core =
        adapter.fetch(&cells, Pack::Core, NOW).await.expect("an answer").remove(0).expect("sound").series;
    // The fake's sums count the hour of the day at which they are given: at 10:00 it says 1.0 mm for 9 to 10.
    let at_nine = midnight + 9 * 3600;
    for (variable, expected) in [
        (Variable::Precipitation, 1.0),
        (Variable::PrecipitationProbability, 40.0),
        (Variable::WindGust, 6.0),
        (Variable::WindSpeed, 2.9),
        (Variable::CloudCover, 91.0),
        (Variable::Humidity, 69.0),
        (Variable::WindDirection, 135.0),
    ] {
        let found = value(&core, variable, at_nine).expect("a value");
        assert!((found - expected).abs() < 0.011, "{} {found}", variable.name());
    }
    assert_eq!(value(&core, Variable::WeatherCode, midnight + 11 * 3600), Some(61.0));
    let last = midnight + 335 * 3600;
    assert_eq!(value(&core, Variable::Precipitation, last), None);
    assert!(value(&core, Variable::Temperature, last).is_some());

    let detail =
        adapter.fetch(&cells, Pack::Detail, NOW).await.expect("an answer").remove(0).expect("sound").series;
    assert_eq!(value(&detail, Variable::Snowfall, at_nine).map(|cm| (cm * 100.0).round()), Some(10.0));
    assert_eq!(value(&detail, Variable::Visibility, at_nine), Some(24_140.0));
    assert_eq!(value(&detail, Variable::Pressure, at_nine).map(|hpa| (hpa * 10.0).round()), Some(10_132.0));
}

#[tokio::test]
async fn more_than_fifty_cells_go_in_several_requests() {
    let (provider, adapter) = provider().await;
    let cells: Vec<_> = (0..120).map(|index| cell(-60.0 + f64::from(index), 10.0, 0.0)).collect();
    let answers = adapter.fetch(&cells, Pack::Core, NOW).await.expect("an answer");
    assert!(answers.len() == 120 && answers.iter().all(Result::is_ok));
    assert_eq!((provider.calls(), provider.locations()), (3, 120));
    assert_eq!(adapter.fetch(&[], Pack::Core, NOW).await, Ok(Vec::new()));
    assert_eq!(provider.calls(), 3);
}

#[tokio::test]
async fn the_ends_of_the_earth_are_places_too() {
    let (_provider, adapter) = provider().await;
    let cells =
        [cell(90.0, 0.0, 0.0), cell(-90.0, 77.0, 2835.0), cell(-17.7, 180.0, 0.0), cell(66.0, -179.99, 0.0)];
    let answers = adapter.fetch(&cells, Pack::Core, NOW).await.expect("an answer");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn elevations_leave_rounded_and_the_unknown_stays_unknown() {
    let (provider, adapter) = provider().await;
    let points = [(60.123_456, 9.2), (89.9, 0.0), (-12.0, 5.0)]
        .map(|(lat, lon)| Coordinates::parse(lat, lon).expect("on earth"));
    assert_eq!(adapter.terrain(&points).await, Ok(vec![Some(601.0), None, Some(0.0)]));
    assert_eq!(provider.last_query(), "latitude=60.12,89.9,-12&longitude=9.2,0,5");
    assert_eq!(adapter.elevations(&points[..1]).await, [Some(601)]);
    assert_eq!(adapter.elevations(&points[1..2]).await, [None]);
    provider.set_fault(Fault::Html);
    assert_eq!(adapter.terrain(&points).await, Err(FetchError::NotData { status: 200 }));
    assert_eq!(adapter.elevations(&points[..1]).await, [None]);
}

#[tokio::test]
async fn the_probe_tells_a_provider_from_none() {
    let (provider, adapter) = provider().await;
    assert!(answers_within(&adapter, PATIENCE, NOW).await);
    for fault in [Fault::Html, Fault::Hanging, Fault::MinutelyLimit, Fault::Nulls] {
        provider.set_fault(fault);
        assert!(!answers_within(&adapter, Duration::from_millis(200), NOW).await, "{fault:?}");
    }
    let gone = crate::adapter("http://127.0.0.1:9");
    assert!(!answers_within(&gone, PATIENCE, NOW).await);
}

#[test]
fn settings_know_the_free_host_and_refuse_what_is_no_base() {
    let parse = |url| OpenMeteoSettings::parse(url, None);
    let free = parse("https://api.open-meteo.com").expect("the free host");
    assert_eq!(free.budget_limits(None), BudgetLimits::OPEN_METEO_FREE);
    let own = parse("http://open-meteo:8080/api/").expect("a container");
    assert_eq!(own.budget_limits(None), BudgetLimits::UNLIMITED);
    assert_eq!(own.budget_limits(Some(1_000_000)), BudgetLimits::monthly(1_000_000));
    for url in
        ["", "api.open-meteo.com", "ftp://api.open-meteo.com", "https://api.open-meteo.com?x=1", "data:,x"]
    {
        assert!(parse(url).is_err(), "{url}");
    }
}
