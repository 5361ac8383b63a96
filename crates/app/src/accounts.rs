//! What an operator does with accounts: never with the content of somebody's favourites.

use domain::account::{Role, Roles};
use domain::api_key::Scope;
use domain::email::Email;
use domain::session::Ending;
use domain::{AccountId, Error, Invalid, Result, Timestamp};
use store::{accounts, password_resets};
use uuid::Uuid;

use crate::App;
use crate::audit::{By, Entry, Event};
use crate::caller::{Caller, Principal, page_limit};
use crate::data_keys::context;
use crate::factors::Factors;

/// One line of the list.
pub struct AccountLine {
    pub id: AccountId,
    pub email: Option<String>,
    /// Whether nothing leads to it but its sessions.
    pub is_anonymous: bool,
    pub roles: Roles,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
}

/// A page of the list.
pub struct AccountPage {
    pub accounts: Vec<AccountLine>,
    pub next: Option<AccountId>,
}

/// The roles of an account after one was given or taken.
pub struct RoleChange {
    pub roles: Roles,
    /// Whether it had others before.
    pub is_changed: bool,
}

const PAGE: i64 = 200;
const SHOWN: u32 = 50;

impl App {
    /// Accounts in the order of their making, behind `after`, a page at a time.
    pub async fn list_accounts(&self, after: Option<AccountId>) -> Result<Vec<AccountLine>> {
        let after = after.unwrap_or_else(|| AccountId::from_uuid(Uuid::nil()));
        let listed = self.store.read(async move |db| accounts::page(db, after, PAGE).await).await?;
        let line = |listed: accounts::Listed| {
            let key = self.data_keys.open(listed.id, &listed.data_key)?;
            let place = context("account", listed.id, Uuid::nil(), "email");
            let is_anonymous = listed.email.is_none() && listed.identities == 0;
            let email = listed.email.map(|sealed| key.open(&place, &sealed)).transpose()?;
            Ok(AccountLine {
                id: listed.id,
                email: email.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                is_anonymous,
                roles: Roles::parse(&listed.roles),
                created_at: listed.created_at,
                seen_at: listed.seen_at,
            })
        };
        listed.into_iter().map(line).collect()
    }

    /// A page of the list, for operators and for services with a key for it. Services are not told addresses.
    pub async fn accounts_page(
        &self,
        principal: &Principal,
        after: Option<AccountId>,
        limit: Option<u32>,
    ) -> Result<AccountPage> {
        self.authorise(principal, Scope::AccountsRead)?;
        let limit = page_limit(limit, SHOWN, PAGE as u32)?;
        let mut accounts = self.list_accounts(after).await?;
        let more = accounts.len() > limit as usize || accounts.len() as i64 == PAGE;
        accounts.truncate(limit as usize);
        let next = if more { accounts.last().map(|line| line.id) } else { None };
        if matches!(principal, Principal::Service(_)) {
            for line in &mut accounts {
                line.email = None;
            }
        }
        Ok(AccountPage { accounts, next })
    }

    /// Gives a role or takes it, as an operator.
    pub async fn grant_role(&self, caller: &Caller, id: AccountId, role: Role, given: bool) -> Result<Roles> {
        let by = self.require_fresh_operator(caller).await?;
        if role == Role::User {
            return Err(Invalid::new("/role", "unknown", "must be operator or analyst").into());
        }
        self.set_role(id, role, given, by).await.map(|change| change.roles)
    }

    /// Ends every session of an account, as an operator, and tells how many there were.
    pub async fn end_sessions_of(&self, caller: &Caller, id: AccountId) -> Result<usize> {
        let by = self.require_fresh_operator(caller).await?;
        let found = self.store.read(async move |db| accounts::get(db, id).await).await?;
        found.ok_or(Error::NotFound)?;
        self.end_sessions(id, by).await
    }

    /// The account behind an address or an id, for somebody at the server's own terminal. Not every account has an
    /// address.
    pub async fn account_of(&self, named: &str) -> Result<AccountId> {
        if let Ok(id) = Uuid::try_parse(named) {
            let id = AccountId::from_uuid(id);
            let found = self.store.read(async move |db| accounts::get(db, id).await).await?;
            return found.map(|stored| stored.id).ok_or(Error::NotFound);
        }
        let tag = self.index.email(&Email::parse(named)?);
        let found = self.store.read(async move |db| accounts::find_by_email(db, &tag).await).await?;
        found.ok_or(Error::NotFound)
    }

    /// Gives a role, or takes it. Sessions keep the roles they began with, so they end. Links that were mailed before
    /// work no more: none of them may take the second factor of an operator away. Nothing happens where the role was
    /// given or taken before.
    pub async fn set_role(
        &self,
        id: AccountId,
        role: Role,
        given: bool,
        by: impl Into<By>,
    ) -> Result<RoleChange> {
        let (app, now, by) = (self.clone(), self.now(), by.into());
        let (roles, ended) = self
            .store
            .write(async move |tx| {
                let stored = accounts::lock(tx, id).await?.ok_or(Error::NotFound)?;
                let roles = Roles::parse(&stored.roles);
                if roles.has(role) == given {
                    return Ok((roles, None));
                }
                let roles = if given { roles.with(role) } else { roles.without(role) };
                if given && roles.need_second_factor() {
                    // Whoever has the password alone could add one, and be an operator with it.
                    if !Factors::of(tx, id).await?.are_there() {
                        let detail =
                            "the account needs a second factor first: an authenticator app or a passkey";
                        return Err(Error::conflict("second_factor_required", detail).into());
                    }
                    password_resets::delete_all(tx, id).await?;
                }
                accounts::set_roles(tx, id, &roles.to_string()).await?;
                let event = if given { Event::RoleGranted } else { Event::RoleRevoked };
                app.audit(tx, &Entry::of(id, event, now).actor(by).word(role.name())).await?;
                if !given && role == Role::Operator {
                    app.revoke_keys_of(tx, id, (by, "role_revoked"), now).await?;
                }
                let why = (Ending::EndedByOperator, by);
                Ok((roles, Some(app.end_sessions_in(tx, id, None, why, now).await?)))
            })
            .await?;
        let is_changed = ended.is_some();
        if let Some(ended) = ended {
            self.revoke(ended, now);
            self.forget_known_keys();
        }
        Ok(RoleChange { roles, is_changed })
    }

    /// Ends every session of an account and tells how many there were.
    pub async fn end_sessions(&self, id: AccountId, by: impl Into<By>) -> Result<usize> {
        self.end_all_sessions(id, Ending::EndedByOperator, by).await
    }
}
