//! A session: one device that is signed in, how it proved itself, and how long that holds.

use std::fmt;
use std::time::Duration;

pub use crate::proof::{Proof, Proofs};
use crate::{Result, Timestamp, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How recent a proof must be for sensitive changes.
pub const STEP_UP: Duration = Duration::from_secs(5 * 60);

/// What the device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// An access token and a refresh token.
    Bearer,
    /// A cookie on our own origin, and no tokens.
    Cookie,
}

impl SessionKind {
    /// The word used in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Cookie => "cookie",
        }
    }

    /// The kind of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Cookie].into_iter().find(|kind| kind.name() == name)
    }
}

/// How long a session may stay unused, and how long it may live at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may stay unused.
    pub idle: Duration,
    /// `None` for anonymous accounts: the session is the only way into the account.
    pub absolute: Option<Duration>,
}

impl Limits {
    /// Bearer 60 and 180 days, cookie 30 and 90 days, anonymous 90 days idle and no end.
    ///
    /// An anonymous account that gains an identity starts a **new** session, so these never change under one.
    pub const fn of(kind: SessionKind, anonymous: bool) -> Self {
        match (kind, anonymous) {
            (_, true) => Self { idle: DAY.saturating_mul(90), absolute: None },
            (SessionKind::Bearer, false) => {
                Self { idle: DAY.saturating_mul(60), absolute: Some(DAY.saturating_mul(180)) }
            }
            (SessionKind::Cookie, false) => {
                Self { idle: DAY.saturating_mul(30), absolute: Some(DAY.saturating_mul(90)) }
            }
        }
    }
}

/// Which limit a session passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// Unused for too long.
    Idle,
    /// As old as a session may get.
    Absolute,
}

/// When a session began, when it was last used, and its limits. Everything about its end follows from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// What it may not pass.
    pub limits: Limits,
}

impl Lifetime {
    /// A session that begins now.
    pub const fn begin(limits: Limits, now: Timestamp) -> Self {
        Self { created_at: now, used_at: now, limits }
    }

    /// Which limit has passed by `now`, the absolute one first; `None` while the session holds.
    pub fn expiry(&self, now: Timestamp) -> Option<Expiry> {
        if self.limits.absolute.is_some_and(|absolute| now >= self.created_at.plus(absolute)) {
            Some(Expiry::Absolute)
        } else if now >= self.used_at.plus(self.limits.idle) {
            Some(Expiry::Idle)
        } else {
            None
        }
    }

    /// The moment it ends if nothing more happens: the earlier of the two limits.
    pub fn ends_at(&self) -> Timestamp {
        let idle = self.used_at.plus(self.limits.idle);
        self.limits.absolute.map_or(idle, |absolute| idle.min(self.created_at.plus(absolute)))
    }

    /// The same session, used at `now`. Never moves backwards, and never moves the absolute limit.
    #[must_use]
    pub fn used(self, now: Timestamp) -> Self {
        Self { used_at: self.used_at.max(now), ..self }
    }
}

/// So many sessions an account has at most: more than anybody has devices, few enough to look through.
pub const MOST_SESSIONS: u32 = 100;

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its owner logged out on the device itself.
    LoggedOut,
    /// Its owner ended it from another device.
    EndedByOwner,
    /// An operator ended it.
    EndedByOperator,
    /// A refresh token came back that its holder had moved on from: two parties hold the session.
    Reuse,
    /// More retries of a refresh than a bad network explains.
    TooManyReplays,
    /// Another one began, and this had been used longest ago of [`MOST_SESSIONS`].
    TooManySessions,
    /// A password was reset or changed, or a factor removed.
    CredentialsChanged,
    /// The account is gone, or was adopted into another.
    AccountRemoved,
    /// It passed a limit.
    Expired(Expiry),
}

impl Ending {
    const ALL: [Self; 10] = [
        Self::LoggedOut,
        Self::EndedByOwner,
        Self::EndedByOperator,
        Self::Reuse,
        Self::TooManyReplays,
        Self::TooManySessions,
        Self::CredentialsChanged,
        Self::AccountRemoved,
        Self::Expired(Expiry::Idle),
        Self::Expired(Expiry::Absolute),
    ];

    /// The word used in the database and the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::EndedByOwner => "ended_by_owner",
            Self::EndedByOperator => "ended_by_operator",
            Self::Reuse => "reuse",
            Self::TooManyReplays => "too_many_replays",
            Self::TooManySessions => "too_many_sessions",
            Self::CredentialsChanged => "credentials_changed",
            Self::AccountRemoved => "account_removed",
            Self::Expired(Expiry::Idle) => "expired_idle",
            Self::Expired(Expiry::Absolute) => "expired_absolute",
        }
    }

    /// The ending of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.name() == name)
    }

    /// Whether the owner is told by mail: only when it looks like theft.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::Reuse | Self::TooManyReplays)
    }
}

/// Whether a session still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It counts until its limits.
    Active(Lifetime),
    /// It counts no more.
    Ended { at: Timestamp, why: Ending },
}

impl SessionState {
    /// The state as of `now`: what has expired is ended at the moment it did.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Active(lifetime) => match lifetime.expiry(now) {
                Some(expiry) => Self::Ended { at: lifetime.ends_at(), why: Ending::Expired(expiry) },
                None => self,
            },
            Self::Ended { .. } => self,
        }
    }

    /// Ends it now. The first ending stays: a second one explains nothing.
    #[must_use]
    pub fn end(self, why: Ending, now: Timestamp) -> Self {
        match self.at(now) {
            Self::Active(_) => Self::Ended { at: now, why },
            ended @ Self::Ended { .. } => ended,
        }
    }

    /// Whether it counts at `now`.
    pub fn is_active(self, now: Timestamp) -> bool {
        matches!(self.at(now), Self::Active(_))
    }
}

/// Whether the last proof is recent enough for a sensitive change.
pub fn is_fresh(auth_time: Timestamp, now: Timestamp) -> bool {
    now.since(auth_time) <= STEP_UP
}

/// What the owner calls a device in the list of sessions, under the rules of [`text::name`]. Personal, hence
/// sealed at rest and hidden by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// Fails as [`text::name`] does, pointing at `/device_name`.
    pub fn parse(typed: &str) -> Result<Self> {
        text::name("/device_name", typed).map(Self)
    }

    /// The name, to be shown to its owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DeviceName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    #[test]
    fn limits_are_as_documented() {
        for (kind, anonymous, idle, absolute) in [
            (SessionKind::Bearer, false, 60, Some(180)),
            (SessionKind::Cookie, false, 30, Some(90)),
            (SessionKind::Bearer, true, 90, None),
            (SessionKind::Cookie, true, 90, None),
        ] {
            let limits = Limits::of(kind, anonymous);
            assert_eq!(limits.idle, DAY * idle);
            assert_eq!(limits.absolute, absolute.map(|days| DAY * days));
        }
    }

    #[test]
    fn use_moves_the_idle_limit_and_never_the_absolute_one() {
        let mut lifetime = Lifetime::begin(Limits::of(SessionKind::Bearer, false), START);
        for day in 1..180 {
            let now = START.plus(DAY * day);
            assert_eq!(lifetime.expiry(now), None, "day {day}");
            lifetime = lifetime.used(now);
            assert!(lifetime.ends_at() <= START.plus(DAY * 180));
        }
        let last = START.plus(DAY * 180);
        assert_eq!(lifetime.expiry(last.minus(Duration::from_millis(1))), None);
        assert_eq!(lifetime.expiry(last), Some(Expiry::Absolute));
    }

    #[test]
    fn an_unused_session_ends_at_its_idle_limit() {
        let state = SessionState::Active(Lifetime::begin(Limits::of(SessionKind::Cookie, false), START));
        let end = START.plus(DAY * 30);
        assert!(state.is_active(end.minus(Duration::from_millis(1))));
        let why = Ending::Expired(Expiry::Idle);
        assert_eq!(state.at(end.plus(DAY)), SessionState::Ended { at: end, why });
    }

    #[test]
    fn the_first_ending_stays() {
        let state = SessionState::Active(Lifetime::begin(Limits::of(SessionKind::Bearer, true), START));
        let ended = state.end(Ending::Reuse, START);
        assert_eq!(ended.end(Ending::LoggedOut, START.plus(DAY)), ended);
        assert_eq!(ended, SessionState::Ended { at: START, why: Ending::Reuse });
    }

    #[test]
    fn a_clock_that_steps_back_ends_nothing() {
        let lifetime = Lifetime::begin(Limits::of(SessionKind::Bearer, false), START);
        let earlier = START.minus(DAY);
        assert_eq!(lifetime.expiry(earlier), None);
        assert_eq!(lifetime.used(earlier).used_at, START);
    }

    #[test]
    fn names_read_back() {
        for ending in Ending::ALL {
            assert_eq!(Ending::parse(ending.name()), Some(ending));
        }
    }

    #[test]
    fn a_proof_is_fresh_for_five_minutes() {
        assert!(is_fresh(START, START.plus(STEP_UP)));
        assert!(!is_fresh(START, START.plus(STEP_UP).plus(Duration::from_millis(1))));
    }

    #[test]
    fn device_names_are_bounded_and_clean() {
        assert!(DeviceName::parse(&"ü".repeat(80)).is_ok());
        for bad in ["", "  ", "a\u{202E}b", "a\nb", &"x".repeat(101), &"x".repeat(100_000)] {
            assert!(DeviceName::parse(bad).is_err());
        }
    }
}
