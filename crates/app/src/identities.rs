//! The ways into an account, and the identities at providers among them.

use domain::session::Ending;
use domain::{AccountId, Error, IdentityId, Result, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, accounts, identities};
use vault::Context;

use crate::App;
use crate::audit::{By, Entry, Event};
use crate::caller::Caller;
use crate::data_keys::context;
use crate::mail::{self, Method, Notice};
use crate::sessions::lock_caller;

/// An identity as its owner sees it.
pub struct Identity {
    pub id: IdentityId,
    /// What the operator called the provider when this was last used.
    pub provider: String,
    /// Who says so, and what it calls the person: the two lead here.
    pub issuer: String,
    pub subject: String,
    /// What the provider said and had verified; for the eye alone, it never leads anywhere.
    pub email: Option<String>,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
}

/// What is kept of an identity beside the times.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedIdentity {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// How many different ways lead into an account: its password, each identity at a provider, each passkey.
///
/// Whatever removes one of them locks the account, asks here, and goes through
/// [`domain::identity::require_another_way_in`].
pub(crate) fn ways_in(stored: &accounts::Stored) -> i64 {
    stored.identities + i64::from(stored.password.is_some())
}

pub(crate) const fn place(account: AccountId, id: IdentityId) -> Context {
    context("identity", account, id.uuid(), "sealed")
}

impl App {
    /// The identities that lead to the caller's account, oldest first. An account has a handful.
    pub async fn list_identities(&self, caller: &Caller) -> Result<Vec<Identity>> {
        self.identities_of(caller.account).await
    }

    /// Whether one of an account's providers is still known, and can say that somebody was just there.
    pub(crate) async fn has_provider_to_step_up(&self, account: AccountId) -> Result<bool> {
        let identities = self.identities_of(account).await?;
        let mut known = identities.iter().filter_map(|identity| self.providers.get(&identity.provider).ok());
        Ok(known.any(|provider| provider.settings().kind.can_step_up()))
    }

    async fn identities_of(&self, account: AccountId) -> Result<Vec<Identity>> {
        let key = self.data_keys.get(account).await?;
        let stored = self.store.read(async move |db| identities::of_account(db, account).await).await?;
        let open = |stored: identities::Stored| {
            let plain = key.open(&place(account, stored.id), &stored.sealed)?;
            let SealedIdentity { provider, issuer, subject, email } =
                serde_json::from_slice(&plain).map_err(Error::internal)?;
            let identities::Stored { id, created_at, used_at, .. } = stored;
            Ok(Identity { id, provider, issuer, subject, email, created_at, used_at })
        };
        stored.into_iter().map(open).collect()
    }

    /// Lets an identity lead here no longer, unless it is the only way in. All other sessions end: whoever came by it may
    /// hold one.
    pub async fn delete_identity(&self, caller: &Caller, id: IdentityId) -> Result<()> {
        self.require_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session) = (caller.account, caller.session);
        let (app, now, by) = (self.clone(), self.now(), self.owner(caller));
        let ended = self
            .store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                let ended = app.remove_identity(tx, &stored, id, (Some(session), by), now).await?;
                domain::identity::require_another_way_in(ways_in(&stored))?;
                Ok(ended)
            })
            .await?;
        self.revoke(ended, now);
        Ok(())
    }

    /// Removes one of a locked account's identities with every session but `keep`, and tells its holder. Tell
    /// [`App::revoke`] of the ended sessions after the commit.
    pub(crate) async fn remove_identity(
        &self,
        tx: &mut Tx,
        stored: &accounts::Stored,
        id: IdentityId,
        (keep, by): (Option<SessionId>, By),
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let account = stored.id;
        let all = identities::of_account(tx, account).await?;
        let known = all.into_iter().find(|identity| identity.id == id).ok_or(Error::NotFound)?;
        let plain =
            self.data_keys.open(account, &stored.data_key)?.open(&place(account, id), &known.sealed)?;
        let SealedIdentity { provider, .. } = serde_json::from_slice(&plain).map_err(Error::internal)?;
        identities::delete(tx, account, id).await?;
        accounts::count_identities(tx, account, -1).await?;
        let label = self.providers.get(&provider).map(|known| known.settings().label.clone());
        let notice = Notice::MethodRemoved(Method::Provider(label.unwrap_or_else(|_| provider.clone())));
        mail::queue(tx, &self.notice_to(stored, &notice)?).await?;
        let entry = Entry::of(account, Event::IdentityUnlinked, now).actor(by);
        self.audit(tx, &entry.word(provider)).await?;
        let why = (Ending::CredentialsChanged, by);
        self.end_sessions_in(tx, account, keep, why, now).await
    }
}
