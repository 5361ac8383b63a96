//! The audit log: what happened to accounts, by whom, from which network. A line is written in the transaction that
//! does what it tells, so that there is neither without the other.
//!
//! There is nothing personal in it and so nothing to seal: ids, words of closed lists, and a keyed hash of the network.
//! An account that is removed leaves its lines under a keyed hash of its id.
//!
//! What anybody can cause at will is bounded. Failed sign-ins are counted in memory and written down every few
//! minutes, as one line with a number; so is what an account does more often than people do.

mod event;
mod tally;

use std::borrow::Cow;

use domain::api_key::Scope;
use domain::session::Ending;
use domain::webhook::WebhookEvent;
use domain::{AccountId, Invalid, Random, Result, SessionId, Timestamp};
use store::{Tx, accounts, audit, erasures};
use uuid::Uuid;
use vault::BlindIndex;

use crate::App;
use crate::caller::{Caller, Network, Principal, page_limit};

pub use event::Event;
pub(crate) use tally::Tally;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever holds the account.
    Owner,
    Operator(AccountId),
    ApiKey(Uuid),
    /// Somebody at the server's own terminal.
    CommandLine,
    /// A rule of the server's.
    Server,
    /// Nobody who was let in.
    Unknown,
}

impl Actor {
    pub(crate) const fn at(self, network: Option<NetworkTag>) -> By {
        By { actor: self, network }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator(_) => "operator",
            Self::ApiKey(_) => "api_key",
            Self::CommandLine => "command_line",
            Self::Server => "server",
            Self::Unknown => "unknown",
        }
    }

    const fn id(self) -> Option<Uuid> {
        match self {
            Self::Operator(account) => Some(account.uuid()),
            Self::ApiKey(key) => Some(key),
            Self::Owner | Self::CommandLine | Self::Server | Self::Unknown => None,
        }
    }
}

/// Who did something and from where, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub struct By {
    actor: Actor,
    network: Option<NetworkTag>,
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        actor.at(None)
    }
}

/// A network by a keyed hash: equal networks look equal, and nobody can read which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkTag([u8; 8]);

impl NetworkTag {
    pub(crate) fn of(index: &BlindIndex, network: Network) -> Self {
        let tag = index.throttle_tag("audit-network", &network.bytes());
        Self(tag.first_chunk().copied().unwrap_or_default())
    }
}

/// A line to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Timestamp,
    pub event: Event,
    /// The account that it happened to.
    pub account: Option<AccountId>,
    pub actor: Actor,
    pub network: Option<NetworkTag>,
    /// What more there is to say, from a closed list: never what a person typed.
    pub word: Option<Cow<'static, str>>,
    /// The session, key or webhook that it is about.
    pub item: Option<Uuid>,
}

impl Entry {
    /// Something that whoever holds the account did to it.
    pub const fn of(account: AccountId, event: Event, at: Timestamp) -> Self {
        let actor = Actor::Owner;
        Self { at, event, account: Some(account), actor, network: None, word: None, item: None }
    }

    /// Something that concerns no account.
    pub fn by(by: impl Into<By>, event: Event, at: Timestamp) -> Self {
        let By { actor, network } = by.into();
        Self { at, event, account: None, actor, network, word: None, item: None }
    }

    #[must_use]
    pub fn actor(self, by: impl Into<By>) -> Self {
        let By { actor, network } = by.into();
        Self { actor, network, ..self }
    }

    #[must_use]
    pub fn network(self, network: Option<NetworkTag>) -> Self {
        Self { network, ..self }
    }

    #[must_use]
    pub fn word(self, word: impl Into<Cow<'static, str>>) -> Self {
        Self { word: Some(word.into()), ..self }
    }

    #[must_use]
    pub fn item(self, item: Uuid) -> Self {
        Self { item: Some(item), ..self }
    }

    pub(crate) fn session_ended(account: AccountId, session: SessionId, why: Ending, at: Timestamp) -> Self {
        Self::of(account, Event::SessionEnded, at).item(session.uuid()).word(why.name())
    }
}

/// The longest word.
const LONGEST_WORD: usize = 64;

/// Writes a line, in the transaction that does what it tells.
pub(crate) async fn record(tx: &mut Tx, random: &Random, entry: &Entry) -> store::Result<()> {
    audit::put(tx, &row(random, entry, 1)).await
}

fn row(random: &Random, entry: &Entry, times: i64) -> audit::Row {
    audit::Row {
        id: random.uuid(entry.at),
        at: entry.at,
        event: entry.event.name().to_owned(),
        subject: entry.account.map(AccountId::uuid),
        actor: entry.actor.name().to_owned(),
        actor_id: entry.actor.id(),
        network: entry.network.map(|NetworkTag(tag)| tag.to_vec()),
        word: entry.word.as_ref().map(|word| word.chars().take(LONGEST_WORD).collect()),
        item: entry.item,
        times,
    }
}

/// A line as an operator reads it.
pub struct Line {
    pub id: Uuid,
    pub at: Timestamp,
    pub event: String,
    /// The account, or the keyed hash that stands for one that was removed.
    pub account: Option<Uuid>,
    pub actor: String,
    pub actor_id: Option<Uuid>,
    pub network: Option<String>,
    pub word: Option<String>,
    pub item: Option<Uuid>,
    pub times: i64,
}

/// Which lines are wanted.
#[derive(Default)]
pub struct Question {
    pub account: Option<AccountId>,
    pub event: Option<String>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    pub limit: Option<u32>,
}

/// A page of the log, the newest first.
pub struct AuditPage {
    pub lines: Vec<Line>,
    pub next: Option<Uuid>,
}

const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 500;

impl App {
    /// Where a request comes from, as the log tells it.
    pub(crate) fn network_tag(&self, network: Network) -> NetworkTag {
        NetworkTag::of(&self.index, network)
    }

    /// The holder of the caller's session, and where they are.
    pub(crate) fn owner(&self, caller: &Caller) -> By {
        self.by(Actor::Owner, caller.network)
    }

    pub(crate) fn by(&self, actor: Actor, network: Option<Network>) -> By {
        actor.at(network.map(|network| self.network_tag(network)))
    }

    /// Writes a line, in the transaction that does what it tells. What an account does too often is counted instead. A
    /// transaction that runs twice may count twice: that number is no promise.
    pub(crate) async fn audit(&self, tx: &mut Tx, entry: &Entry) -> store::Result<()> {
        if self.audit_tally.takes(entry) {
            return Ok(());
        }
        record(tx, &self.random, entry).await
    }

    /// What stands for an account in the log after it was removed.
    fn pseudonym(&self, account: AccountId) -> Uuid {
        let tag = self.index.throttle_tag("audit-account", account.uuid().as_bytes());
        uuid::Builder::from_custom_bytes(tag.first_chunk().copied().unwrap_or_default()).into_uuid()
    }

    /// Removes an account with all that is its own: the one way in which that happens. Its lines stay, without its id.
    /// `entry` says who removed it; nobody asks that of an anonymous one.
    pub(crate) async fn delete_account(
        &self,
        tx: &mut Tx,
        account: AccountId,
        now: Timestamp,
        entry: Option<Entry>,
    ) -> store::Result<Vec<SessionId>> {
        let pseudonym = self.pseudonym(account);
        let ended = accounts::delete(tx, account, now).await?;
        // Before its lines lose its id: who has revoked the keys is told without it, too.
        let by = entry.as_ref().map_or(Actor::Server.into(), |entry| entry.actor.at(entry.network));
        self.revoke_keys_of(tx, account, (by, "account_deleted"), now).await?;
        audit::replace(tx, account, pseudonym).await?;
        erasures::put(tx, account, now).await?;
        if let Some(entry) = entry {
            let entry = Entry { account: Some(AccountId::from_uuid(pseudonym)), ..entry };
            record(tx, &self.random, &entry).await?;
        }
        self.tell_webhooks(tx, WebhookEvent::AccountDeleted, account, now).await?;
        Ok(ended)
    }

    /// A page of the log, for operators and for services with a key for it.
    pub async fn read_audit(&self, principal: &Principal, question: Question) -> Result<AuditPage> {
        self.authorise(principal, Scope::AuditRead)?;
        self.audit_page(question).await
    }

    /// A page of the log, for somebody at the server's own terminal.
    pub async fn audit_page(&self, question: Question) -> Result<AuditPage> {
        let limit = page_limit(question.limit, PAGE, LARGEST_PAGE)?;
        if let Some(name) = &question.event
            && Event::parse(name).is_none()
        {
            return Err(Invalid::new("?event", "unknown", "is not an event of the log").into());
        }
        let account = question.account;
        let pseudonym = account.map(|account| self.pseudonym(account));
        let filter = audit::Filter {
            subject: account.map(AccountId::uuid),
            event: question.event,
            before: question.after,
        };
        let most = i64::from(limit) + 1;
        let mut rows = self
            .store
            .read(async move |db| {
                let rows = audit::page(db, &filter, most).await?;
                // Nothing is left under the id of an account that was removed.
                if rows.is_empty() && pseudonym.is_some() {
                    return audit::page(db, &audit::Filter { subject: pseudonym, ..filter.clone() }, most)
                        .await;
                }
                Ok(rows)
            })
            .await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|row| row.id) } else { None };
        Ok(AuditPage { lines: rows.into_iter().map(Line::from).collect(), next })
    }
}

impl From<audit::Row> for Line {
    fn from(row: audit::Row) -> Self {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            id: row.id,
            at: row.at,
            event: row.event,
            account: row.subject,
            actor: row.actor,
            actor_id: row.actor_id,
            network: row.network.map(hex),
            word: row.word,
            item: row.item,
            times: row.times,
        }
    }
}
