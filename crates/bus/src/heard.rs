//! Which messages were heard: each counts once. Whoever listens in could else say them again, and traffic that was let
//! through once would be counted twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::codec::NodeId;

/// A message that is older by this node's clock is not taken, so nodes that are silent for longer need not be known.
/// Three times as long as clocks may differ: a carrier that hangs for a while holds messages back.
const KEPT: Duration = domain::clock::CLOCK_SKEW.saturating_mul(3);
/// Nodes known before those that are silent are forgotten.
const NODES: usize = 64;

/// When each node said its last message, by its own clock.
#[derive(Default)]
pub(crate) struct Heard(Mutex<HashMap<NodeId, Timestamp>>);

impl Heard {
    /// Whether this is the next message of a node, which says them in the order of their times.
    pub fn is_next(&self, node: NodeId, sent_at: Timestamp, now: Timestamp) -> bool {
        let oldest = now.minus(KEPT);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sent_at < oldest || last.get(&node).is_some_and(|last| sent_at <= *last) {
            return false;
        }
        if last.len() >= NODES {
            last.retain(|_, last| *last >= oldest);
        }
        last.insert(node, sent_at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ago(seconds: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(seconds))
    }

    #[test]
    fn each_message_counts_once() {
        let (heard, [a, b]) = (Heard::default(), [1, 2].map(|node| [node; 8]));
        assert!(heard.is_next(a, ago(5), NOW) && heard.is_next(b, ago(5), NOW));
        assert!(heard.is_next(a, ago(4), NOW));
        assert!(!heard.is_next(a, ago(4), NOW) && !heard.is_next(a, ago(5), NOW));
        assert!(heard.is_next(b, ago(4), NOW));
        // The clock of that node is ahead of ours.
        assert!(heard.is_next(b, NOW.plus(KEPT), NOW));
    }

    #[test]
    fn an_old_message_does_not_count_even_of_a_node_that_was_forgotten() {
        let heard = Heard::default();
        assert!(!heard.is_next([1; 8], ago(901), NOW) && heard.is_next([1; 8], ago(900), NOW));
        let later = NOW.plus(KEPT);
        for node in 0..u8::try_from(NODES).expect("few") {
            assert!(heard.is_next([node + 2; 8], later, later));
        }
        assert_eq!(heard.0.lock().expect("sound").len(), NODES);
        assert!(!heard.is_next([1; 8], ago(900), later));
    }
}
