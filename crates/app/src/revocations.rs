//! Sessions that ended before their tokens did. Each node keeps the set in memory and compares it with the
//! database every few seconds, so that an end acts everywhere within five.
//!
//! Nobody runs while a node is frozen, or starved, or has lost the database, so whoever asks the set looks how old it
//! is. One that is too old is read again first, and where that fails nobody is let in: the node cannot tell whether the
//! database is away for all, when no session can end anywhere, or for this node alone, while others go on ending them.
//! An outage that is over sooner is not noticed, since reads run more often than the set grows too old; a longer one
//! costs what could have been answered from memory. Everything else needs the database too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::access::ACCESS_LIFETIME;
use domain::clock::CLOCK_SKEW;
use domain::{Error, Result, SessionId, Timestamp};
use tokio::sync::Mutex;

/// Sessions held: some 26 MB. A thousand end in a second before there are more whose tokens have not ended too.
const MOST: usize = 900_000;

/// How long ago the set may have been read by whoever asks it.
const BELIEVED: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Revocations {
    ended: RwLock<HashMap<SessionId, Timestamp>>,
    /// Until when the set is believed, in milliseconds of [`domain::Clock::monotonic`].
    believed_until: AtomicU64,
    /// Held by whoever reads the set.
    turn: Mutex<()>,
    /// Reads that came to nothing.
    failures: AtomicU64,
}

impl Revocations {
    /// Whether the set was read not long before this moment of the monotonic clock.
    pub fn is_current(&self, now: Duration) -> bool {
        millis(now) < self.believed_until.load(Ordering::Acquire)
    }

    /// All ends that were in the database at this moment of the monotonic clock are in the set.
    pub fn complete(&self, at: Duration) {
        self.believed_until.fetch_max(millis(at + BELIEVED), Ordering::AcqRel);
    }

    /// Reads the set when nobody else does, unless that is no longer needed. Whoever waited while another failed does
    /// not try as well: a database that is away would be asked once for each of a crowd, one after the other.
    pub async fn read<R: Future<Output = Result<()>>>(
        &self,
        is_needed: impl Fn() -> bool,
        read: impl FnOnce() -> R,
    ) -> Result<()> {
        let failures = self.failures.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if !is_needed() {
            return Ok(());
        }
        if self.failures.load(Ordering::Acquire) != failures {
            return Err(unknown("another try has just failed"));
        }
        let done = read().await;
        done.map_err(|error| {
            self.failures.fetch_add(1, Ordering::AcqRel);
            unknown(&error.to_string())
        })
    }

    pub fn contains(&self, session: SessionId) -> bool {
        self.ended.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
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
        let mut held = self.ended.write().unwrap_or_else(PoisonError::into_inner);
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
        let mut held = self.ended.write().unwrap_or_else(PoisonError::into_inner);
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

fn millis(moment: Duration) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}

fn unknown(why: &str) -> Error {
    let detail = "which sessions have ended cannot be read just now";
    Error::unavailable("store_unavailable", detail, Duration::from_secs(1)).because(why)
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
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;
    use tokio::task::JoinSet;
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

    const NOON: Duration = Duration::from_secs(43_200);

    #[test]
    fn a_set_is_believed_for_five_seconds() {
        let revocations = Revocations::default();
        assert!(!revocations.is_current(NOON), "it was never read");
        revocations.complete(NOON);
        // A read that began earlier and took longer changes nothing.
        revocations.complete(NOON.saturating_sub(Duration::from_secs(4)));
        assert!(revocations.is_current(NOON + Duration::from_millis(4_999)));
        assert!(!revocations.is_current(NOON + Duration::from_secs(5)));
    }

    /// A crowd that needs the set at once: how often it was read, and how many were told that it is known.
    async fn crowd(outcome: fn() -> Result<()>) -> (usize, usize) {
        const MANY: usize = 100;
        let (revocations, reads, go) =
            (Arc::<Revocations>::default(), Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let mut waiting = JoinSet::new();
        for _ in 0..MANY {
            let (revocations, reads, go) = (revocations.clone(), reads.clone(), go.clone());
            waiting.spawn(async move {
                let read = async || {
                    reads.fetch_add(1, Ordering::SeqCst);
                    go.notified().await;
                    outcome().inspect(|()| revocations.complete(NOON))
                };
                revocations.read(|| !revocations.is_current(NOON), read).await.is_ok()
            });
        }
        // On one thread all of them have begun when this one has its next turn.
        tokio::task::yield_now().await;
        go.notify_one();
        let known = waiting.join_all().await.into_iter().filter(|known| *known).count();
        (reads.load(Ordering::SeqCst), known)
    }

    #[test]
    fn one_of_a_crowd_reads_for_all() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(crowd(|| Ok(())).await, (1, 100));
            assert_eq!(crowd(|| Err(Error::internal("away"))).await, (1, 0));
        });
    }
}
