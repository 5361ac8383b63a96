//! Request id, log line and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;

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
const SLOW_MS: u128 = 1000;

pub async fn observe(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = next_id();
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    // The pattern, never the path: a path may name what somebody looked for.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    let took = began.elapsed();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let labels = [("method", method_name(&method)), ("status", status_class(status.as_u16()))];
    let route_label = route.to_owned();
    metrics::counter!("fairweather_http_requests_total", "route" => route_label.clone(), labels[0].0 => labels[0].1, labels[1].0 => labels[1].1).increment(1);
    metrics::histogram!("fairweather_http_request_seconds", "route" => route_label)
        .record(took.as_secs_f64());
    let ms = took.as_millis();
    if status.is_server_error() || ms >= SLOW_MS {
        tracing::warn!(id = &*id.0, %method, route, status = status.as_u16(), ms, "a request failed or was slow");
    } else {
        tracing::debug!(id = &*id.0, %method, route, status = status.as_u16(), ms, "request");
    }
    if let Ok(value) = HeaderValue::try_from(&*id.0) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
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
