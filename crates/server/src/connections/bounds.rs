//! How long others may take over what is their part.

use std::time::Duration;

use upstream::weather::probe::PROBE_LIMIT;

/// How long the server waits for others: what keeps clients that take for ever from taking places for ever.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For the head of a request: from the connection's beginning, or from the answer before it.
    pub head: Duration,
    /// For an answer to begin, the reading of the request's body included.
    pub answer: Duration,
    /// While the server has nothing to do but wait for the client to take an answer, or on HTTP/2 to ask for one.
    pub client: Duration,
    /// For a weather provider to show that it is there, before `dev` begins with made-up weather.
    pub probe: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), answer: seconds(30), client: seconds(60), probe: PROBE_LIMIT }
    }
}
