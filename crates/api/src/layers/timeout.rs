//! Bounds the time to an answer's head, the reading of the body included: a client that sends a byte a second
//! does not hold a request for ever.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::problem::Problem;

const LONGEST: Duration = Duration::from_secs(30);

pub async fn bound(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem {
            retry_after: Some(Duration::from_secs(5)),
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "timeout",
                "This took too long",
                "the request was not finished within 30 seconds; try again",
            )
        }
        .into_response(),
    }
}
