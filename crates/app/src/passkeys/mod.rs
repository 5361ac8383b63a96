//! Passkeys: keys that devices hold. One is a way in by itself, and a second factor beside any other.

mod adding;
mod showing;

use domain::session::Proof;
use domain::{AccountId, Error, PasskeyId, Result, Timestamp, text};
use serde::{Deserialize, Serialize};
use store::{accounts, passkeys};
use vault::webauthn::CredentialKey;
use vault::{Context, DataKey};
use zeroize::Zeroizing;

pub use adding::{Added, CreationOptions, NewPasskey};
pub(crate) use showing::Verified;
pub use showing::{RequestOptions, ShownPasskey, StartFor};

use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::{Caller, account_is_gone};
use crate::data_keys::context;
use crate::identities::ways_in;
use crate::mail::{self, Method, Notice};
use crate::sessions::lock_caller;

/// Of one account: more than anybody has devices.
const MOST: usize = 20;
/// Ways to reach an authenticator that we hand back to browsers; other words are dropped.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// A passkey as its owner sees it.
pub struct Passkey {
    pub id: PasskeyId,
    pub name: String,
    /// Whether a provider keeps copies of it, so that losing the device does not lose it.
    pub is_backed_up: bool,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
}

/// Which credential a browser is to use, or not to make again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialHint {
    pub id: Vec<u8>,
    pub transports: Vec<String>,
}

/// What is kept of a passkey beside times and counter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    name: String,
    credential: Vec<u8>,
    /// COSE.
    key: Vec<u8>,
    model: [u8; 16],
    transports: Vec<String>,
    backed_up: bool,
}

impl Kept {
    fn seal(&self, key: &DataKey, place: &Context, app: &App) -> Result<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self).map_err(Error::internal)?);
        key.seal(place, &plain, &app.random)
    }

    fn open(key: &DataKey, account: AccountId, stored: &passkeys::Stored) -> Result<Self> {
        let plain = key.open(&place(account, stored.id), &stored.sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }

    fn key(&self) -> Result<CredentialKey> {
        CredentialKey::parse(&self.key).map_err(|_| Error::internal("a stored passkey has no sound key"))
    }

    fn hint(self) -> CredentialHint {
        CredentialHint { id: self.credential, transports: self.transports }
    }

    fn shown(self, stored: &passkeys::Stored) -> Passkey {
        let passkeys::Stored { id, created_at, used_at, .. } = *stored;
        Passkey { id, name: self.name, is_backed_up: self.backed_up, created_at, used_at }
    }
}

const fn place(account: AccountId, id: PasskeyId) -> Context {
    context("passkey", account, id.uuid(), "sealed")
}

/// Which credentials lead to an account.
pub(crate) fn hints(
    key: &DataKey,
    account: AccountId,
    stored: &[passkeys::Stored],
) -> Result<Vec<CredentialHint>> {
    stored.iter().map(|stored| Ok(Kept::open(key, account, stored)?.hint())).collect()
}

impl App {
    /// The caller's passkeys, oldest first.
    pub async fn list_passkeys(&self, caller: &Caller) -> Result<Vec<Passkey>> {
        let account = caller.account;
        let key = self.data_keys.get(account).await?;
        let stored = self.store.read(async move |db| passkeys::of_account(db, account).await).await?;
        stored.iter().map(|stored| Ok(Kept::open(&key, account, stored)?.shown(stored))).collect()
    }

    /// Calls a passkey something else.
    pub async fn rename_passkey(&self, caller: &Caller, id: PasskeyId, name: &str) -> Result<Passkey> {
        let name = text::name("/name", name)?;
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        let key = self.data_keys.get(account).await?;
        let app = self.clone();
        let renamed = self
            .store
            .write(async move |tx| {
                accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                let stored = passkeys::get(tx, account, id).await?.ok_or(Error::NotFound)?;
                let kept = Kept { name: name.clone(), ..Kept::open(&key, account, &stored)? };
                let sealed = kept.seal(&key, &place(account, id), &app)?;
                passkeys::reseal(tx, account, id, &sealed).await?;
                Ok(kept.shown(&stored))
            })
            .await?;
        Ok(renamed)
    }

    /// Lets a passkey lead here no longer, unless it is the only way in. Other sessions end.
    pub async fn remove_passkey(&self, caller: &Caller, id: PasskeyId) -> Result<()> {
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let (app, by) = (self.clone(), self.owner(caller));
        let ended = self
            .store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                if !passkeys::delete(tx, account, id).await? {
                    return Err(Error::NotFound.into());
                }
                domain::identity::require_another_way_in(ways_in(&stored))?;
                accounts::count_identities(tx, account, -1).await?;
                let notice = Notice::MethodRemoved(Method::Passkey);
                mail::queue(tx, &app.notice_to(&stored, &notice)?).await?;
                let entry = Entry::of(account, Event::FactorRemoved, now).actor(by);
                app.audit(tx, &entry.word(Proof::Passkey.word()).item(id.uuid())).await?;
                app.factor_removed(tx, &stored, (session, by), now).await
            })
            .await?;
        self.forget_cookies_of(session);
        self.revoke(ended, now);
        Ok(())
    }
}

/// Which words of a browser about its authenticator are kept.
fn known_transports(said: &[String]) -> Vec<String> {
    let mut known: Vec<_> = TRANSPORTS.iter().filter(|word| said.iter().any(|said| said == *word)).collect();
    known.dedup();
    known.into_iter().map(|word| (*word).to_owned()).collect()
}
