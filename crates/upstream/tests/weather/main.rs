//! The adapters against real HTTP: sound answers, every fault of `testkit::provider`, and the guards.

mod faults;
mod guards;
mod kept;
mod open_meteo;
mod recorded;
mod sandbox;

use std::time::Duration;

use domain::forecast::Cell;
use domain::{Coordinates, Timestamp};
use testkit::provider::FakeProvider;
use upstream::address::AllowedHosts;
use upstream::http::{Http, HttpSettings};
use upstream::weather::{OpenMeteo, OpenMeteoSettings};

/// 2026-11-21T09:41:04Z.
const NOW: Timestamp = Timestamp::from_seconds(1_795_254_064);
/// Long enough for a sound answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);
/// Long enough for a connection on this machine, for faults in which nothing more comes.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// A client that may reach the fakes on this machine.
fn http(timeout: Duration) -> Http {
    let allowed: AllowedHosts = ["127.0.0.1"].into_iter().collect();
    let settings = HttpSettings { timeout, allowed, ..HttpSettings::default() };
    Http::new(settings)
}

fn adapter_waiting(timeout: Duration, base_url: &str) -> OpenMeteo {
    let settings = OpenMeteoSettings::parse(base_url, Some("a-key".into())).expect("a base URL");
    OpenMeteo::new(http(timeout), settings).expect("an adapter")
}

fn adapter(base_url: &str) -> OpenMeteo {
    adapter_waiting(PATIENCE, base_url)
}

async fn provider() -> (FakeProvider, OpenMeteo) {
    let provider = FakeProvider::start(NOW).await;
    let adapter = adapter(&provider.base_url());
    (provider, adapter)
}

fn cell(lat: f64, lon: f64, elevation_m: f32) -> Cell {
    Cell::of(Coordinates::parse(lat, lon).expect("on earth"), elevation_m)
}

/// Lisbon, a hut in Norway, and a point south of it.
fn three() -> [Cell; 3] {
    [cell(38.72, -9.13, 45.0), cell(60.1, 9.2, 712.0), cell(51.5, -0.1, 20.0)]
}
