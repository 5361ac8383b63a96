//! What is left of a request's body when the answer is ready before all of it was read, as with 401 or 413.
//!
//! Left alone, hyper closes the connection under it. The client, still writing, then sees a broken connection instead
//! of the answer, and so does its next request if it had kept the connection. So a rest that is small is read and
//! thrown away, and before a larger one the answer says that the connection ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use http::{HeaderValue, StatusCode, Version, header};

/// More than this is not waited for.
const MOST: u64 = 512 * 1024;
const LONGEST: Duration = Duration::from_secs(1);

/// The body of a request whose handler is done with it.
pub struct Unread {
    body: Slot,
    /// Whether the client sends its body only when asked to: reading would be asking.
    waits: bool,
}

type Slot = Arc<Mutex<Option<Body>>>;

/// Lends the body to the handlers; `None` for a request that has none, or whose protocol ends single requests.
pub fn lend(request: &mut Request) -> Option<Unread> {
    if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        return None;
    }
    let unread = Unread { body: Slot::default(), waits: request.headers().contains_key(header::EXPECT) };
    let slot = unread.body.clone();
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = Body::new(Lent { body, slot });
    Some(unread)
}

impl Unread {
    /// Makes sure that the client can read the answer.
    pub async fn settle(self, response: &mut Response) {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(body) = body else { return };
        let read = !self.waits && tokio::time::timeout(LONGEST, read_off(body)).await.unwrap_or(false);
        if !read && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a body to its end and tells whether it came to that.
async fn read_off(body: Body) -> bool {
    let mut left = MOST;
    if body.size_hint().lower() > left {
        return false;
    }
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Some(rest) = piece.ok().and_then(|piece| left.checked_sub(piece.len() as u64)) else {
            return false;
        };
        left = rest;
    }
    true
}

/// A body that goes back where it came from, unless it was read to its end.
struct Lent {
    body: Body,
    slot: Slot,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = std::mem::take(&mut self.body);
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
