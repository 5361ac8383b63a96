//! How long a client may take over what is its part.

use std::time::Duration;

/// What keeps clients that take for ever from taking places for ever.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For the head of a request: from the connection's beginning, or from the answer before it.
    pub head: Duration,
    /// For an answer to begin, the reading of the request's body included.
    pub answer: Duration,
    /// While the server has nothing to do but wait for the client to take an answer, or on HTTP/2 to ask for one.
    pub client: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), answer: seconds(30), client: seconds(60) }
    }
}
