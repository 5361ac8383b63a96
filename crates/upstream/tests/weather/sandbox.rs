//! The sandbox's weather: always the same, never impossible, without seams.

use std::time::Duration;

use domain::forecast::{Cell, LimitWindow, Pack, Series, Source, Variable, WeatherCode};
use domain::{Coordinates, Timestamp};
use proptest::prelude::*;
use upstream::weather::{FetchError, Sandbox, Scenario, WeatherProvider};

use crate::{NOW, cell};

fn made(sandbox: &Sandbox, cell: Cell, pack: Pack, now: Timestamp) -> Series {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let fetched = runtime.block_on(sandbox.fetch(&[cell], pack, now));
    fetched.expect("an answer").remove(0).expect("sound").series
}

fn values(series: &Series, variable: Variable) -> Vec<f32> {
    let column = series.column(variable).expect("in the pack");
    series.slots().map(|slot| column.get(slot.index).expect("never absent")).collect()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

fn mean_temperature(lat: f64, lon: f64, elevation_m: f32, month: i64) -> f32 {
    let now = Timestamp::from_seconds(1_767_225_600 + month * 2_629_800);
    mean(&values(
        &made(&Sandbox::default(), cell(lat, lon, elevation_m), Pack::Core, now),
        Variable::Temperature,
    ))
}

#[test]
fn the_same_place_and_hour_have_the_same_weather_whenever_asked() {
    let berlin = cell(52.52, 13.4, 34.0);
    let today = made(&Sandbox::default(), berlin, Pack::Core, NOW);
    assert_eq!(today, made(&Sandbox::new(Scenario::Fair), berlin, Pack::Core, NOW));
    assert_eq!(today.source(), Source::Sandbox);
    // Asked two days later, the days both know are alike.
    let later = made(&Sandbox::default(), berlin, Pack::Core, NOW.plus(Duration::from_secs(2 * 86_400)));
    for variable in Pack::Core.variables() {
        let (one, other) = (values(&today, *variable), values(&later, *variable));
        assert_eq!(one[48..], other[..one.len() - 48], "{}", variable.name());
    }
}

#[test]
fn climate_follows_latitude_season_and_elevation() {
    let (january, july) = (0, 6);
    assert!(mean_temperature(60.0, 10.0, 0.0, january) < 5.0);
    assert!(mean_temperature(60.0, 10.0, 0.0, july) > 8.0);
    assert!(mean_temperature(-35.0, 150.0, 0.0, january) > mean_temperature(-35.0, 150.0, 0.0, july) + 5.0);
    assert!(mean_temperature(0.0, -60.0, 0.0, january) > 22.0);
    assert!(mean_temperature(46.0, 8.0, 3000.0, july) < mean_temperature(46.0, 8.0, 0.0, july) - 15.0);
    assert!(mean_temperature(88.0, 0.0, 0.0, january) < -20.0);
}

#[test]
fn it_rains_somewhere_and_not_everywhere() {
    let mut codes = std::collections::BTreeSet::new();
    let (mut wet, mut all) = (0, 0);
    for index in 0..150 {
        let (lat, lon) = (f64::from(index % 15) * 10.0 - 70.0, f64::from(index) * 2.4 - 180.0);
        let now = Timestamp::from_seconds(NOW.seconds() + i64::from(index) * 2_000_000);
        let series = made(&Sandbox::default(), cell(lat, lon, 0.0), Pack::Core, now);
        codes.extend(values(&series, Variable::WeatherCode).into_iter().map(|code| code as u8));
        let rain = values(&series, Variable::Precipitation);
        wet += rain.iter().filter(|mm| **mm > 0.0).count();
        all += rain.len();
    }
    let share = wet as f64 / all as f64;
    assert!((0.05..0.30).contains(&share), "{share}");
    for code in [0, 1, 2, 3, 45, 51, 61, 71, 80] {
        assert!(codes.contains(&code), "{code} of {codes:?}");
    }
}

#[test]
fn scenarios_do_what_their_names_say() {
    let place = cell(48.1, 11.6, 520.0);
    let summer = Timestamp::from_seconds(1_784_000_000);
    let fair = made(&Sandbox::default(), place, Pack::Core, summer);
    let storm = made(&Sandbox::new(Scenario::Storm), place, Pack::Core, summer);
    let heat = made(&Sandbox::new(Scenario::Heat), place, Pack::Core, summer);
    assert!(mean(&values(&storm, Variable::WindGust)) > 20.0);
    assert!(values(&storm, Variable::WeatherCode).contains(&95.0));
    assert!(mean(&values(&heat, Variable::Temperature)) > mean(&values(&fair, Variable::Temperature)) + 10.0);
    assert_eq!(values(&heat, Variable::Precipitation).iter().sum::<f32>(), 0.0);
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::parse(scenario.name()), Some(scenario));
    }
}

#[tokio::test(start_paused = true)]
async fn outage_limit_and_slowness_can_be_switched_on() {
    let sandbox = Sandbox::default();
    let cells = [cell(48.1, 11.6, 520.0)];
    sandbox.set_scenario(Scenario::Outage);
    assert_eq!(sandbox.fetch(&cells, Pack::Core, NOW).await, Err(FetchError::Server { status: 503 }));
    sandbox.set_scenario(Scenario::Limited);
    let limited = FetchError::Limited { window: LimitWindow::Minute, retry_after: None };
    assert_eq!(sandbox.fetch(&cells, Pack::Core, NOW).await, Err(limited));
    sandbox.set_scenario(Scenario::Slow);
    let begun = tokio::time::Instant::now();
    assert!(sandbox.fetch(&cells, Pack::Core, NOW).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn weather_is_possible_and_agrees_with_itself(
        lat in -90.0..=90.0f64, lon in -180.0..=180.0f64, metres in 0.0..4500.0f32,
        days in 0..4000i64, scenario in 0..3usize,
    ) {
        let sandbox = Sandbox::new(Scenario::ALL[scenario]);
        let now = Timestamp::from_seconds(1_700_000_000 + days * 86_400);
        let core = made(&sandbox, cell(lat, lon, metres), Pack::Core, now);
        let of = |variable| values(&core, variable);
        let codes = of(Variable::WeatherCode);
        let (rain, cloud, air) = (of(Variable::Precipitation), of(Variable::CloudCover), of(Variable::Temperature));
        let (wind, gust) = (of(Variable::WindSpeed), of(Variable::WindGust));
        for hour in 0..core.len() {
            let code = codes[hour] as u8;
            prop_assert!(WeatherCode::from_number(code).is_some());
            prop_assert_eq!(rain[hour] > 0.0, code > 50, "code {} with {} mm", code, rain[hour]);
            prop_assert!(rain[hour] == 0.0 || cloud[hour] > 60.0, "{} mm under {} %", rain[hour], cloud[hour]);
            prop_assert!(!(71..=77).contains(&code) || air[hour] < 0.5);
            prop_assert!(!(51..=65).contains(&code) || air[hour] >= 2.0);
            prop_assert!(gust[hour] > wind[hour]);
            if hour > 0 {
                prop_assert!((air[hour] - air[hour - 1]).abs() < 4.0, "{} to {}", air[hour - 1], air[hour]);
            }
        }
        let detail = made(&sandbox, cell(lat, lon, metres), Pack::Detail, now);
        for (snow, mm) in values(&detail, Variable::Snowfall).into_iter().zip(rain) {
            prop_assert!(snow == 0.0 || mm > 0.0);
        }
    }

    #[test]
    fn neighbours_have_neighbouring_weather(lat in -89.0..89.0f64, lon in -180.0..=180.0f64) {
        let here = cell(lat, lon, 0.0);
        let beside = (here.centre().lon() + 0.25 + 180.0).rem_euclid(360.0) - 180.0;
        let there = Cell::of(Coordinates::parse(lat, beside).expect("on earth"), 0.0);
        let sandbox = Sandbox::default();
        let (here, there) = (made(&sandbox, here, Pack::Core, NOW), made(&sandbox, there, Pack::Core, NOW));
        for variable in [Variable::Temperature, Variable::WindSpeed] {
            for (one, other) in values(&here, variable).into_iter().zip(values(&there, variable)) {
                prop_assert!((one - other).abs() < 2.0, "{} {one} {other}", variable.name());
            }
        }
    }
}
