//! What a company's own services are told, and when it is tried again.

use std::time::Duration;

use crate::{Invalid, Result};

/// What happened. Nobody's places and addresses are told: whoever needs more asks with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    AccountCreated,
    /// An account got its first way in.
    AccountRegistered,
    AccountDeleted,
    /// A session ended before its time.
    SessionRevoked,
}

impl WebhookEvent {
    pub const ALL: [Self; 4] =
        [Self::AccountCreated, Self::AccountRegistered, Self::AccountDeleted, Self::SessionRevoked];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountRegistered => "account.registered",
            Self::AccountDeleted => "account.deleted",
            Self::SessionRevoked => "session.revoked",
        }
    }

    /// Whether people cause it as often as they like.
    pub const fn is_frequent(self) -> bool {
        matches!(self, Self::SessionRevoked)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// What somebody wants to be told: at least one, each known, each once.
    pub fn asked(names: &[String]) -> Result<Vec<Self>> {
        let mut events = Vec::new();
        for name in names {
            let Some(event) = Self::parse(name) else {
                let known: Vec<_> = Self::ALL.iter().map(|event| event.name()).collect();
                let detail = format!("must be of {}", known.join(", "));
                return Err(Invalid::new("/events", "unknown", detail).into());
            };
            events.push(event);
        }
        events.sort_unstable();
        events.dedup();
        if events.is_empty() {
            return Err(Invalid::new("/events", "empty", "a webhook without events is told nothing").into());
        }
        Ok(events)
    }

    /// Stored ones; a name that this version does not know is nothing that it tells.
    pub fn stored(names: &str) -> Vec<Self> {
        names.split(' ').filter_map(Self::parse).collect()
    }

    /// Names separated by spaces.
    pub fn list(events: &[Self]) -> String {
        events.iter().map(|event| event.name()).collect::<Vec<_>>().join(" ")
    }
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// How long after a failed try the next one comes: some three days in all, as the Standard Webhooks advise.
const PAUSES: [u64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// A webhook that fails for so long is told nothing more.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 24 * HOUR);
/// How long a replaced secret still signs.
pub const OVERLAP: Duration = Duration::from_secs(24 * HOUR);
/// How long deliveries are kept.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * HOUR);

/// When to try again after so many tries; `None` when there is no more hope. `chance`, below 1, spreads tries that
/// failed together over a tenth of the pause.
pub fn pause(tries: i64, chance: f64) -> Option<Duration> {
    let index = usize::try_from(tries.saturating_sub(1)).ok()?;
    let pause = Duration::from_secs(*PAUSES.get(index)?);
    Some(pause + pause.mul_f64(chance.clamp(0.0, 1.0) / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_back_as_written() {
        let names: Vec<_> = WebhookEvent::ALL.iter().map(|event| event.name().to_owned()).collect();
        let twice: Vec<_> = names.iter().rev().chain(&names).cloned().collect();
        let events = WebhookEvent::asked(&twice).unwrap();
        assert_eq!(events, WebhookEvent::ALL);
        assert_eq!(WebhookEvent::stored(&WebhookEvent::list(&events)), events);
        assert_eq!(WebhookEvent::stored("account.moved"), []);
        assert!(WebhookEvent::asked(&[]).is_err());
        assert!(WebhookEvent::asked(&[String::from("favourite.created")]).is_err());
    }

    #[test]
    fn pauses_grow_and_end_after_three_days() {
        let pauses: Vec<_> = (1..).map_while(|tries| pause(tries, 0.0)).collect();
        assert_eq!(pauses.len(), PAUSES.len());
        assert!(pauses.is_sorted());
        let all: Duration = pauses.iter().sum();
        assert!(all > Duration::from_hours(72) && all < DISABLED_AFTER);
        assert_eq!(pause(1, 1.0), Some(Duration::from_millis(5500)));
        assert_eq!(pause(0, 0.0), None);
    }
}
