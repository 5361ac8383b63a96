//! Another e-mail address for an account: confirmed from the new one, and from the old one.
//!
//! The codes count together with the session that types them, and a few tries end the change. A second factor that
//! the account has had for a week stands in for the old address, which is told instead: whoever lost that mailbox could
//! not leave it otherwise. A younger one does not: whoever knows the password can add it.

use std::time::Duration;

use domain::email::Email;
use domain::{AccountId, Error, Invalid, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{accounts, email_changes, password_resets};
use uuid::Uuid;
use vault::secret::{RegistrationCode, SecretDigest};
use vault::{DataKey, Secret};

use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::{Caller, Client, account_is_gone};
use crate::data_keys::context;
use crate::mail::{self, Addressee, Language, Notice, Template};
use crate::sessions::{Standing, lock_caller};
use crate::throttles::MailFor;

/// How long a change waits to be confirmed.
pub const EXPIRES_IN: Duration = Duration::from_secs(24 * 60 * 60);
const MOST_TRIES: i64 = 10;

/// The address of an account, and the one that is to take its place.
pub struct EmailAddress {
    pub email: Option<String>,
    pub pending: Option<PendingEmail>,
}

pub struct PendingEmail {
    pub email: String,
    /// Whether the code that went to the new address was not typed yet.
    pub awaits_new: bool,
    /// The same of the old address; never when there is none, or a second factor stands in for it.
    pub awaits_old: bool,
    pub expires_at: Timestamp,
}

/// What is kept of a change. A code that was typed is forgotten.
#[derive(Serialize, Deserialize)]
struct Pending {
    email: String,
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_code: Option<[u8; 32]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_code: Option<[u8; 32]>,
}

impl Pending {
    fn open(account: AccountId, key: &DataKey, sealed: &[u8]) -> Result<Self> {
        let plain = key.open(&context("email_change", account, account.uuid(), "sealed"), sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }

    fn seal(&self, account: AccountId, key: &DataKey, random: &domain::Random) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        key.seal(&context("email_change", account, account.uuid(), "sealed"), &plain, random)
    }

    /// Notes that a code was typed; `false` when it is none of those that were mailed.
    fn confirm(&mut self, code: &RegistrationCode) -> bool {
        let Some(secret) = Secret::parse(&self.secret) else { return false };
        let typed = code.digest(&secret);
        let is_it = |mailed: &Option<[u8; 32]>| {
            mailed.is_some_and(|mailed| SecretDigest::from_bytes(mailed).matches(&typed))
        };
        let (is_new, is_old) = (is_it(&self.new_code), is_it(&self.old_code));
        if is_new {
            self.new_code = None;
        }
        if is_old {
            self.old_code = None;
        }
        is_new || is_old
    }

    const fn is_confirmed(&self) -> bool {
        self.new_code.is_none() && self.old_code.is_none()
    }
}

impl App {
    /// The caller's address, and what is to become of it.
    pub async fn email_address(&self, caller: &Caller) -> Result<EmailAddress> {
        let (account, now) = (caller.account, self.now());
        let (stored, pending) = self
            .store
            .read(async move |db| {
                Ok((accounts::get(db, account).await?, email_changes::get(db, account, now).await?))
            })
            .await?;
        let stored = stored.ok_or_else(account_is_gone)?;
        let key = self.data_keys.open(account, &stored.data_key)?;
        let pending = pending.map(|(sealed, expires_at)| {
            let Pending { email, new_code, old_code, .. } = Pending::open(account, &key, &sealed)?;
            let (awaits_new, awaits_old) = (new_code.is_some(), old_code.is_some());
            Ok::<_, Error>(PendingEmail { email, awaits_new, awaits_old, expires_at })
        });
        let email = self.address(&stored)?.map(|(email, _)| email);
        Ok(EmailAddress { email, pending: pending.transpose()? })
    }

    /// Begins a change, in place of one that is pending. Answers alike for an address that has an account: only the
    /// mail that goes there differs, and no code for it is ever mailed.
    pub async fn begin_email_change(&self, caller: &Caller, client: &Client, email: &str) -> Result<()> {
        self.require_mail().await?;
        let email = Email::parse(email)?;
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let Standing { stored, session: record, factors } = self.standing(caller).await?;
        if stored.is_anonymous() {
            let detail = "this account has no way to sign in yet: register instead";
            return Err(Error::conflict("not_registered", detail));
        }
        let present = self.address(&stored)?;
        let language = present.as_ref().map_or(client.language, |(_, language)| Some(*language));
        let language = language.unwrap_or_default();
        let present = present.map(|(present, _)| Email::parse(&present)).transpose()?;
        if present.as_ref().is_some_and(|present| present.normal_form() == email.normal_form()) {
            return Err(Invalid::new("/email", "unchanged", "is the present address").into());
        }
        self.count_mail(MailFor::Change, &email, client, now).await?;
        let second_factor = record.proofs.second_factor() && factors.are_settled(now);
        let [new_code, old_code] = [(); 2].map(|()| RegistrationCode::generate(&self.random));
        let secret = Secret::generate(&self.random);
        let (awaits_old, to_old) = match &present {
            None => (false, None),
            Some(present) if second_factor => {
                let notice = Template::Notice(&Notice::EmailChangeBegun);
                (false, Some(self.prepare_mail(present.as_str(), language, &notice)?))
            }
            Some(present) => {
                self.count_mail(MailFor::Change, present, client, now).await?;
                let template = Template::EmailChangeFrom { code: &old_code.to_text() };
                (true, Some(self.prepare_mail(present.as_str(), language, &template)?))
            }
        };
        let to_new = Template::EmailChangeTo { code: &new_code.to_text() };
        let to_new = self.prepare_mail(email.as_str(), language, &to_new)?;
        let Addressee { account: holder, to, language } = self.addressee(&email, Some(language)).await?;
        let to_taken = self.prepare_mail(&to, language, &Template::EmailTaken)?;
        let pending = Pending {
            email: email.as_str().to_owned(),
            secret: secret.to_text().to_string(),
            new_code: Some(*new_code.digest(&secret).as_bytes()),
            old_code: awaits_old.then(|| *old_code.digest(&secret).as_bytes()),
        };
        let key = self.data_keys.open(account, &stored.data_key)?;
        let sealed = pending.seal(account, &key, &self.random)?;
        let email_tag = self.index.email(&email);
        let network = self.network_tag(client.network);
        let app = self.clone();
        self.store
            .write(async move |tx| {
                // A reset that came first has ended this session, and cancels what it begins.
                lock_caller(tx, account, session).await?;
                let taken = accounts::find_by_email(tx, &email_tag).await? == Some(holder);
                email_changes::put(tx, account, &sealed, now.plus(EXPIRES_IN)).await?;
                let entry = Entry::of(account, Event::EmailChangeAsked, now).network(Some(network));
                app.audit(tx, &entry).await?;
                mail::queue(tx, to_old.iter().chain([if taken { &to_taken } else { &to_new }])).await
            })
            .await?;
        Ok(())
    }

    /// Takes a mailed code; with the last one the address changes.
    pub async fn confirm_email_change(&self, caller: &Caller, code: &str) -> Result<()> {
        let code = RegistrationCode::parse(code).ok_or_else(refused)?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let (app, by) = (self.clone(), self.owner(caller));
        // A wrong code must count although the caller gets an error, so the outcome travels in an `Ok`.
        let is_right = self
            .store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                let Some(tried) = email_changes::try_once(tx, account, now).await? else { return Ok(false) };
                let key = app.data_keys.open(account, &stored.data_key)?;
                let mut pending = Pending::open(account, &key, &tried.sealed)?;
                if tried.tries > MOST_TRIES || !pending.confirm(&code) {
                    if tried.tries >= MOST_TRIES {
                        email_changes::delete(tx, account).await?;
                    }
                    return Ok(false);
                }
                if !pending.is_confirmed() {
                    email_changes::update(tx, account, &pending.seal(account, &key, &app.random)?).await?;
                    return Ok(true);
                }
                email_changes::delete(tx, account).await?;
                let email = Email::parse(&pending.email)?;
                let email_tag = app.index.email(&email);
                if !accounts::claim_email(tx, &email_tag, account).await? {
                    // Somebody else has it by now: as if the code were wrong.
                    return Ok(false);
                }
                accounts::release_other_emails(tx, account, &email_tag).await?;
                let place = context("account", account, Uuid::nil(), "email");
                accounts::set_email(tx, account, &key.seal(&place, email.as_str().as_bytes(), &app.random)?)
                    .await?;
                // Links that went to the old mailbox must not open the account any more.
                password_resets::delete_all(tx, account).await?;
                mail::queue(tx, &app.tell_of_change(&stored, &email)?).await?;
                app.audit(tx, &Entry::of(account, Event::EmailChanged, now).actor(by)).await?;
                Ok(true)
            })
            .await?;
        if is_right { Ok(()) } else { Err(refused()) }
    }

    fn tell_of_change(&self, before: &accounts::Stored, email: &Email) -> Result<Vec<mail::Prepared>> {
        let old = self.address(before)?;
        let language = old.as_ref().map_or_else(Language::default, |(_, language)| *language);
        let notice = Template::Notice(&Notice::EmailChanged);
        let both = old.iter().map(|(old, _)| old.as_str()).chain([email.as_str()]);
        both.map(|to| self.prepare_mail(to, language, &notice)).collect()
    }

    /// Leaves the address as it is.
    pub async fn cancel_email_change(&self, caller: &Caller) -> Result<()> {
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        self.store.write(async move |tx| email_changes::delete(tx, account).await.map(drop)).await?;
        Ok(())
    }
}

fn refused() -> Error {
    Invalid::new("/code", "wrong_or_expired", "the code is wrong, used up or expired").into()
}
