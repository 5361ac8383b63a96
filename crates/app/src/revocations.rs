//! Sessions that ended before their tokens did. Each node keeps the set in memory and compares it with the
//! database every few seconds, so that an end acts everywhere within five.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::access::ACCESS_LIFETIME;
use domain::{SessionId, Timestamp};

/// Clocks of nodes differ; tokens are refused a little longer than they live.
const SKEW: Duration = Duration::from_secs(300);

#[derive(Default)]
pub struct Revocations(RwLock<HashMap<SessionId, Timestamp>>);

impl Revocations {
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    pub fn add(&self, sessions: impl IntoIterator<Item = (SessionId, Timestamp)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }

    /// Forgets sessions whose last token has ended by itself.
    pub fn forget(&self, now: Timestamp) {
        let oldest = Self::horizon(now);
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, at| *at >= oldest);
    }

    /// Ends before this moment no longer matter.
    pub fn horizon(now: Timestamp) -> Timestamp {
        now.minus(ACCESS_LIFETIME).minus(SKEW)
    }
}
