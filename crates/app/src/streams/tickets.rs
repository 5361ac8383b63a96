//! Tickets: what opens one stream for a client that can set no header, an EventSource or WebSocket on another
//! origin than ours. Good once and for 30 seconds, so that it may stand in a URL.
//!
//! Kept in the database: a ticket drawn at one node opens a stream at any, and at one only.

use std::time::Duration;

use domain::account::Roles;
use domain::refresh::Generation;
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::sessions;
use store::tickets::{self, Ticket};
use vault::Secret;
use zeroize::Zeroizing;

use crate::App;
use crate::caller::{Caller, Client, Credential, account_is_gone};

/// How long a ticket is good. With the limit on requests it bounds how many one account has.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// What a ticket keeps of its caller beside account and session.
#[derive(Serialize, Deserialize)]
struct State {
    roles: String,
    /// Of the access token; a cookie has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    auth_time: Timestamp,
    ends_at: Timestamp,
}

impl State {
    fn of(caller: &Caller) -> Self {
        let generation = match caller.credential {
            Credential::Bearer(generation) => Some(generation.number()),
            Credential::Cookie => None,
        };
        Self {
            roles: caller.roles.to_string(),
            generation,
            auth_time: caller.auth_time,
            ends_at: caller.ends_at,
        }
    }
}

/// The caller that drew a ticket; `None` for a state of another version.
fn caller(ticket: &Ticket) -> Option<Caller> {
    let state: State = serde_json::from_slice(&ticket.state).ok()?;
    let credential = match state.generation {
        Some(generation) => Credential::Bearer(Generation::new(generation)?),
        None => Credential::Cookie,
    };
    Some(Caller {
        account: ticket.account,
        session: ticket.session,
        credential,
        roles: Roles::parse(&state.roles),
        auth_time: state.auth_time,
        ends_at: state.ends_at,
        renewed_until: None,
        network: None,
    })
}

impl App {
    /// A ticket for one stream of the caller's, which ends when the caller's own credential does.
    pub async fn draw_ticket(&self, caller: &Caller) -> Result<Zeroizing<String>> {
        let secret = Secret::generate(&self.random);
        let hash = *secret.digest().as_bytes();
        let state = serde_json::to_vec(&State::of(caller)).map_err(Error::internal)?;
        let ticket = Ticket { account: caller.account, session: caller.session, state };
        let now = self.now();
        let until = now.plus(TICKET_LIFETIME);
        self.store.write(async move |tx| tickets::draw(tx, &hash, &ticket, until, now).await).await?;
        Ok(secret.to_text())
    }

    /// Takes a ticket in: of all that try it at once, on any node, one is let through.
    ///
    /// What is none costs no write, and counts against who shows it. A ticket that is one counts against the account that
    /// drew it alone: many people of one network may come back at once.
    pub async fn authenticate_ticket(&self, client: &Client, text: &str) -> Result<Caller> {
        let now = self.now();
        let secret = Secret::parse(text).ok_or_else(refused)?;
        let hash = *secret.digest().as_bytes();
        if !self.store.read(async move |db| tickets::is_there(db, &hash, now).await).await? {
            self.limit_secrets(client)?;
            return Err(refused());
        }
        let taken = self.store.write(async move |tx| {
            let Some(ticket) = tickets::take(tx, &hash, now).await? else { return Ok(None) };
            // The session may have ended on another node a moment ago.
            let lives = sessions::get(tx, ticket.account, ticket.session).await?.is_some();
            Ok(Some((ticket, lives)))
        });
        let (ticket, lives) = taken.await?.ok_or_else(refused)?;
        let caller = caller(&ticket).filter(|caller| now < caller.ends_at).ok_or_else(refused)?;
        if !lives || self.revocations.contains(caller.session) {
            return Err(account_is_gone());
        }
        Ok(caller)
    }
}

fn refused() -> Error {
    Error::unauthenticated(
        "invalid_ticket",
        "this ticket was used, or is older than 30 seconds; draw a new one",
    )
}
