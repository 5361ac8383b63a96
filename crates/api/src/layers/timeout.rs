//! Bounds the time to an answer's head, the reading of the body included: a client that sends a byte a second
//! does not hold a request for ever.

use std::time::Duration;

use http::StatusCode;

use crate::problem::Problem;

const LONGEST: Duration = Duration::from_secs(30);

pub async fn bound<T>(answer: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(LONGEST, answer).await.map_err(|_| {
        let detail = "the request was not finished within 30 seconds; try again";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "This took too long", detail);
        Problem { retry_after: Some(Duration::from_secs(5)), ..problem }
    })
}
