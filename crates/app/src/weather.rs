//! Forecasts for cells: memory, then the cache that nodes share, then the database, then a provider. One fetch per
//! cell however many ask; an old answer is served while a new one is fetched, and when none can be.

mod cache;
mod fetch;
mod provider_state;
mod providers;
mod stored;
mod turns;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bus::{ChangedCell, SharedCache};
use domain::forecast::{Cell, Freshness, Pack, Share, Source, TtlPolicy};
use domain::{Clock, Coordinates, Error, Random, Result, Timestamp};
use store::Store;

pub use cache::Entry;
pub use providers::{Configured, Providers};

use cache::Memory;
use fetch::Flights;

/// A cell and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub cell: Cell,
    pub pack: Pack,
    /// Cells with favourites in them have half of each provider's budget to themselves.
    pub share: Share,
}

/// A forecast, or why there is none. `Pending` means that it is being fetched.
#[derive(Clone)]
pub enum Found {
    Ready(Arc<Entry>),
    Pending,
    Failed(Unavailable),
}

/// Why no provider could be asked or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The day's (or hour's) weather is spent.
    Budget { retry_after: Duration },
    /// The caller has asked for too many that nobody had.
    Limited { retry_after: Duration },
    /// No provider answers.
    Provider { retry_after: Duration },
}

impl From<Unavailable> for Error {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::Budget { retry_after } => Self::unavailable(
                "weather_budget",
                "the weather provider's quota is used up for now; try again later",
                retry_after,
            ),
            Unavailable::Limited { retry_after } => Self::limited(
                "rate_limited",
                "too many forecasts for new places at once; wait and try again",
                retry_after,
            ),
            Unavailable::Provider { retry_after } => Self::unavailable(
                "weather_unavailable",
                "no weather provider answers just now; try again later",
                retry_after,
            ),
        }
    }
}

/// Cells refreshed ahead of time were asked for within this time.
const IN_USE: Duration = Duration::from_secs(3 * 3600);
/// Cells refreshed ahead in one go.
const REFRESH_CHUNK: usize = 200;
/// How often [`Weather::refresh_ahead`] is to run.
pub const REFRESH_EVERY: Duration = Duration::from_secs(30);

/// Called when the weather of a cell looks different than it did, and the new answer is kept where other nodes find it.
type OnChange = Box<dyn Fn(ChangedCell, FetchedBy) + Send + Sync>;

/// Who asked the provider for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchedBy {
    /// This node, which lets the others know.
    Us,
    /// Another one, which lets us know; but news can be lost.
    Another,
}

pub struct Weather {
    store: Arc<Store>,
    clock: Clock,
    random: Random,
    providers: Providers,
    memory: Memory,
    flights: Flights,
    ttl: TtlPolicy,
    on_change: OnceLock<OnChange>,
    shared: OnceLock<SharedCache>,
}

impl Weather {
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        random: Random,
        providers: Providers,
        cache_bytes: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            random,
            providers,
            memory: Memory::new(cache_bytes),
            flights: Flights::default(),
            ttl: TtlPolicy::default(),
            on_change: OnceLock::new(),
            shared: OnceLock::new(),
        })
    }

    /// From now on tells of every cell whose weather looks different than it did. There is one listener: the
    /// first stays.
    pub(crate) fn on_change(&self, listener: impl Fn(ChangedCell, FetchedBy) + Send + Sync + 'static) {
        let _ = self.on_change.set(Box::new(listener));
    }

    /// From now on this cache stands before the database.
    pub(crate) fn share_through(&self, cache: SharedCache) {
        let _ = self.shared.set(cache);
    }

    /// Another node has a newer answer for a cell: what is older than that is not served from memory any more.
    pub(crate) fn forget_older(&self, cell: Cell, than: Timestamp) {
        if than <= self.latest() {
            self.memory.forget_older(cell, than, self.providers.sources());
        }
    }

    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Whether answers of this source may be shown.
    pub(crate) fn uses(&self, source: Source) -> bool {
        self.providers.sources().any(|used| used == source)
    }

    /// Cells in memory, and their bytes: for the metrics.
    pub fn in_memory(&self) -> (usize, u64) {
        self.memory.size()
    }

    /// What there is for each cell, in the order asked; waits for fetches until `patience` has run out.
    ///
    /// `admit` is asked for each cell that nobody has and nobody is fetching: those are paid for by the caller, and
    /// as many are fetched as the caller may.
    pub async fn get(
        self: &Arc<Self>,
        wanted: &[Wanted],
        patience: Duration,
        admit: impl Fn() -> Result<()>,
    ) -> Result<Vec<Found>> {
        self.providers.decided().await;
        let now = self.clock.now();
        let mut usable: HashMap<Cell, Arc<Entry>> = HashMap::new();
        let mut ageing = Vec::new();
        let mut missing: Vec<Wanted> = Vec::new();
        for want in wanted {
            match self.look_up(want, now) {
                Some((entry, Freshness::Fresh)) => drop(usable.insert(want.cell, entry)),
                Some((entry, Freshness::Ageing)) => {
                    usable.insert(want.cell, entry);
                    ageing.push(*want);
                }
                _ if missing.iter().any(|other| other.cell == want.cell) => {}
                _ => missing.push(*want),
            }
        }
        let mut last_resort: HashMap<Cell, Arc<Entry>> = HashMap::new();
        if !missing.is_empty() {
            missing = self.load(missing, now, &mut usable, &mut ageing, &mut last_resort).await?;
        }
        self.refresh_behind(ageing);
        let mut failed = HashMap::new();
        let mut pending = Vec::new();
        if !missing.is_empty() {
            // A provider that sleeps is asked nothing, so nothing is to be paid for.
            let is_charged = self.providers.might_answer(now);
            let mut asked = Vec::with_capacity(missing.len());
            for want in missing {
                let is_cold = !last_resort.contains_key(&want.cell) && !self.flights.is_under_way(&want);
                match if is_cold && is_charged { admit() } else { Ok(()) } {
                    Ok(()) => asked.push(want),
                    Err(Error::Limited { retry_after, .. }) => {
                        failed.insert(want.cell, Unavailable::Limited { retry_after });
                    }
                    Err(error) => return Err(error),
                }
            }
            let waits = self.fetch(&asked);
            self.await_all(waits, patience, &mut usable, &mut failed, &mut pending).await;
        }
        let found = |want: &Wanted| {
            if let Some(entry) = usable.get(&want.cell).or_else(|| last_resort.get(&want.cell)) {
                entry.note_asked(now, want.share);
                Found::Ready(entry.clone())
            } else if let Some(&why) = failed.get(&want.cell) {
                Found::Failed(why)
            } else {
                Found::Pending
            }
        };
        Ok(wanted.iter().map(found).collect())
    }

    /// The freshest answer in memory, from any provider in use.
    fn look_up(&self, want: &Wanted, now: Timestamp) -> Option<(Arc<Entry>, Freshness)> {
        let mut best: Option<(Arc<Entry>, Freshness)> = None;
        for source in self.providers.sources() {
            if let Some(entry) = self.memory.get(&(source, want.pack, want.cell)) {
                let freshness = self.freshness(&entry, now);
                if best.as_ref().is_none_or(|(_, other)| freshness < *other) {
                    best = Some((entry, freshness));
                }
            }
        }
        best
    }

    /// The last moment at which an answer can have been fetched.
    fn latest(&self) -> Timestamp {
        self.ttl.latest(self.clock.now())
    }

    fn freshness(&self, entry: &Entry, now: Timestamp) -> Freshness {
        let factor = self.providers.ttl_factor(entry.series.source());
        self.ttl.freshness(entry.cell, entry.series.fetched_at(), now, factor)
    }

    /// When the entry should be refreshed.
    pub fn due(&self, entry: &Entry) -> Timestamp {
        let factor = self.providers.ttl_factor(entry.series.source());
        self.ttl.due(entry.cell, entry.series.fetched_at(), factor)
    }

    /// Reads what memory does not hold from where answers are kept, and returns what is still missing.
    async fn load(
        &self,
        missing: Vec<Wanted>,
        now: Timestamp,
        usable: &mut HashMap<Cell, Arc<Entry>>,
        ageing: &mut Vec<Wanted>,
        last_resort: &mut HashMap<Cell, Arc<Entry>>,
    ) -> Result<Vec<Wanted>> {
        let mut left = Vec::new();
        for (want, entries) in self.read_stored(missing).await? {
            let mut best: Option<(Arc<Entry>, Freshness)> = self.look_up(&want, now);
            for entry in entries {
                let freshness = self.freshness(&entry, now);
                if best.as_ref().is_none_or(|(_, other)| freshness < *other) {
                    best = Some((self.memory.insert(entry, self.latest()), freshness));
                }
            }
            match best {
                Some((entry, Freshness::Fresh)) => drop(usable.insert(want.cell, entry)),
                Some((entry, Freshness::Ageing)) => {
                    usable.insert(want.cell, entry);
                    ageing.push(want);
                }
                Some((entry, Freshness::Stale)) => {
                    last_resort.insert(want.cell, entry);
                    left.push(want);
                }
                Some((_, Freshness::Dead)) | None => left.push(want),
            }
        }
        Ok(left)
    }

    async fn await_all(
        &self,
        waits: Vec<(Cell, fetch::Wait)>,
        patience: Duration,
        usable: &mut HashMap<Cell, Arc<Entry>>,
        failed: &mut HashMap<Cell, Unavailable>,
        pending: &mut Vec<Cell>,
    ) {
        let deadline = tokio::time::Instant::now() + patience;
        for (cell, mut wait) in waits {
            let landed = tokio::time::timeout_at(deadline, wait.wait_for(Option::is_some)).await;
            match landed {
                Ok(Ok(landed)) => match &*landed {
                    Some(Ok(entry)) => drop(usable.insert(cell, entry.clone())),
                    Some(Err(why)) => drop(failed.insert(cell, *why)),
                    None => pending.push(cell),
                },
                // The flight was lost with its task.
                Ok(Err(_)) => {
                    let retry_after = Duration::from_secs(5);
                    failed.insert(cell, Unavailable::Provider { retry_after });
                }
                Err(_) => pending.push(cell),
            }
        }
    }

    /// Fetches cells that are in use and due, the oldest first, within the budget.
    pub async fn refresh_ahead(self: &Arc<Self>) {
        let now = self.clock.now();
        let in_use = now.minus(IN_USE);
        let mut due: Vec<(Timestamp, Wanted)> = Vec::new();
        self.memory.each(|entry| {
            let in_use = entry.asked_at() >= in_use;
            if in_use && now >= self.due(entry) && !entry.is_superseded() {
                let want = Wanted { cell: entry.cell, pack: entry.series.pack(), share: entry.share() };
                due.push((entry.series.fetched_at(), want));
            }
        });
        due.sort_by_key(|(fetched_at, _)| *fetched_at);
        due.truncate(REFRESH_CHUNK);
        let wanted: Vec<Wanted> = due.into_iter().map(|(_, want)| want).collect();
        for (_, mut wait) in self.fetch(&wanted) {
            // A flight that is lost or fails is tried again at the next round.
            let _ = wait.wait_for(Option::is_some).await;
        }
    }

    /// Metres above the sea of each point, from the provider; `None` where it cannot tell now.
    pub async fn elevations(&self, points: &[Coordinates]) -> Vec<Option<i32>> {
        self.providers.decided().await;
        self.providers.elevations(&self.store, points, self.clock.now()).await
    }
}
