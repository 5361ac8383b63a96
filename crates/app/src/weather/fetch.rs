//! Single flight: whoever wants a cell that is being fetched waits for that fetch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::ChangedCell;
use domain::Result;
use domain::forecast::{
    Cell, Forecast, Freshness, Pack, Place, Series, Share, Units, VariableSet, ViewRequest,
};
use tokio::sync::watch;

use super::cache::Entry;
use super::providers::Provider;
use super::stored::key;
use super::turns::{Asked, CLAIM_LIFETIME, Look, wait_for_others};
use super::{FetchedBy, Unavailable, Wanted, Weather};

/// How a fetch ended for one cell.
pub(super) type Landed = Result<Arc<Entry>, Unavailable>;

/// Fetches under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<(Pack, Cell), Wait>>);

/// Tells how a flight ended.
pub(super) type Wait = watch::Receiver<Option<Landed>>;

impl Flights {
    pub(super) fn is_under_way(&self, want: &Wanted) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&(want.pack, want.cell))
    }

    fn land(&self, want: &Wanted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(want.pack, want.cell));
    }
}

/// A cell to fetch and who is to be told.
struct Flight {
    want: Wanted,
    told: watch::Sender<Option<Landed>>,
}

/// What became of a batch of flights.
#[derive(Default)]
struct Flown {
    /// Those without an answer.
    left: Vec<Flight>,
    /// Those that another node is on.
    held: Vec<Flight>,
    why: Option<Unavailable>,
}

/// The part of a forecast that people look at: a change on the tenth day is worth no message.
const LOOKED_AT: ViewRequest =
    ViewRequest { hours: 48, days: 7, units: Units::Metric, variables: VariableSet::LIST };

impl Weather {
    /// Fetches cells, joining fetches that are under way. The work goes on when the caller leaves.
    pub(super) fn fetch(self: &Arc<Self>, wanted: &[Wanted]) -> Vec<(Cell, watch::Receiver<Option<Landed>>)> {
        let mut waits = Vec::with_capacity(wanted.len());
        let mut flights: HashMap<(Pack, bool), Vec<Flight>> = HashMap::new();
        let now = self.clock.now();
        {
            let mut under_way = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
            for want in wanted {
                let key = (want.pack, want.cell);
                if let Some(wait) = under_way.get(&key) {
                    waits.push((want.cell, wait.clone()));
                    continue;
                }
                // A flight may have landed since its cell was looked up. It landed in memory before it left
                // the list, so looking again under the list's lock is exact.
                if let Some((entry, Freshness::Fresh)) = self.look_up(want, now) {
                    waits.push((want.cell, watch::channel(Some(Ok(entry))).1));
                    continue;
                }
                let (told, wait) = watch::channel(None);
                under_way.insert(key, wait.clone());
                waits.push((want.cell, wait));
                let favourites = want.share == Share::Favourites;
                flights.entry((want.pack, favourites)).or_default().push(Flight { want: *want, told });
            }
        }
        for (_, flights) in flights {
            let weather = self.clone();
            tokio::spawn(async move {
                let wanted: Vec<Wanted> = flights.iter().map(|flight| flight.want).collect();
                if tokio::spawn(weather.clone().fly(flights)).await.is_err() {
                    // It panicked. Its cells must not wait for it for ever.
                    for want in &wanted {
                        weather.flights.land(want);
                    }
                }
            });
        }
        waits
    }

    pub(super) fn refresh_behind(self: &Arc<Self>, ageing: Vec<Wanted>) {
        if !ageing.is_empty() {
            drop(self.fetch(&ageing));
        }
    }

    /// Asks provider after provider until each cell has an answer or nobody is left to ask. Cells that another node
    /// is fetching are waited for when all others have been told.
    async fn fly(self: Arc<Self>, mut flights: Vec<Flight>) {
        let deadline = tokio::time::Instant::now() + CLAIM_LIFETIME;
        let mut why = Unavailable::Provider { retry_after: Duration::from_secs(30) };
        loop {
            let (mut held, mut claimed) = (Vec::new(), Vec::new());
            for provider in self.providers.active() {
                let mut left = Vec::new();
                while !flights.is_empty() {
                    let rest = flights.split_off(flights.len().min(provider.batch()));
                    let batch = std::mem::replace(&mut flights, rest);
                    let flown = self.fly_batch(&provider, batch).await;
                    left.extend(flown.left);
                    why = flown.why.unwrap_or(why);
                    let name = provider.provider.source().name();
                    claimed.extend(
                        flown.held.iter().map(|flight| key(name, flight.want.pack, flight.want.cell)),
                    );
                    held.extend(flown.held);
                }
                flights = left;
            }
            self.fail(flights, why);
            if held.is_empty() {
                return;
            }
            if tokio::time::Instant::now() >= deadline {
                self.fail(held, why);
                return;
            }
            let look = Look { clock: &self.clock, random: &self.random, deadline };
            wait_for_others(&self.store, &claimed, look).await;
            flights = held;
        }
    }

    fn fail(&self, flights: Vec<Flight>, why: Unavailable) {
        for flight in flights {
            self.flights.land(&flight.want);
            flight.told.send_replace(Some(Err(why)));
        }
    }

    /// One call at most: for those of the cells that nobody else has fetched or is fetching.
    async fn fly_batch(&self, provider: &Provider, batch: Vec<Flight>) -> Flown {
        let Some(Wanted { pack, share, .. }) = batch.first().map(|flight| flight.want) else {
            return Flown::default();
        };
        let cells: Vec<Cell> = batch.iter().map(|flight| flight.want.cell).collect();
        let now = self.clock.now();
        let asked = Asked { cells: &cells, pack, share, now, ttl: self.ttl };
        let turn = match provider.turn(&self.store, asked, &self.random).await {
            Ok(turn) => turn,
            Err(why) => return Flown { left: batch, why: Some(why), ..Flown::default() },
        };
        let mut flown = Flown { why: turn.refused, ..Flown::default() };
        let mut flights: HashMap<Cell, Flight> =
            batch.into_iter().map(|flight| (flight.want.cell, flight)).collect();
        flown.held.extend(turn.held.iter().filter_map(|cell| flights.remove(cell)));
        let mut taken = Vec::new();
        for (cell, series) in &turn.stored {
            if let Some(flight) = flights.remove(cell) {
                taken.extend(self.land(flight, series.clone()).1);
            }
        }
        self.tell(taken, FetchedBy::Another);
        if turn.ours.is_empty() {
            flown.left.extend(flights.into_values());
            return flown;
        }
        let (mut landed, mut changed) = (Vec::new(), Vec::new());
        match provider.ask(&self.store, &turn, pack, now, &self.random).await {
            Ok(answers) => {
                for (cell, series) in turn.ours.iter().zip(answers) {
                    // A cell without an answer is left for the next provider.
                    if let Some(series) = series
                        && let Some(flight) = flights.remove(cell)
                    {
                        let (entry, change) = self.land(flight, series);
                        landed.push(entry);
                        changed.extend(change);
                    }
                }
            }
            Err(why) => flown.why = Some(why),
        }
        flown.left.extend(flights.into_values());
        let name = provider.provider.source().name();
        let claimed = turn.ours.iter().map(|cell| key(name, pack, *cell)).collect();
        self.keep(landed, claimed, turn.holder).await;
        // After it is kept: whoever is told may ask another node, which finds it there.
        self.tell(changed, FetchedBy::Us);
        flown
    }

    /// Keeps an answer in memory and tells those who wait for it. Memory first: nobody who comes between may start
    /// another fetch.
    fn land(&self, flight: Flight, series: Series) -> (Arc<Entry>, Option<ChangedCell>) {
        let before = self.memory.peek(&(series.source(), series.pack(), flight.want.cell));
        let entry = self.memory.insert(Entry::new(flight.want.cell, series), self.latest());
        self.flights.land(&flight.want);
        flight.told.send_replace(Some(Ok(entry.clone())));
        let changed = self.change(before.as_deref(), &entry);
        (entry, changed)
    }

    fn tell(&self, changed: Vec<ChangedCell>, by: FetchedBy) {
        if let Some(listener) = self.on_change.get() {
            changed.into_iter().for_each(|changed| listener(changed, by));
        }
    }

    /// What to tell of an answer that shows something else than the one before. Detail comes and goes with the core,
    /// which alone is looked at.
    fn change(&self, before: Option<&Entry>, entry: &Entry) -> Option<ChangedCell> {
        let series = &entry.series;
        if series.pack() != Pack::Core {
            return None;
        }
        let cell = entry.cell;
        // In the middle of the cell; no place in it is shown anything very different.
        let place = Place { coordinates: cell.centre(), elevation_m: None, zone: jiff::tz::TimeZone::UTC };
        let now = self.clock.now();
        let shown = |series: &Series| Forecast::of(series, None, cell, &place, &LOOKED_AT, now);
        let is_changed = before.is_none_or(|before| !shown(&before.series).shows_the_same(&shown(series)));
        let fetched_at = series.fetched_at();
        let issued_at = series.issued_at().unwrap_or(fetched_at);
        is_changed.then_some(ChangedCell { cell, issued_at, fetched_at })
    }
}
