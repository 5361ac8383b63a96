//! Writes the body of problems, with the request's id, and makes problems of answers that have no body.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::problem::Problem;

pub fn render(mut response: Response, id: &str, is_head: bool) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if response.headers().contains_key(header::CONTENT_TYPE) => return response,
        None => bare(response.status()),
    };
    let body = problem.body(id);
    let text = serde_json::to_vec(&body).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Response::from_parts(parts, if is_head { Body::empty() } else { Body::from(text) })
}

/// What the framework refuses by itself.
fn bare(status: StatusCode) -> Problem {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "method_not_allowed",
            "This method is not allowed here",
            "see the header Allow, and /docs for what there is",
        ),
        StatusCode::NOT_FOUND => Problem::not_found(),
        status if status.is_server_error() => Problem::internal(),
        status => Problem::new(
            status,
            "bad_request",
            "The request does not fit",
            "the path or the query could not be understood",
        ),
    }
}

/// A handler panicked: noted, answered, and the server goes on.
pub fn panicked(cause: &(dyn std::any::Any + Send)) -> Problem {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    Problem::internal()
}
