//! Warm cells in memory, bounded by bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use domain::Timestamp;
use domain::forecast::{Cell, Pack, Series, Share, Source};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// One provider's answer for a cell. Never changes; a newer one takes its place.
pub struct Entry {
    pub cell: Cell,
    pub series: Series,
    asked_at: AtomicI64,
    has_favourites: AtomicBool,
    superseded: AtomicBool,
}

pub(super) type Key = (Source, Pack, Cell);

impl Entry {
    pub(super) fn new(cell: Cell, series: Series) -> Self {
        Self {
            cell,
            series,
            asked_at: AtomicI64::new(0),
            has_favourites: AtomicBool::new(false),
            superseded: AtomicBool::new(false),
        }
    }

    fn key(&self) -> Key {
        (self.series.source(), self.series.pack(), self.cell)
    }

    /// Whether a newer answer has taken its place.
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    pub(crate) fn note_asked(&self, now: Timestamp, share: Share) {
        self.asked_at.store(now.millis(), Ordering::Relaxed);
        if share == Share::Favourites {
            self.has_favourites.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn asked_at(&self) -> Timestamp {
        Timestamp::from_millis(self.asked_at.load(Ordering::Relaxed))
    }

    pub(super) fn share(&self) -> Share {
        if self.has_favourites.load(Ordering::Relaxed) { Share::Favourites } else { Share::Points }
    }
}

#[derive(Clone)]
struct Bytes;

/// What an entry takes beside its series: itself, its place in the cache.
const OVERHEAD: u64 = 320;

impl Weighter<Key, Arc<Entry>> for Bytes {
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        OVERHEAD + entry.series.heap_bytes() as u64
    }
}

pub(super) struct Memory {
    entries: Cache<Key, Arc<Entry>, Bytes>,
    /// Of cells that other nodes have told of: when the newest answer was fetched. What is read elsewhere may be older.
    newest: Cache<Cell, Timestamp>,
}

/// Cells of which it is remembered that another node has a newer answer. One that is pushed out may be read once more
/// from a copy that lags behind, and is then due at its usual time.
const TOLD: usize = 50_000;

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        // About seven kilobytes a cell.
        let expected = usize::try_from(bytes / 7_000).unwrap_or(usize::MAX).max(16);
        Self { entries: Cache::with_weighter(expected, bytes, Bytes), newest: Cache::new(TOLD) }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// The same without counting as use.
    pub(super) fn peek(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.peek(key)
    }

    /// Puts an answer in unless a newer one is there or is known to be elsewhere; what was known of the cell's use is
    /// kept. What says that it was fetched after `latest` does not count, wherever it is.
    pub(super) fn insert(&self, entry: Entry, latest: Timestamp) -> Arc<Entry> {
        let key = entry.key();
        let fetched_at = entry.series.fetched_at();
        if fetched_at > latest || self.is_outdated(entry.cell, &entry.series, latest) {
            return Arc::new(entry);
        }
        if let Some(old) = self.entries.peek(&key) {
            if (fetched_at..=latest).contains(&old.series.fetched_at()) {
                return old;
            }
            entry.note_asked(old.asked_at(), old.share());
            old.superseded.store(true, Ordering::Release);
        }
        let entry = Arc::new(entry);
        self.entries.insert(key, entry.clone());
        entry
    }

    /// Whether another node has told of a newer answer. Of the core pack alone: only that is told of.
    pub(super) fn is_outdated(&self, cell: Cell, series: &Series, latest: Timestamp) -> bool {
        let newest = if series.pack() == Pack::Core { self.newest.get(&cell) } else { None };
        newest.is_some_and(|newest| series.fetched_at() < newest && newest <= latest)
    }

    /// Forgets answers that are older, and does not take such in again.
    pub(super) fn forget_older(&self, cell: Cell, than: Timestamp, sources: impl Iterator<Item = Source>) {
        if self.newest.peek(&cell).is_none_or(|known| known < than) {
            self.newest.insert(cell, than);
        }
        for source in sources {
            let key = (source, Pack::Core, cell);
            if let Some(old) = self.entries.peek(&key).filter(|old| old.series.fetched_at() < than) {
                old.superseded.store(true, Ordering::Release);
                self.entries.remove(&key);
            }
        }
    }

    pub(super) fn each(&self, mut visit: impl FnMut(&Entry)) {
        for (_, entry) in self.entries.iter() {
            visit(&entry);
        }
    }

    pub(super) fn size(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }
}

#[cfg(test)]
mod tests {
    use domain::Coordinates;
    use domain::forecast::{SeriesBuilder, Variable};

    use super::*;

    fn cell() -> Cell {
        Cell::of(Coordinates::parse(60.0, 9.0).unwrap(), 0.0)
    }

    fn entry(pack: Pack, seconds: i64) -> Entry {
        let series = SeriesBuilder::new(Source::Sandbox, pack, Timestamp::from_seconds(seconds));
        let series = series.slots([(seconds / 3600 * 3600, 3600)]).unwrap();
        let value = |variable| if variable == Variable::Pressure { 1000.0 } else { 10.0 };
        let series = pack
            .variables()
            .iter()
            .fold(series, |series, variable| series.column(*variable, [Some(value(*variable))]).unwrap());
        Entry::new(cell(), series.build().unwrap())
    }

    fn insert(memory: &Memory, entry: Entry) -> Arc<Entry> {
        memory.insert(entry, Timestamp::from_seconds(10_000))
    }

    fn forget_older(memory: &Memory, than: i64) {
        memory.forget_older(cell(), Timestamp::from_seconds(than), [Source::Sandbox].into_iter());
    }

    #[test]
    fn an_answer_that_is_older_than_another_nodes_is_forgotten_and_not_taken_in_again() {
        let memory = Memory::new(1 << 20);
        let key = (Source::Sandbox, Pack::Core, cell());
        let old = insert(&memory, entry(Pack::Core, 7200));
        insert(&memory, entry(Pack::Detail, 7200));
        forget_older(&memory, 7200);
        assert!(memory.peek(&key).is_some(), "it is as new as that");
        forget_older(&memory, 7300);
        assert!(memory.peek(&key).is_none() && old.is_superseded());
        assert!(memory.peek(&(Source::Sandbox, Pack::Detail, cell())).is_some(), "only the core is told of");
        // From a cache that lags behind; whoever asked may have it, and nobody else.
        assert_eq!(insert(&memory, entry(Pack::Core, 7250)).series.fetched_at().seconds(), 7250);
        assert!(memory.peek(&key).is_none());
        // News that come late change nothing.
        forget_older(&memory, 7200);
        insert(&memory, entry(Pack::Core, 7250));
        assert!(memory.peek(&key).is_none());
        insert(&memory, entry(Pack::Core, 7300));
        assert!(memory.peek(&key).is_some());
    }

    #[test]
    fn an_answer_of_a_clock_that_was_ahead_gives_way() {
        let memory = Memory::new(1 << 20);
        let there =
            || memory.peek(&(Source::Sandbox, Pack::Core, cell())).map(|entry| entry.series.fetched_at());
        let at = |seconds| Timestamp::from_seconds(seconds);
        memory.insert(entry(Pack::Core, 7200), at(7199));
        assert_eq!(there(), None, "it is not taken in");
        memory.insert(entry(Pack::Core, 7200), at(7200));
        memory.insert(entry(Pack::Core, 3600), at(7200));
        assert_eq!(there(), Some(at(7200)));
        // The clock is set back.
        memory.insert(entry(Pack::Core, 3600), at(3900));
        assert_eq!(there(), Some(at(3600)));
        // What another node told when it was ahead stands in nobody's way.
        forget_older(&memory, 7200);
        memory.insert(entry(Pack::Core, 3700), at(7200));
        assert_eq!(there(), None);
        memory.insert(entry(Pack::Core, 3700), at(3900));
        assert_eq!(there(), Some(at(3700)));
    }
}
