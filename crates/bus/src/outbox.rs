//! News that wait to be sent: bounded, and each thing once at its newest.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::cursor::Era;
use domain::forecast::Cell;
use domain::{AccountId, SessionId, Timestamp};
use store::Hint;
use tokio::sync::{Notify, watch};

use crate::news::{ChangedCell, News, OpenStream, Tag, Taken};

/// News of one kind that wait. One more is dropped, and the others are told that there is a gap.
const MOST: usize = 20_000;

/// What waits, and who waits for it to be sent.
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    /// The number of the last addition that was sent.
    sent: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    heads: HashMap<AccountId, (Era, i64)>,
    ended: HashMap<SessionId, Timestamp>,
    cells: HashMap<Cell, ChangedCell>,
    taken: HashMap<(u8, Tag), u32>,
    streams: HashMap<AccountId, Vec<Timestamp>>,
    has_gap: bool,
    /// Counts additions.
    added: u64,
}

/// News on their way out. Dropped before it is [`Sending::done`], they count as lost.
pub(crate) struct Sending<'a> {
    outbox: &'a Outbox,
    pub news: News,
    up_to: u64,
    is_done: bool,
}

impl Outbox {
    pub fn new() -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), sent: watch::Sender::new(0) }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.waiting();
        change(&mut waiting);
        waiting.added += 1;
        drop(waiting);
        self.filled.notify_one();
    }

    pub fn heads(&self, hints: &[Hint]) {
        self.add(|waiting| {
            for Hint { account, era, head } in hints {
                // Within an era the higher one is the newer one, whichever thread comes first.
                let newer = |kept: &mut (Era, i64)| {
                    let head = if kept.0 == *era { kept.1.max(*head) } else { *head };
                    *kept = (*era, head);
                };
                waiting.has_gap |= !keep(&mut waiting.heads, *account, (*era, *head), newer);
            }
        });
    }

    pub fn ended(&self, ended: impl IntoIterator<Item = (SessionId, Timestamp)>) {
        self.add(|waiting| {
            for (session, at) in ended {
                waiting.has_gap |= !keep(&mut waiting.ended, session, at, |_| {});
            }
        });
    }

    pub fn cell(&self, changed: ChangedCell) {
        self.add(|waiting| {
            let newer = |kept: &mut ChangedCell| {
                if changed.fetched_at >= kept.fetched_at {
                    *kept = changed;
                }
            };
            waiting.has_gap |= !keep(&mut waiting.cells, changed.cell, changed, newer);
        });
    }

    pub fn taken(&self, taken: &[Taken]) {
        self.add(|waiting| {
            for Taken { limit, bucket, cost } in taken {
                // Nobody can look these up, so one too many is no gap.
                keep(&mut waiting.taken, (*limit, *bucket), *cost, |kept| *kept = kept.saturating_add(*cost));
            }
        });
    }

    /// When an account's streams here were opened; each time all of them.
    pub fn streams(&self, account: AccountId, opened: Vec<Timestamp>) {
        self.add(|waiting| {
            // One too many is told with the account's next change.
            if waiting.streams.len() < MOST || waiting.streams.contains_key(&account) {
                waiting.streams.insert(account, opened);
            }
        });
    }

    /// Returns when something waits.
    pub async fn filled(&self) {
        while self.waiting().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Takes all that waits.
    pub fn take(&self) -> Sending<'_> {
        let mut waiting = self.waiting();
        let up_to = waiting.added;
        let fresh = Waiting { added: up_to, ..Waiting::default() };
        let Waiting { heads, ended, cells, taken, streams, has_gap, .. } =
            std::mem::replace(&mut *waiting, fresh);
        drop(waiting);
        let head = |(account, (era, head))| Hint { account, era, head };
        let take = |((limit, bucket), cost)| Taken { limit, bucket, cost };
        let news = News {
            heads: heads.into_iter().map(head).collect(),
            ended: ended.into_iter().collect(),
            cells: cells.into_values().collect(),
            taken: taken.into_iter().map(take).collect(),
            streams: streams.iter().flat_map(|(account, opened)| open(*account, opened)).collect(),
            has_gap,
        };
        Sending { outbox: self, news, up_to, is_done: false }
    }

    /// Returns when everything that was added before is sent.
    pub async fn flushed(&self) {
        let added = self.waiting().added;
        // An error would mean that the outbox is gone, which holds the sender.
        let _ = self.sent.subscribe().wait_for(|sent| *sent >= added).await;
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.heads.is_empty()
            && self.ended.is_empty()
            && self.cells.is_empty()
            && self.taken.is_empty()
            && self.streams.is_empty()
            && !self.has_gap
    }
}

impl Sending<'_> {
    /// The carrier has them.
    pub fn done(mut self) {
        self.is_done = true;
        self.outbox.sent.send_replace(self.up_to);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        // Whether others got them is not known. Told twice they do no harm, but they are gone from here.
        if !self.is_done && self.news != News::default() {
            self.outbox.add(|waiting| waiting.has_gap = true);
        }
    }
}

/// An account's streams, or one entry that says that there are none.
fn open(account: AccountId, opened: &[Timestamp]) -> impl Iterator<Item = OpenStream> {
    let of = u8::try_from(opened.len()).unwrap_or(u8::MAX);
    let none = opened.is_empty().then_some(Timestamp::default());
    let opened = opened.iter().copied().chain(none);
    (0..of.max(1)).zip(opened).map(move |(index, opened_at)| OpenStream { account, opened_at, index, of })
}

/// Merges into what is kept, or keeps one more while there is room; tells whether it could.
fn keep<K: Eq + Hash, V>(kept: &mut HashMap<K, V>, key: K, value: V, merge: impl FnOnce(&mut V)) -> bool {
    if let Some(known) = kept.get_mut(&key) {
        merge(known);
        return true;
    }
    if kept.len() >= MOST {
        return false;
    }
    kept.insert(key, value);
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Coordinates;
    use uuid::Uuid;

    use super::*;

    fn hint(account: u128, era: u32, head: i64) -> Hint {
        Hint { account: AccountId::from_uuid(Uuid::from_u128(account)), era: Era(era), head }
    }

    #[test]
    fn each_thing_is_told_once_at_its_newest() {
        let outbox = Outbox::new();
        outbox.heads(&[hint(1, 1, 5), hint(2, 1, 1), hint(1, 1, 4)]);
        outbox.heads(&[hint(2, 9, 0)]);
        let cell = Cell::of(Coordinates::parse(60.0, 9.0).unwrap(), 0.0);
        for at in [3, 5, 4] {
            let at = Timestamp::from_seconds(at);
            outbox.cell(ChangedCell { cell, issued_at: at, fetched_at: at });
        }
        outbox.taken(&[Taken { limit: 1, bucket: [7; 16], cost: 2 }]);
        outbox.taken(&[
            Taken { limit: 1, bucket: [7; 16], cost: 3 },
            Taken { limit: 2, bucket: [7; 16], cost: 1 },
        ]);
        let mut news = std::mem::take(&mut outbox.take().news);
        news.heads.sort_by_key(|hint| hint.account);
        news.taken.sort_by_key(|taken| taken.limit);
        assert_eq!(news.heads, [hint(1, 1, 5), hint(2, 9, 0)]);
        assert_eq!(news.cells.iter().map(|changed| changed.fetched_at.seconds()).collect::<Vec<_>>(), [5]);
        assert_eq!(news.taken.iter().map(|taken| taken.cost).collect::<Vec<_>>(), [5, 1]);
        assert!(!news.has_gap);
    }

    #[test]
    fn too_many_become_a_gap() {
        let outbox = Outbox::new();
        let most = u128::try_from(MOST).unwrap();
        let hints: Vec<Hint> = (0..=most).map(|account| hint(account, 1, 1)).collect();
        outbox.heads(&hints[..MOST]);
        outbox.heads(&hints[..1]);
        assert!(!outbox.waiting().has_gap);
        outbox.heads(&hints);
        let news = std::mem::take(&mut outbox.take().news);
        assert_eq!((news.heads.len(), news.has_gap), (MOST, true));
        // Of sessions as of heads.
        let ended = |session| (SessionId::from_uuid(Uuid::from_u128(session)), Timestamp::from_seconds(1));
        outbox.ended((0..most).map(ended));
        outbox.ended((0..1).map(ended));
        assert!(!outbox.waiting().has_gap);
        outbox.ended((0..=most).map(ended));
        let news = std::mem::take(&mut outbox.take().news);
        assert_eq!((news.ended.len(), news.has_gap), (MOST, true));
    }

    #[test]
    fn what_could_not_be_sent_becomes_a_gap() {
        let outbox = Outbox::new();
        outbox.heads(&[hint(1, 1, 5)]);
        drop(outbox.take());
        let again = outbox.take();
        assert_eq!(again.news, News { has_gap: true, ..News::default() });
        again.done();
        drop(outbox.take());
        assert!(outbox.waiting().is_empty(), "nothing was lost with a message that says nothing");
    }

    #[tokio::test]
    async fn whoever_waits_is_told_when_all_before_was_sent() {
        let outbox = Outbox::new();
        outbox.flushed().await;
        outbox.heads(&[hint(1, 1, 5)]);
        let mut flushed = std::pin::pin!(outbox.flushed());
        let is_pending = tokio::time::timeout(Duration::ZERO, &mut flushed).await.is_err();
        assert!(is_pending);
        outbox.filled().await;
        outbox.take().done();
        flushed.await;
    }
}
