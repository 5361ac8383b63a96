//! The keys that sign access tokens, as this node knows them, and their rotation, which any node may carry out.
//!
//! Every node reads them again every few seconds, and at once when a token names a key that it does not know. A new
//! key is published long before it signs. So no rotation refuses a good token, and a key that was removed counts
//! nowhere after a few seconds.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::{Error, Random, Result, Timestamp};
use store::{Store, Tx, secrets};
use uuid::Uuid;
use vault::rotation::{Stay, Step, due};
use vault::signing::KeyState;
use vault::{Context, KeySet, RingKeeper, SigningKey};

use crate::App;
use crate::audit::{self, Actor, Entry, Event};

/// How often [`App::read_signing_keys`] is to run.
pub const READ_EVERY: Duration = Duration::from_secs(3);
/// How often [`App::rotate_signing_keys`] is to run.
pub const ROTATE_EVERY: Duration = Duration::from_secs(60);
/// Tokens of unknown keys make a node read the keys at most so often.
const ASKED_EVERY: Duration = Duration::from_secs(1);

pub(crate) const PLACE: Context = Context::server("signing_key", Uuid::nil(), "wrapped");

/// What is known of the stored keys.
pub struct SigningKeys {
    set: RwLock<Arc<KeySet>>,
    /// What the set was made of.
    stays: Mutex<Vec<Stay>>,
    /// When the keys were last read because of a token.
    asked: Mutex<Timestamp>,
    /// Held from a reading until it was taken over: an older one must not come last and bring a removed key back.
    reading: tokio::sync::Mutex<()>,
}

impl SigningKeys {
    /// Reads the keys; the very first start makes one.
    pub(crate) async fn start(
        store: &Store,
        ring: &RingKeeper,
        random: &Random,
        now: Timestamp,
    ) -> Result<Self> {
        let mut stored = store.read(async |db| secrets::signing_keys(db).await).await?;
        // Only the very first start makes one: the library's generator takes longer to begin than all the rest.
        if stored.is_empty() {
            let first = made(ring, random, KeyState::Active, now)?;
            stored = store.write(async move |tx| secrets::ensure_signing_key(tx, &first).await).await?;
        }
        let set = RwLock::new(Arc::new(opened(ring, &stored)?));
        let asked = Mutex::new(Timestamp::from_millis(0));
        let reading = tokio::sync::Mutex::default();
        Ok(Self { set, stays: Mutex::new(stays(&stored)?), asked, reading })
    }

    /// The keys that count now.
    pub fn set(&self) -> Arc<KeySet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what is stored and tells whether a key went.
    fn take(&self, ring: &RingKeeper, stored: &[secrets::SigningKey]) -> Result<bool> {
        let read = stays(stored)?;
        let mut known = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == read {
            return Ok(false);
        }
        let set = Arc::new(opened(ring, stored)?);
        let is_gone = |old: &Stay| !read.iter().any(|new| new.kid == old.kid);
        let went = known.iter().any(is_gone);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
        *known = read;
        Ok(went)
    }

    /// Whether a token may make this node read the keys again.
    fn may_ask(&self, now: Timestamp) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let may = now.since(*asked) >= ASKED_EVERY || now < *asked;
        if may {
            *asked = now;
        }
        may
    }
}

/// A key as it is listed.
pub struct ListedKey {
    pub kid: String,
    pub state: KeyState,
    pub created_at: Timestamp,
    pub since: Timestamp,
}

impl App {
    /// Learns what other nodes did with the keys.
    pub async fn read_signing_keys(&self) -> Result<()> {
        let _reading = self.signing_keys.reading.lock().await;
        let stored = self.store.read(async |db| secrets::signing_keys(db).await).await?;
        if self.signing_keys.take(&self.ring, &stored)? {
            // What was checked by a key that went counts no more.
            self.tokens.clear();
        }
        Ok(())
    }

    /// The same for a token whose key is not known, if that was not done a moment ago; tells whether it was.
    pub(crate) async fn read_signing_keys_for_token(&self, now: Timestamp) -> bool {
        self.signing_keys.may_ask(now) && self.read_signing_keys().await.is_ok()
    }

    /// Carries out what is due.
    pub async fn rotate_signing_keys(&self) -> Result<()> {
        let now = self.now();
        let stored = self.store.read(async |db| secrets::signing_keys(db).await).await?;
        if due(&stays(&stored)?, now).is_empty() {
            return Ok(());
        }
        self.change_keys(Actor::Server, async move |tx, keys, fresh| {
            let mut done = Vec::new();
            for step in due(&stays(&keys)?, now) {
                done.push(carry_out(tx, &keys, step, fresh, now).await?);
            }
            Ok(done)
        })
        .await
    }

    /// All keys, oldest first.
    pub async fn list_signing_keys(&self) -> Result<Vec<ListedKey>> {
        let stored = self.store.read(async |db| secrets::signing_keys(db).await).await?;
        let listed = |key: secrets::SigningKey| {
            let state = state(&key)?;
            Ok(ListedKey { kid: key.kid, state, created_at: key.created_at, since: key.since })
        };
        stored.into_iter().map(listed).collect()
    }

    /// Begins a rotation before its time: a new key is published, and signs when all have heard of it.
    pub async fn begin_key_rotation(&self) -> Result<()> {
        let now = self.now();
        self.change_keys(Actor::CommandLine, async move |tx, keys, fresh| {
            if keys.iter().any(|key| key.state == KeyState::Pending.name()) {
                return Err(Error::conflict("rotation_under_way", "a new key waits already").into());
            }
            Ok(vec![carry_out(tx, &keys, Step::Make, fresh, now).await?])
        })
        .await
    }

    /// Removes a key at once, because others may know it: its tokens count no more, and their holders refresh. When it
    /// is the one that signs, another signs from now on.
    pub async fn remove_signing_key(&self, kid: &str) -> Result<()> {
        let (now, kid) = (self.now(), kid.to_owned());
        self.change_keys(Actor::CommandLine, async move |tx, keys, fresh| {
            let removed = keys.iter().find(|key| key.kid == kid).ok_or(Error::NotFound)?;
            if removed.state == KeyState::Active.name() {
                match keys.iter().find(|key| key.state == KeyState::Pending.name()) {
                    Some(next) => {
                        let active = KeyState::Active.name();
                        secrets::set_signing_key_state(tx, &next.kid, active, now).await?;
                    }
                    None => {
                        let active = KeyState::Active.name().to_owned();
                        secrets::put_signing_key(tx, &secrets::SigningKey { state: active, ..fresh.clone() })
                            .await?;
                    }
                }
            }
            secrets::drop_signing_key(tx, &kid).await?;
            Ok(vec!["removed"])
        })
        .await
    }

    /// Runs a change of the keys while nobody else changes them, writes what it did into the log, and learns of it. A
    /// key is made before, in case one is needed.
    async fn change_keys<F>(&self, actor: Actor, change: F) -> Result<()>
    where
        F: AsyncFn(
                &mut Tx,
                Vec<secrets::SigningKey>,
                &secrets::SigningKey,
            ) -> store::Result<Vec<&'static str>>
            + Send
            + 'static,
    {
        let (ring, random, now) = (self.ring.clone(), self.random.clone(), self.now());
        let fresh = tokio::task::spawn_blocking(move || made(&ring, &random, KeyState::Pending, now));
        let fresh = fresh.await.map_err(Error::internal)??;
        let random = self.random.clone();
        self.store
            .write(async move |tx| {
                let keys = secrets::lock_signing_keys(tx).await?;
                for word in change(tx, keys, &fresh).await? {
                    audit::record(tx, &random, &Entry::by(actor, Event::SigningKeyRotated, now).word(word))
                        .await?;
                }
                Ok(())
            })
            .await?;
        self.read_signing_keys().await
    }
}

/// Tells what it did in the log's word.
async fn carry_out(
    tx: &mut Tx,
    keys: &[secrets::SigningKey],
    step: Step,
    fresh: &secrets::SigningKey,
    now: Timestamp,
) -> store::Result<&'static str> {
    match step {
        Step::Make => {
            tracing::info!(kid = fresh.kid, "a new signing key is published");
            secrets::put_signing_key(tx, fresh).await?;
            Ok("made")
        }
        Step::Activate(kid) => {
            let (active, retiring) = (KeyState::Active.name(), KeyState::Retiring.name());
            for old in keys.iter().filter(|key| key.state == active) {
                secrets::set_signing_key_state(tx, &old.kid, retiring, now).await?;
            }
            tracing::info!(kid, "a new key signs access tokens");
            secrets::set_signing_key_state(tx, &kid, active, now).await?;
            Ok("activated")
        }
        Step::Drop(kid) => {
            tracing::info!(kid, "an old signing key is gone");
            secrets::drop_signing_key(tx, &kid).await?;
            Ok("dropped")
        }
    }
}

/// A new key, wrapped.
fn made(ring: &RingKeeper, random: &Random, state: KeyState, now: Timestamp) -> Result<secrets::SigningKey> {
    let (fresh, document) = SigningKey::generate()?;
    Ok(secrets::SigningKey {
        kid: fresh.id().to_owned(),
        state: state.name().to_owned(),
        public_key: Vec::new(),
        wrapped: ring.wrap(&PLACE, &document, random)?,
        created_at: now,
        since: now,
    })
}

fn opened(ring: &RingKeeper, stored: &[secrets::SigningKey]) -> Result<KeySet> {
    let open = |key: &secrets::SigningKey| {
        Ok((state(key)?, SigningKey::from_pkcs8(&ring.unwrap(&PLACE, &key.wrapped)?)?))
    };
    KeySet::new(stored.iter().map(open).collect::<Result<Vec<_>>>()?)
}

fn stays(stored: &[secrets::SigningKey]) -> Result<Vec<Stay>> {
    let stay =
        |key: &secrets::SigningKey| Ok(Stay { kid: key.kid.clone(), state: state(key)?, since: key.since });
    stored.iter().map(stay).collect()
}

fn state(key: &secrets::SigningKey) -> Result<KeyState> {
    KeyState::parse(&key.state).ok_or_else(|| Error::internal("a signing key has no known state"))
}
