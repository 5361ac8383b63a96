//! Request id, log line and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;
use metrics::SharedString;

use crate::edge::RouteSlot;

/// The id under which a request is found in the log; in answers as `X-Request-Id` and in problems.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// A run of the process, so that ids of two runs differ; not a secret, so any spread-out number will do.
static RUN: LazyLock<u64> = LazyLock::new(|| {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
});
static COUNT: AtomicU64 = AtomicU64::new(0);

fn next_id() -> RequestId {
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // An odd factor spreads neighbours apart and maps no two counts to one id.
    let number = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(*RUN);
    RequestId(format!("req_{number:016x}").into())
}

/// Slower answers are logged although nothing failed.
const SLOW: Duration = Duration::from_secs(1);

/// A request under way.
pub struct Observed {
    id: RequestId,
    method: http::Method,
    route: RouteSlot,
    began: Instant,
}

/// Gives the request its id.
pub fn begin(request: &mut Request) -> Observed {
    let (id, route) = (next_id(), RouteSlot::default());
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(route.clone());
    Observed { id, method: request.method().clone(), route, began: Instant::now() }
}

impl Observed {
    pub fn id(&self) -> &str {
        &self.id.0
    }

    /// Counts the request, writes its log line and tells its id.
    pub fn end(self, response: &mut Response) {
        let Self { id, method, route, began } = self;
        let (status, took) = (response.status().as_u16(), began.elapsed());
        // The pattern, never the path: a path may name what somebody looked for.
        let route = route.get().unwrap_or("unmatched");
        let label = SharedString::from_shared(Arc::from(route));
        metrics::counter!("fairweather_http_requests_total",
            "route" => label.clone(), "method" => method_name(&method), "status" => status_class(status))
        .increment(1);
        metrics::histogram!("fairweather_http_request_seconds", "route" => label).record(took.as_secs_f64());
        let ms = took.as_millis();
        if status >= 500 || took >= SLOW {
            tracing::warn!(id = &*id.0, %method, route, status, ms, "a request failed or was slow");
        } else {
            tracing::debug!(id = &*id.0, %method, route, status, ms, "request");
        }
        if let Ok(value) = HeaderValue::try_from(&*id.0) {
            response.headers_mut().insert("x-request-id", value);
        }
    }
}

/// Of a closed list, so that made-up methods cannot fill the metrics.
fn method_name(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn status_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
