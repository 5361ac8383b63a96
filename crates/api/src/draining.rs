//! The last seconds of a server that goes on answering while balancers take it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use http::{HeaderValue, StatusCode, Version, header};

/// Whether the server is about to stop. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on `/readyz` is red and answers ask for their connection to be closed.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Asks a client to take a new connection for its next request. A proxy keeps connections open, and one that
    /// sends a request just when the server closes an idle one cannot know whether it was taken; a connection that
    /// is refused it can try elsewhere. HTTP/2 has a message of its own for this.
    pub(crate) fn release(&self, version: Version, response: &mut Response) {
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if self.has_begun() && version <= Version::HTTP_11 && !is_upgrade {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}
