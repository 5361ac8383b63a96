//! Forecasts for favourites, places and points.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::api_key::Scope;
use domain::favourite::Favourite;
use domain::forecast::{
    Attribution, Cell, Forecast, Pack, Place, Share, Source, Units, VariableSet, ViewRequest,
};
use domain::{AccountId, Coordinates, Error, FavouriteId, Invalid, Result, Timestamp};
use jiff::tz::TimeZone;

use crate::App;
use crate::caller::{Caller, Client, Principal};
use crate::weather::{Entry, Found, Unavailable, Wanted, Weather};

/// What part of a forecast is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForecastQuery {
    pub hours: Option<u32>,
    pub days: Option<u32>,
    /// `None` for the account's preference.
    pub units: Option<Units>,
}

/// The favourites screen.
pub struct ForecastList {
    pub units: Units,
    /// Each source that an item names, once.
    pub sources: Vec<(Source, Attribution)>,
    pub items: Vec<(FavouriteId, Result<Forecast>)>,
}

/// A rendered favourites screen and what it rests on.
pub(crate) struct RenderedList {
    query: ForecastQuery,
    entries: Vec<Arc<Entry>>,
    valid_until: Timestamp,
    body: Bytes,
}

/// Hours and days of a list when nothing is said.
const LIST_HOURS: u32 = 12;
const LIST_DAYS: u32 = 1;
const MOST_HOURS: u32 = 16 * 24;
const MOST_DAYS: u32 = 16;
/// The favourites screen answers within three seconds, with what there is by then.
const LIST_PATIENCE: Duration = Duration::from_millis(2500);
const PATIENCE: Duration = Duration::from_secs(10);
/// Detail that is not there quickly is left out; it is there at the next look.
const DETAIL_PATIENCE: Duration = Duration::from_secs(2);
/// Points of one request.
pub const MOST_POINTS: usize = 10;

/// A place to forecast for, and its cell.
struct Spot {
    place: Place,
    cell: Cell,
}

impl App {
    /// The forecast of one favourite, with all there is to know.
    pub async fn favourite_forecast(
        &self,
        caller: &Caller,
        client: &Client,
        id: FavouriteId,
        query: ForecastQuery,
    ) -> Result<Forecast> {
        let favourite = self.favourite(caller, id).await?;
        let principal = Principal::Caller(*caller);
        let spots = self.spots_of(&principal, client, std::slice::from_ref(&favourite)).await?;
        self.full_forecast(&principal, client, &spots, Share::Favourites, query).await
    }

    /// The forecast of a place of the gazetteer.
    pub async fn place_forecast(
        &self,
        principal: &Principal,
        client: &Client,
        id: u32,
        query: ForecastQuery,
    ) -> Result<Forecast> {
        principal.require_scope(Scope::ForecastsRead)?;
        let place = self.gazetteer.get(id).ok_or(Error::NotFound)?;
        let spots =
            self.spots(principal, client, vec![(place.coordinates, place.elevation, &place.tz)]).await?;
        self.full_forecast(principal, client, &spots, Share::Points, query).await
    }

    /// Forecasts of up to ten points; one that fails does not fail the others.
    pub async fn point_forecasts(
        &self,
        principal: &Principal,
        client: &Client,
        points: &[(Coordinates, Option<i32>)],
        query: ForecastQuery,
    ) -> Result<Vec<Result<Forecast>>> {
        principal.require_scope(Scope::ForecastsRead)?;
        if points.is_empty() || points.len() > MOST_POINTS {
            let detail = format!("must hold 1 to {MOST_POINTS} points");
            return Err(Invalid::new("/points", "out_of_range", detail).into());
        }
        let request = self.view(principal, query, MOST_HOURS, MOST_DAYS, VariableSet::ALL).await?;
        let zones: Vec<String> = points.iter().map(|(at, _)| self.gazetteer.time_zone(*at)).collect();
        let points = points.iter().zip(&zones).map(|(&(at, elevation), tz)| (at, elevation, tz.as_str()));
        let spots = self.spots(principal, client, points.collect()).await?;
        let found = self.find(principal, client, &spots, Share::Points, PATIENCE).await?;
        if let Some(Found::Failed(why @ Unavailable::Limited { .. })) = found.first()
            && found.iter().all(|found| matches!(found, Found::Failed(Unavailable::Limited { .. })))
        {
            return Err((*why).into());
        }
        let now = self.now();
        let show = |(spot, found): (&Spot, Found)| show(&found, spot, &request, now);
        Ok(spots.iter().zip(found).map(show).collect())
    }

    /// The favourites screen as `render` writes it: one request for everything on it. The bytes are kept and
    /// served while neither the favourites, nor a forecast, nor the hour has changed.
    pub async fn favourite_forecasts(
        &self,
        caller: &Caller,
        client: &Client,
        query: ForecastQuery,
        render: impl FnOnce(&ForecastList) -> Bytes,
    ) -> Result<Bytes> {
        let now = self.now();
        let slot = self.store.is_exclusive().then(|| self.forecast_lists.slot(caller.account));
        if let Some(known) = slot.as_ref().and_then(|slot| slot.get())
            && known.holds(query, now, &self.weather)
        {
            for entry in &known.entries {
                entry.note_asked(now, Share::Favourites);
            }
            return Ok(known.body.clone());
        }
        let list = VariableSet::LIST;
        let principal = Principal::Caller(*caller);
        let request = self.view(&principal, query, LIST_HOURS, LIST_DAYS, list).await?;
        let favourites = self.all_favourites(caller.account).await?;
        let spots = self.spots_of(&principal, client, &favourites).await?;
        let found = self.find(&principal, client, &spots, Share::Favourites, LIST_PATIENCE).await?;
        let now = self.now();
        let mut sources: Vec<(Source, Attribution)> = Vec::new();
        let mut entries = Vec::new();
        let mut items = Vec::with_capacity(favourites.len());
        let mut valid_until = Some(next_hour(now));
        for ((favourite, spot), found) in favourites.iter().zip(&spots).zip(&found) {
            match found {
                Found::Ready(entry) => {
                    let source = entry.series.source();
                    if !sources.iter().any(|(known, _)| *known == source) {
                        sources.push((source, source.attribution()));
                    }
                    let ends = self.weather.due(entry).min(slot_end(entry, now));
                    valid_until = valid_until.map(|until| until.min(ends));
                    entries.push(entry.clone());
                }
                // What is missing may be there in a moment: this list is not to be kept.
                Found::Pending | Found::Failed(_) => valid_until = None,
            }
            items.push((favourite.id, show(found, spot, &request, now)));
        }
        let body = render(&ForecastList { units: request.units, sources, items });
        if let (Some(slot), Some(valid_until)) = (slot, valid_until) {
            let size = body.len();
            let kept = RenderedList { query, entries, valid_until, body: body.clone() };
            slot.keep(Arc::new(kept), size);
        }
        Ok(body)
    }

    async fn full_forecast(
        &self,
        principal: &Principal,
        client: &Client,
        spots: &[Spot],
        share: Share,
        query: ForecastQuery,
    ) -> Result<Forecast> {
        let Some(spot) = spots.first() else { return Err(Error::internal("a forecast for nowhere")) };
        let request = self.view(principal, query, MOST_HOURS, MOST_DAYS, VariableSet::ALL).await?;
        let core = [Wanted { cell: spot.cell, pack: Pack::Core, share }];
        let detail = [Wanted { cell: spot.cell, pack: Pack::Detail, share }];
        let (core, detail) = tokio::join!(
            self.weather.get(&core, PATIENCE, || self.limit_cold_cells(principal, client, 1)),
            // Detail is a courtesy: it is fetched with the rest, and never fails it.
            self.weather.get(&detail, DETAIL_PATIENCE, || self.limit_cold_cells(principal, client, 1)),
        );
        let now = self.now();
        let detail = detail.ok().and_then(|found| found.into_iter().next());
        let detail = match &detail {
            Some(Found::Ready(entry)) => Some(&entry.series),
            _ => None,
        };
        match core?.into_iter().next() {
            Some(Found::Ready(entry)) => {
                let detail = detail.filter(|detail| detail.source() == entry.series.source());
                Ok(Forecast::of(&entry.series, detail, entry.cell, &spot.place, &request, now))
            }
            Some(other) => show(&other, spot, &request, now),
            None => Err(Error::internal("no answer for a cell")),
        }
    }

    async fn find(
        &self,
        principal: &Principal,
        client: &Client,
        spots: &[Spot],
        share: Share,
        patience: Duration,
    ) -> Result<Vec<Found>> {
        let wanted: Vec<Wanted> =
            spots.iter().map(|spot| Wanted { cell: spot.cell, pack: Pack::Core, share }).collect();
        self.weather.get(&wanted, patience, || self.limit_cold_cells(principal, client, 1)).await
    }

    async fn view(
        &self,
        principal: &Principal,
        query: ForecastQuery,
        hours: u32,
        days: u32,
        variables: VariableSet,
    ) -> Result<ViewRequest> {
        let bounded = |pointer, asked: Option<u32>, usual, most| match asked {
            Some(asked) if asked > most => {
                Err(Invalid::new(pointer, "out_of_range", format!("must be between 0 and {most}")))
            }
            asked => Ok(asked.unwrap_or(usual)),
        };
        let hours = bounded("?hours", query.hours, hours, MOST_HOURS)?;
        let days = bounded("?days", query.days, days, MOST_DAYS)?;
        let units = match query.units {
            Some(units) => units,
            None => self.units_of(principal).await?,
        };
        Ok(ViewRequest { hours, days, units, variables })
    }

    /// As the person likes to read; a service that does not say gets metric ones.
    async fn units_of(&self, principal: &Principal) -> Result<Units> {
        match principal {
            Principal::Caller(caller) => {
                Ok(self.me(caller).await?.preferences.units.unwrap_or(Units::Metric))
            }
            Principal::Service(_) => Ok(Units::Metric),
        }
    }

    pub(crate) async fn all_favourites(&self, account: AccountId) -> Result<Vec<Favourite>> {
        let key = self.data_keys.get(account).await?;
        let rows = self.store.read(async move |db| store::favourites::live(db, account).await).await?;
        let mut favourites = Vec::with_capacity(rows.len());
        for row in rows {
            favourites.push(crate::favourites::open(&key, account, row)?);
        }
        Ok(favourites)
    }

    async fn spots_of(
        &self,
        principal: &Principal,
        client: &Client,
        favourites: &[Favourite],
    ) -> Result<Vec<Spot>> {
        let mut points = Vec::with_capacity(favourites.len());
        for Favourite { content, .. } in favourites {
            points.push((content.coordinates()?, content.elevation, content.tz.as_str()));
        }
        self.spots(principal, client, points).await
    }

    /// Places and their cells; heights that nobody gave are found in one go.
    async fn spots(
        &self,
        principal: &Principal,
        client: &Client,
        points: Vec<(Coordinates, Option<i32>, &str)>,
    ) -> Result<Vec<Spot>> {
        let unknown: Vec<Coordinates> =
            points.iter().filter(|(_, elevation, _)| elevation.is_none()).map(|(at, ..)| *at).collect();
        let mut found = self.elevations(principal, client, &unknown).await.into_iter();
        let mut spots = Vec::with_capacity(points.len());
        for (at, elevation, tz) in points {
            let zone = TimeZone::get(tz).map_err(Error::internal)?;
            let metres = match elevation {
                Some(metres) => metres as f32,
                None => found.next().unwrap_or_default(),
            };
            let place = Place { coordinates: at, elevation_m: Some(metres), zone };
            spots.push(Spot { place, cell: Cell::of(at, metres) });
        }
        Ok(spots)
    }
}

impl RenderedList {
    fn holds(&self, query: ForecastQuery, now: Timestamp, weather: &Weather) -> bool {
        // A source goes out of use when the sandbox is left: no list of its weather may be seen after that.
        let is_current = |entry: &Arc<Entry>| !entry.is_superseded() && weather.uses(entry.series.source());
        self.query == query && now < self.valid_until && self.entries.iter().all(is_current)
    }
}

fn show(found: &Found, spot: &Spot, request: &ViewRequest, now: Timestamp) -> Result<Forecast> {
    match found {
        Found::Ready(entry) => Ok(Forecast::of(&entry.series, None, entry.cell, &spot.place, request, now)),
        Found::Pending => Err(pending()),
        Found::Failed(why) => Err((*why).into()),
    }
}

fn pending() -> Error {
    Error::unavailable("forecast_pending", "the forecast is being fetched; ask again", Duration::from_secs(2))
}

/// Days begin at full hours of UTC or at quarters of them, and slots at full hours.
fn next_hour(now: Timestamp) -> Timestamp {
    const QUARTER: i64 = 15 * 60;
    Timestamp::from_seconds((now.seconds().div_euclid(QUARTER) + 1) * QUARTER)
}

fn slot_end(entry: &Entry, now: Timestamp) -> Timestamp {
    let slot = entry.series.slot_at(now.seconds());
    slot.map_or(now, |slot| Timestamp::from_seconds(slot.end()))
}
