//! A development server answers only to names of this machine.
//!
//! Without this, a page elsewhere could point its own name at 127.0.0.1 (DNS rebinding) and then talk to the
//! server as its own origin, past every check of origins.

use axum::extract::Request;
use http::{StatusCode, header};

use crate::Api;
use crate::problem::Problem;

pub fn check(api: &Api, request: &Request) -> Result<(), Problem> {
    if !api.settings.loopback_only || is_loopback(request) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected",
        "This server does not answer to that name",
        "a development server answers to localhost, 127.0.0.1 and [::1] only",
    ))
}

fn is_loopback(request: &Request) -> bool {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    // HTTP/2 has the authority in the request line.
    let Some(host) = header.or_else(|| request.uri().authority().map(http::uri::Authority::as_str)) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}
