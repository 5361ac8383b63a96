//! Sessions that ended before their tokens did. Each node keeps the set in memory and compares it with the
//! database every few seconds, so that an end acts everywhere within five.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use domain::access::ACCESS_LIFETIME;
use domain::clock::CLOCK_SKEW;
use domain::{SessionId, Timestamp};

/// Sessions held: some 26 MB. A thousand end in a second before there are more whose tokens have not ended too.
const MOST: usize = 900_000;

#[derive(Default)]
pub struct Revocations(RwLock<HashMap<SessionId, Timestamp>>);

impl Revocations {
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    /// Adds sessions and when they ended. A time that cannot be yet would be kept until it comes, so it counts as the
    /// latest that can.
    pub fn add(&self, sessions: impl IntoIterator<Item = (SessionId, Timestamp)>, now: Timestamp) {
        self.add_up_to(MOST, sessions, now);
    }

    fn add_up_to(
        &self,
        most: usize,
        sessions: impl IntoIterator<Item = (SessionId, Timestamp)>,
        now: Timestamp,
    ) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (session, at) in sessions {
            held.insert(session, at.clamped(now));
            if held.len() > most {
                make_room(&mut held);
            }
        }
    }

    /// Forgets sessions whose last token has ended by itself.
    pub fn forget(&self, now: Timestamp) {
        let oldest = Self::horizon(now);
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, at| *at >= oldest);
        // After many have ended at once.
        let enough = held.len() * 2;
        held.shrink_to(enough);
    }

    /// Ends before this moment no longer matter.
    pub fn horizon(now: Timestamp) -> Timestamp {
        now.minus(ACCESS_LIFETIME).minus(CLOCK_SKEW)
    }
}

/// Forgets an eighth, those that ended first: their tokens are the next to end by themselves.
fn make_room(held: &mut HashMap<SessionId, Timestamp>) {
    tracing::warn!(
        held = held.len(),
        "more sessions end than are held; tokens of those that ended first are good until they expire"
    );
    let mut ends: Vec<(Timestamp, SessionId)> = held.iter().map(|(session, at)| (*at, *session)).collect();
    let eighth = ends.len().div_ceil(8);
    if eighth < ends.len() {
        ends.select_nth_unstable(eighth);
    }
    for (_, session) in ends.iter().take(eighth) {
        held.remove(session);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn session(number: u64) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(u128::from(number)))
    }

    #[test]
    fn an_end_in_the_future_is_forgotten_like_any_other() {
        let revocations = Revocations::default();
        revocations.add([(session(1), NOW.plus(Duration::from_hours(1_000_000)))], NOW);
        let after = |pause: Duration| {
            revocations.forget(NOW.plus(ACCESS_LIFETIME + CLOCK_SKEW + pause));
            revocations.contains(session(1))
        };
        assert!(after(CLOCK_SKEW));
        assert!(!after(CLOCK_SKEW + Duration::from_millis(1)));
    }

    #[test]
    fn those_that_ended_first_make_room() {
        let revocations = Revocations::default();
        let ended = |number: u64| (session(number), NOW.minus(Duration::from_secs(number)));
        revocations.add_up_to(80, (0..81).map(ended), NOW);
        let held = (0..81).filter(|number| revocations.contains(session(*number))).collect::<Vec<_>>();
        assert_eq!(held, (0..70).collect::<Vec<_>>());
    }
}
