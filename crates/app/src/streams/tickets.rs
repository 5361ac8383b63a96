//! Tickets: what opens one stream for a client that can set no header, an EventSource or WebSocket on another
//! origin than ours. Good once and for 30 seconds, so that it may stand in a URL.
//!
//! Kept in this process alone: a client whose ticket was drawn at another node gets 401 and draws a new one.

use std::time::Duration;

use domain::{Error, Result, Timestamp};
use quick_cache::sync::Cache;
use vault::Secret;
use zeroize::Zeroizing;

use crate::App;
use crate::caller::{Caller, account_is_gone};

/// How long a ticket is good.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);
/// Tickets remembered at once. One account draws at most about 2,500 in 30 seconds; one that is pushed out
/// costs its client another try.
const KEPT: usize = 20_000;

/// Tickets that were drawn and not used, by their hash.
pub(crate) struct Tickets(Cache<[u8; 32], Drawn>);

#[derive(Clone, Copy)]
struct Drawn {
    caller: Caller,
    until: Timestamp,
}

impl Default for Tickets {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl App {
    /// A ticket for one stream of the caller's, which ends when the caller's own credential does.
    pub fn draw_ticket(&self, caller: &Caller) -> Zeroizing<String> {
        let secret = Secret::generate(&self.random);
        let drawn = Drawn { caller: *caller, until: self.now().plus(TICKET_LIFETIME) };
        self.tickets.0.insert(*secret.digest().as_bytes(), drawn);
        secret.to_text()
    }

    /// Takes a ticket in.
    pub fn authenticate_ticket(&self, text: &str) -> Result<Caller> {
        let now = self.now();
        let secret = Secret::parse(text).ok_or_else(refused)?;
        let (_, drawn) = self.tickets.0.remove(secret.digest().as_bytes()).ok_or_else(refused)?;
        if now >= drawn.until || now >= drawn.caller.ends_at {
            return Err(refused());
        }
        if self.revocations.contains(drawn.caller.session) {
            return Err(account_is_gone());
        }
        Ok(drawn.caller)
    }
}

fn refused() -> Error {
    Error::unauthenticated(
        "invalid_ticket",
        "this ticket was used, or is older than 30 seconds; draw a new one",
    )
}
