//! Signing in with e-mail and password.

use domain::account::Roles;
use domain::email::Email;
use domain::password::Password;
use domain::session::{Proof, Proofs};
use domain::throttle::FREE_FAILURES;
use domain::{AccountId, Error, Result, Timestamp};
use store::accounts;
use uuid::Uuid;
use vault::index::Tag;
use vault::password::PasswordHash;

use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::{Caller, Client};
use crate::data_keys::context;
use crate::second_factor::Passed;
use crate::sign_in::{Beginning, SignedIn};

/// The account behind an address, with what is needed to check its password.
struct Found {
    account: AccountId,
    roles: Roles,
    phc: PasswordHash,
    /// The same as stored: what is checked is what must still count when the session begins.
    sealed: Vec<u8>,
}

impl App {
    /// Signs in. An unknown address, a wrong password and an address without one are told apart by nothing:
    /// not by text, not by status, not by time.
    pub async fn log_in(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        email: &str,
        password: &str,
    ) -> Result<SignedIn> {
        let (email, password) =
            crate::registration::both(Email::parse(email), Password::presented(password))?;
        let now = self.now();
        let email_tag = self.index.email(&email);
        let tags = self.password_tags(&email, client);
        let failures = self.begin_password_try(tags.clone(), now).await?;
        let looked = async {
            let found = self.find_login(email_tag).await?;
            let stored = found.as_ref().map(|found| found.phc.clone());
            let verified = self.hashing.verify(password.clone(), stored).await?;
            Ok((verified, found))
        };
        let (verified, found) = match looked.await {
            Ok(looked) => looked,
            Err(error) => {
                // Too many sign-ins at once, most likely: nobody's guess was wrong.
                self.forgive_password_try(tags, now).await?;
                return Err(error);
            }
        };
        let (true, Some(Found { account, roles, sealed, .. })) = (verified.matches, &found) else {
            if failures > FREE_FAILURES
                && let Some(Found { account, .. }) = found
            {
                let entry = Entry::of(account, Event::SignInFailed, now);
                self.count_in_audit(&entry.network(Some(self.network_tag(client.network))));
            }
            return Err(refused());
        };
        let (account, roles) = (*account, *roles);
        let rehashed = if verified.needs_rehash { Some(self.hashing.hash(password).await?) } else { None };
        let adoptable = self.anonymous_account(caller).await?;
        let beginning = Beginning {
            account,
            anonymous: false,
            roles,
            proofs: Proofs::NONE.with(Proof::Password),
            origin: self.origin(client),
            adoptable,
        };
        let passed = self.finish_login(beginning, sealed.clone(), rehashed, tags, now).await?;
        Ok(self.remember_device(self.passed(passed, now)?, &email, client, now))
    }

    async fn finish_login(
        &self,
        beginning: Beginning,
        checked: Vec<u8>,
        rehashed: Option<PasswordHash>,
        tags: crate::throttles::PasswordTags,
        now: Timestamp,
    ) -> Result<Passed> {
        let account = beginning.account;
        let sealed = match rehashed {
            Some(phc) => {
                let key = self.data_keys.get(account).await?;
                let place = context("account", account, Uuid::nil(), "password");
                Some(key.seal(&place, phc.to_phc().as_bytes(), &self.random)?)
            }
            None => None,
        };
        let app = self.clone();
        let passed = self
            .store
            .write(async move |tx| {
                // A reset that came in between has ended all sessions, and none may begin with the old password.
                let stored = accounts::lock(tx, account).await?;
                if stored.and_then(|stored| stored.password).as_ref() != Some(&checked)
                    || !accounts::touch(tx, account, now).await?
                {
                    return Err(refused().into());
                }
                Self::clear_password_failures(tx, &tags, now).await?;
                if let Some(sealed) = &sealed {
                    accounts::set_password(tx, account, sealed).await?;
                }
                app.pass_first_factor(tx, &beginning, now).await
            })
            .await?;
        Ok(passed)
    }

    /// The account behind an address. Asks the database as often for one that nobody has: then for `nobody`.
    pub(crate) async fn behind(&self, email_tag: Tag, nobody: AccountId) -> Result<Option<accounts::Stored>> {
        let stored = self.store.read(async move |db| {
            let id = accounts::find_by_email(db, &email_tag).await?.unwrap_or(nobody);
            accounts::get(db, id).await
        });
        Ok(stored.await?)
    }

    async fn find_login(&self, email_tag: Tag) -> Result<Option<Found>> {
        let nobody = AccountId::new(self.now(), &self.random);
        let Some(stored) = self.behind(email_tag, nobody).await? else { return Ok(None) };
        let Some(password) = &stored.password else { return Ok(None) };
        let key = self.data_keys.open(stored.id, &stored.data_key)?;
        let phc = key.open(&context("account", stored.id, Uuid::nil(), "password"), password)?;
        let phc = std::str::from_utf8(&phc).map_err(Error::internal)?.parse()?;
        Ok(Some(Found {
            account: stored.id,
            roles: Roles::parse(&stored.roles),
            phc,
            sealed: password.clone(),
        }))
    }
}

fn refused() -> Error {
    Error::unauthenticated("wrong_credentials", "the e-mail address or the password is wrong")
}
