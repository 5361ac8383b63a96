//! What one live stream is told between two of its looks: flags and a set, never a queue. However slow a reader
//! is, this is all that waits for it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::cursor::Cursor;
use domain::{FavouriteId, SessionId, Timestamp};
use tokio::sync::Notify;

/// A token's holder is told this long before its stream ends.
const WARNED_BEFORE: Duration = Duration::from_secs(60);

/// Why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The account opened another one, and this was its oldest.
    Replaced,
    /// Its token or its session has come to its end.
    Expired,
    /// Its session was ended.
    Revoked,
    /// The server stops.
    Shutdown,
    /// Nobody reads it.
    Stalled,
    /// It could not begin.
    Failed,
}

impl Close {
    /// For the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Shutdown => "shutdown",
            Self::Stalled => "stalled",
            Self::Failed => "failed",
        }
    }
}

/// Favourites whose weather looks different now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastHint {
    pub favourites: BTreeSet<FavouriteId>,
    /// Of the newest of these forecasts.
    pub issued_at: Timestamp,
}

impl ForecastHint {
    fn merge(&mut self, other: Self) {
        self.favourites.extend(other.favourites);
        self.issued_at = self.issued_at.max(other.issued_at);
    }
}

/// How long a stream may go on without its client doing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// As long as the access token; a new one may follow.
    Token(Timestamp),
    /// As long as the cookie's session, whose end moves with its use.
    Session(Timestamp),
}

/// What is due to a stream.
#[derive(Debug, Default)]
pub struct Pending {
    /// The account's log may have moved.
    pub dirty: bool,
    pub forecast: Option<ForecastHint>,
    /// The token ends soon.
    pub expiring: bool,
    /// Nothing was told for a while.
    pub heartbeat: bool,
    pub close: Option<Close>,
}

impl Pending {
    /// Adds what came later.
    pub fn absorb(&mut self, later: Self) {
        self.dirty |= later.dirty;
        self.expiring |= later.expiring;
        self.heartbeat |= later.heartbeat;
        self.close = self.close.or(later.close);
        if let Some(hint) = later.forecast {
            match &mut self.forecast {
                Some(known) => known.merge(hint),
                none => *none = Some(hint),
            }
        }
    }
}

/// One stream as the hub sees it.
pub struct Signal {
    pub session: SessionId,
    pub opened_at: Timestamp,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    pending: Pending,
    /// What the stream has told its client so far.
    sent: Option<Cursor>,
    term: Term,
    is_warned: bool,
    /// Checks since something was told.
    quiet: u32,
    closed: Option<Close>,
}

impl State {
    /// The first reason stands.
    fn close(&mut self, why: Close) {
        self.closed.get_or_insert(why);
        self.pending.close = self.closed;
    }
}

impl Signal {
    /// The first sign of life comes `quiet` checks earlier than the others: so those of many streams that were
    /// opened together are not all due together.
    pub fn new(session: SessionId, opened_at: Timestamp, term: Term, quiet: u32) -> Self {
        let state =
            State { pending: Pending::default(), sent: None, term, is_warned: false, quiet, closed: None };
        Self { session, opened_at, state: Mutex::new(state), wake: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.wake.notify_one();
    }

    /// The log is at `head`. What the client knows already wakes nobody; tells whether it was woken.
    pub fn head(&self, head: Cursor) -> bool {
        let known = |sent: Cursor| sent.era == head.era && sent.seq >= head.seq;
        let is_news = !self.state().sent.is_some_and(known);
        if is_news {
            self.tell(|state| state.pending.dirty = true);
        }
        is_news
    }

    pub fn forecast(&self, hint: ForecastHint) {
        self.tell(|state| state.pending.absorb(Pending { forecast: Some(hint), ..Pending::default() }));
    }

    /// Ends it; the first reason stands.
    pub fn close(&self, why: Close) {
        self.tell(|state| state.close(why));
    }

    /// Why the server ended it; `None` when the client left.
    pub fn closed(&self) -> Option<Close> {
        self.state().closed
    }

    /// Returns when the server has ended it.
    pub async fn ended(&self) {
        while self.closed().is_none() {
            self.woken().await;
        }
    }

    /// What is due; nothing is due after that.
    pub fn take(&self) -> Pending {
        std::mem::take(&mut self.state().pending)
    }

    /// Returns when something may be due.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Notes what the client has been told.
    pub fn sent(&self, cursor: Cursor) {
        self.state().sent = Some(cursor);
    }

    /// Something was told, which is a sign of life too.
    pub fn told(&self) {
        let mut state = self.state();
        (state.quiet, state.pending.heartbeat) = (0, false);
    }

    /// The client showed that it may go on.
    pub fn renew(&self, term: Term) {
        let mut state = self.state();
        state.term = term;
        state.is_warned = false;
    }

    /// Ends, or warns, what has come to its end, and asks for a sign of life at every `heartbeat`th check in
    /// which nothing was told. `true` when the session must be looked at, whose end may have moved.
    pub fn check(&self, now: Timestamp, heartbeat: u32) -> bool {
        let mut state = self.state();
        if state.closed.is_some() {
            return false;
        }
        let mut is_due = false;
        let mut wakes = false;
        state.quiet += 1;
        if state.quiet >= heartbeat {
            state.quiet = 0;
            (state.pending.heartbeat, wakes) = (true, true);
        }
        match state.term {
            Term::Session(ends_at) => is_due = now >= ends_at,
            Term::Token(ends_at) if now >= ends_at => {
                state.close(Close::Expired);
                wakes = true;
            }
            Term::Token(ends_at) if !state.is_warned && now >= ends_at.minus(WARNED_BEFORE) => {
                (state.pending.expiring, state.is_warned, wakes) = (true, true, true);
            }
            Term::Token(_) => {}
        }
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cursor::Era;
    use uuid::Uuid;

    const HEARTBEAT: u32 = 20;

    fn signal(term: Term) -> Signal {
        Signal::new(SessionId::from_uuid(Uuid::nil()), at(0), term, 0)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn what_comes_twice_is_told_once() {
        let signal = signal(Term::Session(at(1000)));
        let hint = |n: u128, issued| ForecastHint {
            favourites: BTreeSet::from([FavouriteId::from_uuid(Uuid::from_u128(n))]),
            issued_at: at(issued),
        };
        for (n, issued) in [(1, 7), (2, 9), (1, 8)] {
            signal.head(Cursor { era: Era(1), seq: 3 });
            signal.forecast(hint(n, issued));
        }
        let pending = signal.take();
        assert!(pending.dirty);
        let hint = pending.forecast.unwrap();
        assert_eq!((hint.favourites.len(), hint.issued_at), (2, at(9)));
        let pending = signal.take();
        assert!(!pending.dirty && pending.forecast.is_none(), "taken is taken");
    }

    #[test]
    fn a_head_that_the_client_knows_wakes_nobody_and_one_of_another_era_does() {
        let signal = signal(Term::Session(at(1000)));
        let head = |era, seq| Cursor { era: Era(era), seq };
        signal.sent(head(1, 5));
        for (era, seq, wakes) in [(1, 5, false), (1, 4, false), (1, 6, true), (2, 5, true), (2, 3, true)] {
            signal.head(head(era, seq));
            assert_eq!(signal.take().dirty, wakes, "{era} {seq}");
        }
    }

    #[test]
    fn a_token_is_warned_of_once_and_then_ends_unless_it_is_renewed() {
        let signal = signal(Term::Token(at(600)));
        signal.check(at(539), HEARTBEAT);
        assert!(!signal.take().expiring);
        signal.check(at(540), HEARTBEAT);
        signal.check(at(541), HEARTBEAT);
        assert!(signal.take().expiring);
        signal.check(at(542), HEARTBEAT);
        assert!(!signal.take().expiring);
        signal.renew(Term::Token(at(1200)));
        signal.check(at(600), HEARTBEAT);
        assert_eq!(signal.closed(), None);
        signal.check(at(1200), HEARTBEAT);
        signal.close(Close::Revoked);
        assert_eq!(signal.take().close, Some(Close::Expired), "the first reason stands");
    }

    #[test]
    fn a_stream_that_tells_nothing_gives_a_sign_of_life() {
        let check = |signal: &Signal| {
            signal.check(at(0), HEARTBEAT);
            signal.take().heartbeat
        };
        let signal = Signal::new(SessionId::from_uuid(Uuid::nil()), at(0), Term::Session(at(1000)), 15);
        assert_eq!((0..4).filter(|_| check(&signal)).count(), 0);
        assert!(check(&signal), "the first comes early");
        assert_eq!((0..19).filter(|_| check(&signal)).count(), 0);
        assert!(check(&signal));
        // What was told is a sign of life, also of one that is due already.
        assert_eq!((0..19).filter(|_| check(&signal)).count(), 0);
        signal.check(at(0), HEARTBEAT);
        signal.told();
        assert!(!signal.take().heartbeat);
        assert_eq!((0..19).filter(|_| check(&signal)).count(), 0);
        assert!(check(&signal));
    }

    #[test]
    fn a_session_is_looked_at_when_it_may_have_ended() {
        let signal = signal(Term::Session(at(600)));
        assert!(!signal.check(at(599), HEARTBEAT));
        assert!(signal.check(at(600), HEARTBEAT));
        assert_eq!(signal.closed(), None);
    }
}
