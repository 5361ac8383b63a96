use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::Coordinates;
use crate::forecast::{Pack, SeriesBuilder};

fn seconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a time").as_second()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

/// `hours` hours of `pack` from `start` on in which every value is `value(variable, hour)`.
fn series(pack: Pack, start: i64, hours: i64, value: impl Fn(Variable, i64) -> Option<f64>) -> Series {
    let fetched_at = Timestamp::from_seconds(start + 86_400);
    let mut builder = SeriesBuilder::new(Source::OpenMeteo, pack, fetched_at)
        .slots((0..hours).map(|hour| (start + hour * 3600, 3600)))
        .expect("ordered");
    for variable in pack.variables() {
        builder = builder.column(*variable, (0..hours).map(|hour| value(*variable, hour))).expect("sound");
    }
    builder.build().expect("sound")
}

fn place(lat: f64, lon: f64, name: &str) -> Place {
    let coordinates = Coordinates::parse(lat, lon).expect("on earth");
    Place { coordinates, elevation_m: None, zone: zone(name) }
}

fn cell(place: &Place) -> Cell {
    Cell::of(place.coordinates, 0.0)
}

/// A gentle value for every variable: temperature counts the hours.
fn counting(variable: Variable, hour: i64) -> Option<f64> {
    Some(match variable {
        Variable::Temperature => hour as f64 / 10.0,
        Variable::ApparentTemperature => hour as f64 / 10.0 - 1.0,
        Variable::Precipitation => 0.1,
        Variable::WeatherCode => 3.0,
        Variable::Pressure => 1013.2,
        Variable::Visibility => 24_140.0,
        Variable::UvIndex => 3.0,
        _ => 50.0,
    })
}

#[test]
fn the_favourites_screen_gets_now_today_and_twelve_hours() {
    let start = seconds("2026-11-20T23:00:00Z");
    let mut place = place(52.52, 13.405, "Europe/Berlin");
    place.elevation_m = Some(134.0);
    let cell = Cell::of(place.coordinates, 134.0);
    let core = series(Pack::Core, start, 336, counting);
    let request = ViewRequest { hours: 12, days: 1, units: Units::Metric, variables: VariableSet::LIST };
    let now = Timestamp::from_seconds(seconds("2026-11-21T09:41:04Z"));
    let forecast = Forecast::of(&core, None, cell, &place, &request, now);

    // The slot from 09:00 is the tenth; 34 m above the band of 100 m it is 0.2 °C colder.
    let shown = forecast.now.expect("a slot holds now");
    assert_eq!(shown.time, Timestamp::from_seconds(seconds("2026-11-21T09:00:00Z")));
    assert_eq!(shown.temperature, Some(0.8));
    assert_eq!(shown.apparent_temperature, Some(-0.2));
    assert_eq!(shown.humidity, Some(50));
    assert_eq!(shown.wind_speed, Some(180.0));
    assert_eq!(shown.weather_code, Some(3));
    assert!(shown.is_day);
    assert_eq!((shown.pressure, shown.uv_index), (None, None));

    assert_eq!(forecast.hourly.time.len(), 12);
    assert_eq!(forecast.hourly.temperature[0], Some(0.8));
    assert_eq!(forecast.hourly.is_day.iter().filter(|up| **up).count(), 7);
    assert!(forecast.hourly.wind_speed.is_empty() && forecast.hourly.pressure.is_empty());

    let today = forecast.today.expect("today is known");
    assert_eq!(today.date, date(2026, 11, 21));
    assert_eq!(today.temperature_min, Some(-0.2));
    assert_eq!(today.temperature_max, Some(2.1));
    assert_eq!(today.precipitation, Some(2.4));
    assert_eq!(forecast.daily.date, [date(2026, 11, 21)]);
    assert_eq!((forecast.age_s, forecast.stale), (0, false));
    assert_eq!(forecast.tz.as_deref(), Some("Europe/Berlin"));
    // By hand: noon at 11:52, declination -19.9°, so half a day of 4 h 14 min.
    let sunrise = today.sunrise.expect("the sun rises").seconds() - seconds("2026-11-21T06:38:30Z");
    let sunset = today.sunset.expect("the sun sets").seconds() - seconds("2026-11-21T15:05:30Z");
    assert!(sunrise.abs() < 60 && sunset.abs() < 60, "{sunrise} {sunset}");
}

#[test]
fn the_detail_page_joins_both_packs_of_one_source_by_time() {
    let start = seconds("2026-11-21T00:00:00Z");
    let place = place(38.72, -9.13, "Europe/Lisbon");
    let core = series(Pack::Core, start, 336, counting);
    // The detail pack was fetched an hour later and begins an hour later.
    let detail = series(Pack::Detail, start + 3600, 300, |variable, hour| match variable {
        Variable::Snowfall => Some(hour as f64 / 10.0),
        _ => counting(variable, hour),
    });
    let now = Timestamp::from_seconds(start + 5 * 3600 + 60);
    let request = ViewRequest { hours: 400, days: 16, units: Units::Imperial, variables: VariableSet::ALL };
    let forecast = Forecast::of(&core, Some(&detail), cell(&place), &place, &request, now);
    let shown = forecast.now.expect("now");
    assert_eq!((shown.pressure, shown.visibility, shown.snowfall), (Some(29.92), Some(15.0), Some(0.2)));
    assert_eq!(forecast.hourly.snowfall[..2], [Some(0.2), Some(0.2)]);
    assert_eq!(forecast.hourly.time.len(), 331);
    // Detail ends before core does.
    assert_eq!(forecast.hourly.uv_index.iter().filter(|value| value.is_none()).count(), 35);
    assert_eq!(forecast.daily.date.len(), 14);
    assert!(shown.dew_point < shown.temperature);

    let other = SeriesBuilder::new(Source::Nws, Pack::Detail, Timestamp::from_seconds(start))
        .slots([(start + 5 * 3600, 3600)])
        .and_then(|builder| builder.column(Variable::Pressure, [Some(1000.0)]))
        .and_then(|builder| builder.column(Variable::Visibility, [None]))
        .and_then(|builder| builder.column(Variable::Snowfall, [None]))
        .and_then(|builder| builder.column(Variable::UvIndex, [None]))
        .and_then(SeriesBuilder::build)
        .expect("sound");
    let unspliced = Forecast::of(&core, Some(&other), cell(&place), &place, &request, now);
    assert_eq!(unspliced.now.expect("now").pressure, None);
    assert!(unspliced.hourly.pressure.is_empty());
}

#[test]
fn local_days_are_as_long_as_their_clocks_make_them() {
    for (name, day, hours) in [
        ("Europe/Berlin", date(2026, 10, 25), 25.0),
        ("Europe/Berlin", date(2026, 3, 29), 23.0),
        ("Europe/Berlin", date(2026, 11, 21), 24.0),
        ("America/New_York", date(2026, 11, 1), 25.0),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Africa/Cairo", date(2026, 4, 24), 23.0),
        ("America/Havana", date(2026, 11, 1), 25.0),
        ("Pacific/Apia", date(2011, 12, 30), 0.0),
        ("Asia/Kolkata", date(2026, 11, 21), 24.0),
    ] {
        let local = LocalDay::of(day, &zone(name)).expect("a day");
        assert_eq!(local.length_s() as f64 / 3600.0, hours, "{name} {day}");
    }
}

#[test]
fn sums_over_a_clock_change_count_every_hour_once() {
    for (start, name, hours) in [
        ("2026-10-23T22:00:00Z", "Europe/Berlin", [24, 25, 24, 24]),
        ("2026-03-27T23:00:00Z", "Europe/Berlin", [24, 23, 24, 24]),
        ("2026-10-30T04:00:00Z", "America/New_York", [24, 24, 25, 24]),
    ] {
        let start = seconds(start);
        let place = place(50.0, 10.0, name);
        let core = series(Pack::Core, start, 336, |variable, hour| match variable {
            Variable::Precipitation => Some(0.1),
            other => counting(other, hour),
        });
        let request = ViewRequest { hours: 0, days: 4, units: Units::Si, variables: VariableSet::NONE };
        let now = Timestamp::from_seconds(start + 60);
        let forecast = Forecast::of(&core, None, cell(&place), &place, &request, now);
        let expected = hours.map(|hours| Some(f64::from(hours) / 10.0));
        assert_eq!(forecast.daily.precipitation, expected, "{name}");
        // The hours count up, so each day's minimum follows the maximum of the day before.
        for day in 1..4 {
            let gap = forecast.daily.temperature_min[day].zip(forecast.daily.temperature_max[day - 1]);
            assert!(gap.is_some_and(|(low, high)| (low - high - 0.1).abs() < 1e-9), "{name} {day}");
        }
    }
}

#[test]
fn an_answer_that_has_run_out_shows_no_present() {
    let start = seconds("2026-11-21T00:00:00Z");
    let place = place(0.0, 0.0, "Etc/UTC");
    let core = series(Pack::Core, start, 24, counting);
    let request = ViewRequest::full(Units::Metric);
    let late = Timestamp::from_seconds(start + 3 * 86_400);
    let forecast = Forecast::of(&core, None, cell(&place), &place, &request, late);
    assert_eq!((forecast.now, forecast.today), (None, None));
    assert!(forecast.hourly.time.is_empty() && forecast.daily.date.is_empty());
    assert!(forecast.stale);
    let early = Timestamp::from_seconds(start - 3600);
    let forecast = Forecast::of(&core, None, cell(&place), &place, &request, early);
    assert_eq!(forecast.now, None);
    assert_eq!(forecast.hourly.time.len(), 24);
}

#[test]
fn a_day_of_which_little_is_known_is_not_shown_unless_it_is_today() {
    let start = seconds("2026-11-21T20:00:00Z");
    let place = place(0.0, 0.0, "Etc/UTC");
    let core = series(Pack::Core, start, 4 + 24 + 10, counting);
    let request = ViewRequest { hours: 0, days: 9, units: Units::Metric, variables: VariableSet::NONE };
    let now = Timestamp::from_seconds(start);
    let forecast = Forecast::of(&core, None, cell(&place), &place, &request, now);
    assert_eq!(forecast.daily.date, [date(2026, 11, 21), date(2026, 11, 22)]);
}

#[test]
fn polar_days_have_no_sunrise() {
    let start = seconds("2026-06-21T00:00:00Z");
    let place = place(78.22, 15.64, "Arctic/Longyearbyen");
    let core = series(Pack::Core, start - 7200, 60, counting);
    let now = Timestamp::from_seconds(start);
    let forecast = Forecast::of(&core, None, cell(&place), &place, &ViewRequest::full(Units::Metric), now);
    let today = forecast.today.expect("today");
    assert_eq!((today.sunrise, today.sunset), (None, None));
    assert!(forecast.hourly.is_day.iter().all(|up| *up) && forecast.now.expect("now").is_day);
}

#[test]
fn dew_points_agree_with_tables() {
    for (temperature, humidity, expected) in
        [(20.0, 50.0, 9.3), (30.0, 80.0, 26.2), (0.0, 100.0, 0.0), (-10.0, 70.0, -14.4)]
    {
        let found = dew_point(temperature, humidity).expect("moist air");
        assert!((found - expected).abs() < 0.15, "{temperature} {humidity}: {found}");
    }
    assert_eq!(dew_point(20.0, 0.0), None);
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_out_is_sound(
        temperatures in prop::collection::vec(prop::option::of(-60.0..50.0f64), 30..120),
        zone_index in 0..6usize,
        start_hour in 0..9000i64,
        later in 0..200_000i64,
        metres in -400.0..5000.0f32,
        lat in -90.0..=90.0f64,
        lon in -180.0..=180.0f64,
    ) {
        let names = ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Etc/UTC"];
        let start = seconds("2026-01-01T00:00:00Z") + start_hour * 3600;
        let mut place = place(lat, lon, names[zone_index]);
        place.elevation_m = Some(metres);
        let cell = Cell::of(place.coordinates, metres);
        if temperatures.iter().all(Option::is_none) {
            return Ok(());
        }
        let count = temperatures.len() as i64;
        let core = series(Pack::Core, start, count, |variable, hour| match variable {
            Variable::Temperature => temperatures[hour as usize],
            Variable::Humidity => Some((hour * 7 % 101) as f64),
            other => counting(other, hour),
        });
        let now = Timestamp::from_seconds(start + later);
        for units in Units::ALL {
            let forecast = Forecast::of(&core, None, cell, &place, &ViewRequest::full(units), now);
            let daily = &forecast.daily;
            for (low, high) in daily.temperature_min.iter().zip(&daily.temperature_max) {
                prop_assert_eq!(low.is_some(), high.is_some());
                prop_assert!(low.zip(*high).is_none_or(|(low, high)| low <= high));
            }
            prop_assert!(daily.date.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(daily.date.first().copied(), forecast.today.as_ref().map(|today| today.date).filter(|_| !daily.date.is_empty()));
            let hourly = &forecast.hourly;
            prop_assert!(hourly.time.is_sorted_by(|a, b| a < b));
            for length in [hourly.step_s.len(), hourly.temperature.len(), hourly.dew_point.len(), hourly.is_day.len(), hourly.wind_direction.len()] {
                prop_assert_eq!(length, hourly.time.len());
            }
            for (dew_point, temperature) in hourly.dew_point.iter().zip(&hourly.temperature) {
                prop_assert!(dew_point.zip(*temperature).is_none_or(|(dew_point, air)| dew_point <= air));
                prop_assert!(dew_point.is_none_or(f64::is_finite));
            }
            if let Some(shown) = &forecast.now {
                prop_assert!(shown.time <= now && now.seconds() < shown.time.seconds() + i64::from(shown.step_s));
                prop_assert_eq!(hourly.time.first().copied(), Some(shown.time));
                prop_assert_eq!(shown.temperature, hourly.temperature[0]);
            }
            for crossing in daily.sunrise.iter().chain(&daily.sunset).flatten() {
                prop_assert!((crossing.seconds() - start).abs() < 20 * 86_400);
            }
        }
    }

    #[test]
    fn local_days_follow_each_other_without_gap_or_overlap(hour in 0..300_000i64, zone_index in 0..7usize) {
        let names = ["Europe/Berlin", "America/Sao_Paulo", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Nuuk"];
        let zone = zone(names[zone_index]);
        let at = seconds("2005-01-01T00:00:00Z") + hour * 3600;
        let today = LocalDay::holding(at, &zone).expect("a day");
        let next = today.next(&zone).expect("a day");
        prop_assert!(today.start <= at && at < today.end);
        prop_assert_eq!(today.end, next.start);
        prop_assert!(today.length_s() == 0 || (22 * 3600..=26 * 3600).contains(&today.length_s()));
    }
}
