//! The list of an account's sessions, and ending them.

use domain::device::Device;
use domain::session::{Ending, MOST_SESSIONS, Proofs, SessionKind};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{Tx, accounts, sessions};

use crate::App;
use crate::audit::{Actor, By, Entry};
use crate::caller::{Caller, account_is_gone, page_limit};
use crate::data_keys::context;
use crate::factors::Factors;
use crate::session_record::SessionRecord;

/// A session as its owner sees it.
pub struct Session {
    pub id: SessionId,
    pub device: Option<Device>,
    pub kind: SessionKind,
    pub proofs: Proofs,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub ends_at: Timestamp,
    /// Whether the caller is asking with it.
    pub is_current: bool,
}

/// How a caller's account and session stand in the database, which knows of what happened elsewhere.
pub(crate) struct Standing {
    pub stored: accounts::Stored,
    pub session: SessionRecord,
    pub factors: Factors,
}

/// Sessions, those that began last first.
pub struct SessionPage {
    pub sessions: Vec<Session>,
    pub next: Option<SessionId>,
}

const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
/// So many sessions one sign-in ends at most, where an account has more than it may.
const SURPLUS: i64 = 20;

impl App {
    /// The sessions of the caller's account.
    pub async fn list_sessions(
        &self,
        caller: &Caller,
        after: Option<SessionId>,
        limit: Option<u32>,
    ) -> Result<SessionPage> {
        let limit = page_limit(limit, PAGE, LARGEST_PAGE)?;
        let (account, now) = (caller.account, self.now());
        let most = i64::from(limit) + 1;
        let mut listed =
            self.store.read(async move |db| sessions::page(db, account, after, most).await).await?;
        let more = listed.len() > limit as usize;
        listed.truncate(limit as usize);
        let next = if more { listed.last().map(|listed| listed.id) } else { None };
        let key = self.data_keys.get(account).await?;
        let open = |listed: sessions::Listed| {
            let record = SessionRecord::decode(&listed.state)?;
            // What has expired and was not removed yet counts no more.
            if record.refresh.lifetime.expiry(now).is_some() {
                return Ok(None);
            }
            let place = context("session", account, listed.id.uuid(), "device");
            let device = listed.device.map(|sealed| key.open(&place, &sealed)).transpose()?;
            let device = device.map(|plain| serde_json::from_slice(&plain)).transpose();
            Ok(Some(Session {
                id: listed.id,
                device: device.map_err(Error::internal)?,
                kind: record.kind,
                proofs: record.proofs,
                created_at: record.refresh.lifetime.created_at,
                seen_at: listed.seen_at,
                ends_at: record.refresh.lifetime.ends_at(),
                is_current: listed.id == caller.session,
            }))
        };
        let sessions: Result<Vec<Option<Session>>> = listed.into_iter().map(open).collect();
        Ok(SessionPage { sessions: sessions?.into_iter().flatten().collect(), next })
    }

    pub(crate) async fn standing(&self, caller: &Caller) -> Result<Standing> {
        let (account, session) = (caller.account, caller.session);
        let (stored, state, factors) = self
            .store
            .read(async move |db| {
                let (stored, state) =
                    (accounts::get(db, account).await?, sessions::get(db, account, session).await?);
                Ok((stored, state, Factors::of(db, account).await?))
            })
            .await?;
        let (stored, state) = stored.zip(state).ok_or_else(account_is_gone)?;
        Ok(Standing { stored, session: SessionRecord::decode(&state)?, factors })
    }

    /// Ends one of the caller's other sessions, everywhere within five seconds. Leaving one's own is signing out.
    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        if session == caller.session {
            return self.log_out(Some(caller), None, false).await;
        }
        self.require_step_up(caller).await?;
        let (app, account, now) = (self.clone(), caller.account, self.now());
        let (own, by) = (caller.session, self.owner(caller));
        self.store
            .write(async move |tx| {
                lock_caller(tx, account, own).await?;
                if app.end_session_in(tx, (account, session), Ending::EndedByOwner, by, now).await? {
                    return Ok(());
                }
                Err(Error::NotFound.into())
            })
            .await?;
        self.revoke(vec![session], now);
        Ok(())
    }

    /// Ends all of the caller's sessions but the one that is asking, and tells how many there were.
    pub async fn end_other_sessions(&self, caller: &Caller) -> Result<usize> {
        self.require_step_up(caller).await?;
        let (app, now) = (self.clone(), self.now());
        let (account, keep, by) = (caller.account, caller.session, self.owner(caller));
        let ended = self
            .store
            .write(async move |tx| {
                lock_caller(tx, account, keep).await?;
                app.end_sessions_in(tx, account, Some(keep), (Ending::EndedByOwner, by), now).await
            })
            .await?;
        let count = ended.len();
        self.revoke(ended, now);
        Ok(count)
    }

    /// Ends one session within a transaction; `false` when it was gone. Tell [`App::revoke`] after the commit.
    pub(crate) async fn end_session_in(
        &self,
        tx: &mut Tx,
        (account, session): (AccountId, SessionId),
        why: Ending,
        by: impl Into<By>,
        now: Timestamp,
    ) -> store::Result<bool> {
        let ended = sessions::end(tx, account, session, now).await?;
        if ended {
            self.note_end(tx, (account, session), (why, by.into()), now).await?;
        }
        Ok(ended)
    }

    /// The same for all sessions of an account but `keep`; tells which ended.
    pub(crate) async fn end_sessions_in(
        &self,
        tx: &mut Tx,
        account: AccountId,
        keep: Option<SessionId>,
        (why, by): (Ending, impl Into<By>),
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let by = by.into();
        let ended = sessions::end_all(tx, account, keep, now).await?;
        for session in &ended {
            self.note_end(tx, (account, *session), (why, by), now).await?;
        }
        Ok(ended)
    }

    /// Ends those that were used longest ago until the account has room for one more; tells which ended.
    pub(crate) async fn make_room_for_session(
        &self,
        tx: &mut Tx,
        account: AccountId,
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let surplus = sessions::unused_longest(tx, account, MOST_SESSIONS - 1, SURPLUS).await?;
        let mut ended = Vec::new();
        for session in surplus {
            let why = (Ending::TooManySessions, Actor::Server);
            if self.end_session_in(tx, (account, session), why.0, why.1, now).await? {
                ended.push(session);
            }
        }
        Ok(ended)
    }

    async fn note_end(
        &self,
        tx: &mut Tx,
        (account, session): (AccountId, SessionId),
        (why, by): (Ending, By),
        now: Timestamp,
    ) -> store::Result<()> {
        self.audit(tx, &Entry::session_ended(account, session, why, now).actor(by)).await?;
        self.tell_webhooks_of_session(tx, (account, session), why.name(), now).await
    }

    /// Ends every session of an account and tells how many there were.
    pub(crate) async fn end_all_sessions(
        &self,
        account: AccountId,
        why: Ending,
        by: impl Into<By>,
    ) -> Result<usize> {
        let (app, now, by) = (self.clone(), self.now(), by.into());
        let ended = self
            .store
            .write(async move |tx| {
                // A sign-in that is under way is waited for, or finds the account as it is then.
                accounts::lock(tx, account).await?;
                app.end_sessions_in(tx, account, None, (why, by), now).await
            })
            .await?;
        let count = ended.len();
        self.revoke(ended, now);
        Ok(count)
    }
}

/// Locks the account of a caller whose session still lives. A session that was ended at another node is believed for
/// some seconds; what changes ways in looks here.
pub(crate) async fn lock_caller(
    tx: &mut Tx,
    account: AccountId,
    session: SessionId,
) -> store::Result<accounts::Stored> {
    let stored = accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
    sessions::get(tx, account, session).await?.ok_or_else(account_is_gone)?;
    Ok(stored)
}
