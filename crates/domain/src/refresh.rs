//! The refresh state machine: which generation of a session's refresh token counts, and what a token that is
//! not the current one means.
//!
//! A refresh token is its session, a generation and a MAC; so the one stored state is [`Refresh`], and the
//! same successor can be made again at any time. Generation *n* is exchanged for *n* + 1. Three things can
//! happen besides:
//!
//! - **One behind.** The answer was lost, or two refreshes ran side by side. While nobody has *confirmed* the
//!   successor (used its access token, or rotated it), or within 30 s of the rotation, the answer is the
//!   same successor again. At most 12 such answers count in 24 h; the thirteenth ends the session.
//! - **Older, or one behind a confirmed successor.** Two parties hold the session: it ends everywhere.
//! - **Ahead.** With a valid MAC this exists only after the database was rewound to a backup. The stored
//!   generation jumps to it and rotates as usual. It never counts as reuse.
//!
//! Why not simpler: strict rotation logs out half of the sessions on a flaky network every day, a window of
//! 30 s alone those with long tunnels, and "one behind for ever" never notices a thief.

use std::time::Duration;

use crate::Timestamp;
use crate::session::{Ending, Expiry, Lifetime};

/// After a rotation, its predecessor gets the same successor for this long even when that is confirmed.
pub const PARALLEL_WINDOW: Duration = Duration::from_secs(30);
/// Answers with the same successor that count within [`REPLAY_WINDOW`]; the next one ends the session.
pub const MOST_REPLAYS: u8 = 12;
/// The window of [`MOST_REPLAYS`]: whichever of this length one looks at.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// A repeat from the same client within this time of the answer before is a retry and not counted.
pub const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// How often a session's refresh token was exchanged. Fits a signed 64-bit column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The one a new session starts with.
    pub const FIRST: Self = Self(1);
    const LAST: u64 = i64::MAX as u64;

    /// `None` for zero and for what does not fit a signed 64-bit column.
    pub const fn new(number: u64) -> Option<Self> {
        if number >= 1 && number <= Self::LAST { Some(Self(number)) } else { None }
    }

    /// The number, from 1 to 2^63 - 1.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it. The last has none and stays: nobody refreshes 2^63 times.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::LAST { Self(self.0 + 1) } else { self }
    }

    const fn is_just_before(self, later: Self) -> bool {
        self.0 < later.0 && later.0 - self.0 == 1
    }
}

/// A keyed hash of a client's address prefix and user agent: enough to recognise a retry, and nothing that
/// could be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientTag(pub [u8; 8]);

/// When those answers with the same successor were given that count, the oldest first, [`MOST_REPLAYS`] at most.
///
/// A count with the beginning of its window would be shorter, and let nearly twice as many pass across its edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replays {
    at: [Timestamp; MOST_REPLAYS as usize],
    count: usize,
}

impl Replays {
    /// As they were kept; `None` when there are more than can be.
    pub fn given_at(times: &[Timestamp]) -> Option<Self> {
        let mut replays = Self { count: times.len(), ..Self::default() };
        replays.at.get_mut(..times.len())?.copy_from_slice(times);
        Some(replays)
    }

    pub fn times(&self) -> &[Timestamp] {
        self.at.get(..self.count).unwrap_or_default()
    }

    /// One more; `None` when that is one too many.
    fn counted(self, now: Timestamp) -> Option<Self> {
        let within = |at: &&Timestamp| now.since(**at) < REPLAY_WINDOW;
        let times: Vec<_> = self.times().iter().filter(within).copied().chain([now]).collect();
        Self::given_at(&times)
    }
}

/// The last answer that was given for this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAnswer {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub client: ClientTag,
}

/// What is stored for a session that has refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The generation whose token is live.
    pub generation: Generation,
    /// Whether somebody proved to hold the current generation.
    pub confirmed: bool,
    /// When the live token first replaced its predecessor; no replay moves it.
    pub rotated_at: Timestamp,
    /// Counted answers with the same successor.
    pub replays: Replays,
    /// What a retry is recognised by.
    pub last_answer: LastAnswer,
    /// The limits of the session, which no refresh can pass.
    pub lifetime: Lifetime,
}

/// What a presented token leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Store the state, hand out a token of its generation, which is new.
    Rotate { state: Refresh, ahead: bool },
    /// Store the state, hand out the token of its generation once more.
    SameSuccessor { state: Refresh },
    /// End the session everywhere and tell its owner.
    Revoke(Reason),
    /// The session had ended by itself.
    Expired(Expiry),
}

/// Why a presented token ends its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A token that its holder had moved on from came back.
    Reuse,
    /// The same successor was asked for too often.
    TooManyReplays,
}

impl From<Reason> for Ending {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Reuse => Self::Reuse,
            Reason::TooManyReplays => Self::TooManyReplays,
        }
    }
}

impl Refresh {
    /// The state of a new session, whose first token goes to `client`.
    pub const fn begin(lifetime: Lifetime, client: ClientTag, now: Timestamp) -> Self {
        Self {
            generation: Generation::FIRST,
            confirmed: false,
            rotated_at: now,
            replays: Replays { at: [Timestamp::from_millis(0); MOST_REPLAYS as usize], count: 0 },
            last_answer: LastAnswer { at: now, client },
            lifetime,
        }
    }

    /// Somebody presents a token of that generation whose MAC is valid.
    pub fn present(self, presented: Generation, client: ClientTag, now: Timestamp) -> Outcome {
        if let Some(expiry) = self.lifetime.expiry(now) {
            return Outcome::Expired(expiry);
        }
        if presented >= self.generation {
            let ahead = presented > self.generation;
            return Outcome::Rotate { state: self.rotated(presented, client, now), ahead };
        }
        let is_parallel = now.since(self.rotated_at) <= PARALLEL_WINDOW;
        if !presented.is_just_before(self.generation) || (self.confirmed && !is_parallel) {
            return Outcome::Revoke(Reason::Reuse);
        }
        let is_retry = client == self.last_answer.client && now.since(self.last_answer.at) <= RETRY_WINDOW;
        let replays = if is_retry { Some(self.replays) } else { self.replays.counted(now) };
        match replays {
            Some(replays) => Outcome::SameSuccessor { state: Self { replays, ..self.answered(client, now) } },
            None => Outcome::Revoke(Reason::TooManyReplays),
        }
    }

    /// The first request with an access token of the current generation confirms it. `Some` is a state to
    /// store, durably, before that request is answered; `None` means that nothing changes.
    pub fn confirm(self, generation: Generation) -> Option<Self> {
        (generation == self.generation && !self.confirmed).then_some(Self { confirmed: true, ..self })
    }

    fn rotated(self, from: Generation, client: ClientTag, now: Timestamp) -> Self {
        Self { generation: from.next(), confirmed: false, rotated_at: now, ..self.answered(client, now) }
    }

    /// A client that asks is in use, so the idle limit moves; the absolute one never does.
    fn answered(self, client: ClientTag, now: Timestamp) -> Self {
        Self { last_answer: LastAnswer { at: now, client }, lifetime: self.lifetime.used(now), ..self }
    }
}

#[cfg(test)]
mod tests;
