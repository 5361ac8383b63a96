//! One live stream, whatever its face: what its client is to be told next.

use std::sync::Arc;
use std::time::Duration;

use domain::change::Delta;
use domain::cursor::{Cursor, Reset};
use domain::{Error, Result};
use tokio::time::{sleep, timeout};

use super::hub::Joined;
use super::signal::{Close, ForecastHint, Pending, Signal, Term};
use crate::App;
use crate::caller::{Caller, Credential};

/// Changes of one event. Small, since a whole one waits in memory for each reader that stalls: forty favourites
/// with the longest notes are less than half a megabyte.
const PAGE: u32 = 40;
/// A client that is sent away comes back after this long, and up to as much again, so that not all come at once.
pub const COME_BACK_AFTER: Duration = Duration::from_secs(2);

/// How long a stream waits for the database: shorter than a sign of life may be late.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How long a client may take over what is under way when the stream is ended, and again over its last word: the
/// two together are less than the five seconds after which an ended session is told nothing.
const LAST_WORD_WITHIN: Duration = Duration::from_secs(2);

/// What a client is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Where the stream stands: at its beginning, and after each reset.
    Hello { cursor: Cursor, heartbeat: Duration },
    /// What has changed since the cursor told last.
    Changes(Arc<Delta>),
    /// These favourites' weather looks different now.
    Forecast(ForecastHint),
    /// The changes since the client's cursor cannot be told; it is to take the snapshot.
    Reset(Reset),
    /// The session's state; but for `Expiring` it is the last event.
    Session(SessionState),
    /// The last event: come back after this long.
    Retry(Duration),
    /// Nothing has happened for a while.
    Heartbeat,
}

impl Event {
    /// The name by which clients know it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Changes(_) => "changes",
            Self::Forecast(_) => "forecast",
            Self::Reset(_) => "reset",
            Self::Session(_) => "session",
            Self::Retry(_) => "retry",
            Self::Heartbeat => "hb",
        }
    }
}

/// What a stream says of its own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The token ends within a minute.
    Expiring,
    Expired,
    Revoked,
    /// The account opened too many; do not come back by yourself.
    Replaced,
}

impl SessionState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
        }
    }
}

/// A stream that was opened. Dropping it closes it.
pub struct Stream {
    app: App,
    caller: Caller,
    joined: Joined,
    /// Where the client wants to begin, until it has.
    start: Option<Start>,
    /// What the client was told last, and what it is to be told next.
    sent: Cursor,
    todo: Pending,
    next_up: Option<Event>,
    /// The last read failed: another try with the next sign of life.
    has_failed: bool,
    has_ended: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Start {
    Head,
    At(Cursor),
    Unreadable,
}

impl Stream {
    pub(super) fn new(app: App, caller: Caller, joined: Joined, start: Start) -> Self {
        Self {
            app,
            caller,
            joined,
            start: Some(start),
            // Told to nobody before the start has replaced it.
            sent: Cursor { era: domain::cursor::Era(0), seq: 0 },
            todo: Pending::default(),
            next_up: None,
            has_failed: false,
            has_ended: false,
        }
    }

    /// The next event, as soon as there is one; `None` after the last. Nothing is lost when the returned future
    /// is dropped before it is ready.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.find().await?;
        // After a greeting the first sign of life may come at any time, at another for each stream.
        if !matches!(event, Event::Hello { .. } | Event::Heartbeat) {
            self.todo.heartbeat = false;
            self.joined.signal.told();
        }
        metrics::counter!("fairweather_stream_events_total", "event" => event.name()).increment(1);
        Some(event)
    }

    async fn find(&mut self) -> Option<Event> {
        loop {
            if self.has_ended {
                return None;
            }
            self.todo.absorb(self.joined.signal.take());
            if let Some(why) = self.todo.close {
                self.has_ended = true;
                return self.last_word(why);
            }
            if let Some(event) = self.next_up.take() {
                return Some(event);
            }
            let may_read = self.start.is_some() || (self.todo.dirty && !self.has_failed);
            let may_tell = may_read || (self.todo.forecast.is_some() && !self.has_failed);
            // A node that was frozen goes on where it stopped, and its session may have ended meanwhile.
            if may_tell && !self.app.revocations_are_current() {
                let renewed = Box::pin(self.renew_in_time()).await;
                if let Err(error) = &renewed {
                    self.failed(error);
                }
                if renewed.is_err() || self.joined.signal.closed().is_some() {
                    continue;
                }
            }
            if may_read {
                // On the heap, and only while it runs: most streams wait most of the time.
                match Box::pin(self.read_in_time()).await {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) => {}
                    Err(error) => self.failed(&error),
                }
                continue;
            }
            if std::mem::take(&mut self.todo.expiring) {
                return Some(Event::Session(SessionState::Expiring));
            }
            if !self.has_failed
                && let Some(hint) = self.todo.forecast.take()
            {
                return Some(Event::Forecast(hint));
            }
            if std::mem::take(&mut self.todo.heartbeat) {
                return Some(Event::Heartbeat);
            }
            self.joined.signal.woken().await;
            self.has_failed = false;
        }
    }

    /// [`Stream::read`], unless the stream is ended meanwhile: what was read for a session that has ended is told to
    /// nobody.
    async fn read_in_time(&mut self) -> Result<Option<Event>> {
        let signal = self.joined.signal.clone();
        let read = in_time(&signal, self.read()).await?;
        if signal.closed().is_some() { Ok(None) } else { Ok(read.flatten()) }
    }

    async fn renew_in_time(&self) -> Result<()> {
        in_time(&self.joined.signal, self.app.renew_revocations()).await.map(drop)
    }

    /// Where the stream begins, or what has happened since.
    async fn read(&mut self) -> Result<Option<Event>> {
        let account = self.caller.account;
        let since = match self.start {
            Some(Start::Head) => {
                let cursor = self.app.newest_cursor(&self.caller).await?;
                return Ok(Some(self.begin(cursor)));
            }
            Some(Start::Unreadable) => return self.reset(Reset::Malformed).await.map(Some),
            Some(Start::At(cursor)) => cursor,
            None => self.sent,
        };
        let read = async || Ok(self.app.changes_since(account, since, PAGE).await?.map(Arc::new));
        // A stream that begins has a cursor of its client's, as of any time.
        let told = match self.start {
            Some(_) => read().await?,
            None => self.app.streams.reading(account, since).get(read).await?,
        };
        let delta = match told {
            Ok(delta) => delta,
            Err(reset) => return self.reset(reset).await.map(Some),
        };
        // Whatever moves the log while this is read sets the flag anew.
        self.todo.dirty = delta.has_more;
        let hello = self.start.is_some().then(|| self.begin(since));
        let changes = (!delta.changes.is_empty()).then(|| {
            self.move_to(delta.to);
            Event::Changes(delta)
        });
        if hello.is_some() {
            self.next_up = changes;
            return Ok(hello);
        }
        Ok(changes)
    }

    /// The reset goes before the greeting: whoever has heard only one of the two must not take the head for
    /// what it knows.
    async fn reset(&mut self, reason: Reset) -> Result<Event> {
        let head = self.app.newest_cursor(&self.caller).await?;
        metrics::counter!("fairweather_stream_resets_total", "reason" => reason.as_str()).increment(1);
        self.next_up = Some(self.begin(head));
        Ok(Event::Reset(reason))
    }

    fn begin(&mut self, cursor: Cursor) -> Event {
        self.start = None;
        self.move_to(cursor);
        Event::Hello { cursor, heartbeat: self.app.settings.streams.heartbeat }
    }

    fn move_to(&mut self, cursor: Cursor) {
        self.sent = cursor;
        self.joined.signal.sent(cursor);
    }

    fn failed(&mut self, error: &Error) {
        if matches!(error, Error::Unauthenticated { .. }) {
            // The account is gone, and its sessions with it.
            self.joined.signal.close(Close::Revoked);
        } else if self.start.is_some() {
            tracing::warn!(%error, "a stream could not begin");
            self.joined.signal.close(Close::Failed);
        } else {
            tracing::warn!(%error, "a stream could not read; it tries again");
            self.has_failed = true;
        }
    }

    fn last_word(&self, why: Close) -> Option<Event> {
        match why {
            Close::Replaced => Some(Event::Session(SessionState::Replaced)),
            Close::Expired => Some(Event::Session(SessionState::Expired)),
            Close::Revoked => Some(Event::Session(SessionState::Revoked)),
            Close::Shutdown | Close::Failed => Some(Event::Retry(self.app.come_back_after(Duration::ZERO))),
            Close::Stalled => None,
        }
    }

    /// Goes on with a new access token of the same session.
    pub async fn renew(&self, token: &str) -> Result<()> {
        let caller = self.app.authenticate_bearer(token).await?;
        if caller.session != self.caller.session {
            let detail = "this access token belongs to another session than the stream";
            return Err(Error::unauthenticated("invalid_token", detail));
        }
        self.joined.signal.renew(caller.term());
        Ok(())
    }

    /// Returns when the stream was ended and its client has not taken what is under way in time: the face gives
    /// it up. Whatever else it was woken for is found by [`Stream::next`].
    pub async fn overdue(&self) {
        self.joined.signal.ended().await;
        sleep(LAST_WORD_WITHIN).await;
    }

    /// Nobody reads it: the face gives it up.
    pub fn stalled(&self) {
        self.joined.signal.close(Close::Stalled);
    }
}

/// What the database is asked for, or nothing when the stream is ended meanwhile. One connection that hangs must neither
/// silence the stream nor keep it open.
async fn in_time<T>(signal: &Signal, asked: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    let told = tokio::select! {
        biased;
        () = signal.ended() => return Ok(None),
        told = timeout(READ_WITHIN, asked) => told,
    };
    let late =
        |_| Error::unavailable("store_unavailable", "the changes could not be read in time", READ_WITHIN);
    told.map_err(late)?.map(Some)
}

impl Caller {
    /// How long a stream of this caller may go on.
    pub(super) const fn term(&self) -> Term {
        match self.credential {
            Credential::Bearer(_) => Term::Token(self.ends_at),
            Credential::Cookie => Term::Session(self.ends_at),
        }
    }
}
