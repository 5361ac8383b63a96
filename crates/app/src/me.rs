//! The caller's own account.

use domain::account::{Role, Roles};
use domain::favourite::Content;
use domain::{AccountId, Error, FavouriteId, Result, Timestamp};
use store::{accounts, favourites, sessions, sync};
use uuid::Uuid;

use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::{Caller, account_is_gone};
use crate::data_keys::context;
use crate::favourites::open;
use crate::favourites::writer::Writer;
use crate::preferences::Preferences;
use crate::session_record::SessionRecord;

/// What an account knows of itself.
pub struct Me {
    pub account: AccountId,
    /// Whether nothing leads to the account but its sessions.
    pub is_anonymous: bool,
    pub email: Option<String>,
    /// What this session may do.
    pub roles: Roles,
    /// What the account was given and this session does not have: it rests on no second factor.
    pub withheld: Vec<Role>,
    pub created_at: Timestamp,
    pub preferences: Preferences,
}

/// What adopting brought.
pub struct Adopted {
    pub added: usize,
    /// Places that were there already.
    pub skipped: usize,
}

impl App {
    pub async fn me(&self, caller: &Caller) -> Result<Me> {
        let account = caller.account;
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        let stored = stored.ok_or_else(account_is_gone)?;
        let key = self.data_keys.open(account, &stored.data_key)?;
        let email = stored.email.as_ref().map(|sealed| {
            let place = context("account", account, Uuid::nil(), "email");
            key.open(&place, sealed)
        });
        let email = email.transpose()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let given = Roles::parse(&stored.roles);
        Ok(Me {
            account,
            is_anonymous: stored.is_anonymous(),
            email,
            roles: caller.roles,
            withheld: given.iter().filter(|role| !caller.roles.has(*role)).collect(),
            created_at: stored.created_at,
            preferences: Preferences::of(&stored, &key)?,
        })
    }

    /// Takes over the favourites of an anonymous account, which is removed: the one whose access token is
    /// given, or the one that this browser used before it signed in. Places that are there already are
    /// skipped; when the rest does not fit, nothing changes.
    pub async fn adopt(&self, caller: &Caller, access_token: Option<&str>) -> Result<Adopted> {
        let now = self.now();
        let from = match access_token {
            Some(token) => self.authenticate_bearer(token).await?.account,
            None => self.adoptable(caller, now).await?.ok_or(Error::NotFound)?,
        };
        let to = caller.account;
        if from == to {
            return Err(Error::conflict("same_account", "an account cannot adopt itself"));
        }
        let (from_key, to_key) = match self.data_keys.get(from).await {
            Ok(key) => (key, self.data_keys.get(to).await?),
            Err(Error::Unauthenticated { .. }) => return Err(Error::NotFound),
            Err(error) => return Err(error),
        };
        let app = self.clone();
        let (by, owner) = (caller.session.uuid(), self.owner(caller));
        let (adopted, ended) = self
            .store
            .write(async move |tx| {
                // Accounts before logs, and both in the order of their ids, so that two adoptions cannot wait for
                // each other.
                let mut left = None;
                for id in [from.min(to), from.max(to)] {
                    let stored = accounts::lock(tx, id).await?;
                    if id == from {
                        left = stored;
                    }
                }
                let stored = left.ok_or(Error::NotFound)?;
                let (first, second) = (from.min(to), from.max(to));
                let one = sync::lock(tx, first).await?;
                let two = sync::lock(tx, second).await?;
                let log = if first == to { one } else { two };
                let log = log.ok_or_else(account_is_gone)?;
                if !stored.is_anonymous() {
                    let detail = "only an anonymous account can be adopted";
                    return Err(Error::conflict("not_anonymous", detail).into());
                }
                let mut adopted = Adopted { added: 0, skipped: 0 };
                let mut writer = Writer::on(log, &app, to, &to_key, by, now);
                for row in favourites::live(tx, from).await? {
                    let old = open(&from_key, from, row)?;
                    let id = FavouriteId::new(now, &app.random);
                    let content = Content { by: Some(by), changed: Vec::new(), ..old.content };
                    let draft = app.draft_of(&to_key, to, id, content, None)?;
                    if !writer.same_place(tx, draft.place_tag).await?.is_empty() {
                        adopted.skipped += 1;
                        continue;
                    }
                    // What does not fit would be lost with the account that held it, so nothing is done then.
                    writer.create(tx, id, &draft).await?;
                    adopted.added += 1;
                }
                let ended = app.delete_account(tx, from, now, None).await?;
                app.audit(tx, &Entry::of(to, Event::AccountAdopted, now).actor(owner).item(by)).await?;
                writer.raise(tx).await?;
                Ok((adopted, ended))
            })
            .await?;
        self.data_keys.forget(from);
        self.favourite_pages.forget(from);
        self.revoke(ended, now);
        Ok(adopted)
    }

    async fn adoptable(&self, caller: &Caller, now: Timestamp) -> Result<Option<AccountId>> {
        let (account, session) = (caller.account, caller.session);
        let state = self.store.read(async move |db| sessions::get(db, account, session).await).await?;
        let Some(state) = state else { return Ok(None) };
        let adoptable = SessionRecord::decode(&state)?.adoptable;
        Ok(adoptable.filter(|adoptable| now < adoptable.until).map(|adoptable| adoptable.account))
    }
}
