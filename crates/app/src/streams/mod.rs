//! Live streams: what changes is told to whoever is connected, at once.
//!
//! The database is the truth and hints only wake. A hint is (account, era, head): it comes from this process'
//! own commits, and could come from any other. A stream that is woken reads what lies between what it told last
//! and the head; so a lost hint costs time, never data, and [`App::read_heads`] bounds the time.

use std::time::Duration;

use domain::cursor::Cursor;
use domain::{AccountId, Error, Result, SessionId};
use store::sessions;
use store::sync::{self, HEADS_AT_ONCE};

mod elsewhere;
mod forecasts;
mod hub;
mod reading;
mod signal;
mod stream;
mod tickets;

pub use forecasts::WATCH_EVERY;
pub use hub::Seat;
pub use signal::{Close, ForecastHint};
pub use stream::{COME_BACK_AFTER, Event, SessionState, Stream};
pub use tickets::TICKET_LIFETIME;

pub(crate) use hub::Hub;

use crate::App;
use crate::caller::{Caller, Client};
use crate::session_record::SessionRecord;
use stream::Start;

/// How often [`App::read_heads`] is to run.
pub const HEADS_EVERY: Duration = Duration::from_secs(30);
/// How often [`App::check_streams`] is to run.
pub const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Sessions looked at in one go; the others a second later.
const SESSIONS_AT_ONCE: usize = 100;

impl App {
    /// A place for one more stream; `None` when all are taken or the server is about to stop.
    pub fn seat(&self) -> Option<Seat> {
        self.streams.seat()
    }

    /// A place for a client that has yet to say who it is. Fewer are to be had than of the others, so that those
    /// who never say it cannot take them all.
    pub fn waiting_seat(&self, client: &Client) -> Option<Seat> {
        self.streams.waiting_seat(self.is_limited(client).then_some(client.network))
    }

    /// Returns when the server is about to stop.
    pub async fn streams_closing(&self) {
        self.streams.closing().await;
    }

    /// Streams that are open, for the metrics.
    pub fn open_streams(&self) -> usize {
        self.streams.taken()
    }

    /// Opens a stream from a cursor as the client kept it; without one it begins at the head. It follows the
    /// log from this moment, and reads at its first [`Stream::next`].
    pub fn open_stream(&self, caller: &Caller, seat: Seat, cursor: Option<&str>) -> Stream {
        let joined = self.streams.join(seat, caller.account, caller.session, (self.now(), caller.term()));
        // Asked after it joined: an end in between is seen here or told to the stream.
        if self.revocations.contains(caller.session) {
            joined.signal.close(Close::Revoked);
        }
        let start = match cursor.map(Cursor::parse) {
            None => Start::Head,
            Some(Ok(cursor)) => Start::At(cursor),
            Some(Err(_)) => Start::Unreadable,
        };
        Stream::new(self.clone(), *caller, joined, start)
    }

    /// When a client that cannot be served is to come back: not before `least`, and not all at once.
    pub fn come_back_after(&self, least: Duration) -> Duration {
        let spread = u64::try_from(COME_BACK_AFTER.as_millis()).unwrap_or(u64::MAX);
        least.max(COME_BACK_AFTER) + Duration::from_millis(self.random.below(spread))
    }

    /// Ends streams whose token or session has come to its end, warns those whose soon will, and lets those that
    /// are quiet give a sign of life.
    pub async fn check_streams(&self) -> Result<()> {
        let due = self.streams.check(self.now());
        if due.is_empty() {
            return Ok(());
        }
        // A database that hangs must not keep the others from their signs of life. Who is due stays so.
        let looked = tokio::time::timeout(CHECK_EVERY / 2, self.look_at_sessions(due)).await;
        looked.unwrap_or_else(|_| {
            Err(Error::unavailable(
                "store_unavailable",
                "the sessions could not be read in time",
                CHECK_EVERY,
            ))
        })
    }

    /// Cookies' sessions: requests have moved the end since the stream was opened.
    async fn look_at_sessions(&self, mut due: Vec<(AccountId, SessionId)>) -> Result<()> {
        due.truncate(SESSIONS_AT_ONCE);
        let states = self
            .store
            .read(async move |db| {
                let mut states = Vec::with_capacity(due.len());
                for (account, session) in due {
                    states.push((session, sessions::get(db, account, session).await?));
                }
                Ok(states)
            })
            .await?;
        let now = self.now();
        for (session, state) in states {
            let lifetime = state.map(|state| SessionRecord::decode(&state)).transpose();
            match lifetime.map(|record| record.map(|record| record.refresh.lifetime)) {
                Ok(lifetime) => {
                    let going_on = lifetime.filter(|lifetime| lifetime.expiry(now).is_none());
                    self.streams.extend(session, going_on.map(|lifetime| lifetime.ends_at()));
                }
                Err(error) => {
                    tracing::error!(%error, "a session could not be read; its streams end");
                    self.streams.extend(session, None);
                }
            }
        }
        Ok(())
    }

    /// The backstop: reads where the logs of all connected accounts are and wakes the streams that told
    /// something else. What a lost hint would have told is told here.
    pub async fn read_heads(&self) -> Result<()> {
        let connected = self.streams.connected();
        for accounts in connected.chunks(HEADS_AT_ONCE) {
            let accounts: Vec<AccountId> = accounts.to_vec();
            let heads = self.store.read(async move |db| sync::heads(db, &accounts).await).await?;
            self.streams.heads(&heads);
        }
        Ok(())
    }

    /// Takes no more streams and asks the clients of those there are to come back later. Returns when they are
    /// closed.
    pub async fn end_streams(&self) {
        self.streams.close();
        self.streams.emptied().await;
    }
}
