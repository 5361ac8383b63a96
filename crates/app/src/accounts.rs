//! What an operator does with accounts: never with the content of somebody's favourites.

use domain::account::{Role, Roles};
use domain::email::Email;
use domain::{AccountId, Error, Result, Timestamp};
use store::{accounts, sessions};
use uuid::Uuid;

use crate::App;
use crate::data_keys::context;

/// One line of the list.
pub struct AccountLine {
    pub id: AccountId,
    pub email: Option<String>,
    pub roles: Roles,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
}

const PAGE: i64 = 200;

impl App {
    /// Accounts in the order of their making, behind `after`, a page at a time.
    pub async fn list_accounts(&self, after: Option<AccountId>) -> Result<Vec<AccountLine>> {
        let after = after.unwrap_or_else(|| AccountId::from_uuid(Uuid::nil()));
        let listed = self.store.read(async move |db| accounts::page(db, after, PAGE).await).await?;
        let line = |listed: accounts::Listed| {
            let key = self.data_keys.open(listed.id, &listed.data_key)?;
            let place = context("account", listed.id, Uuid::nil(), "email");
            let email = listed.email.map(|sealed| key.open(&place, &sealed)).transpose()?;
            Ok(AccountLine {
                id: listed.id,
                email: email.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                roles: Roles::parse(&listed.roles),
                created_at: listed.created_at,
                seen_at: listed.seen_at,
            })
        };
        listed.into_iter().map(line).collect()
    }

    /// Gives a role, or takes it. Sessions keep the roles they began with, so they end.
    pub async fn set_role(&self, email: &str, role: Role, given: bool) -> Result<Roles> {
        let tag = self.index.email(&Email::parse(email)?);
        let now = self.now();
        let (roles, ended) = self
            .store
            .write(async move |tx| {
                let id = accounts::find_by_email(tx, &tag).await?.ok_or(Error::NotFound)?;
                let stored = accounts::lock(tx, id).await?.ok_or(Error::NotFound)?;
                let roles = Roles::parse(&stored.roles);
                let roles = if given { roles.with(role) } else { roles.without(role) };
                accounts::set_roles(tx, id, &roles.to_string()).await?;
                Ok((roles, sessions::end_all(tx, id, None, now).await?))
            })
            .await?;
        self.revoke(ended, now);
        Ok(roles)
    }

    /// Ends every session of an account and tells how many there were.
    pub async fn end_sessions(&self, email: &str) -> Result<usize> {
        let tag = self.index.email(&Email::parse(email)?);
        let now = self.now();
        let ended = self
            .store
            .write(async move |tx| {
                let id = accounts::find_by_email(tx, &tag).await?.ok_or(Error::NotFound)?;
                sessions::end_all(tx, id, None, now).await
            })
            .await?;
        let count = ended.len();
        self.revoke(ended, now);
        Ok(count)
    }
}
