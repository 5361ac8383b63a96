//! Bounds the time to an answer's head, the reading of the body included: a client that sends a byte a second
//! does not hold a request for ever.

use std::time::Duration;

use http::StatusCode;

use crate::problem::Problem;

pub async fn bound<T>(longest: Duration, answer: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(longest, answer).await.map_err(|_| {
        let detail = format!(
            "the request was not finished within {} seconds, and may have been carried out: repeat it with the same \
             id or Idempotency-Key",
            longest.as_secs_f32()
        );
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "This took too long", detail);
        Problem { retry_after: Some(Duration::from_secs(5)), ..problem }
    })
}
