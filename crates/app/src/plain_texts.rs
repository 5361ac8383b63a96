//! What an account has typed, and what others have said of it: the texts that must stand nowhere in clear.

use domain::device::Device;
use domain::email::Email;
use domain::{AccountId, Error, Result, Timestamp};
use serde::Deserialize;
use store::{CHUNK, accounts, email_changes, favourites, identities, passkeys, sessions};
use vault::DataKey;

use crate::App;
use crate::data_keys::context;
use crate::favourites::open;
use crate::identities::{SealedIdentity, place};

/// The part of a sealed passkey that somebody typed.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The part of a sealed change of the address that somebody typed.
#[derive(Deserialize)]
struct Addressed {
    email: String,
}

impl App {
    /// What an account has typed and saved, for the search for it in clear; of one that is not there, its address.
    pub async fn plain_texts_of(&self, email: &str) -> Result<Vec<String>> {
        let email = Email::parse(email)?;
        let tag = self.index.email(&email);
        let mut texts = vec![email.as_str().to_owned()];
        let found = self.store.read(async move |db| accounts::find_by_email(db, &tag).await).await?;
        let Some(account) = found else { return Ok(texts) };
        let key = self.data_keys.get(account).await?;
        let (saved, identities, passkeys, pending) = self
            .store
            .read(async move |db| {
                Ok((
                    favourites::live(db, account).await?,
                    identities::of_account(db, account).await?,
                    passkeys::of_account(db, account).await?,
                    // Also one that has expired and was not cleared away yet.
                    email_changes::get(db, account, Timestamp::from_millis(0)).await?,
                ))
            })
            .await?;
        for row in saved {
            let content = open(&key, account, row)?.content;
            texts.extend([content.name, content.lat.to_string(), content.lon.to_string()]);
            texts.extend(content.note);
        }
        for stored in identities {
            let plain = key.open(&place(account, stored.id), &stored.sealed)?;
            let SealedIdentity { subject, email, .. } =
                serde_json::from_slice(&plain).map_err(Error::internal)?;
            texts.push(subject);
            texts.extend(email);
        }
        for stored in passkeys {
            let plain = key.open(&context("passkey", account, stored.id.uuid(), "sealed"), &stored.sealed)?;
            let Named { name } = serde_json::from_slice(&plain).map_err(Error::internal)?;
            texts.push(name);
        }
        if let Some((sealed, _)) = pending {
            let plain = key.open(&context("email_change", account, account.uuid(), "sealed"), &sealed)?;
            let Addressed { email } = serde_json::from_slice(&plain).map_err(Error::internal)?;
            texts.push(email);
        }
        texts.extend(self.device_texts(account, &key).await?);
        texts.sort_unstable();
        texts.dedup();
        Ok(texts)
    }

    /// What devices call themselves. A browser's name alone stands in every log of a proxy and tells nothing of
    /// anybody; what is kept of it as a whole does, and so does an app with its version.
    async fn device_texts(&self, account: AccountId, key: &DataKey) -> Result<Vec<String>> {
        let (mut texts, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.store.read(async move |db| sessions::page(db, account, after, CHUNK).await).await?;
            let Some(last) = page.last() else { return Ok(texts) };
            after = Some(last.id);
            for listed in page {
                let Some(sealed) = listed.device else { continue };
                let plain = key.open(&context("session", account, listed.id.uuid(), "device"), &sealed)?;
                let device: Device = serde_json::from_slice(&plain).map_err(Error::internal)?;
                texts.push(String::from_utf8_lossy(&plain).into_owned());
                texts.extend(device.app.filter(|app| app.contains(|c: char| c.is_ascii_digit())));
            }
        }
    }
}
