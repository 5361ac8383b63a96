//! Open-Meteo: the free host, the customers' host and an operator's own container are one adapter.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;

use domain::forecast::provider::open_meteo_weight;
use domain::forecast::{BudgetLimits, Cell, Pack, Source, Weight};
use domain::{Coordinates, Timestamp};
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::sync::Semaphore;

use super::open_meteo_wire as wire;
use super::{FetchError, Fetched, WeatherProvider};
use crate::http::{Http, Reply, Request};

/// Beyond 14 days a call would weigh more than 1.
const DAYS: u32 = 14;
/// Saves round trips; the weight is the same.
const BATCH: usize = 50;
/// The elevation service takes up to a hundred coordinates.
const ELEVATIONS: usize = 100;
/// Ten variables over 14 days are about 26 kB of JSON for a location; the rest is headroom.
const BODY_PER_LOCATION: usize = 128 * 1024;
/// The free host refuses more than a few calls at a time from one address.
const FREE_CONCURRENCY: usize = 1;
const CONCURRENCY: usize = 4;

const FREE_HOST: &str = "api.open-meteo.com";

/// Where Open-Meteo is and who asks.
#[derive(Clone, Debug)]
pub struct OpenMeteoSettings {
    /// Scheme, host and, for a container, port: `https://api.open-meteo.com`.
    pub base_url: Url,
    /// A customer's key. Sent as a header, since URLs end up in logs.
    pub key: Option<String>,
}

impl OpenMeteoSettings {
    /// `base_url` must be http(s) with a host; a path in front of `/v1` is kept.
    pub fn parse(base_url: &str, key: Option<String>) -> Result<Self, domain::Invalid> {
        let invalid = || {
            domain::Invalid::new(
                "weather.open_meteo.url",
                "invalid",
                "must look like https://api.open-meteo.com",
            )
        };
        let base_url = Url::parse(base_url).map_err(|_| invalid())?;
        let plain = base_url.has_host() && base_url.query().is_none() && base_url.fragment().is_none();
        if !plain || !matches!(base_url.scheme(), "http" | "https") {
            return Err(invalid());
        }
        Ok(Self { base_url, key })
    }

    /// Whether this is the free host, whose terms are for non-commercial use only.
    pub fn is_free_host(&self) -> bool {
        self.base_url.host_str() == Some(FREE_HOST)
    }

    /// What may be spent there: the free host's limits, a customer's plan of `monthly_calls`, or, in an
    /// operator's own container, anything.
    pub fn budget_limits(&self, monthly_calls: Option<u64>) -> BudgetLimits {
        match monthly_calls {
            _ if self.is_free_host() => BudgetLimits::OPEN_METEO_FREE,
            Some(calls) => BudgetLimits::monthly(calls),
            None => BudgetLimits::UNLIMITED,
        }
    }
}

/// The adapter.
pub struct OpenMeteo {
    http: Http,
    settings: OpenMeteoSettings,
    key: Option<HeaderValue>,
    running: Semaphore,
}

impl OpenMeteo {
    /// Fails when the key cannot be sent as a header.
    pub fn new(http: Http, settings: OpenMeteoSettings) -> Result<Self, domain::Invalid> {
        let key = settings.key.as_deref().map(HeaderValue::from_str).transpose().map_err(|_| {
            domain::Invalid::new(
                "weather.open_meteo.key",
                "invalid",
                "must be plain ASCII without line breaks",
            )
        })?;
        let key = key.map(|mut key| {
            key.set_sensitive(true);
            key
        });
        let running = if settings.is_free_host() { FREE_CONCURRENCY } else { CONCURRENCY };
        Ok(Self { http, settings, key, running: Semaphore::new(running) })
    }

    /// Metres above sea level at each point, from the provider's 90 m elevation model; the points leave rounded
    /// to 0.01°. `None` where it knows none. Each hundred points weigh one call.
    pub async fn terrain(&self, points: &[Coordinates]) -> Result<Vec<Option<f32>>, FetchError> {
        let mut elevations = Vec::with_capacity(points.len());
        for points in points.chunks(ELEVATIONS) {
            let rounded: Vec<Coordinates> = points.iter().map(|point| point.rounded(2)).collect();
            let mut query = String::new();
            push_list(&mut query, "latitude", rounded.iter().map(|point| point.lat()));
            push_list(&mut query, "longitude", rounded.iter().map(|point| point.lon()));
            let reply = self.call("v1/elevation", &query, BODY_PER_LOCATION).await?;
            elevations.extend(wire::elevations(&reply.body, points.len())?);
        }
        Ok(elevations)
    }

    /// The cells' centres with their bands' elevation (a bare centre would be wrong in hills), unix seconds (one
    /// UTC offset for the whole horizon makes ISO times wrong after a clock change), and `timezone=auto`, so that
    /// the answer begins with the local day and today's minimum has its night.
    fn query(cells: &[Cell], pack: Pack) -> String {
        let mut query = String::with_capacity(400 + cells.len() * 24);
        push_list(&mut query, "latitude", cells.iter().map(|cell| cell.centre().lat()));
        push_list(&mut query, "longitude", cells.iter().map(|cell| cell.centre().lon()));
        push_list(&mut query, "elevation", cells.iter().map(|cell| cell.band_elevation()));
        push_list(&mut query, "hourly", pack.variables().iter().filter_map(|v| wire::name(*v)));
        push_list(&mut query, "forecast_days", [DAYS]);
        query.push_str("&timezone=auto&timeformat=unixtime&cell_selection=land");
        query.push_str("&temperature_unit=celsius&wind_speed_unit=ms&precipitation_unit=mm");
        query
    }

    async fn call(&self, path: &str, query: &str, max_body: usize) -> Result<Reply, FetchError> {
        let mut url = self.settings.base_url.clone();
        url.set_path(&format!("{}/{path}", self.settings.base_url.path().trim_end_matches('/')));
        url.set_query(Some(query.trim_start_matches('&')));
        let mut request = Request::get(url, max_body);
        if let Some(key) = &self.key {
            request = request.header(HeaderName::from_static("x-api-key"), key.clone());
        }
        // The semaphore is never closed; were it, the call would merely run unlimited.
        let running = self.running.acquire().await.ok();
        let reply = self.http.send(request).await?;
        drop(running);
        wire::check(reply)
    }

    async fn fetch_all(&self, cells: &[Cell], pack: Pack, now: Timestamp) -> Fetched {
        let mut answers = Vec::with_capacity(cells.len());
        for batch in cells.chunks(BATCH) {
            let max_body = BODY_PER_LOCATION * (batch.len() + 1);
            let called = self.call("v1/forecast", &Self::query(batch, pack), max_body).await;
            match called.and_then(|reply| wire::forecasts(&reply.body, batch, pack, now)) {
                Ok(batch) => answers.extend(batch),
                Err(error) if answers.is_empty() => return Err(error),
                // What is there already stays good; a provider in trouble is not asked for the rest.
                Err(error) => {
                    answers.resize(cells.len(), Err(error));
                    break;
                }
            }
        }
        Ok(answers)
    }
}

impl WeatherProvider for OpenMeteo {
    fn source(&self) -> Source {
        Source::OpenMeteo
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn weight(&self, cells: usize, pack: Pack) -> Weight {
        open_meteo_weight(cells, pack.variables().len(), DAYS)
    }

    fn fetch<'a>(
        &'a self,
        cells: &'a [Cell],
        pack: Pack,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>> {
        Box::pin(self.fetch_all(cells, pack, now))
    }

    fn elevations<'a>(
        &'a self,
        points: &'a [Coordinates],
    ) -> Pin<Box<dyn Future<Output = Vec<Option<i32>>> + Send + 'a>> {
        Box::pin(async move {
            match self.terrain(points).await {
                Ok(metres) => metres.into_iter().map(|metres| metres.map(|m| m.round() as i32)).collect(),
                Err(error) => {
                    tracing::warn!(%error, "a provider did not tell elevations");
                    vec![None; points.len()]
                }
            }
        })
    }
}

/// Appends `&name=a,b,c`. Everything listed is made of digits, letters and `.-_`, which need no escaping.
fn push_list<T: std::fmt::Display>(query: &mut String, name: &str, values: impl IntoIterator<Item = T>) {
    query.push('&');
    query.push_str(name);
    for (index, value) in values.into_iter().enumerate() {
        let separator = if index == 0 { '=' } else { ',' };
        // Writing to a string cannot fail.
        let _ = write!(query, "{separator}{value}");
    }
}
