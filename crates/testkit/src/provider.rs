//! A weather provider that speaks Open-Meteo's format over real HTTP and misbehaves on purpose.
//!
//! Its weather is a simple function of place and time, so a test can say what must arrive (see
//! [`FakeProvider::temperature`]).

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use bytes::Bytes;
use domain::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;

use crate::provider_wire::{self as wire, Asked};

pub use crate::provider_wire::temperature;

/// What goes wrong from now on. [`Fault::None`] answers properly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The proper answer, so much later.
    Slow(Duration),
    /// Accepts the request and never answers.
    Hanging,
    /// Sends the head and half a body, then nothing more, but keeps the connection.
    Stalled,
    /// Breaks the connection off in the middle of the body.
    Truncated,
    /// A little gzip that unpacks to 256 MiB.
    GzipBomb,
    /// Says gzip and sends something else.
    BadGzip,
    /// A proxy's page of apology, with 200.
    Html,
    /// Nothing, with 200.
    Empty,
    /// Numbers as strings.
    WrongTypes,
    /// Every value is null.
    Nulls,
    /// No fault: every hour is ten degrees warmer than before.
    Warmer,
    /// One hour of one variable is null.
    OneNull,
    /// `weather_code` is not there.
    MissingArray,
    /// `hourly` is not there.
    MissingHourly,
    /// One array is an hour shorter than the times.
    DifferentLengths,
    /// `NaN`, which is not JSON.
    NanLiteral,
    /// Winds of a million metres per second.
    Impossible,
    /// Kilometres per hour, whatever was asked for.
    WrongUnit,
    /// The provider's clock is so many hours ahead (or behind).
    ClockSkew(i64),
    /// Nothing said about units, as some servers that imitate the format do.
    NoUnits,
    DuplicateTimes,
    UnorderedTimes,
    /// Days of 23 or 25 hours: the answer begins an hour late or early, and one hour is skipped or comes early.
    ShortDay,
    LongDay,
    /// An array although one location was asked for, an object although several were.
    ArrayObjectSwap,
    /// One location too few.
    WrongCount,
    /// The locations in reverse order.
    WrongOrder,
    /// The last location of the batch has another shape; the others are proper.
    OneBadLocation,
    /// `{"error":true,…}` with 200.
    ErrorWith200,
    MinutelyLimit,
    HourlyLimit,
    DailyLimit,
    ConcurrencyLimit,
    /// This status with the provider's JSON error body (400 and up), or with no body (304).
    Status(u16),
    /// 502 with a web server's page.
    BadGateway,
    /// 302 to a cloud's metadata address.
    RedirectInside,
}

/// The server; it stops when dropped.
pub struct FakeProvider {
    address: SocketAddr,
    state: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    fault: Mutex<Fault>,
    /// Unix milliseconds: what the provider believes the time is.
    now: AtomicI64,
    calls: AtomicU64,
    locations: AtomicU64,
    last_query: Mutex<String>,
    last_headers: Mutex<HeaderMap>,
}

impl FakeProvider {
    /// Starts on a free port of 127.0.0.1 with the time at `now`.
    ///
    /// # Panics
    /// When the machine has no free port.
    pub async fn start(now: Timestamp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(Shared {
            fault: Mutex::default(),
            now: AtomicI64::new(now.millis()),
            calls: AtomicU64::new(0),
            locations: AtomicU64::new(0),
            last_query: Mutex::default(),
            last_headers: Mutex::default(),
        });
        let router = Router::new()
            .route("/v1/forecast", get(forecast))
            .route("/v1/elevation", get(elevation))
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            // Serving ends with the task; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Self { address, state, task }
    }

    /// `http://127.0.0.1:…`: the adapter's base URL. The host must be allowed explicitly.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub fn set_now(&self, now: Timestamp) {
        self.state.now.store(now.millis(), Ordering::SeqCst);
    }

    /// Requests so far, failed ones too.
    pub fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Locations asked for so far: what Open-Meteo charges.
    pub fn locations(&self) -> u64 {
        self.state.locations.load(Ordering::SeqCst)
    }

    /// The query string of the latest request.
    pub fn last_query(&self) -> String {
        self.state.last_query.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A header of the latest request.
    pub fn last_header(&self, name: &str) -> Option<String> {
        let headers = self.state.last_headers.lock().unwrap_or_else(PoisonError::into_inner);
        headers.get(name).and_then(|value| value.to_str().ok()).map(String::from)
    }

    /// The temperature that the fake gives for a place, its elevation and an hour, in °C.
    pub fn temperature(lat: f64, elevation_m: f64, at: i64) -> f64 {
        temperature(lat, elevation_m, at)
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn note(&self, query: &str, headers: &HeaderMap) -> (Fault, Asked) {
        let asked = Asked::parse(query);
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.locations.fetch_add(asked.points.len() as u64, Ordering::SeqCst);
        *self.last_query.lock().unwrap_or_else(PoisonError::into_inner) = query.into();
        *self.last_headers.lock().unwrap_or_else(PoisonError::into_inner) = headers.clone();
        (*self.fault.lock().unwrap_or_else(PoisonError::into_inner), asked)
    }
}

async fn forecast(
    State(state): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let (fault, asked) = state.note(&query.unwrap_or_default(), &headers);
    let now = state.now.load(Ordering::SeqCst).div_euclid(1000);
    let proper = || wire::forecast(&asked, now, fault);
    match fault {
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            json(StatusCode::OK, proper())
        }
        Fault::Hanging => std::future::pending().await,
        Fault::Stalled => half(proper(), true),
        Fault::Truncated => half(proper(), false),
        Fault::GzipBomb => gzip(tokio::task::spawn_blocking(bomb).await.expect("it is made")),
        Fault::BadGzip => gzip(Bytes::from_static(b"this is not gzip")),
        Fault::Html => page(StatusCode::OK),
        Fault::BadGateway => page(StatusCode::BAD_GATEWAY),
        Fault::Empty => json(StatusCode::OK, String::new()),
        Fault::ErrorWith200 => error(StatusCode::OK, "Something about 52.52 went wrong"),
        Fault::MinutelyLimit => limit("Minutely API request limit exceeded. Please try again in one minute."),
        Fault::HourlyLimit => limit("Hourly API request limit exceeded. Please try again in the next hour."),
        Fault::DailyLimit => limit("Daily API request limit exceeded. Please try again tomorrow."),
        Fault::ConcurrencyLimit => limit("Too many concurrent requests"),
        Fault::Status(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            match code {
                400.. => error(status, "The request at 52.52 is refused"),
                _ => json(status, String::new()),
            }
        }
        Fault::RedirectInside => reply(
            Response::builder()
                .status(StatusCode::FOUND)
                .header(header::LOCATION, "http://169.254.169.254/latest/meta-data/"),
            Body::empty(),
        ),
        _ => json(StatusCode::OK, proper()),
    }
}

async fn elevation(
    State(state): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let (fault, asked) = state.note(&query.unwrap_or_default(), &headers);
    match fault {
        Fault::Html => page(StatusCode::OK),
        Fault::MinutelyLimit => limit("Minutely API request limit exceeded. Please try again in one minute."),
        _ => json(StatusCode::OK, wire::elevations(&asked)),
    }
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let builder = Response::builder().status(status);
    reply(builder.header(header::CONTENT_TYPE, "application/json; charset=utf-8"), Body::from(body))
}

fn error(status: StatusCode, reason: &str) -> Response<Body> {
    json(status, format!(r#"{{"error":true,"reason":"{reason}"}}"#))
}

fn limit(reason: &str) -> Response<Body> {
    error(StatusCode::TOO_MANY_REQUESTS, reason)
}

fn page(status: StatusCode) -> Response<Body> {
    let builder = Response::builder().status(status).header(header::CONTENT_TYPE, "text/html");
    reply(builder, Body::from("<html><head><title>Sorry</title></head><body>We will be back.</body></html>"))
}

fn gzip(body: Bytes) -> Response<Body> {
    let builder = Response::builder().header(header::CONTENT_TYPE, "application/json");
    reply(builder.header(header::CONTENT_ENCODING, "gzip"), Body::from(body))
}

/// The first half of a body, and then either silence or the end of the connection.
fn half(body: String, keeps_connection: bool) -> Response<Body> {
    let mut body = Bytes::from(body);
    body.truncate(body.len() / 2);
    let rest = move |sent: bool| {
        let body = body.clone();
        async move {
            match (sent, keeps_connection) {
                (false, _) => Some((Ok(body), true)),
                (true, true) => std::future::pending().await,
                (true, false) => {
                    // Long enough for the head and the first half to leave the machine.
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    Some((Err(std::io::Error::other("cut off")), true))
                }
            }
        }
    };
    reply(
        Response::builder().header(header::CONTENT_TYPE, "application/json"),
        Body::from_stream(stream::unfold(false, rest)),
    )
}

fn reply(builder: axum::http::response::Builder, body: Body) -> Response<Body> {
    builder.body(body).expect("statuses and headers of this file are valid")
}

/// Blanks, which are sound JSON as far as they go: a quarter of a megabyte of gzip that unpacks to 256 MiB.
fn bomb() -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let blanks = vec![b' '; 1024 * 1024];
    for _ in 0..256 {
        encoder.write_all(&blanks).expect("writing to memory does not fail");
    }
    Bytes::from(encoder.finish().expect("writing to memory does not fail"))
}
