//! API keys of a company's own services: made by operators, shown once, stored hashed.

use std::time::Duration;

use domain::api_key::Scopes;
use domain::{AccountId, Error, Invalid, Result, Timestamp, text};
use serde::{Deserialize, Serialize};
use store::{Tx, api_keys};
use uuid::Uuid;
use vault::api_key::ApiKey;
use vault::{Context, DataKey};
use zeroize::Zeroizing;

use crate::App;
use crate::audit::{By, Entry, Event};
use crate::caller::{Caller, Service};
use crate::data_keys::context;
use crate::limits::{Left, Rate};

/// A key that was looked up.
#[derive(Clone, Copy)]
pub(crate) struct KnownKey {
    service: Service,
    expires_at: Option<Timestamp>,
    /// When the database is to be asked again.
    until: Timestamp,
}

/// How long a looked-up key is believed: so long one that was revoked on another node may still work.
const BELIEVED: Duration = Duration::from_secs(3);
/// A key's last use is noted at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
/// Looked-up keys that are remembered.
pub(crate) const REMEMBERED: usize = 200;
/// Keys of one installation.
const MOST: i64 = 100;
const MOST_DAYS: u32 = 3650;
/// Requests a minute of a key whose maker did not say.
const PER_MINUTE: u32 = 600;
const MOST_PER_MINUTE: u32 = 60_000;
/// A bucket holds a minute's worth of these, and each request takes its share: so keys of different rates share the
/// buckets.
pub(crate) const UNITS: Rate = Rate { per_second: 1_000_000.0, burst: 60_000_000 };

/// What a new key is to be.
pub struct NewKey {
    pub name: String,
    pub scopes: Scopes,
    pub per_minute: Option<u32>,
    /// For ever when left out.
    pub days: Option<u32>,
}

/// A key as it is listed; its secret cannot be read any more.
pub struct Listed {
    pub id: Uuid,
    pub name: String,
    /// How the secret begins.
    pub hint: String,
    pub scopes: Scopes,
    pub made_by: Option<AccountId>,
    pub per_minute: i64,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

/// A new key and its secret, which is shown this once.
pub struct Made {
    pub secret: Zeroizing<String>,
    pub listed: Listed,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    hint: String,
}

const fn place(id: Uuid) -> Context {
    context("api_key", AccountId::from_uuid(id), id, "sealed")
}

/// Whether a bearer token is meant as an API key, be it a true one or not.
pub fn is_api_key(token: &str) -> bool {
    ApiKey::is_meant(token)
}

impl App {
    /// Checks an API key.
    pub async fn authenticate_key(&self, secret: &str) -> Result<Service> {
        let key = ApiKey::parse(secret).ok_or_else(refused)?;
        let hash = *key.digest().as_bytes();
        let now = self.now();
        let known = match self.known_keys.get(&hash).filter(|known| now < known.until) {
            Some(known) => known,
            None => self.look_up_key(hash, now).await?,
        };
        if known.expires_at.is_some_and(|end| now >= end) {
            return Err(Error::unauthenticated("key_expired", "this API key has expired"));
        }
        Ok(known.service)
    }

    async fn look_up_key(&self, hash: [u8; 32], now: Timestamp) -> Result<KnownKey> {
        let found = self.store.read(async move |db| api_keys::find(db, &hash).await).await?;
        let stored = found.ok_or_else(refused)?;
        let is_stale = stored.used_at.is_none_or(|at| now.since(at) >= USE_NOTED_EVERY);
        if is_stale {
            let (id, before) = (stored.id, now.minus(USE_NOTED_EVERY).plus(Duration::from_millis(1)));
            self.store.write(async move |tx| api_keys::used(tx, id, now, before).await).await?;
        }
        let service = Service {
            key: stored.id,
            scopes: Scopes::stored(&stored.scopes),
            per_minute: u32::try_from(stored.per_minute).unwrap_or(1).clamp(1, MOST_PER_MINUTE),
            network: None,
        };
        let known = KnownKey { service, expires_at: stored.expires_at, until: now.plus(BELIEVED) };
        self.known_keys.insert(hash, known);
        Ok(known)
    }

    /// Counts a request against its key.
    pub fn limit_service(&self, service: &Service) -> Result<Left> {
        let cost = UNITS.burst / service.per_minute;
        let left = self.traffic.services.take(&service.key, cost, self.now())?;
        Ok(Left { remaining: left.remaining / cost, ..left })
    }

    /// Makes a key, for an operator.
    pub async fn create_api_key(&self, caller: &Caller, new: NewKey) -> Result<Made> {
        let by = self.require_fresh_operator(caller).await?;
        self.make_api_key(Some(caller.account), by, new).await
    }

    /// Makes a key; `made_by` is nobody at the server's own terminal.
    pub async fn make_api_key(
        &self,
        made_by: Option<AccountId>,
        by: impl Into<By>,
        new: NewKey,
    ) -> Result<Made> {
        let by = by.into();
        let now = self.now();
        let name = text::name("/name", &new.name)?;
        let per_minute = within("/per_minute", new.per_minute.unwrap_or(PER_MINUTE), MOST_PER_MINUTE)?;
        let days = new.days.map(|days| within("/expires_in_days", days, MOST_DAYS)).transpose()?;
        let expires_at = days.map(|days| now.plus(Duration::from_hours(24) * days));
        let secret = ApiKey::generate(&self.random);
        let id = self.random.uuid(now);
        let (key, data_key) = self.data_keys.create(AccountId::from_uuid(id), &self.random)?;
        let sealed = Sealed { name, hint: secret.hint() };
        let plain = serde_json::to_vec(&sealed).map_err(Error::internal)?;
        let stored = api_keys::New {
            id,
            hash: *secret.digest().as_bytes(),
            data_key,
            sealed: key.seal(&place(id), &plain, &self.random)?,
            scopes: new.scopes.to_string(),
            made_by,
            per_minute: i64::from(per_minute),
            created_at: now,
            expires_at,
        };
        let app = self.clone();
        self.store
            .write(async move |tx| {
                if api_keys::all(tx, MOST).await?.len() >= MOST as usize {
                    let detail = format!("there are {MOST} keys already: revoke those that nobody uses");
                    return Err(Error::conflict("too_many_keys", detail).into());
                }
                api_keys::put(tx, &stored).await?;
                let entry = Entry::by(by, Event::KeyCreated, now).item(id);
                app.audit(tx, &entry.word(stored.scopes.clone())).await
            })
            .await?;
        let Sealed { name, hint } = sealed;
        let listed = Listed {
            id,
            name,
            hint,
            scopes: new.scopes,
            made_by,
            per_minute: i64::from(per_minute),
            created_at: now,
            expires_at,
            used_at: None,
        };
        Ok(Made { secret: secret.to_text(), listed })
    }

    /// All keys, for an operator.
    pub async fn list_api_keys(&self, caller: &Caller) -> Result<Vec<Listed>> {
        self.require_operator(caller)?;
        self.all_api_keys().await
    }

    /// All keys, the oldest first.
    pub async fn all_api_keys(&self) -> Result<Vec<Listed>> {
        let stored = self.store.read(async |db| api_keys::all(db, MOST).await).await?;
        stored.into_iter().map(|stored| self.open_key(stored)).collect()
    }

    /// The keys that the caller has made.
    pub async fn own_api_keys(&self, caller: &Caller) -> Result<Vec<Listed>> {
        let account = caller.account;
        let stored = self.store.read(async move |db| api_keys::made_by(db, account, MOST).await).await?;
        stored.into_iter().map(|stored| self.open_key(stored)).collect()
    }

    fn open_key(&self, stored: api_keys::Stored) -> Result<Listed> {
        let key: DataKey = self.data_keys.open(AccountId::from_uuid(stored.id), &stored.data_key)?;
        let plain = key.open(&place(stored.id), &stored.sealed)?;
        let Sealed { name, hint } = serde_json::from_slice(&plain).map_err(Error::internal)?;
        Ok(Listed {
            id: stored.id,
            name,
            hint,
            scopes: Scopes::stored(&stored.scopes),
            made_by: stored.made_by,
            per_minute: stored.per_minute,
            created_at: stored.created_at,
            expires_at: stored.expires_at,
            used_at: stored.used_at,
        })
    }

    /// Revokes a key, for an operator. It works nowhere any more within five seconds.
    pub async fn revoke_api_key(&self, caller: &Caller, id: Uuid) -> Result<()> {
        let by = self.require_fresh_operator(caller).await?;
        self.remove_api_key(by, id).await
    }

    /// Revokes the keys that somebody has made who may make none any more; those of the terminal stay. Call
    /// [`App::forget_known_keys`] after the commit.
    pub(crate) async fn revoke_keys_of(
        &self,
        tx: &mut Tx,
        maker: AccountId,
        (by, why): (By, &'static str),
        now: Timestamp,
    ) -> store::Result<()> {
        for id in api_keys::delete_made_by(tx, maker).await? {
            self.audit(tx, &Entry::by(by, Event::KeyRevoked, now).item(id).word(why)).await?;
        }
        Ok(())
    }

    /// Asks the database again for every key.
    pub(crate) fn forget_known_keys(&self) {
        self.known_keys.clear();
    }

    /// Revokes a key.
    pub async fn remove_api_key(&self, by: impl Into<By>, id: Uuid) -> Result<()> {
        let (app, now, by) = (self.clone(), self.now(), by.into());
        self.store
            .write(async move |tx| {
                if !api_keys::delete(tx, id).await? {
                    return Err(Error::NotFound.into());
                }
                app.audit(tx, &Entry::by(by, Event::KeyRevoked, now).item(id)).await
            })
            .await?;
        self.known_keys.clear();
        Ok(())
    }
}

fn within(pointer: &'static str, number: u32, most: u32) -> Result<u32> {
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(Invalid::new(pointer, "out_of_range", format!("must be between 1 and {most}")).into())
}

fn refused() -> Error {
    Error::unauthenticated("invalid_key", "this API key does not count")
}
