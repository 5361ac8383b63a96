//! Mail: written here, sealed, put into the queue in the transaction that causes it.
//!
//! What is said stands in one file per language ([`english`], [`german`]); what it looks like, as text and as HTML,
//! in [`letter`]. Another language is another file and another line in [`Language`].

use domain::email::Email;
use domain::{AccountId, Error, Random, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::accounts;
use store::{Tx, mail};
use uuid::Uuid;
use vault::Secret;

use crate::App;
use crate::data_keys::{DataKeys, context};
use crate::preferences::Preferences;

pub mod delivery;
mod english;
mod german;
pub mod language;
pub mod letter;
mod notice;

pub use language::Language;
pub use notice::{Method, Notice};

/// A message as it is read, in both forms.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub to: String,
    pub subject: String,
    pub text: String,
    #[serde(default)]
    pub html: String,
}

/// A message of the development mailbox.
pub struct Delivered {
    pub id: Uuid,
    pub at: Timestamp,
    pub message: Message,
}

/// Whoever has an address, or might have it.
pub(crate) struct Addressee {
    /// Of nobody when the address has no account.
    pub account: AccountId,
    pub to: String,
    pub language: Language,
}

/// A message that was written and sealed, and waits for the transaction that causes it.
pub(crate) type Prepared = mail::Stored;

/// Everything that is ever mailed.
pub(crate) enum Template<'a> {
    /// To somebody who signs up: the code, and a link that works in the same browser.
    Confirmation { code: &'a str },
    /// To somebody who signs up with an address that has an account.
    AlreadyRegistered,
    /// To somebody who has forgotten their password, or to the victim of somebody who says so.
    PasswordReset { secret: &'a str },
    /// To an address without an account, for which somebody has forgotten the password.
    NoAccount,
    /// To the address that an account is to have.
    EmailChangeTo { code: &'a str },
    /// To the address that an account has until then.
    EmailChangeFrom { code: &'a str },
    /// To an address that an account is to have, and another one has.
    EmailTaken,
    /// Tells that something happened to the account.
    Notice(&'a Notice),
}

const TABLE: &str = "mail";
const COLUMN: &str = "sealed";
/// Messages that the mailbox shows.
const SHOWN: i64 = 50;

impl Message {
    /// Seals the message with a key of its own.
    fn seal(&self, keys: &DataKeys, random: &Random, now: Timestamp) -> Result<Prepared> {
        let id = random.uuid(now);
        let owner = AccountId::from_uuid(id);
        let (key, data_key) = keys.create(owner, random)?;
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        let sealed = key.seal(&context(TABLE, owner, id, COLUMN), &plain, random)?;
        Ok(mail::Stored { id, data_key, sealed, created_at: now })
    }

    fn open(keys: &DataKeys, stored: &mail::Stored) -> Result<Self> {
        let owner = AccountId::from_uuid(stored.id);
        let key = keys.open(owner, &stored.data_key)?;
        let plain = key.open(&context(TABLE, owner, stored.id, COLUMN), &stored.sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }
}

/// Puts messages into the queue. They are sent when the transaction is committed, or never.
pub(crate) async fn queue(tx: &mut Tx, mails: impl IntoIterator<Item = &Prepared>) -> store::Result<()> {
    for prepared in mails {
        mail::put(tx, prepared).await?;
    }
    Ok(())
}

impl App {
    /// Writes and seals a message. Its links lead to the configured address and nowhere else: what a request says of
    /// its host is never asked.
    pub(crate) fn prepare_mail(
        &self,
        to: &str,
        language: Language,
        template: &Template<'_>,
    ) -> Result<Prepared> {
        let letter = language.write(template, &self.settings.public_url);
        let message = Message {
            to: to.to_owned(),
            text: letter.text(),
            html: letter.html(language),
            subject: letter.subject,
        };
        message.seal(&self.data_keys, &self.random, self.now())
    }

    /// A notice to the account, to be put into the queue by the transaction that makes it true; `None` when the
    /// account has no address, or is gone.
    pub(crate) async fn notice(&self, account: AccountId, notice: Notice) -> Result<Option<Prepared>> {
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        stored.map_or(Ok(None), |stored| self.notice_to(&stored, &notice))
    }

    /// The same, to an account that was read already.
    pub(crate) fn notice_to(&self, stored: &accounts::Stored, notice: &Notice) -> Result<Option<Prepared>> {
        let Some((email, language)) = self.address(stored)? else { return Ok(None) };
        self.prepare_mail(&email, language, &Template::Notice(notice)).map(Some)
    }

    /// Where an account gets its mail, and in which language.
    pub(crate) fn address(&self, stored: &accounts::Stored) -> Result<Option<(String, Language)>> {
        let Some(sealed) = &stored.email else { return Ok(None) };
        let key = self.data_keys.open(stored.id, &stored.data_key)?;
        let email = key.open(&context("account", stored.id, Uuid::nil(), "email"), sealed)?;
        let language = Preferences::of(stored, &key)?.language.unwrap_or_default();
        Ok(Some((String::from_utf8_lossy(&email).into_owned(), language)))
    }

    /// To whom goes what is mailed because somebody named this address: whoever has it, as it was stored and in their own
    /// language, since two addresses that are the same to us may be two mailboxes; and else the address as it was named,
    /// in the language of who named it. Asks the database as often in either case.
    pub(crate) async fn addressee(&self, email: &Email, language: Option<Language>) -> Result<Addressee> {
        let nobody = AccountId::new(self.now(), &self.random);
        let stored = self.behind(self.index.email(email), nobody).await?;
        let known = stored.as_ref().map(|stored| self.address(stored)).transpose()?.flatten();
        let (to, language) =
            known.unwrap_or_else(|| (email.as_str().to_owned(), language.unwrap_or_default()));
        Ok(Addressee { account: stored.map_or(nobody, |stored| stored.id), to, language })
    }

    /// The newest messages of a development server's mailbox, for whoever holds its token.
    pub async fn mailbox(&self, token: &str) -> Result<Vec<Delivered>> {
        let known = self.settings.mailbox_token.as_ref().ok_or(Error::NotFound)?;
        if !Secret::parse(token).is_some_and(|token| token.digest().matches(known)) {
            return Err(Error::NotFound);
        }
        let stored = self.store.read(async move |db| mail::newest(db, SHOWN).await).await?;
        let open = |stored: mail::Stored| {
            let message = Message::open(&self.data_keys, &stored)?;
            Ok(Delivered { id: stored.id, at: stored.created_at, message })
        };
        stored.into_iter().map(open).collect()
    }
}
