//! Every fault of the fake provider, and exactly what the adapter says to it.

use std::time::{Duration, Instant};

use domain::Random;
use domain::forecast::{Breaker, LimitWindow, Outcome, Pack, Permit, Source};
use testkit::provider::{FakeProvider, Fault};
use upstream::weather::{FetchError, Fetched, WeatherProvider, outcome};

use crate::{IMPATIENCE, NOW, PATIENCE, adapter_waiting, provider, three};

fn malformed(why: &'static str) -> FetchError {
    FetchError::Malformed(why.into())
}

fn refused(status: u16) -> FetchError {
    FetchError::Refused { status, reason: "The request at ##.## is refused".into() }
}

fn limited(window: LimitWindow) -> FetchError {
    FetchError::Limited { window, retry_after: None }
}

/// Faults of the whole call: nothing of the answer can be used.
fn whole_call() -> Vec<(Fault, FetchError)> {
    let not_json = || malformed("not JSON");
    let broken = || malformed("the answer breaks off or cannot be decompressed");
    let count = || malformed("as many locations as asked for were expected");
    vec![
        (Fault::Truncated, broken()),
        (Fault::BadGzip, broken()),
        (Fault::GzipBomb, FetchError::TooLarge),
        (Fault::Html, FetchError::NotData { status: 200 }),
        (Fault::Empty, FetchError::NotData { status: 200 }),
        (Fault::Status(304), FetchError::NotData { status: 304 }),
        (Fault::Status(204), FetchError::NotData { status: 204 }),
        (Fault::RedirectInside, FetchError::NotData { status: 302 }),
        (Fault::NanLiteral, not_json()),
        (Fault::WrongCount, count()),
        (Fault::ArrayObjectSwap, count()),
        (
            Fault::ErrorWith200,
            FetchError::Refused { status: 200, reason: "Something about ##.## went wrong".into() },
        ),
        (Fault::MinutelyLimit, limited(LimitWindow::Minute)),
        (Fault::HourlyLimit, limited(LimitWindow::Hour)),
        (Fault::DailyLimit, limited(LimitWindow::Day)),
        (Fault::ConcurrencyLimit, limited(LimitWindow::Concurrency)),
        (Fault::Status(400), refused(400)),
        (Fault::Status(401), refused(401)),
        (Fault::Status(403), refused(403)),
        (Fault::Status(500), FetchError::Server { status: 500 }),
        (Fault::Status(503), FetchError::Server { status: 503 }),
        (Fault::BadGateway, FetchError::Server { status: 502 }),
    ]
}

/// Faults that each location has.
fn each_location() -> Vec<(Fault, FetchError)> {
    let clock = || malformed("the hours do not hold the present: a clock is wrong");
    let unordered = || malformed("times are unordered, duplicate or overlap");
    vec![
        (Fault::WrongTypes, malformed("temperature_2m is not an array of numbers")),
        (Fault::Nulls, malformed("no slots, or no values in them")),
        (Fault::MissingArray, malformed("weather_code is missing")),
        (Fault::MissingHourly, malformed("a location has another shape")),
        (Fault::DifferentLengths, malformed("cloud_cover has another length than the times")),
        (Fault::Impossible, malformed("wind_speed has too many values that cannot be (wrong unit?)")),
        (Fault::WrongUnit, malformed("wind_speed_10m has another unit than asked for")),
        (Fault::ClockSkew(48), clock()),
        (Fault::ClockSkew(-20 * 24), clock()),
        (Fault::ClockSkew(-5 * 24), malformed("slots lie far from the present: a clock is wrong")),
        (Fault::DuplicateTimes, unordered()),
        (Fault::UnorderedTimes, unordered()),
    ]
}

#[tokio::test]
async fn a_fault_of_the_whole_call_is_told_exactly() {
    let (provider, adapter) = provider().await;
    for (fault, expected) in whole_call() {
        provider.set_fault(fault);
        let calls = provider.calls();
        assert_eq!(adapter.fetch(&three(), Pack::Core, NOW).await, Err(expected), "{fault:?}");
        assert_eq!(provider.calls(), calls + 1, "{fault:?} is not retried here");
    }
    provider.set_fault(Fault::None);
    assert!(adapter.fetch(&three(), Pack::Core, NOW).await.is_ok(), "it recovers");
}

#[tokio::test]
async fn what_does_not_come_in_time_is_given_up() {
    let provider = FakeProvider::start(NOW).await;
    let adapter = adapter_waiting(IMPATIENCE, &provider.base_url());
    for fault in [Fault::Slow(PATIENCE), Fault::Hanging, Fault::Stalled] {
        provider.set_fault(fault);
        let begun = Instant::now();
        assert_eq!(adapter.fetch(&three(), Pack::Core, NOW).await, Err(FetchError::Timeout), "{fault:?}");
        let waited = begun.elapsed();
        assert!(waited >= IMPATIENCE && waited < PATIENCE / 2, "{fault:?} {waited:?}");
    }
}

#[tokio::test]
async fn a_fault_of_every_location_is_told_for_each() {
    let (provider, adapter) = provider().await;
    for (fault, expected) in each_location() {
        provider.set_fault(fault);
        for cells in [&three()[..1], &three()[..]] {
            let expected: Fetched = Ok(vec![Err(expected.clone()); cells.len()]);
            assert_eq!(adapter.fetch(cells, Pack::Core, NOW).await, expected, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn one_bad_location_does_not_fail_the_others() {
    let (provider, adapter) = provider().await;
    provider.set_fault(Fault::OneBadLocation);
    let answers = adapter.fetch(&three(), Pack::Core, NOW).await.expect("the call is good");
    assert!(answers[0].is_ok() && answers[1].is_ok());
    assert_eq!(answers[2], Err(malformed("a location has another shape")));
    assert_eq!(outcome(&Ok(answers), Source::OpenMeteo), Outcome::Success);

    // Reversed, the middle one of three is still itself, but a location of the wrong place is never taken.
    provider.set_fault(Fault::WrongOrder);
    let answers = adapter.fetch(&three(), Pack::Core, NOW).await.expect("the call is good");
    assert_eq!(answers[0], Err(malformed("a location is not the one asked for")));
    assert_eq!(answers[2], answers[0]);
}

#[tokio::test]
async fn oddities_that_are_not_faults_are_taken() {
    let (provider, adapter) = provider().await;
    for (fault, hours) in [
        (Fault::ShortDay, 335),
        (Fault::LongDay, 337),
        (Fault::OneNull, 336),
        (Fault::NoUnits, 336),
        (Fault::ClockSkew(-3), 336),
        (Fault::Slow(Duration::from_millis(50)), 336),
    ] {
        provider.set_fault(fault);
        let answers = adapter.fetch(&three(), Pack::Core, NOW).await.expect("an answer");
        for answer in answers {
            assert_eq!(answer.expect("sound").series.len(), hours, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_gone_is_unreachable() {
    let (provider, adapter) = provider().await;
    drop(provider);
    tokio::task::yield_now().await;
    let gone = adapter.fetch(&three(), Pack::Core, NOW).await;
    assert!(matches!(gone, Err(FetchError::Unreachable)), "{gone:?}");
}

#[tokio::test]
async fn the_rest_of_a_long_list_is_not_asked_of_a_provider_in_trouble() {
    let (provider, adapter) = provider().await;
    let cells: Vec<_> = std::iter::repeat_n(three()[0], 160).collect();
    provider.set_fault(Fault::HourlyLimit);
    assert_eq!(adapter.fetch(&cells, Pack::Core, NOW).await, Err(limited(LimitWindow::Hour)));
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_gzip_bomb_takes_little_memory() {
    let (provider, adapter) = provider().await;
    provider.set_fault(Fault::GzipBomb);
    // Once before measuring: the fake makes its bomb in this very process.
    assert_eq!(adapter.fetch(&three(), Pack::Core, NOW).await, Err(FetchError::TooLarge));
    let Some(before) = peak_kib() else { return };
    for _ in 0..3 {
        assert_eq!(adapter.fetch(&three(), Pack::Core, NOW).await, Err(FetchError::TooLarge));
    }
    let grown = peak_kib().expect("still readable") - before;
    assert!(grown < 8 * 1024, "256 MiB were offered and {grown} KiB taken");
}

/// The most memory that this process ever had, where the system tells (Linux).
fn peak_kib() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()
}

#[test]
fn the_breaker_hears_what_happened() {
    let fault = Outcome::Fault;
    for (error, source, expected) in [
        (FetchError::Timeout, Source::OpenMeteo, fault),
        (FetchError::NotData { status: 200 }, Source::OpenMeteo, fault),
        (refused(401), Source::OpenMeteo, fault),
        (refused(403), Source::OpenMeteo, fault),
        (refused(403), Source::MetNorway, Outcome::Banned),
        (refused(400), Source::OpenMeteo, Outcome::Neutral),
    ] {
        assert_eq!(error.outcome(source), expected, "{error} at {source}");
    }
    let mut breaker = Breaker::default();
    let fetched: Fetched = Err(limited(LimitWindow::Day));
    breaker.record(outcome(&fetched, Source::OpenMeteo), NOW, &Random::new(|bytes| bytes.fill(0)));
    let Permit::Wait { until } = breaker.permit(NOW) else { panic!("it waits") };
    assert_eq!(until.rfc3339(), "2026-11-22T00:00:01Z");
}
