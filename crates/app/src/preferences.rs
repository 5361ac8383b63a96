//! How the person likes to read, and to be written to. Sealed with the account.

use domain::forecast::units::Units;
use domain::{AccountId, Error, Result};
use serde::{Deserialize, Serialize};
use store::{Tx, accounts};
use uuid::Uuid;
use vault::DataKey;

use crate::App;
use crate::caller::{Caller, account_is_gone};
use crate::data_keys::context;
use crate::mail::Language;

/// What somebody prefers; `None` leaves it to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    pub units: Option<Units>,
    /// Of mail. Taken from the browser when somebody registers.
    pub language: Option<Language>,
}

#[derive(Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    units: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

impl Preferences {
    /// Opens those of an account.
    pub(crate) fn of(stored: &accounts::Stored, key: &DataKey) -> Result<Self> {
        let Some(sealed) = &stored.preferences else { return Ok(Self::default()) };
        let plain = key.open(&context("account", stored.id, Uuid::nil(), "preferences"), sealed)?;
        let Stored { units, language } = serde_json::from_slice(&plain).map_err(Error::internal)?;
        Ok(Self {
            units: units.as_deref().and_then(Units::parse),
            language: language.as_deref().and_then(Language::parse),
        })
    }

    pub(crate) fn seal(&self, account: AccountId, key: &DataKey, random: &domain::Random) -> Result<Vec<u8>> {
        let stored = Stored {
            units: self.units.map(|units| units.name().to_owned()),
            language: self.language.map(|language| language.tag().to_owned()),
        };
        let plain = serde_json::to_vec(&stored).map_err(Error::internal)?;
        key.seal(&context("account", account, Uuid::nil(), "preferences"), &plain, random)
    }
}

impl App {
    /// Keeps with an account that registers what its browser likes to read, unless its holder has chosen already.
    pub(crate) async fn keep_language(
        &self,
        tx: &mut Tx,
        (account, key): (AccountId, &DataKey),
        mut preferences: Preferences,
        language: Option<Language>,
    ) -> store::Result<()> {
        if preferences.language.is_some() || language.is_none() {
            return Ok(());
        }
        preferences.language = language;
        accounts::set_preferences(tx, account, &preferences.seal(account, key, &self.random)?).await
    }

    /// Replaces the preferences, but for a language that is not named: clients of an older version do not know of it.
    pub async fn set_preferences(&self, caller: &Caller, preferences: Preferences) -> Result<()> {
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        let app = self.clone();
        self.store
            .write(async move |tx| {
                let stored = accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                let key = app.data_keys.open(account, &stored.data_key)?;
                let mut preferences = preferences.clone();
                if preferences.language.is_none() {
                    preferences.language = Preferences::of(&stored, &key)?.language;
                }
                accounts::set_preferences(tx, account, &preferences.seal(account, &key, &app.random)?).await
            })
            .await?;
        // Preferences are no part of the log, so no hint tells that the favourites screen looks different now.
        self.forecast_lists.forget(account);
        Ok(())
    }
}
