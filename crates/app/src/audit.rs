//! The audit log: what happened to accounts, by whom, from which network. A line is written in the transaction that
//! does what it tells, so that there is neither without the other.
//!
//! There is nothing personal in it and so nothing to seal: ids, words of closed lists, and a keyed hash of the network.
//! An account that is removed leaves its lines under a keyed hash of its id.
//!
//! What anybody can cause at will is bounded. Failed sign-ins are counted in memory and written down every few
//! minutes, as one line with a number; so is what an account does more often than people do.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::api_key::Scope;
use domain::session::Ending;
use domain::webhook::WebhookEvent;
use domain::{AccountId, Invalid, Random, Result, SessionId, Timestamp};
use store::{Tx, accounts, audit, erasures};
use uuid::Uuid;
use vault::BlindIndex;

use crate::App;
use crate::caller::{Caller, Network, Principal, page_limit};
use crate::limits::{Buckets, Rate};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An account got its first way in; the word says which.
    Registered,
    /// A session began; the item is the session.
    SignedIn,
    /// A password was wrong, after the tries that are free.
    SignInFailed,
    /// After a right password, a second factor was wrong.
    SecondFactorFailed,
    /// Whoever has a session proved again who they are; the item is the session, the word the proof.
    SteppedUp,
    /// They failed to.
    StepUpFailed,
    /// The item is the session, the word says why.
    SessionEnded,
    /// A refresh token came back that its holder had moved on from; the item is the session.
    RefreshReuse,
    /// The count of a passkey had not risen, so two authenticators may hold it; the item is the passkey.
    PasskeyCopied,
    PasswordChanged,
    PasswordReset,
    EmailChangeAsked,
    EmailChanged,
    /// The word says which kind.
    FactorAdded,
    FactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    /// The word is the provider's name.
    IdentityLinked,
    IdentityUnlinked,
    /// The word is the role.
    RoleGranted,
    RoleRevoked,
    /// An API key; the item is its id.
    KeyCreated,
    KeyRevoked,
    /// The item is the webhook.
    WebhookCreated,
    WebhookChanged,
    WebhookSecretRotated,
    /// It failed for too long.
    WebhookDisabled,
    WebhookRemoved,
    /// The item is the delivery.
    WebhookReplayed,
    ExportMade,
    /// Favourites of an anonymous account were taken over.
    AccountAdopted,
    AccountDeleted,
    SigningKeyRotated,
    KeyRingRotated,
}

impl Event {
    pub const ALL: [Self; 34] = [
        Self::Registered,
        Self::SignedIn,
        Self::SignInFailed,
        Self::SecondFactorFailed,
        Self::SteppedUp,
        Self::StepUpFailed,
        Self::SessionEnded,
        Self::RefreshReuse,
        Self::PasskeyCopied,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChangeAsked,
        Self::EmailChanged,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::RoleGranted,
        Self::RoleRevoked,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::WebhookCreated,
        Self::WebhookChanged,
        Self::WebhookSecretRotated,
        Self::WebhookDisabled,
        Self::WebhookRemoved,
        Self::WebhookReplayed,
        Self::ExportMade,
        Self::AccountAdopted,
        Self::AccountDeleted,
        Self::SigningKeyRotated,
        Self::KeyRingRotated,
    ];

    /// The word used in the database, on the command line and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::SteppedUp => "stepped_up",
            Self::StepUpFailed => "step_up_failed",
            Self::SessionEnded => "session_ended",
            Self::RefreshReuse => "refresh_reuse",
            Self::PasskeyCopied => "passkey_copied",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::RoleGranted => "role_granted",
            Self::RoleRevoked => "role_revoked",
            Self::KeyCreated => "key_created",
            Self::KeyRevoked => "key_revoked",
            Self::WebhookCreated => "webhook_created",
            Self::WebhookChanged => "webhook_changed",
            Self::WebhookSecretRotated => "webhook_secret_rotated",
            Self::WebhookDisabled => "webhook_disabled",
            Self::WebhookRemoved => "webhook_removed",
            Self::WebhookReplayed => "webhook_replayed",
            Self::ExportMade => "export_made",
            Self::AccountAdopted => "account_adopted",
            Self::AccountDeleted => "account_deleted",
            Self::SigningKeyRotated => "signing_key_rotated",
            Self::KeyRingRotated => "key_ring_rotated",
        }
    }

    /// The event of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Whether people cause it at will, without a fresh proof and without mail: bounded for each account.
    const fn is_frequent(self) -> bool {
        matches!(self, Self::SignedIn | Self::SteppedUp | Self::SessionEnded) || self.is_failure()
    }

    /// Whether somebody showed something wrong, who need not be the account's holder.
    const fn is_failure(self) -> bool {
        matches!(self, Self::SignInFailed | Self::SecondFactorFailed | Self::StepUpFailed)
    }
}

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

/// Lines of one account about each thing that people cause at will: so many at once, then so many an hour. The rest is
/// counted.
const FREQUENT: Rate = Rate { per_second: 4.0 / 3600.0, burst: 50 };
/// What is counted apart of each event until it is written down; the rest is told without account and network.
const COUNTED_APART: usize = 64;
/// Networks that are counted apart of one account; the rest is told without network.
const NETWORKS_APART: usize = 8;

/// What is counted instead of written down line by line.
pub(crate) struct Tally {
    lines: Buckets<(AccountId, Event)>,
    counts: Mutex<HashMap<Counted, i64>>,
}

type Counted = (Event, Option<AccountId>, Option<NetworkTag>);

impl Default for Tally {
    fn default() -> Self {
        Self { lines: Buckets::new(FREQUENT), counts: Mutex::default() }
    }
}

impl Tally {
    fn count(&self, entry: &Entry) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let like = |is_like: &dyn Fn(&Counted) -> bool| {
            counts.keys().filter(|counted| counted.0 == entry.event && is_like(counted)).count()
        };
        let whole = (entry.event, entry.account, entry.network);
        let of_account = (entry.event, entry.account, None);
        let has_room = like(&|_| true) < COUNTED_APART;
        let has_place = like(&|counted| counted.1 == entry.account) < NETWORKS_APART;
        let counted = if counts.contains_key(&whole) || has_room && has_place {
            whole
        } else if counts.contains_key(&of_account) || has_room {
            of_account
        } else {
            (entry.event, None, None)
        };
        *counts.entry(counted).or_default() += 1;
    }

    fn take(&self) -> HashMap<Counted, i64> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, counted: HashMap<Counted, i64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, times) in counted {
            *counts.entry(what).or_default() += times;
        }
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
        if entry.event.is_frequent()
            && entry.actor == Actor::Owner
            && let Some(account) = entry.account
            && self.audit_tally.lines.take(&(account, entry.event), 1, entry.at).is_err()
        {
            self.audit_tally.count(entry);
            return Ok(());
        }
        record(tx, &self.random, entry).await
    }

    /// Notes something that changes nothing in the database, to be written down with the next lines.
    pub(crate) fn count_in_audit(&self, entry: &Entry) {
        self.audit_tally.count(entry);
    }

    /// Writes down what was counted since the last time.
    pub async fn write_audit_tally(&self) -> Result<()> {
        let counted = self.audit_tally.take();
        if counted.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let line = |(&(event, account, network), &times): (&Counted, &i64)| {
            let actor = if event.is_failure() { Actor::Unknown } else { Actor::Owner };
            let entry = Entry { account, ..Entry::by(actor, event, now) };
            row(&self.random, &entry.network(network), times)
        };
        let mut rows: Vec<_> = counted.iter().map(line).collect();
        // Accounts are locked in the order of their ids, so that two nodes cannot wait for each other.
        rows.sort_by_key(|row| row.subject);
        let app = self.clone();
        let written = self
            .store
            .write(async move |tx| {
                for row in &rows {
                    // It may have been removed since, and nothing of it is to come back.
                    let subject = match row.subject.map(AccountId::from_uuid) {
                        Some(account) if accounts::lock(tx, account).await?.is_none() => {
                            Some(app.pseudonym(account))
                        }
                        _ => row.subject,
                    };
                    audit::put(tx, &audit::Row { subject, ..row.clone() }).await?;
                }
                Ok(())
            })
            .await;
        if written.is_err() {
            self.audit_tally.give_back(counted);
        }
        Ok(written?)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    #[test]
    fn a_flood_hides_nothing_but_where_it_came_from() {
        let tally = Tally::default();
        let account = |n: u128| AccountId::from_uuid(Uuid::from_u128(n));
        let failed = |event, n| Entry::of(account(n), event, NOW);
        for place in 0..20 {
            let network = Some(NetworkTag([place; 8]));
            tally.count(&failed(Event::StepUpFailed, 1).network(network));
        }
        // As many accounts as there is room for, and more.
        for n in 2..200 {
            tally.count(&failed(Event::StepUpFailed, n));
        }
        tally.count(&failed(Event::SignInFailed, 300));
        let counted = tally.take();
        let of = |event, account, network| counted.get(&(event, account, network)).copied();
        let networks = counted.keys().filter(|it| it.1 == Some(account(1)) && it.2.is_some()).count();
        assert_eq!(networks, NETWORKS_APART);
        assert_eq!(of(Event::StepUpFailed, Some(account(1)), None), Some(12));
        assert_eq!(of(Event::SignInFailed, Some(account(300)), None), Some(1), "of another kind");
        assert!(counted.len() <= COUNTED_APART + 2, "{}", counted.len());
        assert_eq!(counted.values().sum::<i64>(), 20 + 198 + 1);
    }

    #[test]
    fn events_read_back_by_their_names() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.name()), Some(event));
        }
        assert_eq!(Event::parse("SIGNED_IN"), None);
    }

    #[test]
    fn what_is_counted_takes_bounded_room_and_loses_no_number() {
        let tally = Tally::default();
        for n in 0..10_000_u128 {
            let account = AccountId::from_uuid(Uuid::from_u128(n));
            tally.count(&Entry::of(account, Event::SignInFailed, NOW));
        }
        let counted = tally.take();
        assert_eq!(counted.len(), COUNTED_APART + 1);
        assert_eq!(counted.values().sum::<i64>(), 10_000);
        assert_eq!(counted[&(Event::SignInFailed, None, None)], 10_000 - COUNTED_APART as i64);
        tally.give_back(counted);
        assert_eq!(tally.take().len(), COUNTED_APART + 1);
    }
}
