//! Who is connected: per account its live streams, what cells its favourites lie in, and nothing else.
//!
//! Whoever has news tells the hub, which sets flags and wakes; the streams read the database themselves. Telling
//! costs the same however many are connected.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bus::NodeId;
use domain::cursor::Cursor;
use domain::forecast::Cell;
use domain::{AccountId, FavouriteId, SessionId, Timestamp};
use store::Hint;
use tokio::sync::{Notify, watch};

use super::CHECK_EVERY;
use super::elsewhere::{Elsewhere, Tell};
use super::reading::Reading;
use super::signal::{Close, ForecastHint, Signal, Term};
use crate::caller::Network;
use crate::settings::StreamSettings;

/// All streams of this process.
pub struct Hub {
    settings: StreamSettings,
    rooms: Mutex<Rooms>,
    seats: AtomicUsize,
    /// Of the seats, those of [`Hub::waiting_seat`].
    waiting: Mutex<Waiting>,
    is_closing: watch::Sender<bool>,
    emptied: Notify,
    /// Tells the other nodes of an account's streams here, where there are others.
    tell: OnceLock<Tell>,
}

#[derive(Default)]
pub(super) struct Rooms {
    pub(super) accounts: HashMap<AccountId, Room>,
    /// Where a session's streams are, so that an ended one is found at once.
    sessions: HashMap<SessionId, AccountId>,
    /// Who has favourites in a cell.
    watchers: HashMap<Cell, Vec<AccountId>>,
    /// Streams that have ever joined.
    joined: u32,
    /// When each other node was heard.
    pub(super) heard: HashMap<NodeId, Timestamp>,
}

/// One account's streams.
#[derive(Default)]
pub(super) struct Room {
    /// Oldest first.
    pub(super) streams: Vec<Arc<Signal>>,
    pub(super) elsewhere: Elsewhere,
    /// What they are just being told.
    reading: Weak<Reading>,
    watched: Vec<(Cell, FavouriteId)>,
    /// The favourites have changed since `watched` was read.
    is_outdated: bool,
}

/// Whoever has not said who they are gets this part of the places, and never fewer than [`LEAST_WAITING`].
const WAITING_PART: usize = 10;
const LEAST_WAITING: usize = 10;
/// Of those one network gets this part.
const NETWORK_PART: usize = 2;

/// Who has yet to say who they are.
#[derive(Default)]
struct Waiting {
    taken: usize,
    by_network: HashMap<Network, usize>,
}

impl Waiting {
    fn take(&mut self, network: Option<Network>, most: usize) -> bool {
        let here = network.and_then(|network| self.by_network.get(&network)).copied().unwrap_or(0);
        if self.taken >= most || (network.is_some() && here >= most / NETWORK_PART) {
            return false;
        }
        self.taken += 1;
        if let Some(network) = network {
            self.by_network.insert(network, here + 1);
        }
        true
    }

    fn give_back(&mut self, network: Option<Network>) {
        self.taken -= 1;
        let Some(network) = network else { return };
        if let Entry::Occupied(mut here) = self.by_network.entry(network) {
            *here.get_mut() -= 1;
            if *here.get() == 0 {
                here.remove();
            }
        }
    }
}

/// A place for one stream, counted against the bound of the process from before its client is known.
pub struct Seat {
    hub: Arc<Hub>,
    is_waiting: bool,
    /// Against which it counts while it waits.
    network: Option<Network>,
}

impl Seat {
    /// Its client is known.
    fn settle(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.hub.waiting().give_back(self.network);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.settle();
        if self.hub.seats.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.hub.emptied.notify_waiters();
        }
    }
}

/// A stream that is told what happens, until it is dropped.
pub struct Joined {
    account: AccountId,
    pub signal: Arc<Signal>,
    seat: Seat,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.seat.hub.leave(self.account, &self.signal);
        let why = self.signal.closed().map_or("left", Close::name);
        metrics::counter!("fairweather_streams_closed_total", "reason" => why).increment(1);
    }
}

impl Hub {
    pub fn new(settings: StreamSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            rooms: Mutex::default(),
            seats: AtomicUsize::new(0),
            waiting: Mutex::default(),
            is_closing: watch::Sender::new(false),
            emptied: Notify::new(),
            tell: OnceLock::new(),
        })
    }

    /// From now on the other nodes are told of streams that come and go.
    pub fn on_change(&self, tell: impl Fn(AccountId, Vec<Timestamp>) + Send + Sync + 'static) {
        let _ = self.tell.set(Box::new(tell));
    }

    pub(super) fn tell(&self, rooms: &Rooms, account: AccountId) {
        if let Some(tell) = self.tell.get() {
            let streams = rooms.accounts.get(&account).map_or(&[][..], |room| &room.streams);
            tell(account, streams.iter().map(|signal| signal.opened_at).collect());
        }
    }

    /// The bound that an account's streams have at all nodes together.
    pub(super) const fn per_account(&self) -> usize {
        self.settings.per_account
    }

    pub(super) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more stream; `None` when there is none, or no more are taken.
    pub fn seat(self: &Arc<Self>) -> Option<Seat> {
        if *self.is_closing.borrow() {
            return None;
        }
        take_one(&self.seats, self.settings.most)?;
        Some(Seat { hub: self.clone(), is_waiting: false, network: None })
    }

    /// The same for a client that has yet to say who it is: all of them together get only a part of the places,
    /// so that those who stay silent cannot keep everybody else out, and one network half of that. [`Hub::join`] lifts
    /// it. No network is one that is not limited.
    pub fn waiting_seat(self: &Arc<Self>, network: Option<Network>) -> Option<Seat> {
        let most = (self.settings.most / WAITING_PART).max(LEAST_WAITING);
        let mut seat = self.seat()?;
        if !self.waiting().take(network, most) {
            return None;
        }
        (seat.is_waiting, seat.network) = (true, network);
        Some(seat)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places taken.
    pub fn taken(&self) -> usize {
        self.seats.load(Ordering::Acquire)
    }

    /// From here on the stream is told what happens. An account's oldest gives way.
    pub fn join(
        &self,
        mut seat: Seat,
        account: AccountId,
        session: SessionId,
        (now, term): (Timestamp, Term),
    ) -> Joined {
        seat.settle();
        let mut rooms = self.rooms();
        rooms.joined = rooms.joined.wrapping_add(1);
        let signal = Arc::new(Signal::new(session, now, term, rooms.joined % self.heartbeat()));
        let room = rooms.accounts.entry(account).or_default();
        // Somebody who just came knows none of the account's cells.
        room.is_outdated |= room.streams.is_empty();
        room.streams.push(signal.clone());
        let oldest = if room.streams.len() > self.settings.per_account { room.streams.first() } else { None };
        let oldest = oldest.cloned();
        rooms.sessions.insert(session, account);
        if let Some(oldest) = oldest {
            rooms.remove(account, &oldest);
            oldest.close(Close::Replaced);
        }
        self.tell(&rooms, account);
        drop(rooms);
        // Asked after it joined: either this sees the end, or the end sees the stream.
        if *self.is_closing.borrow() {
            signal.close(Close::Shutdown);
        }
        Joined { account, signal, seat }
    }

    fn leave(&self, account: AccountId, signal: &Arc<Signal>) {
        let mut rooms = self.rooms();
        if rooms.remove(account, signal) {
            self.tell(&rooms, account);
        }
    }

    /// Logs have moved.
    pub fn committed(&self, hints: &[Hint]) {
        let mut rooms = self.rooms();
        for hint in hints {
            if let Some(room) = rooms.accounts.get_mut(&hint.account) {
                room.is_outdated = true;
                room.reading = Weak::new();
                let head = Cursor { era: hint.era, seq: hint.head };
                for signal in &room.streams {
                    signal.head(head);
                }
            }
        }
    }

    /// Where logs are: wakes the streams that have told their clients something else.
    pub fn heads(&self, heads: &[(AccountId, Cursor)]) {
        let mut rooms = self.rooms();
        for (account, head) in heads {
            let Some(room) = rooms.accounts.get_mut(account) else { continue };
            room.reading = Weak::new();
            for signal in &room.streams {
                // Whoever missed a commit missed the favourites in it, too.
                room.is_outdated |= signal.head(*head);
            }
        }
    }

    /// What lies behind a cursor: the same for all of an account's streams that ask while it is being read. One
    /// that was told of a commit never gets what was begun before: the commit has put that away.
    pub fn reading(&self, account: AccountId, from: Cursor) -> Arc<Reading> {
        let mut rooms = self.rooms();
        let room = rooms.accounts.get_mut(&account);
        let under_way = room.as_ref().and_then(|room| room.reading.upgrade());
        if let Some(reading) = under_way.filter(|reading| reading.from() == from) {
            return reading;
        }
        let reading = Arc::new(Reading::new(from));
        if let Some(room) = room {
            room.reading = Arc::downgrade(&reading);
        }
        reading
    }

    /// The accounts with a stream.
    pub fn connected(&self) -> Vec<AccountId> {
        self.rooms().accounts.keys().copied().collect()
    }

    /// Sessions have ended.
    pub fn revoke(&self, sessions: impl IntoIterator<Item = SessionId>) {
        let rooms = self.rooms();
        for session in sessions {
            rooms.of_session(session).for_each(|signal| signal.close(Close::Revoked));
        }
    }

    /// A session was looked at: its streams end with it.
    pub fn extend(&self, session: SessionId, ends_at: Option<Timestamp>) {
        for signal in self.rooms().of_session(session) {
            match ends_at {
                Some(ends_at) => signal.renew(Term::Session(ends_at)),
                None => signal.close(Close::Expired),
            }
        }
    }

    /// Checks in which nothing is told before a stream gives a sign of life.
    fn heartbeat(&self) -> u32 {
        let checks = self.settings.heartbeat.as_millis() / CHECK_EVERY.as_millis();
        u32::try_from(checks).unwrap_or(u32::MAX).max(1)
    }

    /// Ends what has come to its end, warns what soon will, and asks the quiet for a sign of life; tells which
    /// sessions must be looked at. One look for all: with a timer each, ten thousand quiet streams would wake the
    /// process five hundred times a second.
    pub fn check(&self, now: Timestamp) -> Vec<(AccountId, SessionId)> {
        let heartbeat = self.heartbeat();
        self.end_surplus(now);
        let rooms = self.rooms();
        let mut due = BTreeSet::new();
        for (account, room) in &rooms.accounts {
            for signal in &room.streams {
                if signal.check(now, heartbeat) {
                    due.insert((*account, signal.session));
                }
            }
        }
        due.into_iter().collect()
    }

    /// Takes no more, and ends all there are.
    pub fn close(&self) {
        self.is_closing.send_replace(true);
        let rooms = self.rooms();
        rooms.accounts.values().flat_map(|room| &room.streams).for_each(|s| s.close(Close::Shutdown));
    }

    /// Returns when no more are taken.
    pub async fn closing(&self) {
        // An error would mean that the hub is gone, which holds the sender.
        let _ = self.is_closing.subscribe().wait_for(|is_closing| *is_closing).await;
    }

    /// Returns when nobody is connected.
    pub async fn emptied(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            // Listening before looking: the last one may leave in between.
            emptied.as_mut().enable();
            if self.taken() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// The weather of a cell looks different now.
    pub fn forecast_changed(&self, cell: Cell, issued_at: Timestamp) {
        let rooms = self.rooms();
        for account in rooms.watchers.get(&cell).into_iter().flatten() {
            let Some(room) = rooms.accounts.get(account) else { continue };
            let here = room.watched.iter().filter(|(of, _)| *of == cell);
            let hint = ForecastHint { favourites: here.map(|(_, id)| *id).collect(), issued_at };
            room.streams.iter().for_each(|signal| signal.forecast(hint.clone()));
        }
    }

    /// Accounts whose favourites have changed since [`Hub::watch`]; the caller is to look at them now.
    pub fn take_outdated(&self, most: usize) -> Vec<AccountId> {
        let mut rooms = self.rooms();
        let outdated = rooms.accounts.iter_mut().filter(|(_, room)| room.is_outdated).take(most);
        outdated
            .map(|(account, room)| {
                room.is_outdated = false;
                *account
            })
            .collect()
    }

    /// Looking failed: it is to be tried again.
    pub fn outdate(&self, account: AccountId) {
        if let Some(room) = self.rooms().accounts.get_mut(&account) {
            room.is_outdated = true;
        }
    }

    /// Where an account's favourites are.
    pub fn watch(&self, account: AccountId, watched: Vec<(Cell, FavouriteId)>) {
        let mut rooms = self.rooms();
        let Some(room) = rooms.accounts.get_mut(&account) else { return };
        let before = std::mem::replace(&mut room.watched, watched);
        let cells: BTreeSet<Cell> = room.watched.iter().map(|(cell, _)| *cell).collect();
        rooms.forget_cells(account, &before);
        for cell in cells {
            rooms.watchers.entry(cell).or_default().push(account);
        }
    }
}

/// Counts one more, unless that would be more than `most`.
fn take_one(counter: &AtomicUsize, most: usize) -> Option<usize> {
    let more = |taken: usize| (taken < most).then_some(taken + 1);
    counter.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()
}

impl Rooms {
    fn of_session(&self, session: SessionId) -> impl Iterator<Item = &Arc<Signal>> {
        let room = self.sessions.get(&session).and_then(|account| self.accounts.get(account));
        let streams = room.into_iter().flat_map(|room| &room.streams);
        streams.filter(move |signal| signal.session == session)
    }

    /// Takes a stream out, and whatever only it needed; tells whether it was in. Once it is out, again is nothing.
    pub(super) fn remove(&mut self, account: AccountId, signal: &Arc<Signal>) -> bool {
        let Some(room) = self.accounts.get_mut(&account) else { return false };
        let before = room.streams.len();
        room.streams.retain(|other| !Arc::ptr_eq(other, signal));
        let was_in = room.streams.len() < before;
        if !room.streams.iter().any(|other| other.session == signal.session) {
            self.sessions.remove(&signal.session);
        }
        if room.streams.is_empty()
            && let Some(room) = self.accounts.remove(&account)
        {
            self.forget_cells(account, &room.watched);
        }
        was_in
    }

    fn forget_cells(&mut self, account: AccountId, watched: &[(Cell, FavouriteId)]) {
        for (cell, _) in watched {
            if let Some(accounts) = self.watchers.get_mut(cell) {
                accounts.retain(|other| *other != account);
                if accounts.is_empty() {
                    self.watchers.remove(cell);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
