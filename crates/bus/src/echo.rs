//! How a node notices that nothing arrives any more: its own messages come back to it, in the order it said them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use tokio::time::Instant;

/// A message of its own that a node has not heard after so long shows that the connection is dead, whatever the
/// operating system says of it.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// The messages of one connection that have not come back.
#[derive(Default)]
pub(crate) struct Echo(Mutex<VecDeque<Said>>);

struct Said {
    /// As the message itself tells.
    sent_at: Timestamp,
    since: Instant,
}

impl Echo {
    fn outstanding(&self) -> MutexGuard<'_, VecDeque<Said>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many messages are said now.
    pub fn said(&self, sent_at: Timestamp, messages: usize) {
        let since = Instant::now();
        self.outstanding().extend((0..messages).map(|_| Said { sent_at, since }));
    }

    /// A message came back: the oldest, unless it is from the connection before this one. Those that were said
    /// after it have still to come.
    pub fn heard(&self, sent_at: Timestamp) {
        self.outstanding().pop_front_if(|said| said.sent_at <= sent_at);
    }

    pub fn is_overdue(&self) -> bool {
        self.outstanding().front().is_some_and(|said| said.since.elapsed() > HEARD_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGER: Duration = HEARD_WITHIN.saturating_add(Duration::from_millis(1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_back_in_time_is_not_overdue() {
        let echo = Echo::default();
        echo.said(at(1), 2);
        tokio::time::advance(HEARD_WITHIN).await;
        assert!(!echo.is_overdue());
        echo.heard(at(1));
        echo.heard(at(1));
        tokio::time::advance(LONGER).await;
        assert!(!echo.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_message_does_not_stand_for_a_later_one() {
        let echo = Echo::default();
        // Clocks have steps, so both may be said at the same time.
        echo.said(at(1), 1);
        echo.said(at(1), 1);
        echo.heard(at(1));
        tokio::time::advance(LONGER).await;
        assert!(echo.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_of_the_connection_before_stands_for_none() {
        let echo = Echo::default();
        echo.said(at(2), 1);
        echo.heard(at(1));
        tokio::time::advance(LONGER).await;
        assert!(echo.is_overdue());
    }
}
