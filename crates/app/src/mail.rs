//! Mail: written here, sealed, put into the queue in the transaction that causes it.

use domain::{AccountId, Error, Random, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, mail};
use uuid::Uuid;
use vault::Secret;

use crate::App;
use crate::data_keys::{DataKeys, context};

/// A message as it is read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// A message of the development mailbox.
pub struct Delivered {
    pub id: Uuid,
    pub at: Timestamp,
    pub message: Message,
}

const TABLE: &str = "mail";
const COLUMN: &str = "sealed";
/// Messages that the mailbox shows.
const SHOWN: i64 = 50;

impl Message {
    /// Seals the message with a key of its own.
    pub(crate) fn seal(&self, keys: &DataKeys, random: &Random, now: Timestamp) -> Result<mail::Stored> {
        let id = random.uuid(now);
        let owner = AccountId::from_uuid(id);
        let (key, data_key) = keys.create(owner, random)?;
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        let sealed = key.seal(&context(TABLE, owner, id, COLUMN), &plain, random)?;
        Ok(mail::Stored { id, data_key, sealed, created_at: now })
    }
}

pub(crate) async fn queue(tx: &mut Tx, sealed: &mail::Stored) -> store::Result<()> {
    mail::put(tx, sealed).await
}

impl App {
    /// The newest messages of a development server's mailbox, for whoever holds its token.
    pub async fn mailbox(&self, token: &str) -> Result<Vec<Delivered>> {
        let known = self.settings.mailbox_token.as_ref().ok_or(Error::NotFound)?;
        if !Secret::parse(token).is_some_and(|token| token.digest().matches(known)) {
            return Err(Error::NotFound);
        }
        let stored = self.store.read(async move |db| mail::newest(db, SHOWN).await).await?;
        let open = |stored: mail::Stored| {
            let owner = AccountId::from_uuid(stored.id);
            let key = self.data_keys.open(owner, &stored.data_key)?;
            let plain = key.open(&context(TABLE, owner, stored.id, COLUMN), &stored.sealed)?;
            let message = serde_json::from_slice(&plain).map_err(Error::internal)?;
            Ok(Delivered { id: stored.id, at: stored.created_at, message })
        };
        stored.into_iter().map(open).collect()
    }
}

/// To somebody who signs up: the code, and a link that works in the same browser.
pub(crate) fn confirmation(to: &str, code: &str, public_url: &str) -> Message {
    Message {
        to: to.to_owned(),
        subject: format!("{code} is your Fairweather code"),
        text: format!(
            "Somebody, hopefully you, wants to use this address with Fairweather.\n\n\
             Type this code where you signed up:\n\n    {code}\n\n\
             Or open this link in the same browser:\n{public_url}/confirm#code={code}\n\n\
             The code works for 30 minutes. If this was not you, ignore this mail: nothing happens without the code.\n"
        ),
    }
}

/// To somebody who signs up with an address that has an account.
pub(crate) fn already_registered(to: &str, public_url: &str) -> Message {
    Message {
        to: to.to_owned(),
        subject: String::from("You already have a Fairweather account"),
        text: format!(
            "Somebody, hopefully you, tried to sign up with this address, which has an account already.\n\n\
             Sign in instead:\n{public_url}/\n\n\
             If this was not you, ignore this mail: nothing was changed.\n"
        ),
    }
}
