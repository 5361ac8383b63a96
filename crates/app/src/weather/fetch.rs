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
use super::{Unavailable, Wanted, Weather};

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

    /// Asks provider after provider until each cell has an answer or nobody is left to ask.
    async fn fly(self: Arc<Self>, mut flights: Vec<Flight>) {
        let mut why = Unavailable::Provider { retry_after: Duration::from_secs(30) };
        for provider in self.providers.active() {
            let mut left = Vec::new();
            while !flights.is_empty() {
                let rest = flights.split_off(flights.len().min(provider.batch()));
                let batch = std::mem::replace(&mut flights, rest);
                let Some(first) = batch.first() else { break };
                let (pack, share) = (first.want.pack, first.want.share);
                let asked: Vec<Cell> = batch.iter().map(|flight| flight.want.cell).collect();
                match provider.ask(&self.store, &asked, pack, share, self.clock.now(), &self.random).await {
                    Ok(answers) => {
                        let mut landed = Vec::new();
                        for (flight, answer) in batch.into_iter().zip(answers) {
                            match answer {
                                Some(series) => landed.push((flight, series)),
                                None => left.push(flight),
                            }
                        }
                        self.land(landed).await;
                    }
                    Err(reason) => {
                        why = reason;
                        left.extend(batch);
                    }
                }
            }
            flights = left;
        }
        for flight in flights {
            self.flights.land(&flight.want);
            flight.told.send_replace(Some(Err(why)));
        }
    }

    /// Keeps answers in memory and in the database, and tells those who wait. Memory first: nobody who comes
    /// between may start another fetch.
    async fn land(&self, landed: Vec<(Flight, Series)>) {
        let mut kept = Vec::with_capacity(landed.len());
        let mut changed = Vec::new();
        for (flight, series) in landed {
            let before = self.memory.peek(&(series.source(), series.pack(), flight.want.cell));
            let entry = self.memory.insert(Entry::new(flight.want.cell, series));
            self.flights.land(&flight.want);
            kept.push(entry.clone());
            flight.told.send_replace(Some(Ok(entry.clone())));
            changed.extend(self.change(before.as_deref(), &entry));
        }
        self.keep(&kept).await;
        // After it is kept: whoever is told may ask another node, which finds it there.
        if let Some(listener) = self.on_change.get() {
            changed.into_iter().for_each(listener);
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
